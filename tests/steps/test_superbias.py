from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.steps.superbias import SuperbiasParams, superbias
from jwcal_interactive.tiles import Tiles


@pytest.fixture
def bias(reference_of):
    return reference_of("superbias", [[10, np.nan], [30, 40]], dq=[[0, DQ.UNRELIABLE_BIAS], [0, DQ.HOT]])


def test_every_group_loses_the_bias(ramp_of, bias, bytes_of):
    ramp = ramp_of(np.full((2, 3, 2, 2), 100), pixeldq=DQ.DEAD)
    before = bytes_of(ramp, bias)
    out = superbias(ramp, {"superbias": bias}, SuperbiasParams(), Tiles())
    np.testing.assert_array_equal(out.data, np.broadcast_to([[90, 100], [70, 60]], out.data.shape))
    np.testing.assert_array_equal(out.pixeldq, bias.dq | DQ.DEAD)
    assert np.shares_memory(out.groupdq, ramp.groupdq)
    assert bytes_of(ramp, bias) == before


def test_zeros_of_the_zero_frame_stay(ramp_of, bias):
    ramp = ramp_of(np.ones((1, 1, 2, 2)), zeroframe=[[[0, 50], [50, 0]]])
    out = superbias(ramp, {"superbias": bias}, SuperbiasParams(), Tiles())
    np.testing.assert_array_equal(out.zeroframe, [[[0, 50], [20, 0]]])
    np.testing.assert_array_equal(ramp.zeroframe, [[[0, 50], [50, 0]]])


def test_without_reference_it_is_skipped(ramp_of):
    with pytest.raises(Skip, match="no superbias reference"):
        superbias(ramp_of(np.ones((1, 1, 2, 2))), {}, SuperbiasParams(), Tiles())


def test_reference_of_another_size(ramp_of, bias):
    with pytest.raises(ReferenceError, match="2 x 2 pixels, the exposure has 3 x 2"):
        superbias(ramp_of(np.ones((1, 1, 2, 3))), {"superbias": bias}, SuperbiasParams(), Tiles())
