"""jump: hits by group, deviations against the threshold, and regions of large events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import erfc

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.checks.changes import added_by_group, change_flags
from jwcal_interactive.checks.jump_significance import jump_significance
from jwcal_interactive.checks.sampling import describe_rows, sample_rows
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_widgets.line_colors import AVERAGE, LIMIT, MAIN, SECOND
from jwcal_widgets.plotting import F64
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.outlines import large_regions
from jwcal_widgets.previews.report import (
    Line,
    Plot,
    Report,
    count_map,
    flag_table,
    group_lines,
    histogram_line,
    muted,
)

__all__ = ["PREVIEW"]

_MOST_VALUES = 3_000_000
_BINS = 48
_REACH = 3.0  # of the plot, times the threshold
_LARGE = 3.5  # pixels: cosmic rays with their neighbours are smaller in one direction
_FEWEST = 0.7  # where logarithmic axes of counts begin
_JUMP = np.uint8(DQ.JUMP_DET)


def _report(look: Look) -> Report | None:
    before, after = look.before, look.after
    assert isinstance(before, Ramp)
    assert isinstance(after, Ramp)
    p: JumpParams = look.params
    hits = np.zeros(after.pixeldq.shape, np.uint16)
    for groups in (after.groupdq & ~before.groupdq).reshape(-1, *hits.shape):
        hits += (groups & _JUMP) != 0
    flagged = added_by_group(before.groupdq, after.groupdq)
    by_group = {flag: flagged[flag] for flag in flagged if flag & DQ.JUMP_DET}
    deviations, words = _deviations(look, p)
    picture = count_map(hits, "groups with JUMP_DET")
    if p.expand_large_events or p.find_showers:
        outlines = large_regions(after.groupdq, _LARGE)
        picture = replace(picture, outlines=outlines)
        words.append(
            f"<b>{len(outlines):,}</b> regions of jumps with semi-axes of {_LARGE:g} pixels or more are "
            "outlined: snowballs, showers, and what only looks like them."
        )
    total = sum(int(n.sum()) for n in by_group.values())
    every = after.groupdq.size
    rate = after.keywords.get("PRIMECRS")
    head = f"<b>{total:,}</b> groups flagged ({100 * total / every:.2g} % of all)"
    if rate is not None and isinstance(rate.value, float):
        head += f"; {rate.value:.3g} cosmic rays per 1000 pixels per s"
    pixels = change_flags(before.pixeldq, after.pixeldq)
    return Report(
        (picture, Plot("group", "pixels with a jump", group_lines(by_group)), *deviations),
        " ".join([head + ".", *words, flag_table(pixels, {})]),
    )


def _deviations(look: Look, p: JumpParams) -> tuple[tuple[Plot, ...], list[str]]:
    """Histogram of the deviations, with the threshold and what noise alone would give."""
    before = look.before
    assert isinstance(before, Ramp)
    nints, ngroups, ny, nx = before.data.shape
    rows = sample_rows((ny, nx), nints * ngroups, _MOST_VALUES)
    try:
        found = jump_significance(before, look.session.load_references("jump"), p, rows)
    except Skip as skip:
        return (), [f"No deviations: {skip}."]
    if not found.sigmas.size:
        return (), ["No difference could be compared with a limit."]
    top = _REACH * p.rejection_threshold
    lines = [
        histogram_line(found.sigmas[~found.found], 0.0, top, "kept", bins=_BINS, color=MAIN, floor=_FEWEST),
        histogram_line(
            found.sigmas[found.found], 0.0, top, "jumps", bins=_BINS, color=SECOND, style="dashed",
            fill=False, floor=_FEWEST,
        ),
        _noise(found.sigmas.size, top),
        Line(
            f"threshold {p.rejection_threshold:g} σ",
            np.full(2, p.rejection_threshold),
            np.array([_FEWEST, float(found.sigmas.size)]),
            LIMIT,
            "dash_dotted",
        ),
    ]  # fmt: skip
    plot = Plot("|difference − median| (σ)", "differences", tuple(lines), log_y=True)
    sampled = describe_rows(rows)
    notes = "The last bin holds all beyond."
    if sampled:
        notes += f" Counted in {sampled}."
    if found.other_threshold:
        notes += f" {found.other_threshold:,} differences of short ramps have thresholds of their own."
    return (plot,), [muted(notes)]


def _noise(number: int, top: float) -> Line:
    """Numbers of differences in each bin if all were normal."""
    edges = np.linspace(0.0, top, _BINS + 1)
    tail: F64 = erfc(edges / np.sqrt(2.0))
    expected = number * -np.diff(tail)
    shown = expected >= _FEWEST
    return Line("noise alone", (0.5 * (edges[1:] + edges[:-1]))[shown], expected[shown], AVERAGE, "dotted")


PREVIEW = Reporter(
    "Is the threshold where the tail of hits leaves the noise, and are hits spread evenly?", _report
)
