"""What plots have in common: axis limits, round ticks, marks that are drawn again instead of made anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import bqplot as bq
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Lines",
    "draw_lines",
    "draw_points",
    "hide",
    "nice_ticks",
    "plot_figure",
    "put_ticks",
    "span",
    "tick_format",
]

F64: TypeAlias = NDArray[np.float64]
Lines: TypeAlias = tuple[F64, F64]
"""Coordinates (nlines, npoints) of both axes."""

_ROOM = 0.07


def span(values: NDArray[Any], room: float = _ROOM) -> tuple[float, float]:
    """Axis limits with a little room around finite values."""
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    extra = room * (high - low) or max(abs(low) * 0.05, 1.0)
    return low - extra, high + extra


def nice_ticks(low: float, high: float, about: int = 6) -> F64:
    """Multiples of 1, 2 or 5 times a power of ten between two values, about so many."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return np.array([n * step for n in range(first, last + 1)])


def tick_format(ticks: F64) -> str:
    """Format of round numbers that are equally spaced, with as many digits as tell them apart."""
    step = ticks[1] - ticks[0] if ticks.size > 1 else abs(ticks[0]) if ticks.size else 1.0
    digits = -math.floor(math.log10(step)) if step > 0 else 0
    return f".{max(digits, 0)}f" if -7 < digits < 5 else ".1e"


def put_ticks(axis: bq.Axis, low: float, high: float, about: int = 6) -> None:
    """Set the limits of an axis with a linear scale, and round ticks."""
    with axis.scale.hold_sync():
        axis.scale.min, axis.scale.max = low, high
    ticks = nice_ticks(low, high, about)
    with axis.hold_sync():
        axis.tick_format, axis.tick_values = tick_format(ticks), ticks


def hide(marks: Sequence[bq.Mark]) -> None:
    """Hide what is shown."""
    for mark in marks:
        if mark.visible:
            mark.visible = False


def draw_lines(mark: bq.Lines, lines: Lines, colors: Sequence[str] = ()) -> None:
    """Replace the lines of a mark; those without any finite value are left out, and so are gaps.

    Parameters
    ----------
    mark : bqplot.Lines
    lines : two of float64 (nlines, npoints)
    colors : sequence of str
        One for each line; none to keep those of the mark.
    """
    x, y = lines
    drawn = np.array([np.isfinite(line).any() for line in y], np.bool_)
    if not drawn.any() or y.shape[-1] < 2:
        hide([mark])
        return
    with mark.hold_sync():
        if colors:
            mark.colors = [color for color, keep in zip(colors, drawn, strict=True) if keep]
        mark.x, mark.y = x[drawn], y[drawn]
        mark.visible = True


def draw_points(mark: bq.Scatter, x: F64, y: F64, colors: Sequence[str] = ()) -> None:
    """Replace the points of a mark, each with its colour if any are given."""
    if x.size == 0:
        hide([mark])
        return
    with mark.hold_sync():
        if colors:
            mark.colors = list(colors)
        mark.x, mark.y = x, y
        mark.visible = True


def plot_figure(
    marks: Sequence[bq.Mark],
    x_axis: bq.Axis,
    y_axis: bq.Axis,
    size: tuple[int, int],
    *,
    bottom: int = 44,
    top: int = 10,
) -> bq.Figure:
    """Make a figure of fixed size, in screen pixels, with labelled axes."""
    return bq.Figure(
        marks=list(marks),
        axes=[x_axis, y_axis],
        fig_margin={"top": top, "right": 18, "bottom": bottom, "left": 70},
        padding_x=0.0,
        padding_y=0.0,
        display_toolbar=False,
        layout={"width": f"{size[0]}px", "min_width": f"{size[0]}px", "height": f"{size[1]}px"},
    )
