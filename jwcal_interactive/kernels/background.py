"""Background of an image: clipped statistics, limits of what counts as background, a smooth model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    b1,
    f64,
    i64,
    r_f32_2,
    r_f64_2,
    void,
    w_b1_2,
    w_f32_2,
    w_f64_1,
)

__all__ = [
    "Background",
    "Limits",
    "background_limits",
    "background_model",
    "clipped_statistics",
    "gather_values",
    "keep_between",
    "middle",
    "sorted_values",
    "subtract_background",
]

F32: TypeAlias = NDArray[np.float32]
B1: TypeAlias = NDArray[np.bool_]
Check: TypeAlias = Callable[[], None]
"""Called often; raises to stop."""

_CLIP_SIGMA = 3.0
_CLIP_ROUNDS = 5

_HISTOGRAM_BINS = 2000
_HISTOGRAM_HALF_WIDTH = 4.0  # sigma

_MESH_LARGEST_BOX = 32
_MESH_FEWEST_GOOD = 0.9  # of the pixels of a whole box, after clipping
_MESH_NEIGHBOURS = 10
_SPLINE_ORDER = 3
_BAND = 32  # rows between two looks at whether to stop

_r_f32_1 = types.Array(types.float32, 1, "C", readonly=True)
_w_f32_1 = types.Array(types.float32, 1, "C")


@njit
def _first_at_least(values, first, last, limit):
    while first < last:
        mid = (first + last) // 2
        if values[mid] < limit:
            first = mid + 1
        else:
            last = mid
    return first


@njit
def _first_above(values, first, last, limit):
    while first < last:
        mid = (first + last) // 2
        if values[mid] <= limit:
            first = mid + 1
        else:
            last = mid
    return first


@njit
def _moments(values, first, last, origin):
    """Sum deviations from an origin, and their squares."""
    sum0 = sum1 = sum2 = sum3 = 0.0
    square0 = square1 = square2 = square3 = 0.0
    at = first
    while at + 4 <= last:  # four independent sums keep the processor busy
        d0, d1 = values[at] - origin, values[at + 1] - origin
        d2, d3 = values[at + 2] - origin, values[at + 3] - origin
        sum0 += d0
        sum1 += d1
        sum2 += d2
        sum3 += d3
        square0 += d0 * d0
        square1 += d1 * d1
        square2 += d2 * d2
        square3 += d3 * d3
        at += 4
    while at < last:
        d0 = values[at] - origin
        sum0 += d0
        square0 += d0 * d0
        at += 1
    return (sum0 + sum1) + (sum2 + sum3), (square0 + square1) + (square2 + square3)


@njit
def _middle(values, first, last):
    half = (first + last) // 2
    if (last - first) % 2:
        return np.float64(values[half])
    return (np.float64(values[half - 1]) + np.float64(values[half])) / 2


@njit
def _shrunk(values, sums, squares, before, after, origin):
    """Moments of a range from those of a wider one, unless rounding errors of what is left out would show."""
    low_sum, low_squares = _moments(values, before[0], after[0], origin)
    high_sum, high_squares = _moments(values, after[1], before[1], origin)
    left = squares - (low_squares + high_squares)
    if not left > squares / 16:
        return _moments(values, after[0], after[1], origin)
    return sums - (low_sum + high_sum), left


@kernel(void(_r_f32_1, f64, i64, b1, w_f64_1))
def clipped_statistics(values, limit, rounds, mirrored, out):
    """Mean, median and standard deviation after iterative sigma clipping about the median.

    Parameters
    ----------
    values : float32 (n,)
        Sorted, finite; not empty.
    limit : float
        Values further than this many standard deviations from the median are clipped.
    rounds : int
        Clipping ends when nothing is clipped any more, or after so many rounds.
    mirrored : bool
        Take the values together with their mirror images about ``out[0]``, which no value exceeds. Mean and
        median of all are ``out[0]`` but for rounding.
    out : float64 (3,)
        Mean, median, standard deviation.
    """
    first, last = 0, values.size
    origin = out[0] if mirrored else _middle(values, first, last)
    sums, squares = _moments(values, first, last, origin)
    for done in range(rounds + 1):
        count = last - first
        if mirrored:
            nearest = values[last - 1] - origin
            out[1] = ((nearest + origin) + (origin - nearest)) / 2
            spread = math.sqrt(squares / count)
        else:
            out[0] = origin + sums / count
            out[1] = _middle(values, first, last)
            mean = sums / count
            spread = math.sqrt(max(squares / count - mean * mean, 0.0))
        out[2] = spread
        if done == rounds:
            return
        low = _first_at_least(values, first, last, out[1] - limit * spread)
        high = last
        if not mirrored:
            high = _first_above(values, low, last, out[1] + limit * spread)
        if (low == first and high == last) or low == high:
            return
        sums, squares = _shrunk(values, sums, squares, (first, last), (low, high), origin)
        first, last = low, high


@kernel(i64(r_f32_2, w_b1_2, _w_f32_1))
def gather_values(image, use, out_values):
    """Copy the finite values of the pixels to use; returns how many there are.

    Parameters
    ----------
    image : float32 (ny, nx)
    use : bool (ny, nx)
    out_values : float32 (ny * nx,)
    """
    count = 0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            if use[y, x] and np.isfinite(image[y, x]):
                out_values[count] = image[y, x]
                count += 1
    return count


@kernel(void(r_f32_2, f64, f64, w_b1_2))
def keep_between(image, lower, upper, use):
    """Take pixels below ``lower`` and above ``upper`` out of ``use``, in place; NaN stays."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = image[y, x]
            use[y, x] = use[y, x] and not (value < lower) and not (value > upper)


