"""Steps in bands of rows give, bit for bit, what they give on the whole frame."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_exposure

from jwcal_interactive import bands, runner
from jwcal_interactive.arrays import Keyword, Ramp, State
from jwcal_interactive.bands import MemoryOutput
from jwcal_interactive.cutouts import ALL
from jwcal_interactive.errors import Cancelled
from jwcal_interactive.opening import open_exposure
from jwcal_interactive.pipeline import Outcome, Progress, Watch
from jwcal_interactive.runner import Runner
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_interactive.tiles import Tiles

ALL_STEPS = frozenset(STEPS)


class Collected:
    """An output that keeps the whole state."""

    def __init__(self, first: State, nrows: int | None, outcomes: tuple[Outcome, ...]) -> None:
        self.outcomes_then = outcomes
        self._whole = first if nrows is None else None
        self._memory = None if nrows is None else MemoryOutput(first, nrows)

    def put(self, state: State, y0: int) -> None:
        if self._memory is not None:
            self._memory.put(state, y0)

    def arrays(self, like: State) -> dict[tuple[str, ...], np.ndarray[Any, Any]]:
        state = self._whole
        if self._memory is not None:
            state = self._memory.whole(like, like.exposure, like.keywords)
        assert state is not None
        return bands._arrays_of(state)


@dataclass
class Result:
    arrays: dict[tuple[str, ...], np.ndarray[Any, Any]]
    keywords: dict[str, Keyword]
    outcomes: list[tuple[str, str, str]]
    announced: set[str]


def run(
    path: Path,
    *,
    whole: frozenset[str] = frozenset(),
    threads: int = 1,
    params: dict[str, dict[str, Any]] | None = None,
    last: str = "gain_scale",
    band_bytes: int = 1 << 30,
) -> Result:
    opened = open_exposure(path)
    steps = opened.recipe.steps[: opened.recipe.steps.index(last) + 1]
    effective = dict(opened.baseline.params)
    for step, values in (params or {}).items():
        effective[step] = effective[step].model_copy(update=values)
    made = Runner(
        opened.source, steps, effective, opened.book, {}, Watch(tiles=Tiles(threads=threads)),
        {last: (Collected,)}, band_bytes=band_bytes, whole=set(whole),
    )  # fmt: skip
    outcomes = []
    for ran in made.run():
        outcomes.append((ran.outcome.step, ran.outcome.state, ran.outcome.reason))
    opened.source.close()
    opened.book.close()
    assert ran.state is not None
    (output,) = ran.outputs
    assert isinstance(output, Collected)
    assert [o.step for o in output.outcomes_then] == list(steps)
    return Result(output.arrays(ran.state), dict(ran.state.keywords), outcomes, set(ran.state.keywords))


def assert_same(one: Result, other: Result) -> None:
    assert one.outcomes == other.outcomes
    assert one.keywords == other.keywords
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        assert array.dtype == other.arrays[name].dtype, name
        assert array.shape == other.arrays[name].shape, name
        assert array.tobytes() == np.ascontiguousarray(other.arrays[name]).tobytes(), name


@pytest.fixture
def banded(monkeypatch: pytest.MonkeyPatch) -> Any:
    def choose(rows: int, first: int = 16) -> None:
        monkeypatch.setattr(runner, "_BAND_ROWS", rows)
        monkeypatch.setattr(bands, "_FIRST_ROWS", first)

    return choose


CASES: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]] = {
    "one amplifier": ({}, {}),
    "four amplifiers": ({"NOUTPUTS": 4}, {}),
    "fast axis along y": ({"NOUTPUTS": 4, "FASTAXIS": -2, "SLOWAXIS": -1}, {}),
    "averaged frames": (
        {"NFRAMES": 4, "GROUPGAP": 1, "FRMDIVSR": 4, "TFRAME": 0.054}, {"saturation": {"n_pix_grow_sat": 2}},
    ),
    "rescaled groups": ({"NFRAMES": 1, "FRMDIVSR": 2}, {}),
    "after jumps": ({}, {"jump": {"after_jump_flag_dn1": 10.0, "after_jump_flag_time1": 1.0}}),
    "clipping across integrations": ({}, {"jump": {"minimum_sigclip_groups": 2, "rejection_threshold": 1.0}}),
    "charge migration": ({}, {"charge_migration": {"skip": False, "signal_threshold": 12000.0}}),
    "snowballs": ({}, {"jump": {"expand_large_events": True, "min_jump_area": 1.0, "min_sat_area": 1.0}}),
    "one group": ({}, {"ramp_fit": {"suppress_one_group": False}}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("tiny_context")
def test_bands_of_any_height(case: str, tiny_raw: Path, banded: Any) -> None:
    header, params = CASES[case]
    tiny_exposure.edit(tiny_raw, header)
    expected = run(tiny_raw, whole=ALL_STEPS, params=params)
    assert any(state == "done" for step, state, _ in expected.outcomes if step == "ramp_fit")
    for rows, threads in ((1, 1), (7, 2), (64, 1), (200, 3)):
        banded(rows, first=rows)
        assert_same(run(tiny_raw, params=params, threads=threads), expected)


@pytest.mark.parametrize(
    "whole", [{"dq_init"}, {"superbias"}, {"refpix", "dark_current"}, {"jump"}, {"ramp_fit"}, {"gain_scale"}]
)
@pytest.mark.usefixtures("tiny_context")
def test_whole_frame_steps_between(whole: set[str], tiny_raw: Path, banded: Any) -> None:
    expected = run(tiny_raw, whole=ALL_STEPS)
    banded(9)
    assert_same(run(tiny_raw, whole=frozenset(whole), threads=2), expected)


@pytest.mark.parametrize("last", ["group_scale", "saturation", "refpix", "jump", "ramp_fit"])
@pytest.mark.usefixtures("tiny_context")
def test_every_state_on_the_way(last: str, tiny_raw: Path, banded: Any) -> None:
    expected = run(tiny_raw, whole=ALL_STEPS, last=last)
    banded(10)
    assert_same(run(tiny_raw, last=last, threads=2), expected)


@pytest.mark.usefixtures("tiny_context")
def test_one_band_at_a_time_where_memory_is_short(tiny_raw: Path) -> None:
    expected = run(tiny_raw, whole=ALL_STEPS)
    assert_same(run(tiny_raw, threads=2, band_bytes=200_000), expected)


@pytest.mark.parametrize(
    ("instrument", "groups", "single_pass", "again"),
    [
        ("NIRCAM", slice(None), 10, set()),
        ("NIRCAM", slice(0, 1), 10, set()),
        ("NIRCAM", slice(0, 1), 4, {"jump"}),
        ("MIRI", slice(-1, None), 10, set()),
        ("MIRI", slice(0, 1), 10, set()),
    ],
)
@pytest.mark.usefixtures("tiny_context")
def test_what_was_taken_for_granted_and_is_not_so(
    instrument: str, groups: slice, single_pass: int, again: set[str], tiny_raw: Path, banded: Any
) -> None:
    """The row in the middle is unusable in groups that are good elsewhere.

    Only where jumps would be found in another way does the whole frame have to be there.
    """
    first = run(tiny_raw, last="linearity")
    flags = first.arrays[("groupdq",)].copy()
    flags[:, groups, flags.shape[2] // 2] |= 1
    opened = open_exposure(tiny_raw)
    state = opened.source.cut().with_(data=first.arrays[("data",)].copy(), groupdq=flags)
    state = state.with_(exposure=replace(state.exposure, instrument=instrument))
    params = dict(opened.baseline.params)
    assert state.data.shape[1] == 5
    params["jump"] = params["jump"].model_copy(update={"min_diffs_single_pass": single_pass})
    expected, found = (
        Runner(
            bands.MemorySource(state), ("jump", "ramp_fit"), params, opened.book, {},
            Watch(tiles=Tiles(threads=1)), {"ramp_fit": (Collected,)}, whole=set(whole),
        )
        for whole in (ALL_STEPS, ())
    )  # fmt: skip
    banded(8)
    results = []
    for made in (expected, found):
        *_, ran = made.run()
        assert ran.state is not None
        output = ran.outputs[0]
        assert isinstance(output, Collected)
        results.append(Result(output.arrays(ran.state), dict(ran.state.keywords), [], set()))
    assert found.whole == again
    assert_same(results[1], results[0])


@pytest.mark.parametrize("case", ["good", "two groups", "all but one group lost"])
@pytest.mark.usefixtures("tiny_context")
def test_no_more_than_a_band_is_read_at_once(case: str, tiny_raw: Path, banded: Any) -> None:
    opened = open_exposure(tiny_raw)
    state = opened.source.cut()
    if case == "two groups":
        exposure = replace(state.exposure, ngroups=2)
        state = state.with_(
            data=state.data[:, :2].copy(), groupdq=state.groupdq[:, :2].copy(), exposure=exposure
        )
    elif case != "good":
        flags = state.groupdq.copy()
        flags[:, 1:] |= 1
        state = state.with_(groupdq=flags, exposure=replace(state.exposure, instrument="MIRI"))
    heights: list[int] = []

    class Watched(bands.MemorySource):
        def cut(self, rows: slice = ALL, columns: slice = ALL) -> Ramp:
            part = super().cut(rows, columns)
            heights.append(part.data.shape[2])
            return part

    banded(8)
    made = Runner(
        Watched(state), ("linearity", "jump", "ramp_fit"), opened.baseline.params, opened.book, {},
        Watch(tiles=Tiles(threads=1)), {},
    )  # fmt: skip
    skipped = {"good": [], "two groups": ["jump"]}.get(case, ["jump", "ramp_fit"])
    assert [ran.outcome.step for ran in made.run() if ran.outcome.state == "skipped"] == skipped
    assert max(heights) == 8 + 2


@pytest.mark.usefixtures("tiny_context")
def test_progress_rises_and_cancel_stops(tiny_raw: Path, banded: Any) -> None:
    banded(4)
    opened = open_exposure(tiny_raw)
    seen: list[float] = []
    cancel = threading.Event()

    def progress(p: Progress) -> None:
        seen.append(p.index + p.fraction)
        if len(seen) == 5:
            cancel.set()

    watch = Watch(progress, replace(Tiles(threads=1), cancel=cancel))
    made = Runner(opened.source, opened.recipe.steps, opened.baseline.params, opened.book, {}, watch, {})
    with pytest.raises(Cancelled):
        list(made.run())
    assert len(seen) == 5
    assert seen == sorted(seen)
