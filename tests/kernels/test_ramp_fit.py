from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.kernels.ramp_fit import fit_ramps
from jwcal_interactive.kernels.ramp_fit_weights import segment_weights

DO_NOT_USE, SATURATED, JUMP_DET, PERSISTENCE, NO_GAIN_VALUE = 1, 2, 4, 32, 1 << 19
GROUP_TIME, FIRST_TIME, FRAME_TIME = 10.0, 6.0, 4.0
ROOT = math.sqrt(2.0)


def segments_of(flags):
    """Segments as lists of groups."""
    flags = [f & ~PERSISTENCE for f in flags]
    runs = [[]]
    for k, flag in enumerate(flags):
        if flag == 0:
            if not runs[-1] and k > 0 and flags[k - 1] == JUMP_DET:
                runs[-1].append(k - 1)
            runs[-1].append(k)
        elif runs[-1]:
            runs.append([])
    runs = [run for run in runs if run]
    longer = [run for run in runs if len(run) > 1]
    return longer or runs[:1]


def line_of(values, groups, gain, noise, lone_time):
    """Slope, DN/s, and value at group 0, by numpy's polynomial fit."""
    y = np.nan_to_num(values[groups])
    if len(groups) == 1:
        slope = y[0] / lone_time
        return slope, y[0] - slope * GROUP_TIME * groups[0]
    rise = (y[-1] - y[0]) * gain
    snr = max(rise, 0) / math.sqrt(noise**2 + rise) if noise**2 + rise > 0 else 0.0
    power = [0, 0.4, 1, 3, 6, 10][np.searchsorted([5, 10, 20, 50, 100], snr, side="right")]
    x = np.arange(len(groups)) - (len(groups) - 1) / 2
    weights = np.ones(2) if len(groups) == 2 else np.abs(x / x[-1]) ** power
    line = np.polyfit(np.array(groups, float), y, 1, w=np.sqrt(weights))
    return line[0] / GROUP_TIME, line[1]


def twin(data, groupdq, pixeldq, zeroframe, dark, gain, noise, suppress):
    """One pixel from the definition: results of the integrations and of the exposure, each with DQ."""
    nints, ngroups = data.shape
    base = pixeldq | (0 if gain > 0 else NO_GAIN_VALUE | DO_NOT_USE)
    ramps, rates = [], []
    for i in range(nints):
        flags = groupdq[i].astype(int)
        values = np.where(flags & SATURATED, np.nan, data[i].astype(float))
        saturated, time = bool((flags & SATURATED).any()), GROUP_TIME
        good = flags & ~PERSISTENCE == 0
        if suppress and good.sum() == 1:
            flags = flags | DO_NOT_USE
        elif not suppress and (flags == 0).sum() == 1 and flags[0] == 0:
            time = FIRST_TIME
        elif not suppress and not (flags == 0).any() and zeroframe[i] != 0:
            saturated &= not (flags & SATURATED).all() or ngroups > 1
            flags[0], values[0], time = 0, zeroframe[i], FRAME_TIME
        steps = np.diff(np.where(flags & DO_NOT_USE, np.nan, values))
        steps = steps[~np.isnan(steps) & (flags[1:] & JUMP_DET == 0)] / GROUP_TIME
        first = values[0] if not flags[0] & DO_NOT_USE else np.nan
        if ngroups == 1:
            rates.append(values[0] / FIRST_TIME)
        elif time != GROUP_TIME:
            rates.append(values[0] / time)
        else:
            rates.append(np.median(steps) if steps.size else np.nan_to_num(first / GROUP_TIME))
        ramps.append((flags, values, saturated, time, int(np.bitwise_or.reduce(groupdq[i]))))
    rate = max(np.mean(rates), 0.0) if not np.isnan(np.mean(rates)) else 0.0

    cube, total, all_dq, reasons = [], np.zeros(4), base, []
    for flags, values, saturated, time, seen in ramps:
        dq = base | seen & (JUMP_DET | PERSISTENCE)
        all_dq |= dq
        if flags[0] & SATURATED:
            dq |= DO_NOT_USE | SATURATED
        lost = flags & (DO_NOT_USE | SATURATED) != 0
        if lost.all():
            dq |= DO_NOT_USE | (SATURATED if (flags & SATURATED).all() else 0)
        sums = np.zeros(4)
        if not dq & (DO_NOT_USE | SATURATED):
            for groups in segments_of(flags):
                n = max(len(groups), 2)
                t = time if len(groups) == 1 else GROUP_TIME
                read = 12 * (noise / t) ** 2 / ((n**3 - n) * gain**2)
                poisson = (rate + dark) / (t * gain * (n - 1))
                slope = line_of(values, groups, gain, noise, time)[0]
                sums += 1 / read, 1 / poisson if poisson > 0 else 0, 1 / (poisson + read), slope / read
        total += sums
        reasons.append(dq & (DO_NOT_USE | SATURATED))
        cube.append((dq | (SATURATED if saturated else 0), *result_of(sums, reasons[-1], True)))
    for bit in (DO_NOT_USE, SATURATED):
        all_dq |= bit if all(reason & bit for reason in reasons) else 0
    result = result_of(total, all_dq & (DO_NOT_USE | SATURATED), False)
    all_dq |= SATURATED if any(ramp[2] for ramp in ramps) else 0
    return cube, (all_dq, *result)


