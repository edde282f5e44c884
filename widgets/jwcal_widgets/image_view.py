"""The detector image: a bqplot figure that is sent only what the screen can show."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal

import bqplot as bq
import numpy as np
from bqplot.interacts import BrushSelector, PanZoom
from numpy.typing import NDArray

from jwcal_widgets.closing import close_widgets
from jwcal_widgets.dq_overlay import encode_overlay
from jwcal_widgets.hover import HoverGrid
from jwcal_widgets.image_layer import ImageLayer
from jwcal_widgets.outlines import Outline
from jwcal_widgets.planes import Plane
from jwcal_widgets.plotting import nice_ticks
from jwcal_widgets.rendering import Drawn, LimitFinder, Look, curtain_of, draw
from jwcal_widgets.shared_window import SharedWindow
from jwcal_widgets.stretch import Limits
from jwcal_widgets.viewport import Box, Cut, Window, encode, find_cut, pixels_between

__all__ = ["ImageView", "Look", "Mode"]

Mode = Literal["inspect", "pan", "box"]
MARGIN = {"top": 10, "right": 14, "bottom": 44, "left": 58}
NARROW_LEFT = 12  # without an axis of y
NARROW = 400  # screen pixels
CURSOR_COLOR = "#00e676"
BOX_COLOR = "#ffd60a"
PREVIEW_COLOR = "#ff4dd2"
PAN_MARGIN = 0.2
OVERSAMPLING = 1.25


def _nothing(*_values: object) -> None:
    pass


class ImageView:
    """A zoomable image with axes in detector pixels, a layer of flags and a cursor.

    It shows one plane, or two: in turns (`flip`) or with a curtain between them.

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
    shared : SharedWindow, optional
        The window of several views, whose owner redraws them; by default the view has its own.
    on_move : callable
        Called with ``(x, y)``, the pixel under the mouse, in the mode ``inspect``.
    on_box : callable
        Called with the `Box` that was drawn in the mode ``box``.
    y_axis : bool
        Whether the axis of y has ticks and a label.

    Attributes
    ----------
    widget : bqplot.Figure
    limits : (float, float)
        Display limits in use.
    shared : SharedWindow
    preview, boxes, region : Outline
        The window of a preview, boxes that are to be flagged, and the chosen region.
    """

    def __init__(
        self,
        plot: tuple[int, int],
        on_pick: Callable[[int, int], None],
        guard: Callable[..., Any],
        delay: float = 0.04,
        *,
        shared: SharedWindow | None = None,
        on_move: Callable[[int, int], None] = _nothing,
        on_box: Callable[[Box], None] = _nothing,
        y_axis: bool = True,
    ) -> None:
        self.limits: Limits = (0.0, 1.0)
        self._on_pick, self._on_move, self._on_box = on_pick, on_move, on_box
        self._plane: Plane | None = None
        self._other: Plane | None = None
        self._curtain: float | None = None
        self._look = Look()
        self._front = True
        self._finder, self._other_finder = LimitFinder(), LimitFinder()
        self._drawn: tuple[Cut, Drawn, Drawn | None] | None = None
        self._lock = threading.RLock()
        self._pixel: tuple[int, int] | None = None
        self._own = shared is None
        self.shared = shared or SharedWindow(plot, self.redraw, guard, delay)
        self._x, self._y = self.shared.x, self.shared.y
        self._left = MARGIN["left"] if y_axis else NARROW_LEFT
        self._make_marks(guard)
        self._panzoom = PanZoom(scales={"x": [self._x], "y": [self._y]})
        self._brush = BrushSelector(x_scale=self._x, y_scale=self._y, marks=[], color=BOX_COLOR)
        self._brush.observe(guard(self._brushed), "brushing")
        axis = {"grid_lines": "none", "tick_format": "d"}
        self._axes = [
            bq.Axis(scale=self._x, label="x (pixel, from 0)", label_offset="32px", **axis),
            bq.Axis(
                scale=self._y,
                label="y (pixel, from 0)" if y_axis else "",
                label_offset="46px",
                side="left",
                visible=y_axis,
                **axis,
            ),
        ]
        self.widget = bq.Figure(
            marks=self._marks,
            axes=self._axes,
            fig_margin={**MARGIN, "left": self._left},
            padding_x=0.0,
            padding_y=0.0,
            display_toolbar=False,
        )
        self.resize()

    def _make_marks(self, guard: Callable[..., Any]) -> None:
        scales = {"x": self._x, "y": self._y}
        self._image, self._dq, self._back, self._back_dq = (ImageLayer(scales) for _ in range(4))
        self._layers = (self._image, self._back, self._dq, self._back_dq)
        for layer in self._layers:
            layer.mark.on_element_click(guard(self._clicked))
        self._divider = bq.Lines(
            x=[0.0, 0.0], y=[0.0, 0.0], scales=scales, colors=[CURSOR_COLOR], stroke_width=1.5, visible=False
        )
        self._cursor = bq.Lines(
            x=np.zeros((8, 2)),
            y=np.zeros((8, 2)),
            scales=scales,
            colors=[CURSOR_COLOR],
            stroke_width=1.4,
            visible=False,
        )
        self.preview = Outline(scales, PREVIEW_COLOR, "dashed", "PREVIEW")
        self.boxes = Outline(scales, BOX_COLOR, "dotted")
        self.region = Outline(scales, BOX_COLOR, "solid", "REGION")
        outlines = (self.preview, self.boxes, self.region)
        self._hover = HoverGrid(self.shared.plot, self._hovered, self._clicked_at, guard)
        self._marks = [layer.mark for layer in self._layers]
        self._marks += [mark for outline in outlines for mark in outline.marks]
        self._marks += [self._divider, self._cursor, *self._hover.marks]

    @property
    def plane(self) -> Plane | None:
        """The plane on show."""
        return self._plane

    @property
    def other(self) -> Plane | None:
        """The plane that it takes turns with, or that is right of the curtain."""
        return self._other

    @property
    def window(self) -> Window:
        """What the axes span, in pixels."""
        return self.shared.window

    @property
    def picture(self) -> bytes:
        """The encoded image that was sent last; it changes when the image on the screen changes."""
        return self._image.picture

    def show(
        self, plane: Plane | None, look: Look, *, other: Plane | None = None, curtain: float | None = None
    ) -> None:
        """Show a plane; the window stays where it is unless the size of the image differs.

        Parameters
        ----------
        plane : Plane or None
        look : Look
        other : Plane, optional
            Of the same shape; shown by `flip`, or right of the curtain.
        curtain : float, optional
            Where the curtain is, as a fraction of the width of the window.
        """
        with self._lock:
            self._plane, self._other, self._look, self._curtain = plane, other, look, curtain
            self._front = True
            if plane is None:
                self._hide()
                return
            self.limits = self._finder.limits(plane, look)
            if self.shared.shape != plane.shape:
                self.shared.fit(plane.shape)
            self.redraw()

    def values(self, plane: Plane) -> NDArray[np.float32]:
        """Sample of the values of the plane on show, see `sample`."""
        return self._finder.values(plane)

    def flip(self, front: bool) -> None:
        """Show the plane, or the other one in its place."""
        with self._lock:
            self._front = front or self._other is None
            self._show_side()

    def move_curtain(self, fraction: float) -> None:
        """Move the curtain to a fraction of the width of the window."""
        with self._lock:
            self._curtain = fraction
            if self._drawn is not None:
                self._send(*self._drawn)

    def set_mode(self, mode: Mode) -> None:
        """Choose what the mouse does: bqplot can do only one of them at a time."""
        self.widget.interaction = {"inspect": None, "pan": self._panzoom, "box": self._brush}[mode]

    def resize(self) -> None:
        """Take the size of the plot from the shared window."""
        width, height = self.shared.plot
        layout = self.widget.layout
        layout.width = layout.min_width = f"{width + self._left + MARGIN['right']}px"
        layout.height = f"{height + MARGIN['top'] + MARGIN['bottom']}px"

    def fit(self) -> None:
        """Show the whole image."""
        if self._plane is not None:
            self.shared.fit(self._plane.shape)
            self.redraw()

    def zoom(self, factor: float, center: tuple[float, float] | None = None) -> None:
        """Magnify about the middle of the window, or about a pixel that comes to the middle."""
        self.shared.move(self.window.zoomed(factor, center))
        self.redraw()

    def mark(self, x: int, y: int) -> None:
        """Put the cursor on a pixel, and bring the pixel into the window."""
        self._pixel = (x, y)
        if self.window.contains(x, y):
            self._draw_cursor()
        else:
            self.zoom(1.0, (x, y))

    def redraw(self) -> None:
        """Render the window and send it."""
        with self._lock:
            plane, other = self._plane, self._other
            if plane is None:
                return
            self._draw_cursor()
            self._put_ticks()
            cut = find_cut(plane.shape, self.window, int(OVERSAMPLING * max(self.shared.plot)), PAN_MARGIN)
            if cut is None:
                self._hide()
                return
            front, back = draw(plane, cut, self.limits, self._look), None
            if other is not None:
                limits = self.limits
                if other.unit != plane.unit:
                    limits = self._other_finder.limits(other, self._look)
                back = draw(other, cut, limits, self._look)
            self._drawn = (cut, front, back)
            self._send(cut, front, back)

    def close(self) -> None:
        """Close the figure with all that belongs to it."""
        with self._lock:
            self._plane = self._other = self._drawn = None
            self._finder, self._other_finder = LimitFinder(), LimitFinder()
        for layer in self._layers:
            layer.close()
        close_widgets(self.widget, self._panzoom, self._brush)
        if self._own:
            self.shared.close()

    def _send(self, cut: Cut, front: Drawn, back: Drawn | None) -> None:
        curtain = self._curtain
        if back is not None and curtain is not None:
            x = self.window.x0 + curtain * self.window.width
            front, back = curtain_of(front, back, cut, x), None
            with self._divider.hold_sync():
                self._divider.x, self._divider.y = [x, x], [self.window.y0, self.window.y1]
                self._divider.visible = True
        else:
            self._divider.visible = False
        self._send_one(self._image, self._dq, front, cut, True)
        if back is None:
            self._back.hide()
            self._back_dq.hide()
        else:
            self._send_one(self._back, self._back_dq, back, cut, not self._front)
            self._show_side()

    def _send_one(self, image: ImageLayer, dq: ImageLayer, drawn: Drawn, cut: Cut, visible: bool) -> None:
        sharp = cut.pixelated
        picture = encode(drawn.rgb, lossless=sharp)
        image.draw(picture, cut.extent, pixelated=sharp, visible=visible)
        if drawn.flags is None:
            dq.hide()
            return
        layer = ("png", encode_overlay(drawn.flags, self._look.flags))
        dq.draw(layer, cut.extent, pixelated=sharp, visible=visible)

    def _show_side(self) -> None:
        """Put the other plane over the plane, or take it away; each has its own flags."""
        if self._drawn is None or self._drawn[2] is None or self._curtain is not None:
            return
        flags = bool(self._look.flags)
        self.preview.veil(not self._front)
        self._back.mark.visible = not self._front
        self._dq.mark.visible = flags and self._front
        self._back_dq.mark.visible = flags and not self._front

    def _hide(self) -> None:
        self._drawn = None
        for layer in self._layers:
            layer.hide()
        self._divider.visible = False

    def _put_ticks(self) -> None:
        """Have fewer ticks on a narrow plot: bqplot would let their numbers run into one another."""
        narrow = self.shared.plot[0] < NARROW
        self._axes[0].tick_values = nice_ticks(self.window.x0, self.window.x1, 4) if narrow else None

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

    def _clicked(self, _mark: object, content: dict[str, dict[str, float]]) -> None:
        if self._plane is not None:
            self._on_pick(*self._pixel_at(content["data"]["click_x"], content["data"]["click_y"]))

    def _clicked_at(self, fx: float, fy: float) -> None:
        if self._plane is not None and self.window.contains(*self._place(fx, fy)):
            self._on_pick(*self._pixel_at(*self._place(fx, fy)))

    def _hovered(self, fx: float, fy: float) -> None:
        if self._plane is not None:
            self._on_move(*self._pixel_at(*self._place(fx, fy)))

    def _place(self, fx: float, fy: float) -> tuple[float, float]:
        window = self.window
        return window.x0 + fx * window.width, window.y0 + fy * window.height

    def _pixel_at(self, x: float, y: float) -> tuple[int, int]:
        """Pixel at a place; the nearest one, beside the image."""
        assert self._plane is not None
        ny, nx = self._plane.shape
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        return min(max(column, 0), nx - 1), min(max(row, 0), ny - 1)

    def _brushed(self, change: dict[str, Any]) -> None:
        """Take the rectangle when the mouse is released; it is drawn as an outline from then on."""
        x, y = self._brush.selected_x, self._brush.selected_y
        if change["new"] or self._plane is None or x is None or y is None or len(x) != 2 or len(y) != 2:
            return
        inside = Window(float(min(x)) + 0.01, float(max(x)) - 0.01, float(min(y)) + 0.01, float(max(y)) - 0.01)
        box = pixels_between(self._plane.shape, inside)
        with self._brush.hold_sync():
            self._brush.selected_x = self._brush.selected_y = None
        if box is not None:
            self._on_box(box)
