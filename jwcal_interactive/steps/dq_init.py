"""dq_init: start the quality flags from the bad-pixel mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from jwcal_interactive.arrays import Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ReferenceError
from jwcal_interactive.instruments import GUIDER_EXP_TYPES
from jwcal_interactive.params import NotYet, StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["DQInitParams", "dq_init"]


class DQInitParams(StepParams):
    """dq_init has no parameters of its own yet."""

    unavailable: ClassVar[Mapping[str, NotYet]] = {
        "user_supplied_dq": NotYet(None, "own flags are not read from a file; override the mask reference")
    }


@step("dq_init", keyword="S_DQINIT", references=("mask",), params=DQInitParams)
def dq_init(ramp: Ramp, refs: References, p: DQInitParams, tiles: Tiles) -> Ramp:
    """Add the flags of the mask reference to PIXELDQ, and its DO_NOT_USE to every group.

    Guider exposures have one quality array for the whole exposure: their GROUPDQ stays as it is.
    """
    refuse_unsupported(ramp, "dq_init")
    mask = needed(refs, "mask", ramp.pixeldq.shape)
    if mask.dq is None:
        raise ReferenceError(f"mask reference {mask.name}: has no DQ array. Give a reference of type mask.")
    pixeldq = ramp.pixeldq | mask.dq
    if ramp.exposure.exp_type in GUIDER_EXP_TYPES:
        return ramp.with_(pixeldq=pixeldq)
    unusable = (mask.dq & np.uint32(DQ.DO_NOT_USE)).astype(np.uint8)
    groupdq = np.empty_like(ramp.groupdq)

    def add(y0: int, y1: int) -> None:
        np.bitwise_or(ramp.groupdq[..., y0:y1, :], unusable[y0:y1], out=groupdq[..., y0:y1, :])

    tiles.over_rows(groupdq.shape[-2], add)
    return ramp.with_(pixeldq=pixeldq, groupdq=groupdq)