def result_of(sums, invalid, single):
    if invalid:
        return math.nan, 0.0, 0.0, 0.0
    if sums[0] == 0:
        return 0.0, 0.0, 0.0, 0.0
    poisson = 1 / sums[1] if sums[1] else 0.0
    read = 1 / sums[0]
    err = math.sqrt(1 / sums[2]) if single else math.sqrt(poisson + read)
    return sums[3] / sums[0], err, poisson, read


def none():
    """Outputs of the optional product where it is not wanted."""
    return (
        np.zeros((0, 0, 0, 0, 0), np.float32), np.zeros((0, 0, 0), np.float32),
        np.zeros((0, 0, 0, 0), np.float32), np.zeros((0, 0), np.int64),
    )  # fmt: skip


def fit(
    data, groupdq, pixeldq, zeroframe, dark, gain, readnoise, suppress, band,
    first=0, last=None, start=0, stop=None, optional=None,
):  # fmt: skip
    nints, ngroups, ny, nx = data.shape
    image = tuple(np.full((ny, nx), -9, np.float32) for _ in range(4))
    cube = tuple(np.full((nints, ny, nx), -9, np.float32) for _ in range(4))
    image_dq, cube_dq = np.empty((ny, nx), np.uint32), np.empty((nints, ny, nx), np.uint32)
    stop = ngroups if stop is None else stop
    for y in range(0, ny, band):
        fit_ramps(
            data, groupdq, pixeldq, zeroframe, dark, gain, readnoise, segment_weights(stop - start), first,
            ngroups - 1 if last is None else last, start, stop, suppress, ROOT,
            (GROUP_TIME, FIRST_TIME, FRAME_TIME, FIRST_TIME / GROUP_TIME), image, image_dq, cube, cube_dq,
            none() if optional is None else optional, y, min(y + band, ny),
        )  # fmt: skip
    return image, image_dq, cube, cube_dq


def random_ramps(nints, ngroups, ny, nx, flagged, seed):
    rng = np.random.default_rng(seed)
    shape = (nints, ngroups, ny, nx)
    rate = rng.choice([0.1, 30.0, 1000.0, 20_000.0], (ny, nx))
    data = np.cumsum(rng.normal(rate, np.sqrt(rate), shape), axis=1) + rng.normal(0, 8, shape)
    groupdq = np.zeros(shape, np.uint8)
    pixeldq = np.zeros((ny, nx), np.uint32)
    gain = rng.normal(1.8, 0.2, (ny, nx)).astype(np.float32)
    if flagged:
        groupdq = rng.choice(np.array([0, 0, 0, 0, 1, 2, 4, 4, 32, 64], np.uint8), shape)
        bad = rng.random((ny, nx))
        groupdq[:, :, bad < 0.1] |= 1
        groupdq[:, :, bad > 0.9] |= 2
        pixeldq = rng.choice(np.array([0, 0, 0, 1, 2, 1 << 11], np.uint32), (ny, nx))
        gain[rng.random((ny, nx)) < 0.1] = np.nan
        gain[rng.random((ny, nx)) < 0.1] = -1
    zeroframe = rng.choice(np.array([0, 50, 400], np.float32), (nints, ny, nx))
    dark = rng.exponential(0.1, (ny, nx)).astype(np.float32)
    readnoise = rng.normal(9, 1, (ny, nx)).astype(np.float32)
    return data.astype(np.float32), groupdq, pixeldq, zeroframe, dark, gain, readnoise


