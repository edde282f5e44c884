"""How long a user waits, in a real browser.

    python -m tests.browser.latency [--samples 24] [--only NAME]...

Times are taken by the page itself: from the event (a key, a click, the start of a cell) to the second frame
after the last part of what it asked for was drawn. The exposure is a simulated full frame of 2048 x 2048 pixels
and 10 groups, in JupyterLab. Machines differ and are noisy: compare only what was measured on the same one.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from jwcal_interactive.demo import demo_exposure
from tests.browser.bench import CELL, KERNEL_READY, Bench
from tests.browser.server import open_browser, running_lab

SHAPE = (2048, 2048)
IMPORTS = "from jwcal_interactive import open_session\nfrom jwcal_widgets import Workbench"
OPEN = """\
session = open_session({name!r}, context="demo")
workbench = Workbench(session)
workbench"""
QUIET = 0.9  # s without any drawing before the next event; a slider settles in 0.5 s
PATIENCE = 20.0  # s

# Notes events and drawings. A part is drawn when nothing of it has changed for 0.1 s; what counts is the second
# frame after its last change. `redraws` are the frames in which the image was another one.
STOPWATCH = """() => {
  const watch = window.watch = {began: null, parts: {}, last: 0, redraws: 0, kernel: []};
  let dirty = false;
  const note = part => {
    watch.last = performance.now();
    if (part === 'image') dirty = true;
    if (watch.began === null) return;
    const seen = watch.parts[part] ??= {first: null, last: null, changed: performance.now()};
    if (seen.last !== null && performance.now() - seen.changed > 100) return;
    seen.changed = performance.now();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      seen.first ??= performance.now();
      seen.last = performance.now();
    }));
  };
  const counters = node => {
    const words = node.nodeType === 1 &&
      (node.matches('.jwcal-counters') ? node : node.querySelector('.jwcal-counters'));
    if (!words) return;
    note('counters');
    const spent = words.textContent.match(/(\\d+) ms$/);
    if (spent) watch.kernel.push(Number(spent[1]));
  };
  const look = change => {
    change.addedNodes.forEach(counters);
    const element = change.target.nodeType === 1 ? change.target : change.target.parentElement;
    if (!element) return;
    if (element.closest('.jwcal-image')) {
      if (element.tagName === 'image' && change.attributeName?.endsWith('href')) note('image');
    } else if (element.closest('.jwcal-upper .bqplot')) note('ramp');
    else if (element.matches('.jwcal-head button') && element.textContent.trim() === 'Cancel'
             && element.disabled) note('end');
  };
  new MutationObserver(changes => changes.forEach(look)).observe(
    document.querySelector('.jwcal-body').parentElement,
    {attributes: true, attributeFilter: ['href', 'xlink:href', 'd', 'points', 'transform', 'disabled',
                                         'x1', 'y1', 'cx', 'cy', 'display'],
     childList: true, characterData: true, subtree: true});
  watch.await = kind => {
    Object.assign(watch, {began: null, parts: {}, kernel: [], kind});
  };
  const begin = event => {
    if (watch.kind !== event.type || watch.began !== null) return;
    watch.began = performance.now();
  };
  for (const kind of ['keydown', 'click', 'change']) document.addEventListener(kind, begin, true);
  const count = () => { if (dirty) { watch.redraws += 1; dirty = false; } requestAnimationFrame(count); };
  requestAnimationFrame(count);
}"""
# From the command that runs a cell to the second frame after an image with pixels of the detector is there.
OPENING = """() => new Promise(resolve => {
  const began = performance.now();
  let found = false;
  const look = () => {
    if (found) return;
    const image = [...document.querySelectorAll('.jwcal-image image')].find(
      i => getComputedStyle(i).display !== 'none' && i.getBoundingClientRect().width > 100
           && (i.getAttribute('href') || i.getAttribute('xlink:href')));
    if (!image) return;
    found = true;
    watcher.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => resolve((performance.now() - began) / 1000)));
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document.body, {attributes: true, childList: true, subtree: true});
  window.jupyterapp.commands.execute('notebook:run-cell');
})"""


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, times in s (or redraws per second), and what is wanted."""

    what: str
    samples: Sequence[float]
    median: float | None = None
    p95: float | None = None
    per_second: bool = False

    def __str__(self) -> str:
        middle, count = statistics.median(self.samples), len(self.samples)
        if self.per_second:
            wanted = "" if self.median is None else f"at least {self.median:.0f}"
            return f"| {self.what}, 1/s | {middle:.1f} | ≥ {min(self.samples):.1f} | {wanted} | {count} |"
        goals = {"median": self.median, "p95": self.p95}
        wanted = ", ".join(f"{name} {1000 * goal:.0f}" for name, goal in goals.items() if goal is not None)
        late = percentile(self.samples, 95)
        return f"| {self.what}, ms | {1000 * middle:.0f} | {1000 * late:.0f} | {wanted} | {count} |"


