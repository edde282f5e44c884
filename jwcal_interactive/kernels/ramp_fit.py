"""Slopes of ramps by optimally weighted least squares, segment by segment (algorithm OLS_C).

All arithmetic is in double precision, in the order of the official C code, so that the float32
products agree bit for bit; only the weights pass through single precision, as they do there.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.types import UniTuple

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels import signatures as sig

__all__ = ["fit_line_segments", "fit_ramps", "segment_weights"]

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
# Powers P of the weights, for signal-to-noise ratios that begin at 0 and at _RATIOS
# (Fixsen et al. 2000, PASP 112, 1350; JWST-STScI-001490).
_POWERS = np.array([0.0, 0.4, 1.0, 3.0, 6.0, 10.0], dtype=np.float32)
_RATIOS = np.array([5.0, 10.0, 20.0, 50.0, 100.0])
# What the first element of an integration is.
_GROUPS, _FIRST_GROUP_ONLY, _ZERO_FRAME = 0, 1, 2
# Pixels handled together where a ramp has no flag at all; longest ramp worth sorting that way.
_CHUNK = 256
_MAX_GROUPS_SORTED_TOGETHER = 128


@njit(error_model="numpy")
def _power_row(rise, gain, noise):
    """Row of `_POWERS` for a segment that rises by so many DN; `noise` of a group, electron."""
    variance = noise * noise + rise * gain
    ratio = rise * gain / math.sqrt(variance) if not variance <= 0.0 else 0.0
    row = 0
    for limit in _RATIOS:
        row += not ratio < limit
    return row


@njit(sig.w_f64_2(sig.i64), nogil=True, cache=True, error_model="numpy")
def segment_weights(ngroups):
    """Weights |(k - m) / m|^P of segments of up to ngroups groups with their middle at m.

    One row for each P; element k of a segment of L groups is in column L (L - 1) / 2 + k. Through
    single precision, as in the official fit.
    """
    out = np.zeros((_POWERS.size, ngroups * (ngroups + 1) // 2))
    for p in range(_POWERS.size):
        for length in range(3, ngroups + 1):
            middle = (length - 1) / 2.0
            inverse = 1.0 / middle
            for k in range(length):
                distance = np.float32(abs((k - middle) * inverse))
                out[p, length * (length - 1) // 2 + k] = distance ** _POWERS[p]
    return out


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
def _segment_line(values, start, stop, weights, gain, noise, group_time, lone_time):
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
    row = _power_row(values[stop - 1] - values[start], gain, noise)
    column = length * (length - 1) // 2
    inverse = 1.0 / (noise * noise)
    sw = sx = sxx = sy = sxy = 0.0
    for k in range(length):
        weight = weights[row, column + k] * inverse
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
    """Add a segment to the sums of 1/var_read, 1/var_poisson, 1/var and slope/var_read.

    The Poisson variance is (r + d) / (t g (L - 1)), DN^2/s^2, with the median rate r where positive.
    """
    read = _read_variance(length, gain, noise, group_time, lone_time)
    time = lone_time if length == 1 else group_time
    poisson = (rate + dark if rate > 0.0 else dark) / (time * gain * max(length - 1.0, 1.0))
    by_poisson = sums[1] + 1.0 / poisson if poisson > 0.0 else sums[1]
    return sums[0] + 1.0 / read, by_poisson, sums[2] + 1.0 / (poisson + read), sums[3] + slope / read


@njit(error_model="numpy")
def _variance(inverse):
    """Variance from the sum of inverse variances; 0 without any, and where it is meaninglessly large."""
    variance = 0.0 if inverse == 0.0 else 1.0 / inverse
    return 0.0 if variance >= _LARGE_VARIANCE else variance


@njit(error_model="numpy")
def _combine_segments(sums):
    """Slope, error, Poisson and read-noise variance of an integration from its segments' sums."""
    read = _variance(sums[0])
    variance = 1.0 / sums[2]
    err = 0.0 if variance > _LARGE_VARIANCE else math.sqrt(variance)
    return sums[3] * read, err, _variance(sums[1]), read


@njit(error_model="numpy")
def _combine_integrations(sums):
    """Slope, error, Poisson and read-noise variance of the exposure."""
    poisson, read = _variance(sums[1]), _variance(sums[0])
    return sums[3] * read, math.sqrt(poisson + read), poisson, read


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
        low = i if j < half else low
        high = j if half < i else high
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


