from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.kernels.emicorr_sequential import quad_residuals, sort_by_phase, subtract_table

SHAPES = st.tuples(st.integers(1, 3), st.integers(4, 9), st.integers(1, 9), st.just(24))
TIMING = (28.0, 9.0, 3.0)  # clocks from row to row, from quad to quad, added to the last quad


def residuals_by_numpy(data):
    """Twin of the kernel for one integration."""
    ngroups = data.shape[0]
    inner = slice(1, ngroups - 1)
    exact = data.astype(np.float64)
    time = np.arange(ngroups - 2) - (ngroups - 3) / 2
    slope = np.tensordot(time, exact[inner], 1) / (time @ time)
    left = (exact - slope * np.arange(ngroups)[:, None, None]).astype(np.float32)
    left -= left[inner].min(axis=0) if ngroups == 4 else np.median(left[inner], axis=0)
    quads = left.reshape(*left.shape[:2], -1, 4).mean(axis=3)
    quads[..., 1] = quads[..., 2] = (quads[..., 0] + quads[..., 3]) / 2
    return quads


def phases(shape, start, period):
    y, quad = np.ogrid[: shape[0], : shape[1]]
    clock = start + y * TIMING[0] + quad * TIMING[1] + np.where(quad == shape[1] - 1, TIMING[2], 0)
    return np.floor(clock) / period % 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), shape=SHAPES, cut=st.integers(0, 9), groups=st.integers(0, 30))
def test_quad_residuals(seed, shape, cut, groups):
    rng = np.random.default_rng(seed)
    nints, ngroups, ny, nx = shape
    ngroups += groups
    data = rng.normal(9000, 200, (nints, ngroups, ny, nx)).astype(np.float32)
    data += np.round(rng.normal(0, 30, data.shape)).astype(np.float32)
    for i in range(nints):
        out = np.full((ngroups, ny, nx // 4), np.inf, np.float32)
        for y0, y1 in ((0, min(cut, ny)), (min(cut, ny), ny)):
            quad_residuals(data, i, out, y0, y1)
        np.testing.assert_allclose(out, residuals_by_numpy(data[i]), atol=0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_without_a_slope_are_nan(bad):
    data = np.random.default_rng(0).normal(9000, 20, (1, 8, 2, 24)).astype(np.float32)
    data[0, 3, 1, 17] = bad
    out = np.empty((8, 2, 6), np.float32)
    quad_residuals(data, 0, out, 0, 2)
    expected = np.zeros((2, 6), bool)
    expected[1, 4] = True
    np.testing.assert_array_equal(np.isnan(out), np.broadcast_to(expected, out.shape))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 99), ny=st.integers(1, 12), nbins=st.integers(1, 40),
    period=st.sampled_from([7.0, 64.0, 256.0, 457.62287]),
)  # fmt: skip
def test_sort_by_phase(seed, ny, nbins, period):
    rng = np.random.default_rng(seed)
    left = rng.normal(0, 5, (ny, 6)).astype(np.float32)
    left[rng.random(left.shape) < 0.1] = np.nan
    start = float(rng.integers(0, 1000) * 64)
    phase = phases(left.shape, start, period)
    bins = [(phase > b / nbins) & (phase <= (b + 1) / nbins) & np.isfinite(left) for b in range(nbins)]
    counts = np.zeros(nbins, np.int64)
    sort_by_phase(left, start, *TIMING, period, counts, np.empty(0, np.float32))
    assert counts.tolist() == [b.sum() for b in bins]
    places = np.r_[0, counts.cumsum()[:-1]]
    values = np.full(counts.sum() or 1, np.nan, np.float32)
    sort_by_phase(left, start, *TIMING, period, places, values)
    assert places.tolist() == counts.cumsum().tolist()
    np.testing.assert_array_equal(values[: counts.sum()], np.concatenate([left[b] for b in bins]))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 99), shape=SHAPES, period=st.floats(3.0, 900.0), cut=st.integers(0, 9),
    row0=st.integers(0, 8), column0=st.integers(0, 19),
)  # fmt: skip
def test_subtract_table(seed, shape, period, cut, row0, column0):
    """A part of a frame, given by its first row and column."""
    rng = np.random.default_rng(seed)
    nints, ngroups, ny, nx = shape
    data = rng.normal(9000, 200, shape).astype(np.float32)
    starts = rng.integers(0, 10**9, (nints, ngroups)).astype(np.float64)
    table = rng.normal(0, 5, int(np.ceil(period)))
    row0 = min(row0, ny - 1)
    out = data[..., row0:, column0:].copy()  # in place
    rows = out.shape[2]
    for y0, y1 in ((0, min(cut, rows)), (min(cut, rows), rows)):
        subtract_table(out, starts, table, *TIMING, period, nx // 4, row0, column0, out, y0, y1)
    for i, g in np.ndindex(nints, ngroups):
        wave = table[(phases((ny, nx // 4), starts[i, g], period) * period).astype(int)]
        whole = (data[i, g] - np.repeat(wave, 4, axis=1)).astype(np.float32)
        np.testing.assert_array_equal(out[i, g], whole[row0:, column0:])
