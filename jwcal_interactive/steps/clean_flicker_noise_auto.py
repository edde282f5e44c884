"""Parameters of clean_flicker_noise chosen from the image itself."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Exposure, Reference
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE
from jwcal_interactive.steps.flat_image import flat_image
from jwcal_interactive.tiles import Tiles

__all__ = ["automatic_parameters", "has_automatic_parameters"]

_CLIP_SIGMA = 3.0
_CLIP_ROUNDS = 5
_LINE_CLIP_SIGMA = 10.0


class _Limits(NamedTuple):
    """From where on a quantity is high: the values of the official step."""

    masked: float  # fraction of pixels
    offset: float  # between adjacent amplifiers, DN/s
    slope: float  # DN/s per pixel, moderately high
    steep: float  # DN/s per pixel, high
    ratio: float  # of the slopes along both axes
    scatter: float  # about a line along the rows, DN/s


_LIMITS = {
    "NRC_IMAGE": _Limits(0.1, 0.07, 1e-5, 1e-5, 3.0, 0.02),
    "NIS_IMAGE": _Limits(0.07, 0.07, 1e-5, 1e-4, 5.0, 0.02),
}


def has_automatic_parameters(exposure: Exposure) -> bool:
    """Whether parameters can be chosen for this exposure type."""
    return exposure.exp_type in _LIMITS


def automatic_parameters(exposure: Exposure, rate: F32, flat: Reference | None, tiles: Tiles) -> dict[str, Any]:
    """Choose apply_flat_field, background_method and fit_by_channel.

    The draft of the count rates is cleaned with default parameters; how much of it is masked, how much the
    background is inclined, and how much amplifiers differ decides.

    Parameters
    ----------
    exposure : Exposure
        Of an exposure type with automatic parameters.
    rate : float32 (ny, nx)
        Draft of the count rate, DN/s.
    flat : Reference or None
    tiles : Tiles
    """
    image, use = _quick_clean(exposure, rate, flat, tiles)
    limits = _LIMITS[exposure.exp_type]
    along_x = _middle_mean(image, 3, 5, 8, axis=0)
    along_y = _middle_mean(image, 3, 5, 8, axis=1)
    slope_x, scatter = _line(along_x)
    slope_y, _ = _line(along_y)
    slopes = np.abs([slope_x, slope_y])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = slopes.max() / slopes.min()
    if exposure.exp_type == "NIS_IMAGE":  # its first amplifier, at the top, differs most
        _, scatter = _line(_middle_mean(image, 10, 11, 12, axis=0))
        offset = _largest_offset(along_y)
    else:
        offset = _largest_offset(along_x)
    method, by_channel = _decide(limits, float((~use).mean()), offset, slopes.max(), ratio, scatter)
    return {
        "apply_flat_field": flat is not None,
        "background_method": method,
        "fit_by_channel": by_channel,
    }


def _decide(
    limits: _Limits, masked: float, offset: float, slope: float, ratio: float, scatter: float
) -> tuple[str, bool]:
    crowded, apart = masked >= limits.masked, offset >= limits.offset
    inclined, steep = slope >= limits.slope, slope >= limits.steep
    if crowded:
        return "model" if (steep if apart else inclined) else "median", False
    if apart:
        return "median", True
    one_way = ratio >= limits.ratio
    method = "model" if steep or (inclined and not one_way) else "median"
    return method, bool(offset > 0 and scatter >= limits.scatter)


def _quick_clean(
    exposure: Exposure, rate: F32, flat: Reference | None, tiles: Tiles
) -> tuple[F32, NDArray[np.bool_]]:
    """Clean the draft with default parameters, and put smooth background in place of sources."""
    from jwcal_interactive.kernels.background import (
        Background,
        background_limits,
        keep_between,
        sorted_values,
        subtract_background,
    )
    from jwcal_interactive.kernels.clean_flicker_noise import subtract_line_medians

    image, use, scratch = rate.copy(), np.ones(rate.shape, np.bool_), np.empty(rate.size, np.float32)
    divisor = flat_image({"flat": flat}, rate.shape, tiles)
    if divisor is not None:
        image /= divisor
    values = sorted_values(image, use, scratch, tiles.check)
    keep_between(image, *background_limits(values), use)
    bad = np.isnan(image)
    image[bad] = 0
    use &= ~bad
    background, values = subtract_background(image, use, scratch, Background(), tiles.check)
    keep_between(image, *background_limits(values, lower_half_only=True), use)
    subtract_line_medians(image, use, abs(exposure.slowaxis) == 2, 1, scratch, tiles.check)
    image += background
    image[bad] = np.nan
    level, _ = subtract_background(image.copy(), use, scratch, Background("model"), tiles.check)
    return np.where(use, image, level), use


def _middle_mean(image: F32, start: int, stop: int, parts: int, *, axis: int) -> F32:
    """Mean of rows (axis 0) or columns (axis 1) between two fractions of their number, NaN left out."""
    size = image.shape[axis]
    part = slice(round(Fraction(start, parts) * size), round(Fraction(stop, parts) * size))
    return np.nanmean(image[part] if axis == 0 else image[:, part], axis=axis)  # type: ignore[no-any-return]


def _line(values: F32) -> tuple[float, float]:
    """Slope of a straight line through values, per pixel, and the clipped scatter about it."""
    place = np.flatnonzero(np.isfinite(values))
    fit = np.polynomial.Polynomial.fit(place, values[place], deg=1)
    coefficients = fit.convert().coef
    slope = coefficients[1] if len(coefficients) > 1 else 0.0
    return float(slope), float(_clipped(values[place] - fit(place), _LINE_CLIP_SIGMA).std())


def _largest_offset(values: F32) -> float:
    """Largest difference of the means of adjacent amplifiers; 0 for subarrays."""
    if values.size != FULL_SIZE:
        return 0.0
    means = [_clipped(part, _CLIP_SIGMA).mean() for part in np.split(values, AMPLIFIERS)]
    return float(np.abs(np.diff(means)).max())


def _clipped(values: NDArray[np.floating], limit: float) -> NDArray[np.floating]:
    values = values[np.isfinite(values)]
    for _ in range(_CLIP_ROUNDS):
        centre, reach = np.median(values), limit * values.std()
        kept = values[(values >= centre - reach) & (values <= centre + reach)]
        if kept.size in (0, values.size):
            break
        values = kept
    return values
