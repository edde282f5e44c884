"""lastframe: leave out the last group of MIRI integrations."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import only_for_miri
from jwcal_interactive.tiles import Tiles

__all__ = ["LastFrameParams", "lastframe"]

_FEWEST_GROUPS = 3


class LastFrameParams(StepParams):
    """lastframe has no parameters of its own."""


@step("lastframe", keyword="S_LASTFR", params=LastFrameParams, reach=0)
def lastframe(ramp: Ramp, refs: References, p: LastFrameParams, tiles: Tiles) -> Ramp:
    """Flag the last group of each MIRI integration DO_NOT_USE.

    The reset of the rows begins before it is read, and disturbs it.

    Raises
    ------
    Skip
        With fewer than 3 groups, or for another instrument.
    """
    only_for_miri(ramp.exposure)
    ngroups = ramp.data.shape[1]
    if ngroups < _FEWEST_GROUPS:
        raise Skip(f"it needs {_FEWEST_GROUPS} groups, the exposure has {ngroups}")
    groupdq = ramp.groupdq.copy()
    groupdq[:, -1] |= np.uint8(DQ.DO_NOT_USE)
    return ramp.with_(groupdq=groupdq)
