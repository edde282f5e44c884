"""amplifier_noise: the noise that was taken away, the mask of sources, the power before and after."""

from __future__ import annotations

from jwcal_interactive.arrays import Ramp
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.report import Report, muted
from jwcal_widgets.previews.stripes import mask_map, product_image, report_stripes

__all__ = ["PREVIEW"]


def _report(look: Look) -> Report | None:
    before, after = look.before, look.after
    assert isinstance(before, Ramp)
    assert isinstance(after, Ramp)
    saved = product_image(after, "source_mask")
    pictures = () if saved is None else (mask_map(saved != 0, "source mask"),)
    notes = muted("save_mask shows the mask of the sources.") if saved is None else ""
    return report_stripes(before, after, pictures, notes)


PREVIEW = Reporter(
    "Are there stripes only, no sources, in the noise? Does the mask hold the sources; is the power lower?",
    _report,
)
