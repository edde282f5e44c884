"""Plots of a sweep: what depends on a parameter, one plot for each kind of quantity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import bqplot as bq
import ipywidgets as ipw
import numpy as np

from jwcal_interactive.instruments import RATE_UNIT
from jwcal_interactive.session.sweep import Sweep, SweepRow
from jwcal_widgets.plotting import F64, draw_lines, draw_points, plot_figure, put_ticks, span

__all__ = ["SweepPlots"]

# Okabe and Ito's colours, told apart by colour-blind people; shapes tell them apart, too.
_STYLES = (("#0072B2", "circle"), ("#D55E00", "square"), ("#009E73", "triangle-up"), ("#CC79A7", "diamond"))
_SYMBOLS = {"circle": "●", "square": "■", "triangle-up": "▲", "diamond": "◆"}
_MOST = len(_STYLES)


@dataclass(frozen=True)
class _Curve:
    """One quantity of all rows."""

    name: str
    values: F64

    @classmethod
    def of(cls, name: str, rows: Sequence[SweepRow], read: Callable[[SweepRow], float | None]) -> _Curve:
        numbers = [read(row) for row in rows]
        return cls(name, np.array([np.nan if n is None else n for n in numbers], np.float64))


class _Plot:
    """One plot, with some curves.

    Parameters
    ----------
    label : str
        Of the vertical axis, with its unit.
    size : (int, int)
        Screen pixels.
    on_click : callable
        Called with the number of the point that was clicked.
    """

    def __init__(self, label: str, size: tuple[int, int], on_click: Callable[[int], None]) -> None:
        x, y = bq.LinearScale(), bq.LinearScale()
        scales = {"x": x, "y": y}
        self._lines = [
            bq.Lines(x=[0.0, 1.0], y=[0.0, 0.0], scales=scales, colors=[color], stroke_width=1.5, visible=False)
            for color, _ in _STYLES
        ]
        self._points = [
            bq.Scatter(
                x=[0.0],
                y=[0.0],
                scales=scales,
                colors=[color],
                marker=marker,
                default_size=60,
                visible=False,
                interactions={"hover": "tooltip"},
                tooltip=bq.Tooltip(fields=["x", "y"], formats=[".5g", ".5g"], labels=["value", label]),
            )
            for color, marker in _STYLES
        ]
        self._present = bq.Lines(
            x=[0.0, 0.0], y=[0.0, 1.0], scales=scales, colors=["#888888"], line_style="dashed", visible=False
        )
        for mark in self._points:
            mark.on_element_click(lambda _mark, target: on_click(int(target["data"]["index"])))
        self.x_axis = bq.Axis(scale=x, num_ticks=6, grid_lines="none", label_offset="30px")
        self._y_axis = bq.Axis(scale=y, side="left", label=label, label_offset="52px", grid_lines="solid")
        marks = [self._present, *self._lines, *self._points]
        figure = plot_figure(marks, self.x_axis, self._y_axis, size, bottom=38, top=6)
        self._legend = ipw.HTML(layout={"margin": "2px 0 0 70px"})
        self.widget = ipw.VBox([self._legend, figure], layout={"display": "none", "overflow": "visible"})

    def show(
        self, x: F64, limits: tuple[float, float], curves: Sequence[_Curve], present: float | None
    ) -> None:
        """Draw curves over x; a dashed line marks the present value."""
        curves = [curve for curve in curves if np.isfinite(curve.values).any()][:_MOST]
        self.widget.layout.display = "flex" if curves else "none"
        if not curves:
            return
        low, high = span(np.concatenate([curve.values for curve in curves]), 0.12)
        put_ticks(self.x_axis, *limits)
        put_ticks(self._y_axis, low, high, 4)
        nothing = np.zeros(0)
        for number, (line, points) in enumerate(zip(self._lines, self._points, strict=True)):
            values = curves[number].values if number < len(curves) else nothing
            draw_lines(line, (x[None, : values.size], values[None]))
            draw_points(points, x[: values.size], values)
        self._present.visible = present is not None
        if present is not None:
            with self._present.hold_sync():
                self._present.x, self._present.y = [present, present], [low, high]
        self._legend.value = "".join(
            f"<span class='jwcal-key'><span style='color:{color}'>{_SYMBOLS[marker]}</span> {curve.name}</span>"
            for curve, (color, marker) in zip(curves, _STYLES, strict=False)
        )


class SweepPlots:
    """Flags, slopes, noise, chi-square and, of simulated exposures, truth, against the parameter.

    Parameters
    ----------
    width, height : int
        Of each plot, screen pixels.
    on_click : callable
        Called with the number of the row whose point was clicked.

    Attributes
    ----------
    widget : ipywidgets.VBox
    plots : dict of str to plot
    """

    def __init__(self, width: int, height: int, on_click: Callable[[int], None]) -> None:
        labels = {
            "flags": "groups",
            "slope": f"slope ({RATE_UNIT})",
            "noise": f"noise ({RATE_UNIT})",
            "fit": "chi-square",
            "bias": f"bias ({RATE_UNIT})",
            "jumps": "groups",
        }
        self.plots = {name: _Plot(label, (width, height), on_click) for name, label in labels.items()}
        self.widget = ipw.VBox([p.widget for p in self.plots.values()], layout={"overflow": "visible"})

    def show(self, sweep: Sweep, present: Any) -> None:
        """Draw a sweep; ``present`` is the value in force."""
        rows = sweep.rows
        numeric = not any(isinstance(row.value, str | bool | tuple) or row.value is None for row in rows)
        values = [row.value for row in rows]
        x = np.array(values if numeric else range(len(rows)), np.float64)
        at = float(present) if numeric and isinstance(present, int | float) else None
        if not numeric and present in values:
            at = float(values.index(present))
        limits = span(x if at is None else np.append(x, at), 0.05)
        curves = {
            "flags": [_flag(name, rows) for name in sweep.flags],
            "slope": [_Curve.of("median slope", rows, lambda row: row.slope)],
            "noise": [
                _Curve.of("spread of slopes", rows, lambda row: row.spread),
                _Curve.of("median error", rows, lambda row: row.error),
            ],
            "fit": [_Curve.of("median reduced chi-square of the fits", rows, lambda row: row.chi_square)],
            "bias": [_Curve.of("median of slope less truth", rows, lambda row: row.bias)],
            "jumps": [
                _Curve.of("false jumps", rows, lambda row: row.false_jumps),
                _Curve.of("missed jumps", rows, lambda row: row.missed_jumps),
            ],
        }
        unit = f" ({sweep.unit})" if sweep.unit else ""
        for name, plot in self.plots.items():
            plot.show(x, limits, curves[name], at)
            plot.x_axis.label = f"{sweep.name}{unit}"
            if not numeric:
                plot.x_axis.tick_values = x
                plot.x_axis.tick_labels = {f"{i}": str(value) for i, value in enumerate(values)}
            else:
                plot.x_axis.tick_labels = {}


def _flag(name: str, rows: Sequence[SweepRow]) -> _Curve:
    return _Curve.of(name, rows, lambda row: row.groups.get(name, 0))
