"""firstframe: leave out the first group of MIRI integrations."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import only_for_miri
from jwcal_interactive.tiles import Tiles

__all__ = ["FirstFrameParams", "firstframe"]

_FEWEST_GROUPS = 4
# A pixel that is saturated in this group (from 0) has too few others to do without its first one.
_BRIGHT_GROUP = 2


class FirstFrameParams(StepParams):
    """Parameters of firstframe."""

    skip: bool = param(True, help="Leave this step out; the step rscd also leaves out first groups.")
    bright_use_group1: bool = param(
        True, help="Keep the first group of pixels that are saturated in the third group."
    )


@step("firstframe", keyword="S_FRSTFR", params=FirstFrameParams, reach=0)
def firstframe(ramp: Ramp, refs: References, p: FirstFrameParams, tiles: Tiles) -> Ramp:
    """Flag the first group of each MIRI integration DO_NOT_USE.

    Its signal is off by an effect of the reset. Pixels that keep it because they are bright get
    FLUX_ESTIMATED. Officially deprecated: rscd now does this, too.

    Raises
    ------
    Skip
        With fewer than 4 groups, or for another instrument.
    """
    only_for_miri(ramp.exposure)
    ngroups = ramp.data.shape[1]
    if ngroups < _FEWEST_GROUPS:
        raise Skip(f"it needs {_FEWEST_GROUPS} groups, the exposure has {ngroups}")
    groupdq = ramp.groupdq.copy()
    if not p.bright_use_group1:
        groupdq[:, 0] |= np.uint8(DQ.DO_NOT_USE)
        return ramp.with_(groupdq=groupdq)
    bright = groupdq[:, _BRIGHT_GROUP] & np.uint8(DQ.SATURATED) != 0
    groupdq[:, 0] |= np.where(bright, np.uint8(0), np.uint8(DQ.DO_NOT_USE))
    estimated = np.where(bright.any(axis=0), np.uint32(DQ.FLUX_ESTIMATED), np.uint32(0))
    return ramp.with_(groupdq=groupdq, pixeldq=ramp.pixeldq | estimated)
