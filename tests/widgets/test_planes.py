from __future__ import annotations

import numpy as np

from jwcal_interactive.dq import DQ
from jwcal_widgets.planes import plane_names, take_plane


def test_ramp_group(ramp):
    plane = take_plane(ramp, "group", 2, 3)
    np.testing.assert_array_equal(plane.data, ramp.data[1, 2])
    np.testing.assert_array_equal(plane.dq, ramp.pixeldq | ramp.groupdq[1, 2])
    assert plane.unit == "DN"
    assert plane.title == "integration 2, group 3"


def test_ramp_difference_carries_the_flags_of_both_groups(ramp):
    plane = take_plane(ramp, "difference", 1, 3)
    np.testing.assert_array_equal(plane.data, ramp.data[0, 3] - ramp.data[0, 2])
    assert plane.dq[10, 20] == DQ.JUMP_DET
    assert plane.title == "integration 1, group 4 − group 3"


def test_difference_at_the_last_group_is_the_last_difference(ramp):
    ngroups = ramp.data.shape[1]
    last = take_plane(ramp, "difference", 1, ngroups)
    np.testing.assert_array_equal(last.data, ramp.data[0, -1] - ramp.data[0, -2])


def test_dq_plane_counts_flags(ramp):
    plane = take_plane(ramp, "DQ", 1, 1)
    assert plane.data[0, 0] == 2  # DO_NOT_USE of the first group, REFERENCE_PIXEL
    assert plane.data[20, 20] == 1


def test_rates(rates):
    assert plane_names(rates)[0] == "slope"
    whole = take_plane(rates, "slope", 0, 1)
    np.testing.assert_array_equal(whole.data, rates.rate.data)
    one = take_plane(rates, "slope", 2, 1)
    np.testing.assert_array_equal(one.data, rates.rateints.data[1])
    assert (one.unit, one.title) == ("DN/s", "integration 2")
    assert take_plane(rates, "Poisson variance", 0, 1).unit == "DN²/s²"


def test_every_named_plane_can_be_taken(ramp, rates, guider):
    for state in (ramp, rates, guider):
        for name in plane_names(state):
            plane = take_plane(state, name, 1, 1)
            assert plane.data.ndim == plane.dq.ndim == 2
            assert plane.data.dtype == np.float32
            assert plane.dq.dtype == np.uint32


def test_guider(guider):
    np.testing.assert_array_equal(take_plane(guider, "slope", 3, 1).data, guider.data[2])


def test_one_group_has_no_difference(ramp):
    assert "difference" not in plane_names(ramp.with_(data=ramp.data[:, :1]))


def test_flags_of_any_group(ramp):
    plane = take_plane(ramp, "group", 1, 6, any_group=True)
    np.testing.assert_array_equal(plane.data, ramp.data[0, 5])
    assert plane.dq[10, 20] == DQ.JUMP_DET | DQ.DO_NOT_USE
    assert take_plane(ramp, "DQ", 1, 6, any_group=True).data[10, 20] == 2
    assert take_plane(ramp, "group", 2, 6, any_group=True).dq[10, 20] == DQ.DO_NOT_USE