class _Chunk(NamedTuple):
    """Some pixels of one row side by side: arrays (_CHUNK,) or (n, _CHUNK)."""

    values: Any  # of the groups of one integration, DN
    flags: Any
    clean: Any  # no flag and no NaN in this integration, nor a bad pixel
    usable: Any
    chargeloss: Any  # in some integration
    base: Any  # flags of the pixel before the fit
    dq: Any  # flags of the exposure
    gain: Any  # electron/DN
    noise: Any  # of a group, electron
    dark: Any  # electron/s
    rate: Any  # median rate, DN/s
    found: Any  # result of the integration's unflagged ramps
    totals: Any  # of the sums of `_add_segment`
    counts: Any  # integrations DO_NOT_USE and SATURATED, saturated groups
    rows: Any  # scratch
    sums: Any  # scratch
    one: Any  # values of a single ramp, (ngroups,), as they are to be used
    one_flags: Any
    starts: Any  # of its segments
    stops: Any
    scratch: Any


@njit(error_model="numpy")
def _new_chunk(ngroups):
    bools = np.zeros((3, _CHUNK), dtype=np.bool_)
    dqs = np.zeros((2, _CHUNK), dtype=np.uint32)
    floats = np.ones((5, _CHUNK))
    return _Chunk(
        np.zeros((ngroups, _CHUNK)), np.zeros((ngroups, _CHUNK), dtype=np.uint8),
        bools[0], bools[1], bools[2], dqs[0], dqs[1],
        floats[0], floats[1], floats[2], floats[3], floats[4],
        np.zeros((4, _CHUNK)), np.zeros((3, _CHUNK), dtype=np.int64),
        np.zeros((ngroups, _CHUNK)), np.zeros((6, _CHUNK)),
        np.empty(ngroups), np.empty(ngroups, dtype=np.uint32),
        np.empty(ngroups, dtype=np.int64), np.empty(ngroups, dtype=np.int64), np.empty(ngroups),
    )  # fmt: skip


@njit(error_model="numpy")
def _start_chunk(chunk, pixeldq, gain, readnoise, dark, root, y, x0, width):
    for c in range(width):
        x = x0 + c
        chunk.gain[c] = gain[y, x]
        chunk.noise[c] = np.float32(readnoise[y, x] * (chunk.gain[c] / root))
        chunk.dark[c] = dark[y, x] if dark.shape[0] > 0 else 0.0
        chunk.base[c] = pixeldq[y, x]
        if not chunk.gain[c] > 0.0:
            chunk.base[c] |= _BAD_GAIN
        chunk.usable[c] = not chunk.base[c] & _INVALID
        chunk.dq[c] = chunk.base[c]
        chunk.rate[c] = 0.0
        chunk.chargeloss[c] = False
        for n in range(3):
            chunk.counts[n, c] = 0
        for n in range(4):
            chunk.totals[n, c] = 0.0


