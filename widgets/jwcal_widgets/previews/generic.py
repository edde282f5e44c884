"""The preview of steps without a picture of their own: what changed from the state before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, State
from jwcal_interactive.checks.changes import (
    GroupChanges,
    added_by_group,
    change_flags,
    change_values,
    flagged_pixels,
    same_array,
)
from jwcal_interactive.checks.sampling import describe_rows
from jwcal_interactive.instruments import RAMP_UNIT, RATE_UNIT
from jwcal_interactive.region import robust_spread
from jwcal_widgets.line_colors import MAIN
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.report import (
    Line,
    Map,
    Plot,
    Report,
    count_map,
    figure_of,
    flag_table,
    group_lines,
    histogram_line,
    image_map,
    muted,
)

__all__ = ["GENERIC", "report_changes", "report_ramps"]

F32 = NDArray[np.float32]


def report_changes(look: Look) -> Report | None:
    """Say what a step of any kind changed."""
    before, after = look.before, look.after
    if isinstance(before, Ramp) and isinstance(after, Ramp):
        return report_ramps(before, after)
    return _report_slopes(before, after)


def report_ramps(before: Ramp, after: Ramp) -> Report | None:
    """Say what changed in values and flags of a ramp; ``None`` if nothing did."""
    if before.data.shape != after.data.shape:
        ny, nx = after.data.shape[-2:]
        return Report((), f"The frame has {ny} rows and {nx} columns now; there is nothing to compare with.")
    figures: list[Map | Plot] = []
    words: list[str] = []
    change = change_values(before, after)
    if change is not None:
        figures += _of_values(before, after, change)
        words.append(_in_words(change))
    pixels, groups = (
        change_flags(getattr(before, name), getattr(after, name)) for name in ("pixeldq", "groupdq")
    )
    if pixels or groups:
        new = flagged_pixels(before, after)
        if new.any() and len(figures) < 2:
            figures.append(count_map(new, "pixels with a new flag"))
        by_group = added_by_group(before.groupdq, after.groupdq)
        if by_group:
            figures.append(Plot("group", "pixels with a new flag", group_lines(by_group)))
        words.append(flag_table(pixels, groups))
    else:
        words.append(muted("Flags stayed as they were."))
    if not figures and not (pixels or groups):
        return None
    if change is None:
        words.append(muted("Values stayed as they were."))
    return Report(tuple(figures), " ".join(words))


def _of_values(before: Ramp, after: Ramp, change: GroupChanges) -> list[Map | Plot]:
    groups = np.arange(1, change.median.size + 1, dtype=float)
    with np.errstate(invalid="ignore"):
        last = np.subtract(after.data[0, -1], before.data[0, -1])
    return [
        image_map(last, "change of the last group", RAMP_UNIT, change=True),
        Plot(
            "group",
            "after − before (DN)",
            (
                Line("median", groups, change.median, MAIN, dots=True),
                Line("16 and 84 %", groups, change.low, MAIN, "dotted"),
                Line("", groups, change.high, MAIN, "dotted"),
            ),
        ),
    ]


def _in_words(change: GroupChanges) -> str:
    first, last = (
        f"{figure_of(change.median[k])} ({figure_of(change.low[k])} to {figure_of(change.high[k])})"
        for k in (0, -1)
    )
    sampled = describe_rows(change.rows)
    text = f"Median change of usable pixels, and the range of 68 % of them: group 1: <b>{first}</b> DN"
    text += f"; last group: <b>{last}</b> DN." if change.median.size > 1 else "."
    return text + (" " + muted(f"Integration 1, {sampled}.") if sampled else " " + muted("Integration 1."))


def _slopes_of(state: State) -> tuple[F32, NDArray[np.uint32], str]:
    """Image, flags and unit of a state without groups."""
    if isinstance(state, Rates):
        return state.rate.data, state.rate.dq, RATE_UNIT
    assert isinstance(state, GuiderSlopes)
    return state.data[0], state.dq, RATE_UNIT


def _report_slopes(before: State, after: State) -> Report | None:
    data, dq, unit = _slopes_of(after)
    if isinstance(before, Ramp):
        median, spread = robust_spread(data)
        return Report(
            (image_map(data, "result", unit), _histogram(data, f"({unit})", "pixels")),
            f"Median <b>{figure_of(median)}</b> {unit}, spread {figure_of(spread)} {unit} (1.48 MAD).",
        )
    earlier, earlier_dq, _ = _slopes_of(before)
    flags = change_flags(earlier_dq, dq)
    table = flag_table(flags, {})
    if same_array(earlier, data):
        return Report((), table + muted("Values stayed as they were.")) if table else None
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.divide(data, earlier)
    median, spread = robust_spread(ratio)
    change = np.subtract(data, earlier)
    return Report(
        (image_map(change, "after − before", unit, change=True), _histogram(ratio, "after / before", "pixels")),
        f"Median ratio <b>{figure_of(median)}</b>, spread {figure_of(spread)}; median change "
        f"<b>{figure_of(robust_spread(change)[0])}</b> {unit}. {table}",
    )


def _histogram(values: F32, x_label: str, y_label: str) -> Plot:
    values = values[np.isfinite(values)]
    if not values.size:
        return Plot(x_label, y_label)
    low, high = (float(v) for v in np.percentile(values, (1.0, 99.0)))
    extra = max((high - low) * 0.1, max(abs(low), abs(high)) * 1e-3, 1e-12)
    line = histogram_line(values, low - extra, high + extra, "")
    return Plot(x_label, y_label, (line,), caption=muted("the outermost bins hold what is beyond"))


_QUESTIONS: Mapping[str, str] = {
    "group_scale": "Are the groups scaled to the mean of their frames?",
    "dq_init": "Are the known bad pixels flagged, and no more?",
    "emicorr": "Do the waves that were taken away look like interference, without the sky?",
    "ipc": "Is charge given back to the pixels that it leaked from, with no change of the median?",
    "superbias": "Is the same pattern taken from every group? The lines must be level.",
    "firstframe": "Is the first group left out of all ramps?",
    "lastframe": "Is the last group left out of all ramps?",
    "reset": "Does the reset anomaly fade from group to group?",
    "rscd": "Are the first groups of later integrations left out?",
    "dark_current": "Does the dark grow evenly, by little?",
    "charge_migration": "Are bright cores and their neighbours left out, and only in late groups?",
    "large_events": "Are the large events round and few?",
    "picture_frame": "Does what was taken away look like the frame, without the sky?",
    "persistence": "Are pixels flagged after they were bright?",
    "visit_persistence": "Are the stars of earlier exposures flagged?",
    "gain_scale": "Is every slope scaled by the same factor?",
    "guider_cds": "Is the guide star there?",
    "flat_field": "Does the flat change the slopes by little?",
}

GENERIC: Mapping[str, Reporter] = {
    step: Reporter(question, report_changes) for step, question in _QUESTIONS.items()
}
"""Reporters by step."""
