"""Symbols of the groups of a ramp: one shape per kind of flag, and one per pixel."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import bqplot as bq
import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ, GROUP_FLAGS, names
from jwcal_widgets.dq_overlay import color_of
from jwcal_widgets.plotting import draw_points, hide
from jwcal_widgets.ramp import PixelRamp, Trace

__all__ = ["GLYPHS", "FlagSymbols", "UsedSymbols", "flag_of_groups", "key"]

SYMBOLS: Mapping[DQ, str] = {
    DQ.DO_NOT_USE: "cross",
    DQ.SATURATED: "triangle-up",
    DQ.JUMP_DET: "diamond",
    DQ.DROPOUT: "plus",
    DQ.PERSISTENCE: "arrow",
    DQ.AD_FLOOR: "crosshair",
    DQ.CHARGELOSS: "rectangle",
}
GLYPHS: Mapping[str, str] = {
    "circle": "●",
    "square": "■",
    "triangle-down": "▼",
    "ellipse": "❙",
    "cross": "✖",
    "triangle-up": "▲",
    "diamond": "◆",
    "plus": "✚",
    "arrow": "➤",
    "crosshair": "⌖",
    "rectangle": "▮",
}
PIXEL_MARKERS = ("circle", "square", "triangle-down", "ellipse")
_HOLLOW = {"◆": "◇", "▲": "△", "✖": "✕"}
_EDGE = "#404a55"


def key(glyph: str, color: str, text: str) -> str:
    """One entry of a legend, as HTML."""
    return f"<span class='jwcal-key'><b style='color:{color}'>{glyph}</b> {html.escape(text)}</span>"


def flag_of_groups(ramp: PixelRamp) -> NDArray[np.int64]:
    """Which flag each group is drawn with: the cause rather than DO_NOT_USE; 0 for none, -1 if not finite."""
    out = np.zeros(ramp.dq.shape, np.int64)
    causes = [flag for flag in GROUP_FLAGS if flag != DQ.DO_NOT_USE]
    for flag in (DQ.DO_NOT_USE, *reversed(causes)):
        out[(ramp.dq & np.uint8(flag)) != 0] = flag
    return np.where(np.isfinite(ramp.value), out, -1)


def _collect(traces: Sequence[Trace], flag: int) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Collect times, values and colours of the groups that are drawn with a flag."""
    times, values, colors = [np.zeros(0)], [np.zeros(0)], []
    for trace in traces:
        chosen = flag_of_groups(trace.ramp) == flag
        times.append(trace.ramp.time[chosen])
        values.append(trace.ramp.value[chosen])
        colors += [trace.color] * int(chosen.sum())
    return np.concatenate(times), np.concatenate(values), colors


class UsedSymbols:
    """Groups without a flag, in the shape and colour of their pixel."""

    def __init__(self, scales: dict[str, bq.Scale]) -> None:
        self.marks = {
            shape: bq.Scatter(
                scales=scales, marker=shape, default_size=46, stroke_width=0.5, x=[], y=[], visible=False
            )
            for shape in PIXEL_MARKERS
        }

    def draw(self, traces: Sequence[Trace]) -> int:
        """Draw the groups of all traces; return their number."""
        total = 0
        for shape, mark in self.marks.items():
            x, y, colors = _collect([t for t in traces if t.marker == shape], 0)
            draw_points(mark, x, y, colors)
            total += x.size
        return total


class FlagSymbols:
    """Flagged groups, in the shape and colour of the flag.

    Parameters
    ----------
    scales : dict
        Of the marks.
    hollow : bool
        Outlines around the groups of another branch or a preview.
    """

    def __init__(self, scales: dict[str, bq.Scale], *, hollow: bool = False) -> None:
        self._hollow = hollow
        self.marks = {
            flag: bq.Scatter(
                scales=scales,
                marker=SYMBOLS[flag],
                colors=[color_of(flag)],
                fill=not hollow,
                stroke=None if hollow else _EDGE,
                stroke_width=2.0 if hollow else 1.0,
                default_size=190 if hollow else 84,
                x=[],
                y=[],
                visible=False,
            )
            for flag in GROUP_FLAGS
        }

    def draw(self, traces: Sequence[Trace]) -> dict[DQ, int]:
        """Draw the flagged groups of all traces; return their numbers."""
        counts = {}
        for flag, mark in self.marks.items():
            x, y, _ = _collect(traces, flag)
            draw_points(mark, x, y)
            counts[flag] = x.size
        return counts

    def keys(self, counts: Mapping[DQ, int], of: str = "") -> list[str]:
        """Entries of the legend for flags that occur; ``of`` says whose they are."""
        found = []
        for flag, count in counts.items():
            if count:
                glyph = GLYPHS[SYMBOLS[flag]]
                glyph = _HOLLOW.get(glyph, glyph) if self._hollow else glyph
                found.append(key(glyph, color_of(flag), f"{of}{names(flag)[0]} ({count})"))
        return found

    def clear(self) -> None:
        """Draw nothing."""
        hide(list(self.marks.values()))
