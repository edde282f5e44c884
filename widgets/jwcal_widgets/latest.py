"""Work in a thread, where only the newest request counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["Latest"]

T = TypeVar("T")


def _raise(error: Exception) -> None:
    raise error


class Latest:
    """Does one piece of work at a time; of those asked for meanwhile, only the newest is done.

    There is no thread while there is nothing to do.

    Parameters
    ----------
    guard : callable
        Wraps what is done with results, see `Messages.guarded`; what the work raises is shown, too.
    name : str
        Name of the thread.
    """

    def __init__(self, guard: Callable[..., Any], name: str) -> None:
        self._guard = guard
        self._name = name
        self._lock = threading.Lock()
        self._waiting: tuple[Callable[[], Any], Callable[[Any], None], bool] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def request(self, work: Callable[[], T], done: Callable[[T], None], *, always: bool = False) -> None:
        """Ask for ``done(work())``.

        Parameters
        ----------
        work, done : callable
        always : bool
            Whether `done` is called also if another request came before the work was over.
        """
        with self._lock:
            if self._closed:
                return
            self._waiting = (work, done, always)
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name=self._name, daemon=True)
                self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing is left to do."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def close(self) -> None:
        """Do nothing any more; work that is going on ends unseen."""
        with self._lock:
            self._closed = True
            self._waiting = None

    def _go_on(self) -> None:
        while True:
            with self._lock:
                if self._waiting is None:
                    self._thread = None
                    return
                (work, done, always), self._waiting = self._waiting, None
            try:
                found = work()
            except Exception as error:  # noqa: BLE001 - shown to the user
                done, found = _raise, error
            with self._lock:
                wanted = (always or self._waiting is None) and not self._closed
            if wanted:
                self._guard(done)(found)
