"""Steps on a window of the frame give, bit for bit, what they give on the whole frame."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_exposure

from jwcal_interactive.arrays import Ramp, State
from jwcal_interactive.bands import _arrays_of
from jwcal_interactive.cutouts import cut_state
from jwcal_interactive.edits import FlagEdit, apply_edits
from jwcal_interactive.errors import Cancelled
from jwcal_interactive.opening import open_exposure
from jwcal_interactive.params import StepParams
from jwcal_interactive.pipeline import run_step
from jwcal_interactive.session.windowed import Job, WindowRunner
from jwcal_interactive.settings import Settings
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.usefixtures("tiny_context")

# Columns and rows x0, y0, x1, y1 of the 64 x 64 pixels, whose first four rows and columns are reference pixels.
WINDOWS = {
    "whole": (0, 0, 64, 64),
    "inside": (17, 9, 41, 38),
    "corner with reference pixels": (0, 0, 13, 11),
    "far corner": (50, 47, 64, 64),
    "edge": (0, 30, 9, 31),
    "one pixel": (30, 20, 31, 21),
}


@dataclass
class Whole:
    """An exposure with the states of the whole frame, by the official way of running."""

    steps: tuple[str, ...]
    params: dict[str, StepParams]
    settings: Settings
    states: dict[str, State]  # after each step, and "" before all
    runner: WindowRunner

    def window(self, box: tuple[int, int, int, int], first: str, last: str = "", wanted: str = "") -> Any:
        x0, y0, x1, y1 = box
        begin = self.steps.index(first)
        names = self.steps[begin : self.steps.index(last or self.steps[-1]) + 1]
        job = Job(
            steps=names,
            before=self.states[self.steps[begin - 1] if begin else ""],
            key=f"before {first}",
            params=self.params,
            settings=self.settings,
            window=(slice(y0, y1), slice(x0, x1)),
            wanted=names.index(wanted or first),
            tiles=Tiles(threads=2),
        )
        return self.runner.run(job)

    def check(self, box: tuple[int, int, int, int], first: str, **names: str) -> tuple[str, ...]:
        """Compare all states in a window; give the notes."""
        x0, y0, x1, y1 = box
        before, states, notes = self.window(box, first, **names)
        wanted = self.steps.index(names.get("wanted", first))
        last = names.get("last", self.steps[-1])
        assert tuple(states) == self.steps[wanted : self.steps.index(last) + 1]
        expected = {"": self.states[self.steps[wanted - 1] if wanted else ""]}
        expected |= {step: self.states[step] for step in states}
        for step, state in {"": before, **states}.items():
            assert_same(state, cut_state(expected[step], slice(y0, y1), slice(x0, x1)), step)
        return notes


def assert_same(one: State, other: State, step: str) -> None:
    arrays, expected = _arrays_of(one), _arrays_of(other)
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        wanted = expected[name]
        assert (array.dtype, array.shape) == (wanted.dtype, wanted.shape), (step, name)
        assert array.tobytes() == np.ascontiguousarray(wanted).tobytes(), (step, name)
    assert one.exposure.xstart == other.exposure.xstart
    assert one.exposure.ysize == other.exposure.ysize


def whole(
    path: Path, params: dict[str, dict[str, Any]] | None = None, edits: tuple[FlagEdit, ...] = ()
) -> Whole:
    opened = open_exposure(path)
    effective = dict(opened.baseline.params)
    for step, values in (params or {}).items():
        effective[step] = effective[step].model_copy(update=values)
    settings = Settings(edits=edits)
    state: State = opened.source.cut()
    states = {"": state}
    for step in opened.recipe.steps:
        state, _ = run_step(step, state, effective[step], opened.book, {}, Tiles(threads=1))
        state = states[step] = apply_edits(state, settings.edits_after(step))
    return Whole(opened.recipe.steps, effective, settings, states, WindowRunner(opened.book))


@pytest.fixture(scope="module")
def plain(tiny_template: Path, tiny_cache: Path) -> Whole:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRDS_PATH", str(tiny_cache))
        patch.setenv("CRDS_CONTEXT", tiny_exposure.CONTEXT)
        return whole(tiny_template)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("first", ["group_scale", "saturation", "superbias", "linearity", "jump", "ramp_fit"])
def test_same_as_the_whole_frame(plain: Whole, window: str, first: str) -> None:
    assert plain.check(WINDOWS[window], first) == ()


CASES: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]] = {
    "four amplifiers": ({"NOUTPUTS": 4}, {}),
    "fast axis along y": ({"NOUTPUTS": 4, "FASTAXIS": -2, "SLOWAXIS": -1}, {}),
    "averaged frames": (
        {"NFRAMES": 4, "GROUPGAP": 1, "FRMDIVSR": 4, "TFRAME": 0.054}, {"saturation": {"n_pix_grow_sat": 2}},
    ),
    "after jumps": ({}, {"jump": {"after_jump_flag_dn1": 10.0, "after_jump_flag_time1": 1.0}}),
    "charge migration": ({}, {"charge_migration": {"skip": False, "signal_threshold": 12000.0}}),
    "optional products": ({}, {"ramp_fit": {"save_opt": True}, "dark_current": {"dark_output": "x.fits"}}),
    "likelihood": ({}, {"ramp_fit": {"algorithm": "LIKELY", "save_opt": True}}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_same_for_other_exposures_and_parameters(case: str, tiny_raw: Path) -> None:
    header, params = CASES[case]
    tiny_exposure.edit(tiny_raw, header)
    made = whole(tiny_raw, params)
    for window in ("inside", "corner with reference pixels", "one pixel"):
        assert made.check(WINDOWS[window], "group_scale") == ()
    assert made.check(WINDOWS["inside"], "jump") == ()


def test_same_with_flags_edited_by_hand(tiny_raw: Path) -> None:
    edits = (
        FlagEdit("superbias", "DO_NOT_USE", "set", ((20, 10, 30, 30), (0, 0, 2, 2))),
        FlagEdit("dark_current", "SATURATED", "set", ((25, 20, 45, 21),), (0, 1), (2, 4)),
        FlagEdit("jump", "JUMP_DET", "clear", ((0, 0, 64, 64),), None, (3, 4)),
        FlagEdit("ramp_fit", "DO_NOT_USE", "set", ((30, 20, 31, 21),)),
    )
    made = whole(tiny_raw, edits=edits)
    for window in WINDOWS.values():
        assert made.check(window, "saturation") == ()
        assert made.check(window, "jump") == ()


def test_whole_frame_steps_run_on_the_whole_frame(tiny_raw: Path) -> None:
    made = whole(
        tiny_raw, {"persistence": {"skip": False, "persistence_time": 10, "save_persistence": "x.asdf"}}
    )
    assert made.check(WINDOWS["inside"], "jump") == ()


@pytest.mark.parametrize(
    ("step", "values"),
    [
        ("jump", {"expand_large_events": True, "min_jump_area": 1.0, "min_sat_area": 1.0}),
        ("clean_flicker_noise", {"skip": False}),
        ("amplifier_noise", {"skip": False}),
        ("large_events", {"skip": False}),
    ],
)
def test_what_needs_the_whole_frame_is_told(step: str, values: dict[str, Any], tiny_raw: Path) -> None:
    made = whole(tiny_raw, {step: values})
    assert made.check(WINDOWS["whole"], "jump") == (), "all of the frame is seen"
    _, states, notes = made.window(WINDOWS["one pixel"], "jump")
    seen_all = step in {"jump", "large_events"}  # the margin covers this small frame
    assert bool(notes) != seen_all
    assert all(step in note for note in notes)
    assert states["ramp_fit"].rate.data.shape == (1, 1)


def test_wanted_states_begin_later(plain: Whole) -> None:
    for _ in range(2):  # the second time, the state before is kept
        assert plain.check(WINDOWS["inside"], "linearity", wanted="ramp_fit") == ()


def miri(plain: Whole, flags: list[tuple[int, slice]]) -> Whole:
    """Jump and fit of a MIRI exposure; groups are DO_NOT_USE in rows."""
    before = plain.states["dark_current"]
    assert isinstance(before, Ramp)
    groupdq = before.groupdq.copy()
    for group, rows in flags:
        groupdq[:, group, rows] |= 1
    exposure = replace(before.exposure, instrument="MIRI")
    states: dict[str, State] = {"": before.with_(exposure=exposure, groupdq=groupdq)}
    state, steps = states[""], ("jump", "ramp_fit")
    for step in steps:
        state, _ = run_step(step, state, plain.params[step], plain.runner.book, {}, Tiles(threads=1))
        states[step] = state
    return Whole(steps, plain.params, plain.settings, states, WindowRunner(plain.runner.book))


EVERYWHERE = slice(None)


@pytest.mark.parametrize(
    "flags",
    [
        [],
        [(0, EVERYWHERE), (4, EVERYWHERE)],
        [(0, EVERYWHERE), (1, slice(32, 33))],
        [(0, slice(1, None))],
        [(0, slice(0, 63)), (4, EVERYWHERE)],
        [(0, slice(0, 50)), (4, slice(20, None))],
    ],
)
def test_groups_that_are_bad_in_all_pixels_or_not_quite(flags: list[tuple[int, slice]], plain: Whole) -> None:
    made = miri(plain, flags)
    for window in WINDOWS.values():
        assert made.check(window, "jump") == ()


def test_groups_that_a_step_on_the_way_makes_bad(plain: Whole) -> None:
    """That all pixels lose them cannot be known; so it is told, and what some rows say is taken."""
    made = miri(plain, [])
    edit = FlagEdit("jump", "DO_NOT_USE", "set", ((0, 0, 64, 64),), None, (0, 1))
    made.settings = Settings(edits=(edit,))
    jumped = made.states["jump"] = apply_edits(made.states["jump"], made.settings.edits)
    book = plain.runner.book
    made.states["ramp_fit"], _ = run_step("ramp_fit", jumped, plain.params["ramp_fit"], book, {}, Tiles())
    for window in WINDOWS.values():
        (note,) = made.check(window, "jump")
        assert note.startswith("ramp_fit: which groups are bad in all pixels")


def test_cancel(plain: Whole) -> None:
    cancel = threading.Event()
    cancel.set()
    job = Job(
        steps=("jump",), before=plain.states["dark_current"], key="x", params=plain.params,
        settings=plain.settings, window=(slice(0, 4), slice(0, 4)), wanted=0, tiles=Tiles(cancel=cancel),
    )  # fmt: skip
    with pytest.raises(Cancelled):
        plain.runner.run(job)
