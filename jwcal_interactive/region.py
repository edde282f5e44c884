"""Statistics of the pixels of a region: ramps, distribution of values, flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U8, U32, Ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError
from jwcal_interactive.steps.ramp_segments import group_times

__all__ = [
    "EXCLUDED",
    "Box",
    "FlagCount",
    "Histogram",
    "RegionRamp",
    "count_region_flags",
    "good_pixels",
    "region_histogram",
    "region_ramp",
    "robust_spread",
]

F64 = NDArray[np.float64]
B1 = NDArray[np.bool_]

_GAUSSIAN = 1.482602218505602  # standard deviation of a Gaussian by its median absolute deviation
_UNUSABLE = np.uint32(DQ.DO_NOT_USE | DQ.NON_SCIENCE | DQ.REFERENCE_PIXEL)
EXCLUDED = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)
"""Flags of groups that do not count."""


class Box(NamedTuple):
    """Columns x0 to x1 - 1 and rows y0 to y1 - 1 of a frame, in array coordinates."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def of(cls, selection: B1) -> Box:
        """Smallest box around selected pixels (ny, nx).

        Raises
        ------
        InputError
            If none is selected.
        """
        rows, columns = np.flatnonzero(selection.any(axis=1)), np.flatnonzero(selection.any(axis=0))
        if rows.size == 0:
            raise InputError("the region holds no pixel. Choose another range of values, or a box.")
        return cls(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)

    def check(self, frame: tuple[int, ...]) -> Box:
        """Return the box, if it lies in a frame (ny, nx).

        Raises
        ------
        InputError
        """
        ny, nx = frame[-2:]
        if not (0 <= self.x0 < self.x1 <= nx and 0 <= self.y0 < self.y1 <= ny):
            raise InputError(
                f"region: x {self.x0} to {self.x1 - 1}, y {self.y0} to {self.y1 - 1}: it must hold at least "
                f"one pixel and lie in the frame of {nx} x {ny} pixels."
            )
        return self

    @property
    def rows(self) -> slice:
        """Rows of the frame."""
        return slice(self.y0, self.y1)

    @property
    def columns(self) -> slice:
        """Columns of the frame."""
        return slice(self.x0, self.x1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, pixels."""
        return self.y1 - self.y0, self.x1 - self.x0


def robust_spread(values: NDArray[np.floating]) -> tuple[float, float]:
    """Median and 1.4826 times the median absolute deviation of finite values; NaN without any."""
    values = values[np.isfinite(values)]
    if values.size == 0:
        return np.nan, np.nan
    median = float(np.median(values))
    return median, _GAUSSIAN * float(np.median(np.abs(values - median)))


def good_pixels(pixeldq: U32, box: Box, selection: B1 | None) -> B1:
    """Find the pixels of the box that are selected and usable, by PIXELDQ."""
    good: B1 = (pixeldq[box.rows, box.columns] & _UNUSABLE) == 0
    return good if selection is None else good & selection


@dataclass(frozen=True, eq=False)
class RegionRamp:
    """Distribution of the pixel values of a region in each group, DN; all (ngroups,).

    Attributes
    ----------
    time : float64
        s since the start of the integration.
    median, low, high : float64
        Median, 16th and 84th percentile; NaN where no pixel is usable.
    count : int64
        Pixels that are usable in the group.
    """

    time: F64
    median: F64
    low: F64
    high: F64
    count: NDArray[np.int64]


def region_ramp(
    ramp: Ramp, integration: int, box: Box, selection: B1 | None = None, *, from_first: bool = False
) -> RegionRamp:
    """Median ramp of a region with its spread.

    Parameters
    ----------
    ramp : Ramp
    integration : int
        From 1.
    box : Box
    selection : bool array of the shape of the box, optional
        Pixels that count; by default all. Unusable ones (by PIXELDQ) never do, nor do groups that are
        DO_NOT_USE or SATURATED.
    from_first : bool
        Count from the first group of each pixel, so that pixels of different pedestal can be compared.

    Raises
    ------
    InputError
        If the box does not lie in the frame.
    """
    box.check(ramp.data.shape)
    good = good_pixels(ramp.pixeldq, box, selection)
    data = ramp.data[integration - 1][:, box.rows, box.columns][:, good]
    flags = ramp.groupdq[integration - 1][:, box.rows, box.columns][:, good]
    usable = ((flags & EXCLUDED) == 0) & np.isfinite(data)
    if from_first:
        first = np.argmax(usable, axis=0)
        data = data - data[first, np.arange(data.shape[1])]
    ngroups = data.shape[0]
    levels = np.full((3, ngroups), np.nan)
    for k in range(ngroups):
        if usable[k].any():
            levels[:, k] = np.percentile(data[k, usable[k]], (16, 50, 84))
    low, median, high = levels
    return RegionRamp(group_times(ramp.exposure), median, low, high, usable.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Histogram:
    """Distribution of values, in their unit.

    Attributes
    ----------
    edges : float64 (nbins + 1,)
    counts : int64 (nbins,)
    below, above : int
        Values outside of the edges.
    median, spread : float
        Median and robust standard deviation.
    """

    edges: F64
    counts: NDArray[np.int64]
    below: int
    above: int
    median: float
    spread: float

    @property
    def total(self) -> int:
        """Number of values."""
        return int(self.counts.sum()) + self.below + self.above


def region_histogram(
    data: F32, dq: U32, box: Box, selection: B1 | None = None, *, bins: int = 60, sigmas: float = 5.0
) -> Histogram:
    """Histogram of an image within a region, to some sigmas on both sides of the median.

    Parameters
    ----------
    data, dq : (ny, nx)
        Pixels that are DO_NOT_USE or not finite do not count.
    box, selection
        As for `region_ramp`.

    Raises
    ------
    InputError
        If the box does not lie in the frame, or no pixel is usable.
    """
    box.check(data.shape)
    values = data[box.rows, box.columns][good_pixels(dq, box, selection)]
    values = values[np.isfinite(values)].astype(np.float64)
    if values.size == 0:
        raise InputError("no pixel of the region has a usable value. Choose another region.")
    median, spread = robust_spread(values)
    reach = sigmas * spread or float(np.ptp(values)) or max(abs(median), 1.0) * 1e-3
    low, high = max(median - reach, values.min()), min(median + reach, values.max())
    if high <= low:
        low, high = median - reach, median + reach
    counts, edges = np.histogram(values, bins, (low, high))
    return Histogram(edges, counts, int((values < low).sum()), int((values > high).sum()), median, spread)


class FlagCount(NamedTuple):
    """How often a flag occurs: pixels that have it, in PIXELDQ or any group, and groups."""

    pixels: int
    groups: int


def count_region_flags(
    pixeldq: U32, groupdq: U8 | None, box: Box, selection: B1 | None = None
) -> dict[DQ, FlagCount]:
    """Count flags in a region; those that do not occur are left out.

    Parameters
    ----------
    pixeldq : uint32 (ny, nx)
    groupdq : uint8 (ngroups, ny, nx) or None
        Of one integration.
    box, selection
        As for `region_ramp`.
    """
    box.check(pixeldq.shape)
    inside = np.ones(box.shape, np.bool_) if selection is None else selection
    pixels = pixeldq[box.rows, box.columns][inside]
    groups = np.zeros((0, pixels.size), np.uint8)
    if groupdq is not None:
        groups = groupdq[:, box.rows, box.columns][:, inside]
        pixels = pixels | np.bitwise_or.reduce(groups, axis=0, initial=0)
    found = {}
    for flag in DQ:
        count = int(np.count_nonzero(pixels & np.uint32(flag)))
        in_groups = int(np.count_nonzero(groups & np.uint8(flag))) if count and flag < 256 else 0
        if count:
            found[flag] = FlagCount(count, in_groups)
    return found
