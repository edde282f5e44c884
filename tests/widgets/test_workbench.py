"""The workbench on a real session, without a browser: press, type, read."""

from __future__ import annotations

import html
import json
import threading

import numpy as np
import pytest
import tiny_exposure
from ipywidgets import embed

from jwcal_interactive import InputError, Progress, open_session
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.catalogue import users_of
from jwcal_widgets import Workbench, show
from jwcal_widgets.planes import take_plane
from jwcal_widgets.rail import RailState, state_text
from jwcal_widgets.viewport import Box


def press(workbench: Workbench, name: str) -> None:
    workbench.toolbar.buttons[name].click()
    workbench.runner.wait()


def type_in(workbench: Workbench, name: str, text: str) -> None:
    workbench.panel.controls[name].editor.value = text


def rail_text(workbench: Workbench, step: str) -> str:
    return workbench.rail._rows[step]._text.value


class TestPanel:
    def test_it_has_every_parameter_of_every_step(self, bench):
        for step in bench.session.steps:
            definition = bench.session.definition(step)
            bench.choose(step)
            names = [info.name for info in definition.params.infos()]
            assert list(bench.panel.controls) == names

    def test_typing_sets_the_session_and_shows_the_code(self, bench):
        bench.choose("jump")
        type_in(bench, "rejection_threshold", "5.5")
        assert bench.session.params("jump").rejection_threshold == 5.5
        line = html.unescape(bench.panel._code.value)
        assert 'session.set("jump", rejection_threshold=5.5)' in line
        assert "user" in bench.panel.controls["rejection_threshold"]._source.value

    def test_refused_value_does_not_raise_or_reach_the_session(self, bench):
        bench.choose("jump")
        type_in(bench, "rejection_threshold", "-3")
        assert bench.session.params("jump").rejection_threshold == 4.0
        assert "jump.rejection_threshold" in bench.panel.controls["rejection_threshold"].error
        assert not bench.session.can_undo

    def test_undo_and_redo_bring_values_back_to_the_controls(self, bench):
        bench.choose("jump")
        type_in(bench, "rejection_threshold", "6")
        type_in(bench, "rejection_threshold", "7")
        press(bench, "undo")
        assert bench.panel.controls["rejection_threshold"].editor.value == "6.0"
        press(bench, "undo")
        assert bench.toolbar.buttons["undo"].disabled
        press(bench, "redo")
        assert bench.session.params("jump").rejection_threshold == 6.0

    def test_what_a_slider_shows_is_set_before_the_settings_are_left(self, bench):
        bench.choose("jump")
        bench.panel.controls["rejection_threshold"].slider.value = 7.0  # has not come to rest yet
        before = bench.session.tree.present
        bench.history.tree.value = before
        bench.history.name.value = "other"
        bench.history.buttons["branch"].click()
        assert bench.session.tree.branch == "other"
        assert bench.session.params("jump").rejection_threshold == 4.0
        assert bench.session.params("jump", at="main").rejection_threshold == 7.0
        bench.panel.commit()
        assert bench.session.params("jump").rejection_threshold == 4.0

    def test_undo_and_redo_bring_overrides_back_to_the_fields(self, bench, raw_sub640):
        bench.choose("jump")
        gain = bench.panel.references["gain"]
        gain.field.value = "N/A"
        gain.field.value = str(raw_sub640)
        press(bench, "undo")
        assert gain.field.value == "N/A"
        assert gain.reset_button.layout.visibility == "visible"
        press(bench, "undo")
        assert gain.field.value == ""
        assert gain.reset_button.layout.visibility == "hidden"
        press(bench, "redo")
        press(bench, "redo")
        assert gain.field.value == str(raw_sub640.resolve())
        gain.reset_button.click()
        assert gain.field.value == ""
        assert not bench.session.settings.overrides

    def test_restored_session_shows_its_overrides(self, bench, tmp_path):
        bench.session.override("gain", "N/A", step="jump")
        again = Workbench(open_session(bench.session.save(tmp_path / "saved.json")), delay=0)
        again.choose("jump")
        assert again.panel.references["gain"].field.value == "N/A"
        assert again.panel.references["readnoise"].field.value == ""

    def test_override_is_for_the_step_of_the_panel_unless_all_are_asked_for(self, bench):
        bench.choose("jump")
        gain = bench.panel.references["gain"]
        gain.field.value = "N/A"
        assert dict(bench.session.settings.overrides) == {("jump", "gain"): "N/A"}
        assert 'session.override("gain", "N/A", step="jump")' in html.unescape(bench.panel._code.value)
        gain.everywhere.value = True
        users = users_of("gain", bench.session.steps)
        assert {"jump", "ramp_fit", "gain_scale"} < set(users)
        assert dict(bench.session.settings.overrides) == {(step, "gain"): "N/A" for step in users}
        bench.choose("ramp_fit")
        assert bench.panel.references["gain"].field.value == "N/A"
        bench.choose("jump")
        gain.reset_button.click()
        assert not bench.session.settings.overrides
        bench.choose("dq_init")
        switch = bench.panel.references["mask"].everywhere
        assert switch.layout.display == "none", "no other step uses the mask"

    def test_code_shows_parameters_and_overrides_in_full(self, bench):
        bench.choose("jump")
        type_in(bench, "rejection_threshold", "5.5")
        bench.panel.references["gain"].field.value = "N/A"
        code = html.unescape(bench.panel._code.value)
        assert 'session.set("jump", rejection_threshold=5.5)\nsession.override("gain"' in code

    def test_reset_returns_to_what_crds_says(self, bench):
        bench.choose("jump")
        baseline = bench.session.baseline("jump").three_group_rejection_threshold
        assert bench.session.source("jump", "three_group_rejection_threshold") == "crds"
        type_in(bench, "three_group_rejection_threshold", "9.25")
        control = bench.panel.controls["three_group_rejection_threshold"]
        control.reset_button.click()
        assert bench.session.params("jump").three_group_rejection_threshold == baseline
        assert "crds" in control._source.value

    def test_filter(self, bench):
        bench.choose("jump")
        bench.panel.filter.value = "rejection_thr"
        visible = [n for n, c in bench.panel.controls.items() if c.widget.layout.display != "none"]
        assert "rejection_threshold" in visible
        assert "flag_4_neighbors" not in visible
        bench.panel.filter.value = ""
        bench.panel.changed_only.value = True
        type_in(bench, "flag_4_neighbors", False)
        visible = [n for n, c in bench.panel.controls.items() if c.widget.layout.display != "none"]
        assert "flag_4_neighbors" in visible
        assert "rejection_threshold" not in visible

    def test_missing_override_is_shown_and_not_kept(self, raw_sub640):
        workbench = show(open_session(raw_sub640, context="demo"))
        workbench.choose("ramp_fit")
        gain = workbench.panel.references["gain"]
        gain.field.value = "no_such_gain.fits"
        assert "no_such_gain.fits: no such file" in gain.error
        assert "no_such_gain.fits" in gain._message.value
        assert "jwcal-invalid" in gain.field._dom_classes
        assert not workbench.session.settings.overrides
        gain.field.value = "N/A"
        assert (gain.error, gain._message.value) == ("", "")
        assert workbench.session.settings.overrides == {("ramp_fit", "gain"): "N/A"}
        gain.field.value = "no_such_gain.fits"
        gain.reset_button.click()
        assert (gain.error, gain.field.value) == ("", "")
        assert workbench.messages.shown == []

    def test_another_panel_begins_at_its_top(self, bench):
        """What scrolls is the form of a step, which the browser makes anew, not what all forms share."""
        bench.choose("jump")
        first = bench.panel._body.children[0]
        bench.choose("refpix")
        second = bench.panel._body.children[0]
        assert first is not second
        assert all(form.layout.overflow == "hidden auto" for form in (first, second))
        assert bench.panel._body.layout.overflow is None

    def test_long_panels_can_leave_out_the_help(self, bench):
        bench.choose("jump")
        bench.panel.help.value = False
        control = bench.panel.controls["rejection_threshold"]
        assert control._help.layout.display == "none"
        bench.choose("refpix")
        assert bench.panel.controls["odd_even_columns"]._help.layout.display == "none"
        bench.choose("superbias")
        assert bench.panel.controls["skip"]._help.layout.display is None, "short panels keep it"
        bench.choose("jump")
        bench.panel.help.value = True
        assert control._help.layout.display is None

    def test_missing_file_is_refused_beside_the_parameter(self, bench, raw_sub640):
        bench.choose("amplifier_noise")
        type_in(bench, "source_mask", "no_such_mask.fits")
        control = bench.panel.controls["source_mask"]
        assert "amplifier_noise.source_mask" in control.error
        assert "no such file" in control.error
        assert bench.session.params("amplifier_noise").source_mask is None
        type_in(bench, "source_mask", str(raw_sub640))
        assert control.error == ""
        assert bench.session.params("amplifier_noise").source_mask == str(raw_sub640)
        type_in(bench, "source_mask", "none")
        assert bench.session.params("amplifier_noise").source_mask is None

    def test_list_is_typed_with_commas(self, bench):
        bench.choose("clean_flicker_noise")
        type_in(bench, "background_box_size", "32, 64")
        assert bench.session.params("clean_flicker_noise").background_box_size == (32, 64)
        assert bench.panel.controls["background_box_size"].editor.value == "32, 64"

    def test_steps_that_are_off_and_not_official_are_marked(self, bench):
        assert "jwcal-off" in rail_text(bench, "clean_flicker_noise")
        assert "jwcal-pending" in rail_text(bench, "jump")
        assert bench.rail.button("large_events").description.endswith("large_events +")
        assert "Not a step of the official pipeline" in rail_text(bench, "large_events")
        assert bench.rail.button("jump").description.endswith("jump")
        bench.choose("large_events")
        assert "Not a step of the official pipeline" in bench.panel._head.value
        bench.panel.controls["skip"].editor.value = False
        assert "jwcal-pending" in rail_text(bench, "large_events")


