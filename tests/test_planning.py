"""What a run is predicted to take, and the limit that it is fitted to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jwcal_interactive import bands, planning
from jwcal_interactive.errors import InputError
from jwcal_interactive.pipeline import Watch
from jwcal_interactive.planning import fit_memory, plan_run
from jwcal_interactive.runner import Runner
from jwcal_interactive.session.opening import open_exposure
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.usefixtures("tiny_context")

STEPS = ("linearity", "jump", "ramp_fit")
SAMPLES = 2 * 5 * 64 * 64  # of the small exposure


@pytest.fixture
def runner(tiny_raw: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runner of some steps; the process itself counts nothing."""
    monkeypatch.setattr(planning, "BASE_BYTES", 0)
    opened = open_exposure(tiny_raw)

    def make(*steps: str, **changes: dict[str, Any]) -> Runner:
        params = dict(opened.baseline.params)
        for step, values in changes.items():
            params[step] = params[step].model_copy(update=values)
        watch = Watch(tiles=Tiles(threads=2))
        return Runner(opened.source, steps or STEPS, params, opened.book, {}, watch, {})

    return make


def test_bands_and_whole_frames(runner: Any) -> None:
    plan = plan_run(runner(jump={"expand_large_events": True}))
    assert [stage.steps for stage in plan.stages] == [("linearity",), ("jump",), ("ramp_fit",)]
    assert [stage.rows for stage in plan.stages] == [32, 0, 32]
    assert all(stage.nbytes > 5 * SAMPLES for stage in plan.stages)
    assert plan.peak == max(stage.nbytes for stage in plan.stages)


def test_lower_bands_for_less_memory(runner: Any) -> None:
    free = plan_run(runner())
    (stage,) = free.stages
    assert (stage.rows, stage.at_once) == (32, 2)
    for limit in (free.peak, free.peak * 2 // 3, free.peak // 4, free.least):
        plan = plan_run(fit_memory(runner(), limit))
        assert plan.peak <= limit
    assert (plan.stages[0].rows, plan.stages[0].at_once) == (1, 1)


def test_a_limit_that_cannot_be_kept(runner: Any) -> None:
    least = plan_run(runner()).least
    with pytest.raises(InputError, match=f"the run needs {least / 1e6:.0f} MB at least"):
        fit_memory(runner(), least - 1)


def test_waves_are_looked_for_in_the_whole_ramp(runner: Any) -> None:
    """The survey of emicorr takes a ramp, and its data once more, however low the bands are."""
    made = runner("emicorr", *STEPS)
    state = made.source.cut()
    made.source = bands.MemorySource(state.with_(exposure=replace(state.exposure, instrument="MIRI")))
    emicorr = planning.STEPS["emicorr"].params
    without, joint = (
        plan_run(
            replace(made, params={**made.params, "emicorr": emicorr(skip=skip, onthefly_corr_freq=(390.625,))})
        )
        for skip in (True, False)
    )
    assert joint.least > without.least + (4 + 5) * SAMPLES
    assert joint.peak >= joint.least
