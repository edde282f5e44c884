"""Run a session in a thread, so that the page keeps answering."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jwcal_interactive.errors import Cancelled

if TYPE_CHECKING:
    from jwcal_interactive import Progress, Session

__all__ = ["Runner"]


@dataclass(eq=False)
class _Run:
    """One run: its request to stop, its thread, and what was last told of it, and when."""

    cancel: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    topic: tuple[str, str] = ("", "")
    told: float = 0.0


class Runner:
    """Runs a session, one run at a time.

    A cancelled run is over for the user at once. Its thread may need a moment to come to a point where it
    can stop, while it reads a large reference file; the next run waits for it.

    Parameters
    ----------
    session : Session
    on_progress : callable
        Called with a `Progress` from worker threads, at most every `interval` seconds and whenever
        the step or the message changes.
    on_end : callable
        Called once at the end of a run that was not superseded, with None, `Cancelled` or the exception:
        from the run's thread, or from that of `cancel`.
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
        self._current: _Run | None = None
        self._last: _Run | None = None

    @property
    def running(self) -> bool:
        """Whether a run is going on that was not cancelled."""
        return self._current is not None

    def start(self, first: str | None = None, last: str | None = None, *, supersede: bool = False) -> None:
        """Start a run, see `Session.run`.

        While another one is going on this does nothing, unless it is to supersede that one: then the other
        is cancelled, and its end is not told.
        """
        with self._lock:
            if self._current is not None:
                if not supersede:
                    return
                self._current.cancel.set()
            before = self._last.thread if self._last else None
            run = self._current = self._last = _Run()
        run.thread = threading.Thread(
            target=self._run, args=(run, before, first, last), name="jwcal-run", daemon=True
        )
        run.thread.start()

    def cancel(self) -> None:
        """Stop the run."""
        with self._lock:
            run, self._current = self._current, None
            if run is None:
                return
            run.cancel.set()
        self._on_end(Cancelled())

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the thread of the last run, and what `on_end` does in it."""
        run = self._last
        if run is not None and run.thread is not None:
            run.thread.join(timeout)

    def _run(self, run: _Run, before: threading.Thread | None, first: str | None, last: str | None) -> None:
        if before is not None:
            before.join()
        if run.cancel.is_set():
            return  # cancelled or superseded while it waited
        outcome: Exception | None = None
        try:
            self._session.run(
                first=first,
                last=last,
                progress=lambda progress: self._progress(run, progress),
                cancel=run.cancel,
            )
        except Exception as error:  # noqa: BLE001 - handed on to be shown
            outcome = error
        with self._lock:
            if self._current is not run:
                return
            self._current = None
        self._on_end(outcome)

    def _progress(self, run: _Run, progress: Progress) -> None:
        now = time.monotonic()
        topic = (progress.step, progress.message)
        with self._lock:
            recent = topic == run.topic and now - run.told < self._interval
            if recent or self._current is not run:
                return
            run.topic, run.told = topic, now
        self._on_progress(progress)
