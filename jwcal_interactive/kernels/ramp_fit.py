"""Slopes of ramps by optimally weighted least squares, segment by segment (algorithm OLS_C).

All arithmetic is in double precision, in the order of the official C code, so that the float32
products agree bit for bit; only the weights pass through single precision, as they do there.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.signatures import (
    b1,
    f64,
    i64,
    r_f32_2,
    r_f32_3,
    r_f32_4,
    r_u8_4,
    r_u32_2,
    void,
    w_f32_2,
    w_f32_3,
    w_f64_2,
    w_u32_2,
    w_u32_3,
)

__all__ = ["fit_line_segments", "fit_ramps"]

_DO_NOT_USE = np.uint32(DQ.DO_NOT_USE)
_SATURATED = np.uint32(DQ.SATURATED)
_JUMP_DET = np.uint32(DQ.JUMP_DET)
_PERSISTENCE = np.uint32(DQ.PERSISTENCE)
_CHARGELOSS = np.uint32(DQ.CHARGELOSS)
_INVALID = np.uint32(DQ.DO_NOT_USE | DQ.SATURATED)
_NOT_PERSISTENCE = np.uint32(0xFF & ~DQ.PERSISTENCE)
_KEPT_FROM_GROUPS = np.uint32(DQ.JUMP_DET | DQ.PERSISTENCE)
_BAD_GAIN = np.uint32(DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE)
_CHARGELOSS_UNDO = np.uint32(0xFF & ~(DQ.CHARGELOSS | DQ.DO_NOT_USE))

# Variances from this one on, (DN/s)^2, are written as 0 (official LARGE_VARIANCE_THRESHOLD).
_LARGE_VARIANCE = 1e6
# What the first element of an integration is.
_GROUPS, _FIRST_GROUP_ONLY, _ZERO_FRAME = 0, 1, 2
# Pixels handled together where a ramp has no flag at all; longest ramp worth sorting that way.
_CHUNK = 64
_MAX_GROUPS_SORTED_TOGETHER = 128


@njit(error_model="numpy")
def _power_class(signal_to_noise):
    """Row of `_POWERS` (Fixsen et al. 2000, PASP 112, 1350; JWST-STScI-001490)."""
    if signal_to_noise < 5.0:
        return 0
    if signal_to_noise < 10.0:
        return 1
    if signal_to_noise < 20.0:
        return 2
    if signal_to_noise < 50.0:
        return 3
    if signal_to_noise < 100.0:
        return 4
    return 5


_POWERS = np.array([0.0, 0.4, 1.0, 3.0, 6.0, 10.0], dtype=np.float32)


@njit(error_model="numpy")
def _signal_to_noise(rise, gain, noise):
    """Of a segment whose last group is `rise` DN above its first; `noise` in electron."""
    variance = noise * noise + rise * gain
    if variance <= 0.0 or gain == 0.0:
        return 0.0
    ratio = rise * gain / math.sqrt(variance)
    return 0.0 if ratio < 0.0 else ratio


@njit(error_model="numpy")
def _weight(k, length, power):
    """|(k - m) / m|^P of element k of a segment with its middle at m; single precision."""
    middle = (length - 1) / 2.0
    distance = abs((k - middle) * (1.0 / middle))
    return np.float64(np.float32(distance) ** power)


@njit(error_model="numpy")
def _find_segments(flags, starts, stops):
    """Write the segments of a ramp as half-open ranges of groups; return their number.

    A segment is a run of unflagged groups (PERSISTENCE is ignored), with the group before it if
    that is flagged JUMP_DET and nothing else: a jump lies between two groups, and the later one
    starts the new segment. Single groups count only if there is nothing longer, and then only the
    first.
    """
    ngroups = flags.size
    count = 0
    longest = 0
    k = 0
    while k < ngroups:
        if flags[k] & _NOT_PERSISTENCE:
            k += 1
            continue
        start = k
        if k > 0 and (flags[k - 1] & _NOT_PERSISTENCE) == _JUMP_DET:
            start = k - 1
        while k < ngroups and not flags[k] & _NOT_PERSISTENCE:
            k += 1
        starts[count], stops[count] = start, k
        longest = max(longest, k - start)
        count += 1
    if longest < 2:
        return min(count, 1)
    kept = 0
    for s in range(count):
        if stops[s] - starts[s] > 1:
            starts[kept], stops[kept] = starts[s], stops[s]
            kept += 1
    return kept


@njit(error_model="numpy")
def _usable_segments(flags, bad, starts, stops):
    """`_find_segments`, but none if the first or all groups are lost; `bad` counts lost groups."""
    if flags[0] & _SATURATED or bad == flags.size:
        return 0
    return _find_segments(flags, starts, stops)


@njit(error_model="numpy")
def _segment_line(values, start, stop, gain, noise, group_time, lone_time):
    """Slope of a segment, DN/s, and the value of its line at group 0, DN.

    One group: its value over `lone_time`, through that group. Two: their difference. More: least
    squares with the weights |(k - m)/m|^P / noise^2, where P grows with the signal-to-noise ratio.
    """
    length = stop - start
    if length == 1:
        slope = values[start] / lone_time
        return slope, values[start] - slope * group_time * start
    if length == 2:
        rise = values[start + 1] - values[start]
        return rise / group_time, values[start] - rise * start
    power = _POWERS[_power_class(_signal_to_noise(values[stop - 1] - values[start], gain, noise))]
    inverse = 1.0 / (noise * noise)
    sw = sx = sxx = sy = sxy = 0.0
    for k in range(length):
        weight = _weight(k, length, power) * inverse
        value = values[start + k]
        if math.isnan(value):
            value = 0.0
        x = np.float64(k + start)
        xw = x * weight
        sw += weight
        sx += xw
        sxx += x * xw
        sy += value * weight
        sxy += value * xw
    inverse = 1.0 / (sw * sxx - sx * sx)
    slope = (sw * sxy - sx * sy) * inverse
    return slope / group_time, (sxx * sy - sx * sxy) * inverse


@njit(error_model="numpy")
def _poisson_variance(length, rate, dark, gain, group_time, lone_time):
    """(r + d) / (t g (L - 1)), DN^2/s^2, with the median rate r where it is positive."""
    time = lone_time if length == 1 else group_time
    signal = rate + dark if rate > 0.0 else dark
    return signal / (time * gain * max(length - 1.0, 1.0))


@njit(error_model="numpy")
def _read_variance(length, gain, noise, group_time, lone_time):
    """12 (R/t)^2 / ((L^3 - L) g^2), DN^2/s^2; a single group counts as two."""
    if length > 2 and not gain > 0.0:
        return 0.0
    time = lone_time if length == 1 else group_time
    n = np.float64(max(length, 2))
    ratio = noise / time
    return 12.0 * ratio * ratio / ((n * n * n - n) * gain * gain)


@njit(error_model="numpy")
def _add_segment(sums, slope, length, rate, dark, gain, noise, group_time, lone_time):
    """Add a segment to the sums of 1/var_read, 1/var_poisson, 1/var and slope/var_read."""
    read = _read_variance(length, gain, noise, group_time, lone_time)
    poisson = _poisson_variance(length, rate, dark, gain, group_time, lone_time)
    by_read, by_poisson, by_both, weighted = sums
    by_read += 1.0 / read
    if poisson > 0.0:
        by_poisson += 1.0 / poisson
    by_both += 1.0 / (poisson + read)
    weighted += slope / read
    return by_read, by_poisson, by_both, weighted


@njit(error_model="numpy")
def _combine_segments(sums):
    """Slope, error, Poisson and read-noise variance of an integration from its segments' sums."""
    by_read, by_poisson, by_both, weighted = sums
    poisson = 1.0 / by_poisson if by_poisson > 0.0 else 0.0
    if poisson >= _LARGE_VARIANCE:
        poisson = 0.0
    read = 1.0 / by_read
    if read >= _LARGE_VARIANCE:
        read = 0.0
    variance = 1.0 / by_both
    err = 0.0 if variance > _LARGE_VARIANCE else math.sqrt(variance)
    return weighted * read, err, poisson, read


