"""The window that one or several views show: the scales that they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bqplot as bq

from jwcal_widgets.closing import close_widgets
from jwcal_widgets.coalesce import Coalesced
from jwcal_widgets.viewport import Window, fit_window

__all__ = ["SharedWindow"]


class SharedWindow:
    """Two bqplot scales, in detector pixels.

    Views that are made with the same scales pan and zoom together in the browser, without the kernel;
    so there is nothing that could echo. The kernel is told once, after the burst of changes.

    Parameters
    ----------
    plot : (int, int)
        Width and height of the plot area of each view in screen pixels.
    on_change : callable
        Called after the mouse panned or zoomed; not after `move`, `fit` and `zoom`.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    delay : float
        Seconds to collect changes, see `Coalesced`.

    Attributes
    ----------
    x, y : bqplot.LinearScale
    plot : (int, int)
    shape : (int, int) or None
        Size of the image that was last shown as a whole.
    """

    def __init__(
        self,
        plot: tuple[int, int],
        on_change: Callable[[], None],
        guard: Callable[..., Any],
        delay: float,
    ) -> None:
        self.plot = plot
        self.shape: tuple[int, int] | None = None
        self._moving = False
        self._changed = Coalesced(guard(on_change), delay)
        self.x, self.y = (bq.LinearScale(min=0.0, max=1.0, allow_padding=False) for _ in range(2))
        for scale in (self.x, self.y):
            scale.observe(self._scale_changed, ["min", "max"])

    @property
    def window(self) -> Window:
        """What the axes span, in pixels."""
        return Window(self.x.min, self.x.max, self.y.min, self.y.max)

    def move(self, window: Window) -> None:
        """Set the axes without the call that the browser's own changes lead to."""
        self._moving = True
        try:
            with self.x.hold_sync(), self.y.hold_sync():
                self.x.min, self.x.max = window.x0, window.x1
                self.y.min, self.y.max = window.y0, window.y1
        finally:
            self._moving = False

    def fit(self, shape: tuple[int, int]) -> None:
        """Show the whole of an image of size (ny, nx)."""
        self.shape = shape
        self.move(fit_window(shape, self.plot))

    def resize(self, plot: tuple[int, int]) -> None:
        """Change the size of the plots; the middle and the width in pixels stay, and pixels stay square."""
        window = self.window
        scale = window.width / plot[0]
        middle_y, half = (window.y0 + window.y1) / 2, scale * plot[1] / 2
        self.plot = plot
        self.move(Window(window.x0, window.x1, middle_y - half, middle_y + half))

    def close(self) -> None:
        """Stop the timer and close the scales."""
        self._changed.close()
        close_widgets(self.x, self.y)

    def _scale_changed(self, _change: object) -> None:
        if not self._moving:
            self._changed.request()
