"""Previews of changed settings in the workbench, on a real session."""

from __future__ import annotations

import html

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.session.preview import Change, Counters, Window
from jwcal_widgets.preview_link import counters_text


class TestPreview:
    """With the switch on, a change of settings is previewed on the pixels in view; only Run runs."""

    @pytest.fixture
    def tuned(self, ran):
        ran.choose("jump")
        yield ran
        while ran.session.can_undo:
            ran.toolbar.buttons["undo"].click()
        ran.toolbar.live.value = True
        ran.preview.wait(10)

    def change(self, workbench, threshold):
        workbench.panel.controls["rejection_threshold"].editor.value = str(threshold)
        workbench.preview.wait(10)
        return workbench.preview.shown

    def test_a_change_is_previewed_and_not_run(self, tuned):
        runs = [e for e in tuned.session.history if e.action == "run"]
        seen = self.change(tuned, 60)
        box = tuned.image.window_in_view()
        assert seen.window == Window(*box)
        expected = tuned.session.preview(Window(*box), "jump")
        np.testing.assert_array_equal(seen.states["jump"].groupdq, expected.states["jump"].groupdq)
        np.testing.assert_array_equal(seen.rates.rate.data, expected.rates.rate.data)
        assert tuned.session.status("jump").state == "stale"
        assert [e for e in tuned.session.history if e.action == "run"] == runs

    def test_what_changes_is_counted_before_and_after(self, tuned):
        seen = self.change(tuned, 60)
        flagged = np.uint8(DQ.JUMP_DET)
        rows, columns = seen.window.region
        before = np.count_nonzero(tuned.session.kept("jump").groupdq[..., rows, columns] & flagged)
        after = np.count_nonzero(seen.ramp.groupdq & flagged)
        line = html.unescape(tuned.toolbar.counters.value)
        assert after < before
        assert f"JUMP_DET {before:,} → {after:,} ({after - before:+,})" in line
        assert "slope" in line
        assert "DN/s" in line
        assert line.endswith(" ms</span>")

    def test_what_was_run_takes_the_place_of_the_preview(self, tuned):
        seen = self.change(tuned, 60)
        tuned.run()
        tuned.runner.wait()
        assert tuned.preview.shown is None
        assert tuned.toolbar.counters.value == ""
        rows, columns = seen.window.region
        fitted = tuned.session.result("ramp_fit").rate.data[rows, columns]
        np.testing.assert_array_equal(fitted, seen.states["ramp_fit"].rate.data)

    def test_undo_takes_the_preview_away_where_results_are_there(self, tuned):
        self.change(tuned, 81)
        tuned.toolbar.buttons["undo"].click()
        tuned.preview.wait(10)
        assert tuned.preview.shown is None
        tuned.toolbar.buttons["redo"].click()
        tuned.preview.wait(10)
        assert tuned.preview.shown is not None

    def test_flags_edited_by_hand_are_previewed_too(self, tuned):
        x0, y0, _, y1 = tuned.image.window_in_view()
        tuned.mask.take_box((x0, y0, x0 + 1, y1))
        tuned.mask.apply.click()
        tuned.preview.wait(10)
        assert ((tuned.preview.shown.rates.rate.dq[:, 0] & DQ.DO_NOT_USE) != 0).all()

    def test_the_last_of_a_burst_of_changes_is_shown(self, tuned):
        for threshold in range(51, 71):
            tuned.panel.controls["rejection_threshold"].editor.value = str(threshold)
        tuned.preview.wait(20)
        last = tuned.session.preview(tuned.preview.shown.window, "jump")
        np.testing.assert_array_equal(tuned.preview.shown.states["jump"].groupdq, last.states["jump"].groupdq)

    def test_with_the_switch_off_nothing_is_previewed(self, tuned):
        tuned.toolbar.live.value = False
        assert self.change(tuned, 82) is None
        tuned.toolbar.live.value = True
        tuned.preview.wait(10)
        assert tuned.preview.shown is not None

    def test_refused_value_starts_nothing(self, tuned):
        assert self.change(tuned, -1) is None
        tuned.panel.controls["rejection_threshold"].reset_button.click()

    def test_before_the_first_run_nothing_is_previewed(self, bench):
        bench.choose("jump")
        assert self.change(bench, 60) is None
        assert not bench.runner.running

    def test_dragging_previews_and_release_sets(self, tuned):
        """A slider tells of every value; the session has it when the slider has come to rest."""
        before = tuned.session.settings
        tuned.preview.drag("jump", {"rejection_threshold": 83.0})
        tuned.preview.wait(10)
        seen = tuned.preview.shown
        assert tuned.session.settings == before
        expected = tuned.session.preview(seen.window, "jump", {"rejection_threshold": 83.0})
        np.testing.assert_array_equal(seen.states["jump"].groupdq, expected.states["jump"].groupdq)
        tuned.preview.clear()

    def test_image_and_ramp_show_it(self, tuned):
        tuned.choose("ramp_fit")
        tuned.image.source.plane.value = "slope"
        tuned.preview.drag("jump", {"rejection_threshold": 84.0})
        tuned.preview.wait(10)
        seen = tuned.preview.shown
        rows, columns = seen.window.region
        np.testing.assert_array_equal(
            tuned.image.view.plane.data[rows, columns], seen.states["ramp_fit"].rate.data
        )
        tuned.preview.clear()
        np.testing.assert_array_equal(tuned.image.view.plane.data, tuned.session.result("ramp_fit").rate.data)


def test_words_for_counters():
    counters = Counters(
        groups={"JUMP_DET": Change(1200, 1100), "SATURATED": Change(5, 5)},
        slope=Change(1.5, 1.5),
        spread=Change(0.2, 0.1),
        error=None,
        pixels_changed=77,
    )
    assert counters_text(counters) == (
        "groups: JUMP_DET 1,200 → 1,100 (-100) · slope 1.5 DN/s as before · spread 0.2 → 0.1 DN/s · "
        "77 pixels changed"
    )
    alone = Counters({"JUMP_DET": Change(None, 3)}, Change(None, 2.0), None, None, None)
    assert counters_text(alone) == "groups: JUMP_DET 3 · slope 2 DN/s"
