"""The ramp of the picked pixel, drawn: groups, what is flagged and why, and the fitted slope."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import bqplot as bq
import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ, GROUP_FLAGS, names
from jwcal_interactive.steps.ramp_segments import Segment
from jwcal_widgets.dq_overlay import color_of
from jwcal_widgets.ramp import PixelRamp, segment_lines, slope_lines

__all__ = ["RampView", "Trace", "nice_ticks"]

Lines: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]

USED_COLOR = "#3d7dd8"
FIT_COLOR = "#e0633a"
AVERAGE_COLOR = "#7a5cc4"
OTHER_COLORS = ("#3d7dd8", "#2a9d8f", "#9b5de5", "#b5838d", "#6c8a3c", "#577590")
_SYMBOLS = {
    DQ.JUMP_DET: "diamond",
    DQ.SATURATED: "triangle-up",
    DQ.DO_NOT_USE: "cross",
}
_GLYPHS = {"circle": "●", "diamond": "◆", "triangle-up": "▲", "cross": "✚", "square": "■"}


@dataclass(frozen=True, eq=False)
class Trace:
    """One integration to draw: the ramp, the lines fitted to it, and the slope they average to."""

    ramp: PixelRamp
    segments: Sequence[Segment] = ()
    slope: float = math.nan


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
    return np.concatenate([t for t, _ in lines]), np.concatenate([v for _, v in lines])


def _draw_lines(mark: bq.Lines, lines: Lines) -> None:
    time, value = lines
    drawn = np.isfinite(value).all(axis=1)
    with mark.hold_sync():
        mark.visible = bool(drawn.any())
        if mark.visible:
            mark.x, mark.y = time[drawn], value[drawn]


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    """Axis limits with a little room around finite values."""
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = 0.07 * (high - low) or max(abs(low) * 0.05, 1.0)
    return low - room, high + room


def nice_ticks(low: float, high: float, about: int = 6) -> NDArray[np.float64]:
    """Multiples of 1, 2 or 5 times a power of ten between two values, about so many."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return np.array([n * step for n in range(first, last + 1)])


