"""A call once requests have ceased."""

from __future__ import annotations

import threading
import time

from jwcal_widgets.settled import Settled


def test_called_once_after_the_last_request():
    called = threading.Event()
    times: list[float] = []

    def note() -> None:
        times.append(time.monotonic())
        called.set()

    settled = Settled(note, 0.6)
    settled.request()
    time.sleep(0.1)  # much less than the delay, so that a busy machine does not make it longer
    settled.request()
    last = time.monotonic()
    settled.request()
    assert times == []
    assert settled.waiting
    assert called.wait(5)
    assert len(times) == 1
    assert times[0] - last >= 0.59, "each request starts the delay again"
    assert not settled.waiting


def test_flush_and_forget():
    calls: list[int] = []
    settled = Settled(lambda: calls.append(1), 60)
    settled.flush()
    assert calls == []
    settled.request()
    settled.flush()
    settled.flush()
    assert calls == [1]
    settled.request()
    assert settled.forget()
    assert not settled.forget()
    settled.flush()
    assert calls == [1]


def test_no_delay():
    calls: list[int] = []
    settled = Settled(lambda: calls.append(1), 0)
    settled.request()
    settled.request()
    assert calls == [1, 1]