class TestRun:
    def test_session_that_has_run_opens_on_its_result(self, ran):
        again = Workbench(ran.session, delay=0)
        assert again.step == "ramp_fit"
        np.testing.assert_array_equal(again.image.view.plane.data, ran.session.result("ramp_fit").rate.data)

    def test_rail_tells_what_became_of_each_step(self, ran):
        for step in ran.session.steps:
            status = ran.session.status(step)
            off = ran.session.params(step).skip
            assert f"jwcal-{'off' if off else status.state}" in rail_text(ran, step)
            if status.reason and not off:
                assert status.reason.split()[0] in rail_text(ran, step)

    def test_a_change_makes_later_steps_stale_and_undo_makes_them_done(self, ran):
        ran.choose("jump")
        type_in(ran, "rejection_threshold", "5")
        assert "jwcal-done" in rail_text(ran, "dark_current")
        assert "jwcal-stale" in rail_text(ran, "jump")
        assert "jwcal-stale" in rail_text(ran, "ramp_fit")
        assert "is stale" in ran.image._title.value
        press(ran, "undo")
        assert "jwcal-done" in rail_text(ran, "ramp_fit")
        assert "stale" not in ran.image._title.value

    def test_run_changes_the_image_and_before_can_be_compared(self, ran):
        image = ran.image
        ran.choose("ramp_fit")
        image.source.plane.value = "slope"
        picture = image.view.picture
        old = ran.session.result("ramp_fit")
        ran.choose("jump")
        type_in(ran, "rejection_threshold", "50")
        press(ran, "run")
        ran.choose("ramp_fit")
        new = ran.session.result("ramp_fit")
        assert np.count_nonzero(new.rate.data != old.rate.data) > 100
        assert image.view.picture != picture
        np.testing.assert_array_equal(image.view.plane.data, new.rate.data)

        image.buttons["change"].click()
        assert image.toolbar.arrangement.value == "blink"
        np.testing.assert_array_equal(image.view.plane.data, new.rate.data)
        np.testing.assert_array_equal(image.view.other.data, old.rate.data)
        image.toolbar.arrangement.value = "B"
        np.testing.assert_array_equal(image.view.plane.data, old.rate.data)
        image.toolbar.arrangement.value = "A − B"
        np.testing.assert_array_equal(image.view.plane.data, new.rate.data - old.rate.data)
        assert image.view.limits[0] == -image.view.limits[1]
        image.toolbar.arrangement.value = "A"
        press(ran, "undo")
        np.testing.assert_array_equal(image.view.plane.data, old.rate.data)

    def test_run_step_stops_after_the_step(self, bench):
        bench.choose("saturation")
        press(bench, "run_step")
        assert bench.session.status("saturation").state == "done"
        assert bench.session.status("superbias").state == "pending"

    def test_failure_is_shown_and_marked(self, raw_sub640):
        workbench = Workbench(open_session(raw_sub640, context="demo"), delay=0)
        workbench.choose("dq_init")
        workbench.panel.references["mask"].field.value = str(raw_sub640)
        press(workbench, "run")
        assert "jwcal-failed" in rail_text(workbench, "dq_init")
        assert raw_sub640.name in workbench.messages.shown[-1]
        assert workbench.messages.widget.layout.display == "flex"
        assert "failed at dq_init; results before it are kept" in workbench.toolbar._text.value
        assert "<b>✕ dq_init</b>" in workbench.messages._area.value

    def test_earlier_result_of_a_failed_step_is_marked(self, raw_sub640):
        workbench = Workbench(open_session(raw_sub640, context="demo"), delay=0)
        workbench.choose("dq_init")
        press(workbench, "run_step")
        before = workbench.image.view.plane.data
        assert "earlier" not in workbench.image._title.value
        workbench.panel.references["mask"].field.value = str(raw_sub640)
        press(workbench, "run_step")
        np.testing.assert_array_equal(workbench.image.view.plane.data, before)
        assert "has failed: this is an earlier result" in workbench.image._title.value
        press(workbench, "undo")
        assert "earlier" not in workbench.image._title.value

    def test_cancel_ends_a_run_soon(self, bench):
        running = threading.Event()
        bench.toolbar.bar.observe(lambda change: running.set() if change["new"] > 0 else None, "value")
        bench.toolbar.buttons["run"].click()
        assert running.wait(60)
        bench.toolbar.buttons["cancel"].click()  # how soon it answers: python -m tests.bench.cancel
        assert not bench.runner.running
        assert not bench.toolbar.buttons["run"].disabled
        assert bench.toolbar.buttons["cancel"].disabled
        assert "cancelled" in bench.toolbar._text.value
        assert bench.session.status("gain_scale").state == "pending"
        press(bench, "run")
        assert bench.session.status("ramp_fit").state == "done", "a cancelled run can be resumed"


