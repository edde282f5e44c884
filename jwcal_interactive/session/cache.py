"""Results in memory, by the content of what made them, up to a limit."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np

from jwcal_interactive.arrays import State

__all__ = ["ResultCache", "default_limit"]


def default_limit() -> int:
    """Half of the machine's memory, bytes; 4 GB where that is unknown."""
    import os

    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return 4 << 30


class ResultCache:
    """States by key; the least recently used are dropped when the limit is passed.

    Arrays that several states share are counted once. A state that was dropped is computed again when it is
    needed.

    Parameters
    ----------
    limit : int
        Bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._states: OrderedDict[str, State] = OrderedDict()
        self._lock = threading.RLock()  # displays read while a thread runs

    def __contains__(self, key: str) -> bool:
        return key in self._states

    def get(self, key: str) -> State | None:
        """State of a key, if it is still there."""
        with self._lock:
            state = self._states.get(key)
            if state is not None:
                self._states.move_to_end(key)
            return state

    def put(self, key: str, state: State) -> None:
        """Keep a state; drops others if the limit is passed, never the one just given."""
        with self._lock:
            self._states[key] = state
            self._states.move_to_end(key)
            while len(self._states) > 1 and self.nbytes > self.limit:
                self._states.popitem(last=False)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays kept."""
        sizes: dict[int, int] = {}
        with self._lock:
            for state in self._states.values():
                for array in _arrays(state):
                    whole = array.base if isinstance(array.base, np.ndarray) else array
                    sizes[id(whole)] = whole.nbytes
        return sum(sizes.values())


def _arrays(container: Any) -> Iterable[np.ndarray]:
    for f in dataclasses.fields(container):
        value = getattr(container, f.name)
        if isinstance(value, np.ndarray):
            yield value
        elif dataclasses.is_dataclass(value) and f.name != "exposure":
            yield from _arrays(value)
