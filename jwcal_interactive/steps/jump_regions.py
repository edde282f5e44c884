"""Regions of flagged pixels and the ellipses of their size: what large events are found and drawn by."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import U8

__all__ = ["Ellipse", "Regions", "Stamp", "enlarged", "find_regions", "stamp"]

_NO_EARLIER = np.empty((0, 0), np.uint8)
_FIRST_GUESS = 1 << 17  # runs of flagged pixels in a group


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

    Pixels whose centres are inside, not on, the ellipse are drawn.
    """
    x, y = round(ellipse.x), round(ellipse.y)
    a, b = round(major / 2), round(minor / 2)
    from_edge = max(a, b) + 2
    inside = _drawn(a, b, ellipse.angle, min(y, from_edge), min(x, from_edge))
    reach = inside.shape[0] // 2
    bottom, left = max(y - reach, 0), max(x - reach, 0)
    rows, columns = slice(bottom, min(y + reach + 1, shape[0])), slice(left, min(x + reach + 1, shape[1]))
    down, back = y - reach, x - reach
    part = inside[rows.start - down : rows.stop - down, columns.start - back : columns.stop - back]
    return Stamp((rows, columns), part)


@functools.lru_cache(maxsize=1024)
def _drawn(a: int, b: int, angle: float, y: int, x: int) -> NDArray[np.bool_]:
    """Pixels inside an ellipse of semi-axes a and b around the middle of a square image.

    The arithmetic is that of `skimage.draw.ellipse`, so that pixels near the edge are the same. The axes of
    regions that are one pixel wide are negative: then the ellipse of their size is cut to a box that is too
    small, as it is there, rounded as in an image with the ellipse at (y, x).
    """
    reach = max(a, b, 1)
    inside = np.zeros((2 * reach + 1, 2 * reach + 1), bool)
    if a != 0 and b != 0:
        turn = np.radians(angle) % np.pi
        sin, cos = np.sin(turn), np.cos(turn)
        offsets = np.arange(-reach, reach + 1.0)
        dy, dx = offsets[:, None], offsets
        distance = ((dy * cos + dx * sin) / a) ** 2 + ((dy * sin - dx * cos) / b) ** 2
        box = _within(dy, abs(a * cos) + b * sin, y) & _within(dx, a * sin + abs(b * cos), x)
        inside[...] = (distance < 1) & box
    inside.flags.writeable = False
    return inside


def _within(offsets: NDArray[np.float64], limit: float, centre: int) -> NDArray[np.bool_]:
    """Which offsets from a centre are within a limit; the ends are rounded as places."""
    first, last = np.ceil(centre - limit) - centre, np.floor(centre + limit) - centre
    return np.asarray((first <= offsets) & (offsets <= last))


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
        Row, first column, column after the last; those of one region follow each other.
    starts, stops : int64 (n,)
        Where in `runs` those of each region are.
    """

    sums: NDArray[np.int64]
    runs: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sums)

    def chosen(self, which: NDArray[Any]) -> Regions:
        """Choose some of the regions, by number or by a mask."""
        return Regions(self.sums[which], self.runs, self.starts[which], self.stops[which])

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

        bottom, top, left, right = self.sums[i, kernels.BOTTOM :].tolist()
        return slice(bottom, top), slice(left, right)

    def pixels(self, i: int) -> NDArray[np.bool_]:
        """Which pixels of its window are in region `i`."""
        rows, columns = self.window(i)
        image = np.zeros((rows.stop - rows.start, columns.stop - columns.start), bool)
        for y, x0, x1 in self.runs[self.starts[i] : self.stops[i]].tolist():
            image[y - rows.start, x0 - columns.start : x1 - columns.start] = True
        return image

    def ellipse(self, i: int) -> Ellipse:
        """Ellipse with the second moments of region `i`, with axes less by one pixel."""
        pixels = self.pixels(i)
        return Ellipse(float(self.x[i]), float(self.y[i]), *_axes(pixels.tobytes(), pixels.shape[1]))


def find_regions(flags: U8, bit: int, min_area: float, earlier: U8 | None = None, gap: int = 1) -> Regions:
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
    gap : int
        Pixels belong together that are no further apart along rows and columns; 1: that touch.
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
    sums = sums[: kernels.join_runs(runs, n, gap, region, sums)]
    order = np.argsort(region, kind="stable")
    edges = np.searchsorted(region[order], np.arange(len(sums) + 1))
    found = Regions(sums, runs[:n][order], edges[:-1], edges[1:])
    size = sums[:, kernels.SIZE]
    height, width = (
        sums[:, kernels.TOP] - sums[:, kernels.BOTTOM],
        sums[:, kernels.RIGHT] - sums[:, kernels.LEFT],
    )
    large = size >= min_area
    # Only regions with a row of two runs can have holes.
    perhaps = ~large & (height * width >= min_area) & (found.stops - found.starts > height)
    for i in np.flatnonzero(perhaps):
        large[i] = _filled(found.pixels(int(i))) >= min_area
    return found.chosen(large)


def _filled(pixels: NDArray[np.bool_]) -> int:
    """Area with holes: background that does not reach the outside, also not around corners."""
    from scipy.ndimage import binary_fill_holes

    return int(binary_fill_holes(pixels, np.ones((3, 3))).sum())


@functools.lru_cache(maxsize=4096)
def _axes(content: bytes, nx: int) -> tuple[float, float, float]:
    """Full axes, minor and major, and angle of a region, from central moments.

    After Teague 1980, J. Opt. Soc. Am. 70, 920. Axes are rounded to whole pixels later, and the angle of round
    regions hangs on the last bit: so sums and products are taken in the order of `skimage.measure.regionprops`.
    """
    pixels = np.frombuffer(content, bool).reshape(-1, nx)
    ny = len(pixels)
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
    return 4 * math.sqrt(low) - 1, 4 * math.sqrt(high) - 1, float(np.degrees(angle))
