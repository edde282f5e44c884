from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from jwcal_interactive.kernels.emicorr_joint import scatter_of_groups, subtract_wave, sum_by_phase, try_phases

SHAPES = st.tuples(st.integers(1, 3), st.integers(3, 7), st.integers(1, 9), st.just(20))


def ramps(seed, shape):
    return np.random.default_rng(seed).normal(9000, 200, shape).astype(np.float32)


def waveform(seed, n=11):
    """A wave of n values as a function of phase, and its spline coefficients."""
    values = np.random.default_rng(seed).normal(0, 3, n)
    knots = (np.arange(n + 2) - 0.5) / n
    spline = CubicSpline(knots, np.r_[values[-1], values, values[0]])
    return spline, np.ascontiguousarray(spline.c.T)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), shape=SHAPES, cut=st.integers(0, 9))
def test_scatter_of_groups(seed, shape, cut):
    data = ramps(seed, shape)
    out = np.full((shape[0], *shape[2:]), -1, np.float32)
    cut = min(cut, shape[2])
    scatter_of_groups(data, out, 0, cut)
    assert (out[:, cut:] == -1).all()
    scatter_of_groups(data, out, cut, shape[2])
    np.testing.assert_array_equal(out, np.std(data, axis=1))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), shape=SHAPES, nbins=st.integers(1, 9))
def test_sum_by_phase(seed, shape, nbins):
    rng = np.random.default_rng(seed)
    nints, ngroups, ny, nx = shape
    data, good = ramps(seed, shape), rng.random((nints, ny, nx)) < 0.8
    data[np.broadcast_to(~good[:, None], shape)] = np.nan
    bins = rng.integers(-1, nbins, (ny, nx // 4))
    sums = np.full((nints, ngroups, nbins), np.nan)
    expected = np.zeros(sums.shape)
    for i in range(nints):
        for g in range(ngroups):
            sum_by_phase(data, good, bins, i, g, sums)
            for b in range(nbins):
                expected[i, g, b] = data[i, g][good[i] & (np.repeat(bins, 4, axis=1) == b)].sum(
                    dtype=np.float64
                )
    np.testing.assert_allclose(sums, expected, rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), nbins=st.integers(1, 6), ngroups=st.integers(3, 8), nints=st.integers(1, 3))
def test_try_phases(seed, nbins, ngroups, nints):
    """The terms are those of chi squared of straight lines plus the wave, fitted by least squares."""
    rng = np.random.default_rng(seed)
    spline, coefficients = waveform(seed)
    phases, ntrials = rng.random((nbins, ngroups)), 7
    pixels = rng.integers(1, 4, (nbins, nints)).astype(np.float64)
    sums = rng.normal(0, 50, (nbins, ngroups, nints))
    design = np.stack([np.ones(ngroups), np.arange(ngroups)], axis=1)
    straight = design @ np.linalg.pinv(design)
    residuals = sums - np.einsum("gh,bhi->bgi", straight, sums)
    norm, product = np.full((ntrials, nints), np.nan), np.full((ntrials, nints), np.nan)
    try_phases(coefficients, phases, residuals, pixels, norm, product, 0, 3)
    try_phases(coefficients, phases, residuals, pixels, norm, product, 3, ntrials)
    for k in range(ntrials):
        wave = spline((phases + k / ntrials) % 1)
        left = wave - wave @ straight
        np.testing.assert_allclose(norm[k], (left**2).sum(axis=1) @ pixels, rtol=1e-9)
        np.testing.assert_allclose(product[k], np.einsum("bg,bgi->i", left, sums), rtol=1e-9, atol=1e-8)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 99), shape=SHAPES, period=st.floats(3.0, 900.0), cut=st.integers(0, 9),
    row0=st.integers(0, 99), column0=st.integers(0, 9),
)  # fmt: skip
def test_subtract_wave(seed, shape, period, cut, row0, column0):
    rng = np.random.default_rng(seed)
    nints, ngroups, ny, nx = shape
    data, (spline, coefficients) = ramps(seed, shape), waveform(seed)
    amplitudes, offsets = rng.normal(0, 2, nints), rng.normal(0, 3, nints)
    out = data.copy()  # in place
    cut = min(cut, ny)
    for y0, y1 in ((0, cut), (cut, ny)):
        subtract_wave(
            out, coefficients, amplitudes, offsets, period, 28.0, 9.0, 0.3, row0, column0, out, y0, y1
        )
    i, g, y, x = np.ogrid[:nints, :ngroups, :ny, :nx]
    phase = ((row0 + y) * 28 + (column0 + x) // 4 * 9) / period + g * 0.3 + offsets[i]
    np.testing.assert_allclose(out, data - amplitudes[i] * spline(phase % 1), rtol=1e-6)


def test_phase_just_below_a_whole_period():
    spline, coefficients = waveform(3)
    data = np.zeros((1, 1, 1, 16), np.float32)
    out = np.empty_like(data)
    last = np.nextafter(1.0, 0.0)
    subtract_wave(data, coefficients, np.ones(1), np.array([last]), 1e9, 0.0, 0.0, 0.0, 0, 0, out, 0, 1)
    np.testing.assert_allclose(out, -spline(last), rtol=1e-6)
