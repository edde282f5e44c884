"""Regions of flagged pixels and the ellipses of their size: what large events are found and drawn by."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import U8

__all__ = ["Ellipse", "Regions", "Stamp", "enlarged", "find_regions", "stamp"]

_NO_EARLIER = np.empty((0, 0), np.uint8)
_FIRST_GUESS = 1 << 14  # runs of flagged pixels in a group


class Ellipse(NamedTuple):
    """An ellipse: centre, pixels from 0; full axes, pixels; angle from +y towards +x, degrees."""

    x: float
    y: float
    minor: float
    major: float
    angle: float

    def contains(self, x: float, y: float) -> bool:
        """Whether a point lies in the ellipse as `expand_large_events` sees it.

        The official code, whose flags this keeps, takes the major axis along x at angle 0 here, and along y
        where it draws: for round regions that is the same.
        """
        angle = np.radians(180 - self.angle)
        dx, dy = x - self.x, y - self.y
        along = dx * np.cos(angle) - dy * np.sin(angle)
        across = dx * np.sin(angle) + dy * np.cos(angle)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.square(along) / np.square(0.5 * self.major)
            distance += np.square(across) / np.square(0.5 * self.minor)
        return bool(distance <= 1)


class Stamp(NamedTuple):
    """Where an ellipse lies in an image: a window, and the pixels of the window that are inside."""

    window: tuple[slice, slice]
    inside: NDArray[np.bool_]


def stamp(ellipse: Ellipse, minor: float, major: float, shape: tuple[int, int]) -> Stamp:
    """Draw an ellipse with other full axes; centre and semi-axes are rounded to whole pixels.

    Pixels whose centres are inside, not on, the ellipse are drawn. The arithmetic is that of
    `skimage.draw.ellipse`, so that pixels near the edge are the same. The axes of regions that are one pixel
    wide are negative: then the ellipse of their size is cut to a box that is too small, as it is there.
    """
    x, y = round(ellipse.x), round(ellipse.y)
    a, b = round(major / 2), round(minor / 2)
    reach = max(a, b) + 2
    bottom, left = max(y - reach, 0), max(x - reach, 0)
    window = (slice(bottom, min(y + reach + 1, shape[0])), slice(left, min(x + reach + 1, shape[1])))
    inside = np.zeros((window[0].stop - bottom, window[1].stop - left), bool)
    if a == 0 or b == 0:
        return Stamp(window, inside)
    angle = np.radians(ellipse.angle) % np.pi
    sin, cos = np.sin(angle), np.cos(angle)
    rows = _within(y - bottom, abs(a * cos) + b * sin, inside.shape[0])
    columns = _within(x - left, a * sin + abs(b * cos), inside.shape[1])
    dy = np.arange(rows.start - (y - bottom), rows.stop - (y - bottom), dtype=float)[:, None]
    dx = np.arange(columns.start - (x - left), columns.stop - (x - left), dtype=float)
    distance = ((dy * cos + dx * sin) / a) ** 2 + ((dy * sin - dx * cos) / b) ** 2
    inside[rows, columns] = distance < 1
    return Stamp(window, inside)


def _within(centre: int, half: float, size: int) -> slice:
    """Whole numbers no further than `half` from `centre`, of those from 0 to `size`."""
    first = max(math.ceil(centre - half), 0)
    return slice(first, max(min(math.floor(centre + half), size - 1) + 1, first))


def enlarged(ellipse: Ellipse, ratio: float, longest: float, shape: tuple[int, int]) -> Stamp:
    """Draw an ellipse enlarged: the minor axis by a ratio, the major axis by as many pixels.

    So elongated ellipses do not become too large. No full axis becomes longer than `longest`, pixels.
    """
    major = ellipse.major + (ratio - 1.0) * ellipse.minor
    return stamp(ellipse, min(ellipse.minor * ratio, longest), min(major, longest), shape)


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions of pixels that touch, also at corners.

    Attributes
    ----------
    sums : int64 (n, 10)
        As `kernels.jump_regions.join_runs` gives them.
    runs : int64 (number of runs, 3)
        Row, first column, column after the last.
    members : tuple of int64 arrays
        The runs of each region.
    """

    sums: NDArray[np.int64]
    runs: NDArray[np.int64]
    members: tuple[NDArray[np.int64], ...]
    _ellipses: dict[int, Ellipse] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.members)

    @functools.cached_property
    def x(self) -> NDArray[np.float64]:
        """Mean x of the pixels of each region."""
        from jwcal_interactive.kernels import jump_regions as kernels

        return np.asarray(self.sums[:, kernels.SUM_X] / self.sums[:, kernels.SIZE])

    @functools.cached_property
    def y(self) -> NDArray[np.float64]:
        """Mean y of the pixels of each region."""
        from jwcal_interactive.kernels import jump_regions as kernels

        return np.asarray(self.sums[:, kernels.SUM_Y] / self.sums[:, kernels.SIZE])

    @functools.cached_property
    def semi_axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Semi-axes, minor and major, of the ellipses with the second moments of the regions, pixels."""
        from jwcal_interactive.kernels import jump_regions as kernels

        n = self.sums[:, kernels.SIZE]
        yy = self.sums[:, kernels.SUM_YY] / n - self.y**2
        xx = self.sums[:, kernels.SUM_XX] / n - self.x**2
        xy = self.sums[:, kernels.SUM_XY] / n - self.x * self.y
        middle, spread = (yy + xx) / 2, np.hypot((yy - xx) / 2, xy)
        return 2 * np.sqrt(np.maximum(middle - spread, 0)), 2 * np.sqrt(np.maximum(middle + spread, 0))

    def window(self, i: int) -> tuple[slice, slice]:
        """Rows and columns that hold region `i`."""
        from jwcal_interactive.kernels import jump_regions as kernels

        _, _, _, _, _, _, bottom, top, left, right = (int(n) for n in self.sums[i, : kernels.SUMS])
        return slice(bottom, top), slice(left, right)

    def pixels(self, i: int) -> NDArray[np.bool_]:
        """Which pixels of its window are in region `i`."""
        rows, columns = self.window(i)
        image = np.zeros((rows.stop - rows.start, columns.stop - columns.start), bool)
        for y, x0, x1 in self.runs[self.members[i]].tolist():
            image[y - rows.start, x0 - columns.start : x1 - columns.start] = True
        return image

    def ellipse(self, i: int) -> Ellipse:
        """Ellipse with the second moments of region `i`, with axes less by one pixel."""
        if i not in self._ellipses:
            self._ellipses[i] = _ellipse(self.pixels(i), float(self.x[i]), float(self.y[i]))
        return self._ellipses[i]


def find_regions(flags: U8, bit: int, min_area: float, earlier: U8 | None = None) -> Regions:
    """Find regions with a flag, whose area with holes filled is at least `min_area`.

    Parameters
    ----------
    flags : uint8 (ny, nx)
        Flags of a group.
    bit : int
        The flag.
    min_area : float
        Pixels.
    earlier : uint8 (ny, nx), optional
        Flags of another group: pixels that have the flag there do not count.
    """
    from jwcal_interactive.kernels import jump_regions as kernels

    before = _NO_EARLIER if earlier is None else earlier
    runs = np.empty((_FIRST_GUESS, 3), np.int64)
    n = kernels.find_runs(flags, before, bit, runs)
    if n > len(runs):
        runs = np.empty((n, 3), np.int64)
        kernels.find_runs(flags, before, bit, runs)
    region = np.empty(n, np.int64)
    sums = np.empty((n, kernels.SUMS), np.int64)
    sums = sums[: kernels.join_runs(runs, n, region, sums)]
    box = (sums[:, kernels.TOP] - sums[:, kernels.BOTTOM]) * (sums[:, kernels.RIGHT] - sums[:, kernels.LEFT])
    possible = np.flatnonzero(box >= min_area)
    order = np.argsort(region, kind="stable")
    starts = np.searchsorted(region[order], np.arange(len(sums) + 1))
    members = tuple(order[starts[i] : starts[i + 1]] for i in possible)
    found = Regions(sums[possible], runs[:n], members)
    kept = [
        i
        for i, size in enumerate(found.sums[:, kernels.SIZE])
        if size >= min_area or _filled(found, i) >= min_area
    ]
    return Regions(found.sums[kept], runs[:n], tuple(members[i] for i in kept))


def _filled(regions: Regions, i: int) -> int:
    """Area with holes: background that does not reach the outside, also not around corners."""
    from scipy.ndimage import binary_fill_holes

    return int(binary_fill_holes(regions.pixels(i), np.ones((3, 3))).sum())


def _ellipse(pixels: NDArray[np.bool_], x: float, y: float) -> Ellipse:
    """Ellipse from central moments (Teague 1980, J. Opt. Soc. Am. 70, 920).

    Axes are rounded to whole pixels later, and the angle of round regions hangs on the last bit: so sums
    and products are taken in the order of `skimage.measure.regionprops`.
    """
    ny, nx = pixels.shape
    n = np.count_nonzero(pixels)
    rows, columns = np.nonzero(pixels)
    orders = np.arange(4.0)
    powers_y = (np.arange(float(ny)) - rows.sum() / n)[:, None] ** orders
    powers_x = (np.arange(float(nx)) - columns.sum() / n)[:, None] ** orders
    moments = np.dot(powers_x.T, np.dot(powers_y.T, pixels.astype(float)).T).T
    both = moments[2, 0] + moments[0, 2]
    yy, xx, xy = (both - moments[2, 0]) / n, (both - moments[0, 2]) / n, -moments[1, 1] / n
    low, high = np.linalg.eigvalsh(np.array([[yy, xy], [xy, xx]])).clip(0)
    angle = 0.5 * math.atan2(-2 * xy, xx - yy)
    if yy == xx:
        angle = math.pi / 4 if xy < 0 else -math.pi / 4
    return Ellipse(x, y, 4 * math.sqrt(low) - 1, 4 * math.sqrt(high) - 1, float(np.degrees(angle)))
