from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ParameterError, Skip
from jwcal_interactive.steps.dq_init import DQInitParams, dq_init
from jwcal_interactive.tiles import Tiles


@pytest.fixture
def mask(reference_of):
    return reference_of("mask", np.zeros((2, 2)), dq=[[0, DQ.DO_NOT_USE], [DQ.HOT, DQ.HOT | DQ.DO_NOT_USE]])


def test_only_unusable_pixels_reach_the_groups(ramp_of, mask, bytes_of):
    ramp = ramp_of(np.ones((2, 3, 2, 2)), pixeldq=DQ.LOW_QE, groupdq=DQ.DROPOUT)
    before = bytes_of(ramp, mask)
    out = dq_init(ramp, {"mask": mask}, DQInitParams(), Tiles())
    np.testing.assert_array_equal(out.pixeldq, mask.dq | DQ.LOW_QE)
    expected = DQ.DROPOUT | (mask.dq & DQ.DO_NOT_USE)
    np.testing.assert_array_equal(out.groupdq, np.broadcast_to(expected, (2, 3, 2, 2)))
    assert bytes_of(ramp, mask) == before
    assert np.shares_memory(out.data, ramp.data)


def test_groups_of_guider_exposures_stay(ramp_of, mask):
    ramp = ramp_of(np.ones((1, 2, 2, 2)), instrument="FGS", exp_type="FGS_ACQ1")
    out = dq_init(ramp, {"mask": mask}, DQInitParams(), Tiles())
    np.testing.assert_array_equal(out.pixeldq, mask.dq)
    assert not out.groupdq.any()


def test_without_mask_it_is_skipped(ramp_of):
    with pytest.raises(Skip, match="no mask reference"):
        dq_init(ramp_of(np.ones((1, 2, 2, 2))), {"mask": None}, DQInitParams(), Tiles())


def test_stripes_are_refused(ramp_of, mask):
    ramp = ramp_of(np.ones((1, 2, 2, 2)), keywords={"SSTR_NST": 4})
    with pytest.raises(InputError, match="SSTR_NST = 4"):
        dq_init(ramp, {"mask": mask}, DQInitParams(), Tiles())


def test_own_flags_are_not_offered_yet():
    with pytest.raises(ParameterError, match="user_supplied_dq"):
        DQInitParams.build("dq_init", {"user_supplied_dq": "mine.fits"})