def percentile(samples: Sequence[float], percent: float) -> float:
    """The sample below which so many percent are, rounded up to the next sample."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(-(-len(ordered) * percent // 100)) - 1)]


class Stopwatch:
    """Takes times of what the page draws after events."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate(STOPWATCH)

    def rest(self) -> None:
        """Wait until nothing has been drawn for a while."""
        self._page.wait_for_function(
            f"() => performance.now() - window.watch.last > {1000 * QUIET}", timeout=60_000, polling=50
        )

    def time(self, kind: str, event: Callable[[], None], parts: Sequence[str]) -> dict[str, float]:
        """Seconds from an event until each part is drawn, with ``kernel`` where the page tells."""
        self.rest()
        self._page.evaluate("kind => window.watch.await(kind)", kind)
        event()
        # A part is over 0.1 s after its last change.
        self._page.wait_for_function(
            """parts => {
              const watch = window.watch;
              return watch.began !== null && parts.every(
                p => watch.parts[p]?.last && performance.now() - watch.parts[p].changed > 150);
            }""",
            arg=list(parts),
            timeout=1000 * PATIENCE,
            polling=30,
        )
        watch = self._page.evaluate("() => window.watch")
        found = {part: (watch["parts"][part]["last"] - watch["began"]) / 1000 for part in parts}
        if watch["kernel"]:
            found["kernel"] = watch["kernel"][0] / 1000
        return found

    def redraws(self, event: Callable[[], float]) -> float:
        """Redraws of the image per second while something is dragged; the event tells for how long."""
        self.rest()
        self._page.evaluate("() => { window.watch.redraws = 0; }")
        seconds = event()
        return float(self._page.evaluate("() => window.watch.redraws")) / seconds


def swing(bench: Bench, handle: Any, seconds: float = 3.0, turns: int = 3) -> float:
    """Drag the handle of a slider to and fro along its track; returns the seconds that it took."""
    track = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-base')]").bounding_box()
    knob = handle.bounding_box()
    assert track is not None
    assert knob is not None
    mouse, y = bench.page.mouse, knob["y"] + knob["height"] / 2
    mouse.move(knob["x"] + knob["width"] / 2, y)
    mouse.down()
    began = bench.page.evaluate("() => performance.now()")
    now = began
    while now - began < 1000 * seconds:
        phase = (now - began) / (1000 * seconds) * turns % 1.0
        part = 1.0 - abs(1.0 - 2.0 * phase)
        mouse.move(track["x"] + part * track["width"], y)
        now = bench.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => done(performance.now())))"
        )
    mouse.up()
    return float((now - began) / 1000)


def opening(bench: Bench, name: str, samples: int) -> list[Row]:
    """From the start of the cell to the first image, each time in a new kernel that has imported."""
    page, seconds = bench.page, []
    bench.go(bench.lab.write_notebook("opening.ipynb", IMPORTS, OPEN.format(name=name)))
    page.evaluate("() => { window.jupyterapp.shell.collapseLeft(); }")
    for _ in range(samples):
        page.evaluate(
            """async () => {
              const {commands, shell} = window.jupyterapp;
              const panel = shell.currentWidget;
              await panel.sessionContext.session.kernel.restart();
              await commands.execute('notebook:clear-all-cell-outputs');
              panel.content.activeCellIndex = 0;
            }"""
        )
        page.wait_for_function(KERNEL_READY, timeout=60_000)
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
        page.wait_for_function(KERNEL_READY, timeout=60_000)
        page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
        page.wait_for_timeout(500)
        seconds.append(float(page.evaluate(OPENING)))
        page.wait_for_timeout(500)
    return [Row("`open_session` of a full frame → first image", seconds, median=2.0)]


