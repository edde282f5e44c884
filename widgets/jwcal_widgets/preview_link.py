"""What a preview of the window in view is made for: values that are dragged, or settings that have not run."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jwcal_interactive.instruments import RATE_UNIT
from jwcal_interactive.session.preview import Change, Counters, Window
from jwcal_widgets.live import Live, LivePreview

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_interactive.session.preview import Preview

__all__ = ["PreviewLink", "counters_text"]

NOT_UP_TO_DATE = {"pending", "stale", "failed"}


def _count(name: str, change: Change) -> str:
    if change.before is None:
        return f"{name} {change.after:,.0f}"
    if change.before == change.after:
        return ""
    return f"{name} {change.before:,.0f} → {change.after:,.0f} ({change.after - change.before:+,.0f})"


def _value(name: str, change: Change | None) -> str:
    if change is None:
        return ""
    words = f"{change.after:.4g}"
    before = "" if change.before is None else f"{change.before:.4g}"
    if before == words:
        return f"{name} {words} {RATE_UNIT} as before"
    return f"{name} {before} → {words} {RATE_UNIT}" if before else f"{name} {words} {RATE_UNIT}"


def counters_text(counters: Counters) -> str:
    """Say in one line what a preview changes: groups with each flag, slope and noise before → after."""
    flags = list(filter(None, (_count(name, change) for name, change in counters.groups.items())))
    parts = [f"groups: {', '.join(flags)}" if flags else "no group flag changed"]
    parts.append(_value("slope", counters.slope))
    parts.append(_value("spread", counters.spread))
    parts.append(_value("error", counters.error))
    if counters.pixels_changed is not None:
        parts.append(f"{counters.pixels_changed:,} pixels changed")
    return " · ".join(filter(None, parts))


class PreviewLink:
    """Shows previews while controls are dragged, and for settings with which nothing was run yet.

    Parameters
    ----------
    session : Session
    window : callable
        Gives the pixels in view as ``(x0, y0, x1, y1)``, half-open and at most 256 x 256, or ``None``.
    show : callable
        Called with a preview, or ``None`` where there is none any more.
    say : callable
        Called with the line of counters, as HTML.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    on : bool
        Whether previews are wanted.
    shown : Preview or None
        The preview on show.
    """

    def __init__(
        self,
        session: Session,
        window: Callable[[], tuple[int, int, int, int] | None],
        show: Callable[[Preview | None], None],
        say: Callable[[str], None],
        guard: Callable[..., Any],
    ) -> None:
        self.on = True
        self.shown: Preview | None = None
        self._session = session
        self._window = window
        self._show = show
        self._say = say
        self._asked: tuple[str, dict[str, Any]] | None = None
        self._words = ""
        self._live = LivePreview(session, self._ready, self._busy, guard)

    def drag(self, step: str, values: Mapping[str, Any]) -> None:
        """Preview other values of parameters of a step."""
        self._asked = (step, dict(values))
        self.again()

    def settle(self) -> None:
        """Preview the present settings if something is to be run with them; else show the results alone."""
        waiting = [s for s in self._session.steps if self._session.status(s).state in NOT_UP_TO_DATE]
        some_ran = len(waiting) < len(self._session.steps)
        if self.on and some_ran and waiting:
            self.drag(waiting[0], {})
        else:
            self.clear()

    def again(self) -> None:
        """Preview once more what was asked for last, after another window has come into view."""
        box = self._window()
        if self.on and self._asked is not None and box is not None:
            self._live.request(*self._asked, Window(*box))

    def clear(self) -> None:
        """Show no preview any more."""
        self._live.cancel()
        self._asked = None
        self._words = ""
        self._say("")
        if self.shown is not None:
            self.shown = None
            self._show(None)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing is left to compute."""
        self._live.wait(timeout)

    def close(self) -> None:
        """Stop; nothing is shown any more."""
        self._live.close()
        self.shown = None

    def _ready(self, live: Live) -> None:
        if self._asked is None:
            return
        preview, window = live.preview, live.preview.window
        self.shown = preview
        words = f"{counters_text(live.counters)} · {1000 * (live.waited + live.computed):.0f} ms"
        where = f"preview of x {window.x0} to {window.x1 - 1}, y {window.y0} to {window.y1 - 1}"
        tip = html.escape("; ".join([where, *preview.notes]), quote=True)
        about = "" if preview.exact else "≈ "
        self._words = (
            f"<span class='jwcal-counters' title='{tip}'><b>{about}preview</b> {html.escape(words)}</span>"
        )
        self._show(preview)
        self._say(self._words)

    def _busy(self, busy: bool) -> None:
        if self._asked is not None:
            self._say("<span class='jwcal-running'>computing the preview…</span>" if busy else self._words)