class Limits(NamedTuple):
    """Smallest and largest value of the background, in the unit of the image."""

    lower: float
    upper: float


_EVERYTHING = Limits(-math.inf, math.inf)


def background_limits(
    values: F32,
    sigma_lower: float = 3.0,
    sigma_upper: float = 2.0,
    *,
    fit_histogram: bool = False,
    lower_half_only: bool = False,
) -> Limits:
    """Limits of the background: a centre, and a number of standard deviations to either side.

    Centre and standard deviation come from sigma clipping (3 sigma about the median, five rounds).

    Parameters
    ----------
    values : float32 (n,)
        Sorted, finite.
    sigma_lower, sigma_upper : float
        Standard deviations from the centre to the limits.
    fit_histogram : bool
        Refine both by a Gaussian fitted to a histogram of the values; where that fails, they stay.
    lower_half_only : bool
        Measure the values up to the centre and their mirror images only, so that emission, which is
        positive, does not count.

    Returns
    -------
    Limits
        Infinite without values.
    """
    if not values.size:
        return _EVERYTHING
    statistics = np.empty(3)
    clipped_statistics(values, _CLIP_SIGMA, _CLIP_ROUNDS, False, statistics)
    centre = statistics[0 if fit_histogram else 1]
    lower_half = None
    if lower_half_only:
        lower_half = values[: _count_up_to(values, centre)]
        statistics[0] = centre
        clipped_statistics(lower_half, _CLIP_SIGMA, _CLIP_ROUNDS, True, statistics)
        if not fit_histogram:
            centre = statistics[1]
    sigma = statistics[2]
    if fit_histogram:
        fitted = _fit_histogram(values, lower_half, centre, sigma)
        if fitted is not None:
            centre, sigma = fitted
    return Limits(float(centre - sigma_lower * sigma), float(centre + sigma_upper * sigma))


def _count_up_to(values: F32, limit: float) -> int:
    """Count sorted values that are not above a limit, without converting them all to its precision."""
    nearest = np.float32(limit)
    if nearest > limit:
        nearest = np.nextafter(nearest, np.float32(-np.inf))
    return int(np.searchsorted(values, nearest, side="right"))


