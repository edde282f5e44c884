"""Slopes of ramps by optimally weighted least squares, segment by segment (algorithm OLS_C).

All arithmetic is in double precision, in the order of the official C code, so that the float32
products agree bit for bit; only the weights pass through single precision, as they do there.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.types import Tuple, UniTuple

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels import signatures as sig
from jwcal_interactive.kernels.compiling import kernel

__all__ = ["fit_ramps"]

_DO_NOT_USE, _SATURATED = np.uint32(DQ.DO_NOT_USE), np.uint32(DQ.SATURATED)
_JUMP_DET, _CHARGELOSS = np.uint32(DQ.JUMP_DET), np.uint32(DQ.CHARGELOSS)
_NOT_JUMP, _NOT_PERSISTENCE = np.uint32(0xFF & ~DQ.JUMP_DET), np.uint32(0xFF & ~DQ.PERSISTENCE)
_INVALID = np.uint32(DQ.DO_NOT_USE | DQ.SATURATED)
_KEPT_FROM_GROUPS = np.uint32(DQ.JUMP_DET | DQ.PERSISTENCE)
_BAD_GAIN = np.uint32(DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE)
_CHARGELOSS_UNDO = np.uint32(0xFF & ~(DQ.CHARGELOSS | DQ.DO_NOT_USE))

# Variances from this one on, (DN/s)^2, are written as 0 (official LARGE_VARIANCE_THRESHOLD).
_LARGE_VARIANCE = 1e6
# Signal-to-noise ratios from which the weights are those of the next power.
_RATIOS = np.array([5.0, 10.0, 20.0, 50.0, 100.0])
# Noise of the slope and intercept of two groups, in units of that of one: as rounded in the official code.
_SQRT2 = 1.41421356
# What the first element of an integration is.
_GROUPS, _FIRST_GROUP_ONLY, _ZERO_FRAME = 0, 1, 2
# Pixels handled together where ramps have only the usual flags; longest ramp worth sorting that way.
_CHUNK = 256
_MAX_GROUPS_SORTED_TOGETHER = 128


@njit(error_model="numpy")
def _power_row(rise, gain, noise):
    """Row of the weights for a segment that rises by so many DN; `noise` of a group, electron."""
    variance = noise * noise + rise * gain
    ratio = rise * gain / math.sqrt(variance) if not variance <= 0.0 else 0.0
    row = 0
    for limit in _RATIOS:
        row += not ratio < limit
    return row


class _Work(NamedTuple):
    """Arrays that one thread works in."""

    pixels: Any  # _PIXEL, (_CHUNK,)
    values: Any  # groups of one integration of the chunk, DN, (ngroups, _CHUNK)
    flags: Any  # and their flags
    run: Any  # first group that is not lost in most ramps of the chunk, and the one after the last, (2,)
    clean: Any  # no flag within this run, DO_NOT_USE alone outside, no NaN, and the pixel is usable, (_CHUNK,)
    rows: Any  # scratch, (ngroups, _CHUNK)
    sums: Any  # scratch, (6, _CHUNK)
    ramp: Any  # _GROUP, (ngroups,): the ramp of one pixel as it is to be used
    steps: Any  # scratch, (ngroups, 1)


# One pixel of a chunk: gain, electron/DN; noise of a group, electron; dark, electron/s; median rate, DN/s;
# what was found for its unflagged ramp, DN/s; sums over segments of 1/variance and slope/variance; numbers
# of integrations that are unusable, and saturated in full, and of saturated groups; flags before the fit
# and of the exposure; whether it is usable, and was subject to charge loss.
_PIXEL = np.dtype(
    [(n, "f8") for n in ("gain", "noise", "dark", "rate", "found", "by_read", "by_poisson", "weighted")]
    + [(n, "i8") for n in ("unusable", "full", "saturated")]
    + [("base", "u4"), ("dq", "u4"), ("usable", "b1"), ("chargeloss", "b1")],
    align=True,
)
# Element k: group k, and segment k, half-open.
_GROUP = np.dtype([("value", "f8"), ("start", "i8"), ("stop", "i8"), ("flag", "u4")], align=True)


@njit(error_model="numpy")
def _new_work(ngroups):
    return _Work(
        np.zeros(_CHUNK, dtype=_PIXEL), np.zeros((ngroups, _CHUNK)),
        np.zeros((ngroups, _CHUNK), dtype=np.uint8), np.zeros(2, dtype=np.int64),
        np.zeros(_CHUNK, dtype=np.bool_), np.zeros((ngroups, _CHUNK)), np.zeros((6, _CHUNK)),
        np.zeros(ngroups, dtype=_GROUP), np.zeros((ngroups, 1)),
    )  # fmt: skip


@njit(error_model="numpy")
def _find_segments(ramp):
    """Write the segments of a ramp as half-open ranges of groups; return their number.

    A segment is a run of unflagged groups (PERSISTENCE is ignored), with the group before it if that is
    flagged JUMP_DET and nothing else: a jump lies between two groups, and the later one starts the new
    segment. Single groups count only if there is nothing longer, and then only the first.
    """
    count, k, alone = 0, 0, -1
    while k < ramp.size:
        if ramp[k].flag & _NOT_PERSISTENCE:
            k += 1
            continue
        start = k - 1 if k > 0 and (ramp[k - 1].flag & _NOT_PERSISTENCE) == _JUMP_DET else k
        while k < ramp.size and not ramp[k].flag & _NOT_PERSISTENCE:
            k += 1
        if k - start > 1:
            ramp[count].start, ramp[count].stop = start, k
            count += 1
        elif alone < 0:
            alone = start
    if count == 0 and alone >= 0:
        ramp[0].start, ramp[0].stop = alone, alone + 1
        count = 1
    return count


@njit(error_model="numpy")
def _usable_segments(ramp, lost):
    """`_find_segments`, but none if the first or all groups are lost."""
    return 0 if ramp[0].flag & _SATURATED or lost == ramp.size else _find_segments(ramp)


@njit(error_model="numpy")
def _segment_line(ramp, s, weights, gain, noise, group_time, lone_time):
    """Slope of segment s, DN/s, value of its line at group 0, DN, and the uncertainties of the fit.

    One group: its value over `lone_time`, nothing else. Two: their difference. More: least
    squares with the weights |(k - m)/m|^P / noise^2, where P grows with the signal-to-noise ratio.
    """
    start, length = ramp[s].start, ramp[s].stop - ramp[s].start
    value = ramp[start].value
    if length == 1:
        return value / lone_time, 0.0, 0.0, 0.0
    end = ramp[start + length - 1].value
    rise = end - value
    if length == 2:
        second = start + 1.0
        return rise / group_time, end * (1.0 - second) + value * second, _SQRT2 * noise, _SQRT2 * noise
    row, column = _power_row(rise, gain, noise), length * (length - 1) // 2
    inverse = 1.0 / (noise * noise)
    sw = sx = sxx = sy = sxy = 0.0
    for k in range(length):
        weight = weights[row, column + k] * inverse
        value = 0.0 if math.isnan(ramp[start + k].value) else ramp[start + k].value
        x = np.float64(k + start)
        xw = x * weight
        sw += weight
        sx += xw
        sxx += x * xw
        sy += value * weight
        sxy += value * xw
    inverse = 1.0 / (sw * sxx - sx * sx)
    slope, at_group_0 = (sw * sxy - sx * sy) * inverse, (sxx * sy - sx * sxy) * inverse
    return slope / group_time, at_group_0, math.sqrt(sw * inverse), math.sqrt(sxx * inverse)


@njit(error_model="numpy")
def _read_variance(length, gain, noise, group_time, lone_time):
    """12 (R/t)^2 / ((L^3 - L) g^2), DN^2/s^2; a single group counts as two."""
    if length > 2 and not gain > 0.0:
        return 0.0
    time, n = lone_time if length == 1 else group_time, np.float64(max(length, 2))
    ratio = noise / time
    return 12.0 * ratio * ratio / ((n * n * n - n) * gain * gain)


@njit(error_model="numpy")
def _poisson_variance(pixel, length, group_time, lone_time):
    """(r + d) / (t g (L - 1)), DN^2/s^2, with the median rate r where positive."""
    time = lone_time if length == 1 else group_time
    signal = pixel.rate + pixel.dark if pixel.rate > 0.0 else pixel.dark
    return signal / (time * pixel.gain * max(length - 1.0, 1.0))


@njit(error_model="numpy")
def _add_segment(sums, pixel, slope, length, group_time, lone_time):
    """Add a segment to the sums of 1/var_read, 1/var_poisson, 1/var and slope/var_read."""
    read = _read_variance(length, pixel.gain, pixel.noise, group_time, lone_time)
    poisson = _poisson_variance(pixel, length, group_time, lone_time)
    by_poisson = sums[1] + 1.0 / poisson if poisson > 0.0 else sums[1]
    return sums[0] + 1.0 / read, by_poisson, sums[2] + 1.0 / (poisson + read), sums[3] + slope / read


@njit(error_model="numpy")
def _variance(inverse):
    """Variance from the sum of inverse variances; 0 without any, and where it is meaninglessly large."""
    return 0.0 if inverse == 0.0 or 1.0 / inverse >= _LARGE_VARIANCE else 1.0 / inverse


@njit(error_model="numpy")
def _combine_segments(sums):
    """Slope, error, Poisson and read-noise variance of an integration from its segments' sums."""
    read, variance = _variance(sums[0]), 1.0 / sums[2]
    err = 0.0 if variance > _LARGE_VARIANCE else math.sqrt(variance)
    return sums[3] * read, err, _variance(sums[1]), read