class RampView:
    """A plot of one pixel's ramp in some integrations.

    Parameters
    ----------
    size : (int, int)
        Width and height of the figure in screen pixels.

    Attributes
    ----------
    figure : bqplot.Figure
    legend : ipywidgets.HTML
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._x, self._y = (bq.LinearScale(min=0.0, max=1.0, allow_padding=False) for _ in range(2))
        scales = {"x": self._x, "y": self._y}
        self._path = bq.Lines(scales=scales, colors=list(OTHER_COLORS), stroke_width=1.0)
        self._path.opacities = [0.45] * len(OTHER_COLORS)
        self._fit = bq.Lines(scales=scales, colors=[FIT_COLOR], stroke_width=2.2)
        self._average = bq.Lines(scales=scales, colors=[AVERAGE_COLOR], stroke_width=1.6, line_style="dashed")
        self._points: dict[DQ | None, bq.Scatter] = {None: self._scatter(scales, USED_COLOR, "circle")}
        for flag in GROUP_FLAGS:
            self._points[flag] = self._scatter(scales, color_of(flag), _SYMBOLS.get(flag, "square"))
        self._x_axis = bq.Axis(
            scale=self._x,
            label="time since reset (s)",
            label_offset="32px",
            grid_lines="solid",
        )
        self._y_axis = bq.Axis(
            scale=self._y,
            label="signal (DN)",
            side="left",
            label_offset="56px",
            grid_lines="solid",
        )
        self.figure = bq.Figure(
            marks=[self._path, self._fit, self._average, *self._points.values()],
            axes=[self._x_axis, self._y_axis],
            fig_margin={"top": 10, "right": 16, "bottom": 44, "left": 70},
            padding_x=0.0,
            padding_y=0.0,
            display_toolbar=False,
            layout={"width": f"{size[0]}px", "min_width": f"{size[0]}px", "height": f"{size[1]}px"},
        )
        self.legend = ipw.HTML()
        self.clear()

    @staticmethod
    def _scatter(scales: dict[str, bq.Scale], color: str, marker: str) -> bq.Scatter:
        return bq.Scatter(
            scales=scales,
            colors=[color],
            marker=marker,
            default_size=60,
            stroke_width=0.5,
            x=[],
            y=[],
        )

    def clear(self, why: str = "Click on a pixel to see its ramp.") -> None:
        """Draw nothing, and say why."""
        for mark in (self._path, self._fit, self._average, *self._points.values()):
            mark.visible = False
        self.legend.value = f"<span class='jwcal-muted'>{html.escape(why)}</span>"

    def show(
        self, traces: Sequence[Trace], *, differences: bool, zoom_used: bool = False, note: str = ""
    ) -> None:
        """Draw some integrations.

        Parameters
        ----------
        traces : sequence of Trace
            At least one.
        differences : bool
            Draw the count rate between neighbouring groups (DN/s) instead of the ramp (DN).
        zoom_used : bool
            Fit the axis to the groups that are not excluded.
        note : str
            A warning for the legend.
        """
        drawn = [t.ramp.differences() if differences else t.ramp for t in traces]
        time = np.stack([ramp.time for ramp in drawn])
        value = np.stack([ramp.value for ramp in drawn])
        dq = np.stack([ramp.dq for ramp in drawn])
        excluded = np.stack([ramp.excluded for ramp in drawn])
        pairs = [_lines(trace, differences=differences) for trace in traces]
        fitted, average = _join([pair[0] for pair in pairs]), _join([pair[1] for pair in pairs])
        usable = value[~excluded] if zoom_used and not excluded.all() else value
        self._set_axes(time, np.concatenate([usable.ravel(), fitted[1].ravel()]), differences)
        with self._path.hold_sync():
            self._path.visible = time.shape[1] > 1
            if self._path.visible:
                self._path.x, self._path.y = time, value
        _draw_lines(self._fit, fitted)
        _draw_lines(self._average, average)
        counts = self._set_points(time, value, dq)
        self.legend.value = self._legend_text(counts, note)

    def _set_axes(self, time: NDArray[np.float64], value: NDArray[np.float64], differences: bool) -> None:
        low, high = _span(value)
        with self._x.hold_sync(), self._y.hold_sync():
            self._x.min, self._x.max = 0.0, float(time.max()) * 1.03 if time.size else 1.0
            self._y.min, self._y.max = low, high
        self._x_axis.tick_values = nice_ticks(self._x.min, self._x.max)
        self._y_axis.tick_values = nice_ticks(low, high)
        self._y_axis.label = "difference / time (DN/s)" if differences else "signal (DN)"

    def _set_points(
        self, time: NDArray[np.float64], value: NDArray[np.float64], dq: NDArray[np.uint8]
    ) -> dict[DQ | None, int]:
        """Give each group to one symbol: that of the first flag it carries in the order below."""
        free = np.isfinite(value)
        counts: dict[DQ | None, int] = {}
        # Saturated groups are often DO_NOT_USE as well: the cause is the better name.
        order = sorted(GROUP_FLAGS, key=lambda flag: flag == DQ.DO_NOT_USE)
        for flag in (*order, None):
            chosen = free & ((dq & np.uint8(flag)) != 0) if flag is not None else free
            free = free & ~chosen
            counts[flag] = int(chosen.sum())
            mark = self._points[flag]
            with mark.hold_sync():
                mark.x, mark.y, mark.visible = time[chosen], value[chosen], bool(chosen.any())
        return counts

    def _legend_text(self, counts: dict[DQ | None, int], note: str) -> str:
        def item(glyph: str, color: str, text: str) -> str:
            return f"<span class='jwcal-key'><b style='color:{color}'>{glyph}</b> {text}</span>"

        items = [item(_GLYPHS["circle"], USED_COLOR, f"used ({counts.get(None, 0)})")]
        for flag, count in counts.items():
            if flag is not None and count:
                glyph = _GLYPHS[_SYMBOLS.get(flag, "square")]
                items.append(item(glyph, color_of(flag), f"{names(flag)[0]} ({count})"))
        if self._fit.visible:
            items.append(item("━", FIT_COLOR, "fitted segments"))
        if self._average.visible:
            items.append(item("╌", AVERAGE_COLOR, "slope"))
        if note:
            items.append(f"<span class='jwcal-stale'>{html.escape(note)}</span>")
        return "<div class='jwcal-legend'>" + " ".join(items) + "</div>"
