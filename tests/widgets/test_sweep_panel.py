"""The panel that sweeps a parameter on the window in view."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from jwcal_interactive import open_session
from jwcal_interactive.session.preview import Window
from jwcal_interactive.session.sweep import Sweep, SweepRow
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_widgets.messages import Messages
from jwcal_widgets.sweep_panel import SweepPanel

WINDOW = Window(100, 100, 180, 180)


@pytest.fixture
def desk(raw_sub640: Path):
    session, messages = open_session(raw_sub640, context="demo"), Messages()
    chosen: list[tuple[str, dict[str, object]]] = []
    view = SimpleNamespace(window=WINDOW)

    def choose(step, values):
        chosen.append((step, dict(values)))
        session.set(step, **values)

    panel = SweepPanel(session, lambda: view.window, choose, messages.guarded)
    yield SimpleNamespace(session=session, panel=panel, chosen=chosen, view=view, messages=messages)
    panel.close()
    assert messages.shown == []
    assert not [t for t in threading.enumerate() if t.name == "jwcal-sweep"]


def ready(
    low: str, high: str, count: str, desk: SimpleNamespace, name: str = "rejection_threshold"
) -> SweepPanel:
    desk.panel.choose("jump")
    desk.panel.parameter.value = name
    desk.panel.low.value, desk.panel.high.value, desk.panel.count.value = low, high, count
    return desk.panel


def test_sweep_click_and_present_value(desk):
    panel = ready("2", "8", "3", desk)
    panel.button.click()
    panel.wait(60)
    assert [row.value for row in panel.sweep.rows] == [2.0, 5.0, 8.0]
    expected = desk.session.sweep("jump", "rejection_threshold", [2, 5, 8], WINDOW)
    assert [row.groups for row in panel.sweep.rows] == [row.groups for row in expected.rows]
    flags = panel.plots.plots["flags"]
    np.testing.assert_array_equal(flags._points[0].x, [2, 5, 8])
    np.testing.assert_array_equal(
        flags._points[panel.sweep.flags.index("JUMP_DET")].y,
        [r.groups.get("JUMP_DET", 0) for r in expected.rows],
    )
    assert "JUMP_DET" in flags._legend.value
    assert flags._present.x[0] == 4.0
    assert panel.sweep.has_truth, "the simulator's truth is beside the exposure"
    assert panel.plots.plots["bias"].widget.layout.display == "flex"
    assert "DN/s" in panel.plots.plots["slope"]._y_axis.label
    assert panel.plots.plots["slope"].x_axis.label == "rejection_threshold (sigma)"
    message = {"event": "element_click", "data": {"index": 2}}  # as the page sends it
    flags._points[0]._handle_custom_msgs(flags._points[0], message)
    assert desk.chosen == [("jump", {"rejection_threshold": 8.0})]
    panel.refresh()
    assert flags._present.x[0] == 8.0
    panel.chosen.index = 0
    panel.use.click()
    assert desk.chosen[-1] == ("jump", {"rejection_threshold": 2.0})
    assert "numbers" in panel._table.value


def test_switches_and_choices(desk):
    desk.panel.choose("ramp_fit")
    desk.panel.parameter.value = "algorithm"
    assert desk.panel._range.layout.display == "none"
    assert desk.panel.values() == ["OLS_C", "LIKELY"]
    desk.panel.button.click()
    desk.panel.wait(60)
    plot = desk.panel.plots.plots["noise"]
    assert plot.x_axis.tick_labels == {"0": "OLS_C", "1": "LIKELY"}
    assert plot._present.x[0] == 0
    desk.panel.parameter.value = "skip"
    assert desk.panel.sweep is None, "what was of another parameter is gone"
    assert desk.panel.values() == [False, True]


@pytest.mark.parametrize(
    ("low", "high", "count"),
    [("5", "2", "4"), ("a", "3", "4"), ("1", "3", "1"), ("1", "3", "1000"), ("0", "inf", "3")],
)
def test_range_that_is_not_possible(low, high, count, desk):
    panel = ready(low, high, count, desk)
    panel.button.click()
    panel.wait(5)
    assert "is not possible" in panel._said.value
    assert panel.sweep is None


def test_value_that_the_parameter_does_not_take(desk):
    panel = ready("-3", "3", "3", desk)
    panel.button.click()
    panel.wait(20)
    assert "rejection_threshold = -3.0 is not allowed" in panel._said.value
    assert panel.button.description == "Run"


def test_view_that_is_too_large(desk):
    desk.view.window = None
    panel = ready("2", "8", "3", desk)
    panel.button.click()
    assert "256 x 256" in panel._said.value


def test_cancel(desk, monkeypatch):
    panel = ready("2", "8", "3", desk)
    begun = threading.Event()
    preview = desk.session.preview

    def slow(*arguments, cancel, **others):
        begun.set()
        assert cancel.wait(10)
        return preview(*arguments, cancel=cancel, **others)

    monkeypatch.setattr(desk.session, "preview", slow)
    panel.button.click()
    assert begun.wait(10)
    assert panel.button.description == "Cancel"
    panel.button.click()
    panel.wait(10)
    assert "cancelled" in panel._said.value
    assert panel.button.description == "Run"
    assert panel.sweep is None


@pytest.mark.parametrize("step", STEPS)
def test_every_step_offers_values_that_are_allowed(step):
    """Those of the slider, or about the present value; also of steps of other pipelines."""
    session = SimpleNamespace(
        definition=STEPS.__getitem__, params=lambda name: STEPS[name].params(), path=Path("x_uncal.fits")
    )
    panel = SweepPanel(session, lambda: WINDOW, lambda _s, _v: None, Messages().guarded)
    panel.choose(step)
    for name in panel.parameter.options:
        panel.parameter.value = name
        model = STEPS[step].params
        for value in panel.values():
            model.build(step, {name: value})
    panel.close()


def test_points_without_a_number_are_left_out(desk):
    rows = tuple(
        SweepRow(value, {}, slope, np.nan, np.nan, 0, 0.1, True) for value, slope in ((1, 2.0), (2, np.nan))
    )
    desk.panel.plots.show(Sweep("jump", "sat_expand", "", WINDOW, rows, ()), 1)
    assert desk.panel.plots.plots["noise"].widget.layout.display == "none"
    assert desk.panel.plots.plots["slope"].widget.layout.display == "flex"