@njit(error_model="numpy")
def _load(chunk, data, groupdq, i, y, x0, width, first, last):
    """Copy one integration into a chunk; groups outside first to last become DO_NOT_USE."""
    for c in range(width):
        chunk.clean[c] = chunk.usable[c]
    for k in range(data.shape[1]):
        values = data[i, k, y, x0 : x0 + width]
        flags = groupdq[i, k, y, x0 : x0 + width]
        left_out = k < first or k > last
        for c in range(width):
            flag = flags[c] | np.uint8(left_out)  # DO_NOT_USE is bit 0
            chunk.flags[k, c] = flag
            chunk.clean[c] &= flag == 0
        for c in range(width):
            value = np.float64(values[c])
            chunk.values[k, c] = value
            chunk.clean[c] &= value - value == 0.0


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
def _median_rates_together(chunk, width, group_time):
    """Find `_median_rate` of unflagged ramps, all columns at once."""
    rows, n = chunk.rows, chunk.values.shape[0] - 1
    for c in range(width):
        rows[n, c] = chunk.values[0, c] / group_time
    for k in range(n):
        for c in range(width):
            value = chunk.values[k + 1, c] / group_time
            rows[k, c] = value - rows[n, c]
            rows[n, c] = value
    _sort_columns(rows, n, width)
    for c in range(width):
        middle = rows[n // 2, c]
        chunk.found[c] = middle if n % 2 else (middle + rows[n // 2 - 1, c]) / 2.0


@njit(error_model="numpy")
def _slopes_together(chunk, width, weights, group_time):
    """Find `_segment_line`'s slope of unflagged ramps, all columns at once."""
    ngroups = chunk.values.shape[0]
    column = ngroups * (ngroups - 1) // 2
    sw, sx, sxx, sy, sxy, inverse = chunk.sums
    row = np.empty(_CHUNK, dtype=np.int64)
    for c in range(width):
        rise = chunk.values[ngroups - 1, c] - chunk.values[0, c]
        row[c] = _power_row(rise, chunk.gain[c], chunk.noise[c])
        inverse[c] = 1.0 / (chunk.noise[c] * chunk.noise[c])
        sw[c] = sx[c] = sxx[c] = sy[c] = sxy[c] = 0.0
    for k in range(ngroups):
        x = np.float64(k)
        for c in range(width):
            weight = weights[row[c], column + k] * inverse[c]
            value = chunk.values[k, c]
            xw = x * weight
            sw[c] += weight
            sx[c] += xw
            sxx[c] += x * xw
            sy[c] += value * weight
            sxy[c] += value * xw
    for c in range(width):
        scale = 1.0 / (sw[c] * sxx[c] - sx[c] * sx[c])
        chunk.found[c] = (sw[c] * sxy[c] - sx[c] * sy[c]) * scale / group_time


@njit(error_model="numpy")
def _take(chunk, c, suppress, zeroframe, i, y, x):
    """Copy one ramp out of a chunk, as it is to be used.

    With `suppress`, ramps with a single good group are left out; without, the zero frame (0 if there is
    none) stands in where no group is good. Returns what the ramp starts with, the numbers of groups that are
    SATURATED, and SATURATED or DO_NOT_USE, and all flags of the integration.
    """
    values, flags = chunk.one, chunk.one_flags
    ngroups = values.size
    good = usable = saturated = lost = 0
    seen = np.uint32(0)
    for k in range(ngroups):
        flag = np.uint32(chunk.flags[k, c])
        flags[k] = flag
        seen |= flag
        good += flag == 0
        usable += (flag & _NOT_PERSISTENCE) == 0
        lost += (flag & _INVALID) != 0
        saturated += (flag & _SATURATED) != 0
        values[k] = math.nan if flag & _SATURATED else chunk.values[k, c]
    kind = _GROUPS
    if suppress:
        if usable == 1:
            lost = ngroups
            for k in range(ngroups):
                flags[k] |= _DO_NOT_USE
    elif good == 1 and flags[0] == 0:
        kind = _FIRST_GROUP_ONLY
    elif good == 0 and zeroframe.shape[0] > 0 and zeroframe[i, y, x] != 0.0:
        kind = _ZERO_FRAME
        values[0] = zeroframe[i, y, x]
        flags[0] = 0
        lost -= 1
        if saturated == ngroups:
            saturated -= 1
    return kind, saturated, lost, seen


@njit(error_model="numpy")
def _median_rates(chunk, together, zeroframe, i, y, x0, width, suppress, times):
    """Add the median rates of one integration to those of the chunk."""
    if together:
        _median_rates_together(chunk, width, times[0])
    for c in range(width):
        if not (together and chunk.clean[c]):
            kind = _take(chunk, c, suppress, zeroframe, i, y, x0 + c)[0]
            alone = times[_FIRST_GROUP_ONLY] if chunk.one.size == 1 else times[kind]
            chunk.found[c] = _median_rate(chunk.one, chunk.one_flags, kind, times[0], alone, chunk.scratch)
        chunk.rate[c] += chunk.found[c]


@njit(error_model="numpy")
def _fit_flagged(chunk, c, taken, weights, times):
    """Fit the segments of one ramp; return its flags, result and sums over segments."""
    kind, saturated, lost, seen = taken
    ngroups = chunk.one.size
    sums = (0.0, 0.0, 0.0, 0.0)
    result = (0.0, 0.0, 0.0, 0.0)
    dq = chunk.base[c] | (seen & _KEPT_FROM_GROUPS)
    chunk.dq[c] |= dq
    count = _usable_segments(chunk.one_flags, lost, chunk.starts, chunk.stops)
    if chunk.one_flags[0] & _SATURATED:
        dq |= _INVALID
    if lost == ngroups:
        dq |= _INVALID if saturated == ngroups else _DO_NOT_USE
    if dq & _INVALID:
        result = (math.nan, 0.0, 0.0, 0.0)
    elif count > 0:
        gain, noise, lone_time = chunk.gain[c], chunk.noise[c], times[kind]
        for s in range(count):
            start, stop = chunk.starts[s], chunk.stops[s]
            slope = _segment_line(chunk.one, start, stop, weights, gain, noise, times[0], lone_time)[0]
            sums = _add_segment(
                sums, slope, stop - start, chunk.rate[c], chunk.dark[c], gain, noise, times[0],
                lone_time,
            )  # fmt: skip
        result = _combine_segments(sums)
    chunk.counts[0, c] += (dq & _DO_NOT_USE) != 0
    chunk.counts[1, c] += (dq & _SATURATED) != 0
    chunk.counts[2, c] += saturated
    if saturated > 0:
        dq |= _SATURATED
    if seen & _CHARGELOSS:
        chunk.chargeloss[c] = True
    return dq, result, sums


@njit(error_model="numpy")
def _fit_integration(
    chunk, together, zeroframe, weights, i, y, x0, width, suppress, times,
    out, out_dq,
):  # fmt: skip
    """Fit the ramps of one integration, and add their sums to those of the exposure."""
    ngroups = chunk.one.size
    if together:
        _slopes_together(chunk, width, weights, times[0])
    for c in range(width):
        x = x0 + c
        if together and chunk.clean[c]:
            dq = chunk.base[c]
            sums = _add_segment(
                (0.0, 0.0, 0.0, 0.0), chunk.found[c], ngroups, chunk.rate[c], chunk.dark[c],
                chunk.gain[c], chunk.noise[c], times[0], times[0],
            )  # fmt: skip
            result = _combine_segments(sums)
        else:
            taken = _take(chunk, c, suppress, zeroframe, i, y, x)
            dq, result, sums = _fit_flagged(chunk, c, taken, weights, times)
        for n in range(4):
            chunk.totals[n, c] += sums[n]
        for n in range(4):
            out[n][i, y, x] = result[n]
        out_dq[i, y, x] = dq


@njit(error_model="numpy")
def _fit_exposure(chunk, nints, y, x0, width, out, out_dq):
    """Combine the integrations."""
    for c in range(width):
        result = _combine_integrations(chunk.totals[:, c])
        dq = chunk.dq[c]
        if chunk.counts[0, c] == nints:
            dq |= _DO_NOT_USE
        if chunk.counts[1, c] == nints:
            dq |= _SATURATED
        if dq & _INVALID:
            result = (math.nan, 0.0, 0.0, 0.0)
        if chunk.counts[2, c] > 0:
            dq |= _SATURATED
        x = x0 + c
        for n in range(4):
            out[n][y, x] = result[n]
        out_dq[y, x] = dq


@njit(error_model="numpy")
def _restore_read_noise(
    chunk, data, groupdq, zeroframe, y, x0, c, first, last, suppress, times, out_vr, outi_vr
):  # fmt: skip
    """Read-noise variances of a pixel as if no group had been dropped for CHARGELOSS.

    Charge migration drops groups for their signal, which would bias the weights of pixels.
    """
    total = 0.0
    x = x0 + c
    for i in range(data.shape[0]):
        _load(chunk, data, groupdq, i, y, x0, c + 1, first, last)
        kind, _, lost, seen = _take(chunk, c, suppress, zeroframe, i, y, x)
        if seen & _CHARGELOSS:
            for k in range(chunk.one_flags.size):
                flag = np.uint32(chunk.flags[k, c])
                chunk.one_flags[k] = flag & _CHARGELOSS_UNDO if flag & _CHARGELOSS else flag
            count = _find_segments(chunk.one_flags, chunk.starts, chunk.stops)
        else:
            count = _usable_segments(chunk.one_flags, lost, chunk.starts, chunk.stops)
            if not chunk.usable[c]:
                count = 0
        by_read = 0.0
        for s in range(count):
            length = chunk.stops[s] - chunk.starts[s]
            read = _read_variance(length, chunk.gain[c], chunk.noise[c], times[0], times[kind])
            if read > 0.0:
                by_read += 1.0 / read
        read = _variance(by_read)
        if seen & _CHARGELOSS:
            outi_vr[i, y, x] = read
            total += by_read
        elif read > 0.0:
            total += 1.0 / read
    if total > 0.0:
        out_vr[y, x] = _variance(total)


@njit(
    sig.void(
        sig.r_f32_4, sig.r_u8_4, sig.r_u32_2, sig.r_f32_3, sig.r_f32_2, sig.r_f32_2, sig.r_f32_2, sig.r_f64_2,
        sig.i64, sig.i64, sig.b1, sig.f64, sig.f64, sig.f64, sig.f64,
        UniTuple(sig.w_f32_2, 4), sig.w_u32_2, UniTuple(sig.w_f32_3, 4), sig.w_u32_3, sig.i64, sig.i64,
    ),
    nogil=True, cache=True, error_model="numpy",
)  # fmt: skip
def fit_ramps(
    data, groupdq, pixeldq, zeroframe, dark, gain, readnoise, weights,
    first, last, suppress, root, group_time, first_group_time, frame_time,
    out, out_dq, outi, outi_dq, y0, y1,
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
    weights : (6, ngroups (ngroups + 1) / 2)
        From `segment_weights`.
    first, last : int
        Groups outside are not used.
    suppress : bool
        Do not use ramps with a single good group.
    root : float
        sqrt(2 nframes): from the CDS noise to that of a group average.
    group_time, first_group_time, frame_time : float
        Time, s, between groups, up to the middle of the first group, and of one frame.
    out, outi : four of (ny, nx), four of (nints, ny, nx)
        Slope and error, DN/s, Poisson and read-noise variance, DN^2/s^2; flags in `out_dq`, `outi_dq`.
    """
    nints, ngroups, _, nx = data.shape
    times = (group_time, first_group_time, frame_time)
    together = 2 < ngroups <= _MAX_GROUPS_SORTED_TOGETHER
    chunk = _new_chunk(ngroups)
    for y in range(y0, y1):
        for x0 in range(0, nx, _CHUNK):
            width = min(_CHUNK, nx - x0)
            _start_chunk(chunk, pixeldq, gain, readnoise, dark, root, y, x0, width)
            for i in range(nints):
                _load(chunk, data, groupdq, i, y, x0, width, first, last)
                _median_rates(chunk, together, zeroframe, i, y, x0, width, suppress, times)
            for c in range(width):
                chunk.rate[c] /= nints
            for i in range(nints):
                if nints > 1:
                    _load(chunk, data, groupdq, i, y, x0, width, first, last)
                _fit_integration(
                    chunk, together, zeroframe, weights, i, y, x0, width, suppress, times,
                    outi, outi_dq,
                )  # fmt: skip
            _fit_exposure(chunk, nints, y, x0, width, out, out_dq)
            for c in range(width):
                if chunk.chargeloss[c]:
                    _restore_read_noise(
                        chunk, data, groupdq, zeroframe, y, x0, c, first, last, suppress,
                        times, out[3], outi[3],
                    )  # fmt: skip


@njit(
    sig.i64(
        sig.r_f32_4, sig.r_u8_4, sig.r_f32_3, sig.r_f64_2,
        sig.i64, sig.i64, sig.i64, sig.i64, sig.i64, sig.b1,
        sig.f64, sig.f64, sig.f64, sig.f64, sig.f64, sig.f64, sig.w_f64_2,
    ),
    nogil=True, cache=True, error_model="numpy",
)  # fmt: skip
def fit_line_segments(
    data, groupdq, zeroframe, weights, i, y, x, first, last, suppress,
    gain, readnoise, root, group_time, first_group_time, frame_time, out_lines,
):  # fmt: skip
    """Write first group, last group, slope (DN/s) and value at time 0 (DN) of one ramp's segments.

    The arguments are those of `fit_ramps`, for integration `i` of pixel (`y`, `x`); group k lies at
    `first_group_time` + k `group_time`. Returns the number of segments, at most ngroups.
    """
    ngroups = data.shape[1]
    chunk = _new_chunk(ngroups)
    _load(chunk, data, groupdq, i, y, x, 1, first, last)
    kind, _, lost, _ = _take(chunk, 0, suppress, zeroframe, i, y, x)
    lone_time = (group_time, first_group_time, frame_time)[kind]
    noise = np.float64(np.float32(readnoise * (gain / root)))
    count = _usable_segments(chunk.one_flags, lost, chunk.starts, chunk.stops)
    for s in range(count):
        start, stop = chunk.starts[s], chunk.stops[s]
        slope, at_group_0 = _segment_line(chunk.one, start, stop, weights, gain, noise, group_time, lone_time)
        out_lines[s, 0] = start
        out_lines[s, 1] = stop - 1
        out_lines[s, 2] = slope
        out_lines[s, 3] = at_group_0 - slope * first_group_time
    return count
