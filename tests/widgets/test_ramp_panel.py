"""The ramp panel on a session that has run, without a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from ipywidgets import HTML
from ipywidgets.widgets.widget import _instances

from jwcal_interactive import Session, open_session
from jwcal_interactive.dq import DQ
from jwcal_interactive.session.preview import Window
from jwcal_interactive.steps.jump_limits import jump_limits
from jwcal_interactive.steps.ramp_segments import group_times
from jwcal_widgets.ramp import Fit
from jwcal_widgets.ramp_controls import RampControls
from jwcal_widgets.ramp_panel import RampPanel, slope_table

SIZE = (430, 250)


@pytest.fixture
def session(ran_session: Session) -> Session:
    return ran_session


@pytest.fixture
def panel(session) -> Iterator[RampPanel]:
    panel = RampPanel(session, SIZE, lambda f: f)
    panel.refresh()
    panel.show(*hit_pixel(session), session.exposure.ysize)
    yield panel
    panel.close()


def drawn(panel: RampPanel) -> np.ndarray:
    """Values of the solid lines, (nlines, ngroups); bqplot squeezes a single one."""
    return np.atleast_2d(panel.view._path.y)


def hit_pixel(session: Session, number: int = 0) -> tuple[int, int]:
    """A pixel with a jump, and nothing else, in the middle of the first integration."""
    ramp = session.result("jump")
    dq = ramp.groupdq[0]
    plain = ~(dq & np.uint8(DQ.SATURATED | DQ.DO_NOT_USE)).any(axis=0) & (ramp.pixeldq == 0)
    jumped = (dq[2:-2] & np.uint8(DQ.JUMP_DET)).any(axis=0)
    y, x = np.argwhere(plain & jumped)[number]
    return int(x), int(y)


def test_ramps_that_were_dropped_are_computed_again_in_a_thread(tiny_raw, tiny_context, monkeypatch):
    session = open_session(tiny_raw, memory_limit=1)
    session.run()
    panel = RampPanel(session, SIZE, lambda f: f)
    ran, run = [], Session.run

    def counted(self, *, last=None, **options):
        ran.append((last, threading.current_thread().name))
        run(self, last=last, **options)

    monkeypatch.setattr(Session, "run", counted)
    panel.refresh()
    assert panel.controls.step.options[-1] == "jump"
    assert "Computing" in panel.view.legend.value
    panel.wait(30)
    assert ran == [(panel.controls.choice.step, "jwcal-ramp")]
    assert panel.view._path.visible
    panel.close()


def test_fit_and_residuals_are_those_of_the_product(panel, session):
    x, y = hit_pixel(session)
    view, rates = panel.view, session.result("ramp_fit")
    assert view._fit.visible
    assert f"{rates.rateints.data[0, y, x]:.5g}" in panel._table.value
    assert f"± {rates.rateints.err[0, y, x]:.2g}" in panel._table.value
    ramp = session.result("jump")
    lines = zip(view._fit.x, view._fit.y, strict=True)
    dots = dict(zip(view._residuals.dots.x, view._residuals.dots.y, strict=True))
    times = group_times(session.exposure)
    for (t0, t1), (v0, v1) in lines:
        inside = (times >= t0) & (times <= t1)
        for t, value in zip(times[inside], ramp.data[0, inside, y, x], strict=True):
            line = v0 if t1 == t0 else v0 + (v1 - v0) * (t - t0) / (t1 - t0)
            assert dots[t] == pytest.approx(value - line, abs=1e-2)


def test_residuals_in_read_noise(panel, session):
    x, y = hit_pixel(session)
    in_dn = np.array(panel.view._residuals.dots.y)
    panel.controls.sigma.value = True
    noise = session.load_references("ramp_fit")["readnoise"].data[y, x] / np.sqrt(2 * session.exposure.nframes)
    np.testing.assert_allclose(panel.view._residuals.dots.y, in_dn / noise, rtol=1e-6)
    assert "σ" in panel.view._residuals.y_axis.label


def test_electrons(panel, session):
    x, y = hit_pixel(session)
    in_dn = drawn(panel).copy()
    panel.controls.unit.value = "electron"
    gain = float(session.load_references("ramp_fit")["gain"].data[y, x])
    np.testing.assert_allclose(drawn(panel), in_dn * gain)
    assert panel.view._y_axis.label == "signal (electron)"
    slope = session.result("ramp_fit").rate.data[y, x] * gain
    assert f"{slope:.5g}" in panel._table.value
    assert "slope (electron/s)" in panel._table.value


def test_band_is_the_threshold_of_jump(panel, session):
    before, refs, p = session.result("dark_current"), session.load_references("jump"), session.params("jump")
    for number in range(50):  # the first ones may be neighbours of a jump
        x, y = hit_pixel(session, number)
        limits = jump_limits(before, refs, p, y, x)
        if limits.found[0].any():
            break
    panel.show(x, y, before.data.shape[2])
    panel.kind.value = "differences"
    per_unit = float(refs["gain"].data[y, x]) * session.exposure.group_time
    low, high = panel.view._band.y
    kept = ~limits.found[0]
    np.testing.assert_allclose(high[kept], limits.upper[0][kept] / per_unit, rtol=1e-6)
    np.testing.assert_allclose(low[kept], limits.lower[0][kept] / per_unit, rtol=1e-6)
    values = drawn(panel)[0]
    outside = (values > high) | (values < low)
    flagged = (session.result("jump").groupdq[0, 1:, y, x] & DQ.JUMP_DET) != 0
    assert flagged.any()
    np.testing.assert_array_equal(outside | flagged, flagged)
    panel.controls.sigma.value = True
    threshold = session.params("jump").rejection_threshold
    np.testing.assert_allclose(panel.view._residuals.limits.y[1], threshold)
    assert np.abs(panel.view._residuals.hits.y).min() > threshold


def test_no_band_says_why(panel, session):
    session.set("jump", skip=True)
    try:
        panel.kind.value = "differences"
        assert not panel.view._band.visible
        assert "jump is off" in panel.view.legend.value
    finally:
        session.reset("jump", "skip")


def test_no_band_on_values_that_jump_does_not_see(panel):
    panel.kind.value = "differences"
    assert panel.view._band.visible
    panel.step.value = "superbias"
    assert not panel.view._band.visible
    assert "not the values in which jump looks" in panel.view.legend.value
    panel.step.value = "dark_current"
    assert panel.view._band.visible


def test_table_says_what_rescales_the_slopes_later():
    fits = [("whole exposure", Fit(1.0, 0.1, 0))]
    assert "before gain_scale" in slope_table(fits, remark="before gain_scale")
    assert "is stale" in slope_table(fits, "is stale", remark="before gain_scale")


def test_saturation_level_only_where_it_is_compared(panel, session):
    ramp = session.result("saturation")
    y, x = np.argwhere((ramp.groupdq[0, -1] & np.uint8(DQ.SATURATED)) != 0)[0]
    level = float(session.load_references("saturation")["saturation"].data[y, x])
    panel.step.value = "saturation"
    panel.show(int(x), int(y), ramp.data.shape[2])
    assert panel.view._level.visible
    assert set(panel.view._level.y.ravel()) == {level}
    assert f"saturation {level:,.0f}" in panel.view._labels.text
    panel.step.value = "linearity"
    assert not panel.view._level.visible


def test_level_above_the_plot_is_told(panel):
    panel.step.value = "input"
    assert not panel.view._level.visible
    assert "above the plot" in panel.view.legend.value


def test_pins_keep_their_ramps(panel, session):
    pixels = [hit_pixel(session, n) for n in (10, 20, 30)]
    rows = session.exposure.ysize
    for x, y in pixels:
        panel.show(x, y, rows)
        panel.pins.pin.click()
    panel.show(5, 6, rows)
    ramp = session.result("jump")
    assert len(drawn(panel)) == 4
    for values, (x, y) in zip(drawn(panel)[1:], pixels, strict=True):
        np.testing.assert_array_equal(values, ramp.data[0, :, y, x])
    assert set(panel.view._labels.text) == {"A", "B", "C"}
    assert f"B: x {pixels[1][0]}, y {pixels[1][1]}" in panel._table.value
    panel.pins.chips[1].click()
    assert set(panel.view._labels.text) == {"A", "C"}
    panel.pins.clear.click()
    assert len(drawn(panel)) == 1


def test_six_pins_at_most(panel, session):
    for n in range(8):
        panel.show(*hit_pixel(session, n), session.exposure.ysize)
        panel.pins.pin.click()
    assert len(panel.pins.pinned) == 6
    assert panel.pins.pin.disabled
    assert len({(p.color, p.marker) for p in panel.pins.pinned}) == 6


def test_overlay_of_states(panel, session):
    x, y = hit_pixel(session)
    panel.controls.overlay.value = True
    panel.controls.others.value = ("input", "superbias")
    for values, step in zip(drawn(panel), ("jump", "input", "superbias"), strict=True):
        np.testing.assert_array_equal(values, session.result(step).data[0, :, y, x])
    assert set(panel.view._labels.text) == {"input", "superbias"}
    panel.controls.aligned.value = True
    assert np.abs(drawn(panel)[:, 0]).max() == 0
    panel.controls.overlay.value = False
    assert len(drawn(panel)) == 1


def test_integrations(panel, session):
    panel.integration.value = 0
    assert drawn(panel).shape == (3, session.exposure.ngroups)
    panel.integration.value = -1
    assert panel.controls.range.layout.display is None
    panel.controls.range.value = (2, 3)
    assert len(drawn(panel)) == 2
    x, y = hit_pixel(session)
    np.testing.assert_array_equal(drawn(panel)[0], session.result("jump").data[1, :, y, x])
    assert "integration 3" in panel._table.value


def test_hover_leaves_the_picked_pixel(panel, session):
    x, y = hit_pixel(session)
    picked = drawn(panel).copy()
    panel.hover(x + 3, y, session.exposure.ysize)
    assert "under the cursor" in panel._title.value
    np.testing.assert_array_equal(drawn(panel)[0], session.result("jump").data[0, :, y, x + 3])
    panel.leave()
    np.testing.assert_array_equal(drawn(panel), picked)
    assert "under the cursor" not in panel._title.value


def test_branch_is_drawn_dashed(panel, session):
    x, y = hit_pixel(session)
    session.branch("loose")
    try:
        session.set("jump", rejection_threshold=90.0)
        session.run()
        other = session.result("ramp_fit").rate.data[y, x]
        session.switch("main")
        panel.refresh()
        panel.controls.branch.value = "loose"
        assert panel.view._dashed.visible
        assert panel.view._dashed_fit.visible
        assert "branch loose" in panel._table.value
        assert f"{other:.5g}" in panel._table.value
        assert other != session.result("ramp_fit").rate.data[y, x]
        jumps = panel.view._flagged.marks[DQ.JUMP_DET]
        hollow = panel.view._hollow.marks[DQ.JUMP_DET]
        assert jumps.visible
        assert not hollow.visible, "no jump with that threshold"
    finally:
        session.switch("main")
        session.delete_branch("loose")
    panel.refresh()
    assert not panel.view._dashed.visible


def test_preview_is_drawn_dashed_with_its_limits(panel, session):
    x, y = hit_pixel(session)
    window = Window.around(x, y, 64, (session.exposure.ysize, session.exposure.xsize))
    preview = session.preview(window, "jump", {"rejection_threshold": 90.0})
    panel.show_preview(preview)
    assert panel.view._dashed.visible
    slope = preview.rates.rate.data[y - window.y0, x - window.x0]
    assert f"{slope:.5g}" in panel._table.value
    assert not panel.view._hollow.marks[DQ.JUMP_DET].visible
    panel.kind.value = "differences"
    wide = panel.view._band.y.copy()
    assert "limits of the preview" in panel.view.legend.value
    panel.show_preview(None)
    assert np.ptp(wide) > 5 * np.ptp(panel.view._band.y)
    assert not panel.view._dashed.visible


def test_pixel_outside_the_preview(panel, session):
    preview = session.preview(Window(0, 0, 16, 16), "jump", {"rejection_threshold": 90.0})
    panel.show(200, 200, session.exposure.ysize)
    panel.show_preview(preview)
    assert not panel.view._dashed.visible
    assert "outside the window of the preview" in panel.view.legend.value


def test_close_leaves_no_widgets(session):
    before = set(_instances)
    panel = RampPanel(session, SIZE, lambda f: f)
    panel.refresh()
    panel.show(100, 100, session.exposure.ysize)
    panel.close()
    assert set(_instances) == before


def test_marks_are_drawn_again_not_made_anew(panel, session):
    marks = list(panel.view.figure.marks)
    for n in range(3):
        panel.show(*hit_pixel(session, n), session.exposure.ysize)
    assert panel.view.figure.marks == marks


def test_fit_by_likelihood_is_drawn(tiny_raw, tiny_context):
    session = open_session(tiny_raw)
    session.set("ramp_fit", algorithm="LIKELY")
    session.run()
    panel = RampPanel(session, SIZE, lambda f: f)
    panel.refresh()
    rates = session.result("ramp_fit").rateints
    y, x = np.argwhere((rates.dq[0] == 0) & np.isfinite(rates.data[0]))[200]
    panel.show(int(x), int(y), session.exposure.ysize)
    times, values = (np.atleast_2d(part)[0] for part in (panel.view._fit.x, panel.view._fit.y))
    assert np.diff(values)[0] / np.diff(times)[0] == pytest.approx(float(rates.data[0, y, x]), rel=1e-4)
    panel.close()


def test_many_integrations_are_thinned_out():
    controls = RampControls(lambda: None, lambda f: f, HTML(), HTML())
    controls.offer(["jump"], 3000, [])
    assert len(controls.integration.options) < 100
    controls.integration.value = 0
    choice = controls.choice
    assert len(choice.integrations) == 20
    assert (choice.integrations[0], choice.integrations[-1]) == (1, 3000)
    assert choice.left_out == 2980


def test_limits_find_the_jumps_of_the_run(session):
    before, refs, p = session.result("dark_current"), session.load_references("jump"), session.params("jump")
    flagged = (session.result("jump").groupdq[:, 1:] & np.uint8(DQ.JUMP_DET)) != 0
    assert not p.expand_large_events
    found = 0
    for y, x in np.argwhere(flagged.any(axis=(0, 1)))[::40]:
        limits = jump_limits(before, refs, p, y, x)
        assert not (limits.found & ~flagged[:, :, y, x]).any()
        found += int(limits.found.any())
    assert found > 20
    quiet = np.argwhere(~flagged.any(axis=(0, 1)) & (before.pixeldq == 0))
    assert not any(jump_limits(before, refs, p, y, x).found.any() for y, x in quiet[::4000])


def test_no_state_is_held_between_looks(panel, session, monkeypatch):
    asked = []
    kept = session.kept
    monkeypatch.setattr(session, "kept", lambda step: asked.append(step) or kept(step))
    panel.update()
    assert asked
    assert len(asked) == len(set(asked)), "each state is asked for once"
    assert panel._data._seen == {}
