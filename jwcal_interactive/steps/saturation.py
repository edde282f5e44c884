"""saturation: flag groups whose pixel was full, or at the floor of the A/D converter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U8, U32, Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.instruments import is_interleaved
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.irs2 import normal_pixels, normal_rows, normal_shape
from jwcal_interactive.steps.readout import frame_numbers, refuse_unsupported
from jwcal_interactive.steps.references import needed, shaped
from jwcal_interactive.tiles import Tiles

__all__ = ["SaturationParams", "saturation"]

BEYOND_CONVERTER = np.float32(65536)
"""Threshold, DN, of pixels without one: the 16-bit converter cannot reach it."""


class SaturationParams(StepParams):
    """Parameters of saturation."""

    n_pix_grow_sat: int = param(
        1,
        ge=0,
        unit="pixel",
        slider=(0, 5),
        help="Flag this many pixels around a saturated one too, diagonals included.",
    )
    use_readpatt: bool = param(
        True,
        advanced=True,
        help="Find saturation that the averaging of frames within a group hides, from the read pattern.",
    )


@step(
    "saturation",
    keyword="S_SATURA",
    references=("saturation", "superbias"),
    params=SaturationParams,
    # Averaged groups are flagged beside pixels whose saturation has grown already.
    reach=lambda exposure, _row, p: p.n_pix_grow_sat * (2 if p.use_readpatt and exposure.nframes > 1 else 1),
    kernels=("saturation",),
)
def saturation(ramp: Ramp, refs: References, p: SaturationParams, tiles: Tiles) -> Ramp:
    """Flag saturated groups, their neighbours, and groups at or below 0 DN.

    From the first group at its threshold on, a pixel is SATURATED. Groups at or below 0 DN get
    AD_FLOOR and DO_NOT_USE. Where frames are averaged, a group that saturated in its last frames
    gets DO_NOT_USE. Flags that GROUPDQ already has are kept and do not grow. Zero-frame pixels that
    are saturated, beside a saturated one or not above 0 DN become 0.
    """
    refuse_unsupported(ramp, "saturation", interleaved=True)
    shape = normal_shape(ramp.pixeldq.shape)
    ref = needed(refs, "saturation", shape)
    bias = refs.get("superbias")
    if bias is not None:
        shaped(bias, ramp.pixeldq.shape)
    limit_dq = np.zeros(shape, np.uint32) if ref.dq is None else ref.dq
    no_limit = np.isnan(ref.data)
    unchecked = no_limit | (limit_dq & np.uint32(DQ.NO_SAT_CHECK) != 0)
    threshold = np.where(unchecked, BEYOND_CONVERTER, ref.data)
    new_flags = limit_dq | np.where(no_limit, np.uint32(DQ.NO_SAT_CHECK), np.uint32(0))
    if is_interleaved(ramp.data.shape):
        return _interleaved(ramp, threshold, new_flags, p, None if bias is None else bias.data, tiles)

    groupdq, _, grown = _flag(ramp.data, ramp.groupdq, threshold, p.n_pix_grow_sat, tiles)
    if p.use_readpatt:
        zero = None if bias is None else bias.data
        _flag_averaged(ramp, groupdq, grown, threshold, unchecked, p, zero, tiles)
    zeroframe = ramp.zeroframe
    if zeroframe is not None:
        zeroframe = _without_saturated(zeroframe, threshold, p.n_pix_grow_sat, tiles)
    return ramp.with_(groupdq=groupdq, pixeldq=ramp.pixeldq | new_flags, zeroframe=zeroframe)


def _interleaved(
    ramp: Ramp, threshold: F32, new_flags: U32, p: SaturationParams, bias: F32 | None, tiles: Tiles
) -> Ramp:
    """Flag the normal pixels of an IRS2 frame.

    A hit that averaging hides in the second group makes that group SATURATED, with its neighbours;
    there is no test of the last groups before saturation. Integrations go one by one, since their
    normal pixels are copied.
    """
    from jwcal_interactive.kernels.saturation import around, saturated_in_second_group

    rows = normal_rows(ramp.exposure)
    frames = frame_numbers(ramp.exposure)
    zero = None if bias is None else normal_pixels(bias, ramp.exposure)
    pixeldq, groupdq = ramp.pixeldq.copy(), ramp.groupdq.copy()
    pixeldq[rows] |= new_flags
    for i in range(groupdq.shape[0]):
        data, before = (normal_pixels(a[i : i + 1], ramp.exposure) for a in (ramp.data, groupdq))
        flags, first, _ = _flag(data, before, threshold, p.n_pix_grow_sat, tiles)
        if p.use_readpatt and flags.shape[1] > 2:
            _, y, x = saturated_in_second_group(data, first, threshold, zero, frames)
            _, y, x = around(y, x, p.n_pix_grow_sat, threshold.shape)
            flags[0, 1, y, x] |= np.uint8(DQ.SATURATED)
        groupdq[i][:, rows] = flags[0]
    zeroframe = ramp.zeroframe
    if zeroframe is not None:
        zeroframe = zeroframe.copy()
        normal = normal_pixels(zeroframe, ramp.exposure)
        zeroframe[:, rows] = _without_saturated(normal, threshold, p.n_pix_grow_sat, tiles)
    return ramp.with_(groupdq=groupdq, pixeldq=pixeldq, zeroframe=zeroframe)


def _without_saturated(zeroframe: F32, threshold: F32, layers: int, tiles: Tiles) -> F32:
    """Set zero-frame pixels to 0 that are saturated, near a saturated one, or not above 0 DN."""
    plane = zeroframe[:, None]
    flags, _, _ = _flag(plane, np.zeros(plane.shape, np.uint8), threshold, layers, tiles)
    return np.where(flags[:, 0] != 0, np.float32(0), zeroframe)


def _flag(
    data: F32, groupdq: U8, threshold: F32, layers: int, tiles: Tiles
) -> tuple[U8, NDArray[np.uint16], NDArray[np.uint16]]:
    """Flag AD_FLOOR and grown SATURATED; also give the first saturated group, before and after growth.

    Groups that come flagged as SATURATED spread to their neighbours, too, but not to later groups.
    """
    from jwcal_interactive.kernels.saturation import around, find_saturated, grow_saturated

    nints, _, ny, nx = data.shape
    flags = np.empty_like(groupdq)
    first = np.empty((nints, ny, nx), np.uint16)
    grown = np.empty_like(first)
    # Growth looks at neighbouring rows, so that it waits until all bands are searched.
    tiles.over_rows(ny, lambda y0, y1: find_saturated(data, groupdq, threshold, flags, first, y0, y1))
    tiles.over_rows(ny, lambda y0, y1: grow_saturated(first, layers, flags, grown, y0, y1))
    if np.bitwise_or.reduce(groupdq, axis=None) & DQ.SATURATED:
        i, g, y, x = np.nonzero(groupdq & np.uint8(DQ.SATURATED))
        origin, v, u = around(y, x, layers, (ny, nx))
        flags[i[origin], g[origin], v, u] |= np.uint8(DQ.SATURATED)
    return flags, first, grown


def _flag_averaged(
    ramp: Ramp,
    groupdq: U8,
    grown: NDArray[np.uint16],
    threshold: F32,
    unchecked: NDArray[np.bool_],
    p: SaturationParams,
    bias: F32 | None,
    tiles: Tiles,
) -> None:
    """Add DO_NOT_USE to groups of ``groupdq`` that saturated while their frames were averaged."""
    from jwcal_interactive.kernels.saturation import partly_saturated, saturated_in_second_group

    frames = frame_numbers(ramp.exposure)
    dilution = frames.mean(axis=1) / frames[:, -1]
    nints, ngroups = groupdq.shape[:2]
    for i in range(nints):
        tiles.check()
        one = slice(i, i + 1)
        data, flags, first = ramp.data[one], groupdq[one], grown[one]
        partly = partly_saturated(data, flags, first, threshold, unchecked, dilution, p.n_pix_grow_sat)
        flags[partly] |= np.uint8(DQ.DO_NOT_USE)
        if ngroups > 2:
            tiles.check()
            _, y, x = saturated_in_second_group(data, first, threshold, bias, frames)
            flags[0, 1, y, x] |= np.uint8(DQ.DO_NOT_USE)
