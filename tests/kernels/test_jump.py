from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jwcal_interactive.kernels.jump import GIVEN, ITERATIVE, ONE_PASS, clip_across_integrations, find_jumps

DO_NOT_USE, SATURATED, JUMP_DET = 1, 2, 4
THRESHOLDS = (4.0, 5.0, 6.0)  # with four and more, three, two differences


def twin(data, groupdq, gain, readnoise, nframes, mode, neighbours=(10.0, 1000.0), after=(0, 0, 0, 0)):
    """Flags and number of jumps, pixel by pixel, from the definition."""
    ny, nx = data.shape[2:]
    unusable = groupdq & (DO_NOT_USE | SATURATED) != 0
    signal = np.where(unusable, np.float32(np.nan), data * gain)
    steps = np.diff(signal, axis=1).astype(float)
    variance = ((readnoise * gain) ** 2).astype(float) / nframes
    jumps = groupdq & JUMP_DET != 0
    for y, x in np.ndindex(ny, nx):
        ramp = steps[:, :, y, x]
        if mode == ONE_PASS:
            with np.errstate(all="ignore"):
                jumps[:, 1:, y, x] |= deviation(ramp, variance[y, x]) > THRESHOLDS[0]
        elif mode == ITERATIVE:
            jumps[:, 1:, y, x] |= one_by_one(np.abs(ramp), variance[y, x])
    count = int(jumps.sum())
    found = jumps.copy()
    if neighbours:
        for y, x in np.ndindex(ny, nx):
            ratio = deviation(steps[:, :, y, x], variance[y, x])
            strong = found[:, 1:, y, x] & (ratio > neighbours[0]) & (ratio < neighbours[1])
            for yy, xx in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= yy < ny and 0 <= xx < nx:
                    jumps[:, 1:, yy, xx] |= strong & ~unusable[:, 1:, yy, xx]
    before = jumps.copy()
    for y, x in np.ndindex(ny, nx):
        usable = steps[:, :, y, x][~np.isnan(steps[:, :, y, x])]
        middle = np.median(usable) if usable.size else np.nan
        for i, k in zip(*np.nonzero(before[:, 1:, y, x]), strict=True):
            for size, number in (after[:2], after[2:]):
                if steps[i, k, y, x] - middle >= size:
                    later = slice(k + 2, k + 2 + number)
                    jumps[i, later, y, x] |= ~unusable[i, later, y, x]
    flags = groupdq & ~np.uint8(JUMP_DET) | np.where(jumps & ~unusable, np.uint8(JUMP_DET), np.uint8(0))
    return flags, count


def deviation(steps, variance):
    """Distance of differences from their median, sigma; 0 where unknown."""
    usable = steps[~np.isnan(steps)]
    if usable.size == 0:
        return np.zeros_like(steps)
    middle = np.median(usable)
    sigma = np.sqrt(abs(middle) + variance)
    if not sigma > 0:
        return np.zeros_like(steps)
    return np.nan_to_num(np.abs(steps - middle) / sigma, nan=0.0)


def one_by_one(sizes, variance):
    jumps = np.zeros(sizes.shape, bool)
    rounding = float
    while True:
        left = np.sort(sizes[~np.isnan(sizes)])
        if left.size < 2:
            return jumps
        if left.size >= 4:
            middle, threshold = left[left < left[-1]], THRESHOLDS[0]
            if middle.size == 0:
                return jumps
        elif left.size == 3:
            middle, threshold = left, THRESHOLDS[1]
        else:
            middle, threshold = left[:1], THRESHOLDS[2]
        middle = float(rounding(np.median(middle)))
        rounding = np.float32  # the official medians are single precision from the second pass on
        sigma = np.sqrt(middle + variance)
        if not sigma > 0:
            return jumps
        ratio = np.abs((sizes - middle).astype(np.float32)).astype(float) / sigma
        if not np.nanmax(ratio) > threshold:
            return jumps
        new = ratio == np.nanmax(ratio)
        jumps |= new
        sizes = np.where(new, np.nan, sizes)


def run(data, groupdq, gain, readnoise, nframes, mode, neighbours, after, band):
    out, count = np.empty_like(groupdq), np.full(data.shape[2], -1)
    for y in range(0, data.shape[2], band):
        find_jumps(
            data, groupdq, gain, readnoise, float(nframes), mode, *THRESHOLDS, bool(neighbours),
            *(neighbours or (0.0, 0.0)), float(after[0]), after[1], float(after[2]), after[3],
            out, count, y, min(y + band, data.shape[2]),
        )  # fmt: skip
    return out, int(count.sum())


