"""What a preview shows, as numbers and colours without widgets."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.checks.changes import FlagChange
from jwcal_interactive.dq import DQ, names
from jwcal_widgets.colormaps import COLORMAPS, color_ramp
from jwcal_widgets.dq_overlay import color_of
from jwcal_widgets.line_colors import MAIN, SECOND
from jwcal_widgets.stretch import find_limits, find_symmetric_limits, sample
from jwcal_widgets.viewport import Cut, bin_mean

__all__ = [
    "Bars",
    "Line",
    "Map",
    "Plot",
    "Report",
    "count_map",
    "figure_of",
    "flag_table",
    "group_lines",
    "histogram_line",
    "image_map",
    "muted",
]

F64 = NDArray[np.float64]

MAP_BINS = 160
BACKGROUND = (232, 234, 237)


@dataclass(frozen=True, eq=False)
class Line:
    """A curve, with its name for the legend (empty: none); style as bqplot names it."""

    name: str
    x: F64
    y: F64
    color: str = MAIN
    style: str = "solid"
    fill: bool = False
    dots: bool = False


@dataclass(frozen=True, eq=False)
class Bars:
    """Counts of whole numbers, with one colour or one for each."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    colors: tuple[str, ...] = (MAIN,)


@dataclass(frozen=True, eq=False)
class Plot:
    """A plot with its axes (labels with units), and a caption as HTML."""

    x_label: str
    y_label: str
    lines: tuple[Line, ...] = ()
    bars: Bars | None = None
    log_x: bool = False
    log_y: bool = False
    y_range: tuple[float, float] | None = None
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Map:
    """A picture of the frame.

    Attributes
    ----------
    colors : uint8 (ny, nx, 3)
        Binned.
    shape : (int, int)
        Size (ny, nx) of the frame, pixels.
    caption : str
        HTML.
    outlines : float64 (n, 2, npoints)
        Closed curves, x and y in pixels.
    """

    colors: NDArray[np.uint8]
    shape: tuple[int, int]
    caption: str
    outlines: F64 | None = None


@dataclass(frozen=True, eq=False)
class Report:
    """Pictures, and what they say in words (HTML)."""

    figures: tuple[Map | Plot, ...]
    words: str


def muted(text: str) -> str:
    """Text that is less important, as HTML."""
    return f"<span class='jwcal-muted'>{html.escape(text)}</span>"


def figure_of(value: float) -> str:
    """Write a number in a few digits; a dash for none."""
    if not np.isfinite(value):
        return "–"
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e8 else f"{value:.4g}"


def histogram_line(
    values: NDArray[np.floating], low: float, high: float, name: str, *, bins: int = 50, color: str = MAIN,
    style: str = "solid", fill: bool = True, floor: float = 0.0,
) -> Line:  # fmt: skip
    """Draw a histogram as a stepped line; values beyond the ends are in the outermost bins."""
    counts, edges = np.histogram(np.clip(values, low, high), bins, (low, high))
    x = np.repeat(edges, 2)
    y = np.concatenate([[floor], np.repeat(np.maximum(counts, floor), 2), [floor]]).astype(float)
    return Line(name, x, y, color, style, fill)


def _binned(data: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    ny, nx = data.shape
    step = -(-max(ny, nx) // MAP_BINS)
    return bin_mean(np.asarray(data, np.float32), Cut(0, nx, 0, ny, step)), step


def _scale(colormap: str, low: float, high: float, unit: str) -> str:
    """Show a colour bar with its ends, as HTML."""
    colors = ", ".join(f"#{color}" for color in COLORMAPS[colormap].split())
    bar = f"display:inline-block;width:44px;height:9px;background:linear-gradient(90deg, {colors})"
    return f"{figure_of(low)} <span style='{bar}'></span> {figure_of(high)} {html.escape(unit)}"


def image_map(data: NDArray[np.float32], title: str, unit: str, *, change: bool = False) -> Map:
    """Show an image in gray, or a change of either sign in blue (less) and red (more).

    Parameters
    ----------
    data : float32 (ny, nx)
    title, unit : str
    change : bool
        Limits are symmetric about 0, unless nearly all values have one sign.
    """
    shape = (data.shape[0], data.shape[1])
    binned, _ = _binned(data)
    values = sample(binned, np.zeros(binned.shape, np.uint32))
    low, high = find_limits(values, "99.5 %")
    change = change and low < 0 < high
    if change:
        low, high = find_symmetric_limits(values)
    colormap = "coolwarm" if change else "gray"
    with np.errstate(invalid="ignore"):
        fraction = np.nan_to_num(np.clip((binned - low) / max(high - low, 1e-30), 0.0, 1.0))
    colors = color_ramp(colormap, fraction.astype(np.float64).ravel()).reshape(*binned.shape, 3)
    colors[~np.isfinite(binned)] = BACKGROUND
    return Map(colors, shape, f"{html.escape(title)}: {_scale(colormap, low, high, unit)}")


def count_map(counts: NDArray[np.integer] | NDArray[np.bool_], title: str, *, few: float = 0.02) -> Map:
    """Show where something is, and how often: from blue (once) to yellow (often), gray where it is not.

    Parameters
    ----------
    counts : int or bool (ny, nx)
    title : str
    few : float
        Where less than this part of the picture is coloured, spots are drawn larger.
    """
    from scipy.ndimage import maximum_filter

    shape = (counts.shape[0], counts.shape[1])
    mean, step = _binned(counts.astype(np.float32))
    total = np.rint(mean * step * step)
    hit = total > 0
    most = float(total.max())
    if hit.any() and hit.mean() < few:
        total = maximum_filter(total, 3)
        hit = total > 0
    fraction = np.zeros(total.shape) if most <= 1 else np.log(np.maximum(total, 1.0)) / np.log(most)
    colors = color_ramp("viridis", fraction.ravel()).reshape(*total.shape, 3)
    colors[~hit] = BACKGROUND
    per = "pixel" if step == 1 else f"{step} × {step} pixels"
    key = (
        f"none in gray, {_scale('viridis', 1, most, f'per {per}')}"
        if most > 1
        else "in blue"
        if most
        else "none"
    )
    return Map(colors, shape, f"{html.escape(title)}: {key}")


def flag_table(pixels: Mapping[DQ, FlagChange], groups: Mapping[DQ, FlagChange]) -> str:
    """List the flags that changed, before and after, as HTML; empty if none did."""
    rows = ""
    for what, found in (("pixels", pixels), ("groups of pixels", groups)):
        for flag, count in found.items():
            chip = f"<span class='jwcal-chip' style='background:{color_of(flag)}'></span>"
            rows += (
                f"<tr><td>{chip}<span class='jwcal-flag-name'>{names(flag)[0]}</span></td><td>{what}</td>"
                f"<td class='jwcal-number'>{count.before:,}</td>"
                f"<td class='jwcal-number'>{count.after:,}</td></tr>"
            )
    head = "<tr><th>flag</th><th>in</th><th>before</th><th>after</th></tr>"
    return f"<table class='jwcal-table'>{head}{rows}</table>" if rows else ""


def group_lines(found: Mapping[DQ, NDArray[np.int64]]) -> tuple[Line, ...]:
    """Lines of what was flagged in each group, by flag."""
    styles: Sequence[str] = ("solid", "dashed", "dotted", "dash_dotted")
    lines = []
    for n, (flag, counts) in enumerate(found.items()):
        groups = np.arange(1, counts.size + 1, dtype=float)
        color = MAIN if n == 0 else SECOND
        lines.append(Line(names(flag)[0], groups, counts.astype(float), color, styles[n % 4], dots=True))
    return tuple(lines)
