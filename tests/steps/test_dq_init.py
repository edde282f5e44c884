from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, Skip
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


def own_flags(**arrays):
    return Reference(
        reftype="user_supplied_dq", name="mine.fits", data=next(iter(arrays.values())), arrays=arrays
    )


def test_own_flags_are_added_to_those_of_the_mask(ramp_of, mask):
    own = own_flags(SCI=np.full((2, 2), np.nan), DQ=np.array([[DQ.DO_NOT_USE, 0], [0, DQ.LOW_QE]], np.int32))
    out = dq_init(
        ramp_of(np.ones((1, 2, 2, 2))), {"mask": mask, "user_supplied_dq": own}, DQInitParams(), Tiles()
    )
    np.testing.assert_array_equal(out.pixeldq, mask.dq | own.arrays["DQ"])
    np.testing.assert_array_equal(out.groupdq[0, 1], [[1, 1], [0, 1]])


def test_first_image_where_none_is_called_dq(ramp_of, mask):
    own = own_flags(PRIMARY=np.array([[4.0, 0], [0, 0]]))
    out = dq_init(
        ramp_of(np.ones((1, 2, 2, 2))), {"mask": mask, "user_supplied_dq": own}, DQInitParams(), Tiles()
    )
    np.testing.assert_array_equal(out.pixeldq, mask.dq | own.data.astype(np.uint32))


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (np.zeros((3, 2), np.uint8), r"mine.fits\[DQ\] has shape \(3, 2\), the exposure \(2, 2\)"),
        (np.zeros((1, 2, 2), np.uint8), "has shape"),
        (np.full((2, 2), 0.5), "does not hold flags"),
        (np.full((2, 2), np.nan), "does not hold flags"),
        (np.full((2, 2), -1), "does not hold flags"),
    ],
)
def test_own_flags_that_are_none(image, told, ramp_of, mask):
    with pytest.raises(InputError, match=told):
        dq_init(
            ramp_of(np.ones((1, 2, 2, 2))),
            {"mask": mask, "user_supplied_dq": own_flags(DQ=image)},
            DQInitParams(),
            Tiles(),
        )
