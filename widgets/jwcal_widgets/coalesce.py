"""Turn a burst of requests into one call."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Coalesced"]


class Coalesced:
    """Call a function once, shortly after the first of a burst of requests.

    A drag or a wheel turn arrives as separate changes of four axis limits; only the state after
    the last one is worth drawing. The call happens on a timer's thread.

    Parameters
    ----------
    function : callable
        Called without arguments; it must handle its own exceptions.
    delay : float
        Seconds to wait; 0 calls at once, on the caller's thread.
    """

    def __init__(self, function: Callable[[], None], delay: float = 0.04) -> None:
        self._function = function
        self._delay = delay
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False

    def request(self) -> None:
        """Ask for a call; nothing happens after `close`."""
        if self._delay == 0:
            if not self._closed:
                self._function()
            return
        with self._lock:
            if self._timer is not None or self._closed:
                return
            self._timer = threading.Timer(self._delay, self._fire)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Forget what is waiting, and all later requests."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _fire(self) -> None:
        with self._lock:
            self._timer = None
            if self._closed:
                return
        self._function()
