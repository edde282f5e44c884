"""picture_frame: remove the thermal glow at the edges of the NIRSpec detectors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Ramp, Rates, References, SideProduct
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.background_mask import DRAFT_KERNELS, background_mask, draft_rates, not_background
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.noise_files import difference, mask_product, ramp_product
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["PictureFrameParams", "picture_frame"]

B1 = NDArray[np.bool_]

# Rows and columns, counted from 0: [first, end) of the low edge, of the middle, of the high edge.
_LOW_EDGE = (4, 75)
_MIDDLE = (76, 1984)
_HIGH_EDGE = (1985, 2043)


class PictureFrameParams(StepParams):
    """Parameters of picture_frame."""

    skip: bool = param(True, help="Leave this step out.")
    mask_science_regions: bool = param(
        True, help="Never take slits, slices and what failed-open shutters let through for background."
    )
    n_sigma: float = param(
        2.0,
        ge=0,
        unit="sigma",
        slider=(0.0, 5.0),
        help="Pixels further than this above the background are not background; 0 takes all.",
    )
    save_mask: bool = param(False, advanced=True, help="Write the mask of the background (pctfrm_mask).")
    save_correction: bool = param(
        False, advanced=True, help="Write what was added to the groups (pctfrm_correction)."
    )


@step(
    "picture_frame",
    keyword="S_PCTFRM",
    references=("pictureframe", "readnoise", "gain"),
    params=PictureFrameParams,
    kernels=(*DRAFT_KERNELS, "background"),
)
def picture_frame(ramp: Ramp, refs: References, p: PictureFrameParams, tiles: Tiles) -> Ramp:
    """Subtract the picture frame of the reference, scaled to each group.

    In each group, less the first one of the integration, medians of the background are taken in the middle
    (m) and along the edges (e) of the detector. With those of the reference R, m_R and e_R,
    ``(m - e) / (m_R - e_R) (R - e_R) + e`` is subtracted from the group.

    Raises
    ------
    Skip
        If the exposure is not a NIRSpec full frame of two groups or more, or has no background in the middle or
        along the edges; if the reference is as bright in the middle as along the edges.
    InputError
        If mask_science_regions is set and the official package, which knows the regions, is not installed.
    """
    exposure = ramp.exposure
    nints, ngroups, ny, nx = ramp.data.shape
    if exposure.instrument != "NIRSPEC" or exposure.subarray != "FULL":
        raise Skip(
            f"it is for NIRSpec full frames, this is {exposure.instrument} with SUBARRAY = {exposure.subarray}"
        )
    if ngroups == 1:
        raise Skip("NGROUPS = 1; the picture frame is measured in differences of groups")
    frame: F32 = needed(refs, "pictureframe", (ny, nx)).data
    rates = draft_rates(ramp, refs, tiles)
    mask = background_mask(rates.rate.data, _science(rates, refs, p), n_sigma=p.n_sigma, check=tiles.check)
    middle, edge = _regions(mask)
    if not (middle.size and edge.size):
        raise Skip("there is no background in the middle or along the edges of the detector")
    edge_of_frame = _median(frame, edge)
    contrast = _median(frame, middle) - edge_of_frame
    if not np.isfinite(contrast) or contrast == 0:
        raise Skip("the pictureframe reference is as bright in the middle as along the edges, or unknown there")
    shape = frame - edge_of_frame
    data = ramp.data.copy()
    for i in range(nints):
        first = ramp.data[i, 0]
        for g in range(1, ngroups):
            tiles.check()
            group = ramp.data[i, g] - first
            level = _median(group, edge)
            tiles.check()
            scale = (_median(group, middle) - level) / contrast
            tiles.check()
            group += first - (scale * shape + level)
            data[i, g] = group
        tiles.progress((i + 1) / nints)
    return ramp.with_(data=data, side_products=tuple(_side_products(ramp, p, mask, data, tiles)))


def _science(rates: Rates, refs: References, p: PictureFrameParams) -> B1 | None:
    if not p.mask_science_regions:
        return None
    from jwcal_interactive.io.official_scene import NothingOnDetector

    try:
        return not_background(rates.exposure, rates, rates.rate.dq, refs)
    except NothingOnDetector:
        return None


def _regions(mask: B1) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places (in the flattened image) of the background in the middle, and along the edges."""
    ny, nx = mask.shape
    y, x = np.arange(ny)[:, None], np.arange(nx)

    def between(place: NDArray[np.intp], limits: tuple[int, int]) -> B1:
        return (place >= limits[0]) & (place < limits[1])

    middle = between(y, _MIDDLE) & between(x, _MIDDLE)
    lit = (_LOW_EDGE[0], _HIGH_EDGE[1])  # without reference pixels
    at_edge = between(y, _LOW_EDGE) | between(y, _HIGH_EDGE) | between(x, _LOW_EDGE) | between(x, _HIGH_EDGE)
    edge = at_edge & between(y, lit) & between(x, lit)
    return np.flatnonzero(mask & middle), np.flatnonzero(mask & edge)


def _median(image: F32, places: NDArray[np.intp]) -> np.float32:
    """Median of some pixels without NaN, in single precision; NaN if there is none."""
    values = image.ravel()[places]
    values.sort()  # NaN last
    values = values[: values.size - int(np.isnan(values).sum())]
    if not values.size:
        return np.float32(np.nan)
    low, high = values[(values.size - 1) // 2], values[values.size // 2]
    return (low + high) / np.float32(2)  # type: ignore[no-any-return]


def _side_products(
    ramp: Ramp, p: PictureFrameParams, mask: B1, data: F32, tiles: Tiles
) -> Iterator[SideProduct]:
    if p.save_mask:
        yield mask_product("pctfrm_mask", mask)
    if p.save_correction:
        yield ramp_product("pctfrm_correction", difference(data, ramp.data, tiles))
