"""What a user does with a workbench in a browser, in words."""

from __future__ import annotations

import io
import os
import re
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

from tests.browser.server import Lab

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
IMAGE = ".jwcal-image .bqplot >> nth=0"
RAMP = ".jwcal-upper .bqplot >> nth=0"
FIRST_IMAGE = ".jwcal-image .bqplot image"
COUNTERS = ".jwcal-counters"
LEFT_TO_RUN = ", ".join(f".jwcal-rail .jwcal-{state}" for state in ("pending", "stale", "running"))


class Bench:
    """What a user does with a workbench, in words.

    Parameters
    ----------
    page : playwright.sync_api.Page
    lab : Lab
    place : int
        Which workbench of the page is meant, from 0.
    """

    def __init__(self, page: Page, lab: Lab, place: int = 0) -> None:
        self.page = page
        self.lab = lab
        self.root = page.locator(".jwcal").nth(place)

    # --- coming and going ----------------------------------------------------------------------------------

    def open(self, name: str, cell: str = CELL) -> None:
        """Open a notebook with a workbench of a file in JupyterLab, and run it."""
        self.open_cells(f"{Path(name).stem}.ipynb", cell.format(name=name))

    def open_cells(self, notebook: str, *cells: str) -> None:
        """Open a notebook with these cells in JupyterLab, and run it until a workbench shows an image."""
        self.go(self.lab.write_notebook(notebook, *cells))
        self.command("notebook:run-all-cells")
        self.appears()

    def go(self, address: str) -> None:
        """Open a notebook, and wait for its kernel."""
        self.page.goto(address)
        self.page.wait_for_selector(".jp-NotebookPanel-toolbar", timeout=60_000)
        self.page.wait_for_function(KERNEL_READY, timeout=60_000)

    def appears(self) -> None:
        """Wait for the first image, and bring the workbench into view."""
        self.root.locator(FIRST_IMAGE).first.wait_for(timeout=120_000)
        self.page.evaluate("() => { window.jupyterapp?.shell?.collapseLeft?.(); }")
        self.to_top()

    def command(self, name: str) -> None:
        """Give a command of JupyterLab, such as one of its menus."""
        self.page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{name}'); }}")

    def save_notebook(self) -> Path:
        """Save the notebook on show with its widgets; returns where it is."""
        path = self.page.evaluate(
            """async () => {
              await window.jupyterapp.commands.execute('docmanager:save');
              return window.jupyterapp.shell.currentWidget.context.path;
            }"""
        )
        return self.lab.folder / str(path)

    def to_top(self) -> None:
        self.root.evaluate("element => element.scrollIntoView({block: 'start'})")
        self.page.wait_for_timeout(400)

    # --- what there is on the screen -----------------------------------------------------------------------

    def button(self, text: str) -> Locator:
        """A button by its words."""
        return self.root.locator("button", has_text=re.compile(rf"^\s*{re.escape(text)}$"))

    def tool(self, text: str) -> Locator:
        """A button of the head line; the panels have buttons of the same words."""
        return self.root.locator(".jwcal-head button", has_text=re.compile(rf"^\s*{re.escape(text)}$"))

    def titled(self, title: str) -> Locator:
        """A button or control by the words that it shows under the mouse."""
        return self.root.locator(f"button[title^='{title}'], select[title^='{title}'], input[title^='{title}']")

    def below(self, text: str) -> Locator:
        """A button of the lower panels by its words."""
        visible = self.root.locator(".jwcal-lower button:visible")
        return visible.filter(has_text=re.compile(rf"^\s*{re.escape(text)}$"))

    def tab(self, name: str) -> None:
        """Bring a page of the right column to the front."""
        self.root.locator(".jwcal-tabs button", has_text=re.compile(rf"^\s*{name}$")).click()
        self.page.wait_for_timeout(300)

    def arrange(self, name: str) -> None:
        """Choose how A and B are shown."""
        choices = self.root.locator("select", has=self.page.locator("option", has_text="curtain"))
        choices.first.select_option(name)

    @property
    def readout(self) -> str:
        """What is said of the picked pixel."""
        return self.root.locator(".jwcal-readout").first.inner_text()

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page where JWCAL_SCREENSHOTS points."""
        if folder := os.environ.get("JWCAL_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))

    # --- what a user does ----------------------------------------------------------------------------------

    def run(self, seconds: float = 120) -> None:
        self.tool("Run").click()
        # A run may be over before Cancel is seen enabled: wait for what it leaves behind.
        self.root.locator(LEFT_TO_RUN).first.wait_for(state="detached", timeout=seconds * 1000)
        self.wait_for_end(seconds)

    def wait_for_end(self, seconds: float) -> None:
        self.root.locator(".jwcal-head button[disabled]", has_text="Cancel").wait_for(timeout=seconds * 1000)

    def choose(self, step: str) -> None:
        self.root.locator(".jwcal-rail button", has_text=step).click()
        # The panel may be behind another page of the right column.
        self.root.locator(".jwcal-panel-title", has_text=step).wait_for(state="attached")

    def type_param(self, name: str, text: str) -> None:
        field = self.root.locator(f".jwcal-param-{name} input[type=text]")
        field.fill(text)
        field.press("Enter")

    def handle(self, name: str) -> Locator:
        """The handle of the slider of a parameter."""
        return self.root.locator(f".jwcal-param-{name} .noUi-handle")

    def pick(self, x: int, y: int) -> None:
        """Pick a pixel by typing its numbers."""
        for place, value in enumerate((x, y)):
            field = self.root.locator(".jwcal-image input[type=number]:visible").nth(place)
            field.fill(str(value))
            field.press("Enter")
        self.root.locator(".jwcal-readout", has_text=f"x {x}, y {y}:").wait_for()

    def zoom_in(self, times: int) -> None:
        """Magnify the image by two, some times."""
        for _ in range(times):
            self.titled("Zoom in").first.click()
            self.page.wait_for_timeout(150)

    def place(self, x: float, y: float, shape: tuple[int, int]) -> tuple[float, float]:
        """Where the middle of a pixel is on the page while the whole image is shown."""
        self.root.locator(IMAGE).scroll_into_view_if_needed()
        box = self.root.locator(IMAGE).locator("svg image").first.bounding_box()
        assert box is not None
        ny, nx = shape
        return box["x"] + (x + 0.5) / nx * box["width"], box["y"] + box["height"] - (y + 0.5) / ny * box[
            "height"
        ]

    def click_pixel(self, x: int, y: int, shape: tuple[int, int]) -> None:
        """Click on a detector pixel while the whole image is shown."""
        where = self.place(x, y, shape)
        self.page.mouse.move(*where, steps=3)
        self.page.mouse.click(*where)

    # --- pictures ------------------------------------------------------------------------------------------

    def pixels(self, selector: str) -> np.ndarray:
        """Colours on the screen inside an element."""
        shot = self.root.locator(selector).screenshot()
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


def fraction_changed(a: np.ndarray, b: np.ndarray) -> float:
    return float((np.abs(a - b).max(axis=-1) > 8).mean())