def _count_below(values: F32, limit: float) -> int:
    nearest = np.float32(limit)
    if nearest < limit:
        nearest = np.nextafter(nearest, np.float32(np.inf))
    return int(np.searchsorted(values, nearest, side="left"))


def _fit_histogram(
    values: F32, lower_half: F32 | None, centre: float, sigma: float
) -> tuple[float, float] | None:
    """Mean and width of a Gaussian fitted to the histogram; ``None`` if there is no fit."""
    from scipy.optimize import curve_fit

    half_width = _HISTOGRAM_HALF_WIDTH * sigma
    edges = np.linspace(centre - half_width, centre + half_width, _HISTOGRAM_BINS + 1)
    if not (np.isfinite(edges).all() and edges[0] < edges[-1]):
        return None
    if lower_half is None:
        counts = _histogram(values, edges)
    else:
        distance = lower_half.astype(np.float64) - centre
        counts = _histogram(distance + centre, edges) + _histogram((centre - lower_half[::-1]) + centre, edges)
    places = (edges[1:] + edges[:-1]) / 2.0
    highest = np.argmax(counts)

    def gaussian(x, height, mean, width):
        return height * np.exp(-0.5 * ((x - mean) / width) ** 2)

    start = (counts[highest], places[highest], sigma)
    bounds = [(0, places[0], 0), (np.inf, places[-1], places[-1] - places[0])]
    try:
        (_, mean, width), _ = curve_fit(gaussian, places, counts, p0=start, bounds=bounds)
    except (RuntimeError, ValueError):  # it does not converge, or the histogram has no peak
        return None
    return mean, width


