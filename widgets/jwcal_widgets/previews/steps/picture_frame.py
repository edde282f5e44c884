"""picture_frame: what was taken away, and the power before and after."""

from __future__ import annotations

from jwcal_interactive.arrays import Ramp
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.report import Report
from jwcal_widgets.previews.stripes import report_stripes

__all__ = ["PREVIEW"]


def _report(look: Look) -> Report | None:
    before, after = look.before, look.after
    assert isinstance(before, Ramp)
    assert isinstance(after, Ramp)
    return report_stripes(before, after, (), "")


PREVIEW = Reporter("Does what was taken away look like the frame, without the sky?", _report)