@njit(error_model="numpy")
def _combine_integrations(by_read, by_poisson, weighted):
    """Slope, error, Poisson and read-noise variance of the exposure."""
    poisson = 1.0 / by_poisson if by_poisson > 0.0 else by_poisson
    if poisson >= _LARGE_VARIANCE or poisson < 0.0:
        poisson = 0.0
    read = 1.0 / by_read if by_read > 0.0 else by_read
    if read >= _LARGE_VARIANCE:
        read = 0.0
    return weighted * read, math.sqrt(poisson + read), poisson, read


@njit(error_model="numpy")
def _median(values, n):
    """Median of values[:n], which are reordered (Hoare's selection)."""
    half = n // 2
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if j < half:
            low = i
        if half < i:
            high = j
    if n % 2:
        return values[half]
    below = values[0]
    for k in range(1, half):
        below = max(below, values[k])
    return (values[half] + below) / 2.0


@njit(error_model="numpy")
def _median_rate(values, flags, kind, group_time, lone_time, scratch):
    """Median of the group differences without flagged ones and jumps, DN/s; 0 without any."""
    ngroups = values.size
    if kind != _GROUPS or ngroups == 1:
        rate = values[0] / lone_time
        return 0.0 if math.isnan(rate) and ngroups > 1 else rate
    n = 0
    before = math.nan
    first = math.nan
    for k in range(ngroups):
        value = math.nan if flags[k] & _DO_NOT_USE else values[k] / group_time
        if k == 0:
            first = value
        elif not flags[k] & _JUMP_DET and not math.isnan(value - before):
            scratch[n] = value - before
            n += 1
        before = value
    if n:
        return _median(scratch, n)
    return 0.0 if math.isnan(first) else first


