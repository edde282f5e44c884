"""What holds for every step of stage 1, whatever it computes: see `step_inputs` for the cases."""

from __future__ import annotations

import builtins
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive import kernels
from jwcal_interactive.arrays import Ramp, Rates
from jwcal_interactive.cutouts import cut
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.kernels.warmup import kernel_modules
from jwcal_interactive.recipes import RECIPES
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_interactive.steps.definition import Look
from jwcal_interactive.tiles import Tiles
from tests.support.step_inputs import CASES, LEFT_OUT, Case, arrays_of, make, permuted, run, scaled

FRAMES = st.tuples(st.integers(1, 9), st.integers(1, 9))
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=4, deadline=None)

each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_pixelwise = pytest.mark.parametrize("case", [c for c in CASES if c.pixelwise], ids=lambda case: case.name)
each_of_ramps = pytest.mark.parametrize(
    "case", [c for c in CASES if c.step != "gain_scale"], ids=lambda c: c.name
)


def bits(thing):
    return {name: (array.shape, array.tobytes()) for name, array in arrays_of(thing)}


def same(one, other):
    """Equal in every bit of every array, in keywords, or in the reason for which the step was skipped."""
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert one.keywords == other.keywords
    for (name, a), (other_name, b) in zip(arrays_of(one), arrays_of(other), strict=True):
        assert name == other_name
        np.testing.assert_array_equal(a, b, err_msg=name, strict=True)


def test_all_steps_are_here():
    steps = {name for recipe in RECIPES.values() if recipe.kind != "guider" for name in recipe.steps}
    assert {case.step for case in CASES} | set(LEFT_OUT) == steps & set(STEPS)


@each
def test_cases_are_of_use(case: Case):
    """The step applies, and changes something."""
    problem = make(case)
    out = run(problem)
    assert not isinstance(out, str), out
    assert bits(out) != bits(problem.state)


