from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.ramp_segments import Segment
from jwcal_widgets.ramp import (
    guider_fit,
    pixel_fit,
    pixel_ramp,
    segment_lines,
    slope_lines,
)

TWO = (Segment(1, 2, 2.0, 10.0), Segment(3, 5, 4.0, -7.0))


def test_pixel_ramp(ramp):
    one = pixel_ramp(ramp, 1, 20, 10)
    # BRIGHT2: two frames of 10 s per group, none dropped; a group is at the mean of its frames.
    assert one.time.tolist() == [15.0, 35.0, 55.0, 75.0, 95.0, 115.0]
    np.testing.assert_array_equal(one.value, ramp.data[0, :, 10, 20])
    assert one.dq.tolist() == [DQ.DO_NOT_USE, 0, 0, DQ.JUMP_DET, 0, 0]
    assert one.excluded.tolist() == [True, False, False, False, False, False]


def test_segment_lines_end_at_the_first_and_last_group():
    time = np.arange(6) * 10.0
    ends, values = segment_lines(TWO, time)
    assert ends.tolist() == [[10.0, 20.0], [30.0, 50.0]]
    assert values.tolist() == [[30.0, 50.0], [113.0, 193.0]]


def test_slope_lines_cross_the_segments_in_the_middle():
    time = np.arange(6) * 10.0
    ends, values = slope_lines(TWO, time, 1.0)
    assert values.mean(axis=1).tolist() == [40.0, 153.0]
    assert (np.diff(values) / np.diff(ends)).tolist() == [[1.0], [1.0]]


def test_no_segments_no_lines():
    ends, values = segment_lines((), np.arange(3.0))
    assert ends.shape == values.shape == (0, 2)


def test_differences_are_rates_and_keep_the_flags(ramp, rates):
    diff = pixel_ramp(ramp, 1, 20, 10).differences()
    assert diff.time.tolist() == [25.0, 45.0, 65.0, 85.0, 105.0]
    slope = pixel_fit(rates, 1, 20, 10).slope
    np.testing.assert_allclose(diff.value, slope + np.array([0, 0, 25, 0, 0]), rtol=1e-4)
    assert diff.dq.tolist() == [DQ.DO_NOT_USE, 0, DQ.JUMP_DET, 0, 0]


def test_pixel_fit(rates):
    assert pixel_fit(rates, 0, 9, 7).dq == DQ.DO_NOT_USE | DQ.DEAD
    whole, second = pixel_fit(rates, 0, 1, 1), pixel_fit(rates, 2, 1, 1)
    assert second.slope == pytest.approx(whole.slope + 1)


def test_guider_fit(guider):
    fit = guider_fit(guider, 2, 3, 4)
    assert fit.slope == guider.data[1, 4, 3]
    assert fit.error == guider.err[1, 4, 3]
