"""Subtraction of the signals of interlaced amplifiers and rows."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import i64, r_f32_4, r_f64_4, void, w_f32_4

__all__ = ["subtract_interlaced"]


@kernel(void(r_f32_4, r_f64_4, w_f32_4, i64, i64))
def subtract_interlaced(data, signals, out_data, y0, y1):
    """Subtract signals from the rise since the first group, rounding to float32 each time.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    signals : float64 (nints, ngroups, 2, namplifiers)
        DN, of even and odd rows (from 0); amplifiers take turns along x.
    out_data : float32 (nints, ngroups, ny, nx)
        The first group of each integration is unchanged.
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = data.shape
    namplifiers = signals.shape[3]
    levels = np.empty((2, nx))
    for i in range(nints):
        for y in range(y0, y1):
            out_data[i, 0, y] = data[i, 0, y]
        for g in range(1, ngroups):
            for x in range(nx):
                levels[0, x] = signals[i, g, 0, x % namplifiers]
                levels[1, x] = signals[i, g, 1, x % namplifiers]
            for y in range(y0, y1):
                first, values, level, out = data[i, 0, y], data[i, g, y], levels[y % 2], out_data[i, g, y]
                for x in range(nx):
                    rise = values[x] - first[x]
                    out[x] = np.float32(rise - level[x]) + first[x]