@settings(max_examples=20, deadline=None)
@given(
    nints=st.integers(1, 3), ngroups=st.integers(1, 9), ny=st.integers(1, 6), nx=st.integers(1, 12),
    flagged=st.booleans(), suppress=st.booleans(), band=st.integers(1, 6), seed=st.integers(0, 999),
)  # fmt: skip
def test_fit(nints, ngroups, ny, nx, flagged, suppress, band, seed):
    suppress = suppress and ngroups > 1
    arrays = random_ramps(nints, ngroups, ny, nx, flagged, seed)
    image, image_dq, cube, cube_dq = fit(*arrays, suppress, band)
    data, groupdq, pixeldq, zeroframe, dark, gain, readnoise = arrays
    for y, x in np.ndindex(ny, nx):
        noise = float(readnoise[y, x]) * float(gain[y, x]) / ROOT
        integrations, exposure = twin(
            data[:, :, y, x], groupdq[:, :, y, x], int(pixeldq[y, x]), zeroframe[:, y, x],
            float(dark[y, x]), float(gain[y, x]), noise, suppress,
        )  # fmt: skip
        assert image_dq[y, x] == exposure[0]
        np.testing.assert_allclose([a[y, x] for a in image], exposure[1:], rtol=2e-4, atol=1e-4)
        for i, expected in enumerate(integrations):
            assert cube_dq[i, y, x] == expected[0]
            np.testing.assert_allclose([a[i, y, x] for a in cube], expected[1:], rtol=2e-4, atol=1e-4)


