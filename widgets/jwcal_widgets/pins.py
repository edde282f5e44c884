"""Pixels whose ramps stay in the plot, each with a letter, a colour and a shape of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets as ipw

from jwcal_widgets.line_colors import PINS
from jwcal_widgets.ramp_data import Pixel
from jwcal_widgets.ramp_marks import GLYPHS

__all__ = ["Pin", "Pins"]


@dataclass(frozen=True)
class _Style:
    letter: str
    color: str
    marker: str


# Shapes differ too where colours could be confused; the letter is written at the end of the line.
_MARKERS = ("square", "triangle-down", "ellipse")
_STYLES = tuple(
    _Style(letter, color, _MARKERS[place % len(_MARKERS)])
    for place, (letter, color) in enumerate(zip("ABCDEF", PINS, strict=True))
)


@dataclass(frozen=True)
class Pin:
    """A pinned pixel and how it is drawn."""

    pixel: Pixel
    letter: str
    color: str
    marker: str


class Pins:
    """The pinned pixels, with buttons to add and remove them.

    Parameters
    ----------
    on_change : callable
        Called after a pixel was pinned or unpinned.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.HBox
        The chips and `clear`.
    pin, clear : ipywidgets.Button
        Pin the pixel that is shown; unpin all.
    chips : tuple of ipywidgets.Button
        One for each place; pressing it unpins its pixel.
    """

    def __init__(self, on_change: Callable[[], None], guard: Callable[..., Any]) -> None:
        self._on_change = on_change
        self._pins: list[Pin | None] = [None] * len(_STYLES)
        self.pixel: Pixel | None = None
        self.pin = ipw.Button(
            description="Pin",
            icon="thumb-tack",
            tooltip="Keep the ramp of this pixel in the plot, up to six of them",
            layout={"width": "64px"},
        )
        self.pin.on_click(guard(lambda _button: self.add()))
        self.chips = tuple(self._chip(place, guard) for place in range(len(_STYLES)))
        self.clear = ipw.Button(
            description="unpin all", tooltip="Unpin all pixels", layout={"width": "76px", "display": "none"}
        )
        self.clear.on_click(guard(lambda _button: self._unpin(range(len(_STYLES)))))
        self.widget = ipw.HBox(
            [*self.chips, self.clear], layout={"flex_flow": "row wrap", "align_items": "center"}
        )

    @property
    def pinned(self) -> tuple[Pin, ...]:
        """Pinned pixels, in the order of their letters."""
        return tuple(pin for pin in self._pins if pin is not None)

    def add(self) -> None:
        """Pin the pixel that is shown, unless it is, or all places are taken."""
        if self.pixel is None or self.pixel in (pin.pixel for pin in self.pinned) or None not in self._pins:
            return
        place = self._pins.index(None)
        style = _STYLES[place]
        self._pins[place] = Pin(self.pixel, style.letter, style.color, style.marker)
        self.refresh()
        self._on_change()

    def refresh(self) -> None:
        """Show the pins, and whether the present pixel can be pinned."""
        for pin, chip in zip(self._pins, self.chips, strict=True):
            chip.layout.display = "none" if pin is None else None
            if pin is not None:
                chip.description = f"{GLYPHS[pin.marker]} {pin.letter}  {pin.pixel.x}, {pin.pixel.y}"
                chip.tooltip = f"Unpin {pin.letter}, the pixel at x {pin.pixel.x}, y {pin.pixel.y}"
        self.clear.layout.display = None if len(self.pinned) > 1 else "none"
        pixels = [pin.pixel for pin in self.pinned]
        self.pin.disabled = self.pixel is None or self.pixel in pixels or len(pixels) == len(_STYLES)

    def _chip(self, place: int, guard: Callable[..., Any]) -> ipw.Button:
        edge = f"4px solid {_STYLES[place].color}"
        chip = ipw.Button(icon="times", layout={"width": "auto", "display": "none", "border_left": edge})
        chip.on_click(guard(lambda _button: self._unpin([place])))
        return chip

    def _unpin(self, places: Any) -> None:
        for place in places:
            self._pins[place] = None
        self.refresh()
        self._on_change()
