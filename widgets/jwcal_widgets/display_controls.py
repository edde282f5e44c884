"""Stretch, limits and colour map of the image, with the colour bar and the histogram."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any

import ipywidgets as ipw
import numpy as np

from jwcal_widgets.closing import close_widgets
from jwcal_widgets.colormaps import COLORMAPS, INVALID_COLOR
from jwcal_widgets.histogram import Histogram
from jwcal_widgets.rendering import Look
from jwcal_widgets.stretch import LEVELS, LIMITS, STRETCHES, Limits, lookup_table, unstretched
from jwcal_widgets.viewport import encode

__all__ = ["DisplayControls", "color_bar", "in_range"]

MANUAL = "manual"
AUTOMATIC = "99.5 %"


def in_range(value: float, span: float) -> str:
    """Write a value with the digits that tell apart values within a range."""
    if not 1e-3 < abs(span) < 1e7:
        return f"{value:.3g}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(span)))}f}"


def color_bar(stretch: str, colormap: str, limits: Limits, unit: str) -> str:
    """Draw the colours in even steps, with the values that they stand for, as HTML."""
    low, high = limits
    # The table is even in value; the bar is even in colour, so it runs through the inverse stretch.
    even = unstretched(np.linspace(0.0, 1.0, 256), stretch)
    colors = lookup_table(stretch, colormap)[np.rint(even * (LEVELS - 1)).astype(int)]
    picture = base64.b64encode(encode(colors[None], lossless=True)[1]).decode()
    at = low + (high - low) * unstretched(np.linspace(0.0, 1.0, 5), stretch)
    invalid = "#" + bytes(INVALID_COLOR).hex()
    ticks = "".join(f"<span>{in_range(value, high - low)}</span>" for value in at)
    return (
        "<div class='jwcal-bar'><div style='flex:1'>"
        f"<img src='data:image/png;base64,{picture}' alt='colour bar'>"
        f"<div class='jwcal-bar-ticks'>{ticks}</div></div><span>{unit}</span>"
        "<span title='No finite value'>"
        f"<span class='jwcal-chip' style='background:{invalid}'></span>NaN</span></div>"
    )


class DisplayControls:
    """Controls of the display.

    Parameters
    ----------
    on_change : callable
        Called after a choice of the user.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    width : int
        Of the histogram, in screen pixels.
    delay : float
        Seconds to collect moves of the limits on the histogram, see `Coalesced`.
    on_values : callable, optional
        See `Histogram`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    histogram : Histogram
    histogram_shown : ipywidgets.ToggleButton
    """

    def __init__(
        self,
        on_change: Callable[[], None],
        guard: Callable[..., Any],
        *,
        width: int = 592,
        delay: float = 0.04,
        on_values: Callable[[float, float], None] | None = None,
    ) -> None:
        self._on_change = on_change
        self._manual: Limits = (0.0, 1.0)
        self._showing = False
        self.stretch = ipw.Dropdown(
            options=STRETCHES, value="asinh", layout={"width": "76px"}, tooltip="Stretch"
        )
        self.colormap = ipw.Dropdown(
            options=list(COLORMAPS),
            value="gray",
            layout={"width": "112px"},
            tooltip="Colour map",
        )
        self.method = ipw.Dropdown(
            options=[*LIMITS, MANUAL],
            value=AUTOMATIC,
            layout={"width": "100px"},
            tooltip="Limits: central part of the values, zscale, or your own",
        )
        limit = {"width": "80px"}
        self.low, self.high = (
            ipw.Text(continuous_update=False, layout=limit, tooltip=f"{end} limit")
            for end in ("Lower", "Upper")
        )
        self._message = ipw.HTML(layout={"display": "none"})
        self._bar = ipw.HTML(layout={"margin": "0 4px 0 58px"})
        self.histogram = Histogram(width, self._limits_dragged, on_values, guard, delay)
        self.histogram_shown = ipw.ToggleButton(
            value=False,
            description="histogram",
            tooltip="Histogram of the image, on which the limits can be dragged",
            layout={"width": "86px"},
        )
        self.histogram_shown.observe(guard(self._histogram_switched), "value")
        # A label and what it names stay together where the row has to break.
        row = ipw.HBox(
            [
                ipw.HBox([ipw.Label("stretch"), self.stretch]),
                ipw.HBox([ipw.Label("limits"), self.method, self.low, self.high]),
                ipw.HBox([ipw.Label("map"), self.colormap, self.histogram_shown]),
            ],
            layout={"flex_flow": "row wrap"},
        )
        self.widget = ipw.VBox([self._bar, row, self._message])
        for control in (self.stretch, self.colormap, self.method):
            control.observe(guard(self._chosen), "value")
        for control in (self.low, self.high):
            control.observe(guard(self._limit_typed), "value")

    def show(self, look: Look, limits: Limits, unit: str) -> None:
        """Show the limits and colours in use, which are not those chosen for a difference."""
        self._showing = True
        try:
            if self.method.value != MANUAL:
                self._manual = limits
            self.low.value, self.high.value = (f"{value:.5g}" for value in limits)
            self._bar.value = color_bar(look.stretch, look.colormap, limits, unit)
        finally:
            self._showing = False

    @property
    def limits(self) -> str | Limits:
        """The chosen method, or the two values that were typed."""
        return self._manual if self.method.value == MANUAL else self.method.value

    def forget_manual(self) -> None:
        """Return to automatic limits: those that were typed are for another unit."""
        if self.method.value == MANUAL:
            self._showing = True
            try:
                self.method.value = AUTOMATIC
            finally:
                self._showing = False

    def close(self) -> None:
        """Stop the timer of the histogram, and close the widgets."""
        self.histogram.close()
        close_widgets(self.widget)

    def _histogram_switched(self, change: dict[str, bool]) -> None:
        # A figure that is made while it is hidden keeps a brush of negative height: it is put in when needed.
        others = [child for child in self.widget.children if child is not self.histogram.widget]
        self.widget.children = (*others, self.histogram.widget) if change["new"] else tuple(others)

    def _limits_dragged(self, low: float, high: float) -> None:
        self._complain("")
        self._use((low, high))

    def _use(self, limits: Limits) -> None:
        self._manual = limits
        if self.method.value == MANUAL:
            self._on_change()
        else:
            self.method.value = MANUAL

    def _chosen(self, _change: object) -> None:
        if not self._showing:
            self._complain("")
            self._on_change()

    def _limit_typed(self, _change: object) -> None:
        if self._showing:
            return
        try:
            low, high = float(self.low.value), float(self.high.value)
        except ValueError:
            self._complain("The limits must be numbers.")
            return
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            self._complain("The limits must be finite, and the first must be below the second.")
            return
        self._complain("")
        self._use((low, high))

    def _complain(self, text: str) -> None:
        self._message.value = f"<span class='jwcal-error'>{text}</span>" if text else ""
        self._message.layout.display = "block" if text else "none"
