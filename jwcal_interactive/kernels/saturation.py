"""Saturation of groups: flags, growth to neighbours, and groups whose average hides saturation.

Regan, M. 2018, and Law, D. et al. (JWST calibration working group, "Optimal Saturation Flagging")
describe the tests of averaged groups; the definitions here are those of the JWST documentation of
the saturation step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    i64,
    r_f32_2,
    r_f32_4,
    r_u8_4,
    r_u16_3,
    void,
    w_u8_4,
    w_u16_3,
)

__all__ = ["around", "find_saturated", "grow_saturated", "partly_saturated", "saturated_in_second_group"]

_DO_NOT_USE = np.uint8(DQ.DO_NOT_USE)
_SATURATED = np.uint8(DQ.SATURATED)
_FLOOR = np.uint8(DQ.AD_FLOOR | DQ.DO_NOT_USE)


@kernel(
    void(r_f32_4, r_u8_4, r_f32_2, w_u8_4, w_u16_3, i64, i64),
)
def find_saturated(data, groupdq, threshold, out_groupdq, out_first, y0, y1):
    """Flag groups at the A/D floor and find the first saturated group of each pixel.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        Raw group values, DN.
    groupdq : uint8 (nints, ngroups, ny, nx)
    threshold : float32 (ny, nx)
        A group is saturated from this value on, DN.
    out_groupdq : uint8 (nints, ngroups, ny, nx)
        ``groupdq`` with AD_FLOOR and DO_NOT_USE where the group is not above 0 DN.
    out_first : uint16 (nints, ny, nx)
        Index of the first saturated group; ngroups where none is.
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = data.shape
    for i in range(nints):
        for y in range(y0, y1):
            first = out_first[i, y]
            limit = threshold[y]
            first[:] = ngroups
            for g in range(ngroups):
                row = data[i, g, y]
                flags = groupdq[i, g, y]
                out = out_groupdq[i, g, y]
                for x in range(nx):
                    out[x] = flags[x] | (_FLOOR if row[x] <= 0 else np.uint8(0))
                for x in range(nx):
                    reached = np.uint16(g) if row[x] >= limit[x] else np.uint16(ngroups)
                    first[x] = min(first[x], reached)


@kernel(void(r_u16_3, i64, w_u8_4, w_u16_3, i64, i64))
def grow_saturated(first, layers, out_groupdq, out_grown, y0, y1):
    """Flag groups as saturated from the first saturated one of any pixel around on.

    Parameters
    ----------
    first : uint16 (nints, ny, nx)
        Index of the first saturated group; ngroups where none is.
    layers : int
        Pixels in each direction, diagonals included, to which saturation spreads.
    out_groupdq : uint8 (nints, ngroups, ny, nx)
        Gets SATURATED added.
    out_grown : uint16 (nints, ny, nx)
        First saturated group after growth.
    y0, y1 : int
        Band of rows.
    """
    nints, ny, nx = first.shape
    ngroups = out_groupdq.shape[1]
    nearest = np.empty(nx, np.uint16)
    for i in range(nints):
        for y in range(y0, y1):
            nearest[:] = ngroups
            for v in range(max(y - layers, 0), min(y + layers + 1, ny)):
                row = first[i, v]
                for x in range(nx):
                    nearest[x] = min(nearest[x], row[x])
            grown = out_grown[i, y]
            for x in range(nx):
                earliest = nearest[x]
                for u in range(max(x - layers, 0), min(x + layers + 1, nx)):
                    earliest = min(earliest, nearest[u])
                grown[x] = earliest
                for g in range(earliest, ngroups):
                    out_groupdq[i, g, y, x] |= _SATURATED


