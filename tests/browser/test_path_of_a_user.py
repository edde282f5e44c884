"""From a raw exposure to a notebook that repeats the work, as a user goes through it in JupyterLab."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from tests.browser.bench import CELL, IMAGE, KERNEL_READY, RAMP, Bench, fraction_changed

pytestmark = pytest.mark.browser

SHAPE = (640, 640)
COLUMN = 400
PREVIEWED = ".jwcal-preview"
# What the screen says, at one moment.
DRAGGED = """() => ({
  preview: Boolean(document.querySelector('.jwcal-preview')),
  counters: document.querySelector('.jwcal-counters')?.textContent ?? '',
  code: document.querySelector('pre.jwcal-code').textContent,
  stale: Boolean(document.querySelector('.jwcal-rail .jwcal-stale')),
})"""
REOPEN = """\
from jwcal_interactive import open_session
from jwcal_widgets import Workbench

workbench = Workbench(open_session({name!r}))
workbench"""


@pytest.fixture
def name(lab, raw_sub640) -> str:
    """Name of the raw exposure in the folder of the notebooks, with its truth beside it."""
    for file in raw_sub640.parent.glob("*.fits"):
        shutil.copyfile(file, lab.folder / file.name)
    return raw_sub640.name


def flag(bench: Bench, name: str) -> Locator:
    """The checkbox of a flag in the list left of the image."""
    return bench.root.locator(f".jwcal-flag-{name} input[type=checkbox]")


def flagged_pixels(bench: Bench, name: str) -> int:
    """How many pixels of the image carry a flag, as the list says."""
    return int(bench.root.locator(f".jwcal-flag-{name} .jwcal-muted").inner_text().replace(",", ""))


def test_inspect_pin_and_compare_branches(bench: Bench, name: str) -> None:
    """Zoom, flags, read-out; three pinned ramps; a branch with another threshold, blinked with the first."""
    bench.open(name)
    page, root = bench.page, bench.root
    raw = bench.settled(IMAGE)
    bench.titled("Zoom in").first.click()
    bench.changed(IMAGE, raw)
    bench.titled("Fit: show the whole image").click()
    bench.run()
    bench.choose("ramp_fit")
    slope = bench.changed(IMAGE, raw)
    flag(bench, "JUMP_DET").check()
    painted = bench.changed(IMAGE, slope)
    assert fraction_changed(painted, slope) > 0.0005, "hits of cosmic rays are painted"
    page.mouse.move(*bench.place(200, 450, SHAPE), steps=4)
    root.locator(".jwcal-hover", has_text=re.compile(r"x (199|200|201), y (449|450|451) .* DN/s")).wait_for()
    bench.shot("path-1-inspect")
    flag(bench, "JUMP_DET").uncheck()

    for pixel in ((100, 100), (320, 320), (500, 120)):
        ramp = bench.pixels(RAMP)
        bench.click_pixel(*pixel, SHAPE)
        bench.changed(RAMP, ramp)
        root.locator(".jwcal-upper button", has_text="Pin").first.click()
        page.wait_for_timeout(300)
    chips = root.locator("button[title^='Unpin ']:visible").filter(has_not_text="all")
    assert chips.count() == 3
    assert re.match(r".* A\s+\d+, \d+", chips.first.inner_text())
    table = root.locator(".jwcal-upper .jwcal-table").inner_text()
    assert all(f"{letter}: x " in table for letter in "ABC"), table
    bench.shot("path-2-pinned")

    bench.tab("History")
    root.locator(".jwcal-lower input[placeholder='name of a branch']").fill("strict")
    bench.below("Branch").click()
    root.locator(".jwcal-lower option", has_text=re.compile("^strict$")).first.wait_for(state="attached")
    bench.tab("Parameters")
    bench.choose("jump")
    bench.type_param("rejection_threshold", "100")
    root.locator(".jwcal-rail .jwcal-stale").first.wait_for()
    bench.run()
    bench.choose("ramp_fit")
    bench.tab("History")
    root.locator("select[title='What the chosen entry is compared with']").select_option(label="branch main")
    bench.below("Compare").click()
    compared = root.locator(".jwcal-lower .jwcal-compare", has_text="rejection_threshold")
    compared.wait_for(timeout=30_000)
    assert "100" in compared.inner_text()
    bench.shot("path-3-compared")
    bench.below("Show A/B").click()
    bench.to_top()
    for side in ("A", "B"):
        root.locator(".jwcal-image .widget-html b", has_text=re.compile(f"^{side}$")).first.wait_for()
    first, differing = bench.pixels(IMAGE), 0.0
    for _ in range(20):  # the branches differ where rays have hit
        differing = max(differing, fraction_changed(bench.pixels(IMAGE), first))
        page.wait_for_timeout(170)
    assert differing > 0.0002
    bench.shot("path-4-blink")
    bench.arrange("A")
    bench.settled(IMAGE)


def test_drag_a_threshold(bench: Bench, name: str) -> None:
    """Image, ramp and counters follow the mouse; the setting is made when it is let go, not before."""
    bench.open(name)
    page, root = bench.page, bench.root
    bench.run()
    bench.choose("ramp_fit")
    bench.titled("Show the output of the step that is chosen in the rail").click()
    bench.choose("jump")
    root.locator(".jwcal-upper button", has_text="differences").click()
    bench.zoom_in(2)
    image, ramp = bench.settled(IMAGE), bench.settled(RAMP)
    code = root.locator("pre.jwcal-code").first
    assert "rejection_threshold" not in code.inner_text()

    handle = bench.handle("rejection_threshold")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    seen: dict[str, str | bool] = {}
    for step in range(200):
        page.mouse.move(x + 30 + 10 * (step % 8), y)
        seen = page.evaluate(DRAGGED)
        if seen["preview"] and "JUMP_DET" in str(seen["counters"]):
            break
        page.wait_for_timeout(30)
    assert re.search(r"JUMP_DET [\d,]+ → [\d,]+", str(seen["counters"])), seen
    assert "rejection_threshold" not in str(seen["code"]), "nothing is set while it is dragged"
    assert not seen["stale"], "and nothing is stale"
    bench.shot("path-5-dragged")
    page.mouse.move(x + 120, y)
    page.mouse.up()
    root.locator("pre.jwcal-code", has_text="rejection_threshold=").first.wait_for()
    root.locator(".jwcal-rail .jwcal-stale").first.wait_for()
    assert fraction_changed(bench.settled(IMAGE), image) > 0.0005, "the preview is over the image"
    assert fraction_changed(bench.settled(RAMP), ramp) > 0.001, "the limits of jump are others"
    seen = bench.settled(IMAGE)
    bench.run()
    root.locator(PREVIEWED).wait_for(state="detached")
    assert fraction_changed(bench.settled(IMAGE), seen) < 0.1, "the run comes to what the preview said"
    bench.tool("Live").click()
    bench.type_param("rejection_threshold", "50")
    root.locator(".jwcal-rail .jwcal-stale").first.wait_for()
    page.wait_for_timeout(700)
    assert not root.locator(PREVIEWED).count(), "without the switch there is no preview"


def test_mask_sweep_and_cancel(bench: Bench, name: str) -> None:
    """A bad column is flagged by hand and the flags taken back; a threshold is swept; a run is cancelled."""
    bench.open(name)
    page, root = bench.page, bench.root
    bench.run()
    bench.choose("ramp_fit")
    before = flagged_pixels(bench, "DO_NOT_USE")
    bench.pick(COLUMN, 200)
    bench.tab("Mask")
    bench.below("column").click()
    bench.below("Apply").click()
    root.locator(".jwcal-lower select option", has_text=f"{COLUMN}").first.wait_for(state="attached")
    root.locator(".jwcal-rail .jwcal-stale").first.wait_for()
    bench.shot("path-6-masked")
    bench.run()
    after = flagged_pixels(bench, "DO_NOT_USE")
    assert 0.9 * SHAPE[0] < after - before <= SHAPE[0], "one column more"
    bench.titled("Undo the last change of settings").click()
    page.wait_for_timeout(500)
    assert flagged_pixels(bench, "DO_NOT_USE") == before, "the earlier result is back without a run"
    assert not root.locator(".jwcal-rail .jwcal-stale").count()

    bench.choose("jump")
    bench.tab("Sweep")
    root.locator(".jwcal-lower select:visible").first.select_option("rejection_threshold")
    for title, value in (("First value", "3"), ("Last value", "9"), ("Number of values", "7")):
        field = root.locator(f".jwcal-lower input[title='{title}']")
        field.fill(value)
        field.press("Enter")
    bench.below("Run").click()
    bench.below("use").wait_for(timeout=60_000)
    assert "compared with what the simulator put in" in root.locator(".jwcal-lower").inner_text()
    root.locator(".jwcal-lower .bqplot:visible").first.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    bench.shot("path-7-swept")
    root.locator("select[title='Value to use']").select_option("6.0")
    bench.below("use").click()
    bench.tab("Parameters")
    root.locator("pre.jwcal-code", has_text="rejection_threshold=6.0").first.wait_for()

    bench.choose("clean_flicker_noise")
    root.locator(".jwcal-param-skip input[type=checkbox]").click()  # it takes long enough to be cancelled
    bench.to_top()
    bench.choose("dq_init")
    bench.tool("Run from here").click()
    bench.tool("Cancel").and_(page.locator(":not([disabled])")).click()
    root.locator(".jwcal-stale", has_text="cancelled").wait_for()
    bench.choose("clean_flicker_noise")
    bench.titled("Undo the last change of settings").click()
    bench.run()
    root.locator(".jwcal-done", has_text="done").first.wait_for()


def digest(folder: Path) -> dict[str, str]:
    """Hashes of all arrays of the products in a folder, by product and extension."""
    from astropy.io import fits

    found = {}
    for product in sorted(folder.glob("*.fits")):
        with fits.open(product) as file:
            for hdu in file:
                if hdu.is_image and hdu.data is not None:
                    key = f"{product.name} {hdu.name}"
                    found[key] = hashlib.sha256(hdu.data.tobytes()).hexdigest()
    return found


def restart_kernel(bench: Bench) -> None:
    bench.page.evaluate(
        """async () => {
          const panel = window.jupyterapp.shell.currentWidget;
          await panel.sessionContext.session.kernel.restart();
          await window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
          panel.content.activeCellIndex = 1;
        }"""
    )
    bench.page.wait_for_function(KERNEL_READY, timeout=60_000)


def name_outputs(bench: Bench) -> None:
    """Have everything written into a folder of its own."""
    field = bench.root.locator(".jwcal-head input[type=text]")
    field.fill("left/mine")
    field.press("Enter")
    bench.page.wait_for_timeout(300)


def test_save_restart_reopen_export_repeat(bench: Bench, lab, name: str) -> None:
    """Settings and an edit by hand are there in a new kernel, and papermill repeats all bit for bit."""
    from jwcal_interactive.notebook_run import run_notebook

    bench.go(lab.write_notebook("path.ipynb", CELL.format(name=name), REOPEN.format(name="left/mine.json")))
    bench.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    bench.command("notebook:run-cell")
    bench.appears()
    root = bench.root
    bench.choose("jump")
    bench.type_param("rejection_threshold", "6")
    root.locator("pre.jwcal-code", has_text="rejection_threshold=6.0").first.wait_for()
    bench.pick(COLUMN, 200)
    bench.tab("Mask")
    bench.below("column").click()
    bench.below("Apply").click()
    root.locator(".jwcal-lower select option", has_text=f"{COLUMN}").first.wait_for(state="attached")
    bench.run()
    bench.choose("ramp_fit")
    picked = bench.readout
    name_outputs(bench)
    bench.tool("Save").click()
    root.locator("a", has_text="mine.json").wait_for(timeout=30_000)

    restart_kernel(bench)
    bench.command("notebook:run-cell")
    bench.appears()
    assert root.locator(".jwcal-rail .jwcal-done").count() == 0, "nothing has run in this kernel"
    bench.run()
    bench.choose("jump")
    root.locator("pre.jwcal-code", has_text="rejection_threshold=6.0").first.wait_for()
    bench.choose("ramp_fit")
    bench.pick(COLUMN, 200)
    assert bench.readout == picked
    bench.tab("History")
    assert "rejection_threshold" in root.locator(".jwcal-tree option", has_text="jump").first.inner_text()
    bench.shot("path-8-reopened")

    name_outputs(bench)
    bench.tool("Products").click()
    root.locator("a", has_text="_rate.fits").first.wait_for(timeout=60_000)
    bench.tool("Export").click()
    root.locator("a", has_text="mine.ipynb").wait_for(timeout=60_000)
    left = lab.folder / "left"
    run_notebook(left / "mine.ipynb", left / "executed.ipynb", {"output_dir": str(left / "again")})
    arrays = digest(left)
    assert len(arrays) >= 6
    assert digest(left / "again") == arrays
    bench.shot("path-9-exported")


def test_two_workbenches_in_a_small_notebook(bench: Bench, lab, name: str) -> None:
    """What is done in one of two workbenches does not show in the other; both fit into 1 MB when saved."""
    second = 'Workbench(open_session({name!r}, context="demo"))'
    bench.open_cells("two.ipynb", CELL.format(name=name), second.format(name=name))
    other = Bench(bench.page, lab, place=1)
    other.appears()
    untouched = other.settled(IMAGE)
    bench.to_top()
    bench.run()
    bench.choose("jump")
    bench.type_param("rejection_threshold", "9")
    bench.root.locator("pre.jwcal-code", has_text="rejection_threshold=9.0").first.wait_for()
    bench.pick(100, 100)
    other.to_top()
    assert (other.settled(IMAGE) == untouched).all()
    assert not other.root.locator(".jwcal-rail .jwcal-done").count()
    assert other.readout.startswith("x 320, y 320:")
    other.choose("jump")
    assert "rejection_threshold" not in other.root.locator("pre.jwcal-code").first.inner_text()
    other.run()
    other.choose("ramp_fit")
    other.changed(IMAGE, untouched)
    assert bench.root.locator("pre.jwcal-code", has_text="rejection_threshold=9.0").count()
    saved = bench.save_notebook()
    assert saved.stat().st_size < 2e6, "1 MB each"
    widgets = json.loads(saved.read_text())["metadata"].get("widgets")
    print(f"two workbenches: {saved.stat().st_size / 1e6:.2f} MB, widgets saved: {widgets is not None}")