@njit(error_model="numpy")
def _load(data, groupdq, zeroframe, i, y, x, first, last, suppress, values, flags):
    """Copy one ramp; return its kind, its numbers of saturated and lost groups, and flags seen."""
    ngroups = flags.size
    good = usable = saturated = bad = 0
    seen = np.uint32(0)
    for k in range(ngroups):
        flag = np.uint32(groupdq[i, k, y, x])
        if k < first or k > last:
            flag |= _DO_NOT_USE
        flags[k] = flag
        seen |= flag
        good += flag == 0
        usable += (flag & _NOT_PERSISTENCE) == 0
        bad += (flag & _INVALID) != 0
        if flag & _SATURATED:
            saturated += 1
            values[k] = math.nan
        else:
            values[k] = data[i, k, y, x]
    kind = _GROUPS
    if suppress:
        if usable == 1:
            bad = ngroups
            for k in range(ngroups):
                flags[k] |= _DO_NOT_USE
    elif good == 1 and flags[0] == 0:
        kind = _FIRST_GROUP_ONLY
    elif good == 0 and zeroframe.shape[0] > 0 and zeroframe[i, y, x] != 0.0:
        kind = _ZERO_FRAME
        values[0] = zeroframe[i, y, x]
        flags[0] = 0
        bad -= 1
        if saturated == ngroups:
            saturated -= 1
    return kind, saturated, bad, seen


@njit(error_model="numpy")
def _lone_time(kind, suppress, times):
    """Exposure time of a single group, s. `times`: group, first group alone, frame."""
    if kind == _FIRST_GROUP_ONLY and not suppress:
        return times[1]
    if kind == _ZERO_FRAME and not suppress:
        return times[2]
    return times[0]


@njit(error_model="numpy")
def _read_variance_with_chargeloss(
    groupdq, i, y, x, first, last, flags, starts, stops, gain, noise, group_time, lone_time
):
    """1/read-noise variance of an integration as if no group had been dropped for CHARGELOSS.

    Charge migration rejects groups for their signal, not for their noise.
    """
    for k in range(flags.size):
        flag = np.uint32(groupdq[i, k, y, x])
        if k < first or k > last:
            flag |= _DO_NOT_USE
        if flag & _CHARGELOSS:
            flag &= _CHARGELOSS_UNDO
        flags[k] = flag
    total = 0.0
    for s in range(_find_segments(flags, starts, stops)):
        variance = _read_variance(stops[s] - starts[s], gain, noise, group_time, lone_time)
        if variance > 0.0:
            total += 1.0 / variance
    return total


