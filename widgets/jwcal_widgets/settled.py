"""Wait until something that changes quickly has come to rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["Settled"]


class Settled:
    """Calls a function once, when no request has come for some time.

    A slider in the page does not tell when it is let go: it has settled when it does not move any more. The
    call happens on a timer's thread.

    Parameters
    ----------
    function : callable
        Called without arguments; it must handle its own exceptions.
    delay : float
        Seconds of rest; 0 calls at once, on the caller's thread.
    """

    def __init__(self, function: Callable[[], None], delay: float) -> None:
        self._function = function
        self._delay = delay
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._due = 0.0

    @property
    def waiting(self) -> bool:
        """Whether a call is to come."""
        return self._timer is not None

    def request(self) -> None:
        """Ask for a call after some rest from now."""
        if self._delay == 0:
            self._function()
            return
        with self._lock:
            self._due = time.monotonic() + self._delay
            if self._timer is None:
                self._start(self._delay)

    def flush(self) -> None:
        """Make the call that is to come now, on the caller's thread."""
        if self.forget():
            self._function()

    def forget(self) -> bool:
        """Make no call; tell whether there was one to come."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return timer is not None

    def _start(self, delay: float) -> None:
        self._timer = threading.Timer(delay, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def _fire(self) -> None:
        with self._lock:
            if self._timer is None:
                return
            rest = self._due - time.monotonic()
            if rest > 0.001:
                self._start(rest)
                return
            self._timer = None
        self._function()
