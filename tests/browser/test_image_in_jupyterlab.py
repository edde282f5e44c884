"""The image in a browser: what the mouse reads, picks and draws, and two views that move together."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from jwcal_interactive import open_session
from tests.browser.bench import IMAGE, Bench

pytestmark = pytest.mark.browser

SHAPE = (640, 640)
READ = ".jwcal-hover >> nth=0"


def choose(bench: Bench, option: str) -> None:
    choices = bench.page.locator("select", has=bench.page.locator("option", has_text="curtain"))
    choices.first.select_option(option)


def place(bench: Bench, x: float, y: float) -> tuple[float, float]:
    """Where a pixel is on the screen, while the whole image is shown."""
    box = bench.page.locator(IMAGE).locator("svg image").first.bounding_box()
    ny, nx = SHAPE
    return box["x"] + (x + 0.5) / nx * box["width"], box["y"] + box["height"] - (y + 0.5) / ny * box["height"]


def drag(bench: Bench, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse = bench.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(*end, steps=6)
    mouse.up()


def ticks(bench: Bench, figure: int) -> list[str]:
    """Numbers at the axis of x."""
    axis = bench.page.locator(".jwcal .bqplot").nth(figure).locator("g.axis").first
    return [label.strip() for label in axis.locator(".tick text").all_text_contents()]


def test_mouse_on_the_image(bench, lab, raw_sub640):
    """The value under the mouse, an exact click, a region, limits dragged on the histogram."""
    shutil.copyfile(raw_sub640, lab.folder / raw_sub640.name)
    bench.open(raw_sub640.name)
    page = bench.page
    bench.settled(IMAGE)

    page.mouse.move(*place(bench, 200, 450), steps=4)
    page.locator(READ, has_text=re.compile("x (199|200|201), y (449|450|451) ")).wait_for()
    page.wait_for_timeout(500)
    text = page.locator(READ).inner_text()
    found = re.match(r"x (\d+), y (\d+) · (\d+) DN · no flags · RA [\d.]+° Dec", text)
    assert found, text
    x, y, value = map(int, found.groups())
    raw = open_session(raw_sub640, context="demo").result("input")
    assert value == raw.data[0, -1, y, x]
    assert "approximate" in text

    page.mouse.click(*place(bench, 300, 100))  # at once, before the fine cells can be there
    picked = page.locator(".jwcal-readout", has_text=re.compile("x (299|300|301), y (99|100|101):"))
    picked.wait_for()

    bench.button("region").click()
    page.wait_for_timeout(400)
    drag(bench, place(bench, 100, 100), place(bench, 180, 150))
    page.locator(".jwcal .bqplot text", has_text="REGION").first.wait_for()

    before = bench.settled(IMAGE)
    bench.button("histogram").click()
    histogram = page.locator(".jwcal .bqplot", has_text="value (DN)")
    histogram.wait_for()
    histogram.scroll_into_view_if_needed()
    page.wait_for_timeout(800)
    bench.shot("9-histogram")
    figure = histogram.bounding_box()
    middle = figure["y"] + 0.4 * figure["height"]
    ends = [figure["x"] + part * figure["width"] for part in (0.3, 0.6)]
    drag(bench, (ends[0], middle), (ends[1], middle))
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jwcal select')].some(select => select.value === 'manual')"
    )
    bench.changed(IMAGE, before)


def test_two_views_move_together(bench, lab, raw_sub640):
    """Both sides of a blink are seen; zooming in one of two views zooms the other, and nothing bounces."""
    shutil.copyfile(raw_sub640, lab.folder / raw_sub640.name)
    bench.open(raw_sub640.name)
    page = bench.page
    bench.run()
    bench.choose("ramp_fit")
    bench.button("before/after step").click()
    for side in ("B", "A"):
        page.locator(".jwcal .widget-html b", has_text=re.compile(f"^{side}$")).first.wait_for()
    choose(bench, "side by side")
    page.wait_for_function("() => document.querySelectorAll('.jwcal .bqplot image').length >= 8")
    page.wait_for_timeout(1000)
    whole = ticks(bench, 0)
    bench.button("pan and zoom").click()
    page.wait_for_timeout(400)
    page.mouse.move(*place(bench, 320, 320))
    for _ in range(4):
        page.mouse.wheel(0, -400)
        page.wait_for_timeout(80)
    page.wait_for_timeout(1000)
    zoomed = ticks(bench, 0)
    assert len(zoomed) > 1
    assert zoomed != whole
    for _ in range(5):
        assert ticks(bench, 0) == ticks(bench, 1) == zoomed, "nothing bounces"
        page.wait_for_timeout(100)
    for figure in (0, 1):
        assert np.ptp(bench.settled(f".jwcal-image .bqplot >> nth={figure}")) > 100
    bench.shot("10-views")
    choose(bench, "A")
    bench.settled(IMAGE)
