"""From detector values to colours: display limits, stretches and colour tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_widgets.colormaps import INVALID_COLOR, color_ramp

__all__ = [
    "DARK_FLAGS",
    "LEVELS",
    "LIMITS",
    "STRETCHES",
    "Limits",
    "find_limits",
    "find_symmetric_limits",
    "lookup_table",
    "sample",
    "stretched",
    "to_rgb",
    "unstretched",
]

F64: TypeAlias = NDArray[np.float64]
Limits: TypeAlias = tuple[float, float]

# name -> (curve from 0..1 to 0..1, its inverse); those of SAOImage DS9
_CURVES: dict[str, tuple[Callable[[F64], F64], Callable[[F64], F64]]] = {
    "linear": (lambda f: f, lambda s: s),
    "sqrt": (lambda f: np.sqrt(f), lambda s: s**2),
    "asinh": (
        lambda f: np.arcsinh(10.0 * f) / math.asinh(10.0),
        lambda s: np.sinh(s * math.asinh(10.0)) / 10.0,
    ),
    "log": (
        lambda f: np.log1p(1000.0 * f) / math.log(1001.0),
        lambda s: np.expm1(s * math.log(1001.0)) / 1000.0,
    ),
}
STRETCHES = tuple(_CURVES)
LIMITS = {
    "99.5 %": 99.5,
    "99 %": 99.0,
    "98 %": 98.0,
    "95 %": 95.0,
    "90 %": 90.0,
    "min to max": 100.0,
    "zscale": None,
}
LEVELS = 4096
SAMPLE_SIZE = 100_000
DARK_FLAGS = DQ.DO_NOT_USE | DQ.NON_SCIENCE | DQ.REFERENCE_PIXEL  # unusable, or without light


def sample(
    data: NDArray[np.float32], dq: NDArray[np.uint32] | None = None, size: int = SAMPLE_SIZE
) -> NDArray[np.float32]:
    """Take finite values of an image on a regular grid, for robust limits at a fixed cost.

    Parameters
    ----------
    data : float32 (ny, nx)
        Image, in any unit.
    dq : uint32 (ny, nx), optional
        Pixels with a flag of `DARK_FLAGS` are left out, unless nothing else remains.
    size : int
        About how many values are taken.

    Returns
    -------
    float32 (n,)
        May be empty.
    """
    # An odd step does not fall on the same amplifier columns or rows again and again.
    step = max(1, int(np.sqrt(data.size / size))) | 1 if data.size > size else 1
    values = data[::step, ::step]
    finite = np.isfinite(values)
    if dq is not None:
        good = finite & ((dq[::step, ::step] & np.uint32(DARK_FLAGS)) == 0)
        if good.any():
            finite = good
    return values[finite]


def find_limits(values: NDArray[np.float32], method: str) -> Limits:
    """Return the display limits of a sample of values.

    Parameters
    ----------
    values : float32 (n,)
        Finite values, see `sample`.
    method : str
        A key of `LIMITS`: the central percentage of the values, or ``zscale`` (the IRAF algorithm,
        as in `astropy.visualization.ZScaleInterval`).

    Returns
    -------
    (float, float)
        Low and high limit in the unit of the image; low < high always.
    """
    if values.size == 0:
        return 0.0, 1.0
    percent = LIMITS[method]
    if percent is None:
        from astropy.visualization import ZScaleInterval

        low, high = ZScaleInterval().get_limits(values)
    else:
        tail = (100.0 - percent) / 2.0
        low, high = np.percentile(values, (tail, 100.0 - tail))
    low, high = float(low), float(high)
    if not high > low:
        half = max(abs(low) * 1e-3, 0.5)
        low, high = low - half, low + half
    return low, high


def find_symmetric_limits(values: NDArray[np.float32]) -> Limits:
    """Limits of a difference: symmetric about 0, and set by the values that are not 0."""
    changed = np.abs(values[values != 0])
    high = float(np.percentile(changed, 99.0)) if changed.size else 1.0
    return -high, high


def stretched(fraction: F64, stretch: str) -> F64:
    """Apply a stretch to fractions (0 to 1) of the display range; 0 and 1 stay where they are.

    They are sqrt(f), asinh(10 f) / asinh(10) and log(1000 f + 1) / log(1001).
    """
    return _CURVES[stretch][0](fraction)


def unstretched(shown: F64, stretch: str) -> F64:
    """Fraction of the display range that a stretch turns into a value; inverse of `stretched`."""
    return _CURVES[stretch][1](shown)


@lru_cache(maxsize=32)
def lookup_table(stretch: str, colormap: str) -> NDArray[np.uint8]:
    """Colours of `LEVELS` equal steps between the limits, and one more for invalid values.

    Returns
    -------
    uint8 (LEVELS + 1, 3)
    """
    fraction = stretched(np.linspace(0.0, 1.0, LEVELS), stretch)
    table = np.empty((LEVELS + 1, 3), np.uint8)
    table[:LEVELS] = color_ramp(colormap, fraction)
    table[LEVELS] = INVALID_COLOR
    table.flags.writeable = False
    return table


def to_rgb(data: NDArray[np.float32], limits: Limits, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colour an image.

    Parameters
    ----------
    data : float32 (ny, nx)
        Values; NaN and infinities get the colour of invalid values.
    limits : (float, float)
        Values shown with the first and last colour; those outside get the nearest of the two.
    table : uint8 (LEVELS + 1, 3)
        See `lookup_table`.

    Returns
    -------
    uint8 (ny, nx, 3)
    """
    low, high = limits
    finite = np.isfinite(data)
    level = (np.where(finite, data, low) - np.float32(low)) * np.float32((LEVELS - 1) / (high - low))
    np.clip(level, 0, LEVELS - 1, out=level)
    index = level.astype(np.int16)
    index[~finite] = LEVELS
    return table[index]
