"""clean_flicker_noise: the noise that was taken away, the mask and background, the power before and after."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.errors import JwcalError, Skip
from jwcal_interactive.instruments import RAMP_UNIT
from jwcal_interactive.steps.background_mask import background_mask, draft_rates, not_background
from jwcal_interactive.tiles import Tiles
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.report import Map, Report, image_map, muted
from jwcal_widgets.previews.stripes import mask_map, product_image, report_stripes

__all__ = ["PREVIEW"]


def _report(look: Look) -> Report | None:
    before, after = look.before, look.after
    assert isinstance(before, Ramp)
    assert isinstance(after, Ramp)
    pictures, notes = [], ""
    saved = product_image(after, "mask")
    mask = mask_map(saved != 0, "background mask") if saved is not None else _mask_again(look, before)
    if isinstance(mask, Map):
        pictures.append(mask)
    else:
        notes += mask
    background = product_image(after, "flicker_bkg")
    if background is not None:
        pictures.append(image_map(background, "background, last group", RAMP_UNIT))
    else:
        notes += muted("save_background shows the background. ")
    return report_stripes(before, after, tuple(pictures), notes)


def _mask_again(look: Look, before: Ramp) -> Map | str:
    """Find the mask as the step does, from a draft of the rates; or say why not."""
    p = look.params
    if p.autoparam or p.apply_flat_field or p.user_mask is not None:
        return muted("save_mask shows the mask. ")
    refs = look.session.load_references("clean_flicker_noise")
    tiles = Tiles(threads=1)
    try:
        rates = draft_rates(before, refs, tiles)
        single = p.single_mask and p.background_method != "median_image"
        draft = rates.rate if single else rates.rateints
        excluded = None
        if p.mask_science_regions:
            excluded = not_background(before.exposure, rates, draft.dq, refs)
        mask = background_mask(
            draft.data,
            excluded,
            n_sigma=p.n_sigma,
            fit_histogram=p.fit_histogram,
            single_mask=single,
            check=tiles.check,
        )
    except (JwcalError, Skip) as error:
        return muted(f"No mask: {error} ")
    return mask_map(np.asarray(mask if mask.ndim == 2 else mask[-1]), "background mask")


PREVIEW = Reporter(
    "Are there stripes only, no sources, in the noise? Is the mask free of sources, the power lower?", _report
)