@njit(error_model="numpy")
def _fit_pixel(
    data, groupdq, pixeldq, zeroframe, dark, gain, noise, y, x,
    first, last, suppress, times,
    values, flags, starts, stops, scratch, per_integration,
    out_slope, out_err, out_dq, out_vp, out_vr,
    outi_slope, outi_err, outi_dq, outi_vp, outi_vr,
):  # fmt: skip
    """Fit all integrations of one pixel, whatever its flags."""
    nints, ngroups = data.shape[:2]
    base = pixeldq[y, x]
    if not gain > 0.0:
        base |= _BAD_GAIN
    rate = 0.0
    for i in range(nints):
        kind = _load(data, groupdq, zeroframe, i, y, x, first, last, suppress, values, flags)[0]
        alone = times[1] if ngroups == 1 or kind == _FIRST_GROUP_ONLY else times[2]
        rate += _median_rate(values, flags, kind, times[0], alone, scratch)
    rate /= nints

    dq = base
    unusable = all_saturated = 0
    some_saturated = chargeloss = False
    by_read = by_poisson = weighted = 0.0
    for i in range(nints):
        kind, saturated, bad, seen = _load(
            data, groupdq, zeroframe, i, y, x, first, last, suppress, values, flags
        )
        lone_time = _lone_time(kind, suppress, times)
        chargeloss |= (seen & _CHARGELOSS) != 0
        idq = base | (seen & _KEPT_FROM_GROUPS)
        dq |= idq
        nsegments = _usable_segments(flags, bad, starts, stops)
        if flags[0] & _SATURATED:
            idq |= _INVALID
        if bad == ngroups:
            idq |= _INVALID if saturated == ngroups else _DO_NOT_USE
        slope = err = poisson = read = 0.0
        if idq & _INVALID:
            slope = math.nan
        elif nsegments > 0:
            sums = (0.0, 0.0, 0.0, 0.0)
            for s in range(nsegments):
                line = _segment_line(values, starts[s], stops[s], gain, noise, times[0], lone_time)
                length = stops[s] - starts[s]
                sums = _add_segment(sums, line[0], length, rate, dark, gain, noise, times[0], lone_time)
            slope, err, poisson, read = _combine_segments(sums)
            by_read += sums[0]
            by_poisson += sums[1]
            weighted += sums[3]
        unusable += (idq & _DO_NOT_USE) != 0
        all_saturated += (idq & _SATURATED) != 0
        if saturated > 0:
            idq |= _SATURATED
            some_saturated = True
        outi_slope[i, y, x] = slope
        outi_err[i, y, x] = err
        outi_dq[i, y, x] = idq
        outi_vp[i, y, x] = poisson
        outi_vr[i, y, x] = read
        per_integration[i] = read

    if unusable == nints:
        dq |= _DO_NOT_USE
    if all_saturated == nints:
        dq |= _SATURATED
    slope, err, poisson, read = _combine_integrations(by_read, by_poisson, weighted)
    if dq & _INVALID:
        slope, err, poisson, read = math.nan, 0.0, 0.0, 0.0
    if some_saturated:
        dq |= _SATURATED

    if chargeloss:
        total = 0.0
        for i in range(nints):
            kind, _, _, seen = _load(data, groupdq, zeroframe, i, y, x, first, last, suppress, values, flags)
            if seen & _CHARGELOSS:
                by_read = _read_variance_with_chargeloss(
                    groupdq, i, y, x, first, last, flags, starts, stops,
                    gain, noise, times[0], _lone_time(kind, suppress, times),
                )  # fmt: skip
                variance = 1.0 / by_read
                outi_vr[i, y, x] = 0.0 if variance >= _LARGE_VARIANCE else variance
                total += by_read
            elif per_integration[i] > 0.0:
                total += 1.0 / per_integration[i]
        if total > 0.0:
            read = 1.0 / total
        if read >= _LARGE_VARIANCE:
            read = 0.0

    out_slope[y, x] = slope
    out_err[y, x] = err
    out_dq[y, x] = dq
    out_vp[y, x] = poisson
    out_vr[y, x] = read