class TestPixel:
    def test_numbers_and_arrows_pick(self, ran):
        picker = ran.image.picker
        picker.x.value, picker.y.value = 50, 60
        picker.arrows["right"].click()
        picker.arrows["down"].click()
        assert ran.image.pixel == (51, 59)
        assert "x 51, y 59: " in picker._text.value
        picker.x.value = 0
        picker.arrows["left"].click()
        assert ran.image.pixel == (0, 59)

    def test_ramp_follows_the_mouse_where_that_is_wanted(self, ran):
        ran.upper.choose("Ramp")
        ran.image.pick(100, 100)
        ran.image._hovered(30, 40)
        assert "x 100, y 100" in ran.ramp._title.value
        ran.follow.value = True
        ran.image._hovered(30, 40)
        assert "x 30, y 40" in ran.ramp._title.value
        assert ran.image.pixel == (100, 100), "it is not picked"
        ran.follow.value = False
        assert "x 100, y 100" in ran.ramp._title.value

    def test_region_is_of_the_step_on_the_image_until_another_is_chosen(self, ran):
        ran.image.source.follow.value = True
        ran.choose("superbias")
        ran.image._boxed(Box(20, 20, 40, 40))
        region = ran.region
        assert region.step.value == "superbias"
        ran.choose("jump")
        assert region.step.value == "jump"
        ran.choose("ramp_fit")
        assert region.step.value == "jump", "the last ramp, where the image shows slopes"
        region.page.value = "slopes"
        assert region.step.value == "ramp_fit"
        region.page.value = "ramp"
        region.step.value = "saturation"
        ran.choose("superbias")
        ran.image._boxed(Box(20, 20, 50, 50))
        assert region.step.value == "saturation"
        region.wait(30)
        region._own_step = ""
        ran.upper.choose("Ramp")

    def test_ramp_of_a_pixel_with_a_jump(self, ran):
        ramp, rates = ran.session.result("jump"), ran.session.result("ramp_fit")
        saturated = (ramp.groupdq & np.uint8(DQ.SATURATED | DQ.DO_NOT_USE)).any(axis=1)
        jumped = (ramp.groupdq[0, 2:-2] & np.uint8(DQ.JUMP_DET)).any(axis=0)
        y, x = np.argwhere(jumped & ~saturated[0] & np.isfinite(rates.rate.data))[0]
        ran.ramp.integration.value = 1
        ran.image.pick(int(x), int(y))
        plot = ran.ramp.view
        np.testing.assert_allclose(plot._path.y, ramp.data[0, :, y, x])
        flagged = (ramp.groupdq[0, :, y, x] & DQ.JUMP_DET) != 0
        np.testing.assert_allclose(plot._points[DQ.JUMP_DET].y, ramp.data[0, flagged, y, x])
        assert plot._fit.visible
        assert f"{rates.rate.data[y, x]:.5g}" in ran.ramp._table.value
        assert f"{rates.rateints.data[0, y, x]:.5g}" in ran.ramp._table.value

    def test_segments_are_those_of_the_fit(self, ran):
        """Without a jump there is one segment, and its slope is the slope of the integration."""
        ramp, rates = ran.session.result("jump"), ran.session.result("ramp_fit")
        clean = ~ramp.groupdq[0].any(axis=0) & (ramp.pixeldq == 0)
        y, x = np.argwhere(clean)[500]
        ran.ramp.integration.value = 1
        ran.image.pick(int(x), int(y))
        times, values = ran.ramp.view._fit.x, ran.ramp.view._fit.y
        slope = float(np.diff(values.ravel())[0] / np.diff(times.ravel())[0])
        assert slope == pytest.approx(float(rates.rateints.data[0, y, x]), rel=1e-5)

    def test_fit_is_drawn_only_on_what_was_fitted(self, ran):
        ran.image.pick(100, 100)
        ran.ramp.step.value = "superbias"
        assert not ran.ramp.view._fit.visible
        ran.ramp.step.value = "jump"
        assert ran.ramp.view._fit.visible

    @pytest.mark.parametrize(("name", "value"), [("firstgroup", "3"), ("lastgroup", "0")])
    def test_no_segments_of_settings_that_were_not_fitted(self, ran, name, value):
        """Lines of the new settings would not belong to the slopes beside them."""
        plot = ran.ramp.view
        ran.image.pick(100, 100)
        drawn = plot._fit.y.copy()
        ran.choose("ramp_fit")
        type_in(ran, name, value)
        assert not plot._fit.visible
        assert not plot._average.visible
        assert "fit is stale: run to update" in plot.legend.value
        assert "is stale" in ran.ramp._table.value
        press(ran, "undo")
        assert plot._fit.visible
        np.testing.assert_array_equal(plot._fit.y, drawn)
        assert "stale" not in plot.legend.value
        assert "stale" not in ran.ramp._table.value

    def test_stale_ramp_is_marked(self, ran):
        ran.choose("superbias")
        ran.panel.references["superbias"].field.value = "N/A"
        for step in ("superbias", "jump"):
            ran.ramp.step.value = step
            assert "ramp is stale" in ran.ramp.view.legend.value
        ran.ramp.step.value = "saturation"
        assert "stale" not in ran.ramp.view.legend.value
        ran.ramp.step.value = "jump"
        press(ran, "undo")
        assert "stale" not in ran.ramp.view.legend.value

    def test_all_integrations(self, ran):
        ran.image.pick(100, 100)
        ran.ramp.integration.value = 0
        assert ran.ramp.view._path.y.shape == (3, ran.session.exposure.ngroups)
        assert "integration 3" in ran.ramp._table.value
        ran.ramp.integration.value = 1

    def test_before_the_run_there_is_a_ramp_and_no_slope(self, bench):
        raw = bench.session.result("input")
        bench.image.pick(7, 8)
        np.testing.assert_allclose(bench.ramp.view._path.y, raw.data[0, :, 8, 7])
        assert "No slope yet" in bench.ramp._table.value


