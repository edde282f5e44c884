"""A and B of the image: any two states, references, previews, regions; on a small session."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tiny_exposure
from ipywidgets.widgets.widget import _instances

from jwcal_interactive import open_session
from jwcal_interactive.dq import DQ
from jwcal_interactive.session.preview import Window
from jwcal_widgets.image_panel import ImagePanel
from jwcal_widgets.messages import Messages
from jwcal_widgets.plane_choice import Chosen
from jwcal_widgets.viewport import Box


class Heard:
    def __init__(self) -> None:
        self.messages = Messages()
        self.picks: list[tuple[int, int, int]] = []
        self.regions: list[Box] = []
        self.values: list[tuple[float, float]] = []
        self.paints: list[tuple[Box, ...]] = []

    def panel(self, session) -> ImagePanel:
        return ImagePanel(
            session,
            (300, 300),
            lambda *pixel: self.picks.append(pixel),
            self.messages.guarded,
            0,
            on_region=self.regions.append,
            on_values=lambda *ends: self.values.append(ends),
            on_paint=self.paints.append,
        )


@pytest.fixture(scope="module")
def session(tiny_template, tiny_cache):
    """A session that has run; tests only look at it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRDS_PATH", str(tiny_cache))
        patch.setenv("CRDS_CONTEXT", tiny_exposure.CONTEXT)
        session = open_session(tiny_template)
        session.run()
        yield session


@pytest.fixture
def changing(tiny_raw, tiny_context):
    """A session of its own, that has run, for a test that changes settings."""
    session = open_session(tiny_raw)
    session.run()
    return session


@pytest.fixture
def heard():
    heard = Heard()
    yield heard
    assert heard.messages.shown == []


@pytest.fixture
def panel(session, heard):
    panel = heard.panel(session)
    panel.follow("ramp_fit")
    yield panel
    panel.close()


@pytest.fixture
def changing_panel(changing, heard):
    panel = heard.panel(changing)
    panel.follow("ramp_fit")
    yield panel
    panel.close()


def arrange(panel: ImagePanel, arrangement: str) -> None:
    panel.toolbar.arrangement.value = arrangement


def read_references(panel: ImagePanel) -> None:
    panel.source.plane.value = "references…"
    panel.choice.planes.wait()


def test_difference_of_two_steps(panel, session):
    panel.follow("linearity")
    panel.source.group.value = 3
    arrange(panel, "A − B")
    panel.other.step.value = "superbias"
    one, other = session.result("linearity"), session.result("superbias")
    np.testing.assert_array_equal(panel.view.plane.data, one.data[0, 2] - other.data[0, 2])
    assert panel.view.limits[0] == -panel.view.limits[1]
    assert "A − B: linearity − superbias" in panel._title.value
    arrange(panel, "B")
    np.testing.assert_array_equal(panel.view.plane.data, other.data[0, 2])
    assert "B: superbias" in panel._title.value


def test_planes_in_other_units_are_not_subtracted(panel, session):
    arrange(panel, "A − B")
    panel.other.step.value = "jump"
    assert "A is in DN/s and B in DN" in panel._note.value
    np.testing.assert_array_equal(panel.view.plane.data, session.result("ramp_fit").rate.data)
    assert "A − B" not in panel._title.value
    arrange(panel, "A")
    assert panel._note.value == ""


def test_b_can_be_another_plane(panel, session):
    arrange(panel, "stacked")
    panel.other.step.value = "ramp_fit"
    panel.other.plane.value = "error"
    np.testing.assert_array_equal(panel.views.second.plane.data, session.result("ramp_fit").rate.err)


def test_branches_are_compared(changing_panel, changing):
    panel, session = changing_panel, changing
    old = session.result("ramp_fit")
    session.branch("strict")
    session.set("jump", rejection_threshold=1.0)
    session.run()
    panel.refresh("ramp_fit")
    assert "main" in panel.source.branch.options
    arrange(panel, "A − B")
    panel.other.branch.value = "main"
    panel.other.step.value = "ramp_fit"
    new = session.result("ramp_fit")
    assert (new.rate.dq != old.rate.dq).any()
    np.testing.assert_array_equal(panel.view.plane.data, new.rate.data - old.rate.data)
    np.testing.assert_array_equal(panel.view.plane.dq, new.rate.dq ^ old.rate.dq)
    panel.source.branch.value = "main"
    assert not panel.view.plane.data[np.isfinite(panel.view.plane.data)].any()


