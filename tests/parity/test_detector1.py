"""Detector1 on simulated exposures: every array after every step against the official pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jwcal_interactive import Ramp, Rates, open_session

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

# The others are skipped by default.
SAME_RAMP_STEPS = {
    "dq_init", "saturation", "ipc", "superbias", "refpix", "linearity", "dark_current", "jump",
}  # fmt: skip

EXPOSURES = (
    "full-rapid",
    "full-bright2",
    "sub640-rapid",
    "sub640-rapid-3",
    "sub640-bright2",
    "sub640-bright2-3",
)


@pytest.mark.parametrize("name", EXPOSURES)
def test_each_step(
    name: str,
    simulated: Callable[[str], tuple[Path, Path]],
    official_run: Callable[..., Any],
    same: Callable[..., None],
) -> None:
    raw, _ = simulated(name)
    session = open_session(raw, context="demo")
    session.run()
    compared: list[str] = []
    problems: list[str] = []

    def check(label: str, ours: Any, theirs: Any, ulp: int = 0) -> None:
        try:
            same(f"{name}: {label}", ours, theirs, ulp)
        except AssertionError as error:
            problems.append(str(error))

    def watch(step: str, model: Any) -> None:
        result = session.result(step)
        if isinstance(result, Ramp):
            check(f"{step} SCI", result.data, model.data, 2)
            check(f"{step} GROUPDQ", result.groupdq, model.groupdq)
            check(f"{step} PIXELDQ", result.pixeldq, model.pixeldq)
            if result.zeroframe is not None:
                check(f"{step} ZEROFRAME", result.zeroframe, model.zeroframe, 2)
        else:
            assert isinstance(result, Rates)
            models = model if isinstance(model, tuple) else (model,)
            for one in models:
                slopes = result.rate if one.data.ndim == 2 else result.rateints
                kind = "rate" if one.data.ndim == 2 else "rateints"
                check(f"{step} {kind} SCI", slopes.data, one.data, 2)
                check(f"{step} {kind} ERR", slopes.err, one.err, 2)
                check(f"{step} {kind} DQ", slopes.dq, one.dq)
                check(f"{step} {kind} VAR_POISSON", slopes.var_poisson, one.var_poisson, 2)
                check(f"{step} {kind} VAR_RNOISE", slopes.var_rnoise, one.var_rnoise, 2)
        compared.append(step)

    official_run("Detector1Pipeline", raw, watch)
    assert not problems, "\n".join(problems)
    assert set(compared) >= SAME_RAMP_STEPS
    assert compared.count("ramp_fit") == 1