def test_notes_are_shown_until_they_are_dismissed(tiny_raw, tiny_context, tmp_path, monkeypatch):
    """What a parameter reference asks for and is not done: visible also after a run."""
    pars = {"class": "jwst.jump.JumpStep", "name": "jump", "parameters": {"of_the_future": True}}
    cache = tiny_exposure.build_crds_cache(tmp_path / "crds", pars={"pars-jumpstep": pars})
    monkeypatch.setenv("CRDS_PATH", str(cache))
    workbench = Workbench(open_session(tiny_raw), delay=0)
    messages = workbench.messages
    assert messages.shown == list(workbench.session.notes)
    assert "of_the_future" in messages._area.value
    assert messages.widget.layout.display == "flex"
    messages.error(InputError("an error"))
    press(workbench, "run")
    assert messages.shown == list(workbench.session.notes), "a run takes the errors away, not the notes"
    messages._clear.click()
    assert messages.shown == []
    assert messages.widget.layout.display == "none"


def test_toolbar_shows_the_message_of_a_progress(bench):
    text = "compiling kernels, once: jump (2/6)"
    bench.toolbar.begin(bench.session)
    bench.toolbar.progress(Progress("group_scale", 0, len(bench.session.steps), 0.0, text))
    assert f">{text}<" in bench.toolbar._text.value


