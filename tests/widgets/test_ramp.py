from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_widgets.ramp import (
    PixelRamp,
    group_times,
    pixel_fit,
    pixel_ramp,
    segment_lines,
    segments,
)


def test_group_times_are_means_of_their_frames(exposure):
    # BRIGHT2: two frames of 10 s per group, none dropped.
    assert group_times(exposure, 3).tolist() == [15.0, 35.0, 55.0]


def test_pixel_ramp(ramp):
    one = pixel_ramp(ramp, 1, 20, 10)
    assert one.value.shape == (6,)
    assert one.jumped.tolist() == [False, False, False, True, False, False]
    assert one.excluded.tolist() == [True, False, False, False, False, False]


def test_jump_starts_a_segment_and_excluded_groups_end_one(ramp):
    assert segments(pixel_ramp(ramp, 1, 20, 10)) == [slice(1, 3), slice(3, 6)]
    assert segments(pixel_ramp(ramp, 1, 3, 4)) == [slice(1, 4)]


def test_segments_of_awkward_ramps():
    time = np.arange(5.0)

    def runs(*dq):
        return segments(PixelRamp(time, time, np.array(dq, np.uint8)))

    jump, sat = int(DQ.JUMP_DET), int(DQ.SATURATED)
    assert runs(0, 0, 0, 0, 0) == [slice(0, 5)]
    assert runs(sat, sat, sat, sat, sat) == []
    assert runs(jump, jump, 0, sat, 0) == [slice(0, 1), slice(1, 3), slice(4, 5)]
    assert runs(0, jump | sat, 0, 0, jump) == [slice(0, 1), slice(2, 4), slice(4, 5)]


def test_lines_lie_on_a_ramp_of_that_slope(ramp, rates):
    one = pixel_ramp(ramp, 1, 20, 10)
    fit = pixel_fit(rates, 1, 20, 10)
    time, value = segment_lines(one, fit.slope)
    assert time.tolist() == [[35.0, 55.0], [75.0, 115.0]]
    at = (time.ravel() - 15) / 20
    np.testing.assert_allclose(value.ravel(), one.value[at.astype(int)], rtol=1e-5)


def test_no_line_without_a_slope(ramp):
    time, value = segment_lines(pixel_ramp(ramp, 1, 20, 10), np.nan)
    assert time.shape == value.shape == (0, 2)


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
