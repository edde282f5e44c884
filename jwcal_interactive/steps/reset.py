"""reset: subtract what the reset leaves in the first groups of MIRI integrations."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import Ramp, Reference, References, as_whole_number
from jwcal_interactive.errors import ReferenceError
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import only_for_miri
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["ResetParams", "reset"]


class ResetParams(StepParams):
    """reset has no parameters of its own."""


@step("reset", keyword="S_RESET", references=("reset",), params=ResetParams, uncut=("reset",), reach=0)
def reset(ramp: Ramp, refs: References, p: ResetParams, tiles: Tiles) -> Ramp:
    """Subtract the reset reference from the groups that it has.

    Each integration has its own correction; integrations after the last one of the reference have
    that one. NaN in the reference counts as 0, and its flags are added to PIXELDQ.

    Raises
    ------
    Skip
        For another instrument, or without a reference (N/A).
    ReferenceError
        If the reference has no axes (integration, group, y, x).
    """
    exposure = ramp.exposure
    only_for_miri(exposure)
    ref = needed(refs, "reset", ramp.pixeldq.shape)
    if ref.data.ndim != 4 or 0 in ref.data.shape:
        raise ReferenceError(
            f"reset reference {ref.name}: an array of shape {ref.data.shape} cannot be used; it must have "
            "the axes (integration, group, y, x)."
        )
    known = _counted(ref, "NINTS", ref.data.shape[0])
    corrected = min(ramp.data.shape[1], _counted(ref, "NGROUPS", ref.data.shape[1]))
    first = exposure.first_integration
    data = np.empty_like(ramp.data)

    def subtract(y0: int, y1: int) -> None:
        for i in range(ramp.data.shape[0]):
            left = ref.data[min(first + i, known - 1), :corrected, y0:y1]
            data[i, :corrected, y0:y1] = ramp.data[i, :corrected, y0:y1] - np.where(
                np.isnan(left), np.float32(0), left
            )
            data[i, corrected:, y0:y1] = ramp.data[i, corrected:, y0:y1]

    tiles.over_rows(data.shape[-2], subtract)
    return ramp.with_(data=data, pixeldq=ramp.pixeldq if ref.dq is None else ramp.pixeldq | ref.dq)


def _counted(ref: Reference, keyword: str, present: int) -> int:
    """Planes of the reference that its keyword says are to be used; all if it does not say."""
    told = as_whole_number(ref.keywords.get(keyword))
    return present if told is None else max(1, min(told, present))
