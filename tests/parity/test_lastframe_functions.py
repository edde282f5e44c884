"""lastframe against the official function."""

from __future__ import annotations

import pytest

from jwcal_interactive.steps.lastframe import LastFrameParams, lastframe
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("ngroups", [3, 6])
def test_lastframe(ngroups, make_ramp, ramp_model, same_ramp):
    from jwst.lastframe.lastframe_sub import do_correction

    ramp = make_ramp(72, nints=2, ngroups=ngroups, instrument="MIRI", detector="MIRIFUSHORT")
    ours = lastframe(ramp, {}, LastFrameParams(), Tiles())
    same_ramp(ours, do_correction(ramp_model(ramp)))
    assert (ours.groupdq != ramp.groupdq).any()
