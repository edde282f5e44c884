"""The small picture of the chosen step that answers "is this right?"."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_widgets.closing import close_widgets
from jwcal_widgets.latest import Latest
from jwcal_widgets.previews import Pixel, preview_for
from jwcal_widgets.previews.board import Board
from jwcal_widgets.results import INPUT, out_of_date

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["CheckPanel"]


class CheckPanel:
    """Shows the preview of the chosen step, made when it is first looked at.

    Parameters
    ----------
    session : Session
    pick : callable
        Called with ``(x, y, rows)`` of a pixel that was clicked in the preview.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    """

    def __init__(
        self, session: Session, pick: Callable[[int, int, int], None], guard: Callable[..., Any]
    ) -> None:
        self._session = session
        self._pick = pick
        self._guard = guard
        self._step = INPUT
        exposure = session.exposure
        self._pixel = Pixel(exposure.xsize // 2, exposure.ysize // 2, exposure.ysize)
        self._previews: dict[str, Board | None] = {}
        self._latest = Latest(guard, "jwcal-check")
        self._head = ipw.HTML(layout={"margin": "2px 0"})
        self._body = ipw.VBox(layout={"overflow": "visible"})
        self.widget = ipw.VBox([self._head, self._body], layout={"overflow": "visible"})

    def choose(self, step: str) -> None:
        """Choose the step whose preview `refresh` shows."""
        self._step = step

    def look_at(self, x: int, y: int, rows: int) -> None:
        """Remember the picked pixel, for previews that show one."""
        self._pixel = Pixel(x, y, rows)

    def refresh(self) -> None:
        """Draw the preview of the chosen step; it is computed in a thread."""
        step = self._step
        if step not in self._previews:
            known = step in self._session.steps
            self._previews[step] = preview_for(step, self._pick, self._guard) if known else None
        preview = self._previews[step]
        if preview is None:
            self._say(step, "Choose a step in the list.")
            return
        status = self._session.status(step)
        if status.state == "skipped":
            self._say(step, f"Left out: {status.reason or 'its parameter skip is set'}.".replace("..", "."))
            return
        if status.state in ("pending", "failed"):
            self._say(step, "Run the step to see what it did.")
            return
        self._say(step, preview.question)
        pixel = self._pixel
        self._latest.request(
            lambda: preview.gather(self._session, pixel), lambda found: self._show(step, preview, found)
        )

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing is left to compute."""
        self._latest.wait(timeout)

    def close(self) -> None:
        """Close the previews."""
        self._latest.close()
        for preview in self._previews.values():
            if preview is not None:
                preview.close()
                close_widgets(preview.widget)
        self._previews.clear()
        close_widgets(self.widget)

    def _show(self, step: str, preview: Board, found: Any) -> None:
        if step != self._step:
            return
        if found is None:
            self._say(step, "Nothing to show: the step changed nothing, or its result is no longer in memory.")
            return
        preview.show(found)
        if self._body.children != (preview.widget,):
            self._body.children = (preview.widget,)

    def _say(self, step: str, words: str) -> None:
        why = out_of_date(self._session, step)
        note = f" <span class='jwcal-stale'>↻ {why}: run to update</span>" if why else ""
        self._head.value = f"<b>{step}</b> <span class='jwcal-muted'>{html.escape(words)}</span>{note}"
        preview = self._previews[step]
        if self._body.children and (preview is None or self._body.children != (preview.widget,)):
            self._body.children = ()