def test_result_that_is_not_in_memory_is_named(changing_panel, changing):
    panel, session = changing_panel, changing
    session.branch("never run")
    session.set("dq_init", skip=True)
    session.switch("main")
    panel.refresh("ramp_fit")
    arrange(panel, "blink")
    panel.other.branch.value = "never run"
    assert panel.other.step.options == ("input",), "only what is in memory is offered"
    panel.choice.other.chooser.offer(panel.other.step, ("ramp_fit",))
    panel.choice.planes._steps["never run"] = ["ramp_fit"]
    panel.update()
    assert "no other result of ramp_fit in memory, never run" in panel._note.value
    assert panel.view.other is None


def test_result_that_was_dropped_from_memory_is_computed_again(tiny_raw, tiny_context, heard):
    session = open_session(tiny_raw, memory_limit=1)
    session.run(last="superbias")
    expected = session.result("superbias").data[0]
    session.run()
    panel = heard.panel(session)
    assert session.kept("superbias") is None
    assert "superbias" in panel.source.step.options
    panel.follow("superbias")
    panel.choice.planes.wait()
    np.testing.assert_array_equal(panel.view.plane.data, expected[panel.source.group.value - 1])
    panel.close()


def test_before_and_after_a_step(panel, session):
    panel.follow("superbias")
    panel.buttons["step"].click()
    assert panel.toolbar.arrangement.value == "blink"
    assert panel.views.blinker.running
    before = panel.source.step.options[panel.source.step.options.index("superbias") - 1]
    group = panel.source.group.value - 1
    np.testing.assert_array_equal(panel.view.other.data, session.result(before).data[0, group])
    np.testing.assert_array_equal(panel.view.plane.data, session.result("superbias").data[0, group])
    arrange(panel, "A")
    panel.follow("input")
    panel.buttons["step"].click()
    assert "no step before" in panel._note.value


def test_before_and_after_a_change(changing_panel, changing):
    panel, session = changing_panel, changing
    panel.buttons["change"].click()
    assert "Nothing to compare with" in panel._note.value
    old = session.result("ramp_fit")
    session.set("jump", rejection_threshold=1.0)
    session.set("ramp_fit", maximum_cores="half")  # changes no number, and has no result yet
    session.run()
    panel.refresh("ramp_fit")
    panel.buttons["change"].click()
    np.testing.assert_array_equal(panel.view.other.data, old.rate.data)


def test_two_places_of_the_tree(changing_panel, changing):
    panel, session = changing_panel, changing
    old, start = session.result("ramp_fit"), session.tree.present
    session.set("jump", rejection_threshold=1.0)
    session.run()
    middle, place = session.result("ramp_fit"), session.tree.present
    session.set("jump", rejection_threshold=2.0)
    session.run()
    panel.refresh("ramp_fit")
    panel.show_both(place, start)
    np.testing.assert_array_equal(panel.view.plane.data, middle.rate.data)
    np.testing.assert_array_equal(panel.view.other.data, old.rate.data)
    assert panel.source.branch.value == f"entry {place}"


def test_references_of_the_step_are_read_when_asked_for(panel, session):
    panel.follow("jump")
    read_references(panel)
    assert panel.source.plane.value == "reference: gain"
    gain = session.load_references("jump")["gain"]
    np.testing.assert_array_equal(panel.view.plane.data, gain.data)
    assert panel.view.plane.unit == "electron/DN"
    assert "references…" not in panel.source.plane.options
    panel.follow("linearity")
    assert "references…" in panel.source.plane.options


