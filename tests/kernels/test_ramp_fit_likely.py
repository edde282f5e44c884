"""Fits by maximum likelihood against generalized least squares with the full covariance matrix."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.kernels.ramp_fit_likely import fit_likely

DO_NOT_USE, SATURATED, JUMP_DET = 1, 2, 4
FRAME = 3.0


def moments(nframes, ngroups):
    """Covariance of the differences per unit of photon noise and of squared read noise, from all frames."""
    times = FRAME * np.arange(1, nframes * ngroups + 1)
    photons = np.minimum.outer(times, times)  # covariance of two frames: the signal that both have
    average = np.kron(np.eye(ngroups), np.full(nframes, 1 / nframes))
    step = np.diff(average @ times)
    difference = np.diff(average, axis=0) / step[:, None]
    by_photons, by_noise = difference @ photons @ difference.T, difference @ difference.T
    rows = np.zeros((5, ngroups - 1))
    rows[0] = step
    rows[1], rows[2] = np.diag(by_photons), np.diag(by_noise)
    rows[3, :-1], rows[4, :-1] = np.diag(by_photons, 1), np.diag(by_noise, 1)
    return rows, by_photons, by_noise


def solve(diffs, use, covariance):
    """Rate, chi squared and weights of the used differences."""
    inverse = np.linalg.inv(covariance[np.ix_(use, use)])
    d = diffs[use]
    total = inverse.sum()
    rate = inverse.sum(axis=0) @ d / total
    return rate, (d - rate) @ inverse @ (d - rate), inverse.sum(axis=0) / total


def twin(diffs, good, by_photons, by_noise, gain, noise, dark, averaged):
    """One ramp: rate, error, variances, chi squared, the differences used, and whether one was dropped."""
    good, n = good.copy(), diffs.size
    covariance = max(np.median(diffs), 0) / gain * by_photons + noise**2 * by_noise
    rate, dropped = np.nan, False
    while good.any():
        rate, chi2, _ = solve(diffs, good, covariance)
        candidates = [[k] for k in range(n) if good[k]]
        if averaged:
            candidates += [[k, k + 1] for k in range(n - 1) if good[k] and good[k + 1]]
        best, choice = 0.0, None
        for omitted in candidates:
            rest = good.copy()
            rest[omitted] = False
            if rest.any():
                new = solve(diffs, rest, covariance)
                excess = chi2 - new[1] - (20.25 if len(omitted) == 1 else 23.8)
                if excess > best:
                    best, choice = excess, (new[0], rest)
        if choice is None:
            break
        (rate, good), dropped = choice, True
        if good.sum() <= 3:
            break
    guess = max(rate, 0) + dark
    photons, reads = guess / gain * by_photons, noise**2 * by_noise
    if not good.any():
        return np.nan, np.nan, np.nan, np.nan, np.nan, good, dropped
    rate, chi2, weights = solve(diffs, good, photons + reads)
    used = np.ix_(good, good)
    variances = [weights @ part[used] @ weights for part in (photons, reads)]
    return rate, np.sqrt(sum(variances)), *variances, chi2, good, dropped


def fit(data, groupdq, pixeldq, gain, readnoise, dark, rows, nframes, band, first=0, last=None):
    nints, ngroups, ny, nx = data.shape
    out = tuple(np.full((nints, ny, nx), -9, np.float32) for _ in range(4))
    out_dq, chisq = np.empty((nints, ny, nx), np.uint32), np.empty((ny, nx), np.float32)
    good = np.empty((nints, ngroups - 1, ny, nx), np.uint8)
    averaged = np.full(ngroups - 2, float(nframes > 1))
    for y in range(0, ny, band):
        fit_likely(
            data, groupdq, pixeldq, np.zeros((0, 0, 0), np.float32), dark, gain, readnoise, rows, averaged,
            nframes, first, ngroups - 1 if last is None else last, out, out_dq, chisq, good, y,
            min(y + band, ny),
        )  # fmt: skip
    return out, out_dq, chisq, good


def random_ramps(nints, ngroups, nframes, ny, nx, seed):
    """Frames with photon and read noise, averaged to groups, with hits well above the noise."""
    rng = np.random.default_rng(seed)
    gain = rng.uniform(1.5, 2.5, (ny, nx)).astype(np.float32)
    readnoise = rng.uniform(8, 16, (ny, nx)).astype(np.float32)
    rate = rng.choice([0.3, 20.0, 2000.0], (ny, nx))  # DN/s
    shape = (nints, ngroups * nframes, ny, nx)
    frames = np.cumsum(rng.poisson(rate * gain * FRAME, shape), axis=1) / gain
    hits = rng.random(shape) < 0.03 / nframes
    frames += np.cumsum(hits * rng.uniform(2000, 9000, shape), axis=1)
    frames += rng.normal(0, 1, shape) * readnoise / np.sqrt(2)
    data = frames.reshape(nints, ngroups, nframes, ny, nx).mean(axis=2).astype(np.float32)
    flags = np.array([0] * 12 + [DO_NOT_USE, SATURATED, JUMP_DET, 32], np.uint8)
    groupdq = rng.choice(flags, data.shape)
    pixeldq = rng.choice(np.array([0, 0, 1 << 11], np.uint32), (ny, nx))
    dark = rng.exponential(0.05, (ny, nx)).astype(np.float32)
    return data, groupdq, pixeldq, gain, readnoise, dark


@settings(max_examples=20, deadline=None)
@given(
    nints=st.integers(1, 2), ngroups=st.integers(4, 9), nframes=st.sampled_from([1, 1, 4]),
    ny=st.integers(1, 3), nx=st.integers(1, 9), band=st.integers(1, 3), seed=st.integers(0, 999),
)  # fmt: skip
def test_fit(nints, ngroups, nframes, ny, nx, band, seed):
    data, groupdq, pixeldq, gain, readnoise, dark = random_ramps(nints, ngroups, nframes, ny, nx, seed)
    rows, by_photons, by_noise = moments(nframes, ngroups)
    out, out_dq, chisq, used = fit(data, groupdq, pixeldq, gain, readnoise, dark, rows, nframes, band)
    total = np.zeros((ny, nx))
    for i, y, x in np.ndindex(nints, ny, nx):
        flags = groupdq[i, :, y, x]
        good = (flags[1:] == 0) & (flags[:-1] == 0)
        diffs = np.diff(data[i, :, y, x]).astype(float) / rows[0]
        expected = twin(
            diffs, good, by_photons, by_noise, float(gain[y, x]), float(readnoise[y, x]) / np.sqrt(2),
            float(dark[y, x]), nframes > 1,
        )  # fmt: skip
        total[y, x] += expected[4]
        if good.sum() == 2 or (nframes > 1 and good.sum() == 3):
            total[y, x] = np.nan  # rounding decides which difference is a jump
            continue
        dq = pixeldq[y, x] | np.bitwise_or.reduce(flags) & (SATURATED | JUMP_DET)
        dq |= JUMP_DET if expected[6] else 0
        dq |= DO_NOT_USE if ((flags & (DO_NOT_USE | SATURATED)) != 0).all() else 0
        assert out_dq[i, y, x] == dq
        np.testing.assert_array_equal(used[i, :, y, x], expected[5])
        np.testing.assert_allclose([a[i, y, x] for a in out], expected[:4], rtol=1e-5, atol=1e-6)
    known = np.isfinite(total)
    np.testing.assert_allclose(chisq[known], total[known], rtol=1e-4, atol=1e-4)


def test_pixels_do_not_depend_on_their_neighbours():
    """In a row longer than those fitted together, and one by one, the same bits."""
    data, groupdq, pixeldq, gain, readnoise, dark = random_ramps(1, 7, 1, 2, 300, 4)
    rows = moments(1, 7)[0]
    together = fit(data, groupdq, pixeldq, gain, readnoise, dark, rows, 1, 2)
    for x in (0, 127, 128, 299):
        alone = fit(
            *(np.ascontiguousarray(a[..., x : x + 1]) for a in (data, groupdq, pixeldq, gain, readnoise, dark)),
            rows, 1, 1,
        )  # fmt: skip
        for a, b in zip(alone[0], together[0], strict=True):
            np.testing.assert_array_equal(a[..., 0], b[..., x])
        np.testing.assert_array_equal(alone[3][..., 0], together[3][..., x])


def test_long_ramps_neither_overflow_nor_vanish():
    for size in (1e-4, 1e6):
        data = np.arange(300, dtype=np.float32)[None, :, None, None] * np.float32(size)
        ones = np.ones((1, 1), np.float32)
        noise = np.full((1, 1), size, np.float32)
        rows = moments(1, 300)[0]
        none = np.zeros((1, 1), np.uint32)
        flags = np.zeros(data.shape, np.uint8)
        out, out_dq, _, _ = fit(data, flags, none, ones, noise, 0 * ones, rows, 1, 1)
        np.testing.assert_allclose(out[0][0, 0, 0], size / FRAME, rtol=1e-5)
        assert np.isfinite([a[0, 0, 0] for a in out]).all()
        assert out_dq[0, 0, 0] == 0


def test_values_that_are_no_numbers():
    """NaN and infinities in a ramp, also where it is flagged, and without noise or gain: no slope, no jump."""
    data, _, _, gain, readnoise, dark = random_ramps(1, 6, 1, 1, 6, 1)
    groupdq, pixeldq = np.zeros(data.shape, np.uint8), np.zeros((1, 6), np.uint32)
    data[0, 2, 0, 0], data[0, 3, 0, 1], data[0, 5, 0, 2] = np.nan, np.inf, -np.inf
    groupdq[0, 5, 0, 2] = SATURATED
    readnoise[0, 3], gain[0, 4], groupdq[0, :, 0, 5] = np.nan, np.nan, DO_NOT_USE
    out, out_dq, _, _ = fit(data, groupdq, pixeldq, gain, readnoise, dark, moments(1, 6)[0], 1, 1)
    assert np.isnan(out[0]).all()
    assert out_dq[0, 0].tolist() == [0, 0, SATURATED, 0, 0, DO_NOT_USE]
