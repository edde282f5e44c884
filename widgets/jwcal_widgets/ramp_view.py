"""Ramps, drawn: groups, what is flagged and why, the fit, limits of jump, the saturation level, residuals."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import replace

import bqplot as bq
import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_widgets.line_colors import AVERAGE, FIT, LEVEL, LIMIT
from jwcal_widgets.plotting import Lines, draw_lines, hide, plot_figure, put_ticks, span
from jwcal_widgets.ramp import Band, PixelRamp, Trace, segment_lines, slope_lines
from jwcal_widgets.ramp_marks import GLYPHS, FlagSymbols, UsedSymbols, key
from jwcal_widgets.residual_view import ResidualView, filled

__all__ = ["RampView"]

_ROOM_PER_LETTER = 0.023  # of the width of the plot
_LINE_OF_LABEL = 13  # screen pixels
_MARGINS = 32


def _lines(trace: Trace, *, differences: bool) -> tuple[Lines, Lines]:
    """Fitted segments and the lines of the average slope, as end points of (time, value)."""
    time = trace.ramp.time
    fitted = segment_lines(trace.segments, time)
    average = slope_lines(trace.segments, time, trace.slope)
    if not differences:
        return fitted, average
    rates = np.array([segment.slope for segment in trace.segments])[:, None]
    flat = np.ones_like(fitted[0])
    return (fitted[0], rates * flat), (average[0], trace.slope * flat)


def _join(lines: Sequence[Lines]) -> Lines:
    empty = np.zeros((0, 2))
    return (
        np.concatenate([empty, *(t for t, _ in lines)]),
        np.concatenate([empty, *(v for _, v in lines)]),
    )


class RampView:
    """A plot of ramps, and one of their residuals below.

    Its marks are made once and drawn again.

    Parameters
    ----------
    size : (int, int)
        Width and height of the upper figure in screen pixels.

    Attributes
    ----------
    figure, lower : bqplot.Figure
    legend : ipywidgets.HTML
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._x, self._y = (bq.LinearScale(min=0.0, max=1.0, allow_padding=False) for _ in range(2))
        scales = {"x": self._x, "y": self._y}
        self._band = bq.Lines(
            scales=scales,
            colors=[LIMIT],
            stroke_width=1.2,
            line_style="dash_dotted",
            fill="between",
            fill_colors=[LIMIT],
            fill_opacities=[0.08],
            visible=False,
        )
        self._level = bq.Lines(
            scales=scales, colors=[LEVEL], stroke_width=1.4, line_style="dotted", visible=False
        )
        self._path = bq.Lines(scales=scales, stroke_width=1.2, visible=False)
        self._dashed = bq.Lines(scales=scales, stroke_width=1.6, line_style="dashed", visible=False)
        self._fit = bq.Lines(scales=scales, stroke_width=2.2, visible=False)
        self._dashed_fit = bq.Lines(scales=scales, stroke_width=2.2, line_style="dashed", visible=False)
        self._average = bq.Lines(
            scales=scales, colors=[AVERAGE], stroke_width=1.6, line_style="dotted", visible=False
        )
        self._labels = bq.Label(
            scales=scales, x=[], y=[], text=[], default_size=11, font_weight="bold", x_offset=5, visible=False
        )
        self._used, self._flagged = UsedSymbols(scales), FlagSymbols(scales)
        self._hollow = FlagSymbols(scales, hollow=True)
        self._points: dict[DQ | None, bq.Scatter] = dict(self._flagged.marks.items())
        self._points[None] = self._used.marks["circle"]
        self._x_axis = bq.Axis(
            scale=self._x, label="time since reset (s)", label_offset="32px", grid_lines="solid"
        )
        self._y_axis = bq.Axis(
            scale=self._y, label="signal (DN)", side="left", label_offset="56px", grid_lines="solid"
        )
        self._lines = [
            self._band, self._level, self._path, self._dashed, self._fit, self._dashed_fit, self._average,
        ]  # fmt: skip
        self._symbols = [
            *self._used.marks.values(),
            *self._flagged.marks.values(),
            *self._hollow.marks.values(),
        ]
        self.figure = plot_figure(
            [*self._lines, *self._symbols, self._labels], self._x_axis, self._y_axis, size, bottom=22
        )
        self._residuals = ResidualView(self._x, (size[0], max(120, round(0.54 * size[1]))))
        self.lower = self._residuals.figure
        self._line = _LINE_OF_LABEL / max(size[1] - _MARGINS, _LINE_OF_LABEL)  # part of the axis
        self.legend = ipw.HTML()
        self.clear()

    def clear(self, why: str = "Click on a pixel to see its ramp.") -> None:
        """Draw nothing, and say why."""
        hide([*self._lines, *self._symbols, self._labels])
        self._residuals.clear()
        self.legend.value = f"<span class='jwcal-muted'>{html.escape(why)}</span>"

    def show(
        self,
        traces: Sequence[Trace],
        *,
        differences: bool,
        zoom_used: bool = False,
        note: str = "",
        unit: str = "DN",
        band: Band | None = None,
        level: float = math.nan,
        in_sigma: bool = False,
        remarks: Sequence[str] = (),
    ) -> None:
        """Draw some ramps.

        Parameters
        ----------
        traces : sequence of Trace
            At least one; the first is that of the picked pixel.
        differences : bool
            Draw the count rate between neighbouring groups (per second) instead of the ramp.
        zoom_used : bool
            Fit the axis to the groups that are not excluded.
        note : str
            A warning for the legend.
        unit : str
            Of all values: DN or electron.
        band : Band, optional
            Limits of jump for the first trace; drawn with the differences.
        level : float
            Saturation level; drawn with the ramps.
        in_sigma : bool
            Residuals in units of their noise.
        remarks : sequence of str
            More for the legend.
        """
        drawn = [t.ramp.differences() if differences else t.ramp for t in traces]
        shown = [_with(trace, ramp) for trace, ramp in zip(traces, drawn, strict=True)]
        pairs = [_lines(trace, differences=differences) for trace in traces]
        band = band if differences else None
        level = math.nan if differences else level
        in_range = self._set_axes(shown, pairs, band, level, zoom_used)
        self._y_axis.label = f"difference / time ({unit}/s)" if differences else f"signal ({unit})"
        self._draw_paths(shown)
        self._draw_fits(traces, pairs)
        self._draw_band(drawn[0].time, band)
        self._draw_level(level if in_range else math.nan)
        self._write_labels(shown, level if in_range else math.nan)
        solid = [t for t in shown if not t.dashed]
        counts = self._used.draw(solid), self._flagged.draw(solid)
        hollow = self._hollow.draw([t for t in shown if t.dashed])
        if differences and band is not None:
            self._residuals.show_deviations(drawn[0].time, band, unit, traces[0].color, in_sigma=in_sigma)
        elif differences:
            self._residuals.clear()
        else:
            self._residuals.show_residuals(traces, unit, in_sigma=in_sigma)
        items = [key(GLYPHS["circle"], traces[0].color, f"used ({counts[0]})")]
        items += [*self._flagged.keys(counts[1]), *self._hollow.keys(hollow, "dashed: ")]
        items += self._keys_of_lines(traces)
        if math.isfinite(level) and not in_range:
            items.append(key("┄", LEVEL, f"saturation at {level:,.0f} {unit}, above the plot"))
        if remarks:
            items.append(f"<span class='jwcal-muted'>{html.escape(' · '.join(remarks))}</span>")
        if note:
            items.append(f"<span class='jwcal-stale'>{html.escape(note)}</span>")
        self.legend.value = "<div class='jwcal-legend'>" + " ".join(items) + "</div>"

    def _set_axes(
        self,
        shown: Sequence[Trace],
        pairs: Sequence[tuple[Lines, Lines]],
        band: Band | None,
        level: float,
        zoom_used: bool,
    ) -> bool:
        """Fit the axes; return whether the saturation level is worth to be in the plot."""
        values = [_usable(t.ramp) if zoom_used else t.ramp.value for t in shown]
        values += [fitted[1].ravel() for fitted, _ in pairs]
        if band is not None:
            values += [band.lower, band.upper]
        every = np.concatenate(values)
        near = every[np.isfinite(every)]
        in_range = bool(math.isfinite(level) and near.size and near.max() > 0.5 * level)
        if in_range:
            every = np.append(every, level)
        put_ticks(self._y_axis, *span(every))
        last = max((float(t.ramp.time.max()) for t in shown if t.ramp.time.size), default=1.0)
        room = 0.03 + _ROOM_PER_LETTER * max((len(t.label) for t in shown), default=0)
        put_ticks(self._x_axis, 0.0, last * (1 + room) or 1.0)
        self._residuals.x_axis.tick_values = self._x_axis.tick_values
        return in_range

    def _draw_paths(self, shown: Sequence[Trace]) -> None:
        for mark, dashed in ((self._path, False), (self._dashed, True)):
            chosen = [t for t in shown if t.dashed == dashed]
            if not chosen:
                hide([mark])
                continue
            time = np.stack([_padded(t.ramp.time, shown) for t in chosen])
            value = np.stack([_padded(t.ramp.value, shown) for t in chosen])
            draw_lines(mark, (time, value), [t.color for t in chosen])

    def _draw_fits(self, traces: Sequence[Trace], pairs: Sequence[tuple[Lines, Lines]]) -> None:
        for mark, dashed in ((self._fit, False), (self._dashed_fit, True)):
            chosen = [(t, p[0]) for t, p in zip(traces, pairs, strict=True) if t.dashed == dashed]
            colors = [t.color if t.label else FIT for t, lines in chosen for _ in lines[0]]
            draw_lines(mark, _join([lines for _, lines in chosen]), colors)
        main = [p[1] for t, p in zip(traces, pairs, strict=True) if t.picked]
        draw_lines(self._average, _join(main))

    def _draw_band(self, time: NDArray[np.float64], band: Band | None) -> None:
        if band is None:
            hide([self._band])
            return
        edges = np.stack([filled(band.lower), filled(band.upper)])
        draw_lines(self._band, (np.stack([time, time]), edges))

    def _draw_level(self, level: float) -> None:
        ends = np.array([[self._x.min, self._x.max]])
        draw_lines(self._level, (ends, np.full((1, 2), level)))

    def _write_labels(self, shown: Sequence[Trace], level: float) -> None:
        """Put names at the ends of lines, one below the other where they would lie on each other."""
        places = []
        for trace in shown:
            known = np.flatnonzero(np.isfinite(trace.ramp.value))
            if trace.label and known.size:
                k = known[-1]
                places.append((trace.ramp.value[k], trace.ramp.time[k], trace.label, trace.color))
        apart = self._line * (self._y.max - self._y.min)
        heights: list[float] = []
        for value, *_ in (places := sorted(places, key=lambda place: place[0])):
            value = min(max(value, self._y.min + apart), self._y.max - apart)
            heights.append(value if not heights else max(value, heights[-1] + apart))
        texts, times, colors = [p[2] for p in places], [p[1] for p in places], [p[3] for p in places]
        if math.isfinite(level):
            texts, colors = [*texts, f"saturation {level:,.0f}"], [*colors, LEVEL]
            times, heights = [*times, self._x.min], [*heights, level + 0.75 * apart]
        if not texts:
            hide([self._labels])
            return
        with self._labels.hold_sync():
            self._labels.x, self._labels.y = np.array(times), np.array(heights)
            self._labels.text, self._labels.colors = np.array(texts), colors
            self._labels.visible = True

    def _keys_of_lines(self, traces: Sequence[Trace]) -> list[str]:
        items = []
        if self._fit.visible:
            items.append(key("━", FIT if not traces[0].label else traces[0].color, "fitted segments"))
        if self._average.visible:
            items.append(key("┈", AVERAGE, "slope"))
        if self._dashed.visible:
            named = dict.fromkeys((t.label, t.color) for t in traces if t.dashed)
            items += [key("╌", color, label) for label, color in named]
        if self._band.visible:
            items.append(key("▒", LIMIT, "no jump inside"))
        return items


def _with(trace: Trace, ramp: PixelRamp) -> Trace:
    """Give the trace other points, for symbols and paths."""
    return replace(trace, ramp=ramp)


def _usable(ramp: PixelRamp) -> NDArray[np.float64]:
    return ramp.value if ramp.excluded.all() else ramp.value[~ramp.excluded]


def _padded(values: NDArray[np.float64], shown: Sequence[Trace]) -> NDArray[np.float64]:
    """Values with NaN behind them: all lines of a mark have the same number of points."""
    length = max(t.ramp.time.size for t in shown)
    return np.pad(values, (0, length - values.size), constant_values=np.nan)
