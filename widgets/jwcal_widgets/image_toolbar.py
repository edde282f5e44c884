"""What the mouse does on the image, zoom, and how A and B are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as ipw

from jwcal_widgets.linked_views import ARRANGEMENTS, BLINK, CURTAIN, ONLY_A

__all__ = ["INSPECT", "PAINT", "PAN", "PIXELS", "RECTANGLES", "REGION", "ImageToolbar"]

INSPECT, PAN, REGION, PAINT = "inspect", "pan and zoom", "region", "paint"
PIXELS, RECTANGLES = "pixels", "rectangles"
_TIPS = {
    INSPECT: "Move over the image to read pixels, click to pick one",
    PAN: "Drag to pan, turn the wheel to zoom",
    REGION: "Drag a rectangle: its pixels are the region",
    PAINT: "Click on pixels or drag rectangles that are to be flagged by hand",
}


class ImageToolbar:
    """Buttons over the image.

    Parameters
    ----------
    modes : tuple of str
        Those of `INSPECT`, `PAN`, `REGION`, `PAINT` that are of use.
    actions : mapping of str to callable
        What is to be done when ``mode``, ``arrangement``, ``rate`` or ``curtain`` were changed, and what the
        buttons ``search-plus``, ``search-minus``, ``expand``, ``crosshairs``, ``step`` and ``change`` do.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    mode, shape : ipywidgets.ToggleButtons
    arrangement : ipywidgets.Dropdown
    rate, curtain : ipywidgets.FloatSlider
        Changes per second of blinking; where the curtain is, as a fraction of the width.
    buttons : dict of str to ipywidgets.Button
    """

    def __init__(
        self, modes: tuple[str, ...], actions: Mapping[str, Callable[[], None]], guard: Callable[..., Any]
    ) -> None:
        self.mode = ipw.ToggleButtons(
            options=modes, style={"button_width": "auto"}, tooltips=[_TIPS[mode] for mode in modes]
        )
        self.shape = ipw.ToggleButtons(
            options=[PIXELS, RECTANGLES],
            style={"button_width": "auto"},
            tooltips=["Click on single pixels", "Drag rectangles"],
            layout={"display": "none"},
        )
        self.arrangement = ipw.Dropdown(
            options=ARRANGEMENTS,
            value=ONLY_A,
            description="show",
            style={"description_width": "auto"},
            layout={"width": "145px"},
            tooltip="The image A, what it is compared with (B), or both",
        )
        self.rate = ipw.FloatSlider(
            value=1.5,
            min=0.5,
            max=6.0,
            step=0.5,
            description="changes per second",
            readout_format=".1f",
            style={"description_width": "auto"},
            layout={"width": "280px", "display": "none"},
        )
        self.curtain = ipw.FloatSlider(
            value=0.5,
            min=0.0,
            max=1.0,
            step=0.005,
            description="curtain",
            readout=False,
            style={"description_width": "auto"},
            layout={"width": "100%", "display": "none"},
        )
        icons = {
            "search-plus": "Zoom in",
            "search-minus": "Zoom out",
            "expand": "Fit: show the whole image",
            "crosshairs": "Zoom in on the picked pixel",
        }
        self.buttons = {}
        for icon, tooltip in icons.items():
            button = ipw.Button(icon=icon, tooltip=tooltip, layout={"width": "32px"})
            button.add_class("jwcal-icon-button")
            self.buttons[icon] = button
        texts = {
            "step": (
                "before/after step",
                "Blink the output of this step with what went into it",
            ),
            "change": (
                "before/after change",
                "Blink the results before and after the last change of settings",
            ),
        }
        for name, (text, tooltip) in texts.items():
            self.buttons[name] = ipw.Button(description=text, tooltip=tooltip, layout={"width": "auto"})
        for name, button in self.buttons.items():
            button.on_click(guard(lambda _button, action=actions[name]: action()))
        observed = {"mode": (self.mode, self.shape), "arrangement": (self.arrangement,)}
        observed |= {"rate": (self.rate,), "curtain": (self.curtain,)}
        for name, controls in observed.items():
            for control in controls:
                control.observe(guard(lambda _change, action=actions[name]: self._act(action)), "value")
        row = {"align_items": "center", "flex_flow": "row wrap"}
        zooms = [self.buttons[icon] for icon in icons]
        self.widget = ipw.VBox(
            [
                ipw.HBox([self.mode, self.shape, *zooms], layout=row),
                ipw.HBox(
                    [self.arrangement, self.buttons["step"], self.buttons["change"], self.rate], layout=row
                ),
                self.curtain,
            ]
        )

    @property
    def draws_boxes(self) -> bool:
        """Whether the mouse draws rectangles."""
        paints_boxes = self.mode.value == PAINT and self.shape.value == RECTANGLES
        return bool(self.mode.value == REGION or paints_boxes)

    def _act(self, action: Callable[[], None]) -> None:
        shown = {
            self.shape: self.mode.value == PAINT,
            self.rate: self.arrangement.value == BLINK,
            self.curtain: self.arrangement.value == CURTAIN,
        }
        for control, visible in shown.items():
            control.layout.display = None if visible else "none"
        action()
