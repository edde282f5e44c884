"""large_events: the events, outlined and counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.checks.changes import added_by_group, flagged_pixels
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.outlines import ellipses
from jwcal_widgets.previews.report import Plot, Report, count_map, group_lines, muted

__all__ = ["PREVIEW"]


def _report(look: Look) -> Report | None:
    before, after = look.before, look.after
    assert isinstance(before, Ramp)
    assert isinstance(after, Ramp)
    counts = [after.keywords[name].value for name in ("NSNOWBAL", "NSHOWERS")]
    words = f"<b>{counts[0]}</b> snowballs, <b>{counts[1]}</b> showers. "
    picture = count_map(flagged_pixels(before, after), "pixels with a new flag")
    for product in after.side_products:
        if "EVENTS" in product.tables:
            table = product.tables["EVENTS"]
            names = ("xcentroid", "ycentroid", "semimajor", "semiminor", "orientation")
            x, y, major, minor, angle = (table[name].astype(np.float64) for name in names)
            picture = replace(picture, outlines=ellipses(x, y, major, minor, angle))
            break
    else:
        words += muted("save_masks draws them.")
    by_group = added_by_group(before.groupdq, after.groupdq)
    return Report((picture, Plot("group", "pixels with a new flag", group_lines(by_group))), words)


PREVIEW = Reporter("Are the outlined events round, few, and real?", _report)
