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
GIVE_UP_AFTER = 0.5  # s


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


class _Request:
    """Tells a computation to stop when it is slow and there is a newer request."""

    def __init__(self) -> None:
        self.cancel = threading.Event()
        self._newer = self._slow = False

    def newer_came(self) -> None:
        self._newer = True
        self._decide()

    def is_slow(self) -> None:
        self._slow = True
        self._decide()

    def _decide(self) -> None:
        if self._newer and self._slow:
            self.cancel.set()


class LivePreview:
    """Computes previews in a thread, one at a time; a new request takes the place of those that wait.

    What is being computed is finished and shown, so that a control that is dragged without a stop is followed;
    only after 0.5 s it is given up for a newer request.

    Parameters
    ----------
    session : Session
    on_preview : callable
        Called in the thread with a `Live`.
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
        self._newest = self._present = _Request()

    def request(self, step: str, values: Mapping[str, Any], window: Window) -> None:
        """Ask for the preview of other values of a step."""
        self._newest.newer_came()
        self._newest = request = _Request()
        asked = time.perf_counter()
        given = dict(values)

        def show(live: Live | None) -> None:
            if live is not None and not request.cancel.is_set():
                self._on_preview(live)

        self._latest.request(lambda: self._work(step, given, window, asked, request), show, always=True)

    def cancel(self) -> None:
        """Give up what is being computed or waits; nothing is shown."""
        for request in (self._present, self._newest):
            request.cancel.set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing is left to do."""
        self._latest.wait(timeout)

    def close(self) -> None:
        """Stop; nothing is shown any more."""
        self.cancel()
        self._latest.close()
        self._latest.wait(1.0)

    def _work(
        self, step: str, values: dict[str, Any], window: Window, asked: float, request: _Request
    ) -> Live | None:
        start = time.perf_counter()
        self._present = request
        done, busy = threading.Event(), threading.Event()

        def watch() -> None:
            if done.wait(BUSY_AFTER):
                return
            busy.set()
            self._on_busy(True)
            if not done.wait(GIVE_UP_AFTER - BUSY_AFTER):
                request.is_slow()

        watcher = threading.Thread(target=watch, name="jwcal-live-watch", daemon=True)
        watcher.start()
        try:
            preview = self._session.preview(window, step, values, cancel=request.cancel)
            counters = preview.counters(self._session)
        except Cancelled:
            return None
        finally:
            done.set()
            watcher.join()
            if busy.is_set():
                self._on_busy(False)
        return Live(preview, counters, start - asked, time.perf_counter() - start)
