"""What the time of a call goes to: timers around reading, steps and writing, on one thread."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from typing import Any

__all__ = ["time_parts"]


class _Timers:
    """Seconds by what they were spent on; those of a timer within another one count once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._within: list[float] = [0.0]

    def around(self, owner: Any, name: str, what: str) -> None:
        """Time all calls of ``owner.name`` from now on."""
        timed = getattr(owner, name)

        @functools.wraps(timed)
        def call(*args: Any, **options: Any) -> Any:
            self._within.append(0.0)
            start = time.perf_counter()
            try:
                return timed(*args, **options)
            finally:
                passed = time.perf_counter() - start
                self.seconds[what] += passed - self._within.pop()
                self._within[-1] += passed

        setattr(owner, name, call)


def time_parts(told: dict[str, Any]) -> dict[str, float]:
    """Seconds that a second call of `calibrate` on one thread spends on each part."""
    from jwcal_interactive import calibrate, headless
    from jwcal_interactive.io.product_files import ProductFile
    from jwcal_interactive.io.products import ProductWriter
    from jwcal_interactive.io.raw import RampFile
    from jwcal_interactive.io.reference_files import ReferenceFile
    from jwcal_interactive.pipeline import Watch
    from jwcal_interactive.steps.definition import StepDefinition
    from jwcal_interactive.tiles import Tiles

    timers = _Timers()

    def call() -> None:
        watch = Watch(tiles=Tiles(threads=1))
        calibrate(told["raw"], "detector1", output_dir=told["folder"], params=told["steps"], watch=watch)

    call()
    for owner, name, what in (
        (headless, "open_exposure", "opening"),
        (headless, "plan_run", "opening"),
        (RampFile, "cut", "raw data"),
        (ReferenceFile, "cut", "references"),
        (StepDefinition, "apply", "steps"),
        (ProductWriter, "__init__", "headers"),
        (ProductWriter, "close", "headers"),
        (ProductFile, "put", "pixels written"),
    ):
        timers.around(owner, name, what)
    start = time.perf_counter()
    call()
    whole = time.perf_counter() - start
    return {**timers.seconds, "other": whole - sum(timers.seconds.values())}
