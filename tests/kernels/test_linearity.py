from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import polynomial

from jwcal_interactive.kernels.linearity import correct, correct_frames, find_usable

shapes = {
    "nints": st.integers(1, 2), "ngroups": st.integers(2, 5), "ny": st.integers(1, 7),
    "nx": st.integers(1, 9), "ncoeffs": st.integers(2, 6), "band": st.integers(1, 7),
    "seed": st.integers(0, 99),
}  # fmt: skip


def case(nints, ngroups, ny, nx, ncoeffs, seed):
    rng = np.random.default_rng(seed)
    data = rng.uniform(-100, 50_000, (nints, ngroups, ny, nx)).astype(np.float32)
    data[rng.random(data.shape) < 0.05] = np.nan
    groupdq = rng.choice(np.array([0, 1, 2, 6], np.uint8), data.shape)
    scale = np.array([1, 1, 1e-6, 1e-11, 1e-16, 1e-21])[:ncoeffs, None, None]
    coefficients = (rng.normal(1, 0.1, (ncoeffs, ny, nx)) * scale).astype(np.float32)
    return rng, data, groupdq, coefficients


@settings(max_examples=20, deadline=None)
@given(**shapes)
def test_correct(nints, ngroups, ny, nx, ncoeffs, band, seed):
    rng, data, groupdq, coefficients = case(nints, ngroups, ny, nx, ncoeffs, seed)
    usable = rng.random((ny, nx)) < 0.8
    out = np.empty_like(data)
    for y in range(0, ny, band):
        correct(data, groupdq, coefficients, usable, out, y, min(y + band, ny))
    twin = polynomial.polyval(data.astype(np.float64), coefficients.astype(np.float64), tensor=False)
    twin = np.where(usable & (groupdq & 2 == 0), twin, data)
    np.testing.assert_allclose(out, twin, rtol=2e-6, atol=1e-3)
    untouched = ~usable | (groupdq & 2 != 0)
    np.testing.assert_array_equal(out[untouched], data[untouched])


@settings(max_examples=20, deadline=None)
@given(**shapes)
def test_find_usable(nints, ngroups, ny, nx, ncoeffs, band, seed):
    rng, _, _, coefficients = case(nints, ngroups, ny, nx, ncoeffs, seed)
    coefficients[rng.random(coefficients.shape) < 0.1] = np.nan
    coefficients[rng.random(coefficients.shape) < 0.1] = 0
    flags = rng.choice(np.array([0, 1, 1 << 20, 1 << 21], np.uint32), (ny, nx))
    usable = np.empty((ny, nx), np.bool_)
    for y in range(0, ny, band):
        find_usable(coefficients, flags, usable, y, min(y + band, ny))
    twin = ~np.isnan(coefficients).any(axis=0) & (coefficients[1] != 0) & (flags != 1 << 20)
    np.testing.assert_array_equal(usable, twin)


def averaged(truth_rate, frames, bend):
    """What a detector with a response v - bend v^2 shows for the average of the frames of each group."""
    true = truth_rate * frames
    return (true - bend * true**2).mean(axis=1)


def test_correct_frames_restores_the_average_of_the_true_frames():
    """The average of bent frames is not the bent average: frame by frame recovers what groups cannot."""
    frames = np.arange(1.0, 25).reshape(3, 8)
    rate, bend = 1500.0, 3e-6
    shown = averaged(rate, frames, bend)
    # v - b v^2 = m has the solution v = (1 - sqrt(1 - 4 b m)) / 2b; its series in m to the sixth power.
    catalan = [1, 1, 2, 5, 14, 42]
    forward = np.array([0] + [c * bend**n for n, c in enumerate(catalan)])
    back = np.array([0, 1, -bend])
    data = np.asarray(shown, np.float32).reshape(1, 3, 1, 1)
    out_groups, out_frames = np.empty_like(data), np.empty_like(data)
    good, flags = np.ones((1, 1), bool), np.zeros(data.shape, np.uint8)
    planes = [np.float32(c).reshape(-1, 1, 1) for c in (forward, back)]
    correct(data, flags, planes[0], good, out_groups, 0, 1)
    centres = frames.mean(axis=1)
    correct_frames(
        data, flags, planes[0], good, planes[1], good, centres, frames - centres[0], out_frames, 0, 1
    )
    truth = rate * centres
    error_groups = np.abs(out_groups.ravel() - truth).max()
    error_frames = np.abs(out_frames.ravel() - truth).max()
    assert error_groups > 20
    assert error_frames < 0.1 * error_groups


@settings(max_examples=20, deadline=None)
@given(**shapes, nframes=st.integers(1, 4))
def test_correct_frames(nints, ngroups, ny, nx, ncoeffs, band, seed, nframes):
    rng, data, groupdq, coefficients = case(nints, ngroups, ny, nx, ncoeffs, seed)
    inverse = case(nints, ngroups, ny, nx, ncoeffs, seed + 1)[3]
    usable, invertible = rng.random((2, ny, nx)) < 0.8
    frames = np.arange(1.0, ngroups * nframes + 1).reshape(ngroups, nframes)
    centres = frames.mean(axis=1)
    out = np.empty_like(data)
    for y in range(0, ny, band):
        correct_frames(
            data, groupdq, coefficients, usable, inverse, invertible, centres, frames - centres[0],
            out, y, min(y + band, ny),
        )  # fmt: skip

    def apply(values, planes, where):
        bent = polynomial.polyval(values, planes.astype(np.float64), tensor=False)
        return np.where(where, bent, values)

    full = groupdq & 2 != 0
    lin = np.where(full, data, apply(data.astype(np.float64), coefficients, usable))
    last = np.maximum((~full).sum(axis=1) - 2, 1)
    end = np.take_along_axis(lin, last[:, None], axis=1)[:, 0]
    rate = (end - lin[:, 0]) / (centres[last] - centres[0])
    for g in range(ngroups):
        read = lin[:, 0] + rate * (frames[g] - centres[0]).reshape(-1, 1, 1, 1)
        shown = apply(read, inverse, invertible)
        shown += data[:, g] - shown.mean(axis=0)
        twin = np.where(full[:, g], data[:, g], apply(shown, coefficients, usable).mean(axis=0))
        np.testing.assert_allclose(out[:, g], twin, rtol=1e-5, atol=0.05)
