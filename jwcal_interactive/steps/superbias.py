"""superbias: subtract the detector's bias pattern."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import Ramp, References
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["SuperbiasParams", "superbias"]


class SuperbiasParams(StepParams):
    """superbias has no parameters of its own."""


@step("superbias", keyword="S_SUPERB", references=("superbias",), params=SuperbiasParams, reach=0)
def superbias(ramp: Ramp, refs: References, p: SuperbiasParams, tiles: Tiles) -> Ramp:
    """Subtract the superbias from every group and from the zero frame.

    NaN in the reference counts as no bias. Flags of the reference are added to PIXELDQ. Zeros of
    the zero frame mark unusable pixels and stay zero.
    """
    refuse_unsupported(ramp, "superbias", interleaved=True)
    ref = needed(refs, "superbias", ramp.pixeldq.shape)
    bias = np.where(np.isnan(ref.data), np.float32(0), ref.data)
    data = np.empty_like(ramp.data)

    def subtract(y0: int, y1: int) -> None:
        np.subtract(ramp.data[..., y0:y1, :], bias[y0:y1], out=data[..., y0:y1, :])

    tiles.over_rows(data.shape[-2], subtract)
    pixeldq = ramp.pixeldq if ref.dq is None else ramp.pixeldq | ref.dq
    zeroframe = ramp.zeroframe
    if zeroframe is not None:
        zeroframe = np.where(zeroframe == 0, np.float32(0), zeroframe - bias)
    return ramp.with_(data=data, pixeldq=pixeldq, zeroframe=zeroframe)
