"""The region panel on a session that has run, without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from jwcal_interactive import Session
from jwcal_interactive.dq import DQ
from jwcal_interactive.region import Box, region_histogram, region_ramp
from jwcal_interactive.region_noise import clipped_deviation, difference_noise
from jwcal_widgets.region_panel import RegionPanel

BOX = Box(100, 200, 180, 260)
SIZE = (430, 250)


@pytest.fixture
def panel(ran_session: Session) -> Iterator[RegionPanel]:
    errors: list[Exception] = []

    def guard(function):
        def handler(*args):
            try:
                function(*args)
            except Exception as error:  # noqa: BLE001 - asserted below
                errors.append(error)

        return handler

    panel = RegionPanel(ran_session, SIZE, guard)
    yield panel
    panel.close()
    assert errors == []


def show(panel: RegionPanel, page: str, box=BOX, **region):
    panel.page.value = page
    panel.show_region(box, **region)
    panel.wait(30)
    return panel._pages.get(page)


def test_nothing_is_shown_without_a_region(panel):
    panel.refresh()
    panel.wait(30)
    assert "Draw a box" in panel._note.value
    assert panel._pages == {}


def test_ramp(panel, ran_session):
    plot = show(panel, "ramp")
    expected = region_ramp(ran_session.result("jump"), 1, BOX, from_first=True)
    np.testing.assert_allclose(plot.line.y, expected.median)
    np.testing.assert_allclose(plot.band.y, [expected.low, expected.high])
    panel.from_first.value = False
    panel.wait(30)
    np.testing.assert_allclose(plot.line.y, region_ramp(ran_session.result("jump"), 1, BOX).median)
    assert "x 100 to 179, y 200 to 259" in panel._title.value
    assert "4,800 pixels" in panel._title.value


def test_slopes_of_the_whole_exposure_and_of_an_integration(panel, ran_session):
    plot = show(panel, "slopes")
    rates = ran_session.result(panel.step.value)
    whole = region_histogram(rates.rate.data, rates.rate.dq, BOX)
    assert f"median {whole.median:.4g} DN/s" in plot.legend.value
    assert plot.steps.y.max() == whole.counts.max()
    panel.integration.value = 2
    panel.wait(30)
    second = region_histogram(rates.rateints.data[1], rates.rateints.dq[1], BOX)
    assert f"median {second.median:.4g} DN/s" in plot.legend.value


def test_noise_by_row_and_column(panel, ran_session):
    plot = show(panel, "noise")
    images = difference_noise(ran_session.result("jump"), 1, BOX)
    assert plot.line.x[[0, -1]].tolist() == [200, 259]
    assert plot.line.y[3] == pytest.approx(clipped_deviation(images[:, 3]))
    assert f"amplifier 1: {clipped_deviation(images):.4g} DN" in plot.legend.value
    panel.along.value = "by column"
    panel.wait(30)
    assert plot.line.x[[0, -1]].tolist() == [100, 179]
    assert plot.line.y[3] == pytest.approx(clipped_deviation(images[:, :, 3]))


def test_power_in_hertz(panel, ran_session):
    plot = show(panel, "1/f")
    assert ran_session.exposure.keyword("TSAMPLE") == 10
    assert plot.x_axis.label == "frequency (Hz)"
    assert plot.within.x.max() < 5.1e4
    assert plot.between.x.max() < plot.within.x.min()
    assert "within lines of 80 pixels" in plot.legend.value


def test_flags(panel, ran_session):
    panel.page.value = "flags"
    panel.step.value = "jump"
    table = show(panel, "flags")
    jumps = (ran_session.result("jump").groupdq[0][:, BOX.rows, BOX.columns] & np.uint8(DQ.JUMP_DET)) != 0
    assert f"{jumps.any(axis=0).sum():,}</td>" in table.widget.value
    assert f"{jumps.sum():,}</td>" in table.widget.value


def test_selection_by_value(panel, ran_session):
    panel.page.value = "slopes"
    slope = ran_session.result(panel.step.value).rate.data
    chosen = slope > np.nanpercentile(slope, 99)
    plot = show(panel, "slopes", None, selection=chosen)
    assert f"{chosen.sum():,} pixels of" in panel._title.value
    assert f"{chosen.sum():,} pixels" in plot.legend.value
    assert plot.steps.x.min() > np.nanpercentile(slope, 98.9)


def test_only_the_last_page_is_on_show(panel):
    show(panel, "ramp")
    show(panel, "noise")
    shown = [name for name, view in panel._pages.items() if view.widget.layout.display != "none"]
    assert shown == ["noise"]


def test_the_latest_region_wins(panel, ran_session):
    panel.page.value = "slopes"
    for n in range(5):
        panel.show_region((n, n, n + 50, n + 50))
    panel.wait(30)
    rates = ran_session.result(panel.step.value).rate
    expected = region_histogram(rates.data, rates.dq, Box(4, 4, 54, 54))
    assert f"median {expected.median:.4g} DN/s" in panel._pages["slopes"].legend.value


def test_what_cannot_be_shown_says_why(panel):
    show(panel, "ramp", (0, 0, 10_000, 10))
    assert "lie in the frame" in panel._note.value
    show(panel, "slopes", (0, 0, 4, 4))  # reference pixels
    assert "no pixel of the region" in panel._note.value or panel._pages["slopes"].legend.value


def test_close_leaves_no_widgets_and_no_thread(ran_session):
    before = set(_instances)
    panel = RegionPanel(ran_session, SIZE, lambda f: f)
    for page in ("ramp", "noise", "1/f", "flags"):
        show(panel, page)
    panel.close()
    assert set(_instances) == before
    panel.wait(5)
    assert panel._latest._thread is None


def test_typed_region(panel):
    panel.page.value = "slopes"
    panel.box.value = "100:180,200:260"
    panel.wait(30)
    assert "x 100 to 179, y 200 to 259" in panel._title.value
    panel.box.value = "100-180"
    assert "is no region" in panel._note.value
    panel.box.value = ""
    assert "Draw a box" in panel._note.value
    panel.whole.click()
    panel.wait(30)
    assert panel.box.value == "0:640, 0:640"
    assert "409,600 pixels" in panel._title.value
