"""Wave of interference in what is left of ramps: residuals, sorting by phase, subtraction."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    f64,
    i64,
    r_f32_2,
    r_f32_4,
    r_f64_1,
    r_f64_2,
    void,
    w_f32_1,
    w_f32_3,
    w_f32_4,
    w_i64_1,
)

__all__ = ["quad_residuals", "sort_by_phase", "subtract_table"]


@njit(inline="always")
def _phase(row_start, quad, nquads, samples, last_column, period):
    """Phase of the wave where a pixel is read, by whole pixel clocks."""
    clock = row_start + quad * samples
    if quad == nquads - 1:
        clock += last_column
    periods = math.floor(clock) / period
    return periods - math.floor(periods)


@njit(inline="always")
def _bin(phase, nbins):
    """Bin whose lower limit is below the phase and whose upper limit is not; -1 for phase 0."""
    b = int(phase * nbins)
    while b >= 0 and phase <= b / nbins:
        b -= 1
    while phase > (b + 1) / nbins:
        b += 1
    return b


@njit(inline="always")
def _median(values):
    """Median in the precision of the values, which are reordered; of two or fewer, the lowest (Hoare 1961)."""
    n = values.size
    if n <= 2:
        return values.min()
    k = n // 2
    low, high = 0, n - 1
    while low < high:
        pivot = values[k]
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
        if j < k:
            low = i
        if k < i:
            high = j
    if n % 2:
        return values[k]
    return np.float32(np.float32(values[:k].max() + values[k]) / 2)


@kernel(void(r_f32_4, i64, w_f32_3, i64, i64))
def quad_residuals(data, i, out_left, y0, y1):
    """Take slopes and fixed pattern off one integration, and average over quads of columns.

    The slope (least squares, float64) and the median of a pixel come from all but the first and last group.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN; at least four groups.
    i : int
        Integration.
    out_left : float32 (ngroups, ny, nx / 4)
        DN. Quads 1 and 2 are the mean of quads 0 and 3. NaN where the slope is not finite.
    y0, y1 : int
        Band of rows.
    """
    _, ngroups, _, nx = data.shape
    n = ngroups - 2
    sum_t, sum_tt = 0.0, 0.0
    for k in range(n):
        sum_t += k
        sum_tt += float(k) * k
    left = np.empty((ngroups, 4), np.float32)
    values = np.empty(n, np.float32)
    for y in range(y0, y1):
        for quad in range(nx // 4):
            for j in range(4):
                x = 4 * quad + j
                sum_d, sum_td = 0.0, 0.0
                for k in range(n):
                    sum_d += data[i, k + 1, y, x]
                    sum_td += k * np.float64(data[i, k + 1, y, x])
                slope = (n * sum_td - sum_t * sum_d) / (n * sum_tt - sum_t * sum_t)
                if not math.isfinite(slope):
                    slope = np.nan
                for g in range(ngroups):
                    left[g, j] = data[i, g, y, x] - slope * g
                values[:] = left[1 : ngroups - 1, j]
                pattern = _median(values)
                for g in range(ngroups):
                    left[g, j] -= pattern
            for g in range(ngroups):
                total = left[g, 0] + left[g, 1] + left[g, 2] + left[g, 3]
                out_left[g, y, quad] = total / 4
        for g in range(ngroups):
            mean = np.float32(out_left[g, y, 0] + out_left[g, y, 3]) / 2
            out_left[g, y, 1] = mean
            out_left[g, y, 2] = mean


@kernel(void(r_f32_2, f64, f64, f64, f64, f64, w_i64_1, w_f32_1))
def sort_by_phase(left, start, row_clocks, samples, last_column, period, next_place, out_values):
    """Put the finite values of one group into the places of their bins of phase.

    Called with empty ``out_values``, it counts instead: ``next_place`` grows all the same.

    Parameters
    ----------
    left : float32 (ny, nx / 4)
        DN.
    start, row_clocks, samples, last_column, period : float
        Clock of the first pixel; clocks from row to row, from quad to quad, added to the last quad; period.
    next_place : int64 (nbins,)
        Where the next value of each bin goes.
    out_values : float32
        DN.
    """
    ny, nquads = left.shape
    for y in range(ny):
        for quad in range(nquads):
            if not math.isfinite(left[y, quad]):
                continue
            phase = _phase(start + y * row_clocks, quad, nquads, samples, last_column, period)
            b = _bin(phase, next_place.size)
            if b >= 0:
                if out_values.size:
                    out_values[next_place[b]] = left[y, quad]
                next_place[b] += 1


@kernel(void(r_f32_4, r_f64_2, r_f64_1, f64, f64, f64, f64, i64, i64, i64, w_f32_4, i64, i64))
def subtract_table(
    data, starts, table, row_clocks, samples, last_column, period, nquads, row0, column0, out_data, y0, y1
):
    """Subtract from every pixel the value of a table of one period, rounding once.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN; may be ``out_data``.
    starts : float64 (nints, ngroups)
        Clock of the first pixel of each group.
    table : float64 (n,)
        DN, by pixel clock since the begin of a period; ``n`` is the period, rounded up.
    row_clocks, samples, last_column, period : float
        As `sort_by_phase`.
    nquads : int
        Quads of columns of the frame that was read.
    row0, column0 : int
        Place of the array in that frame.
    out_data : float32 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows of the array.
    """
    nints, ngroups, _, nx = data.shape
    for i in range(nints):
        for g in range(ngroups):
            for y in range(y0, y1):
                start = starts[i, g] + (row0 + y) * row_clocks
                signal = 0.0
                for x in range(nx):
                    if x == 0 or (column0 + x) % 4 == 0:
                        phase = _phase(start, (column0 + x) // 4, nquads, samples, last_column, period)
                        signal = table[min(int(phase * period), table.size - 1)]
                    out_data[i, g, y, x] = data[i, g, y, x] - signal
