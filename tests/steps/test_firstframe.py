from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.firstframe import FirstFrameParams, firstframe
from jwcal_interactive.tiles import Tiles

MIRI = {"instrument": "MIRI", "detector": "MIRIMAGE"}


def run(ramp, **params):
    return firstframe(ramp, {}, FirstFrameParams(skip=False, **params), Tiles())


@pytest.fixture
def bright(ramp_of):
    """Pixel (0, 1) is saturated in the third group of the second integration, (0, 0) in its fourth group."""
    groupdq = np.zeros((2, 4, 1, 3), np.uint8)
    groupdq[1, 2:, 0, 1] = DQ.SATURATED
    groupdq[1, 3:, 0, 0] = DQ.SATURATED
    groupdq[0, 0, 0, 2] = DQ.JUMP_DET
    return ramp_of(np.ones((2, 4, 1, 3)), groupdq=groupdq, pixeldq=DQ.HOT, **MIRI)


def test_off_by_default():
    assert FirstFrameParams().skip
    assert FirstFrameParams().changed() == {}


def test_bright_pixels_keep_their_first_group(bright, bytes_of):
    before = bytes_of(bright)
    out = run(bright)
    expected = bright.groupdq.copy()
    expected[:, 0] |= 1
    expected[1, 0, 0, 1] = 0
    np.testing.assert_array_equal(out.groupdq, expected)
    np.testing.assert_array_equal(out.pixeldq, [[DQ.HOT, DQ.HOT | DQ.FLUX_ESTIMATED, DQ.HOT]])
    assert bytes_of(bright) == before
    assert np.shares_memory(out.data, bright.data)


def test_all_pixels_alike(bright):
    out = run(bright, bright_use_group1=False)
    assert (out.groupdq[:, 0] & DQ.DO_NOT_USE != 0).all()
    np.testing.assert_array_equal(out.groupdq[:, 1:], bright.groupdq[:, 1:])
    np.testing.assert_array_equal(out.pixeldq, bright.pixeldq)


def test_where_it_does_not_apply(ramp_of):
    with pytest.raises(Skip, match="needs 4 groups, the exposure has 3"):
        run(ramp_of(np.ones((1, 3, 2, 2)), **MIRI))
    with pytest.raises(Skip, match="for MIRI"):
        run(ramp_of(np.ones((1, 9, 2, 2))))
