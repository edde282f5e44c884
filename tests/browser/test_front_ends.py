"""The workbench outside of JupyterLab: in Notebook 7 and as a page of Voila."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from tests.browser.bench import CELL, COUNTERS, IMAGE, RAMP, Bench, fraction_changed

pytestmark = pytest.mark.browser
SHAPE = (640, 640)
READ = re.compile(r"x (\d+), y (\d+): -?[\d.e+-]+ ± [\d.e+-]+ DN/s")


def tune(bench: Bench) -> None:
    """Run, pick, move a threshold: the preview comes by itself; run: the slopes on the screen are others."""
    raw = bench.settled(IMAGE)
    bench.run()
    bench.choose("ramp_fit")
    slope = bench.changed(IMAGE, raw)
    ramp = bench.settled(RAMP)
    bench.click_pixel(400, 150, SHAPE)
    bench.changed(RAMP, ramp)
    picked = READ.match(bench.readout)
    assert picked, bench.readout
    assert np.abs(np.array(picked.groups(), int) - (400, 150)).max() <= 2, "within the size of a screen pixel"
    bench.choose("jump")
    bench.type_param("rejection_threshold", "8")  # Notebook 7 takes arrow keys for itself in command mode
    counters = bench.root.locator(COUNTERS, has_text=re.compile(r"JUMP_DET [\d,]+ → [\d,]+"))
    counters.wait_for(timeout=30_000)
    bench.type_param("rejection_threshold", "100")
    bench.root.locator(".jwcal-rail .jwcal-stale").first.wait_for()
    bench.run()
    counters.wait_for(state="detached")
    bench.choose("ramp_fit")
    tuned = bench.changed(IMAGE, slope)
    assert fraction_changed(tuned, slope) > 0.0005
    assert np.ptp(tuned) > 100


def test_notebook_7(bench: Bench, lab, raw_sub640, page_errors) -> None:
    shutil.copyfile(raw_sub640, lab.folder / raw_sub640.name)
    lab.write_notebook("classic.ipynb", CELL.format(name=raw_sub640.name))
    bench.go(f"{lab.url}/notebooks/classic.ipynb")
    page_errors.clear()  # Notebook 7.6 raises one by itself, with an empty notebook too
    bench.command("notebook:run-all-cells")
    bench.appears()
    tune(bench)
    bench.shot("notebook-7")


def test_voila(bench: Bench, lab, raw_sub640) -> None:
    shutil.copyfile(raw_sub640, lab.folder / raw_sub640.name)
    lab.write_notebook("page.ipynb", CELL.format(name=raw_sub640.name))
    bench.page.goto(f"{lab.url}/voila/render/page.ipynb")
    bench.appears()
    tune(bench)
    bench.shot("voila")
