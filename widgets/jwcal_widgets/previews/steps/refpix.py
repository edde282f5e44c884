"""refpix: the offsets of the amplifiers that the reference pixels show, before and after."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.checks.reference_offsets import Part, reference_offsets
from jwcal_interactive.region import robust_spread
from jwcal_widgets.line_colors import PINS
from jwcal_widgets.plotting import span
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.generic import report_ramps
from jwcal_widgets.previews.report import Line, Plot, Report, figure_of, muted

__all__ = ["PREVIEW"]

Offsets = Mapping[Part, NDArray[np.float64]]


def _report(look: Look) -> Report | None:
    before, after = look.before, look.after
    assert isinstance(before, Ramp)
    assert isinstance(after, Ramp)
    offsets = [reference_offsets(ramp) for ramp in (before, after)]
    if not offsets[0]:
        changes = report_ramps(before, after)
        words = "There are no usable reference pixels at the edges of the frame. "
        return None if changes is None else Report(changes.figures, words + changes.words)
    lines = "rows" if after.exposure.instrument == "MIRI" else "columns"
    every = np.concatenate([np.concatenate(list(o.values())) for o in offsets if o])
    limits = span(every)
    plots = tuple(
        Plot("group", f"{when} (DN)", _lines(found), y_range=limits)
        for when, found in zip(("before", "after"), offsets, strict=True)
    )
    (start, end), (drift, left) = ([f(o) for o in offsets] for f in (_level, _drift))
    return Report(
        plots,
        "Median of the reference pixels, by amplifier: odd "
        f"{lines} solid, even dashed (from 1). Offset of all <b>{start} → {end}</b> DN; drift from group to "
        f"group and between amplifiers <b>{drift} → {left}</b> DN (1.48 MAD). {muted('Integration 1.')}",
    )


def _lines(found: Offsets) -> tuple[Line, ...]:
    lines = []
    for part, values in found.items():
        groups = np.arange(1, values.size + 1, dtype=float)
        name = f"{part.amplifier}" if part.odd or Part(part.amplifier, True) not in found else ""
        color = PINS[(part.amplifier - 1) % len(PINS)]
        lines.append(Line(name, groups, values, color, "solid" if part.odd else "dashed", dots=values.size < 2))
    return tuple(lines)


def _level(found: Offsets) -> str:
    return figure_of(robust_spread(np.concatenate([np.zeros(0), *found.values()]))[0])


def _drift(found: Offsets) -> str:
    return figure_of(robust_spread(np.concatenate([np.zeros(0), *found.values()]))[1])


PREVIEW = Reporter("Do the offsets of all amplifiers come to one level that does not drift?", _report)
