"""amplifier_noise: remove 1/f noise amplifier by amplifier, with a mask of sources to be edited by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Exposure, Ramp, Rates, References, SideProduct
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.background_mask import DRAFT_KERNELS, draft_rates
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.group_images import over_images
from jwcal_interactive.steps.noise_files import difference, given_mask, mask_product, ramp_product
from jwcal_interactive.tiles import Tiles

__all__ = ["AmplifierNoiseParams", "amplifier_noise"]

B1 = NDArray[np.bool_]

_CLIP_SIGMA = 3.0
_FEWEST_BOXES = 4  # along each axis


class AmplifierNoiseParams(StepParams):
    """Parameters of amplifier_noise, a step that the official pipeline does not have."""

    skip: bool = param(True, help="Leave this step out.")
    find_sources: bool = param(
        True, help="Find sources in a draft of the count rates; off: only those of source_mask are left out."
    )
    n_sigma: float = param(
        3.0,
        gt=0,
        unit="sigma",
        slider=(1.0, 10.0),
        help="Pixels this far above the sky are sources.",
    )
    grow: int = param(
        3, ge=0, le=100, unit="pixel", slider=(0, 20), help="Take so many pixels around a source for it, too."
    )
    source_mask: str | None = param(
        None,
        file=True,
        help="Image, or one per integration, that is not 0 where sources are: the product of save_mask, "
        "edited (then with find_sources off), or one of your own.",
    )
    background_box_size: int = param(
        64,
        advanced=True,
        ge=1,
        unit="pixel",
        slider=(8, 256),
        help="Boxes of the smooth model of the sky that is taken away before the noise is measured; at most "
        "a quarter of the image. Small ones follow the sky, large ones are less sensitive to sources.",
    )
    by_amplifier: bool = param(
        True, help="Measure each of the four amplifiers of a full frame by itself, else whole lines."
    )
    save_mask: bool = param(
        False, advanced=True, help="Write the mask of the sources (source_mask), to be edited and used."
    )
    save_noise: bool = param(
        False, advanced=True, help="Write the noise that was subtracted from each group (amplifier_noise)."
    )


@step(
    "amplifier_noise",
    keyword="S_AMPNOI",
    references=("readnoise", "gain"),
    params=AmplifierNoiseParams,
    kernels=(*DRAFT_KERNELS, "background", "clean_flicker_noise"),
)
def amplifier_noise(ramp: Ramp, refs: References, p: AmplifierNoiseParams, tiles: Tiles) -> Ramp:
    """Subtract from each group the median of each line of each amplifier.

    Sources and a smooth sky are found in a draft of the count rates, where the noise of all groups is averaged.
    In each group, less the first one of its integration and less the sky, pixels that had a jump, unusable
    ones, sources and outliers are left out, and the median of what one amplifier reads of a line along the fast
    direction is its noise. The sky stays in the data; since it comes from all groups together, slow drifts of
    the noise do not pass for sky. The first group stays as it is: its noise is then that of all groups, which
    no slope sees. Errors of the medians do not add up from group to group, as they would in differences of
    adjacent groups.

    Raises
    ------
    Skip
        For MIRI, which has no such noise, and with a single group.
    InputError
        If source_mask has another shape.
    """
    exposure = ramp.exposure
    nints, ngroups, ny, nx = ramp.data.shape
    if exposure.instrument == "MIRI":
        raise Skip("INSTRUME = MIRI: the 1/f noise of amplifiers is one of near-infrared detectors")
    if ngroups < 2:
        raise Skip("NGROUPS = 1; noise is measured in differences to the first group")
    given = given_mask(refs.get("source_mask"), "amplifier_noise.source_mask", ramp.data.shape)
    along_x = abs(exposure.slowaxis) == 2
    channels = AMPLIFIERS if p.by_amplifier and _four_amplifiers(exposure, ny, nx) else 1
    rates = draft_rates(ramp, refs, tiles)
    good = (ramp.pixeldq & np.uint32(DQ.DO_NOT_USE | DQ.REFERENCE_PIXEL)) == 0
    sources, sky = _scene(rates, given, good, p, along_x, channels, tiles)
    from jwcal_interactive.kernels.background import background_limits, keep_between, sorted_values
    from jwcal_interactive.kernels.clean_flicker_noise import Scratch, subtract_line_medians

    data = np.empty_like(ramp.data)
    data[:, 0] = ramp.data[:, 0]
    unusable = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)
    jumped = _first_jumps(ramp, tiles)

    def clean(scratch: Scratch, i: int, g: int) -> None:
        image, use = scratch.image, scratch.use
        np.subtract(ramp.data[i, g], ramp.data[i, 0], out=image)
        signal = sky * np.float32(g * exposure.group_time)
        image -= signal
        tiles.check()
        np.isfinite(image, out=use)
        use &= good
        use &= ~(sources[i] if sources.ndim == 3 else sources)
        use &= ((ramp.groupdq[i, g] | ramp.groupdq[i, 0]) & unusable) == 0
        use &= jumped[i] > g
        tiles.check()
        # Outliers show once most of the noise is gone; strong noise of a line must not pass for them.
        subtract_line_medians(image, use, along_x, channels, scratch.values, tiles.check)
        values = sorted_values(image, use, scratch.values, tiles.check)
        keep_between(image, *background_limits(values, _CLIP_SIGMA, _CLIP_SIGMA, lower_half_only=True), use)
        tiles.check()
        subtract_line_medians(image, use, along_x, channels, scratch.values, tiles.check)
        image += signal
        tiles.check()
        np.add(image, ramp.data[i, 0], out=data[i, g])

    images = [(i, g) for i in range(nints) for g in range(1, ngroups)]
    over_images(images, lambda: Scratch((ny, nx)), tiles, clean)
    return ramp.with_(data=data, side_products=tuple(_side_products(ramp, p, sources, data, tiles)))


def _first_jumps(ramp: Ramp, tiles: Tiles) -> NDArray[np.uint16]:
    """Group of the first jump of each pixel and integration; NGROUPS without one. (nints, ny, nx)."""
    nints, ngroups, ny, nx = ramp.data.shape
    first = np.full((nints, ny, nx), ngroups, np.uint16)

    def find(y0: int, y1: int) -> None:
        for g in reversed(range(ngroups)):
            first[:, y0:y1][(ramp.groupdq[:, g, y0:y1] & np.uint8(DQ.JUMP_DET)) != 0] = g

    tiles.over_rows(ny, find)
    return first


def _four_amplifiers(exposure: Exposure, ny: int, nx: int) -> bool:
    """Whether each line is read by four amplifiers, a quarter by each."""
    across = nx if abs(exposure.slowaxis) == 2 else ny
    return across == FULL_SIZE and (exposure.subarray == "FULL" or exposure.noutputs == AMPLIFIERS)


def _scene(
    rates: Rates,
    given: B1 | None,
    good: B1,
    p: AmplifierNoiseParams,
    along_x: bool,
    channels: int,
    tiles: Tiles,
) -> tuple[B1, F32]:
    """Find the sources, and the smooth sky, DN/s."""
    from jwcal_interactive.kernels.background import (
        Background,
        background_limits,
        sorted_values,
        subtract_background,
    )
    from jwcal_interactive.kernels.clean_flicker_noise import subtract_line_medians

    rate = rates.rate.data
    known = good & np.isfinite(rate)
    everywhere: B1 = np.zeros(rate.shape, np.bool_)
    if given is not None:
        everywhere = np.asarray(given.reshape(-1, *rate.shape).any(axis=0))
    rows, columns = (max(min(p.background_box_size, size // _FEWEST_BOXES), 1) for size in rate.shape)
    how = Background("model", (rows, columns), smoothing=3)
    scratch = np.empty(rate.size, np.float32)

    def without_sky(sources: B1) -> tuple[F32, B1, F32]:
        image = np.where(known, rate, np.float32(0))
        use = known & ~sources
        sky, _ = subtract_background(image, use, scratch, how, tiles.check)
        if not np.isfinite(sky).all():
            raise Skip("no pixel is left that shows the sky; mask less")
        return image, use, np.array(np.broadcast_to(sky, rate.shape))

    image, use, sky = without_sky(everywhere)
    if not p.find_sources:
        return (everywhere if given is None else given), sky
    subtract_line_medians(image, use, along_x, channels, scratch, tiles.check)
    values = sorted_values(image, known & ~everywhere, scratch, tiles.check)
    limits = background_limits(values, _CLIP_SIGMA, p.n_sigma, lower_half_only=True)
    found = _grown(known & (image > limits.upper), p.grow, tiles)
    _, _, sky = without_sky(everywhere | found)
    return (found if given is None else given | found), sky


def _grown(mask: B1, pixels: int, tiles: Tiles) -> B1:
    """Mask with the pixels so far away that they are in a square about one of it."""
    grown = mask.copy()
    for _ in range(pixels):
        tiles.check()
        rows = grown.copy()
        rows[1:] |= grown[:-1]
        rows[:-1] |= grown[1:]
        grown = rows.copy()
        grown[:, 1:] |= rows[:, :-1]
        grown[:, :-1] |= rows[:, 1:]
    return grown


def _side_products(
    ramp: Ramp, p: AmplifierNoiseParams, sources: B1, data: F32, tiles: Tiles
) -> Iterator[SideProduct]:
    if p.save_mask:
        yield mask_product("source_mask", sources)
    if p.save_noise:
        yield ramp_product("amplifier_noise", difference(ramp.data, data, tiles))
