"""Statistics of the pixels of a region: ramps, slopes, noise by row, column and amplifier, 1/f, flags.

The noise of ramps is measured on differences of adjacent groups. What is the same in all of them (the scene,
fixed patterns) is removed by comparing each with the one after the next, with which it shares no group:
``(d[k+2] - d[k]) / sqrt(2)`` has the noise of one difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U32, Exposure, Ramp, as_whole_number
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE, IRS2_FRAME, is_interleaved
from jwcal_interactive.steps.ramp_segments import group_times
from jwcal_interactive.steps.readout import DetectorFrame, frame_time
from jwcal_interactive.tiles import Tiles

__all__ = [
    "Box",
    "FlagCount",
    "Histogram",
    "Noise",
    "RegionPower",
    "RegionRamp",
    "Spectrum",
    "amplifier_image",
    "clipped_deviation",
    "count_region_flags",
    "difference_noise",
    "line_noise",
    "noise_power",
    "region_histogram",
    "region_ramp",
    "robust_spread",
]

F64 = NDArray[np.float64]
B1 = NDArray[np.bool_]

_GAUSSIAN = 1.482602218505602  # standard deviation of a Gaussian by its median absolute deviation
_MOST_IMAGES = 8  # noise images that are looked at: more tell little more, and take long
_ENOUGH_VALUES = 2**24
_OUTLIER = 5.0  # sigma
_FEWEST_SAMPLES = 16  # of a line, for a spectrum
_UNUSABLE = np.uint32(DQ.DO_NOT_USE | DQ.NON_SCIENCE | DQ.REFERENCE_PIXEL)
_EXCLUDED = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)


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


def _good(pixeldq: U32, box: Box, selection: B1 | None) -> B1:
    """Pixels of the box that are selected and usable."""
    good: B1 = (pixeldq[box.rows, box.columns] & _UNUSABLE) == 0
    return good if selection is None else good & selection


# --- ramps ----------------------------------------------------------------------------------------------------


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
    good = _good(ramp.pixeldq, box, selection)
    data = ramp.data[integration - 1][:, box.rows, box.columns][:, good]
    flags = ramp.groupdq[integration - 1][:, box.rows, box.columns][:, good]
    usable = ((flags & _EXCLUDED) == 0) & np.isfinite(data)
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


# --- slopes and other images ----------------------------------------------------------------------------------


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
    values = data[box.rows, box.columns][_good(dq, box, selection)]
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


# --- noise ----------------------------------------------------------------------------------------------------


def difference_noise(
    ramp: Ramp,
    integration: int,
    box: Box,
    selection: B1 | None = None,
    tiles: Tiles | None = None,
) -> F32:
    """Images with the noise of one difference of adjacent groups, DN, without the scene.

    Parameters
    ----------
    ramp, integration, box, selection
        As for `region_ramp`.
    tiles : Tiles, optional
        To cancel.

    Returns
    -------
    float32 (nimages, rows, columns)
        At most 8 (of a full frame 4), spread over the integration. NaN where one of the groups is DO_NOT_USE or
        SATURATED, or a difference holds a jump.

    Raises
    ------
    InputError
        If there are fewer than four groups, or the box does not lie in the frame.
    """
    box.check(ramp.data.shape)
    ngroups = ramp.data.shape[1]
    if ngroups < 4:
        raise InputError(
            f"NGROUPS = {ngroups}: the noise is measured on pairs of differences without a common group, which "
            "takes four groups."
        )
    firsts = np.arange(ngroups - 3)
    most = max(2, min(_MOST_IMAGES, _ENOUGH_VALUES // (box.shape[0] * box.shape[1])))
    if firsts.size > most:
        firsts = firsts[np.linspace(0, firsts.size - 1, most).round().astype(int)]
    bad = ~_good(ramp.pixeldq, box, selection)
    data = ramp.data[integration - 1][:, box.rows, box.columns]
    flags = ramp.groupdq[integration - 1][:, box.rows, box.columns]
    jump = np.uint8(DQ.JUMP_DET)
    out = np.empty((firsts.size, *box.shape), np.float32)
    for image, k in zip(out, firsts, strict=True):
        if tiles is not None:
            tiles.check()
        np.subtract(data[k + 3], data[k + 2], out=image)
        image -= data[k + 1] - data[k]
        image *= np.float32(np.sqrt(0.5))
        spoiled = (flags[k] | flags[k + 1] | flags[k + 2] | flags[k + 3]) & _EXCLUDED
        image[bad | (spoiled != 0) | (((flags[k + 1] | flags[k + 3]) & jump) != 0)] = np.nan
    return out


def clipped_deviation(values: NDArray[np.floating]) -> float:
    """Find the standard deviation of values within five robust sigmas of their median; NaN without any.

    Unlike the median absolute deviation itself, it does not jump by whole numbers where the values are such.
    """
    median, sigma = robust_spread(values)
    values = values[np.isfinite(values)]
    if sigma > 0:
        values = values[np.abs(values - median) <= _OUTLIER * sigma]
    return float(np.std(values, dtype=np.float64)) if values.size else np.nan


@dataclass(frozen=True, eq=False)
class Noise:
    """`clipped_deviation` of a region, along its axes and by amplifier, in the unit of the images.

    Attributes
    ----------
    rows, columns : float64
        Of each row (column) of the box; NaN without a usable pixel.
    amplifiers : mapping of int to float
        By number, from 1; 0 is the reference output of the IRS2 read-out.
    whole : float
    """

    rows: F64
    columns: F64
    amplifiers: Mapping[int, float]
    whole: float


def line_noise(images: F32, amplifiers: NDArray[np.int64], tiles: Tiles | None = None) -> Noise:
    """Measure the noise of images along their axes.

    Parameters
    ----------
    images : float32 (nimages, rows, columns)
        NaN does not count.
    amplifiers : int64 (rows, columns)
        See `amplifier_image`.
    tiles : Tiles, optional
        To cancel.
    """

    def spread(part: F32) -> float:
        if tiles is not None:
            tiles.check()
        return clipped_deviation(part)

    rows = np.array([spread(images[:, y]) for y in range(images.shape[1])])
    columns = np.array([spread(images[:, :, x]) for x in range(images.shape[2])])
    by_amplifier = {int(n): spread(images[:, amplifiers == n]) for n in np.unique(amplifiers)}
    return Noise(rows, columns, by_amplifier, spread(images))


def amplifier_image(exposure: Exposure, frame: tuple[int, int]) -> NDArray[np.int64]:
    """Which amplifier reads each pixel of a frame (ny, nx): 1 to 4, or 0 for the IRS2 reference output.

    A full near-infrared line is read in quarters, a MIRI line in turns of four columns; an exposure with one
    output (NOUTPUTS) has amplifier 1 only.
    """
    detector = DetectorFrame.of(exposure)
    nlines, length = frame if detector.fast_is_x else frame[::-1]
    columns = detector.column0 + np.arange(length)
    if is_interleaved(frame):
        columns = np.arange(length) // (IRS2_FRAME[0] // (AMPLIFIERS + 1))
    elif exposure.instrument == "MIRI":
        columns = columns % AMPLIFIERS + 1
    elif exposure.noutputs == AMPLIFIERS or (exposure.noutputs is None and length == FULL_SIZE):
        columns = columns // (FULL_SIZE // AMPLIFIERS) + 1
    else:
        columns = np.ones_like(columns)
    return detector.to_science(np.broadcast_to(columns, (nlines, length)))


# --- power spectrum -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One-sided power spectral density; its sum times the step of frequency is the variance.

    Attributes
    ----------
    frequency : float64 (n,)
        Hz, or cycles per pixel (of lines: cycles per line) if the timing is not known; without 0.
    power : float64 (n,)
        DN^2/Hz, or DN^2 per such a frequency.
    """

    frequency: F64
    power: F64


