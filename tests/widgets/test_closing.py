"""What is left of workbenches that were closed: nothing."""

from __future__ import annotations

import gc
import threading
import weakref

import ipywidgets as ipw
import pytest
from ipywidgets.widgets.widget import _instances

from jwcal_interactive import open_session
from jwcal_widgets import Workbench
from jwcal_widgets.closing import close_widgets


@pytest.fixture
def session(tiny_raw, tiny_context):
    session = open_session(tiny_raw)
    session.run()
    return session


def look_around(workbench):
    """Bring up every page, a preview, a comparison of two views and an edit."""
    for tabs in (workbench.upper, workbench.lower):
        for name in tabs.strip.options:
            tabs.choose(name)
    for step in workbench.session.steps:
        workbench.choose(step)
    workbench.choose("jump")
    workbench.panel.controls["rejection_threshold"].editor.value = "7"
    for arrangement in workbench.image.toolbar.arrangement.options:
        workbench.image.toolbar.arrangement.value = arrangement
    workbench.image.mode.value = "paint"
    workbench.run()
    workbench.runner.wait()
    assert workbench.messages.shown == []


def test_close_leaves_no_widget_thread_or_array(session):
    widgets, threads = set(_instances), set(threading.enumerate())
    workbench = Workbench(session)
    look_around(workbench)
    left = weakref.ref(workbench)
    parts = {
        name: weakref.ref(getattr(workbench, name))
        for name in ("image", "ramp", "check", "region", "history", "sweep", "mask", "panel")
    }
    assert len(set(_instances) - widgets) > 300
    workbench.close()
    kept = [repr(_instances[number]) for number in set(_instances) - widgets]
    assert kept == []
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
    assert set(threading.enumerate()) <= threads
    del workbench
    gc.collect()
    assert left() is None
    assert [name for name, part in parts.items() if part() is not None] == []


def test_closing_twice_is_closing_once(session):
    workbench = Workbench(session)
    workbench.close()
    workbench.close()
    assert workbench.comm is None


def test_the_session_goes_on_and_can_be_shown_again(session):
    Workbench(session).close()
    session.set("jump", rejection_threshold=8.0)
    again = Workbench(session, delay=0)
    again.choose("jump")
    assert again.panel.controls["rejection_threshold"].editor.value == "8.0"
    again.close()


def test_two_workbenches_of_two_sessions_do_not_disturb_each_other(session, tiny_raw):
    one, other = Workbench(session, delay=0), Workbench(open_session(tiny_raw), delay=0)
    state = other.get_state()
    for bench in (one, other):
        bench.choose("jump")
    one.panel.controls["rejection_threshold"].editor.value = "9"
    one.run()
    one.runner.wait()
    assert other.session.params("jump").rejection_threshold == 4.0
    assert other.panel.controls["rejection_threshold"].editor.value == "4.0"
    assert other.session.status("jump").state == "pending"
    one.close()
    assert other.comm is not None
    assert other.get_state().keys() == state.keys()
    other.run()
    other.runner.wait()
    assert other.session.status("ramp_fit").state == "done"
    assert (one.messages.shown, other.messages.shown) == ([], [])
    other.close()


def test_widgets_in_all_kinds_of_state_are_closed():
    before = set(_instances)
    inner = [ipw.Button(), ipw.Label()]
    close_widgets(ipw.VBox([ipw.Tab(inner), ipw.Text()]))
    assert set(_instances) == before