def random_ramps(nints, ngroups, ny, nx, flagged, seed):
    rng = np.random.default_rng(seed)
    shape = (nints, ngroups, ny, nx)
    rate = rng.choice([0.0, 5.0, 300.0, 5000.0], (ny, nx))
    hits = (rng.random(shape) < 0.1) * 10 ** rng.uniform(1, 4.5, shape)
    data = np.cumsum(rng.normal(rate, np.sqrt(rate) + 5.0, shape) + hits, axis=1)
    data = np.where(rng.random((ny, nx)) < 0.5, np.round(data / 20) * 20, data).astype(np.float32)
    gain = rng.normal(1.8, 0.2, (ny, nx)).astype(np.float32)
    readnoise = rng.choice(np.array([0, 5, 9], np.float32), (ny, nx))
    groupdq = np.zeros(shape, np.uint8)
    if flagged:
        groupdq = rng.choice(np.array([0, 0, 0, 0, 1, 2, 4, 5, 32], np.uint8), shape)
        data[rng.random(shape) < 0.02] = np.nan
        gain[rng.random((ny, nx)) < 0.1] = np.nan
    if seed % 2:  # groups that all pixels have lost
        groupdq[:, rng.random(ngroups) < 0.3] |= DO_NOT_USE
    return data, groupdq, gain, readnoise


@settings(max_examples=20, deadline=None)
@given(
    nints=st.integers(1, 3), ngroups=st.integers(3, 9), ny=st.integers(1, 9), nx=st.integers(1, 70),
    mode=st.sampled_from([GIVEN, ONE_PASS, ITERATIVE]), flagged=st.booleans(), band=st.integers(1, 9),
    neighbours=st.sampled_from([None, (10.0, 1000.0), (4.0, 30.0)]), nframes=st.integers(1, 8),
    after=st.sampled_from([(0, 0, 0, 0), (100, 1, 1000, 3), (0, 0, 0, 20), (2000, 2, 0, 0)]),
    seed=st.integers(0, 999),
)  # fmt: skip
@example(
    nints=30, ngroups=8, ny=2, nx=3, mode=ITERATIVE, flagged=False, band=1, neighbours=(10.0, 1000.0),
    nframes=1, after=(0, 0, 0, 0), seed=1,
)  # fmt: skip
def test_jumps(nints, ngroups, ny, nx, mode, flagged, band, neighbours, nframes, after, seed):
    arrays = random_ramps(nints, ngroups, ny, nx, flagged, seed)
    flags, count = run(*arrays, nframes, mode, neighbours, after, band)
    expected, expected_count = twin(*arrays, nframes, mode, neighbours, after)
    np.testing.assert_array_equal(flags, expected)
    assert count == expected_count


def clipped(steps, nsigma):
    """Differences outside the bounds of up to five clipping passes."""
    kept = steps[np.isfinite(steps)]
    low = high = np.nan
    for _ in range(5):
        if kept.size == 0:
            break
        low, high = np.median(kept) + nsigma * np.std(kept) * np.array([-1, 1])
        inside = (kept >= low) & (kept <= high)
        if inside.all():
            break
        kept = kept[inside]
    return (steps < low) | (steps > high)


@pytest.mark.parametrize("same_group", [True, False])
@pytest.mark.parametrize("flagged", [True, False])
@pytest.mark.parametrize("band", [1, 4])
def test_clipping_across_integrations(same_group, flagged, band):
    data, groupdq, gain, _ = random_ramps(40, 4, 4, 9, flagged, 1)
    out = np.empty_like(groupdq)
    for y in range(0, 4, band):
        clip_across_integrations(data, groupdq, gain, 3.0, same_group, out, y, y + band)
    unusable = groupdq & (DO_NOT_USE | SATURATED) != 0
    steps = np.diff(np.where(unusable, np.float32(np.nan), data * gain), axis=1).astype(float)
    expected = groupdq.copy()
    for y, x in np.ndindex(4, 9):
        if same_group:
            rejected = np.stack([clipped(steps[:, k, y, x], 3.0) for k in range(3)], axis=1)
        else:
            rejected = clipped(steps[:, :, y, x], 3.0)
        expected[:, 1:, y, x][rejected] |= JUMP_DET
    assert (expected != groupdq).sum() > 20
    np.testing.assert_array_equal(out, expected)