@njit(
    void(
        r_f32_4, r_u8_4, r_u32_2, r_f32_3, r_f32_2, r_f32_2, r_f32_2,
        i64, i64, b1, f64, f64, f64, f64,
        w_f32_2, w_f32_2, w_u32_2, w_f32_2, w_f32_2,
        w_f32_3, w_f32_3, w_u32_3, w_f32_3, w_f32_3,
        i64, i64,
    ),
    nogil=True, cache=True, error_model="numpy",
)  # fmt: skip
def fit_ramps(
    data, groupdq, pixeldq, zeroframe, dark, gain, readnoise,
    first, last, suppress, root, group_time, first_group_time, frame_time,
    out_slope, out_err, out_dq, out_vp, out_vr,
    outi_slope, outi_err, outi_dq, outi_vp, outi_vr,
    y0, y1,
):  # fmt: skip
    """Fit the ramps of rows y0 to y1.

    Parameters
    ----------
    data, groupdq : (nints, ngroups, ny, nx)
        Group values, DN, and their flags.
    pixeldq : (ny, nx)
    zeroframe : (nints, ny, nx), or (0, 0, 0) without
        First frames, DN, used where no group is good and `suppress` is off; 0 where unusable.
    dark : (ny, nx), or (0, 0) without
        Average dark current, electron/s.
    gain, readnoise : (ny, nx)
        electron/DN, and correlated-double-sampling read noise, DN.
    first, last : int
        Groups outside are not used.
    suppress : bool
        Do not use ramps with a single good group.
    root : float
        sqrt(2 nframes): from the CDS noise to that of a group average.
    group_time, first_group_time, frame_time : float
        Time, s, between groups, up to the middle of the first group, and of one frame.
    out_*, outi_* : (ny, nx) and (nints, ny, nx)
        Slope and error, DN/s, flags, and Poisson and read-noise variance, DN^2/s^2.
    """
    nints, ngroups, _, nx = data.shape
    values = np.empty(ngroups, dtype=np.float64)
    flags = np.empty(ngroups, dtype=np.uint32)
    starts = np.empty(ngroups, dtype=np.int64)
    stops = np.empty(ngroups, dtype=np.int64)
    scratch = np.empty(ngroups, dtype=np.float64)
    per_integration = np.empty(nints, dtype=np.float64)
    times = (group_time, first_group_time, frame_time)
    for y in range(y0, y1):
        for x in range(nx):
            g = np.float64(gain[y, x])
            noise = np.float64(np.float32(readnoise[y, x] * (g / root)))
            d = np.float64(dark[y, x]) if dark.shape[0] > 0 else 0.0
            _fit_pixel(
                data, groupdq, pixeldq, zeroframe, d, g, noise, y, x,
                first, last, suppress, times,
                values, flags, starts, stops, scratch, per_integration,
                out_slope, out_err, out_dq, out_vp, out_vr,
                outi_slope, outi_err, outi_dq, outi_vp, outi_vr,
            )  # fmt: skip


@njit(
    i64(
        r_f32_4, r_u8_4, r_f32_3, i64, i64, i64, i64, i64, b1,
        f64, f64, f64, f64, f64, f64, w_f64_2,
    ),
    nogil=True, cache=True, error_model="numpy",
)  # fmt: skip
def fit_line_segments(
    data, groupdq, zeroframe, i, y, x, first, last, suppress,
    gain, readnoise, root, group_time, first_group_time, frame_time, out_lines,
):  # fmt: skip
    """Write first group, last group, slope (DN/s) and value at time 0 (DN) of one ramp's segments.

    The arguments are those of `fit_ramps`, for integration `i` of pixel (`y`, `x`); group k lies at
    `first_group_time` + k `group_time`. Returns the number of segments, at most ngroups.
    """
    ngroups = data.shape[1]
    values = np.empty(ngroups, dtype=np.float64)
    flags = np.empty(ngroups, dtype=np.uint32)
    starts = np.empty(ngroups, dtype=np.int64)
    stops = np.empty(ngroups, dtype=np.int64)
    kind, _, bad, _ = _load(data, groupdq, zeroframe, i, y, x, first, last, suppress, values, flags)
    lone_time = _lone_time(kind, suppress, (group_time, first_group_time, frame_time))
    noise = np.float64(np.float32(readnoise * (gain / root)))
    count = _usable_segments(flags, bad, starts, stops)
    for s in range(count):
        slope, at_group_0 = _segment_line(values, starts[s], stops[s], gain, noise, group_time, lone_time)
        out_lines[s, 0] = starts[s]
        out_lines[s, 1] = stops[s] - 1
        out_lines[s, 2] = slope
        out_lines[s, 3] = at_group_0 - slope * first_group_time
    return count
