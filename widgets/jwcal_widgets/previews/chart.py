"""A small plot that is drawn again instead of made anew."""

from __future__ import annotations

from collections.abc import Sequence

import bqplot as bq
import ipywidgets as ipw
import numpy as np

from jwcal_widgets.plotting import F64, hide, put_ticks, span
from jwcal_widgets.previews.report import Line, Plot
from jwcal_widgets.ramp_marks import key

__all__ = ["Chart"]

_GLYPHS = {"solid": "━", "dashed": "╌", "dotted": "┈", "dash_dotted": "┄"}
_MARGIN = {"top": 6, "right": 12, "bottom": 36, "left": 52}
_LEAST_WIDTH, _HEIGHT = 196, 190
_DECADES = 6  # the most with a label each


class Chart:
    """Curves or bars on linear or logarithmic axes, with a caption.

    Parameters
    ----------
    log_x, log_y : bool
        Logarithmic axes; they cannot be changed later.

    Attributes
    ----------
    widget : ipywidgets.VBox
    lines : list of bqplot.Lines
    bars : bqplot.Bars or None
        None where the x axis is logarithmic.
    x_axis, y_axis : bqplot.Axis
    caption : ipywidgets.HTML
    """

    def __init__(self, *, log_x: bool, log_y: bool) -> None:
        self._log = (log_x, log_y)
        x, y = (bq.LogScale() if log else bq.LinearScale(allow_padding=False) for log in self._log)
        self._scales = {"x": x, "y": y}
        self.x_axis = bq.Axis(scale=x, label_offset="28px", grid_lines="none")
        self.y_axis = bq.Axis(scale=y, label_offset="40px", side="left", grid_lines="solid")
        # Bars take a logarithmic x axis for one of categories, and spoil it.
        self.bars = None if log_x else bq.Bars(x=[1], y=[0], scales=self._scales, padding=0.15, visible=False)
        self.lines: list[bq.Lines] = []
        self._figure = bq.Figure(
            marks=self._marks(),
            axes=[self.x_axis, self.y_axis],
            fig_margin=_MARGIN,
            padding_x=0.0,
            padding_y=0.0,
            display_toolbar=False,
            layout={"width": "100%", "min_width": f"{_LEAST_WIDTH}px", "height": f"{_HEIGHT}px"},
        )
        self.caption = ipw.HTML(layout={"margin": "0 0 4px 4px"})
        self.widget = ipw.VBox(
            [self._figure, self.caption],
            layout={"flex": f"1 1 {_LEAST_WIDTH}px", "min_width": f"{_LEAST_WIDTH}px", "overflow": "visible"},
        )

    def show(self, plot: Plot) -> None:
        """Draw a plot."""
        for axis, label in ((self.x_axis, plot.x_label), (self.y_axis, plot.y_label)):
            axis.label = label
        while len(self.lines) < len(plot.lines):
            self.lines.append(bq.Lines(scales=self._scales, x=[1.0, 2.0], y=[1.0, 2.0], visible=False))
            self._figure.marks = self._marks()
        hide(self.lines[len(plot.lines) :])
        self._set_limits(plot)
        for mark, line in zip(self.lines, plot.lines, strict=False):
            self._draw(mark, line)
        if plot.bars is None:
            hide([self.bars] if self.bars is not None else [])
        elif self.bars is not None:
            with self.bars.hold_sync():
                self.bars.x, self.bars.y = plot.bars.x, plot.bars.y
                self.bars.colors = list(plot.bars.colors)
                self.bars.visible = True
        named = [key("▒" if n.fill else _GLYPHS[n.style], n.color, n.name) for n in plot.lines if n.name]
        legend = f"<div class='jwcal-legend'>{' '.join(named)}</div>" if named else ""
        self.caption.value = f"<div style='line-height:1.3;font-size:12px'>{legend}{plot.caption}</div>"

    def _marks(self) -> list[bq.Mark]:
        return [*([] if self.bars is None else [self.bars]), *self.lines]

    def _draw(self, mark: bq.Lines, line: Line) -> None:
        known = np.isfinite(line.x) & np.isfinite(line.y)
        if not known.any():
            hide([mark])
            return
        with mark.hold_sync():
            mark.x, mark.y = line.x[known], line.y[known]
            mark.colors, mark.line_style, mark.stroke_width = [line.color], line.style, 1.5
            mark.marker, mark.marker_size = ("circle" if line.dots else None), 28
            mark.fill, mark.fill_colors, mark.fill_opacities = (
                "bottom" if line.fill else "none",
                [line.color],
                [0.18],
            )
            mark.visible = True

    def _set_limits(self, plot: Plot) -> None:
        x = np.concatenate([np.zeros(0), *(line.x for line in plot.lines)])
        y = np.concatenate([np.zeros(0), *(line.y for line in plot.lines)])
        if plot.bars is not None:
            x = np.concatenate([x, plot.bars.x - 0.5, plot.bars.x + 0.5])
            y = np.concatenate([y, plot.bars.y, [0.0]])
        whole = plot.bars is not None or bool(plot.lines and (plot.lines[0].x % 1 == 0).all())
        for axis, values, log in ((self.x_axis, x, self._log[0]), (self.y_axis, y, self._log[1])):
            values = values[np.isfinite(values)]
            if log:
                _put_decades(axis, values)
            elif axis is self.x_axis:
                low, high = span(values, 0.0) if values.size else (0.0, 1.0)
                room = 0.5 if whole and plot.bars is None else 0.0
                put_ticks(axis, low - room, high + room, about=8 if whole else 4)
                if whole:
                    _only_whole(axis)
            else:
                low, high = plot.y_range or _from_zero(values)
                put_ticks(axis, low, high, about=4)
                if max(abs(low), abs(high)) >= 10_000:
                    axis.tick_format = "~s"


def _from_zero(values: F64) -> tuple[float, float]:
    """Limits with room; of counts and the like, which begin at 0, without any below."""
    low, high = span(values)
    if values.size and values.min() >= 0 and values.min() < 0.5 * values.max():
        low = 0.0
    return low, high if high > low else low + 1.0


def _only_whole(axis: bq.Axis) -> None:
    ticks = np.asarray(axis.tick_values)
    ticks = np.unique(ticks[ticks % 1 == 0])
    with axis.hold_sync():
        axis.tick_format, axis.tick_values = "d", ticks


def _put_decades(axis: bq.Axis, values: Sequence[float] | F64) -> None:
    """Set the limits of a logarithmic axis to powers of ten, with labels that do not touch."""
    values = np.asarray(values)
    values = values[values > 0]
    if not values.size:
        values = np.array([1.0, 10.0])
    low, high = int(np.ceil(np.log10(values.min()) - 1e-9)), int(np.ceil(np.log10(values.max()) - 1e-9))
    high = max(high, low + 1)
    with axis.scale.hold_sync():
        axis.scale.min, axis.scale.max = float(values.min()), 10.0**high
    with axis.hold_sync():
        axis.tick_format = "~s" if low >= -1 else ".0e"
        axis.tick_values = 10.0 ** np.arange(low, high + 1, -(-(high - low) // _DECADES))
