"""Flagging of groups that follow a bright one in the same pixel within a time window."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    f64,
    i64,
    r_f32_4,
    r_f64_2,
    r_u8_4,
    void,
    w_f64_2,
    w_u8_4,
)

__all__ = ["flag_windows"]

_SATURATED = np.uint8(DQ.SATURATED)


@kernel(void(r_f32_4, r_u8_4, r_f64_2, f64, f64, i64, w_f64_2, w_u8_4, i64, i64))
def flag_windows(data, groupdq, times, length, threshold, flags, windows, out_groupdq, y0, y1):
    """Open a window at the first saturated group of an integration, and flag the groups in open windows.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    groupdq : uint8 (nints, ngroups, ny, nx)
    times : float64 (nints, ngroups)
        Of each group, s.
    length : float
        Of a window, s.
    threshold : float
        DN; a group above it opens a window, too, where none is open. NaN for none.
    flags : int
        To add to groups in a window.
    windows : float64 (ny, nx)
        End of the window that is open in each pixel, s; 0 for none. Changed: as after the last group.
    out_groupdq : uint8 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = data.shape
    limit, added = np.float32(threshold), np.uint8(flags)
    saturated = np.empty(nx, np.int32)  # groups so far
    for y in range(y0, y1):
        ends = windows[y]
        for i in range(nints):
            saturated[:] = 0
            for g in range(ngroups):
                now = times[i, g]
                new_end = now + length
                values, before, out = data[i, g, y], groupdq[i, g, y], out_groupdq[i, g, y]
                for x in range(nx):
                    end = ends[x]
                    if end < now:
                        end = 0.0
                    saturated[x] += before[x] & _SATURATED != 0
                    if saturated[x] == 1:
                        end = new_end
                    if values[x] > limit and not end > 0:
                        end = new_end
                    if end > new_end:  # a window that has not begun yet
                        end = 0.0
                    ends[x] = end
                    out[x] = before[x] | (added if end > 0 else np.uint8(0))
