"""What a user does with a workbench in a browser, in words."""

from __future__ import annotations

import io
import os
import re
import time
from pathlib import Path

import numpy as np
from PIL import Image

CELL = """\
from jwcal_interactive import open_session
from jwcal_widgets import Workbench

session = open_session({name!r}, context="demo")
workbench = Workbench(session)
workbench
"""
# Cells that are run before the notebook's kernel is connected are lost.
KERNEL_READY = """() => {
  const context = window.jupyterapp?.shell?.currentWidget?.sessionContext;
  const kernel = context?.session?.kernel;
  return context?.isReady && kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""
IMAGE = ".jwcal .bqplot >> nth=0"
RAMP = ".jwcal .bqplot >> nth=1"


class Bench:
    """What a user does with a workbench, in words."""

    def __init__(self, page, lab) -> None:
        self.page = page
        self.lab = lab

    def open(self, name: str, cell: str = CELL) -> None:
        stem = Path(name).stem
        self.page.goto(self.lab.write_notebook(f"{stem}.ipynb", cell.format(name=name)))
        self.page.wait_for_selector(".jp-NotebookPanel-toolbar", timeout=60_000)
        self.page.wait_for_function(KERNEL_READY, timeout=60_000)
        self.command("notebook:run-all-cells")
        self.page.wait_for_selector(".jwcal .bqplot image", timeout=120_000)
        self.page.evaluate("() => { window.jupyterapp.shell.collapseLeft(); }")
        self.to_top()

    def command(self, name: str) -> None:
        self.page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{name}'); }}")

    def to_top(self) -> None:
        self.page.evaluate("() => document.querySelector('.jwcal').scrollIntoView({block: 'start'})")
        self.page.wait_for_timeout(400)

    def button(self, text: str):
        return self.page.locator(".jwcal button", has_text=re.compile(rf"^\s*{re.escape(text)}$"))

    def run(self, seconds: float = 120) -> None:
        self.button("Run").click()
        # A run may be over before Cancel is seen enabled: wait for what it leaves behind.
        left = ", ".join(f".jwcal-rail .jwcal-{state}" for state in ("pending", "stale", "running"))
        self.page.wait_for_function(f"() => !document.querySelector('{left}')", timeout=seconds * 1000)
        self.wait_for_end(seconds)

    def wait_for_end(self, seconds: float) -> None:
        self.page.locator(".jwcal button[disabled]", has_text="Cancel").wait_for(timeout=seconds * 1000)

    def choose(self, step: str) -> None:
        self.page.locator(".jwcal-rail button", has_text=step).click()
        self.page.locator(".jwcal-panel-title", has_text=step).wait_for()

    def type_param(self, name: str, text: str) -> None:
        field = self.page.locator(f".jwcal-param-{name} input[type=text]")
        field.fill(text)
        field.press("Enter")

    def pixels(self, selector: str) -> np.ndarray:
        """Colours on the screen inside an element."""
        shot = self.page.locator(selector).screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def settled(self, selector: str) -> np.ndarray:
        """Take the picture when two in a row are equal."""
        last = self.pixels(selector)
        for _ in range(40):
            self.page.wait_for_timeout(150)
            now = self.pixels(selector)
            if now.shape == last.shape and (now == last).all():
                return now
            last = now
        raise AssertionError("the picture does not come to rest")

    def changed(self, selector: str, before: np.ndarray, seconds: float = 10) -> np.ndarray:
        """Wait until the picture differs from an earlier one; return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            now = self.pixels(selector)
            if now.shape != before.shape or (now != before).any():
                return self.settled(selector)
            self.page.wait_for_timeout(100)
        raise AssertionError(f"the picture did not change in {seconds} s")

    def click_pixel(self, x: int, y: int, shape: tuple[int, int]) -> None:
        """Click on a detector pixel while the whole image is shown."""
        box = self.page.locator(IMAGE).locator("svg image").first.bounding_box()
        ny, nx = shape
        self.page.mouse.click(
            box["x"] + (x + 0.5) / nx * box["width"],
            box["y"] + box["height"] - (y + 0.5) / ny * box["height"],
        )

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page where JWCAL_SCREENSHOTS points."""
        if folder := os.environ.get("JWCAL_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))


def fraction_changed(a: np.ndarray, b: np.ndarray) -> float:
    return float((np.abs(a - b).max(axis=-1) > 8).mean())
