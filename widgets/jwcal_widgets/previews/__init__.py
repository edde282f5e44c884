"""A small picture for each step that answers "is this right?".

The preview of the step ``jump`` is the class `Preview` of ``previews/jump.py``; it is found by its name.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import ipywidgets as ipw

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["Pixel", "StepPreview", "preview_for"]


class Pixel(NamedTuple):
    """A picked pixel, counted from 0; `rows` is the height of the frame that y counts in."""

    x: int
    y: int
    rows: int


class StepPreview(Protocol):
    """What a preview has.

    It is made as ``Preview(pick, guard)``: ``pick(x, y, rows)`` picks a pixel in image and ramp, `guard` wraps
    handlers (`Messages.guarded`). A widget that is not in the tree below ``widget`` is closed by ``close``.

    Attributes
    ----------
    widget : ipywidgets.Widget
    question : str
        What the user can judge by it.
    """

    widget: ipw.Widget
    question: str

    def __init__(self, pick: Callable[[int, int, int], None], guard: Callable[..., Any]) -> None: ...

    def gather(self, session: Session, pixel: Pixel) -> Any:
        """Compute what is shown from the results of the session, in a thread; touches no widget.

        Returns
        -------
        Any
            ``None`` if there is nothing to show.
        """

    def show(self, found: Any) -> None:
        """Draw what `gather` found; soon done."""

    def close(self) -> None:
        """Close what is not below ``widget``."""


def preview_for(step: str) -> type[StepPreview] | None:
    """Find the preview of a step; ``None`` if it has none."""
    name = f"{__name__}.{step}"
    if not step.isidentifier() or importlib.util.find_spec(name) is None:
        return None
    preview: type[StepPreview] = importlib.import_module(name).Preview
    return preview
