"""Convolution with the kernel that undoes inter-pixel capacitance."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import i64, r_f32_4, void, w_f32_4

__all__ = ["convolve"]


@kernel(void(r_f32_4, r_f32_4, i64, i64, i64, i64, w_f32_4, i64, i64))
def convolve(data, kernel, low, high, left, right, out_data, y0, y1):
    """Convolve the science pixels of each group with the kernel of the corrected pixel, in float32.

    The products are summed in the order of the kernel's elements, the central one last. Pixels beyond the
    science pixels count as 0; reference pixels stay as they are.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    kernel : float32 (kny, knx, ny, nx) or (kny, knx, 1, nx)
        Odd numbers of kernel rows and columns; one kernel for each pixel, or for each column.
    low, high, left, right : int
        Science pixels are ``low <= y < high`` and ``left <= x < right``.
    out_data : float32 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = data.shape
    kny, knx = kernel.shape[:2]
    width = right - left
    # Science pixels of the rows under the kernel, in the order in which a convolution meets them, with
    # zeros on both sides.
    rows = np.zeros((kny, max(width, 0) + knx - 1), np.float32)
    for i in range(nints):
        for g in range(ngroups):
            for y in range(y0, y1):
                for x in range(nx):
                    out_data[i, g, y, x] = data[i, g, y, x]
                if not low <= y < high:
                    continue
                for j in range(kny):
                    v = y + kny // 2 - j
                    row = rows[j, knx // 2 :]
                    for x in range(width):
                        row[x] = data[i, g, v, left + x] if low <= v < high else np.float32(0)
                out = out_data[i, g, y, left:]
                for x in range(width):
                    out[x] = 0
                own = min(y, kernel.shape[2] - 1)
                middle = kny * knx // 2
                for n in range(kny * knx):
                    # Skips the middle, which comes at the end.
                    element = middle if n == kny * knx - 1 else n + (n >= middle)
                    factor = kernel[element // knx, element % knx, own, left:]
                    row = rows[element // knx, knx - 1 - element % knx :]
                    for x in range(width):
                        out[x] += factor[x] * row[x]
