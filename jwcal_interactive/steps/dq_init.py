"""dq_init: start the quality flags from the bad-pixel mask."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import U32, Exposure, Ramp, Reference, References, as_whole_number
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ReferenceError
from jwcal_interactive.instruments import GUIDER_EXP_TYPES, is_interleaved
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["DQInitParams", "dq_init"]


class DQInitParams(StepParams):
    """Parameters of dq_init."""

    user_supplied_dq: str | None = param(
        None,
        file=True,
        help="FITS file with flags of your own in the standard bits, in the shape of the exposure.",
    )


@step("dq_init", keyword="S_DQINIT", references=("mask",), params=DQInitParams, reach=0)
def dq_init(ramp: Ramp, refs: References, p: DQInitParams, tiles: Tiles) -> Ramp:
    """Add the flags of the mask reference to PIXELDQ, and its DO_NOT_USE to every group.

    The user's flags, if given, are treated like those of the mask. Guider exposures have one quality
    array for the whole exposure: their GROUPDQ stays as it is.

    Raises
    ------
    Skip
        Without a mask reference (N/A).
    ReferenceError
        If the mask does not fit.
    InputError
        If the user's flags are no whole numbers, or of another shape.
    """
    refuse_unsupported(ramp, "dq_init", interleaved=True)
    mask = needed(refs, "mask", ramp.pixeldq.shape)
    if mask.dq is None:
        raise ReferenceError(f"mask reference {mask.name}: has no DQ array. Give a reference of type mask.")
    flags = mask.dq
    if (supplied := refs.get("user_supplied_dq")) is not None:
        flags = flags | _own_flags(supplied, flags.shape, ramp.exposure)
    pixeldq = ramp.pixeldq | flags
    if ramp.exposure.exp_type in GUIDER_EXP_TYPES:
        return ramp.with_(pixeldq=pixeldq)
    unusable = (flags & np.uint32(DQ.DO_NOT_USE)).astype(np.uint8)
    groupdq = np.empty_like(ramp.groupdq)

    def add(y0: int, y1: int) -> None:
        np.bitwise_or(ramp.groupdq[..., y0:y1, :], unusable[y0:y1], out=groupdq[..., y0:y1, :])

    tiles.over_rows(groupdq.shape[-2], add)
    return ramp.with_(pixeldq=pixeldq, groupdq=groupdq)


def _own_flags(file: Reference, shape: tuple[int, ...], exposure: Exposure) -> U32:
    """Take the flags of a file: the extension DQ or, in a file without, the first image."""
    name = "DQ" if "DQ" in file.arrays else next(iter(file.arrays))
    image = file.arrays[name]
    if image.shape != shape:
        # Of a part of the frame, the keywords still tell the whole.
        told = tuple(as_whole_number(exposure.keyword(k)) for k in ("SUBSIZE2", "SUBSIZE1"))
        whole = shape if None in told or is_interleaved(shape) else told
        raise InputError(
            f"dq_init.user_supplied_dq: {file.name}[{name}] has shape {image.shape}, the exposure {whole} "
            "(y, x). Cut it to the exposure's subarray."
        )
    with np.errstate(invalid="ignore"):
        flags = image.astype(np.uint32)
        if not np.array_equal(flags, image):
            raise InputError(
                f"dq_init.user_supplied_dq: {file.name}[{name}] does not hold flags: values must be whole "
                "numbers from 0 to 2^32 - 1, sums of the standard data-quality bits."
            )
    return flags
