"""Show two things in turns."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Blinker"]


class Blinker:
    """A thread that calls a function with True and False in turns.

    Parameters
    ----------
    flip : callable
        Called on the thread; it must be quick and must not raise.
    rate : float
        Turns per second.
    """

    def __init__(self, flip: Callable[[bool], None], rate: float = 1.5) -> None:
        self._flip = flip
        self.rate = rate
        self._stopped: threading.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None

    def start(self) -> None:
        """Start, if it does not run."""
        if self._thread is None:
            self._stopped = threading.Event()
            self._thread = threading.Thread(
                target=self._turn, args=(self._stopped,), name="jwcal-blink", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread, and wait for its end; what is shown then is the first."""
        if self._thread is not None and self._stopped is not None:
            self._stopped.set()
            self._thread.join()
            self._thread = None
            self._flip(True)

    def _turn(self, stopped: threading.Event) -> None:
        front = True
        while not stopped.wait(1.0 / self.rate):
            front = not front
            self._flip(front)
