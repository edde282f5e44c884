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
        self._waiting = False

    def request(self) -> None:
        """Ask for a call."""
        if self._delay == 0:
            self._function()
            return
        with self._lock:
            if self._waiting:
                return
            self._waiting = True
        timer = threading.Timer(self._delay, self._fire)
        timer.daemon = True
        timer.start()

    def _fire(self) -> None:
        with self._lock:
            self._waiting = False
        self._function()
