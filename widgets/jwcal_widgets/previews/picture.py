"""A small map of the detector with a key of its colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bqplot as bq
import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from jwcal_widgets.closing import close_widgets
from jwcal_widgets.viewport import encode, fit_window

__all__ = ["Picture"]

TICKS = 4
OUTLINE = "#c2189b"
MARGIN = {"top": 6, "right": 10, "bottom": 36, "left": 50}


class Picture:
    """An image in detector coordinates; a click picks a pixel.

    Parameters
    ----------
    size : (int, int)
        Width and height of the plot area, screen pixels.
    pick : callable
        Called with ``(x, y, rows)`` of the detector pixel that was clicked, see `Pixel`.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : bqplot.Figure
    """

    def __init__(
        self, size: tuple[int, int], pick: Callable[[int, int, int], None], guard: Callable[..., Any]
    ) -> None:
        self._size = size
        self._pick = pick
        self._shape = (1, 1)
        blank = encode(np.full((1, 1, 3), 255, np.uint8), lossless=True)[1]
        # bqplot repaints when the picture becomes another widget: two take turns.
        self._pictures = [ipw.Image(value=blank, format="png") for _ in range(2)]
        self._x, self._y = (bq.LinearScale(min=0.0, max=1.0, allow_padding=False) for _ in range(2))
        self._mark = bq.Image(
            image=self._pictures[0], scales={"x": self._x, "y": self._y}, x=[0, 1], y=[0, 1], pixelated=True
        )
        self._mark.on_element_click(guard(self._clicked))
        self._outlines = bq.Lines(
            scales={"x": self._x, "y": self._y}, x=[0.0, 1.0], y=[0.0, 1.0], stroke_width=1.4, visible=False
        )
        axis = {"grid_lines": "none", "tick_format": "d"}
        width, height = (
            length + MARGIN[a] + MARGIN[b]
            for length, a, b in zip(size, ("left", "top"), ("right", "bottom"), strict=True)
        )
        self._axes = [
            bq.Axis(scale=self._x, label="x (pixel)", label_offset="28px", **axis),
            bq.Axis(scale=self._y, label="y (pixel)", label_offset="40px", side="left", **axis),
        ]
        self.widget = bq.Figure(
            marks=[self._mark, self._outlines],
            axes=self._axes,
            fig_margin=MARGIN,
            padding_x=0.0,
            padding_y=0.0,
            display_toolbar=False,
            layout={"width": f"{width}px", "min_width": f"{width}px", "height": f"{height}px"},
        )

    def show(
        self,
        colors: NDArray[np.uint8],
        shape: tuple[int, int],
        outlines: NDArray[np.float64] | None = None,
    ) -> None:
        """Show an image.

        Parameters
        ----------
        colors : uint8 (ny, nx, 3)
            May be binned: it is spread over the frame.
        shape : (int, int)
            Size (ny, nx) of the frame in detector pixels.
        outlines : float64 (n, 2, npoints), optional
            Closed curves to draw, x and y in pixels.
        """
        self._shape = shape
        self._pictures.reverse()
        self._pictures[0].format, self._pictures[0].value = encode(colors, lossless=True)
        window = fit_window(shape, self._size)
        spacing = 2 ** max(int(np.log2(max(shape) / TICKS)), 0)
        for axis in self._axes:
            axis.tick_values = np.arange(0, max(shape), spacing)
        with self._x.hold_sync(), self._y.hold_sync(), self._mark.hold_sync():
            self._x.min, self._x.max, self._y.min, self._y.max = window.x0, window.x1, window.y0, window.y1
            self._mark.image = self._pictures[0]
            self._mark.x, self._mark.y = [-0.5, shape[1] - 0.5], [-0.5, shape[0] - 0.5]
        if outlines is None or not len(outlines):
            self._outlines.visible = False
            return
        with self._outlines.hold_sync():
            self._outlines.x, self._outlines.y = outlines[:, 0], outlines[:, 1]
            self._outlines.colors = [OUTLINE] * len(outlines)
            self._outlines.visible = True

    def close(self) -> None:
        """Close the picture that waits for its turn."""
        close_widgets(*self._pictures)

    def _clicked(self, _mark: object, content: dict[str, dict[str, float]]) -> None:
        ny, nx = self._shape
        x, y = (int(np.floor(content["data"][key] + 0.5)) for key in ("click_x", "click_y"))
        self._pick(min(max(x, 0), nx - 1), min(max(y, 0), ny - 1), ny)