def test_toolbar_tells_what_is_left_of_a_run(bench):
    """A part of the pipeline counts its own steps; steps that are off take no time."""
    steps = bench.session.steps
    first = steps.index("jump")
    bench.toolbar.begin(bench.session)
    bench.toolbar.progress(Progress("jump", 0, len(steps) - first, 0.0))
    assert f">jump (1 of {len(steps) - first}), about 1 s left<" in bench.toolbar._text.value
    assert bench.toolbar.bar.value == 0.0
    fitted = steps.index("ramp_fit") - first
    bench.toolbar.progress(Progress("ramp_fit", fitted, len(steps) - first, 1.0))
    assert bench.toolbar.bar.value > 0.8, "jump and fit are most of it: the noise steps are off"


def test_unexpected_error_is_shown_with_its_traceback(bench, monkeypatch):
    def broken(*_args):
        raise ZeroDivisionError("<division>")

    monkeypatch.setattr(bench.session, "undo", broken)
    bench.toolbar.buttons["undo"].disabled = False
    bench.toolbar.buttons["undo"].click()
    assert bench.messages.shown == ["ZeroDivisionError: <division>"]
    assert "Traceback" in bench.messages._area.value
    assert "&lt;division&gt;" in bench.messages._area.value
    bench.messages.clear()