def test_pixels_do_not_depend_on_their_neighbours():
    """Side by side (unflagged, longer than a chunk of columns) and one by one the same, bit for bit."""
    data, groupdq, pixeldq, zeroframe, dark, gain, readnoise = random_ramps(2, 8, 3, 600, False, 5)
    together = fit(data, groupdq, pixeldq, zeroframe, dark, gain, readnoise, True, 3)
    # An unusual flag outside the fitted groups sends every pixel through the general path.
    longer = np.concatenate([data, data[:, -1:]], axis=1)
    flags = np.concatenate([groupdq, np.full_like(groupdq[:, -1:], PERSISTENCE)], axis=1)
    alone = fit(longer, flags, pixeldq, zeroframe, dark, gain, readnoise, True, 2, last=7)
    for ours, theirs in zip(together[0] + together[2], alone[0] + alone[2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not together[1].any()


def test_lost_groups_at_both_ends():
    """Groups that most pixels have lost: side by side the same as by the general path, bit for bit."""
    data, groupdq, *others = random_ramps(3, 12, 2, 300, False, 7)
    groupdq[:, :2] = groupdq[1:, 2] = groupdq[:, -1] = DO_NOT_USE
    groupdq[:, :, :, 40:50] = 0
    groupdq[1, 5, 0, ::7] = JUMP_DET
    groupdq[:, 6:, 1, ::5] = SATURATED
    data[:, 0, :, ::3] = np.nan
    together = fit(data, groupdq, *others, True, 2)
    alone = fit(data, groupdq | np.uint8(PERSISTENCE) * (groupdq == DO_NOT_USE), *others, True, 1)
    for ours, theirs in zip(together[0] + together[2], alone[0] + alone[2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in ((together[1], alone[1]), (together[3], alone[3])):
        np.testing.assert_array_equal(ours, theirs & ~np.uint32(PERSISTENCE))


def with_room(nints, ny, nx, nsegments, njumps):
    return (
        np.zeros((9, nints, nsegments, ny, nx), np.float32), np.zeros((nints, ny, nx), np.float32),
        np.zeros((nints, njumps, ny, nx), np.float32), np.zeros((ny, 2), np.int64),
    )  # fmt: skip


def test_very_long_ramps():
    arrays = random_ramps(1, 150, 1, 5, False, 6)
    optional = with_room(1, 1, 5, 2, 0)
    image = fit(*arrays, True, 1, optional=optional)[0]
    data, _, _, _, _, gain, readnoise = arrays
    assert optional[3].tolist() == [[1, 0]]
    for x in range(5):
        noise = float(readnoise[0, x]) * float(gain[0, x]) / ROOT
        slope, at_0 = line_of(data[0, :, 0, x].astype(float), list(range(150)), gain[0, x], noise, 1)
        np.testing.assert_allclose(image[0][0, x], slope, rtol=1e-4)
        first, last, slope_of_segment = optional[0][:3, 0, 0, 0, x]
        assert (first, last, slope_of_segment) == (0, 149, image[0][0, x])
        np.testing.assert_allclose(optional[0][6, 0, 0, 0, x], at_0, rtol=1e-3, atol=0.05)
        assert not optional[0][:, 0, 1].any()


@settings(max_examples=15, deadline=None)
@given(nints=st.integers(1, 2), ngroups=st.integers(2, 8), suppress=st.booleans(), seed=st.integers(0, 999))
def test_segments(nints, ngroups, suppress, seed):
    """Segments, jumps and pedestals from their definitions; they change nothing else."""
    arrays = random_ramps(nints, ngroups, 2, 8, True, seed)
    data, groupdq, _, _, _, gain, readnoise = arrays
    arrays = (*arrays[:3], np.zeros((0, 0, 0), np.float32), *arrays[4:])
    optional = with_room(nints, 2, 8, ngroups, ngroups)
    with_segments = fit(*arrays, suppress, 1, optional=optional)
    without = fit(*arrays, suppress, 2)
    for ours, theirs in zip(with_segments[0] + with_segments[2], without[0] + without[2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    segments, pedestals, jumps, counts = optional
    most = np.zeros((2, 2), int)
    for i, y, x in np.ndindex(nints, 2, 8):
        flags, values = groupdq[i, :, y, x].astype(int), data[i, :, y, x].astype(float)
        values[flags & SATURATED != 0] = np.nan
        steps = np.diff(values)[flags[1:] & JUMP_DET != 0]
        np.testing.assert_allclose(jumps[i, : steps.size, y, x], steps, rtol=1e-5, atol=1e-3)
        good = flags & ~PERSISTENCE == 0
        gone = flags[0] & SATURATED or (flags & 3).all() or (suppress and good.sum() == 1)
        found = [] if gone else segments_of(flags)
        assert [tuple(s) for s in segments[:2, i, : len(found), y, x].T] == [(s[0], s[-1]) for s in found]
        noise = float(readnoise[y, x]) * float(gain[y, x]) / ROOT
        for s, groups in enumerate(found):
            if len(groups) < 2 or not gain[y, x] > 0:
                continue
            slope, at_0 = line_of(values, groups, gain[y, x], noise, GROUP_TIME)
            np.testing.assert_allclose(segments[2, i, s, y, x], slope, rtol=2e-4, atol=1e-4)
            np.testing.assert_allclose(segments[6, i, s, y, x], at_0, rtol=2e-3, atol=0.05)
        rate = with_segments[2][0][i, y, x]
        expected = np.nan_to_num(values[0] - rate * (FIRST_TIME / GROUP_TIME))
        np.testing.assert_allclose(pedestals[i, y, x], expected, rtol=1e-4, atol=0.01)
        room = good.sum() if found and len(found[0]) == 1 else len(found)
        most[y] = np.maximum(most[y], (room, steps.size))
    np.testing.assert_array_equal(counts, most)


def test_groups_that_do_not_count():
    """A ramp of some of the groups is what it is without the others, but for jumps before its first group."""
    arrays = random_ramps(2, 9, 3, 20, True, 3)
    data, groupdq, *rest = arrays
    part = (np.ascontiguousarray(data[:, 2:8]), np.ascontiguousarray(groupdq[:, 2:8]))
    part[1][:, 0] &= 0xFF & ~JUMP_DET
    ours, alone = fit(*arrays, False, 1, start=2, stop=8), fit(*part, *rest, False, 3)
    for a, b in zip(ours[0] + ours[2], alone[0] + alone[2], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(ours[1], alone[1])
    np.testing.assert_array_equal(ours[3], alone[3])
