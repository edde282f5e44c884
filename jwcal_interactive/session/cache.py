"""Results in memory, by the content of what made them, up to a limit."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from jwcal_interactive.arrays import State

__all__ = ["ResultCache", "default_limit", "own_bytes"]


def default_limit() -> int:
    """Half of the memory that this process may use, bytes: the machine's, or that of its container."""
    return min(_machine_memory(), *_container_limits()) // 2


def _machine_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 8 << 30  # a system that does not tell


def _container_limits() -> list[int]:
    """Limits of control groups, version 2 and 1 (Linux containers, batch systems); none elsewhere."""
    limits = []
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # not there, or "max": no limit
            limits.append(int(Path(name).read_text()))
    return limits or [_machine_memory()]


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

    def clear(self) -> None:
        """Drop all states."""
        with self._lock:
            self._states.clear()

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays kept."""
        with self._lock:
            return sum(_sizes(*self._states.values()).values())


def own_bytes(state: State, before: State) -> int:
    """Bytes of the arrays of a state that the state before does not have."""
    shared = _sizes(before)
    return sum(size for array, size in _sizes(state).items() if array not in shared)


def _sizes(*states: State) -> dict[int, int]:
    """Bytes by the identity of each array; a cut-out counts as the whole array, which it keeps alive."""
    sizes: dict[int, int] = {}
    for state in states:
        for array in _arrays(state):
            whole = array.base if isinstance(array.base, np.ndarray) else array
            sizes[id(whole)] = whole.nbytes
    return sizes


def _arrays(container: Any) -> Iterable[np.ndarray]:
    for f in dataclasses.fields(container):
        value = getattr(container, f.name)
        if isinstance(value, np.ndarray):
            yield value
        elif dataclasses.is_dataclass(value) and f.name != "exposure":
            yield from _arrays(value)
        elif f.name == "side_products":
            yield from (array for side in value for array in side.arrays.values())
