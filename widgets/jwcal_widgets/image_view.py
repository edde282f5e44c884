"""The detector image: a bqplot figure that is sent only what the screen can show."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bqplot as bq
import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_widgets.coalesce import Coalesced
from jwcal_widgets.dq_overlay import encode_overlay, overlay
from jwcal_widgets.planes import Plane
from jwcal_widgets.stretch import Limits, find_limits, find_symmetric_limits, lookup_table, sample, to_rgb
from jwcal_widgets.viewport import Window, bin_flags, bin_mean, encode, find_cut, fit_window

__all__ = ["ImageView", "Look"]

MARGIN = {"top": 10, "right": 14, "bottom": 44, "left": 58}
CURSOR_COLOR = "#00e676"
PAN_MARGIN = 0.2
OVERSAMPLING = 1.25
_ONE_PIXEL = np.zeros((1, 1), np.uint8)


@dataclass(frozen=True)
class Look:
    """How a plane is shown.

    Attributes
    ----------
    stretch, colormap : str
        Names, see `lookup_table`.
    limits : str or (float, float)
        A method of `find_limits`, or the two values.
    flags : tuple of DQ
        What to paint, see `overlay`.
    change : bool
        The plane is a difference: limits by a method are symmetric about 0.
    """

    stretch: str = "asinh"
    colormap: str = "gray"
    limits: str | Limits = "99.5 %"
    flags: tuple[DQ, ...] = ()
    change: bool = False


class _Layer:
    """An image mark whose picture can be replaced.

    bqplot repaints when the `image` of a mark becomes another widget, not when the bytes of that
    widget change: so there are two image widgets that take turns.
    """

    def __init__(self) -> None:
        blank = encode_overlay(_ONE_PIXEL, ())
        self._pictures = [ipw.Image(value=blank, format="png") for _ in range(2)]
        self.mark = bq.Image(image=self._pictures[0], x=[0, 1], y=[0, 1], visible=False)

    def draw(self, picture: tuple[str, bytes], extent: Window, *, pixelated: bool) -> None:
        self._pictures.reverse()
        self._pictures[0].format, self._pictures[0].value = picture
        with self.mark.hold_sync():
            self.mark.image = self._pictures[0]
            self.mark.x = [extent.x0, extent.x1]
            self.mark.y = [extent.y0, extent.y1]
            self.mark.pixelated = pixelated
            self.mark.visible = True

    def hide(self) -> None:
        self.mark.visible = False


class ImageView:
    """A zoomable image with axes in detector pixels, a layer of flags and a cursor.

    Parameters
    ----------
    plot : (int, int)
        Width and height of the plot area in screen pixels.
    on_pick : callable
        Called with ``(x, y)``, the pixel that was clicked.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    delay : float
        Seconds to collect pan and zoom events before drawing, see `Coalesced`.

    Attributes
    ----------
    widget : bqplot.Figure
    limits : (float, float)
        Display limits in use.
    """

    def __init__(
        self,
        plot: tuple[int, int],
        on_pick: Callable[[int, int], None],
        guard: Callable[..., Any],
        delay: float = 0.04,
    ) -> None:
        self.limits: Limits = (0.0, 1.0)
        self._plot = plot
        self._on_pick = on_pick
        self._plane: Plane | None = None
        self._look = Look()
        self._sampled: tuple[Plane, NDArray[np.float32]] | None = None
        self._lock = threading.RLock()
        self._moving = False
        self._pixel: tuple[int, int] | None = None
        self._x, self._y = (bq.LinearScale(min=0.0, max=1.0, allow_padding=False) for _ in range(2))
        scales = {"x": self._x, "y": self._y}
        self._image, self._dq = _Layer(), _Layer()
        for layer in (self._image, self._dq):
            layer.mark.scales = scales
            layer.mark.on_element_click(guard(self._clicked))
        self._cursor = bq.Lines(
            x=np.zeros((8, 2)),
            y=np.zeros((8, 2)),
            scales=scales,
            colors=[CURSOR_COLOR],
            stroke_width=1.4,
            visible=False,
        )
        self._panzoom = bq.PanZoom(scales={"x": [self._x], "y": [self._y]})
        axis = {"grid_lines": "none", "tick_format": "d"}
        self.widget = bq.Figure(
            marks=[self._image.mark, self._dq.mark, self._cursor],
            axes=[
                bq.Axis(scale=self._x, label="x (pixel, from 0)", label_offset="32px", **axis),
                bq.Axis(
                    scale=self._y,
                    label="y (pixel, from 0)",
                    label_offset="46px",
                    side="left",
                    **axis,
                ),
            ],
            fig_margin=MARGIN,
            padding_x=0.0,
            padding_y=0.0,
            display_toolbar=False,
            layout={
                "width": f"{plot[0] + MARGIN['left'] + MARGIN['right']}px",
                "min_width": f"{plot[0] + MARGIN['left'] + MARGIN['right']}px",
                "height": f"{plot[1] + MARGIN['top'] + MARGIN['bottom']}px",
            },
        )
        self._redraw = Coalesced(guard(self.redraw), delay)
        for scale in scales.values():
            scale.observe(self._scale_changed, ["min", "max"])

    @property
    def plane(self) -> Plane | None:
        """The plane on show."""
        return self._plane

    @property
    def window(self) -> Window:
        """What the axes span, in pixels."""
        return Window(self._x.min, self._x.max, self._y.min, self._y.max)

    @property
    def picture(self) -> bytes:
        """The encoded image that was sent last; it changes when the image on the screen changes."""
        return bytes(self._image.mark.image.value)

    def show(self, plane: Plane | None, look: Look) -> None:
        """Show a plane; the window stays where it is unless the size of the image differs."""
        with self._lock:
            old, self._plane, self._look = self._plane, plane, look
            if plane is None:
                self._image.hide()
                self._dq.hide()
                return
            self.limits = self._find_limits(plane)
            if old is None or old.data.shape != plane.data.shape:
                self._move(fit_window(plane.data.shape, self._plot))
            self.redraw()

    def set_panning(self, panning: bool) -> None:
        """Let the mouse pan and zoom, or pick pixels: bqplot can do only one of them at a time."""
        self.widget.interaction = self._panzoom if panning else None

    def fit(self) -> None:
        """Show the whole image."""
        if self._plane is not None:
            self._move(fit_window(self._plane.data.shape, self._plot))
            self.redraw()

    def zoom(self, factor: float, center: tuple[float, float] | None = None) -> None:
        """Magnify about the middle of the window, or about a pixel that comes to the middle."""
        self._move(self.window.zoomed(factor, center))
        self.redraw()

    def mark(self, x: int, y: int) -> None:
        """Put the cursor on a pixel, and bring the pixel into the window."""
        self._pixel = (x, y)
        if self.window.contains(x, y):
            self._draw_cursor()
        else:
            self.zoom(1.0, (x, y))

    def _draw_cursor(self) -> None:
        if self._pixel is None:
            return
        x, y = self._pixel
        arm = max(self.window.width, self.window.height) / 24 + 1
        box = [(-0.5, 0.5, -0.5, -0.5), (-0.5, 0.5, 0.5, 0.5)]
        box += [(-0.5, -0.5, -0.5, 0.5), (0.5, 0.5, -0.5, 0.5)]
        arms = [(-arm, -1.0, 0.0, 0.0), (1.0, arm, 0.0, 0.0)]
        arms += [(0.0, 0.0, -arm, -1.0), (0.0, 0.0, 1.0, arm)]
        lines = np.array(box + arms)
        with self._cursor.hold_sync():
            self._cursor.x = x + lines[:, :2]
            self._cursor.y = y + lines[:, 2:]
            self._cursor.visible = True

    def redraw(self) -> None:
        """Render the window and send it."""
        with self._lock:
            plane = self._plane
            if plane is None:
                return
            self._draw_cursor()
            size = int(OVERSAMPLING * max(self._plot))
            cut = find_cut(plane.data.shape, self.window, size, PAN_MARGIN)
            if cut is None:
                self._image.hide()
                self._dq.hide()
                return
            table = lookup_table(self._look.stretch, self._look.colormap)
            rgb = to_rgb(bin_mean(plane.data, cut), self.limits, table)
            picture = encode(rgb, lossless=cut.pixelated)
            self._image.draw(picture, cut.extent, pixelated=cut.pixelated)
            flags = self._look.flags
            if not flags:
                self._dq.hide()
                return
            painted = overlay(bin_flags(plane.dq, cut), flags)
            layer = ("png", encode_overlay(painted, flags))
            self._dq.draw(layer, cut.extent, pixelated=cut.pixelated)

    def _find_limits(self, plane: Plane) -> Limits:
        method = self._look.limits
        if not isinstance(method, str):
            return method
        if self._sampled is None or self._sampled[0] is not plane:
            self._sampled = (plane, sample(plane.data, plane.dq))
        values = self._sampled[1]
        return find_symmetric_limits(values) if self._look.change else find_limits(values, method)

    def _move(self, window: Window) -> None:
        """Set the axes without the redraws that the browser's own changes ask for."""
        self._moving = True
        try:
            with self._x.hold_sync(), self._y.hold_sync():
                self._x.min, self._x.max = window.x0, window.x1
                self._y.min, self._y.max = window.y0, window.y1
        finally:
            self._moving = False

    def _scale_changed(self, _change: object) -> None:
        if not self._moving:
            self._redraw.request()

    def _clicked(self, _mark: object, content: dict[str, dict[str, float]]) -> None:
        if self._plane is None:
            return
        ny, nx = self._plane.data.shape
        x, y = (int(np.floor(content["data"][key] + 0.5)) for key in ("click_x", "click_y"))
        self._on_pick(min(max(x, 0), nx - 1), min(max(y, 0), ny - 1))
