"""The store of results."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.session.cache import ResultCache, default_limit


def ramp(data: np.ndarray) -> Ramp:
    dq = np.zeros(0, np.uint32)
    return Ramp(exposure=None, data=data, groupdq=np.zeros(0, np.uint8), pixeldq=dq)  # type: ignore[arg-type]


def test_least_recently_used_goes_first() -> None:
    cache = ResultCache(250)
    for name in "ab":
        cache.put(name, ramp(np.zeros(25, np.float32)))
    assert cache.get("a") is not None
    cache.put("c", ramp(np.zeros(25, np.float32)))
    assert ("a" in cache, "b" in cache, "c" in cache) == (True, False, True)
    assert cache.get("b") is None


def test_the_one_just_given_stays() -> None:
    cache = ResultCache(1)
    cache.put("a", ramp(np.zeros(25, np.float32)))
    cache.put("b", ramp(np.zeros(25, np.float32)))
    assert ("a" in cache, "b" in cache) == (False, True)


def test_bytes() -> None:
    data = np.zeros(100, np.float32)
    cache = ResultCache(1 << 20)
    cache.put("a", ramp(data))
    cache.put("b", ramp(data))
    assert cache.nbytes == 400
    cache.put("c", ramp(np.zeros(1000, np.float32)[:10]))
    assert cache.nbytes == 4400  # a cut-out keeps the whole array alive


def test_limit_of_this_machine() -> None:
    assert default_limit() > 1 << 28


def test_reading_while_another_thread_writes() -> None:
    cache = ResultCache(10_000)
    states = [ramp(np.zeros(100, np.float32)) for _ in range(40)]
    problems: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                for name in range(40):
                    cache.get(str(name))
        except BaseException as error:  # noqa: BLE001 - it is shown below
            problems.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(20):
        for name, state in enumerate(states):
            cache.put(str(name), state)
    stop.set()
    thread.join(10)
    assert not problems


@pytest.mark.parametrize("kind", ["data", "groupdq", "pixeldq"])
def test_states_are_read_only(kind: str) -> None:
    with pytest.raises(ValueError, match="read-only"):
        getattr(ramp(np.zeros(3, np.float32)), kind)[...] = 1
