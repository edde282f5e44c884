from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.kernels.jump import typical_differences
from jwcal_interactive.kernels.jump_showers import keep_rates, smooth_deviations
from jwcal_interactive.steps.jump_showers import ring

BAD = 7  # DO_NOT_USE, SATURATED, JUMP_DET


def ramps(seed, nints=2, ngroups=5, shape=(9, 13)):
    rng = np.random.default_rng(seed)
    data = np.cumsum(rng.normal(20, 6, (nints, ngroups, *shape)), axis=1).astype(np.float32)
    groupdq = rng.choice([0, 0, 0, 0, 0, 1, 2, 4, 32, 36], data.shape).astype(np.uint8)
    data[rng.random(data.shape) < 0.02] = np.nan
    gain = rng.normal(1.8, 0.1, shape).astype(np.float32)
    readnoise = rng.normal(5, 1, shape).astype(np.float32)
    pixeldq = rng.choice([0, 0, 0, 0, 1, 1 << 9], shape).astype(np.uint32)
    return data, groupdq, gain, readnoise, pixeldq


def differences(data, groupdq, gain):
    """Differences in electrons; NaN beside unusable groups and those whose flags are just JUMP_DET."""
    unusable = (groupdq & 3 != 0) | (groupdq == 4)
    return np.diff(np.where(unusable, np.float32(np.nan), data * gain), axis=1)


def measured(data, groupdq, gain, readnoise, planes=1, nsigma=5.0, nframes=2.0, bands=((0, 9),)):
    out = np.empty((2, planes, *gain.shape), np.float32)
    for y0, y1 in bands:
        typical_differences(data, groupdq, gain, readnoise, nframes, nsigma, out[0], out[1], y0, y1)
    return out


@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:Mean of empty", "ignore:Degrees of freedom")
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_centre_and_noise_of_all_differences(seed):
    data, groupdq, gain, readnoise, _ = ramps(seed)
    centre, sigma = measured(data, groupdq, gain, readnoise)
    expected = np.nanmedian(differences(data, groupdq, gain), axis=(0, 1))
    np.testing.assert_allclose(centre[0], expected, rtol=1e-6)
    np.testing.assert_allclose(sigma[0], np.sqrt(np.abs(expected) + (readnoise * gain) ** 2 / 2), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:Mean of empty", "ignore:Degrees of freedom")
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_centre_and_scatter_across_integrations(seed):
    data, groupdq, gain, readnoise, _ = ramps(seed, nints=12, ngroups=3, shape=(3, 7))
    centre, sigma = measured(data, groupdq, gain, readnoise, planes=2, nsigma=2.0, bands=((0, 3),))
    steps = differences(data, groupdq, gain).astype(float)
    for _ in range(5):
        middle, scatter = np.nanmedian(steps, axis=0), np.nanstd(steps, axis=0)
        steps[np.abs(steps - middle) > 2 * scatter] = np.nan
    np.testing.assert_allclose(centre, np.nanmedian(steps, axis=0), rtol=1e-5)
    np.testing.assert_allclose(sigma, np.nanstd(steps, axis=0), rtol=1e-4, atol=1e-4)


def smooth_twin(data, groupdq, pixeldq, gain, centre, sigma, i, k, inner, width):
    """Mean over the pixels of the ring, pixel by pixel."""
    ny, nx = gain.shape
    with np.errstate(invalid="ignore"):
        deviation = np.abs(differences(data, groupdq, gain)[i, k - 1] - centre[0]) / sigma[0]
    deviation[((groupdq[i, k] | pixeldq) & BAD) != 0] = np.nan
    mean = np.full((ny, nx), np.nan)
    yy, xx = np.mgrid[-9 : ny + 9, -9 : nx + 9]
    padded = np.pad(deviation, 9)  # 0 beyond the array
    for y, x in np.argwhere(np.isfinite(deviation)):
        distance2 = (yy - y) ** 2 + (xx - x) ** 2
        values = padded[(distance2 >= inner**2) & (distance2 <= (inner + width) ** 2)]
        if np.isfinite(values).any():
            mean[y, x] = values[np.isfinite(values)].mean()
    return mean


@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(1.0, 2.6), (0.0, 1.0), (2.5, 3.0), (0.0, 0.4)]),
    st.sampled_from([((0, 9),), ((0, 1), (1, 5), (5, 9)), tuple((y, y + 1) for y in range(9))]),
)
def test_means_over_a_ring(seed, radii, bands):
    data, groupdq, gain, readnoise, pixeldq = ramps(seed)
    centre, sigma = measured(data, groupdq, gain, readnoise)
    runs = ring(*radii)
    reach = int(runs[:, :3].max())
    for i, k in ((0, 1), (1, 4)):
        mean = smooth_twin(data, groupdq, pixeldq, gain, centre, sigma, i, k, *radii)
        for threshold in (0.5, 0.813, 1.2):
            high = np.full(gain.shape, 9, np.uint8)
            for y0, y1 in bands:
                smooth_deviations(
                    data, groupdq, pixeldq, gain, centre, sigma, i, k, runs, reach, threshold, high, y0, y1
                )
            clear = ~(np.abs(mean - threshold) < 1e-6)
            np.testing.assert_array_equal(high[clear], (np.nan_to_num(mean) > threshold)[clear])


@pytest.mark.parametrize(
    ("inner", "width", "pixels"), [(0.0, 0.5, 1), (0.0, 1.0, 5), (1.0, 0.0, 4), (1.0, 2.6, 36)]
)
def test_ring(inner, width, pixels):
    runs = ring(inner, width)
    assert sum(sign * (last - first + 1) for _, first, last, sign in runs) == pixels


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 4.0, 1e6]))
def test_rates_that_would_change_are_kept(seed, limit):
    data, earlier, gain, _, _ = ramps(seed)
    rng = np.random.default_rng(seed)
    flagged = earlier | np.where(rng.random(earlier.shape) < 0.2, np.uint8(4), np.uint8(0))
    out = flagged.copy()
    keep_rates(data, earlier, gain, limit, out, 0, 4)
    keep_rates(data, earlier, gain, limit, out, 4, 9)
    for i, y, x in np.ndindex(2, 9, 13):
        means = []
        for flags in (earlier, flagged):
            ramp = np.where(flags[i, :, y, x] & BAD, np.nan, data[i, :, y, x].astype(float))
            steps = np.diff(ramp)
            steps = steps[~np.isnan(steps)]
            means.append(steps.mean() if steps.size else np.nan)
        change = abs(means[0] - means[1])
        if abs(change - limit) > 1e-4 or (earlier[i, :, y, x] == flagged[i, :, y, x]).all():
            expected = flagged if change <= limit else earlier
            np.testing.assert_array_equal(out[i, :, y, x], expected[i, :, y, x])
