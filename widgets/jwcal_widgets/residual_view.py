"""The panel below a ramp: groups less the fit, or differences less what jump compares them with."""

from __future__ import annotations

from collections.abc import Sequence

import bqplot as bq
import numpy as np
from numpy.typing import NDArray

from jwcal_widgets.line_colors import LIMIT
from jwcal_widgets.plotting import F64, draw_lines, draw_points, hide, plot_figure, put_ticks, span
from jwcal_widgets.ramp import Band, Trace, residuals

__all__ = ["ResidualView"]

_ROOM = 0.18  # around the outermost symbols, part of their span
_SHORT = {"DN": "DN", "electron": "e⁻"}
_ZERO, _STEM = "#7b8794", "#a9b4c0"


class ResidualView:
    """A low plot under another one, on the same times.

    Parameters
    ----------
    x_scale : bqplot.LinearScale
        Of the plot above, s.
    size : (int, int)
        Width and height in screen pixels.

    Attributes
    ----------
    figure : bqplot.Figure
    """

    def __init__(self, x_scale: bq.LinearScale, size: tuple[int, int]) -> None:
        self._x_scale = x_scale
        scales = {"x": x_scale, "y": bq.LinearScale(min=-1.0, max=1.0, allow_padding=False)}
        self.zero = bq.Lines(scales=scales, colors=[_ZERO], stroke_width=1.0, visible=False)
        self.stems = bq.Lines(scales=scales, colors=[_STEM], stroke_width=1.0, visible=False)
        self.limits = bq.Lines(
            scales=scales, colors=[LIMIT], stroke_width=1.2, line_style="dash_dotted", visible=False
        )
        self.dots = bq.Scatter(scales=scales, default_size=30, stroke_width=0.5, x=[], y=[], visible=False)
        self.hits = bq.Scatter(
            scales=scales,
            default_size=70,
            marker="diamond",
            colors=[LIMIT],
            stroke_width=0.5,
            x=[],
            y=[],
            visible=False,
        )
        self.rings = bq.Scatter(
            scales=scales, default_size=90, fill=False, stroke_width=1.5, x=[], y=[], visible=False
        )
        self.x_axis = bq.Axis(
            scale=x_scale, label="time since reset (s)", label_offset="32px", grid_lines="none"
        )
        self.y_axis = bq.Axis(
            scale=scales["y"], side="left", label_offset="56px", grid_lines="solid", num_ticks=3
        )
        self._marks = [self.zero, self.limits, self.stems, self.dots, self.rings, self.hits]
        self.figure = plot_figure(self._marks, self.x_axis, self.y_axis, size, top=4)

    def clear(self) -> None:
        """Draw nothing."""
        hide(self._marks)

    def show_residuals(self, traces: Sequence[Trace], unit: str, *, in_sigma: bool) -> None:
        """Draw groups less the fitted segments, in units of the traces or of the read noise of a group."""
        points = {dashed: _residuals_of(traces, dashed=dashed, in_sigma=in_sigma) for dashed in (False, True)}
        every = np.concatenate([points[False][1], points[True][1]])
        if every.size == 0:
            self.clear()
            self.y_axis.label = "no fit"
            self.y_axis.tick_values = np.zeros(1)
            return
        self.y_axis.label = "residual (σ)" if in_sigma else f"residual ({_SHORT[unit]})"
        self._draw(*points[False], span(np.append(every, [0.0]), _ROOM))
        draw_points(self.rings, *points[True])
        hide([self.limits, self.hits])

    def show_deviations(self, time: F64, band: Band, unit: str, color: str, *, in_sigma: bool) -> None:
        """Draw differences less their median, with the limits; times are those of the differences, s."""
        scale = band.sigma if in_sigma else np.ones_like(band.sigma)
        value = (band.difference - band.centre) / scale
        low, high = ((edge - band.centre) / scale for edge in (band.lower, band.upper))
        self.y_axis.label = "d − m (σ)" if in_sigma else f"d − m ({_SHORT[unit]}/s)"
        known = np.isfinite(value)
        hit = band.found & known
        plain = known & ~hit
        limits = span(np.concatenate([value[known], low, high]), _ROOM)
        self._draw(time[plain], value[plain], [color] * int(plain.sum()), limits)
        draw_points(self.hits, time[hit], value[hit])
        hide([self.rings])
        draw_lines(self.limits, (np.stack([time, time]), np.stack([filled(low), filled(high)])))

    def _draw(self, time: F64, value: F64, colors: Sequence[str], limits: tuple[float, float]) -> None:
        put_ticks(self.y_axis, *limits, about=4)
        draw_points(self.dots, time, value, colors)
        draw_lines(
            self.stems, (np.stack([time, time], axis=1), np.stack([np.zeros_like(value), value], axis=1))
        )
        ends = np.array([[self._x_scale.min, self._x_scale.max]])
        draw_lines(self.zero, (ends, np.zeros_like(ends)))


def _residuals_of(traces: Sequence[Trace], *, dashed: bool, in_sigma: bool) -> tuple[F64, F64, list[str]]:
    """Collect times, residuals and colours of the groups that were fitted."""
    times, values, colors = [np.zeros(0)], [np.zeros(0)], []
    for trace in traces:
        if trace.dashed == dashed:
            value = residuals(trace) / (trace.noise if in_sigma else 1.0)
            known = np.isfinite(value)
            values.append(value[known])
            times.append(trace.ramp.time[known])
            colors += [trace.color] * int(known.sum())
    return np.concatenate(times), np.concatenate(values), colors


def filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values with gaps taken from their neighbours, for lines without breaks; NaN if there are none."""
    known = np.isfinite(values)
    if not known.any():
        return values
    places = np.arange(values.size)
    return np.interp(places, places[known], values[known])
