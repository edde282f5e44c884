"""Cosmic-ray jumps in ramps: two-point differences against the pixel's median difference.

Pixels are screened many at a time in single precision, with a margin; those that could hold a jump are
decided one by one with the official precision: differences in single, statistics in double.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    b1,
    f64,
    i64,
    r_f32_2,
    r_f32_4,
    r_u8_4,
    void,
    w_f32_3,
    w_i64_1,
    w_u8_4,
)

__all__ = ["GIVEN", "ITERATIVE", "ONE_PASS", "clip_across_integrations", "find_jumps", "typical_differences"]

GIVEN, ONE_PASS, ITERATIVE = 0, 1, 2
"""How `find_jumps` finds them: they are already flagged, in a single pass, or one at a time."""

_DO_NOT_USE = np.uint8(DQ.DO_NOT_USE)
_JUMP_DET = np.uint8(DQ.JUMP_DET)
_NOT_JUMP_DET = np.uint8(0xFF & ~DQ.JUMP_DET)
_INVALID = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)
_TO_LOOK_AT = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED | DQ.JUMP_DET)

# Pixels screened together, and the most differences per pixel that are worth it.
_CHUNK = 64
_MAX_DIFFERENCES_SCREENED = 1024
# Passes of the clipping across integrations (default of astropy.stats.sigma_clip).
_CLIPPING_PASSES = 5


@njit(error_model="numpy")
def _sort_columns(rows, n):
    """Sort rows[:n] of every column, by Batcher's odd-even merge exchange (Knuth 5.2.2, algorithm M)."""
    p = 1
    while p < n:
        k = p
        while k >= 1:
            for j in range(k % p, n - k, 2 * k):
                for i in range(j, min(j + k, n - k)):
                    if i // (2 * p) == (i + k) // (2 * p):
                        for c in range(_CHUNK):
                            a, b = rows[i, c], rows[i + k, c]
                            rows[i, c] = a if a < b else b
                            rows[i + k, c] = b if a < b else a
            k //= 2
        p *= 2


@njit(error_model="numpy")
def _usual_flags(groupdq, y, out_usual):
    """DO_NOT_USE for the groups where most pixels of a row have it, 0 for the others."""
    nints, ngroups, _, nx = groupdq.shape
    for i in range(nints):
        for k in range(ngroups):
            lost = 0
            for x in range(nx):
                lost += (groupdq[i, k, y, x] & _DO_NOT_USE) != 0
            out_usual[i, k] = _DO_NOT_USE if 2 * lost > nx else 0


