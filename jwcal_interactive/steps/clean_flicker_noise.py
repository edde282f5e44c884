"""clean_flicker_noise: remove the 1/f noise that stripes the images of every group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Exposure, Ramp, Rates, References, SideProduct
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError, Skip
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.background_mask import DRAFT_KERNELS, background_mask, draft_rates, not_background
from jwcal_interactive.steps.clean_flicker_noise_auto import automatic_parameters, has_automatic_parameters
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.flat_image import flat_image
from jwcal_interactive.steps.group_images import add_up, over_images
from jwcal_interactive.steps.median_ramp import MedianRamp, median_ramp
from jwcal_interactive.steps.noise_files import difference, given_mask, mask_product, ramp_product
from jwcal_interactive.tiles import Tiles

if TYPE_CHECKING:
    from jwcal_interactive.kernels.clean_flicker_noise import Cleaning, Scratch

__all__ = ["CleanFlickerNoiseParams", "clean_flicker_noise"]

B1 = NDArray[np.bool_]

_FFT_TYPES = ("NRS_MSASPEC", "NRS_IFU", "NRS_FIXEDSLIT", "NRS_BRIGHTOBJ")
_ALLSLITS_BAND = (150.0, 200.0)  # Hz: less is fitted, as spectra fill much of this subarray


class CleanFlickerNoiseParams(StepParams):
    """Parameters of clean_flicker_noise."""

    skip: bool = param(True, help="Leave this step out.")
    autoparam: bool = param(
        False,
        advanced=True,
        help="Choose fit_by_channel, background_method and apply_flat_field from the image itself; "
        "for NIRCam and NIRISS imaging only.",
    )
    fit_method: Literal["median", "fft"] = param(
        "median",
        help="Measure the noise by the median of each line, or by Fourier series fitted to the background "
        "(NIRSpec only).",
    )
    fit_by_channel: bool = param(
        False,
        help="Measure each of the four amplifiers by itself instead of whole lines; for full near-infrared "
        "frames.",
    )
    background_method: Literal["median", "model", "median_image"] | None = param(
        "median",
        help="Background to subtract before the noise is measured: its median, a smooth model, the median of "
        "all integrations scaled to the flux of each, or none.",
    )
    background_box_size: tuple[int, int] | None = param(
        None,
        advanced=True,
        unit="pixel",
        help="Rows, columns of the boxes of the smooth model; none: the largest up to 32 that divide it.",
    )
    mask_science_regions: bool = param(
        False,
        help="Never take slits, slices, traces (NIRSpec, SOSS) or unusable regions (MIRI) for background.",
    )
    apply_flat_field: bool = param(
        False,
        help="Divide by the flat before the noise is measured, and multiply afterwards: differences in "
        "response then do not pass for noise.",
    )
    n_sigma: float = param(
        2.0,
        ge=0,
        unit="sigma",
        slider=(0.0, 5.0),
        help="Pixels further above the background than this are taken for sources; 0 takes all for background.",
    )
    fit_histogram: bool = param(
        False,
        advanced=True,
        help="Take centre and width of the background from a Gaussian fitted to the histogram of the draft "
        "rates, instead of from clipped statistics.",
    )
    single_mask: bool = param(
        True,
        advanced=True,
        help="Use one mask of the background, from the rate of all integrations; off: one for each.",
    )
    user_mask: str | None = param(
        None,
        file=True,
        help="FITS image, or one per integration, that is not 0 where there is background; used instead of a "
        "mask from the draft rates.",
    )
    save_mask: bool = param(False, advanced=True, help="Write the mask of the background (mask).")
    save_background: bool = param(
        False, advanced=True, help="Write the background that was subtracted (flicker_bkg)."
    )
    save_noise: bool = param(False, advanced=True, help="Write the noise that was removed (flicker_noise).")


def _needs_flat(exposure: Exposure, p: CleanFlickerNoiseParams) -> bool:
    automatic = p.autoparam and has_automatic_parameters(exposure)
    flags = p.mask_science_regions and p.user_mask is None and exposure.exp_type == "MIR_IMAGE"
    return p.apply_flat_field or automatic or flags


def _needs_traces(exposure: Exposure, p: CleanFlickerNoiseParams) -> bool:
    masks = p.mask_science_regions and p.user_mask is None
    return exposure.exp_type == "NIS_SOSS" and (masks or p.background_method == "median_image")


@step(
    "clean_flicker_noise",
    keyword="S_CLNFNS",
    references=("readnoise", "gain", "flat", "pastasoss"),
    params=CleanFlickerNoiseParams,
    only_if={"flat": _needs_flat, "pastasoss": _needs_traces},
    kernels=(*DRAFT_KERNELS, "background", "clean_flicker_noise", "clean_flicker_noise_fft"),
)
def clean_flicker_noise(ramp: Ramp, refs: References, p: CleanFlickerNoiseParams, tiles: Tiles) -> Ramp:
    """Measure flicker noise in the background of the difference of each two groups, and subtract it.

    The background is found in a draft of the count rates, by sigma clipping; in each difference, pixels with a
    jump, unusable ones, and those that differ from the background are left out besides. Its level is
    subtracted, and put back in the end. What is left is averaged over each line along the fast read direction
    by a median (MIRI: over each column), or fitted by Fourier series (Rauscher 2024, PASP 136, 015001).
    With ``background_method`` median_image, the groups themselves are cleaned, less the median of all
    integrations.

    Not like the official step, ``fft`` weighs pixels by the density of the background at their own place, not
    at that of their neighbours, and subtracts its fit where it was measured; it computes in double precision.

    Raises
    ------
    ParameterError
        If background_box_size is not positive.
    Skip
        If the exposure type, the number of groups or integrations, or the background does not allow it.
    InputError
        If the mask of the user has another shape; if the official package is needed and not installed.
    """
    exposure = ramp.exposure
    _check_applies(exposure, p, ramp.data.shape)
    rates: Rates | None = None
    if p.autoparam and has_automatic_parameters(exposure):
        rates = draft_rates(ramp, refs, tiles)
        p = p.model_copy(update=automatic_parameters(exposure, rates.rate.data, refs.get("flat"), tiles))
    from_integrations = p.background_method == "median_image"
    single_mask = p.single_mask and not from_integrations
    flat = flat_image(refs, ramp.data.shape[-2:], tiles) if p.apply_flat_field else None
    mask = given_mask(refs.get("user_mask"), "clean_flicker_noise.user_mask", ramp.data.shape)
    if rates is None and (mask is None or from_integrations):
        rates = draft_rates(ramp, refs, tiles)
    if mask is None:
        assert rates is not None
        mask = _scene_mask(exposure, rates, refs, p, single_mask, flat, tiles)
    median: MedianRamp | None = None
    if from_integrations:
        assert rates is not None
        median = median_ramp(ramp, rates, flat, tiles)
    del rates  # its memory is needed for what follows
    run = _Run(ramp, mask, _cleaning(exposure, p, median, ramp.data.shape[-2:]), flat, median, tiles)
    data, background = run.clean(save_background=p.save_background)
    return ramp.with_(data=data, side_products=tuple(_side_products(ramp, p, mask, background, data, tiles)))


def _check_applies(exposure: Exposure, p: CleanFlickerNoiseParams, shape: tuple[int, ...]) -> None:
    if p.background_box_size is not None and min(p.background_box_size) < 1:
        raise ParameterError(
            f"clean_flicker_noise.background_box_size = {p.background_box_size}: both numbers must be at least "
            "1 (pixel)."
        )
    if exposure.exp_type.startswith("MIR") and exposure.exp_type != "MIR_IMAGE":
        raise Skip(f"EXP_TYPE = {exposure.exp_type}: of MIRI, only images have noise that it could measure")
    if p.fit_method == "fft" and exposure.exp_type not in _FFT_TYPES:
        raise Skip(f"fit_method fft is for EXP_TYPE {', '.join(_FFT_TYPES)} only, not {exposure.exp_type}")
    if p.background_method == "median_image":
        if shape[0] < 2:
            raise Skip(f"background_method median_image needs two integrations, there is {shape[0]}")
    elif shape[1] < 2:
        raise Skip("NGROUPS = 1; noise is measured in differences of groups")


def _scene_mask(
    exposure: Exposure,
    rates: Rates,
    refs: References,
    p: CleanFlickerNoiseParams,
    single_mask: bool,
    flat: F32 | None,
    tiles: Tiles,
) -> B1:
    draft = rates.rate if single_mask else rates.rateints
    excluded = None
    if p.mask_science_regions:
        excluded = not_background(exposure, rates, draft.dq, refs)
    return background_mask(
        draft.data if flat is None else draft.data / flat,
        excluded,
        n_sigma=p.n_sigma,
        fit_histogram=p.fit_histogram,
        single_mask=single_mask,
        check=tiles.check,
    )


def _cleaning(
    exposure: Exposure, p: CleanFlickerNoiseParams, median: MedianRamp | None, shape: tuple[int, ...]
) -> Cleaning:
    from jwcal_interactive.kernels.background import Background
    from jwcal_interactive.kernels.clean_flicker_noise import Cleaning
    from jwcal_interactive.kernels.clean_flicker_noise_fft import Band

    # MIRI has no 1/f noise but flickers in columns.
    mid_infrared = exposure.exp_type.startswith("MIR")
    along_x = not mid_infrared and abs(exposure.slowaxis) == 2
    by_channel = p.fit_by_channel and exposure.subarray == "FULL" and not mid_infrared
    whole = shape[1 if along_x else 0] == FULL_SIZE
    method = None if median is not None else p.background_method
    band = Band(*_ALLSLITS_BAND) if exposure.subarray == "ALLSLITS" else Band()
    return Cleaning(
        background=Background(method, p.background_box_size),
        n_sigma=p.n_sigma,
        method=p.fit_method,
        along_x=along_x,
        channels=AMPLIFIERS if by_channel and whole else 1,
        flipped=exposure.detector != "NRS1",
        band=band,
    )


@dataclass(frozen=True)
class _Run:
    """Cleaning of all images of a ramp, each by itself, on all threads."""

    ramp: Ramp
    mask: B1
    how: Cleaning
    flat: F32 | None
    median: MedianRamp | None
    tiles: Tiles

    def clean(self, *, save_background: bool) -> tuple[F32, F32 | None]:
        """Give the cleaned ramp and, if asked for, the background of each group, DN."""
        from jwcal_interactive.kernels.clean_flicker_noise import Scratch

        data = self.ramp.data
        nints, ngroups, ny, nx = data.shape
        first = 0 if self.median is not None else 1
        images = [(i, g) for i in range(nints) for g in range(first, ngroups)]
        out = np.empty_like(data)
        out[:, :first] = data[:, :first]
        background = np.zeros_like(data) if save_background else None
        cleaned = np.zeros((nints, ngroups), np.bool_)

        def work(scratch: Scratch, i: int, g: int) -> None:
            cleaned[i, g] = self._clean_one(scratch, i, g, out, background)

        over_images(images, lambda: Scratch((ny, nx)), self.tiles, work)
        if self.median is None:
            add_up(out, cleaned, self.tiles)
        return out, background

    def _clean_one(self, scratch: Scratch, i: int, g: int, out: F32, background: F32 | None) -> bool:
        """Clean one image into ``out[i, g]``; whether it could be."""
        from jwcal_interactive.kernels.clean_flicker_noise import clean_image

        data, check = self.ramp.data, self.tiles.check
        check()
        image = scratch.image = out[i, g]  # it is worked on in its place
        scratch.use[:] = self.mask[i] if self.mask.ndim == 3 else self.mask
        if self.median is None:
            np.subtract(data[i, g], data[i, g - 1], out=image)
            unusable = np.uint8(DQ.DO_NOT_USE | DQ.JUMP_DET)
            scratch.use &= (self.ramp.groupdq[i, g] & unusable) == 0
            level = None
        else:
            level = self.median.of(i, g)
            image[:] = data[i, g] - level
        check()
        cleaned = clean_image(scratch, self.how, self.flat, check)
        if cleaned.failure:
            raise Skip(f"integration {i}, group {g} (counted from 0): {cleaned.failure}")
        if not cleaned.done:
            image[:] = data[i, g]
            return False
        if level is not None:
            image[:] = level + image
        if background is not None:
            background[i, g] = cleaned.background if level is None else level
        return True


def _side_products(
    ramp: Ramp, p: CleanFlickerNoiseParams, mask: B1, background: F32 | None, data: F32, tiles: Tiles
) -> Iterator[SideProduct]:
    if p.save_mask:
        yield mask_product("mask", mask)
    if background is not None:
        yield ramp_product("flicker_bkg", background)
    if p.save_noise:
        yield ramp_product("flicker_noise", difference(data, ramp.data, tiles))