def partly_saturated(
    data: NDArray[np.float32],
    groupdq: NDArray[np.uint8],
    grown: NDArray[np.uint16],
    threshold: NDArray[np.float32],
    unchecked: NDArray[np.bool_],
    dilution: NDArray[np.float64],
    layers: int,
) -> tuple[NDArray[np.intp], ...]:
    """Find averaged groups in whose last frames a pixel saturated.

    The average of the frames of a group that reaches the threshold with its last frame is the
    threshold times the dilution, where charge collects at a constant rate. A group above that,
    followed by a saturated group, is taken to be partly saturated.

    Parameters
    ----------
    data, groupdq : (nints, ngroups, ny, nx)
        Raw group values, DN, and flags with saturation.
    grown : uint16 (nints, ny, nx)
        First saturated group of each pixel.
    threshold : float32 (ny, nx)
        Saturation threshold, DN.
    unchecked : bool (ny, nx)
        Pixels without a threshold of their own.
    dilution : float64 (ngroups,)
        Mean over last frame number of each group.
    layers : int
        Pixels in each direction to which the finding spreads.

    Returns
    -------
    tuple of index arrays
        (integration, group, y, x) of all groups to flag, neighbours included; may repeat.
    """
    ngroups, ny, nx = data.shape[1:]
    i, y, x = np.nonzero((grown > 0) & (grown < ngroups))
    g = grown[i, y, x].astype(np.intp) - 1
    diluted = dilution[g] != 1
    i, g, y, x = i[diluted], g[diluted], y[diluted], x[diluted]
    factor = np.where(unchecked[y, x], 1.0, dilution[g])
    hit = (data[i, g, y, x] >= threshold[y, x] * factor) & (groupdq[i, g, y, x] & _DO_NOT_USE == 0)
    i, g, y, x = i[hit], g[hit], y[hit], x[hit]
    origin, v, u = around(y, x, layers, (ny, nx))
    return i[origin], g[origin], v, u


def around(
    y: NDArray[np.intp], x: NDArray[np.intp], layers: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Pixels within ``layers`` rows and columns of given ones, themselves included.

    Parameters
    ----------
    y, x : int arrays (n,)
        Pixels of a frame.
    layers : int
    shape : (ny, nx)
        Of the frame.

    Returns
    -------
    tuple of int arrays
        (index of the given pixel, y, x) of all of them; may repeat.
    """
    near = np.arange(-layers, layers + 1)
    dy, dx = (offset.ravel() for offset in np.meshgrid(near, near, indexing="ij"))
    v, u = (y[:, None] + dy).ravel(), (x[:, None] + dx).ravel()
    origin = np.repeat(np.arange(y.size), dy.size)
    inside = (v >= 0) & (v < shape[0]) & (u >= 0) & (u < shape[1])
    return origin[inside], v[inside], u[inside]


def saturated_in_second_group(
    data: NDArray[np.float32],
    first: NDArray[np.uint16],
    threshold: NDArray[np.float32],
    bias: NDArray[np.float32] | None,
    frames: NDArray[np.float64],
) -> tuple[NDArray[np.intp], ...]:
    """Find pixels hit in the second group so hard that the third is saturated, averages hiding it.

    That is: saturated from the third group on; the first group's rate would not have brought the
    last frame of the third group to the threshold; and the second group stands so high over the
    first that its last frame alone could be saturated.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        Raw group values, DN; ngroups >= 3.
    first : uint16 (nints, ny, nx)
        First saturated group of each pixel.
    threshold : float32 (ny, nx)
        Saturation threshold, DN.
    bias : float32 (ny, nx) or None
        Superbias, DN.
    frames : float64 (ngroups, nframes)
        Frame numbers of each group.

    Returns
    -------
    tuple of index arrays
        (integration, y, x) of the pixels whose second group to flag.
    """
    i, y, x = np.nonzero(first == 2)
    lowest, second, limit = data[i, 0, y, x], data[i, 1, y, x], threshold[y, x]
    zero = np.float32(0) if bias is None else bias[y, x]
    expected = (lowest - zero) / frames[0].mean() * frames[2, -1] + zero
    suspect = (expected < limit) & (second - lowest > (limit - lowest) / frames.shape[1])
    return i[suspect], y[suspect], x[suspect]