@njit(error_model="numpy")
def _screen(
    data, groupdq, usual, gain, readnoise, nframes, mode, thresholds, y, x0, width, rows, previous, seen
):  # fmt: skip
    """Set seen[c] to 0 where pixel x0 + c of row y has the usual flags only and surely no jump."""
    nints, ngroups = data.shape[:2]
    seen[:width] = 0
    n = 0
    for i in range(nints):
        for k in range(ngroups):
            values = data[i, k, y, x0 : x0 + width]
            flags = groupdq[i, k, y, x0 : x0 + width]
            for c in range(width):
                seen[c] |= (flags[c] & _TO_LOOK_AT) ^ usual[i, k]
            for c in range(width):
                value = values[c] * gain[y, x0 + c]
                step = value - previous[c]
                rows[n, c] = abs(step) if mode == ITERATIVE else step
                previous[c] = value
            if k > 0 and not (usual[i, k] | usual[i, k - 1]):
                for c in range(width):
                    seen[c] |= rows[n, c] - rows[n, c] != np.float32(0.0)
                n += 1
    if n == 0:  # there is nothing to compare
        seen[:width] = 1
        return
    _sort_columns(rows, n)
    m = n - 1 if mode == ITERATIVE and n > 3 else n
    threshold = thresholds[0]
    if mode == ITERATIVE and n < 4:
        threshold = thresholds[1] if n == 3 else thresholds[2]
    for c in range(width):
        top, bottom = rows[n - 1, c], rows[0, c]
        median = rows[m // 2, c]
        if m % 2 == 0:
            median = (median + rows[m // 2 - 1, c]) * np.float32(0.5)
        if mode == ITERATIVE and n == 2:
            median = bottom
        if m < n and rows[n - 2, c] == top:
            seen[c] |= 1
        noise = readnoise[y, x0 + c] * gain[y, x0 + c]
        limit = 0.9999 * threshold * math.sqrt(abs(median) + noise * noise / nframes)
        largest = max(top - median, median - bottom) + 1e-6 * max(abs(top), abs(bottom))
        if not largest <= limit:
            seen[c] |= 1


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
def _differences(data, groupdq, gain, y, x, steps):
    """Differences of adjacent groups of all integrations, electron; NaN beside unusable groups."""
    nints, ngroups = data.shape[:2]
    r = 0
    for i in range(nints):
        before = np.float32(math.nan)
        for k in range(ngroups):
            value = np.float32(math.nan)
            if not groupdq[i, k, y, x] & _INVALID:
                value = np.float32(data[i, k, y, x] * gain[y, x])
            if k > 0:
                steps[r] = np.float32(value - before)
                r += 1
            before = value


@njit(error_model="numpy")
def _centre_and_sigma(steps, variance, scratch):
    """Median of the usable differences and the noise expected of one; NaN without either."""
    n = 0
    for step in steps:
        if not math.isnan(step):
            scratch[n] = step
            n += 1
    if n == 0:
        return math.nan, math.nan
    median = _median(scratch, n)
    sigma = math.sqrt(abs(median) + variance)
    return median, sigma if sigma > 0.0 else math.nan


@njit(error_model="numpy")
def _flag_at_once(steps, variance, threshold, scratch, jumps):
    """Flag all differences further than `threshold` sigma from the median; return their number."""
    median, sigma = _centre_and_sigma(steps, variance, scratch)
    found = 0
    for r in range(steps.size):
        if abs(steps[r] - median) / sigma > threshold and math.isfinite(steps[r]) and not jumps[r]:
            jumps[r] = True
            found += 1
    return found


@njit(error_model="numpy")
def _flag_one_by_one(steps, variance, thresholds, sizes, scratch, jumps):
    """Flag the most deviant difference, leave it out, and look again; return the number found.

    Absolute differences are used; the median is that without the largest where four or more are left.
    """
    for r in range(steps.size):
        sizes[r] = abs(steps[r])
    found = 0
    first = True
    while True:
        usable = 0
        largest = -1.0
        for size in sizes:
            if not math.isnan(size):
                usable += 1
                largest = max(largest, size)
        if usable < 2:
            return found
        n = 0
        for size in sizes:
            if not math.isnan(size) and (usable < 4 or size != largest):
                scratch[n] = size
                n += 1
        if n == 0:
            return found
        if usable == 2:
            median, threshold = min(scratch[0], scratch[1]), thresholds[2]
        else:
            median = _median(scratch, n)
            threshold = thresholds[1] if usable == 3 else thresholds[0]
        if not first:
            median = np.float64(np.float32(median))
        first = False
        sigma = math.sqrt(abs(median) + variance)
        if not sigma > 0.0:
            return found
        worst = -1.0
        for r in range(sizes.size):
            ratio = np.float64(abs(np.float32(sizes[r] - median))) / sigma
            scratch[r] = ratio
            if ratio > worst:
                worst = ratio
        if not worst > threshold:
            return found
        for r in range(sizes.size):
            if scratch[r] == worst:
                found += not jumps[r]
                jumps[r] = True
                sizes[r] = math.nan


@njit(error_model="numpy")
def _flag_neighbours(
    groupdq, steps, variance, limits, scratch, jumps, y, x, y0, y1, out_groupdq
):  # fmt: skip
    """Flag the four neighbours of jumps between `limits` sigma, in rows y0 to y1."""
    nints, ngroups, _, nx = groupdq.shape
    median, sigma = _centre_and_sigma(steps, variance, scratch)
    r = 0
    for i in range(nints):
        for k in range(1, ngroups):
            if jumps[r] and limits[0] < abs(steps[r] - median) / sigma < limits[1]:
                for yy, xx in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                    if y0 <= yy < y1 and 0 <= xx < nx and not groupdq[i, k, yy, xx] & _INVALID:
                        out_groupdq[i, k, yy, xx] |= _JUMP_DET
            r += 1


@njit(error_model="numpy")
def _flag_afterwards(groupdq, steps, after, scratch, y, x, out_groupdq):
    """Flag the groups after jumps that are larger than given limits, electron."""
    nints, ngroups = groupdq.shape[:2]
    median = _centre_and_sigma(steps, 0.0, scratch)[0]
    size1, count1, size2, count2 = after
    for i in range(nints):
        # Backwards, so that what is flagged here is not taken for a jump itself.
        for k in range(ngroups - 1, 0, -1):
            if not out_groupdq[i, k, y, x] & _JUMP_DET:
                continue
            size = steps[i * (ngroups - 1) + k - 1] - median
            count = count1 if size >= size1 else 0
            if size >= size2:
                count = max(count, count2)
            for later in range(k + 1, min(k + 1 + count, ngroups)):
                if not groupdq[i, later, y, x] & _INVALID:
                    out_groupdq[i, later, y, x] |= _JUMP_DET


@kernel(
    void(
        r_f32_4, r_u8_4, r_f32_2, r_f32_2, f64, i64, f64, f64, f64, b1, f64, f64,
        f64, i64, f64, i64, w_u8_4, w_i64_1, i64, i64,
    ),
    error_model="numpy",
)  # fmt: skip
def find_jumps(
    data, groupdq, gain, readnoise, nframes, mode, threshold, threshold_3, threshold_2,
    neighbours, neighbours_from, neighbours_to, after_size1, after_count1, after_size2, after_count2,
    out_groupdq, out_count, y0, y1,
):  # fmt: skip
    """Flag jumps, their neighbours and the groups after them in rows y0 to y1.

    Parameters
    ----------
    data, groupdq : (nints, ngroups, ny, nx)
        Group values, DN, and their flags.
    gain, readnoise : (ny, nx)
        electron/DN, and correlated-double-sampling read noise, DN.
    nframes : float
        Frames averaged per group.
    mode : int
        `GIVEN`, `ONE_PASS` or `ITERATIVE`.
    threshold, threshold_3, threshold_2 : float
        Rejection thresholds, sigma, with four and more, three, and two usable differences.
    neighbours : bool
        Flag the four neighbours of jumps of `neighbours_from` to `neighbours_to` sigma.
    after_size1, after_count1, after_size2, after_count2
        Flag so many groups after jumps of at least that size, electron.
    out_groupdq : (nints, ngroups, ny, nx)
        Flags with the jumps; none on unusable groups.
    out_count : (ny,)
        Flags JUMP_DET in each row before neighbours and later groups are added.
    """
    nints, ngroups, ny, nx = data.shape
    n = nints * (ngroups - 1)
    thresholds = (threshold, threshold_3, threshold_2)
    rows = np.zeros((min(n, _MAX_DIFFERENCES_SCREENED) + 1, _CHUNK), dtype=np.float32)
    previous = np.zeros(_CHUNK, dtype=np.float32)
    seen = np.ones(_CHUNK, dtype=np.uint8)
    steps = np.empty(n, dtype=np.float64)
    sizes = np.empty(n, dtype=np.float64)
    scratch = np.empty(n, dtype=np.float64)
    jumps = np.empty(n, dtype=np.bool_)
    usual = np.empty((nints, ngroups), dtype=np.uint8)
    if y1 > y0:
        _usual_flags(groupdq, y0, usual)

    for y in range(y0, y1):
        out_count[y] = 0
    for i in range(nints):
        for k in range(ngroups):
            for y in range(y0, y1):
                count = 0
                for x in range(nx):
                    flag = groupdq[i, k, y, x]
                    out_groupdq[i, k, y, x] = flag & _NOT_JUMP_DET if flag & _INVALID else flag
                    count += (flag & _JUMP_DET) != 0
                out_count[y] += count

    # The rows beside the band may hold jumps whose neighbours are in it.
    for y in range(max(y0 - 1, 0), min(y1 + 1, ny)):
        for x0 in range(0, nx, _CHUNK):
            width = min(_CHUNK, nx - x0)
            if mode != GIVEN and n <= _MAX_DIFFERENCES_SCREENED:
                _screen(
                    data, groupdq, usual, gain, readnoise, nframes, mode, thresholds, y, x0, width,
                    rows, previous, seen,
                )  # fmt: skip
            for c in range(width):
                if not seen[c]:
                    continue
                x = x0 + c
                any_jump = False
                for i in range(nints):
                    for k in range(1, ngroups):
                        jump = (groupdq[i, k, y, x] & _JUMP_DET) != 0
                        jumps[i * (ngroups - 1) + k - 1] = jump
                        any_jump |= jump
                if mode == GIVEN and not any_jump:
                    continue
                noise = np.float32(readnoise[y, x] * gain[y, x])
                variance = np.float64(np.float32(noise * noise)) / nframes
                _differences(data, groupdq, gain, y, x, steps)
                found = 0
                if mode == ONE_PASS:
                    found = _flag_at_once(steps, variance, threshold, scratch, jumps)
                elif mode == ITERATIVE:
                    found = _flag_one_by_one(steps, variance, thresholds, sizes, scratch, jumps)
                if found and y0 <= y < y1:
                    out_count[y] += found
                    for i in range(nints):
                        for k in range(1, ngroups):
                            jump = jumps[i * (ngroups - 1) + k - 1]
                            if jump and not groupdq[i, k, y, x] & _INVALID:
                                out_groupdq[i, k, y, x] |= _JUMP_DET
                if neighbours and (found or any_jump):
                    _flag_neighbours(
                        groupdq, steps, variance, (neighbours_from, neighbours_to), scratch, jumps,
                        y, x, y0, y1, out_groupdq,
                    )  # fmt: skip

    if after_count1 > 0 or after_count2 > 0:
        after = (after_size1, after_count1, after_size2, after_count2)
        for y in range(y0, y1):
            for x in range(nx):
                any_jump = False
                for i in range(nints):
                    for k in range(1, ngroups):
                        any_jump |= (out_groupdq[i, k, y, x] & _JUMP_DET) != 0
                if any_jump:
                    _differences(data, groupdq, gain, y, x, steps)
                    _flag_afterwards(groupdq, steps, after, scratch, y, x, out_groupdq)


@njit(error_model="numpy")
def _clipping_bounds(values, n, nsigma):
    """Bounds outside which values are clipped; values[:n] are reordered.

    Sigma clipping about the median with the standard deviation, as astropy.stats.sigma_clip does.
    """
    low = high = math.nan
    for _ in range(_CLIPPING_PASSES):
        if n == 0:
            break
        median = _median(values, n)
        mean = 0.0
        for k in range(n):
            mean += values[k]
        mean /= n
        variance = 0.0
        for k in range(n):
            variance += (values[k] - mean) ** 2
        sigma = math.sqrt(variance / n)
        low, high = median - nsigma * sigma, median + nsigma * sigma
        kept = 0
        for k in range(n):
            if low <= values[k] <= high:
                values[kept] = values[k]
                kept += 1
        if kept == n:
            break
        n = kept
    return low, high


@kernel(
    void(r_f32_4, r_u8_4, r_f32_2, f64, b1, w_u8_4, i64, i64),
    error_model="numpy",
)  # fmt: skip
def clip_across_integrations(data, groupdq, gain, nsigma, same_group, out_groupdq, y0, y1):
    """Flag differences that sigma clipping rejects, in rows y0 to y1.

    Each is compared with the same difference of all integrations (`same_group`), or with all
    differences of the pixel. Arguments as for `find_jumps`.
    """
    nints, ngroups, _, nx = data.shape
    ndiffs = ngroups - 1
    steps = np.empty(nints * ndiffs, dtype=np.float64)
    scratch = np.empty(nints * ndiffs, dtype=np.float64)
    stride = ndiffs if same_group else 1
    for y in range(y0, y1):
        for x in range(nx):
            for i in range(nints):
                for k in range(ngroups):
                    out_groupdq[i, k, y, x] = groupdq[i, k, y, x]
            _differences(data, groupdq, gain, y, x, steps)
            for start in range(stride):
                n = 0
                for r in range(start, steps.size, stride):
                    if math.isfinite(steps[r]):
                        scratch[n] = steps[r]
                        n += 1
                low, high = _clipping_bounds(scratch, n, nsigma)
                for r in range(start, steps.size, stride):
                    if math.isfinite(steps[r]) and (steps[r] < low or steps[r] > high):
                        out_groupdq[r // ndiffs, r % ndiffs + 1, y, x] |= _JUMP_DET


@njit(error_model="numpy")
def _value(data, groupdq, gain, i, k, y, x):
    """Group value, electron; NaN where unusable, or flagged as just a jump."""
    flags = groupdq[i, k, y, x]
    if flags & _INVALID or flags == _JUMP_DET:
        return np.float32(math.nan)
    return np.float32(data[i, k, y, x] * gain[y, x])


@njit(error_model="numpy")
def _medians(data, groupdq, gain, y, x0, width, rows, previous, counts, out_centre):
    """Median of all differences of some adjacent pixels of a row; NaN without any."""
    nints, ngroups = data.shape[:2]
    counts[:width] = 0
    r = 0
    for i in range(nints):
        for c in range(width):
            previous[c] = _value(data, groupdq, gain, i, 0, y, x0 + c)
        for k in range(1, ngroups):
            for c in range(width):
                value = _value(data, groupdq, gain, i, k, y, x0 + c)
                step = np.float32(value - previous[c])
                known = not math.isnan(step)
                rows[r, c] = step if known else np.float32(math.inf)  # sorted behind the others
                counts[c] += known
                previous[c] = value
            r += 1
    _sort_columns(rows, r)
    for c in range(width):
        n = counts[c]
        low, high = rows[max(n - 1, 0) // 2, c], rows[n // 2, c]
        out_centre[0, y, x0 + c] = (np.float64(low) + high) / 2.0 if n > 0 else math.nan


@njit(error_model="numpy")
def _clipped(data, groupdq, gain, nsigma, y, x, steps, scratch, out_centre, out_sigma):
    """Median and standard deviation of each difference across integrations, sigma-clipped."""
    nints, ngroups = data.shape[:2]
    for start in range(ngroups - 1):
        n = 0
        for i in range(nints):
            before = _value(data, groupdq, gain, i, start, y, x)
            steps[i] = np.float32(_value(data, groupdq, gain, i, start + 1, y, x) - before)
            if math.isfinite(steps[i]):
                scratch[n] = steps[i]
                n += 1
        low, high = _clipping_bounds(scratch, n, nsigma)
        n = 0
        total = np.float32(0.0)
        for i in range(nints):
            if low <= steps[i] <= high:
                scratch[n] = steps[i]
                total = np.float32(total + np.float32(steps[i]))
                n += 1
        mean = np.float32(total / np.float32(n))
        total = np.float32(0.0)
        for i in range(n):
            deviation = np.float32(np.float32(scratch[i]) - mean)
            total = np.float32(total + np.float32(deviation * deviation))
        out_sigma[start, y, x] = math.sqrt(np.float32(total / np.float32(n)))
        out_centre[start, y, x] = _median(scratch, n) if n > 0 else math.nan


@kernel(
    void(r_f32_4, r_u8_4, r_f32_2, r_f32_2, f64, f64, w_f32_3, w_f32_3, i64, i64),
    error_model="numpy",
)  # fmt: skip
def typical_differences(data, groupdq, gain, readnoise, nframes, nsigma, out_centre, out_sigma, y0, y1):
    """Centre and scatter of the differences of each pixel, in rows y0 to y1; NaN without any.

    With one plane in the outputs, these are the median of all differences and the noise expected of one. With
    one plane per difference, they are the median and standard deviation across integrations, sigma-clipped.
    Differences with groups that are unusable, or whose flags are just JUMP_DET, do not count.

    Parameters
    ----------
    data, groupdq, gain, readnoise, nframes
        As for `find_jumps`.
    nsigma : float
        Where to clip across integrations.
    out_centre, out_sigma : (1 or ngroups - 1, ny, nx)
        Electron. Single precision, with sums in the order of the integrations, as in the official code.
    """
    nints, ngroups, _, nx = data.shape
    if out_centre.shape[0] > 1:
        steps = np.empty(nints, dtype=np.float64)
        scratch = np.empty(nints, dtype=np.float64)
        for y in range(y0, y1):
            for x in range(nx):
                _clipped(data, groupdq, gain, nsigma, y, x, steps, scratch, out_centre, out_sigma)
        return
    rows = np.zeros((nints * (ngroups - 1) + 1, _CHUNK), dtype=np.float32)
    previous = np.zeros(_CHUNK, dtype=np.float32)
    counts = np.zeros(_CHUNK, dtype=np.int64)
    for y in range(y0, y1):
        for x0 in range(0, nx, _CHUNK):
            width = min(_CHUNK, nx - x0)
            _medians(data, groupdq, gain, y, x0, width, rows, previous, counts, out_centre)
            for x in range(x0, x0 + width):
                noise = np.float32(readnoise[y, x] * gain[y, x])
                variance = np.float32(np.float32(noise * noise) / np.float32(nframes))
                out_sigma[0, y, x] = math.sqrt(np.float32(abs(out_centre[0, y, x]) + variance))
