"""The workbench outside of JupyterLab: in Notebook 7 and as a page of Voila."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from tests.browser.bench import CELL, IMAGE, KERNEL_READY, Bench, fraction_changed

pytestmark = pytest.mark.browser


def tune(bench: Bench) -> None:
    """Run, change a threshold, run again: the slopes on the screen are others."""
    page = bench.page
    raw = bench.settled(IMAGE)
    bench.run()
    bench.choose("ramp_fit")
    slope = bench.changed(IMAGE, raw)
    bench.choose("jump")
    bench.type_param("rejection_threshold", "100")
    page.locator(".jwcal-rail .jwcal-stale").first.wait_for()
    bench.run()
    bench.choose("ramp_fit")
    tuned = bench.changed(IMAGE, slope)
    assert fraction_changed(tuned, slope) > 0.0005
    assert np.ptp(tuned) > 100
    text = page.locator(".jwcal-readout").first.inner_text()
    assert re.search(r"x \d+, y \d+: -?[\d.e+-]+ DN/s", text), text


def test_notebook_7(bench: Bench, lab, raw_sub640, page_errors) -> None:
    shutil.copyfile(raw_sub640, lab.folder / raw_sub640.name)
    lab.write_notebook("classic.ipynb", CELL.format(name=raw_sub640.name))
    page = bench.page
    page.goto(f"{lab.url}/notebooks/classic.ipynb")
    page.wait_for_selector(".jp-NotebookPanel-toolbar", timeout=60_000)
    page.wait_for_function(KERNEL_READY, timeout=60_000)
    page_errors.clear()  # Notebook 7.6 raises one by itself, with an empty notebook too
    bench.command("notebook:run-all-cells")
    page.wait_for_selector(".jwcal .bqplot image", timeout=120_000)
    bench.to_top()
    tune(bench)
    bench.shot("notebook-7")


def test_voila(bench: Bench, lab, raw_sub640) -> None:
    shutil.copyfile(raw_sub640, lab.folder / raw_sub640.name)
    lab.write_notebook("page.ipynb", CELL.format(name=raw_sub640.name))
    page = bench.page
    page.goto(f"{lab.url}/voila/render/page.ipynb")
    page.wait_for_selector(".jwcal .bqplot image", timeout=120_000)
    tune(bench)
    bench.shot("voila")