@each
def test_kernels_that_are_called_are_declared(case: Case, monkeypatch: pytest.MonkeyPatch):
    """They are compiled before the run, with a message, and no others are."""
    problem = make(case)
    called: set[str] = set()
    really_import = builtins.__import__

    def recording(name, globals=None, locals=None, fromlist=(), level=0):
        module = name.removeprefix(f"{kernels.__name__}.")
        called.update([module] if module != name else fromlist if name == kernels.__name__ else ())
        return really_import(name, globals, locals, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", recording)
    run(problem)
    monkeypatch.undo()
    declared = STEPS[case.step].kernels_for(problem.state.exposure, problem.params)
    assert called & set(kernel_modules()) == set(declared)


@each
@few
@given(seed=SEEDS, frame=FRAMES)
def test_inputs_stay(case: Case, seed, frame):
    problem = make(case, seed, frame)
    before = bits((problem.state, problem.references))
    run(problem)
    assert bits((problem.state, problem.references)) == before


@each
@few
@given(seed=SEEDS, frame=FRAMES, band_rows=st.integers(1, 8))
def test_bands_of_any_height_give_the_same_bits(case: Case, seed, frame, band_rows):
    problem = make(case, seed, frame)
    whole = run(problem, Tiles(threads=1, band_rows=10_000))
    same(run(problem, Tiles(threads=1, band_rows=band_rows)), whole)


@each
@few
@given(seed=SEEDS, frame=FRAMES)
def test_any_number_of_threads_gives_the_same_bits(case: Case, seed, frame):
    problem = make(case, seed, frame)
    same(run(problem, Tiles(threads=3, band_rows=2)), run(problem, Tiles(threads=1, band_rows=2)))


@each_of_ramps
@few
@given(seed=SEEDS, frame=FRAMES, window=st.tuples(*[st.floats(0, 1)] * 4))
def test_part_of_a_frame(case: Case, seed, frame, window):
    """Steps that declare how far they look give the same in a part with so many more pixels around it."""
    problem = make(case, seed, frame)
    definition, state, refs, p = STEPS[case.step], problem.state, problem.references, problem.params
    assert isinstance(state, Ramp)
    (ny, nx), row = problem.frame, cut(state, refs, slice(0, 1))[1]
    reach = definition.reach_for(state.exposure, row, p)
    whole = run(problem)
    if reach is None:
        return
    (y0, y1), (x0, x1) = (_between(*window[:2], ny), _between(*window[2:], nx))
    top, left = max(y0 - reach, 0), max(x0 - reach, 0)
    part, part_refs = cut(state, refs, slice(top, min(y1 + reach, ny)), slice(left, min(x1 + reach, nx)))
    tiles = Tiles(threads=1)
    try:
        look = replace(Look.at(state), whole=False)  # parts are all that is ever there
        facts = definition.survey and definition.survey(look, refs, p, tiles)
        out = definition.apply(part, part_refs, p, tiles, facts)
    except Skip as skip:
        out = str(skip)
    if isinstance(out, str):
        assert out == whole
        return
    if definition.confirm is not None:
        band = definition.apply(state, refs, p, tiles, facts)
        if not definition.confirm({name: n.sum(axis=0) for name, n in band.tallies.items()}, facts):
            return
    inner = (..., slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    for (name, a), (_, b) in zip(_pixels(out), _pixels(whole), strict=True):
        np.testing.assert_array_equal(a[inner], b[..., y0:y1, x0:x1], name)


def _between(low, length, size):
    """First and one after the last of some of the pixels of an axis, given by fractions."""
    first = int(low * (size - 1))
    return first, first + 1 + int(length * (size - 1 - first))


def _pixels(state):
    """Arrays of pixels of a state, without what was counted in rows."""
    return [(name, array) for name, array in arrays_of(state) if ".tallies" not in name]


@each_pixelwise
@few
@given(seed=SEEDS, frame=FRAMES)
def test_pixels_in_another_order(case: Case, seed, frame):
    problem = make(case, seed, frame)
    order = np.random.default_rng(seed).permutation(np.prod(problem.frame))
    moved = replace(
        problem,
        state=permuted(problem.state, problem.frame, order),
        references=permuted(problem.references, problem.frame, order),
    )
    out = run(problem)
    same(run(moved), out if isinstance(out, str) else permuted(out, problem.frame, order))


@each_of_ramps
@few
@given(seed=SEEDS, frame=FRAMES)
def test_other_units_of_dn(case: Case, seed, frame):
    """Half as many DN for the same electrons: flags are the same, values in DN half as large."""
    problem = make(case, seed, frame)
    out, half = run(problem), run(scaled(problem, 0.5))
    if isinstance(out, str) or isinstance(half, str):
        assert out == half
        return
    for (name, one), (_, other) in zip(arrays_of(out), arrays_of(half), strict=True):
        if one.dtype.kind != "f" or name == ".average_dark_current":
            np.testing.assert_array_equal(other, one, name)
            continue
        factor = 0.25 if "var_" in name else 0.5
        if case.linear:
            np.testing.assert_array_equal(other, (one * np.array(factor, one.dtype)).astype(one.dtype), name)
        else:
            np.testing.assert_allclose(other, one * factor, 1e-6, 1e-6, err_msg=name)


@each_of_ramps
@few
@given(seed=SEEDS, frame=FRAMES, flags=st.sampled_from([DQ.DO_NOT_USE, 0xFF]), nan=st.booleans())
def test_a_pixel_flagged_in_all_groups(case: Case, seed, frame, flags, nan):
    """It is NaN and DO_NOT_USE in rates, and changes no other pixel of steps that look at one pixel."""
    problem = make(case, seed, frame)
    state = problem.state
    assert isinstance(state, Ramp)
    data, groupdq, pixeldq = state.data.copy(), state.groupdq.copy(), state.pixeldq.copy()
    groupdq[:, :, 0, 0] |= np.uint8(flags)
    pixeldq[0, 0] |= np.uint32(DQ.DO_NOT_USE)
    if nan:
        data[:, :, 0, 0] = np.nan
    out = run(problem)
    flagged = run(replace(problem, state=state.with_(data=data, groupdq=groupdq, pixeldq=pixeldq)))
    if isinstance(flagged, Rates):
        for slopes in (flagged.rate, flagged.rateints):
            assert np.isnan(slopes.data[..., 0, 0]).all()
            assert (slopes.dq[..., 0, 0] & np.uint32(DQ.DO_NOT_USE)).all()
            unknown = np.nan if case.params.get("algorithm") == "LIKELY" else 0.0
            for array in (slopes.err, slopes.var_poisson, slopes.var_rnoise):
                np.testing.assert_array_equal(array[..., 0, 0], unknown)
    if not case.pixelwise or isinstance(out, str) or isinstance(flagged, str):
        return
    for (name, one), (_, other) in zip(arrays_of(out), arrays_of(flagged), strict=True):
        if one.shape[-2:] == problem.frame:
            one, other = (a.reshape(*a.shape[:-2], -1)[..., 1:] for a in (one, other))
            np.testing.assert_array_equal(other, one, name)


@each_of_ramps
def test_all_pixels_flagged(case: Case):
    """Nothing is left to work with: the step is skipped, or gives a product that says so."""
    problem = make(case)
    state = problem.state
    assert isinstance(state, Ramp)
    everything = np.full_like(state.groupdq, DQ.DO_NOT_USE), np.full_like(state.pixeldq, DQ.DO_NOT_USE)
    out = run(replace(problem, state=state.with_(groupdq=everything[0], pixeldq=everything[1])))
    if isinstance(out, Rates):
        assert np.isnan(out.rate.data).all()
    elif isinstance(out, Ramp):
        assert (out.groupdq & np.uint8(DQ.DO_NOT_USE)).all()
