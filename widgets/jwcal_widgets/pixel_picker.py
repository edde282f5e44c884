"""Pick a pixel by numbers and arrows."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as ipw

from jwcal_widgets.planes import Plane
from jwcal_widgets.readout import readout

__all__ = ["PixelPicker"]


class PixelPicker:
    """Numeric x and y, arrows that move by one pixel, and the readout.

    Parameters
    ----------
    on_pick : callable
        Called with ``(x, y)``.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.HBox
    """

    def __init__(self, on_pick: Callable[[int, int], None], guard: Callable[..., Any]) -> None:
        self._on_pick = on_pick
        self._showing = False
        number = {"width": "64px"}
        self.x, self.y = (
            ipw.BoundedIntText(min=0, max=0, layout=number, tooltip=f"{axis}, counted from 0")
            for axis in ("Column", "Row")
        )
        for control in (self.x, self.y):
            control.observe(guard(self._typed), "value")
        self.arrows: dict[str, ipw.Button] = {}
        for name, dx, dy in (("left", -1, 0), ("down", 0, -1), ("up", 0, 1), ("right", 1, 0)):
            button = ipw.Button(
                icon=f"arrow-{name}", tooltip=f"One pixel {name}", layout={"width": "26px", "margin": "2px 1px"}
            )
            button.add_class("jwcal-icon-button")
            button.on_click(guard(partial(self._nudge, dx, dy)))
            self.arrows[name] = button
        self._text = ipw.HTML(layout={"margin": "0 0 0 8px"})
        self.widget = ipw.HBox(
            [
                ipw.Label("pixel x"),
                self.x,
                ipw.Label("y"),
                self.y,
                *self.arrows.values(),
                self._text,
            ],
            layout={"align_items": "center", "flex_flow": "row wrap"},
        )

    def set_shape(self, shape: tuple[int, int]) -> None:
        """Allow the pixels of an image of size (ny, nx)."""
        self._showing = True
        try:
            self.y.max, self.x.max = shape[0] - 1, shape[1] - 1
        finally:
            self._showing = False

    def show(self, plane: Plane | None, x: int, y: int) -> None:
        """Show a pixel."""
        self._showing = True
        try:
            self.x.value, self.y.value = x, y
        finally:
            self._showing = False
        text = readout(plane, x, y) if plane is not None else ""
        self._text.value = f"<div class='jwcal-readout'>{html.escape(text)}</div>"

    def _typed(self, _change: object) -> None:
        if not self._showing:
            self._on_pick(self.x.value, self.y.value)

    def _nudge(self, dx: int, dy: int, _button: object) -> None:
        x = min(max(self.x.value + dx, 0), self.x.max)
        y = min(max(self.y.value + dy, 0), self.y.max)
        self._on_pick(x, y)
