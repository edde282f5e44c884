"""How soon each step of a full-frame run answers Cancel, and whether the session is of use afterwards.

    python -m tests.bench.cancel [--case NAME]...

Each step is run once to know how long it takes, then again and cancelled after some parts of that time.
"""

from __future__ import annotations

import argparse
import contextlib
import threading
import time
from collections.abc import Mapping
from typing import Any

from jwcal_interactive import Cancelled, Session, open_session
from jwcal_interactive.demo import kept_exposure
from jwcal_interactive.simulate import ExposureSpec
from tests.bench.cases import CASES

_ON = {"skip": False}
_AFTER = (0.1, 0.3, 0.5, 0.7, 0.9)
"""When it is cancelled, as parts of the time that the step takes."""

# Exposures with every step turned on that they can have.
EXPOSURES: Mapping[str, tuple[ExposureSpec, Mapping[str, Mapping[str, Any]]]] = {
    "nircam": (
        CASES["full"].spec,
        {
            "charge_migration": _ON,
            "jump": {"expand_large_events": True},
            "large_events": _ON,
            "clean_flicker_noise": _ON,
            "amplifier_noise": _ON,
            "persistence": {**_ON, "persistence_time": 100, "dn_threshold": 20000},
            "ramp_fit": {"algorithm": "LIKELY"},
        },
    ),
    "irs2": (CASES["irs2"].spec, {"picture_frame": {**_ON, "mask_science_regions": False}}),
    "miri": (
        ExposureSpec(
            instrument="MIRI", detector="MIRIMAGE", readpatt="FASTR1", filter="F770W", pupil="",
            exp_type="MIR_IMAGE", ngroups=12, nints=2, shower_rate=2e-8,
        ),
        {"emicorr": _ON, "firstframe": _ON, "jump": {"find_showers": True}},
    ),
}  # fmt: skip


def cancelled_after(session: Session, step: str, delay: float) -> float | None:
    """Seconds from Cancel to the end of the run; ``None`` if the step was faster than the delay."""
    cancel = threading.Event()
    asked: list[float] = []

    def ask() -> None:
        asked.append(time.perf_counter())
        cancel.set()

    timer = threading.Timer(delay, ask)
    timer.start()
    with contextlib.suppress(Cancelled):  # a step that ends meanwhile is no failure
        session.run(first=step, last=step, cancel=cancel)
    end = time.perf_counter()
    timer.cancel()
    timer.join()
    return max(end - asked[0], 0.0) if asked else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--case", action="append", choices=list(EXPOSURES), help="only this one; may be repeated"
    )
    options = parser.parse_args()
    print("| exposure | step | takes, s | answers to Cancel, s | longest | same result afterwards |")
    print("|---|---|---|---|---|---|")
    for name in options.case or EXPOSURES:
        spec, settings = EXPOSURES[name]
        session = open_session(kept_exposure(spec)[0], context="demo")
        for step, values in settings.items():
            session.set(step, **values)
        session.run()
        digest = session.digest()
        for step in session.steps:
            if session.status(step).state == "skipped":
                continue
            session.run(last=step)
            start = time.perf_counter()
            session.run(first=step, last=step)
            takes = time.perf_counter() - start
            answers = [a for part in _AFTER if (a := cancelled_after(session, step, part * takes)) is not None]
            session.run()
            cells = (
                name,
                step,
                f"{takes:.2f}",
                " ".join(f"{a:.2f}" for a in answers) or "done before",
                f"{max(answers, default=0.0):.2f}",
                "yes" if session.digest() == digest else "NO",
            )
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
