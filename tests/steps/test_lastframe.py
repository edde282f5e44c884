from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.lastframe import LastFrameParams, lastframe
from jwcal_interactive.tiles import Tiles

MIRI = {"instrument": "MIRI", "detector": "MIRIFULONG"}


def test_last_group_of_each_integration(ramp_of, bytes_of):
    ramp = ramp_of(np.ones((2, 3, 2, 2)), groupdq=DQ.SATURATED, **MIRI)
    before = bytes_of(ramp)
    out = lastframe(ramp, {}, LastFrameParams(), Tiles())
    assert (out.groupdq[:, -1] == DQ.SATURATED | DQ.DO_NOT_USE).all()
    assert (out.groupdq[:, :-1] == DQ.SATURATED).all()
    assert bytes_of(ramp) == before


def test_where_it_does_not_apply(ramp_of):
    with pytest.raises(Skip, match="needs 3 groups, the exposure has 2"):
        lastframe(ramp_of(np.ones((1, 2, 2, 2)), **MIRI), {}, LastFrameParams(), Tiles())
    with pytest.raises(Skip, match="NIRCAM"):
        lastframe(ramp_of(np.ones((1, 9, 2, 2))), {}, LastFrameParams(), Tiles())