def test_layers_of_a_reference(panel, session):
    panel.follow("dark_current")
    read_references(panel)
    dark = session.load_references("dark_current")["dark"].data
    assert panel.source.group.max == dark.shape[-3]
    panel.source.group.value = 2
    np.testing.assert_array_equal(panel.view.plane.data, dark.reshape(-1, *dark.shape[-3:])[0, 1])


def test_override_makes_references_be_read_again(changing_panel, changing):
    panel, session = changing_panel, changing
    panel.follow("jump")
    read_references(panel)
    session.override("gain", session.references("jump")[0].path)
    panel.refresh("jump")
    assert "references…" in panel.source.plane.options


class TestPreview:
    WINDOW = Window(20, 12, 44, 40)

    @pytest.fixture
    def preview(self, session):
        return session.preview(self.WINDOW, "jump", {"rejection_threshold": 1.0})

    def test_the_window_is_previewed_and_the_rest_is_not(self, panel, session, preview):
        panel.show_preview(preview)
        rows, columns = self.WINDOW.region
        expected = np.array(session.result("ramp_fit").rate.data)
        expected[rows, columns] = preview.rates.rate.data
        np.testing.assert_array_equal(panel.view.plane.data, expected)
        assert (preview.rates.rate.data != session.result("ramp_fit").rate.data[rows, columns]).any()

    def test_it_is_marked_in_words_and_by_a_frame(self, panel, preview):
        panel.show_preview(preview)
        assert "PREVIEW in the dashed frame" in panel._title.value
        outline = panel.view.preview
        assert (outline.lines.visible, outline.text.text.tolist()) == (True, ["PREVIEW"])
        assert (outline.lines.x.min(), outline.lines.x.max()) == (19.5, 43.5)
        panel.show_preview(None)
        assert "PREVIEW" not in panel._title.value
        assert not outline.lines.visible

    def test_steps_before_it_are_as_they_are(self, panel, session, preview):
        panel.show_preview(preview)
        panel.follow("linearity")
        group = panel.source.group.value - 1
        np.testing.assert_array_equal(panel.view.plane.data, session.result("linearity").data[0, group])
        assert "PREVIEW" not in panel._title.value

    def test_it_can_be_compared_with_the_result(self, panel, session, preview):
        panel.show_preview(preview)
        arrange(panel, "A − B")
        panel.other.step.value = "ramp_fit"
        rows, columns = self.WINDOW.region
        outside = np.array(panel.view.plane.data)
        assert outside[rows, columns][np.isfinite(outside[rows, columns])].any()
        outside[rows, columns] = 0
        assert not outside[np.isfinite(outside)].any()

    def test_its_frame_is_gone_while_a_blink_shows_the_other_side(self, panel, preview):
        panel.show_preview(preview)
        arrange(panel, "blink")
        panel.views.blinker.stop()
        lines = panel.view.preview.lines
        assert lines.visible
        panel.view.flip(False)
        assert not lines.visible
        panel.view.flip(True)
        assert lines.visible
        panel.other.step.value = "ramp_fit"
        arrange(panel, "B")
        assert not lines.visible

    def test_a_run_ends_it(self, panel, session, preview):
        panel.show_preview(preview)
        panel.refresh("ramp_fit")
        np.testing.assert_array_equal(panel.view.plane.data, session.result("ramp_fit").rate.data)


