"""When pixels were last bright, and flagging of the groups that follow."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    i64,
    r_f32_2,
    r_f32_4,
    r_f64_2,
    r_u8_4,
    void,
    w_f64_2,
    w_u8_4,
)

__all__ = ["find_last_bright", "flag_until"]

_SATURATED = np.uint8(DQ.SATURATED)


@kernel(void(r_f32_4, r_u8_4, r_f32_2, r_f64_2, w_f64_2, i64, i64))
def find_last_bright(data, groupdq, threshold, times, last, y0, y1):
    """Find when each pixel was last saturated, or at or above its threshold.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    groupdq : uint8 (nints, ngroups, ny, nx)
    threshold : float32 (ny, nx)
        DN; NaN for none.
    times : float64 (nints, ngroups)
        Of each group, s.
    last : float64 (ny, nx)
        The latest time so far, s; changed where a later one is found.
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = data.shape
    for y in range(y0, y1):
        for i in range(nints):
            for g in range(ngroups):
                now = times[i, g]
                values, flags = data[i, g, y], groupdq[i, g, y]
                for x in range(nx):
                    bright = values[x] >= threshold[y, x] or flags[x] & _SATURATED != 0
                    if bright and now > last[y, x]:
                        last[y, x] = now


@kernel(void(r_u8_4, r_f64_2, r_f64_2, i64, w_u8_4, i64, i64))
def flag_until(groupdq, times, ends, flags, out_groupdq, y0, y1):
    """Add flags to the groups up to a time.

    Parameters
    ----------
    groupdq : uint8 (nints, ngroups, ny, nx)
    times : float64 (nints, ngroups)
        Of each group, s.
    ends : float64 (ny, nx)
        Last time that is flagged in each pixel, s.
    flags : int
        To add.
    out_groupdq : uint8 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = groupdq.shape
    added = np.uint8(flags)
    for i in range(nints):
        for g in range(ngroups):
            for y in range(y0, y1):
                before, out = groupdq[i, g, y], out_groupdq[i, g, y]
                for x in range(nx):
                    out[x] = before[x] | (added if times[i, g] <= ends[y, x] else np.uint8(0))
