"""Flagging of groups whose charge has begun to move to the neighbours."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    f64,
    i64,
    r_f32_4,
    r_u8_4,
    r_u16_3,
    void,
    w_u8_4,
    w_u16_3,
)

__all__ = ["find_exceeding", "flag_from"]

_DO_NOT_USE = np.uint8(DQ.DO_NOT_USE)
_FLAGS = np.uint8(DQ.CHARGELOSS | DQ.DO_NOT_USE)


@kernel(void(r_f32_4, r_u8_4, f64, w_u16_3, i64, i64))
def find_exceeding(data, groupdq, threshold, out_first, y0, y1):
    """Find the first group of each pixel above a threshold.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    groupdq : uint8 (nints, ngroups, ny, nx)
        Groups with DO_NOT_USE and no other flag do not count.
    threshold : float
        DN; rounded to float32, the type of the data.
    out_first : uint16 (nints, ny, nx)
        The group, from 0; the number of groups where there is none.
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = data.shape
    limit = np.float32(threshold)
    for i in range(nints):
        for y in range(y0, y1):
            out_first[i, y] = ngroups
            for g in range(ngroups - 1, -1, -1):
                values, flags, first = data[i, g, y], groupdq[i, g, y], out_first[i, y]
                for x in range(nx):
                    if values[x] > limit and flags[x] != _DO_NOT_USE:
                        first[x] = g


@kernel(void(r_u8_4, r_u16_3, w_u8_4, i64, i64))
def flag_from(groupdq, first, out_groupdq, y0, y1):
    """Add CHARGELOSS and DO_NOT_USE from a group on, to each pixel and its four neighbours.

    Parameters
    ----------
    groupdq : uint8 (nints, ngroups, ny, nx)
    first : uint16 (nints, ny, nx)
        Of `find_exceeding`, of all rows.
    out_groupdq : uint8 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, ny, nx = groupdq.shape
    start = np.empty(nx, np.uint16)
    for i in range(nints):
        for y in range(y0, y1):
            for x in range(nx):
                near = first[i, y, x]
                if x > 0:
                    near = min(near, first[i, y, x - 1])
                if x < nx - 1:
                    near = min(near, first[i, y, x + 1])
                if y > 0:
                    near = min(near, first[i, y - 1, x])
                if y < ny - 1:
                    near = min(near, first[i, y + 1, x])
                start[x] = near
            for g in range(ngroups):
                flags, out = groupdq[i, g, y], out_groupdq[i, g, y]
                for x in range(nx):
                    out[x] = flags[x] | (_FLAGS if g >= start[x] else np.uint8(0))
