"""Histogram of the image, with display limits that can be dragged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bqplot as bq
import ipywidgets as ipw
import numpy as np
from bqplot.interacts import BrushIntervalSelector
from numpy.typing import NDArray

from jwcal_widgets.closing import close_widgets
from jwcal_widgets.coalesce import Coalesced
from jwcal_widgets.plotting import put_ticks
from jwcal_widgets.stretch import Limits

__all__ = ["Histogram", "counts_of"]

BINS = 120
LIMITS, PIXELS = "set limits", "select pixels"
MARGIN = {"top": 6, "right": 14, "bottom": 40, "left": 58}
BAR_COLOR = "#5b7ea8"


def counts_of(values: NDArray[np.float32], limits: Limits) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count values in `BINS` equal bins over all but the outermost 0.1 % of them, and over the limits.

    Returns
    -------
    counts : int64 (BINS,)
    edges : float64 (BINS + 1,)
    """
    low, high = limits
    if values.size:
        inner = np.percentile(values, (0.05, 99.95))
        low, high = min(low, float(inner[0])), max(high, float(inner[1]))
    pad = 0.02 * (high - low) or 0.5
    counts, edges = np.histogram(values, BINS, (low - pad, high + pad))
    return counts.astype(np.int64), edges.astype(np.float64)


class Histogram:
    """Bars of how many pixels have which value, and a brush over them.

    Parameters
    ----------
    width : int
        Screen pixels.
    on_limits : callable
        Called with the two limits while the brush is dragged.
    on_values : callable or None
        Called with the lowest and highest value of the pixels that the brush selects, when it is released.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    delay : float
        Seconds to collect brush moves, see `Coalesced`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    """

    def __init__(
        self,
        width: int,
        on_limits: Callable[[float, float], None],
        on_values: Callable[[float, float], None] | None,
        guard: Callable[..., Any],
        delay: float,
    ) -> None:
        self._on_limits, self._on_values = on_limits, on_values
        self._showing = False
        self._counts = np.zeros(BINS, np.int64)
        self._drag = Coalesced(guard(self._take_limits), delay)
        self._x = bq.LinearScale(min=0.0, max=1.0, allow_padding=False)
        self._y = bq.LinearScale(min=0.0, max=1.0, allow_padding=False)
        # A filled outline instead of bars: one element on the screen, and one message.
        self._outline = bq.Lines(
            x=[0.0, 1.0],
            y=[0.0, 0.0],
            scales={"x": self._x, "y": self._y},
            colors=[BAR_COLOR],
            fill="bottom",
            fill_colors=[BAR_COLOR],
            fill_opacities=[0.55],
            stroke_width=1.0,
        )
        self._brush = BrushIntervalSelector(scale=self._x, marks=[], color="#ffb000")
        self._brush.observe(guard(self._brushed), ["selected", "brushing"])
        self._x_axis = bq.Axis(scale=self._x, label="value", label_offset="30px", grid_lines="none")
        self._y_axis = bq.Axis(
            scale=self._y, label="pixels", side="left", label_offset="44px", grid_lines="none"
        )
        self._figure = bq.Figure(
            marks=[self._outline],
            axes=[self._x_axis, self._y_axis],
            interaction=self._brush,
            fig_margin=MARGIN,
            padding_x=0.0,
            padding_y=0.0,
            display_toolbar=False,
            layout={"width": f"{width}px", "min_width": f"{width}px", "height": "150px"},
        )
        self.purpose = ipw.ToggleButtons(
            options=[LIMITS, PIXELS],
            style={"button_width": "auto"},
            tooltips=[
                "Drag over the histogram to set the display limits",
                "Drag over the histogram to select the pixels with these values as a region",
            ],
            layout={"display": None if on_values else "none", "flex": "0 0 auto"},
        )
        self.log = ipw.Checkbox(value=True, description="log counts", indent=False, layout={"width": "100px"})
        self.log.observe(guard(lambda _change: self._draw()), "value")
        self._note = ipw.HTML()
        self.widget = ipw.VBox(
            [
                ipw.HBox([self.purpose, self.log, self._note], layout={"align_items": "center"}),
                self._figure,
            ]
        )

    def show(self, values: NDArray[np.float32], pixels: int, limits: Limits, unit: str) -> None:
        """Show the distribution of values.

        Parameters
        ----------
        values : float32 (n,)
            A sample of the image, see `stretch.sample`.
        pixels : int
            How many pixels the image has.
        limits : (float, float)
            Display limits; the brush is put over them.
        unit : str
        """
        self._counts, self._edges = counts_of(values, limits)
        sampled = values.size < 0.5 * pixels
        self._note.value = (
            f"<span class='jwcal-hover jwcal-muted'>{'a sample of ' if sampled else ''}{values.size:,} "
            f"{'of' if sampled else 'good values in'} {pixels:,} pixels</span>"
        )
        self._x_axis.label = f"value ({unit})" if unit else "value"
        self._draw()
        if not self._brush.brushing:
            self._showing = True
            try:
                self._brush.selected = np.array(limits, float)
            finally:
                self._showing = False

    def close(self) -> None:
        """Stop the timer and close the widgets."""
        self._drag.close()
        close_widgets(self.widget)

    def _draw(self) -> None:
        counts, edges = self._counts, self._edges
        heights = np.log10(counts + 1.0) if self.log.value else counts.astype(float)
        top = max(float(heights.max()) * 1.08, 1e-3)
        self._y_axis.label = "log10 (pixels + 1)" if self.log.value else "pixels"
        put_ticks(self._x_axis, float(edges[0]), float(edges[-1]), 8)
        put_ticks(self._y_axis, 0.0, top, 4)
        with self._outline.hold_sync():
            self._outline.x = np.repeat(edges, 2)[1:-1]
            self._outline.y = np.repeat(heights, 2)

    def _brushed(self, change: dict[str, Any]) -> None:
        if self._showing:
            return
        if self.purpose.value == LIMITS and change["name"] == "selected":
            self._drag.request()
        elif self.purpose.value == PIXELS and change["name"] == "brushing" and not change["new"]:
            ends = self._ends()
            if ends is not None and self._on_values is not None:
                self._on_values(*ends)

    def _take_limits(self) -> None:
        ends = self._ends()
        if ends is not None:
            self._on_limits(*ends)

    def _ends(self) -> tuple[float, float] | None:
        ends = self._brush.selected
        if ends is None or len(ends) != 2 or not float(ends[1]) > float(ends[0]):
            return None
        return float(ends[0]), float(ends[1])
