"""Live previews: in a thread, only the newest is shown."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from jwcal_interactive.errors import Cancelled, ParameterError
from jwcal_interactive.session.preview import Window
from jwcal_widgets import live as live_module
from jwcal_widgets.live import Live, LivePreview
from jwcal_widgets.messages import Messages

WINDOW = Window(0, 0, 8, 8)


class SlowSession:
    """Previews that wait to be let go; they can be cancelled."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.go = threading.Event()
        self.begun = threading.Event()

    def preview(self, window: Window, step: str, values: dict[str, Any], cancel: threading.Event) -> Any:
        self.asked.append(values["threshold"])
        self.begun.set()
        while not self.go.wait(0.005):
            if cancel.is_set():
                raise Cancelled
        if values["threshold"] < 0:
            raise ParameterError("threshold is negative")
        return SimpleNamespace(values=values, counters=lambda _session: "counters")


@pytest.fixture
def desk():
    session, messages = SlowSession(), Messages()
    shown: list[Live] = []
    busy: list[bool] = []
    live = LivePreview(session, shown.append, busy.append, messages.guarded)
    yield SimpleNamespace(session=session, messages=messages, shown=shown, busy=busy, live=live)
    session.go.set()
    live.close()


def test_what_is_computed_is_shown_and_then_the_newest(desk):
    """Requests that come faster than previews can be computed do not starve them."""
    desk.live.request("jump", {"threshold": 1.0}, WINDOW)
    assert desk.session.begun.wait(5)
    for value in (2.0, 3.0, 4.0):
        desk.live.request("jump", {"threshold": value}, WINDOW)
    assert desk.shown == [], "requests come back at once"
    desk.session.go.set()
    desk.live.wait(5)
    assert [live.preview.values["threshold"] for live in desk.shown] == [1.0, 4.0]
    assert desk.session.asked == [1.0, 4.0]
    assert desk.shown[0].counters == "counters"
    assert desk.shown[0].waited >= 0
    assert desk.shown[0].computed > 0


@pytest.mark.parametrize("slow_first", [True, False])
def test_a_slow_preview_is_given_up_for_a_newer_one(desk, monkeypatch, slow_first):
    monkeypatch.setattr(live_module, "BUSY_AFTER", 0.01)
    monkeypatch.setattr(live_module, "GIVE_UP_AFTER", 0.02)
    desk.live.request("jump", {"threshold": 1.0}, WINDOW)
    assert desk.session.begun.wait(5)
    if slow_first:
        time.sleep(0.05)
    desk.live.request("jump", {"threshold": 2.0}, WINDOW)
    deadline = time.monotonic() + 5
    while len(desk.session.asked) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    desk.session.go.set()
    desk.live.wait(5)
    assert [live.preview.values["threshold"] for live in desk.shown] == [2.0]


def test_cancel_ends_what_is_computed_and_what_waits(desk):
    desk.live.request("jump", {"threshold": 1.0}, WINDOW)
    assert desk.session.begun.wait(5)
    desk.live.request("jump", {"threshold": 2.0}, WINDOW)
    desk.live.cancel()
    desk.live.wait(5)
    assert desk.shown == []


def test_slow_previews_are_told_and_quick_ones_are_not(desk, monkeypatch):
    monkeypatch.setattr(live_module, "BUSY_AFTER", 0.02)
    desk.live.request("jump", {"threshold": 1.0}, WINDOW)
    deadline = time.monotonic() + 5
    while not desk.busy and time.monotonic() < deadline:
        time.sleep(0.005)
    desk.session.go.set()
    desk.live.wait(5)
    assert desk.busy == [True, False]
    monkeypatch.setattr(live_module, "BUSY_AFTER", 5.0)
    desk.live.request("jump", {"threshold": 1.0}, WINDOW)
    desk.live.wait(5)
    assert desk.busy == [True, False]


def test_what_goes_wrong_is_told(desk):
    desk.session.go.set()
    desk.live.request("jump", {"threshold": -1.0}, WINDOW)
    desk.live.wait(5)
    assert desk.messages.shown == ["threshold is negative"]
    assert desk.shown == []


def test_cancel_and_close_end_the_thread_silently(desk):
    desk.live.request("jump", {"threshold": 1.0}, WINDOW)
    assert desk.session.begun.wait(5)
    desk.live.cancel()
    desk.live.wait(5)
    desk.live.request("jump", {"threshold": 2.0}, WINDOW)
    desk.live.close()
    assert desk.shown == []
    assert desk.messages.shown == []
    assert not [t for t in threading.enumerate() if t.name == "jwcal-live"]
    desk.live.request("jump", {"threshold": 3.0}, WINDOW)
    assert 3.0 not in desk.session.asked


def test_on_a_session(ran):
    shown: list[Live] = []
    live = LivePreview(ran.session, shown.append, lambda _busy: None, Messages().guarded)
    live.request("jump", {"rejection_threshold": 2.5}, Window(100, 100, 164, 164))
    live.wait(20)
    live.close()
    (found,) = shown
    assert found.preview.exact
    assert found.counters.groups["JUMP_DET"].after > found.counters.groups["JUMP_DET"].before
