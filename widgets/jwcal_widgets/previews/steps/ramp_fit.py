"""ramp_fit: whether the lines fit the ramps."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from jwcal_interactive.arrays import Ramp, Rates
from jwcal_interactive.checks.fit_quality import FitQuality, fit_quality
from jwcal_interactive.checks.sampling import describe_rows, sample_rows
from jwcal_interactive.errors import Skip
from jwcal_interactive.region import robust_spread
from jwcal_widgets.line_colors import AVERAGE, MAIN, SECOND
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.report import Bars, Line, Plot, Report, figure_of, histogram_line, muted

__all__ = ["PREVIEW"]

_MOST_VALUES = 3_000_000
_BINS = 50
_TOP_CHI_SQUARE = 5.0
_TOP_PULL = 6.0
_FEWEST = 0.7  # where logarithmic axes of counts begin
_BAD = 3.0


def _report(look: Look) -> Report | None:
    before, after = look.before, look.after
    assert isinstance(before, Ramp)
    assert isinstance(after, Rates)
    nints, ngroups, ny, nx = before.data.shape
    rows = sample_rows((ny, nx), nints * ngroups, _MOST_VALUES)
    try:
        found = fit_quality(before, after, look.session.load_references("ramp_fit"), rows)
    except Skip as skip:
        return Report((), f"Nothing to compare: {skip}.")
    sampled = describe_rows(rows)
    notes = f"Ramps of {sampled or 'all rows'}; the outermost bins hold what is beyond."
    segments = _segments(found)
    good = np.isfinite(after.rate.data)
    head = f"<b>{int(good.sum()):,}</b> pixels have a slope, {int((~good).sum()):,} have none. "
    if not found.chi_square.size:
        return Report(
            (segments,), head + "Ramps have a single difference or none: no chi-square. " + muted(notes)
        )
    median = float(np.median(found.chi_square))
    typical = int(np.bincount(found.freedom).argmax())
    expected = float(chi2.median(typical)) / typical
    bad = 100.0 * float(np.mean(found.chi_square > _BAD))
    width = robust_spread(found.pulls)[1]
    return Report(
        (_chi_square(found, typical), _pulls(found), segments),
        f"{head}Reduced chi-square: median <b>{figure_of(median)}</b> (noise alone: {expected:.2g}), "
        f"<b>{bad:.2g} %</b> of the ramps above {_BAD:g}. Pulls: width <b>{figure_of(width)}</b> (1.48 MAD; "
        f"noise alone: {np.sqrt(typical / (typical + 1)):.2g}). {muted(notes)}",
    )


def _chi_square(found: FitQuality, freedom: int) -> Plot:
    edges = np.linspace(0.0, _TOP_CHI_SQUARE, _BINS + 1)
    number = found.chi_square.size
    expected = number * np.diff(chi2.cdf(edges * freedom, freedom))
    shown = expected >= _FEWEST
    return Plot(
        "reduced chi-square",
        "ramps",
        (
            histogram_line(found.chi_square, 0.0, _TOP_CHI_SQUARE, "ramps", bins=_BINS, floor=_FEWEST),
            Line(
                f"noise alone, {freedom} degrees of freedom", (0.5 * (edges[1:] + edges[:-1]))[shown],
                expected[shown], SECOND, "dashed",
            ),
        ),
        log_y=True,
    )  # fmt: skip


def _pulls(found: FitQuality) -> Plot:
    edges = np.linspace(-_TOP_PULL, _TOP_PULL, _BINS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    normal = found.pulls.size * np.exp(-0.5 * middle**2) / np.sqrt(2.0 * np.pi) * (edges[1] - edges[0])
    shown = normal >= _FEWEST
    return Plot(
        "pull of differences (σ)",
        "differences",
        (
            histogram_line(found.pulls, -_TOP_PULL, _TOP_PULL, "differences", bins=_BINS, floor=_FEWEST),
            Line("normal", middle[shown], normal[shown], SECOND, "dashed"),
        ),
        log_y=True,
    )


def _segments(found: FitQuality) -> Plot:
    counts = np.bincount(found.segments) if found.segments.size else np.zeros(1, np.int64)
    first = int(np.flatnonzero(counts)[0]) if counts.any() else 0
    numbers = np.arange(first, counts.size)
    single = int(counts[1]) if counts.size > 1 else 0
    share = 100.0 * single / max(int(counts.sum()), 1)
    return Plot(
        "segments of a ramp",
        "ramps",
        bars=Bars(numbers, counts[first:], (MAIN if single else AVERAGE,)),
        caption=muted(f"unbroken: {share:.3g} %"),
    )


PREVIEW = Reporter("Do the histograms follow the dashed lines of pure noise, but for the tail?", _report)