class TestMouse:
    def brush(self, panel: ImagePanel, box: Box) -> None:
        brush = panel.view.widget.interaction
        brush.selected_x, brush.selected_y = np.array([box.x0, box.x1 - 1.0]), np.array([box.y0, box.y1 - 1.0])
        brush.brushing = True
        brush.brushing = False

    def test_region(self, panel, heard):
        panel.mode.value = "region"
        self.brush(panel, Box(3, 4, 10, 20))
        assert heard.regions == [panel.region] == [Box(3, 4, 10, 20)]
        assert panel.view.region.lines.visible

    def test_painting_pixels_and_rectangles_picks_nothing(self, panel, heard):
        panel.mode.value = "paint"
        panel.view._on_pick(5, 6)
        panel.toolbar.shape.value = "rectangles"
        self.brush(panel, Box(3, 4, 10, 20))
        assert heard.paints == [(Box(5, 6, 6, 7),), (Box(3, 4, 10, 20),)]
        assert heard.picks == []
        assert heard.regions == []

    def test_modes_without_use_are_not_offered(self, session, heard):
        panel = ImagePanel(session, (300, 300), lambda *_: None, heard.messages.guarded, 0)
        assert panel.mode.options == ("inspect", "pan and zoom")
        panel.close()

    def test_hover_reads_a_and_b(self, panel, session):
        panel._hovered(30, 20)
        rate = session.result("ramp_fit").rate
        text = panel._hover.value
        assert f"{rate.data[20, 30]:.6g} ± {rate.err[20, 30]:.2g} DN/s" in text
        arrange(panel, "A − B")
        panel.other.step.value = "ramp_fit"
        panel._hovered(30, 20)
        assert panel._hover.value.count("<b>x 30, y 20</b>") == 3

    def test_hover_line_follows_the_plane(self, panel, session):
        """The mouse rests on the rail, or on the way to it, when another step is chosen or a run ends."""
        panel._hovered(30, 20)
        panel.refresh("jump")
        shown = panel.view.plane
        assert shown.unit == "DN"
        assert f"{shown.data[20, 30]:.6g} DN" in panel._hover.value
        assert "DN/s" not in panel._hover.value
        panel.follow("ramp_fit")
        assert f"{session.result('ramp_fit').rate.data[20, 30]:.6g} ±" in panel._hover.value

    def test_hover_line_says_nothing_of_a_plane_that_is_gone(self, panel):
        panel._hovered(30, 20)
        panel.choice.chosen = lambda **_: Chosen("jump", note="it was dropped")
        panel.update()
        assert "Move the mouse" in panel._hover.value

    def test_flags_are_named_under_the_mouse(self, panel, session):
        y, x = np.argwhere(session.result("ramp_fit").rate.dq & np.uint32(DQ.REFERENCE_PIXEL))[0]
        panel._hovered(int(x), int(y))
        assert "REFERENCE_PIXEL" in panel._hover.value

    def test_window_in_view(self, panel):
        assert panel.window_in_view() == Box(0, 0, 64, 64)
        panel.pick(40, 30)
        panel.buttons["crosshairs"].click()
        assert panel.window_in_view() == Box(24, 14, 57, 47)
        panel.views.zoom(1.0, (5000, 5000))
        assert panel.window_in_view() is None

    def test_values_chosen_on_the_histogram(self, panel, session, heard):
        panel.display.histogram_shown.value = True
        histogram = panel.display.histogram
        histogram.purpose.value = "select pixels"
        brush = histogram._brush
        brush.brushing = True
        brush.selected = np.array([1.0, 2.0])
        brush.brushing = False
        assert heard.values == [(1.0, 2.0)]
        rate = session.result("ramp_fit").rate.data
        np.testing.assert_array_equal(panel.pixels_with(1.0, 2.0), (rate >= 1.0) & (rate <= 2.0))

    def test_limits_dragged_on_the_histogram(self, panel):
        panel.display.histogram_shown.value = True
        panel.display.histogram._brush.selected = np.array([0.5, 2.5])
        assert panel.view.limits == (0.5, 2.5)
        assert panel.display.method.value == "manual"
        assert (panel.display.low.value, panel.display.high.value) == ("0.5", "2.5")


def test_integration_is_the_last_group_minus_the_first(panel, session):
    panel.follow("jump")
    panel.source.plane.value = "integration"
    data = session.result("jump").data
    np.testing.assert_array_equal(panel.view.plane.data, data[0, -1] - data[0, 0])
    assert panel.source.group.layout.visibility == "hidden"


def test_closing_leaves_no_widget_and_no_thread(session, heard):
    before, threads = set(_instances), threading.active_count()
    panel = heard.panel(session)
    panel.follow("superbias")
    panel.buttons["step"].click()
    arrange(panel, "side by side")
    panel.display.histogram_shown.value = True
    panel.display.histogram_shown.value = False
    arrange(panel, "blink")
    panel.close()
    assert set(_instances) == before
    assert threading.active_count() == threads
