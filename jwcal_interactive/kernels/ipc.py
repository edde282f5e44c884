"""Convolution with the kernel that undoes inter-pixel capacitance."""

from __future__ import annotations

import numpy as np
from numba import njit

from jwcal_interactive.kernels.signatures import i64, r_f32_2, r_f32_4, void, w_f32_4

__all__ = ["convolve", "convolve_varying"]


@njit(inline="always")
def _gather(plane, y, kny, knx, low, high, left, right, out_rows):
    """Rows of science pixels under a kernel centred on row ``y``, with zeros beyond them.

    Rows are in the order in which a convolution meets them, from above to below; the first science
    pixel is at ``knx // 2``.
    """
    for j in range(kny):
        v = y + kny // 2 - j
        out_rows[j, :] = 0
        if low <= v < high:
            out_rows[j, knx // 2 : knx // 2 + right - left] = plane[v, left:right]


@njit(void(r_f32_4, r_f32_2, i64, i64, i64, i64, w_f32_4, i64, i64), nogil=True, cache=True)
def convolve(data, kernel, low, high, left, right, out_data, y0, y1):
    """Convolve the science pixels of each group with one kernel, in float32.

    The products are summed in the order of the kernel's elements, the central one last. Pixels
    beyond the science pixels count as 0; reference pixels stay as they are.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    kernel : float32 (kny, knx)
        Odd numbers of rows and columns.
    low, high, left, right : int
        Science pixels are ``low <= y < high`` and ``left <= x < right``.
    out_data : float32 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups = data.shape[:2]
    kny, knx = kernel.shape
    width = right - left
    rows = np.empty((kny, width + knx - 1), np.float32)
    middle = (kny // 2, knx // 2)
    for i in range(nints):
        for g in range(ngroups):
            for y in range(y0, y1):
                out_data[i, g, y] = data[i, g, y]
                if not low <= y < high:
                    continue
                _gather(data[i, g], y, kny, knx, low, high, left, right, rows)
                out = out_data[i, g, y, left:right]
                out[:] = 0
                for j in range(kny):
                    for k in range(knx):
                        if (j, k) != middle:
                            factor, row = kernel[j, k], rows[j, knx - 1 - k :]
                            for x in range(width):
                                out[x] += factor * row[x]
                factor, row = kernel[middle], rows[kny // 2, knx // 2 :]
                for x in range(width):
                    out[x] += factor * row[x]


@njit(void(r_f32_4, r_f32_4, i64, i64, i64, i64, w_f32_4, i64, i64), nogil=True, cache=True)
def convolve_varying(data, kernel, low, high, left, right, out_data, y0, y1):
    """Convolve as `convolve` does, with a kernel of its own for each pixel that is corrected.

    Parameters are those of `convolve` but for ``kernel`` : float32 (kny, knx, ny, nx).
    """
    nints, ngroups = data.shape[:2]
    kny, knx = kernel.shape[:2]
    width = right - left
    rows = np.empty((kny, width + knx - 1), np.float32)
    middle = (kny // 2, knx // 2)
    for i in range(nints):
        for g in range(ngroups):
            for y in range(y0, y1):
                out_data[i, g, y] = data[i, g, y]
                if not low <= y < high:
                    continue
                _gather(data[i, g], y, kny, knx, low, high, left, right, rows)
                out = out_data[i, g, y, left:right]
                out[:] = 0
                for j in range(kny):
                    for k in range(knx):
                        if (j, k) != middle:
                            factors, row = kernel[j, k, y, left:right], rows[j, knx - 1 - k :]
                            for x in range(width):
                                out[x] += factors[x] * row[x]
                factors = kernel[middle[0], middle[1], y, left:right]
                row = rows[kny // 2, knx // 2 :]
                for x in range(width):
                    out[x] += factors[x] * row[x]
