"""Live previews: while a control is dragged, the window in view is computed again and again in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jwcal_interactive.errors import Cancelled
from jwcal_widgets.latest import Latest

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_interactive.session.preview import Counters, Preview, Window

__all__ = ["Live", "LivePreview"]

BUSY_AFTER = 0.2  # s


@dataclass(frozen=True, eq=False)
class Live:
    """A preview that has been computed.

    Attributes
    ----------
    preview : Preview
    counters : Counters
        What it changes, compared with the last run.
    waited, computed : float
        Time from the request to the beginning of the work, and that of the work, s.
    """

    preview: Preview
    counters: Counters
    waited: float
    computed: float


class LivePreview:
    """Computes previews in a thread, one at a time; a new request takes the place of those before it.

    Parameters
    ----------
    session : Session
    on_preview : callable
        Called in the thread with a `Live`, if no other request came meanwhile.
    on_busy : callable
        Called with True when a preview takes longer than 0.2 s, and with False at its end.
    guard : callable
        Wraps handlers, see `Messages.guarded`; what goes wrong in a preview is shown by it.
    """

    def __init__(
        self,
        session: Session,
        on_preview: Callable[[Live], None],
        on_busy: Callable[[bool], None],
        guard: Callable[..., Any],
    ) -> None:
        self._session = session
        self._on_preview = on_preview
        self._on_busy = guard(on_busy)
        self._latest = Latest(guard, "jwcal-live")
        self._cancel = threading.Event()

    def request(self, step: str, values: Mapping[str, Any], window: Window) -> None:
        """Ask for the preview of other values of a step; the one that is being computed is given up."""
        self._cancel.set()
        self._cancel = cancel = threading.Event()
        asked = time.perf_counter()
        given = dict(values)
        self._latest.request(lambda: self._work(step, given, window, asked, cancel), self._show)

    def cancel(self) -> None:
        """Give up what is being computed; nothing is shown."""
        self._cancel.set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing is left to do."""
        self._latest.wait(timeout)

    def close(self) -> None:
        """Stop; nothing is shown any more."""
        self._cancel.set()
        self._latest.close()
        self._latest.wait(1.0)

    def _work(
        self, step: str, values: dict[str, Any], window: Window, asked: float, cancel: threading.Event
    ) -> Live | None:
        start = time.perf_counter()
        busy = threading.Event()

        def tell() -> None:
            busy.set()
            self._on_busy(True)

        timer = threading.Timer(BUSY_AFTER, tell)
        timer.daemon = True
        timer.start()
        try:
            preview = self._session.preview(window, step, values, cancel=cancel)
            counters = preview.counters(self._session)
        except Cancelled:
            return None
        finally:
            timer.cancel()
            timer.join()
            if busy.is_set():
                self._on_busy(False)
        return Live(preview, counters, start - asked, time.perf_counter() - start)

    def _show(self, live: Live | None) -> None:
        if live is not None and not self._cancel.is_set():
            self._on_preview(live)