def _histogram(values: NDArray[np.floating], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count sorted values between edges; the last bin holds its upper edge."""
    if values.dtype == np.float32:
        places = [_count_below(values, edge) for edge in edges[:-1]]
        places.append(_count_up_to(values, edges[-1]))
        return np.diff(places)
    first = np.searchsorted(values, edges[:-1], side="left")
    return np.diff(np.append(first, np.searchsorted(values, edges[-1], side="right")))


def middle(values: F32) -> np.float32:
    """Median of sorted values, rounded to float32 as their sum is."""
    half = values.size // 2
    if values.size % 2:
        return values[half]  # type: ignore[no-any-return]
    return (values[half - 1] + values[half]) / np.float32(2)  # type: ignore[no-any-return]


class Background(NamedTuple):
    """How a background is measured.

    Attributes
    ----------
    method : {"median", "model"} or None
        One value, a smooth model, or none.
    box : (int, int) or None
        Rows and columns of the boxes of the model, pixels; ``None``: the largest numbers up to 32 that divide
        the image.
    smoothing : int
        Boxes on a side of the median filter of the model; odd.
    """

    method: str | None = "median"
    box: tuple[int, int] | None = None
    smoothing: int = 5


def subtract_background(
    image: F32, use: B1, scratch: F32, how: Background, check: Check
) -> tuple[np.float32 | F32, F32]:
    """Subtract the background from an image, in place, having taken what is not background out of ``use``.

    Parameters
    ----------
    image : float32 (ny, nx)
        Without NaN where ``use`` is set; changed.
    use : bool (ny, nx)
        Pixels that may be background; changed.
    scratch : float32 (ny * nx,)
    how : Background
    check : callable

    Returns
    -------
    background : float32, or float32 (ny, nx)
    values : float32 (n,)
        The values of ``use`` after subtraction, finite and sorted; a part of the scratch.
    """
    if how.method is None:
        return np.float32(0), scratch[:0]
    values = sorted_values(image, use, scratch, check)
    limits = background_limits(values, _CLIP_SIGMA, _CLIP_SIGMA, lower_half_only=True)
    check()
    keep_between(image, limits.lower, limits.upper, use)
    values = values[_count_below(values, limits.lower) : _count_up_to(values, limits.upper)]
    check()
    background: np.float32 | F32 = middle(values) if values.size else np.float32(np.nan)
    if how.method == "model":
        model = background_model(image, use, how.box, check, how.smoothing)
        if model is not None:
            background = model
    image -= background
    check()
    if isinstance(background, np.ndarray):
        return background, sorted_values(image, use, scratch, check)
    values -= background  # subtraction keeps the order
    return background, values


def sorted_values(image: F32, use: B1, scratch: F32, check: Check) -> F32:
    """Sort the finite values of the pixels to use; they take the place of the scratch, (ny * nx,)."""
    values = scratch[: gather_values(image, use, scratch)]
    check()
    values.sort()
    check()
    return values


def background_model(
    image: F32, use: B1, box: tuple[int, int] | None, check: Check, smoothing: int = 5
) -> F32 | None:
    """Smooth background: clipped medians of boxes, filtered, and a cubic spline through them.

    The definition of ``Background2D`` of photutils with a median estimator: boxes of which at least 10 % is
    clipped or not used take the mean of the ten nearest good boxes, weighted by 1 / distance; a median filter
    of boxes follows; a bicubic spline, mirrored at the edges, is evaluated in each pixel and limited to
    the range of the boxes. Boxes at the upper edges may be incomplete.

    Parameters
    ----------
    image : float32 (ny, nx)
    use : bool (ny, nx)
        Pixels of the background.
    box : (int, int) or None
        Rows and columns of a box, pixels; ``None``: the largest numbers up to 32 that divide the image.
    check : callable
    smoothing : int
        Boxes on a side of the median filter; odd.

    Returns
    -------
    float32 (ny, nx) or None
        In the unit of the image; ``None`` if no box is good.
    """
    ny, nx = image.shape
    rows, columns = box or (_largest_box(ny), _largest_box(nx))
    rows, columns = min(rows, ny), min(columns, nx)
    mesh = _box_medians(image, use, rows, columns, check)
    if np.isnan(mesh).all():
        return None
    mesh = _filtered(_filled(mesh), smoothing)
    lowest, highest = mesh.min(), mesh.max()
    if lowest == highest:
        return np.full((ny, nx), lowest, np.float32)
    from scipy.ndimage import spline_filter

    coefficients = spline_filter(mesh, order=_SPLINE_ORDER, output=np.float64, mode="reflect")
    # Without BLAS, whose threads get into each other's way when several images are worked on at once.
    across = np.einsum("xb,yb->yx", _spline_weights(mesh.shape[1], columns, nx), coefficients)
    weights, out = _spline_weights(mesh.shape[0], rows, ny), np.empty((ny, nx), np.float32)
    for y0 in range(0, ny, _BAND):
        check()
        _weighted_sums(weights, across, lowest, highest, out, y0, min(y0 + _BAND, ny))
    return out


def _largest_box(size: int) -> int:
    return max(n for n in range(1, _MESH_LARGEST_BOX + 1) if size % n == 0)


@kernel(void(r_f32_2, f64, i64, i64, w_f32_2, i64))
def _medians_of_sorted(boxes, limit, rounds, fewest, out_mesh, row):
    statistics = np.empty(3)
    for b in range(boxes.shape[0]):
        values = boxes[b]
        count = _first_above(values, 0, values.size, np.finfo(np.float32).max)
        out_mesh[row, b] = np.nan
        if count < fewest:
            continue
        # All values of the box within the last limits count, also those that an earlier round clipped.
        first, last, low, high = 0, count, 0, count
        for _ in range(rounds):
            origin = _middle(values, first, last)
            sums, squares = _moments(values, first, last, origin)
            mean = sums / (last - first)
            statistics[2] = math.sqrt(max(squares / (last - first) - mean * mean, 0.0))
            lower, upper = origin - limit * statistics[2], origin + limit * statistics[2]
            low, high = _first_at_least(values, 0, count, lower), _first_above(values, 0, count, upper)
            inner = max(low, first), min(high, last)
            if inner == (first, last) or inner[0] >= inner[1]:
                break
            first, last = inner
        if high - low >= fewest:
            half = (low + high) // 2
            if (high - low) % 2:
                out_mesh[row, b] = values[half]
            else:
                out_mesh[row, b] = (values[half - 1] + values[half]) / np.float32(2)


def _box_medians(image: F32, use: B1, rows: int, columns: int, check: Check) -> F32:
    """Clipped median of each box; NaN where too few pixels are good."""
    ny, nx = image.shape
    mesh = np.empty((-(-ny // rows), -(-nx // columns)), np.float32)
    fewest = math.floor(_MESH_FEWEST_GOOD * (rows * columns)) + 1
    padded = np.empty((rows, mesh.shape[1] * columns), np.float32)
    for row in range(mesh.shape[0]):
        check()
        part = slice(row * rows, (row + 1) * rows)
        padded[:] = np.inf  # sorts behind all others
        band = image[part]
        padded[: len(band), :nx] = np.where(use[part] & np.isfinite(band), band, np.float32(np.inf))
        boxes = padded.reshape(rows, -1, columns).swapaxes(0, 1).reshape(-1, rows * columns)
        boxes = np.ascontiguousarray(boxes)
        boxes.sort(axis=1)
        _medians_of_sorted(boxes, _CLIP_SIGMA, _CLIP_ROUNDS, fewest, mesh, row)
    return mesh


def _filled(mesh: F32) -> F32:
    """Mesh with the mean of near boxes, weighted by inverse distance, where it is NaN."""
    from scipy.spatial import KDTree

    bad = np.isnan(mesh)
    if not bad.any():
        return mesh
    good = np.argwhere(~bad)
    levels = mesh[~bad]
    distance, nearest = KDTree(good).query(np.argwhere(bad), k=_MESH_NEIGHBOURS)
    found = np.isfinite(distance)
    weights = np.where(found, 1.0 / distance, 0.0)
    near = levels[np.where(found, nearest, 0)]
    out = mesh.copy()
    out[bad] = (weights * near).sum(axis=1) / weights.sum(axis=1)
    return out


def _filtered(mesh: F32, size: int) -> F32:
    """Take the running median over boxes; at the edges, over those that there are."""
    pad = size // 2
    padded = np.pad(mesh.astype(np.float64), pad, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    ordered = np.sort(windows.reshape(*mesh.shape, -1), axis=-1)
    count = (~np.isnan(ordered)).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, (count - 1) // 2, axis=-1)
    high = np.take_along_axis(ordered, count // 2, axis=-1)
    return ((low + high) / 2)[..., 0].astype(np.float32)


@kernel(void(r_f64_2, r_f64_2, f64, f64, w_f32_2, i64, i64))
def _weighted_sums(weights, rows, lowest, highest, out, y0, y1):
    """Weighted sums of rows, of which most weights are 0, limited to a range."""
    sums = np.empty(rows.shape[1])
    for y in range(y0, y1):
        sums[:] = 0
        for row in range(weights.shape[1]):
            weight = weights[y, row]
            if weight != 0:
                for x in range(sums.size):
                    sums[x] += weight * rows[row, x]
        for x in range(sums.size):
            out[y, x] = min(max(sums[x], lowest), highest)


def _spline_weights(boxes: int, size: int, pixels: int) -> NDArray[np.float64]:
    """Weights (pixels, boxes) of the coefficients of a cubic spline along one axis."""
    from scipy.ndimage import zoom

    single = (
        zoom(box, size, order=_SPLINE_ORDER, mode="reflect", grid_mode=True, prefilter=False)[:pixels]
        for box in np.eye(boxes)
    )
    return np.stack(list(single), axis=1)
