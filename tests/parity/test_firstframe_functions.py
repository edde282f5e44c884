"""firstframe against the official function."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.steps.firstframe import FirstFrameParams, firstframe
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("bright", [True, False])
@pytest.mark.parametrize("ngroups", [4, 7])
def test_firstframe(bright, ngroups, make_ramp, ramp_model, same_ramp):
    from jwst.firstframe.firstframe_sub import do_correction

    ramp = make_ramp(71, nints=2, ngroups=ngroups, instrument="MIRI", detector="MIRIMAGE")
    saturated = np.where(ramp.data > 30_000, np.uint8(2), np.uint8(0))
    ramp = ramp.with_(groupdq=ramp.groupdq | saturated)
    ours = firstframe(ramp, {}, FirstFrameParams(skip=False, bright_use_group1=bright), Tiles())
    same_ramp(ours, do_correction(ramp_model(ramp), bright_use_group1=bright))
    assert (ours.pixeldq != ramp.pixeldq).any() == bright