@njit(error_model="numpy")
def _sort_columns(rows, n, width):
    """Sort rows[:n] of each column by Batcher's odd-even merge exchange (Knuth 5.2.2, M)."""
    p = 1
    while p < n:
        k = p
        while k >= 1:
            for j in range(k % p, n - k, 2 * k):
                for i in range(j, min(j + k, n - k)):
                    if i // (2 * p) == (i + k) // (2 * p):
                        for c in range(width):
                            a, b = rows[i, c], rows[i + k, c]
                            rows[i, c] = a if a < b else b
                            rows[i + k, c] = b if a < b else a
            k //= 2
        p *= 2


@njit(error_model="numpy")
def _middle(rows, n, c):
    """Median of the sorted rows[:n] of a column."""
    return rows[n // 2, c] if n % 2 else (rows[n // 2, c] + rows[n // 2 - 1, c]) / 2.0


@njit(error_model="numpy")
def _median_rate(work, kind, group_time, lone_time):
    """Median of the group differences without flagged ones and jumps, DN/s; 0 without any."""
    ramp = work.ramp
    if kind != _GROUPS or ramp.size == 1:
        rate = ramp[0].value / lone_time
        return 0.0 if math.isnan(rate) and ramp.size > 1 else rate
    n = 0
    before = first = math.nan if ramp[0].flag & _DO_NOT_USE else ramp[0].value / group_time
    for k in range(1, ramp.size):
        value = math.nan if ramp[k].flag & _DO_NOT_USE else ramp[k].value / group_time
        if not ramp[k].flag & _JUMP_DET and not math.isnan(value - before):
            work.steps[n, 0] = value - before
            n += 1
        before = value
    if n:
        work.steps[:n, 0] = np.sort(work.steps[:n, 0])
        median = _middle(work.steps, n, 0)
        return 0.0 if math.isnan(median) else median  # of two differences that are infinite, up and down
    return 0.0 if math.isnan(first) else first


@njit(error_model="numpy")
def _start_chunk(work, pixeldq, gain, readnoise, dark, root, y, x0, width):
    for c in range(width):
        x, pixel = x0 + c, work.pixels[c]
        pixel.gain = gain[y, x]
        pixel.noise = np.float32(readnoise[y, x] * (pixel.gain / root))
        pixel.dark = dark[y, x] if dark.shape[0] > 0 else 0.0
        pixel.base = pixeldq[y, x] if pixel.gain > 0.0 else pixeldq[y, x] | _BAD_GAIN
        pixel.dq, pixel.usable = pixel.base, not pixel.base & _INVALID
        pixel.rate = pixel.by_read = pixel.by_poisson = pixel.weighted = 0.0
        pixel.unusable = pixel.full = pixel.saturated = 0
        pixel.chargeloss = False


@njit(error_model="numpy")
def _load(work, arrays, i, y, x0, width, rules):
    """Copy one integration of a chunk; groups outside first to last become DO_NOT_USE."""
    data, groupdq, _ = arrays
    first, last, _, start = rules
    clean = work.clean
    clean[:width] = work.pixels["usable"][:width]
    for k in range(work.ramp.size):
        group = start + k
        values, flags = data[i, group, y, x0 : x0 + width], groupdq[i, group, y, x0 : x0 + width]
        outside = np.uint8(group < first or group > last)  # DO_NOT_USE is bit 0
        for c in range(width):
            work.flags[k, c] = flags[c] | outside
            work.values[k, c] = values[c]
            clean[c] &= values[c] - values[c] == 0.0
    _find_run(work, width)
    for k in range(work.ramp.size):
        usual = np.uint8(k < work.run[0] or k >= work.run[1])
        for c in range(width):
            clean[c] &= work.flags[k, c] == usual


@njit(error_model="numpy")
def _find_run(work, width):
    """Find the groups left where most ramps of a chunk begin or end with DO_NOT_USE; all if too few."""
    low, high = 0, work.ramp.size
    while low < high and 2 * np.sum(work.flags[low, :width] & np.uint8(_DO_NOT_USE)) > width:
        low += 1
    while low < high and 2 * np.sum(work.flags[high - 1, :width] & np.uint8(_DO_NOT_USE)) > width:
        high -= 1
    work.run[0], work.run[1] = (low, high) if high - low > 2 else (0, work.ramp.size)


@njit(error_model="numpy")
def _median_rates_together(work, width, group_time):
    """Find `_median_rate` of clean ramps, all columns at once."""
    values, rows = work.values[work.run[0] : work.run[1]], work.rows
    n = values.shape[0] - 1
    for c in range(width):
        rows[n, c] = values[0, c] / group_time
    for k in range(n):
        for c in range(width):
            value = values[k + 1, c] / group_time
            rows[k, c] = value - rows[n, c]
            rows[n, c] = value
    _sort_columns(rows, n, width)
    for c in range(width):
        work.pixels[c].found = _middle(rows, n, c)


@njit(error_model="numpy")
def _slopes_together(work, width, weights, group_time):
    """Find `_segment_line`'s slope of clean ramps, all columns at once."""
    values = work.values[work.run[0] : work.run[1]]
    ngroups = values.shape[0]
    column = ngroups * (ngroups - 1) // 2
    sw, sx, sxx, sy, sxy, inverse = work.sums
    row = np.empty(_CHUNK, dtype=np.int64)
    for c in range(width):
        pixel = work.pixels[c]
        row[c] = _power_row(values[ngroups - 1, c] - values[0, c], pixel.gain, pixel.noise)
        inverse[c] = 1.0 / (pixel.noise * pixel.noise)
        sw[c] = sx[c] = sxx[c] = sy[c] = sxy[c] = 0.0
    for k in range(ngroups):
        x = np.float64(work.run[0] + k)
        for c in range(width):
            weight = weights[row[c], column + k] * inverse[c]
            value = values[k, c]
            xw = x * weight
            sw[c] += weight
            sx[c] += xw
            sxx[c] += x * xw
            sy[c] += value * weight
            sxy[c] += value * xw
    for c in range(width):
        scale = 1.0 / (sw[c] * sxx[c] - sx[c] * sx[c])
        work.pixels[c].found = (sw[c] * sxy[c] - sx[c] * sy[c]) * scale / group_time


@njit(error_model="numpy")
def _take(work, c, rules, arrays, i, y, x):
    """Copy one ramp out of a chunk, as it is to be used.

    With `suppress`, ramps with a single good group are left out; without, the zero frame (0 if there is
    none) stands in where no group is good. Returns what the ramp starts with, the numbers of groups that are
    SATURATED, and SATURATED or DO_NOT_USE, and all flags of the integration.
    """
    ramp, zeroframe = work.ramp, arrays[2]
    _, _, suppress, start = rules
    good, usable, saturated, lost, seen = 0, 0, 0, 0, np.uint32(0)
    for k in range(ramp.size):
        flag = np.uint32(work.flags[k, c])
        usable += (flag & _NOT_PERSISTENCE) == 0
        if k == 0 and start > 0:  # nothing lies before the first group that a jump could be from
            flag &= _NOT_JUMP
        ramp[k].flag = flag
        seen |= flag
        good += flag == 0
        lost += (flag & _INVALID) != 0
        saturated += (flag & _SATURATED) != 0
        ramp[k].value = math.nan if flag & _SATURATED else work.values[k, c]
    kind = _GROUPS
    if suppress:
        if usable == 1:
            lost = ramp.size
            for k in range(ramp.size):
                ramp[k].flag |= _DO_NOT_USE
    elif good == 1 and ramp[0].flag == 0:
        kind = _FIRST_GROUP_ONLY
    elif good == 0 and zeroframe.shape[0] > 0 and zeroframe[i, y, x] != 0.0:
        kind = _ZERO_FRAME
        ramp[0].value, ramp[0].flag = zeroframe[i, y, x], 0
        lost -= 1
        saturated -= saturated == ramp.size
    return kind, saturated, lost, seen


@njit(error_model="numpy")
def _median_rates(work, together, arrays, i, y, x0, width, rules, times):
    """Add the median rates of one integration to those of the chunk."""
    if together:
        _median_rates_together(work, width, times[0])
    for c in range(width):
        if together and work.clean[c]:
            work.pixels[c].rate += work.pixels[c].found
        else:
            kind = _take(work, c, rules, arrays, i, y, x0 + c)[0]
            alone = times[_FIRST_GROUP_ONLY] if work.ramp.size == 1 else times[kind]
            work.pixels[c].rate += _median_rate(work, kind, times[0], alone)


@njit(error_model="numpy")
def _fit_flagged(work, c, taken, weights, times):
    """Fit the segments of one ramp; return its flags, result and sums over segments."""
    kind, saturated, lost, seen = taken
    ramp, pixel = work.ramp, work.pixels[c]
    sums = result = (0.0, 0.0, 0.0, 0.0)
    dq = pixel.base | (seen & _KEPT_FROM_GROUPS)
    pixel.dq |= dq
    if ramp[0].flag & _SATURATED:
        dq |= _INVALID
    if lost == ramp.size:
        dq |= _INVALID if saturated == ramp.size else _DO_NOT_USE
    if dq & _INVALID:
        result = (math.nan, 0.0, 0.0, 0.0)
    else:
        count = _usable_segments(ramp, lost)
        for s in range(count):
            line = _segment_line(ramp, s, weights, pixel.gain, pixel.noise, times[0], times[kind])
            length = ramp[s].stop - ramp[s].start
            sums = _add_segment(sums, pixel, line[0], length, times[0], times[kind])
        if count > 0:
            result = _combine_segments(sums)
    pixel.unusable += (dq & _DO_NOT_USE) != 0
    pixel.full += (dq & _SATURATED) != 0
    pixel.saturated += saturated
    if saturated > 0:
        dq |= _SATURATED
    pixel.chargeloss |= (seen & _CHARGELOSS) != 0
    return dq, result, sums


@njit(error_model="numpy")
def _describe(work, c, result, arrays, i, y, x, rules, weights, times, out):
    """Write the segments, the pedestal and the jumps of a ramp as far as there is room for them.

    `out_counts` keeps the largest numbers of segments and jumps of the row.
    """
    out_segments, out_pedestal, out_jumps, out_counts = out
    kind, _, lost, _ = _take(work, c, rules, arrays, i, y, x)
    ramp, pixel, first = work.ramp, work.pixels[c], rules[3]
    room = count = _usable_segments(ramp, lost)
    if count == 1 and ramp[0].stop - ramp[0].start == 1:
        # The official product has room for all single groups, although only the first is fitted.
        room = 0
        for k in range(ramp.size):
            room += not ramp[k].flag & _NOT_PERSISTENCE
    out_counts[y, 0] = max(out_counts[y, 0], room)
    for s in range(min(count, out_segments.shape[2])):
        values = out_segments[:, i, s, y, x]
        length = ramp[s].stop - ramp[s].start
        values[0], values[1] = first + ramp[s].start, first + ramp[s].stop - 1
        line = _segment_line(ramp, s, weights, pixel.gain, pixel.noise, times[0], times[kind])
        values[2], values[6], values[3], values[7] = line
        values[4] = _poisson_variance(pixel, length, times[0], times[kind])
        read = _read_variance(length, pixel.gain, pixel.noise, times[0], times[kind])
        values[5], values[8] = read, 1.0 / read
    pedestal = ramp[0].value - result[0] * times[3]
    if out_pedestal.shape[0]:
        out_pedestal[i, y, x] = 0.0 if math.isnan(pedestal) else pedestal
    jumps = 0
    for k in range(1, ramp.size):
        if work.flags[k, c] & _JUMP_DET:
            if jumps < out_jumps.shape[1]:
                unknown = (work.flags[k, c] | work.flags[k - 1, c]) & _SATURATED
                jump = work.values[k, c] - work.values[k - 1, c]
                out_jumps[i, jumps, y, x] = math.nan if unknown else jump
            jumps += 1
    out_counts[y, 1] = max(out_counts[y, 1], jumps)


@njit(error_model="numpy")
def _fit_integration(work, together, arrays, weights, i, y, x0, width, rules, times, out, out_dq, optional):
    """Fit the ramps of one integration, and add their sums to those of the exposure."""
    if together:
        _slopes_together(work, width, weights, times[0])
    for c in range(width):
        x, pixel = x0 + c, work.pixels[c]
        if together and work.clean[c]:
            dq, ngroups = pixel.base, work.run[1] - work.run[0]
            sums = _add_segment((0.0, 0.0, 0.0, 0.0), pixel, pixel.found, ngroups, times[0], times[0])
            result = _combine_segments(sums)
        else:
            taken = _take(work, c, rules, arrays, i, y, x)
            dq, result, sums = _fit_flagged(work, c, taken, weights, times)
        pixel.by_read += sums[0]
        pixel.by_poisson += sums[1]
        pixel.weighted += sums[3]
        out[0][i, y, x], out[1][i, y, x], out[2][i, y, x], out[3][i, y, x] = result
        out_dq[i, y, x] = dq
        if optional[3].shape[0]:
            _describe(work, c, result, arrays, i, y, x, rules, weights, times, optional)


@njit(error_model="numpy")
def _fit_exposure(work, nints, y, x0, width, out, out_dq):
    """Combine the integrations."""
    for c in range(width):
        x, pixel = x0 + c, work.pixels[c]
        poisson, read = _variance(pixel.by_poisson), _variance(pixel.by_read)
        result = (pixel.weighted * read, math.sqrt(poisson + read), poisson, read)
        dq = pixel.dq
        if pixel.unusable == nints:
            dq |= _DO_NOT_USE
        if pixel.full == nints:
            dq |= _SATURATED
        if dq & _INVALID:
            result = (math.nan, 0.0, 0.0, 0.0)
        if pixel.saturated > 0:
            dq |= _SATURATED
        out[0][y, x], out[1][y, x], out[2][y, x], out[3][y, x] = result
        out_dq[y, x] = dq


@njit(error_model="numpy")
def _restore_read_noise(work, arrays, y, x0, c, rules, times, out_vr, outi_vr):
    """Read-noise variances of a pixel as if no group had been dropped for CHARGELOSS.

    Charge migration drops groups for their signal, which would bias the weights of pixels.
    """
    ramp, pixel, x, total = work.ramp, work.pixels[c], x0 + c, 0.0
    for i in range(outi_vr.shape[0]):
        _load(work, arrays, i, y, x0, c + 1, rules)
        kind, _, lost, seen = _take(work, c, rules, arrays, i, y, x)
        count = 0
        if seen & _CHARGELOSS:
            for k in range(ramp.size):
                flag = np.uint32(work.flags[k, c])
                ramp[k].flag = flag & _CHARGELOSS_UNDO if flag & _CHARGELOSS else flag
            count = _find_segments(ramp)
        elif pixel.usable:
            count = _usable_segments(ramp, lost)
        by_read = 0.0
        for s in range(count):
            length = ramp[s].stop - ramp[s].start
            read = _read_variance(length, pixel.gain, pixel.noise, times[0], times[kind])
            by_read += 1.0 / read if read > 0.0 else 0.0
        read = _variance(by_read)
        if not seen & _CHARGELOSS:
            total += 1.0 / read if read > 0.0 else 0.0
        elif by_read > 0.0:
            outi_vr[i, y, x] = read
            total += by_read
    if total > 0.0:
        out_vr[y, x] = _variance(total)


@kernel(
    sig.void(
        sig.r_f32_4, sig.r_u8_4, sig.r_u32_2, sig.r_f32_3, sig.r_f32_2, sig.r_f32_2, sig.r_f32_2, sig.r_f64_2,
        sig.i64, sig.i64, sig.i64, sig.i64, sig.b1, sig.f64, UniTuple(sig.f64, 4),
        UniTuple(sig.w_f32_2, 4), sig.w_u32_2, UniTuple(sig.w_f32_3, 4), sig.w_u32_3,
        Tuple((sig.w_f32_5, sig.w_f32_3, sig.w_f32_4, sig.w_i64_2)), sig.i64, sig.i64,
    ),
    error_model="numpy",
)  # fmt: skip
def fit_ramps(
    data, groupdq, pixeldq, zeroframe, dark, gain, readnoise, weights,
    first, last, start, stop, suppress, root, times, out, out_dq, outi, outi_dq, optional, y0, y1,
):  # fmt: skip
    """Fit the ramps of rows y0 to y1.

    Parameters
    ----------
    data, groupdq, pixeldq : (nints, ngroups, ny, nx), the same, (ny, nx)
        Group values, DN, and flags.
    zeroframe : (nints, ny, nx), or (0, 0, 0) without
        First frames, DN, used where no group is good and `suppress` is off; 0 where unusable.
    dark, gain, readnoise : (ny, nx); dark (0, 0) without
        Average dark current, electron/s; electron/DN; correlated-double-sampling read noise, DN.
    weights : (6, ngroups (ngroups + 1) / 2)
        From `ramp_fit_weights.segment_weights`.
    first, last, suppress
        Groups outside are not used, nor, with `suppress`, ramps with a single good group.
    start, stop : int
        Half-open range of the groups that ramps are made of.
    root : float
        sqrt(2 nframes): from the CDS noise to that of a group average.
    times : tuple of float
        Time, s, between groups, up to the middle of the first group, and of one frame; and the time up to
        the middle of the first group in units of that between groups, for the pedestal.
    out, outi : four of (ny, nx), four of (nints, ny, nx)
        Slope and error, DN/s, Poisson and read-noise variance, DN^2/s^2; flags in `out_dq`, `outi_dq`.
    optional : (9, nints, nsegments, ny, nx), (nints, ny, nx), (nints, njumps, ny, nx), int64 (ny, 2)
        Of segments: first and last group, slope and its uncertainty, Poisson and read-noise variance,
        intercept and its uncertainty, weight; pedestals; heights of jumps, DN; as many as there is room for.
        Largest numbers of segments and jumps in each row. All of length 0 if not wanted; zeros before.
    """
    nints, _, _, nx = data.shape
    ngroups = stop - start
    arrays, rules = (data, groupdq, zeroframe), (first, last, suppress, start)
    together = 2 < ngroups <= _MAX_GROUPS_SORTED_TOGETHER
    work = _new_work(ngroups)
    for y in range(y0, y1):
        for x0 in range(0, nx, _CHUNK):
            width = min(_CHUNK, nx - x0)
            _start_chunk(work, pixeldq, gain, readnoise, dark, root, y, x0, width)
            for i in range(nints):
                _load(work, arrays, i, y, x0, width, rules)
                _median_rates(work, together, arrays, i, y, x0, width, rules, times)
            for c in range(width):
                work.pixels[c].rate /= nints
            for i in range(nints):
                if nints > 1:
                    _load(work, arrays, i, y, x0, width, rules)
                _fit_integration(
                    work, together, arrays, weights, i, y, x0, width, rules, times, outi, outi_dq, optional
                )
            _fit_exposure(work, nints, y, x0, width, out, out_dq)
            for c in range(width):
                if work.pixels[c].chargeloss:
                    _restore_read_noise(work, arrays, y, x0, c, rules, times, out[3], outi[3])
