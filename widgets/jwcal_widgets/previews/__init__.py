"""A small picture for each step that answers "is this right?".

The preview of the step ``jump`` is described in ``steps/jump.py`` here (see `Reporter`), which is found by its
name; steps without a file of their own get one of ``generic.py``. What is computed is in
`jwcal_interactive.checks`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from jwcal_widgets.previews.board import Board

__all__ = ["Pixel", "preview_for"]


class Pixel(NamedTuple):
    """A picked pixel, counted from 0; `rows` is the height of the frame that y counts in."""

    x: int
    y: int
    rows: int


def preview_for(step: str, pick: Callable[[int, int, int], None], guard: Callable[..., Any]) -> Board:
    """Make the preview of a step.

    Parameters
    ----------
    step : str
    pick : callable
        ``pick(x, y, rows)`` picks a pixel in image and ramp.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    """
    from jwcal_widgets.previews.board import Board
    from jwcal_widgets.previews.generic import GENERIC

    name = f"{__name__}.steps.{step}"
    special = importlib.util.find_spec(name) is not None
    return Board(step, importlib.import_module(name).PREVIEW if special else GENERIC[step], pick, guard)
