"""group_scale: undo the power-of-two division of on-board frame averaging."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import Ramp, References
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.tiles import Tiles

__all__ = ["GroupScaleParams", "group_scale"]


class GroupScaleParams(StepParams):
    """group_scale has no parameters of its own."""


@step("group_scale", keyword="S_GRPSCL", params=GroupScaleParams, reach=0)
def group_scale(ramp: Ramp, refs: References, p: GroupScaleParams, tiles: Tiles) -> Ramp:
    """Rescale groups whose number of averaged frames is not the on-board divisor.

    On board, the sum of NFRAMES frames is divided by FRMDIVSR, always a power of two; where the two differ,
    all groups are multiplied by FRMDIVSR / NFRAMES.
    """
    nframes, divisor = ramp.exposure.nframes, ramp.exposure.frame_divisor
    if divisor is None:
        raise Skip("keyword FRMDIVSR is missing")
    if nframes == divisor:
        raise Skip(f"NFRAMES = FRMDIVSR = {nframes}: nothing to rescale")
    factor = np.float32(divisor / nframes)
    data = np.empty_like(ramp.data)

    def scale(y0: int, y1: int) -> None:
        np.multiply(ramp.data[..., y0:y1, :], factor, out=data[..., y0:y1, :])

    tiles.over_rows(data.shape[-2], scale)
    return ramp.with_(data=data)
