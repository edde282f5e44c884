"""Run a session in a thread, so that the page keeps answering."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from jwcal_interactive.errors import Cancelled

if TYPE_CHECKING:
    from jwcal_interactive import Progress, Session

__all__ = ["Runner"]


class Runner:
    """Runs a session, one run at a time.

    Parameters
    ----------
    session : Session
    on_progress : callable
        Called with a `Progress` from worker threads, at most every `interval` seconds and whenever
        the step changes.
    on_end : callable
        Called once at the end, from the run's thread, with None, `Cancelled` or the exception.
    interval : float
        Seconds.
    """

    def __init__(
        self,
        session: Session,
        on_progress: Callable[[Progress], None],
        on_end: Callable[[Exception | None], None],
        interval: float = 0.1,
    ) -> None:
        self._session = session
        self._on_progress = on_progress
        self._on_end = on_end
        self._interval = interval
        self._lock = threading.Lock()
        self._last: tuple[str, float] = ("", 0.0)
        self._cancel = threading.Event()
        self._running = False
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether a run is going on."""
        return self._running

    def start(self, first: str | None = None, last: str | None = None) -> None:
        """Start a run, see `Session.run`; does nothing while another one is going on."""
        if self.running:
            return
        self._running = True
        self._cancel = threading.Event()
        self._last = ("", 0.0)
        self._thread = threading.Thread(target=self._run, args=(first, last), name="jwcal-run", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the run to stop."""
        self._cancel.set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the end of the run, and of what `on_end` does."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _run(self, first: str | None, last: str | None) -> None:
        outcome: Exception | None = None
        try:
            self._session.run(first=first, last=last, progress=self._progress, cancel=self._cancel)
        except Cancelled as cancelled:
            outcome = cancelled
        except Exception as error:  # noqa: BLE001 - handed on to be shown
            outcome = error
        self._running = False
        self._on_end(outcome)

    def _progress(self, progress: Progress) -> None:
        now = time.monotonic()
        with self._lock:
            step, told = self._last
            if progress.step == step and now - told < self._interval:
                return
            self._last = (progress.step, now)
        self._on_progress(progress)
