"""The ramp of the picked pixel, drawn: groups, what is flagged and why, and the fitted slope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bqplot as bq
import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ, GROUP_FLAGS, names
from jwcal_widgets.dq_overlay import color_of
from jwcal_widgets.ramp import Fit, PixelRamp, segment_lines

__all__ = ["RampView", "Trace"]

USED_COLOR = "#3d7dd8"
FIT_COLOR = "#e0633a"
OTHER_COLORS = ("#3d7dd8", "#2a9d8f", "#9b5de5", "#b5838d", "#6c8a3c", "#577590")
_SYMBOLS = {
    DQ.JUMP_DET: "diamond",
    DQ.SATURATED: "triangle-up",
    DQ.DO_NOT_USE: "cross",
}
_GLYPHS = {"circle": "●", "diamond": "◆", "triangle-up": "▲", "cross": "✚", "square": "■"}


@dataclass(frozen=True, eq=False)
class Trace:
    """One integration to draw: its number from 1, the ramp, and the fit where there is one."""

    integration: int
    ramp: PixelRamp
    fit: Fit | None


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    """Axis limits with a little room around finite values."""
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = 0.07 * (high - low) or max(abs(low) * 0.05, 1.0)
    return low - room, high + room


class RampView:
    """A plot of one pixel's ramp in some integrations.

    Parameters
    ----------
    size : (int, int)
        Width and height of the figure in screen pixels.

    Attributes
    ----------
    widget : ipywidgets.VBox
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._x, self._y = (bq.LinearScale(min=0.0, max=1.0, allow_padding=False) for _ in range(2))
        scales = {"x": self._x, "y": self._y}
        self._path = bq.Lines(scales=scales, colors=list(OTHER_COLORS), stroke_width=1.0)
        self._path.opacities = [0.45] * len(OTHER_COLORS)
        self._fit = bq.Lines(scales=scales, colors=[FIT_COLOR], stroke_width=2.2)
        self._points: dict[DQ | None, bq.Scatter] = {
            None: self._scatter(scales, USED_COLOR, "circle")
        }
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
            orientation="vertical",
            label_offset="56px",
            grid_lines="solid",
        )
        self.figure = bq.Figure(
            marks=[self._path, self._fit, *self._points.values()],
            axes=[self._x_axis, self._y_axis],
            fig_margin={"top": 10, "right": 16, "bottom": 44, "left": 70},
            padding_x=0.0,
            padding_y=0.0,
            display_toolbar=False,
            layout={"width": f"{size[0]}px", "min_width": f"{size[0]}px", "height": f"{size[1]}px"},
        )
        self._legend = ipw.HTML()
        self.widget = ipw.VBox([self.figure, self._legend])
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

    def clear(self) -> None:
        """Draw nothing."""
        for mark in (self._path, self._fit, *self._points.values()):
            mark.visible = False
        self._legend.value = "<span class='jwcal-muted'>Click on a pixel to see its ramp.</span>"

    def show(self, traces: Sequence[Trace], *, differences: bool, zoom_used: bool = False) -> None:
        """Draw some integrations.

        Parameters
        ----------
        traces : sequence of Trace
            At least one.
        differences : bool
            Draw the count rate between neighbouring groups (DN/s) instead of the ramp (DN).
        zoom_used : bool
            Fit the axis to the groups that are not excluded.
        """
        drawn = [t.ramp.differences() if differences else t.ramp for t in traces]
        time = np.stack([ramp.time for ramp in drawn])
        value = np.stack([ramp.value for ramp in drawn])
        dq = np.stack([ramp.dq for ramp in drawn])
        excluded = np.stack([ramp.excluded for ramp in drawn])
        fit_t, fit_v = self._fit_lines(traces, drawn, differences=differences)
        usable = value[~excluded] if zoom_used and not excluded.all() else value
        self._set_axes(time, np.concatenate([usable.ravel(), fit_v.ravel()]), differences)
        with self._path.hold_sync():
            self._path.x, self._path.y, self._path.visible = time, value, time.shape[1] > 1
        with self._fit.hold_sync():
            self._fit.visible = len(fit_t) > 0
            if len(fit_t):
                self._fit.x, self._fit.y = fit_t, fit_v
        counts = self._set_points(time, value, dq)
        self._legend.value = self._legend_text(counts, has_fit=len(fit_t) > 0)

    @staticmethod
    def _fit_lines(
        traces: Sequence[Trace], drawn: Sequence[PixelRamp], *, differences: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        lines = []
        for trace, ramp in zip(traces, drawn, strict=True):
            if trace.fit is None or not np.isfinite(trace.fit.slope):
                continue
            if differences:
                ends = ramp.time[[0, -1]][None] if len(ramp.time) else np.empty((0, 2))
                lines.append((ends, np.full_like(ends, trace.fit.slope)))
            else:
                lines.append(segment_lines(trace.ramp, trace.fit.slope))
        if not lines:
            return np.empty((0, 2)), np.empty((0, 2))
        return np.concatenate([t for t, _ in lines]), np.concatenate([v for _, v in lines])

    def _set_axes(
        self, time: NDArray[np.float64], value: NDArray[np.float64], differences: bool
    ) -> None:
        low, high = _span(value)
        with self._x.hold_sync(), self._y.hold_sync():
            self._x.min, self._x.max = 0.0, float(time.max()) * 1.03 if time.size else 1.0
            self._y.min, self._y.max = low, high
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

    @staticmethod
    def _legend_text(counts: dict[DQ | None, int], *, has_fit: bool) -> str:
        def item(glyph: str, color: str, text: str) -> str:
            return f"<span class='jwcal-key'><b style='color:{color}'>{glyph}</b> {text}</span>"

        items = [item(_GLYPHS["circle"], USED_COLOR, f"used ({counts.get(None, 0)})")]
        for flag, count in counts.items():
            if flag is not None and count:
                glyph = _GLYPHS[_SYMBOLS.get(flag, "square")]
                items.append(item(glyph, color_of(flag), f"{names(flag)[0]} ({count})"))
        if has_fit:
            items.append(item("━", FIT_COLOR, "fitted slope"))
        return "<div class='jwcal-legend'>" + " ".join(items) + "</div>"
