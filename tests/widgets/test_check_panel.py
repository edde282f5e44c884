"""What the check of saturation counts; tabs, and work of which only the newest request counts."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from jwcal_interactive.dq import DQ
from jwcal_widgets.messages import Messages
from jwcal_widgets.previews.steps.saturation import find_saturated, first_saturated_group
from jwcal_widgets.tabs import Tabs


class TestSaturation:
    def test_first_group_of_any_integration(self):
        rng = np.random.default_rng(7)
        groupdq = np.where(rng.random((2, 5, 6, 7)) < 0.2, DQ.SATURATED, DQ.JUMP_DET).astype(np.uint8)
        groupdq[:, :, 0, 0] = DQ.DO_NOT_USE
        first = first_saturated_group(groupdq)
        for y in range(6):
            for x in range(7):
                hits = np.nonzero((groupdq[:, :, y, x] & DQ.SATURATED).any(axis=0))[0]
                assert first[y, x] == (hits[0] + 1 if hits.size else 0)

    def test_counts_are_of_all_pixels_and_of_what_the_step_flagged(self, ramp):
        before = ramp
        groupdq = ramp.groupdq.copy()
        groupdq[0, 2, 30, 40] |= DQ.AD_FLOOR | DQ.DO_NOT_USE
        groupdq[1, 1, 31, 41] |= DQ.DO_NOT_USE
        found = find_saturated(replace(ramp, groupdq=groupdq), before)
        assert found.counts.tolist() == [0, 0, 0, 0, 1, 0], "of the fixture: group 5 at x 3, y 4"
        assert (found.floor, found.hidden) == (1, 1)
        assert found.shape == ramp.pixeldq.shape

    def test_map_keeps_the_earliest_and_makes_single_pixels_visible(self, ramp):
        groupdq = ramp.groupdq.copy()
        groupdq[0, 2:, 5, 3] |= np.uint8(DQ.SATURATED)
        whole = find_saturated(replace(ramp, groupdq=groupdq), ramp, bins=100)
        assert whole.first[5, 3] == 3
        assert whole.first[5, 4] == 3, "few: drawn larger than they are"
        binned = find_saturated(replace(ramp, groupdq=groupdq), ramp, bins=14)
        assert binned.first.shape == (10, 14)
        assert binned.first[1, 0] == 3


class TestTabs:
    class Page:
        def __init__(self):
            import ipywidgets as ipw

            self.widget, self.refreshed = ipw.HTML(), 0

        def refresh(self):
            self.refreshed += 1

    def test_only_the_page_on_show_is_refreshed(self):
        one, other = self.Page(), self.Page()
        tabs = Tabs({"one": one, "other": other}, {}, Messages().guarded)
        tabs.refresh()
        tabs.refresh()
        assert (one.refreshed, other.refreshed) == (2, 0)
        assert tabs._stack.children == (one.widget,), "the other has not been looked at"
        tabs.choose("other")
        assert tabs.shows("other")
        assert (one.refreshed, other.refreshed) == (2, 1)
        assert (one.widget.layout.display, other.widget.layout.display) == ("none", None)
        tabs.choose("one")
        assert one.refreshed == 2, "nothing has changed since"
        tabs.refresh()
        tabs.choose("other")
        assert (one.refreshed, other.refreshed) == (3, 2)


class TestLatest:
    def test_only_the_newest_of_those_that_wait_is_done(self):
        from jwcal_widgets.latest import Latest

        messages, begun, release, done = Messages(), threading.Event(), threading.Event(), []
        latest = Latest(messages.guarded, "test")

        def first():
            begun.set()
            release.wait(5)
            return "first"

        latest.request(first, done.append)
        assert begun.wait(5)
        for name in ("second", "third"):
            latest.request(lambda name=name: name, done.append)
        release.set()
        latest.wait(5)
        assert done == ["third"]
        latest.close()
        latest.request(lambda: "after the end", done.append)
        latest.wait(5)
        assert done == ["third"]
