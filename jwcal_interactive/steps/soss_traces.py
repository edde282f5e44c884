"""Where the traces of NIRISS SOSS fall on the detector, from the pastasoss reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Reference
from jwcal_interactive.errors import InputError

__all__ = ["near_traces"]

_HALF_WIDTH = 16  # pixels above and below the middle of a trace
_HIGHEST_ROW = 255.0  # of the subarray that traces are defined in
_ROWS_BELOW_SUBSTRIP96 = 10

F64 = NDArray[np.float64]


def near_traces(exposure: Exposure, reference: Reference, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels within 16 pixels of the middle of a trace, in all spectral orders of the reference.

    Traces are turned about their pivot by as much as the pupil wheel is off its commanded position (the method
    of PASTASOSS, Baines et al. 2023), and extrapolated in wavelength to the range of the wavelength map.

    Parameters
    ----------
    exposure : Exposure
        With PWCPOS, degrees.
    reference : Reference
        Type pastasoss.
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    bool (ny, nx)

    Raises
    ------
    InputError
        If PWCPOS is missing, or outside the range of the reference.
    """
    meta = reference.tree["meta"]
    position = exposure.keyword("PWCPOS")
    lowest, highest = meta["pwcpos_bounds"]
    if not isinstance(position, int | float) or not lowest <= position <= highest:
        raise InputError(
            f"{exposure.filename}: PWCPOS = {position}; the traces of reference {reference.name} are for pupil "
            f"wheel positions from {lowest} to {highest} degrees. Leave out mask_science_regions."
        )
    grid = np.linspace(meta["wavemap_wlmin"], meta["wavemap_wlmax"], int(meta["wavemap_nwl"]))
    turn = float(position) - meta["pwcpos_cmd"]
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])
    near = np.zeros(shape, np.bool_)
    for trace, model in zip(reference.tree["traces"], reference.tree["wavecal_models"], strict=True):
        x, y = _turned(trace, turn, exposure.subarray)
        wavelength = _wavelengths(model, x, turn)
        x, y = _on_grid(grid, wavelength, x), _on_grid(grid, wavelength, y)
        order = np.argsort(x)
        middle = np.interp(columns, x[order], y[order])
        near |= (rows >= np.floor(middle - _HALF_WIDTH)) & (rows <= np.ceil(middle + _HALF_WIDTH))
    return near


def _turned(trace: Mapping[str, Any], degrees: float, subarray: str) -> tuple[F64, F64]:
    """Trace after a turn about its pivot, at its own columns, as far as it is in the subarray; pixels."""
    x, y = np.array(trace["trace"], np.float64).T
    if subarray == "SUBSTRIP96":
        y = y - _ROWS_BELOW_SUBSTRIP96
    angle = np.radians(degrees)
    dx, dy = x - trace["pivot_x"], y - trace["pivot_y"]
    turned_x = np.cos(angle) * dx - np.sin(angle) * dy + trace["pivot_x"]
    turned_y = np.sin(angle) * dx + np.cos(angle) * dy + trace["pivot_y"]
    at_columns = _extended(x, turned_x, turned_y)
    inside = at_columns <= _HIGHEST_ROW
    return x[inside], at_columns[inside]


def _wavelengths(model: Mapping[str, Any], x: F64, degrees: float) -> F64:
    """Wavelength of a trace at columns: a polynomial in column and turn, both scaled to 0 to 1."""
    (x_low, turn_low), (x_high, turn_high) = model["scale_extents"]
    u = (x - x_low) / (x_high - x_low)
    v = (degrees - turn_low) / (turn_high - turn_low)
    total: F64 = np.zeros_like(u)
    degree = place = 0
    coefficients = np.asarray(model["coefficients"], np.float64)
    while place < coefficients.size:  # 1; u, v; u^2, u v, v^2; …
        for power in range(degree + 1):
            total += coefficients[place + power] * u ** (degree - power) * v**power
        degree, place = degree + 1, place + degree + 1
    return total


def _on_grid(grid: F64, wavelength: F64, quantity: F64) -> F64:
    order = np.argsort(wavelength)
    return _extended(grid, wavelength[order], quantity[order])


def _extended(at: F64, x: F64, y: F64) -> F64:
    """Linear interpolation, going on in straight lines beyond both ends."""
    order = np.argsort(x)
    x, y = x[order], y[order]
    out = np.interp(at, x, y)
    for beyond, end, next_to_it in ((at < x[0], 0, 1), (at > x[-1], -1, -2)):
        slope = (y[end] - y[next_to_it]) / (x[end] - x[next_to_it])
        out[beyond] = y[end] + slope * (at[beyond] - x[end])
    return out
