"""The ramp plot, on arrays, without a browser."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.ramp_segments import Segment
from jwcal_widgets import line_colors
from jwcal_widgets.plotting import nice_ticks
from jwcal_widgets.ramp import PixelRamp, Trace, pixel_ramp, residuals
from jwcal_widgets.ramp_view import RampView


class TestRampView:
    @pytest.fixture
    def plot(self) -> RampView:
        return RampView((500, 300))

    def test_groups_go_to_the_symbol_of_their_flag(self, plot, ramp):
        plot.show([Trace(pixel_ramp(ramp, 1, 20, 10))], differences=False)
        points = {flag: mark.x.tolist() for flag, mark in plot._points.items() if mark.visible}
        assert points == {
            DQ.DO_NOT_USE: [15.0],
            DQ.JUMP_DET: [75.0],
            None: [35.0, 55.0, 95.0, 115.0],
        }
        assert "JUMP_DET (1)" in plot.legend.value
        assert "used (4)" in plot.legend.value

    def test_saturation_names_a_group_that_is_also_not_to_be_used(self, plot, ramp):
        one = pixel_ramp(ramp, 1, 3, 4)
        one.dq[4:] |= np.uint8(DQ.DO_NOT_USE)
        plot.show([Trace(one)], differences=False)
        assert "SATURATED (2)" in plot.legend.value
        assert "DO_NOT_USE (1)" in plot.legend.value

    def test_segments_and_slope_are_drawn(self, plot, ramp):
        trace = Trace(pixel_ramp(ramp, 1, 20, 10), (Segment(3, 5, 2.0, 90.0),), 2.5)
        plot.show([trace], differences=False)
        assert plot._fit.x.ravel().tolist() == [75.0, 115.0]
        assert plot._fit.y.ravel().tolist() == [240.0, 320.0]
        assert np.ptp(plot._average.y) == pytest.approx(2.5 * 40)
        assert "fitted segments" in plot.legend.value

    def test_differences_are_in_other_units(self, plot, ramp):
        trace = Trace(pixel_ramp(ramp, 1, 20, 10), (Segment(3, 5, 2.0, 90.0),), 2.5)
        plot.show([trace], differences=True)
        assert plot._y_axis.label == "difference / time (DN/s)"
        assert plot._fit.y.ravel().tolist() == [2.0, 2.0]
        assert plot._average.y.ravel().tolist() == [2.5, 2.5]

    def test_without_a_fit_there_are_no_lines(self, plot, ramp):
        plot.show([Trace(pixel_ramp(ramp, 1, 3, 4))], differences=False)
        assert not plot._fit.visible
        assert not plot._average.visible
        assert "fitted" not in plot.legend.value

    @pytest.mark.parametrize(("ngroups", "differences"), [(2, True), (1, False), (1, True)])
    def test_very_short_ramps(self, plot, ramp, ngroups, differences):
        one = pixel_ramp(ramp, 1, 20, 10)
        short = PixelRamp(one.time[:ngroups], one.value[:ngroups], one.dq[:ngroups])
        plot.show([Trace(short)], differences=differences)
        assert not plot._path.visible
        points = sum(mark.x.size for mark in plot._points.values() if mark.visible)
        assert points == ngroups - differences

    def test_several_integrations(self, plot, ramp):
        plot.show([Trace(pixel_ramp(ramp, k, 20, 10)) for k in (1, 2)], differences=False)
        assert plot._path.y.shape == (2, 6)

    def test_axis_can_leave_out_what_is_not_used(self, plot, ramp):
        one = pixel_ramp(ramp, 1, 3, 4)
        one.value[5] = 60000
        plot.show([Trace(one)], differences=False)
        assert plot._y.max > 60000
        plot.show([Trace(one)], differences=False, zoom_used=True)
        assert plot._y.max < 1000

    def test_ramp_of_invalid_values_is_drawn_as_nothing(self, plot, ramp):
        one = pixel_ramp(ramp, 1, 3, 4)
        one.value[:] = np.nan
        plot.show([Trace(one)], differences=False)
        assert "used (0)" in plot.legend.value


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 6, [0, 1, 2, 3, 4, 5, 6]),
        (-13, 12, [-10, -5, 0, 5, 10]),
        (11648.9, 11660.7, [11650, 11652, 11654, 11656, 11658, 11660]),
        (0.001, 0.0039, [0.001, 0.0015, 0.002, 0.0025, 0.003, 0.0035]),
    ],
)
def test_ticks_are_round(low, high, ticks):
    assert nice_ticks(low, high).tolist() == pytest.approx(ticks)


def test_residuals_only_of_groups_that_were_fitted(ramp):
    one = pixel_ramp(ramp, 1, 20, 10)
    trace = Trace(one, (Segment(3, 5, 2.0, one.value[3] - 2 * one.time[3]),), noise=2.0)
    left = residuals(trace)
    assert np.isnan(left[:3]).all()
    np.testing.assert_allclose(left[3:], one.value[3:] - one.value[3] - 2 * (one.time[3:] - one.time[3]))


def test_every_kind_of_flag_has_a_shape_of_its_own():
    marks = RampView((400, 200))._flagged.marks
    assert len({mark.marker for mark in marks.values()}) == len(marks)


def test_labels_do_not_lie_on_each_other(ramp):
    plot = RampView((400, 200))
    traces = [Trace(pixel_ramp(ramp, 1, 30, 20), label=name) for name in "abc"]
    plot.show(traces, differences=False)
    heights = np.sort(plot._labels.y)
    assert (np.diff(heights) > 0.05 * (plot._y.max - plot._y.min)).all()


def contrast(color: str, other: str) -> float:
    """Contrast ratio of the Web Content Accessibility Guidelines 2.1."""

    def luminance(text: str) -> float:
        parts = np.array([int(text[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted(luminance(c) for c in (color, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", line_colors.__all__)
def test_colors_of_lines_are_readable_on_both_themes(name):
    colors = getattr(line_colors, name)
    for color in (colors,) if isinstance(colors, str) else colors:
        assert contrast(color, "#ffffff") > 4.5
        assert contrast(color, "#111111") > 4.0
