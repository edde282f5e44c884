"""Noise of the pixels of a region: by row, column and amplifier, and its power spectrum.

The noise of ramps is measured on differences of adjacent groups. What is the same in all of them (the scene,
fixed patterns) is removed by comparing each with the one after the next, with which it shares no group:
``(d[k+2] - d[k]) / sqrt(2)`` has the noise of one difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Exposure, Ramp, as_whole_number
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE, IRS2_FRAME, is_interleaved
from jwcal_interactive.region import EXCLUDED, Box, good_pixels, robust_spread
from jwcal_interactive.steps.readout import DetectorFrame, frame_time
from jwcal_interactive.tiles import Tiles

__all__ = [
    "Noise",
    "RegionPower",
    "Spectrum",
    "amplifier_image",
    "clipped_deviation",
    "difference_noise",
    "line_noise",
    "noise_power",
]

F64 = NDArray[np.float64]
B1 = NDArray[np.bool_]

_MOST_IMAGES = 8  # noise images that are looked at: more tell little more, and take long
_ENOUGH_VALUES = 2**24
_OUTLIER = 5.0  # sigma
_FEWEST_SAMPLES = 16  # of a line, for a spectrum


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
        If there are fewer than four groups, the box does not lie in the frame, or no pixel is usable.
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
    bad = ~good_pixels(ramp.pixeldq, box, selection)
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
        spoiled = (flags[k] | flags[k + 1] | flags[k + 2] | flags[k + 3]) & EXCLUDED
        image[bad | (spoiled != 0) | (((flags[k + 1] | flags[k + 3]) & jump) != 0)] = np.nan
    if not np.isfinite(out).any():
        raise InputError("no pixel of the region has four usable groups. Choose another region or integration.")
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