def test_guider_exposure(flight_acq1):
    workbench = Workbench(open_session(flight_acq1, context="demo"), delay=0)
    press(workbench, "run")
    assert workbench.messages.shown == []
    workbench.choose("guider_cds")
    slopes = workbench.session.result("guider_cds")
    plane = take_plane(slopes, "slope", 1, 1)
    np.testing.assert_array_equal(workbench.image.view.plane.data, plane.data)
    workbench.image.pick(3, 4)
    assert "slice 1" in workbench.ramp._table.value
    workbench.ramp.kind.value = "differences"
    assert workbench.messages.shown == []


def test_saved_notebook_stays_small(ran):
    """JupyterLab saves the state of all widgets, without defaults; no array is in it."""
    for tabs in (ran.upper, ran.lower):
        for name in tabs.strip.options:
            tabs.choose(name)
    for step in ran.session.steps:
        ran.choose(step)
    ran.image.toolbar.arrangement.value = "side by side"
    states = embed.dependency_state([ran], drop_defaults=True)
    sizes = {number: len(json.dumps(state)) for number, state in states.items()}
    assert len(sizes) > 500
    assert sum(sizes.values()) < 1e6
    ran.image.toolbar.arrangement.value = "A"
    for tabs in (ran.upper, ran.lower):
        tabs.choose(tabs.strip.options[0])


def test_rail_words():
    assert state_text(RailState("done", seconds=1.234)) == "1.23 s"
    assert state_text(RailState("done", seconds=75.2)) == "75 s"
    assert state_text(RailState("skipped", "why")) == "skipped"