def tuning(bench: Bench, watch: Stopwatch, samples: int) -> list[Row]:
    """A slider of jump moved by a key, with the limits of jump in the plot; and dragged."""
    bench.choose("ramp_fit")
    bench.titled("Show the output of the step that is chosen in the rail").click()
    bench.choose("jump")
    bench.root.locator(".jwcal-upper button", has_text="differences").click()
    bench.pick(1024, 1024)
    bench.zoom_in(3)  # 2048 pixels to 256
    handle = bench.handle("rejection_threshold")
    handle.scroll_into_view_if_needed()
    handle.focus()
    times = []
    for k in range(samples + 1):
        key = "ArrowRight" if k % 10 < 5 else "ArrowLeft"
        times.append(watch.time("keydown", lambda key=key: handle.press(key), ("image", "ramp", "counters")))
    times = times[1:]  # the first one gets the references
    rates = [watch.redraws(lambda: swing(bench, handle)) for _ in range(5)]
    bench.titled("Fit: show the whole image").click()
    every = [max(t["image"], t["ramp"], t["counters"]) for t in times]
    return [
        Row(
            "control moved → window, ramp, counters redrawn (jump to ramp_fit, 256 × 256 × 10)",
            every,
            0.15,
            0.3,
        ),
        Row("… the image alone", [t["image"] for t in times]),
        Row("… the kernel's part of it", [t["kernel"] for t in times], median=0.05),
        Row("redraws of the window while the control is dragged", rates, per_second=True),
    ]


def clicking(bench: Bench, watch: Stopwatch, samples: int) -> list[Row]:
    """Clicks on pixels of the whole frame; the mouse has come to rest before."""
    times = []
    for k in range(samples):
        x, y = bench.place(150 + 73 * k % 1700, 250 + 311 * k % 1500, SHAPE)
        bench.page.mouse.move(x, y, steps=4)
        times.append(watch.time("click", lambda x=x, y=y: bench.page.mouse.click(x, y), ("ramp",)))
    return [Row("click on a pixel → its ramp", [t["ramp"] for t in times], median=0.12)]


def display(bench: Bench, watch: Stopwatch, samples: int) -> list[Row]:
    """Group slider and stretch of the whole frame."""
    bench.choose("jump")
    groups = bench.root.locator(".jwcal-image .widget-slider", has_text="group").locator(".noUi-handle")
    groups.last.focus()
    moved, stretched = [], []
    for k in range(samples):
        key = "ArrowLeft" if k % 16 < 8 else "ArrowRight"
        moved.append(watch.time("keydown", lambda key=key: groups.last.press(key), ("image",))["image"])
    rates = [watch.redraws(lambda: swing(bench, groups.last)) for _ in range(5)]
    stretch = bench.titled("Stretch").first
    for k in range(samples):
        choice = ("linear", "log", "asinh")[k % 3]
        stretched.append(watch.time("change", lambda c=choice: stretch.select_option(c), ("image",))["image"])
    return [
        Row("group slider moved → image of 2048 × 2048", moved, median=0.12),
        Row("stretch changed → image of 2048 × 2048", stretched, median=0.12),
        Row("redraws while the group slider is dragged", rates, median=12, per_second=True),
    ]


def cancelling(bench: Bench, watch: Stopwatch, samples: int) -> list[Row]:
    """Runs that are cancelled after some time, in this or that step."""
    seconds = []
    bench.choose("dq_init")
    for k in range(samples):
        watch.rest()
        bench.tool("Run from here").click()
        bench.tool("Cancel").and_(bench.page.locator(":not([disabled])")).wait_for()
        bench.page.wait_for_timeout(200 + 170 * k % 1500)
        bench.page.evaluate("() => window.watch.await('click')")
        bench.tool("Cancel").click()
        bench.page.wait_for_function("() => window.watch.parts.end?.last", timeout=60_000)
        found = bench.page.evaluate("() => window.watch")
        seconds.append((found["parts"]["end"]["last"] - found["began"]) / 1000)
        bench.page.wait_for_timeout(1500)
    return [Row("Cancel → the run is over", seconds, median=0.2)]


MEASURED = {"display": display, "clicking": clicking, "tuning": tuning, "cancelling": cancelling}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=24, help="of each time (24)")
    parser.add_argument("--only", action="append", choices=["opening", *MEASURED], help="may be repeated")
    options = parser.parse_args()
    wanted = options.only or ["opening", *MEASURED]
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab:
        raw = demo_exposure(lab.folder, "FULL")
        with open_browser(Path(folder) / "profile", 1600, 1200) as context:
            page = context.pages[0]
            bench = Bench(page, lab)
            print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, no graphics card\n")
            print("| what | median | p95 | wanted | samples |\n|---|---|---|---|---|", flush=True)
            if "opening" in wanted:
                _print(opening(bench, raw.name, options.samples))
                lab.stop_kernels()
            measured = [MEASURED[name] for name in wanted if name != "opening"]
            if measured:
                bench.open(raw.name, CELL)
                bench.run(600)
                watch = Stopwatch(page)
                for measure in measured:
                    _print(measure(bench, watch, options.samples))
        lab.stop_kernels()


def _print(rows: Sequence[Row]) -> None:
    for row in rows:
        print(row, flush=True)


if __name__ == "__main__":
    main()
