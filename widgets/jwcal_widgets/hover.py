"""Where the mouse is over a plot, with nothing but bqplot.

Image marks of bqplot tell of clicks and not of moves; cells of a `GridHeatMap` tell when the mouse
enters them. So there are two transparent grids over the image: one of coarse cells, and one of fine
cells that is moved into the coarse cell under the mouse. Its cells are about one screen pixel wide,
and there are few thousand cells instead of a quarter of a million.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bqplot as bq
import numpy as np

__all__ = ["HoverGrid"]

COARSE = 8  # screen pixels
FINE = 8  # fine cells along a coarse one
_Place = tuple[float, float]


class HoverGrid:
    """Two grids that tell where the mouse is and where it clicked.

    Parameters
    ----------
    plot : (int, int)
        Width and height of the plot area in screen pixels.
    on_move, on_click : callable
        Called with ``(x, y)``, fractions of the plot from its lower left corner.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    marks : tuple of bqplot.GridHeatMap
        To be put over the image.
    """

    def __init__(
        self,
        plot: tuple[int, int],
        on_move: Callable[[float, float], None],
        on_click: Callable[[float, float], None],
        guard: Callable[..., Any],
    ) -> None:
        self._on_move = on_move
        self._on_click = on_click
        self._columns, self._rows = (max(1, round(size / COARSE)) for size in plot)
        self._at = (0, 0)
        self._waiting: _Place | None = None
        self._scales = {
            "column": bq.LinearScale(min=0.0, max=float(self._columns), allow_padding=False),
            "row": bq.LinearScale(min=0.0, max=float(self._rows), allow_padding=False),
            "color": bq.ColorScale(min=0.0, max=1.0, colors=["transparent", "transparent"]),
        }
        self._coarse = self._grid(self._rows, self._columns, (0, 0), 1.0)
        self._fine = self._grid(FINE, FINE, self._at, 1.0 / FINE)
        self.marks = (self._coarse, self._fine)
        self._coarse.on_hover(guard(self._entered))
        self._fine.on_hover(guard(self._moved))
        self._coarse.on_element_click(guard(self._clicked_early))
        self._fine.on_element_click(guard(self._clicked))

    def _grid(self, rows: int, columns: int, at: tuple[int, int], size: float) -> bq.GridHeatMap:
        return bq.GridHeatMap(
            color=np.zeros((rows, columns), np.uint8),
            row=at[0] + size * np.arange(rows + 1),
            column=at[1] + size * np.arange(columns + 1),
            scales=self._scales,
            stroke="transparent",
            interactions={},
        )

    def _entered(self, _mark: object, content: dict[str, Any]) -> None:
        self._settle()
        self._at = _cell(content)
        with self._fine.hold_sync():
            self._fine.row = self._at[0] + np.arange(FINE + 1) / FINE
            self._fine.column = self._at[1] + np.arange(FINE + 1) / FINE
        self._on_move(*self._fraction((FINE - 1) / 2, (FINE - 1) / 2))

    def _moved(self, _mark: object, content: dict[str, Any]) -> None:
        place = self._fraction(*_cell(content))
        if self._waiting is not None:
            self._waiting = None
            self._on_click(*place)
        self._on_move(*place)

    def _clicked(self, _mark: object, content: dict[str, Any]) -> None:
        self._waiting = None
        self._on_click(*self._fraction(*_cell(content)))

    def _clicked_early(self, _mark: object, content: dict[str, Any]) -> None:
        """Take a click before the fine cells came under the mouse; they will tell where it was."""
        self._entered(_mark, content)
        self._waiting = self._fraction((FINE - 1) / 2, (FINE - 1) / 2)

    def _settle(self) -> None:
        """Click in the middle of the coarse cell, if the mouse left it before it could be told exactly."""
        if self._waiting is not None:
            place, self._waiting = self._waiting, None
            self._on_click(*place)

    def _fraction(self, row: float, column: float) -> _Place:
        x = (self._at[1] + (column + 0.5) / FINE) / self._columns
        y = (self._at[0] + (row + 0.5) / FINE) / self._rows
        return x, y


def _cell(content: dict[str, Any]) -> tuple[int, int]:
    data = content["data"]
    return int(data["rowNum"]), int(data["columnNum"])
