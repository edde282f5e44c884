"""One or two views of the detector that pan and zoom together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from jwcal_widgets.blink import Blinker
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.image_view import MARGIN, NARROW_LEFT, ImageView, Mode
from jwcal_widgets.planes import Plane
from jwcal_widgets.rendering import Look
from jwcal_widgets.shared_window import SharedWindow
from jwcal_widgets.stretch import Limits
from jwcal_widgets.viewport import Box, Window

__all__ = ["ARRANGEMENTS", "BLINK", "CHANGE", "CURTAIN", "ONLY_A", "ONLY_B", "LinkedViews"]

ONLY_A, ONLY_B, CHANGE = "A", "B", "A − B"
BESIDE, STACKED, BLINK, CURTAIN = "side by side", "stacked", "blink", "curtain"
ARRANGEMENTS = (ONLY_A, ONLY_B, CHANGE, BESIDE, STACKED, BLINK, CURTAIN)
_TWO = (BESIDE, STACKED)


class LinkedViews:
    """Two views on one window; the second is made when it is first needed.

    Parameters
    ----------
    plot : (int, int)
        Width and height of the plot area of a single view in screen pixels.
    on_pick, on_move : callable
        Called with ``(x, y)``, see `ImageView`.
    on_box : callable
        See `ImageView`.
    on_window : callable
        Called after what is in view was changed, by the mouse or by the methods here.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    delay : float
        See `ImageView`.

    Attributes
    ----------
    widget : ipywidgets.Box
    first : ImageView
    second : ImageView or None
    shared : SharedWindow
    blinker : Blinker
    """

    def __init__(
        self,
        plot: tuple[int, int],
        on_pick: Callable[[int, int], None],
        on_move: Callable[[int, int], None],
        on_box: Callable[[Box], None],
        on_window: Callable[[], None],
        guard: Callable[..., Any],
        delay: float,
    ) -> None:
        self._plot = plot
        self._on_window = on_window
        self._arrangement = ONLY_A
        self._mode: Mode = "inspect"
        self.shared = SharedWindow(plot, self._moved, guard, delay)

        def make(*, y_axis: bool) -> ImageView:
            return ImageView(
                plot, on_pick, guard, shared=self.shared, on_move=on_move, on_box=on_box, y_axis=y_axis
            )

        self._make = make
        self.first = make(y_axis=True)
        self.second: ImageView | None = None
        self._names = [ipw.HTML() for _ in range(2)]
        self._cells = [ipw.VBox([name], layout={"overflow": "hidden"}) for name in self._names]
        self._cells[0].children = (self._names[0], self.first.widget)
        self.widget = ipw.Box([self._cells[0]])
        self.blinker = Blinker(self._flip)
        self._titles = ("", "")

    @property
    def views(self) -> tuple[ImageView, ...]:
        """Views on the screen."""
        two = self._arrangement in _TWO and self.second is not None
        return (self.first, self.second) if two and self.second is not None else (self.first,)

    @property
    def window(self) -> Window:
        """What the axes span, in pixels."""
        return self.shared.window

    @property
    def limits(self) -> Limits:
        """Display limits of the first view."""
        return self.first.limits

    def show(
        self,
        arrangement: str,
        a: Plane | None,
        b: Plane | None,
        look: Look,
        *,
        curtain: float = 0.5,
        titles: tuple[str, str] = ("", ""),
    ) -> None:
        """Show one plane or two.

        Parameters
        ----------
        arrangement : str
            One of `ARRANGEMENTS`; without `b`, and for those that show one plane, `a` alone is shown.
        a, b : Plane or None
        look : Look
            The second view and the other plane use the limits of the first, if they are in the same unit.
        curtain : float
            Where the curtain is, as a fraction of the width.
        titles : (str, str)
            What A and B are, as HTML.
        """
        self._titles = titles
        single = b is None or arrangement in (ONLY_A, ONLY_B, CHANGE)
        self._arrange(ONLY_A if single else arrangement)
        if single or b is None or a is None:
            self.first.show(a, look)
        elif arrangement in _TWO:
            self.first.show(a, look)
            assert self.second is not None
            self.second.show(b, _with_limits(look, self.first.limits) if a.unit == b.unit else look)
        elif arrangement == CURTAIN:
            self.first.show(a, look, other=b, curtain=curtain)
        else:
            self.first.show(a, look, other=b)
        self._show_names(True)
        (self.blinker.start if self._arrangement == BLINK and a is not None else self.blinker.stop)()

    def set_mode(self, mode: Mode) -> None:
        """Choose what the mouse does, in all views."""
        self._mode = mode
        for view in filter(None, (self.first, self.second)):
            view.set_mode(mode)

    def mark(self, x: int, y: int) -> None:
        """Put the cursors on a pixel, and bring it into the window."""
        before = self.window
        for view in self.views:
            view.mark(x, y)
        if self.window != before:
            self._on_window()

    def fit(self) -> None:
        """Show the whole image."""
        if self.first.plane is not None:
            self.shared.fit(self.first.plane.shape)
            self._moved()

    def zoom(self, factor: float, center: tuple[float, float] | None = None) -> None:
        """Magnify about the middle of the window, or about a pixel that comes to the middle."""
        self.shared.move(self.window.zoomed(factor, center))
        self._moved()

    def redraw(self) -> None:
        """Render the views that are on the screen."""
        for view in self.views:
            view.redraw()

    def close(self) -> None:
        """Stop the threads and close the views."""
        self.blinker.stop()
        for view in filter(None, (self.first, self.second)):
            view.close()
        self.shared.close()
        close_widgets(self.widget, *self._cells, *self._names)

    def _moved(self) -> None:
        self.redraw()
        self._on_window()

    def _flip(self, front: bool) -> None:
        self.first.flip(front)
        self._show_names(front)

    def _show_names(self, front: bool) -> None:
        """Name what is seen, where two planes are in play."""
        a, b = (f"<b>{name}</b> {title}" for name, title in zip("AB", self._titles, strict=True))
        first = {
            BLINK: a if front else b,
            CURTAIN: f"left: {a}<br>right: {b}",
            BESIDE: a,
            STACKED: a,
        }.get(self._arrangement, "")
        self._names[0].value, self._names[1].value = first, b
        self._names[0].layout.display = None if first else "none"

    def _arrange(self, arrangement: str) -> None:
        if arrangement == self._arrangement:
            return
        self._arrangement = arrangement
        width, height = self._plot
        if arrangement in _TWO:
            if self.second is None:
                self.second = self._make(y_axis=False)
                self.second.set_mode(self._mode)
            self._cells[1].children = (self._names[1], self.second.widget)
        if arrangement == BESIDE:
            half = (width - NARROW_LEFT - MARGIN["right"]) // 2
            self._resize((half, min(height, round(1.4 * half))), "row")
        elif arrangement == STACKED:
            self._resize((width, height // 2), "column")
        else:
            self._resize(self._plot, "row")
        self.widget.children = tuple(self._cells[: len(self.views)])

    def _resize(self, plot: tuple[int, int], flow: str) -> None:
        if plot != self.shared.plot:
            self.shared.resize(plot)
        self.widget.layout.flex_flow = flow
        for view in self.views:
            view.resize()


def _with_limits(look: Look, limits: Limits) -> Look:
    return Look(look.stretch, look.colormap, limits, look.flags, look.change)
