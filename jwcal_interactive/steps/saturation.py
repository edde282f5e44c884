"""saturation: flag groups whose pixel was full, or at the floor of the A/D converter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U8, Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
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
        help="Find saturation that the averaging of frames within a group hides, from the read pattern.",
    )


@step(
    "saturation",
    keyword="S_SATURA",
    references=("saturation", "superbias"),
    params=SaturationParams,
)
def saturation(ramp: Ramp, refs: References, p: SaturationParams, tiles: Tiles) -> Ramp:
    """Flag saturated groups, their neighbours, and groups at or below 0 DN.

    From the first group at its threshold on, a pixel is SATURATED. Groups at or below 0 DN get
    AD_FLOOR and DO_NOT_USE. Where frames are averaged, a group that saturated in its last frames
    gets DO_NOT_USE. Flags that GROUPDQ already has are kept and do not grow. Zero-frame pixels that
    are saturated, beside a saturated one or not above 0 DN become 0.
    """
    refuse_unsupported(ramp, "saturation")
    shape = ramp.pixeldq.shape
    ref = needed(refs, "saturation", shape)
    bias = refs.get("superbias")
    if bias is not None:
        shaped(bias, shape)
    limit_dq = np.zeros(shape, np.uint32) if ref.dq is None else ref.dq
    no_limit = np.isnan(ref.data)
    unchecked = no_limit | (limit_dq & np.uint32(DQ.NO_SAT_CHECK) != 0)
    threshold = np.where(unchecked, BEYOND_CONVERTER, ref.data)

    groupdq, grown = _flag(ramp.data, ramp.groupdq, threshold, p.n_pix_grow_sat, tiles)
    if p.use_readpatt:
        _flag_averaged(ramp, groupdq, grown, threshold, unchecked, p, None if bias is None else bias.data)
    zeroframe = ramp.zeroframe
    if zeroframe is not None:
        plane = zeroframe[:, None]
        flags, _ = _flag(plane, np.zeros(plane.shape, np.uint8), threshold, p.n_pix_grow_sat, tiles)
        zeroframe = np.where(flags[:, 0] != 0, np.float32(0), zeroframe)
    pixeldq = ramp.pixeldq | limit_dq | np.where(no_limit, np.uint32(DQ.NO_SAT_CHECK), np.uint32(0))
    return ramp.with_(groupdq=groupdq, pixeldq=pixeldq, zeroframe=zeroframe)


def _flag(data: F32, groupdq: U8, threshold: F32, layers: int, tiles: Tiles) -> tuple[U8, NDArray[np.uint16]]:
    """Flag AD_FLOOR and grown SATURATED; also give the first saturated group of each pixel."""
    from jwcal_interactive.kernels.saturation import find_saturated, grow_saturated

    nints, _, ny, nx = data.shape
    flags = np.empty_like(groupdq)
    first = np.empty((nints, ny, nx), np.uint16)
    grown = np.empty_like(first)
    # Growth looks at neighbouring rows, so that it waits until all bands are searched.
    tiles.over_rows(ny, lambda y0, y1: find_saturated(data, groupdq, threshold, flags, first, y0, y1))
    tiles.over_rows(ny, lambda y0, y1: grow_saturated(first, layers, flags, grown, y0, y1))
    return flags, grown


def _flag_averaged(
    ramp: Ramp,
    groupdq: U8,
    grown: NDArray[np.uint16],
    threshold: F32,
    unchecked: NDArray[np.bool_],
    p: SaturationParams,
    bias: F32 | None,
) -> None:
    """Add DO_NOT_USE to groups of ``groupdq`` that saturated while their frames were averaged."""
    from jwcal_interactive.kernels.saturation import partly_saturated, saturated_in_second_group

    frames = frame_numbers(ramp.exposure)
    dilution = frames.mean(axis=1) / frames[:, -1]
    partly = partly_saturated(ramp.data, groupdq, grown, threshold, unchecked, dilution, p.n_pix_grow_sat)
    groupdq[partly] |= np.uint8(DQ.DO_NOT_USE)
    if ramp.data.shape[1] > 2:
        i, y, x = saturated_in_second_group(ramp.data, grown, threshold, bias, frames)
        groupdq[i, 1, y, x] |= np.uint8(DQ.DO_NOT_USE)