@dataclass(frozen=True, eq=False)
class RegionPower:
    """Power spectra of noise images.

    Attributes
    ----------
    within : Spectrum or None
        Of pixels that one amplifier reads one after the other; None if the lines are too short.
    between : Spectrum or None
        Of the means of lines, which hold slower noise; None if there are too few lines.
    in_hertz : bool
    samples, lines : int
        Pixels of a line that were used, and lines.
    """

    within: Spectrum | None
    between: Spectrum | None
    in_hertz: bool
    samples: int
    lines: int


def noise_power(
    images: F32, exposure: Exposure, amplifiers: NDArray[np.int64], tiles: Tiles | None = None
) -> RegionPower:
    """Power spectra along the fast axis, and from line to line.

    Lines are divided by amplifier; of the stretches, the longest are used. Values that are missing, or further
    than five sigma from the median, count as 0, and the power is scaled up by their number.

    Parameters
    ----------
    images : float32 (nimages, rows, columns)
        Noise, DN, such as `difference_noise` gives.
    exposure : Exposure
        Its TSAMPLE (microseconds per sample) and NSAMPLES give the time per pixel, TFRAME and the size of the
        subarray that per line.
    amplifiers : int64 (rows, columns)
        Of the same pixels.
    tiles : Tiles, optional
        To cancel.
    """
    detector = DetectorFrame.of(exposure)
    lines = detector.from_science(images)
    reader = detector.from_science(amplifiers)[0]
    stretches = [np.flatnonzero(reader == n) for n in np.unique(reader)]
    length = max(s.size for s in stretches)
    stretches = [s for s in stretches if s.size == length]
    times = _times(exposure)
    pixel_time, line_time = times or (1.0, 1.0)
    within, between, count = np.zeros(length // 2 + 1), np.zeros(lines.shape[1] // 2 + 1), 0
    for image in lines:
        for columns in stretches:
            if tiles is not None:
                tiles.check()
            values = image[:, columns].astype(np.float64)
            median, sigma = robust_spread(values)
            use = np.abs(values - median) <= _OUTLIER * sigma
            if not use.any():
                continue
            count += 1
            values = np.where(use, values - median, 0.0)
            within += _power(values, use.mean(), pixel_time).mean(axis=0)
            means = values.sum(axis=1) / np.maximum(use.sum(axis=1), 1)
            between += _power(means[None], 1.0, line_time)[0]
    return RegionPower(
        _spectrum(within, length, pixel_time, count),
        _spectrum(between, lines.shape[1], line_time, count),
        times is not None,
        length,
        lines.shape[1],
    )


def _power(values: F64, filled: float, step: float) -> F64:
    """One-sided periodograms of the rows of a table, per frequency."""
    n = values.shape[-1]
    power: F64 = np.abs(np.fft.rfft(values, axis=-1)) ** 2 * (2.0 * step / (n * filled))
    if n % 2 == 0:
        power[..., -1] /= 2.0
    return power


def _spectrum(power: F64, n: int, step: float, count: int) -> Spectrum | None:
    if n < _FEWEST_SAMPLES or count == 0:
        return None
    return Spectrum(np.arange(1, power.size) / (n * step), power[1:] / count)


def _times(exposure: Exposure) -> tuple[float, float] | None:
    """Time per pixel and per line, s; None if the file does not tell."""
    sample = exposure.keyword("TSAMPLE")
    if isinstance(sample, str) or sample is None or not sample > 0:
        return None
    samples = as_whole_number(exposure.keyword("NSAMPLES")) or 1
    nlines = exposure.ysize if abs(exposure.slowaxis) == 2 else exposure.xsize
    return float(sample) * samples * 1e-6, frame_time(exposure) / nlines


# --- flags ----------------------------------------------------------------------------------------------------


class FlagCount(NamedTuple):
    """How often a flag occurs: pixels that have it, in PIXELDQ or any group, and groups."""

    pixels: int
    groups: int


def count_region_flags(
    pixeldq: U32, groupdq: NDArray[np.uint8] | None, box: Box, selection: B1 | None = None
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
