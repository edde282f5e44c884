"""Fourier fits of flicker noise to the background of an image: the NSClean method.

B. J. Rauscher 2024, PASP 136, 015001: low frequencies of the read-out are fitted to the pixels of the
background by least squares, weighted by the inverse of their local density. The normal equations are of
Toeplitz form, their elements are Fourier coefficients of the weights, so that no matrix of samples is needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.kernels.background import B1, F32, Check

__all__ = ["Band", "NoFit", "fit_full_frame", "fit_sections"]

F64 = NDArray[np.float64]
C128 = NDArray[np.complex128]

# Line by line, for full frames; frequencies in cycles per pixel.
_CUT_OFF = 1 / 256
_ROLL_OFF = _CUT_OFF / 4
_OUTLIER = 3.0
_DENSITY_SIGMA = 32.0
_SMOOTH_SIGMA = 1.5
_REFERENCE_WIDTH = 4
_BAND_LINES = 32

# Section by section, for subarrays.
_SECTION_PIXELS = 512
_SECTION_OUTLIER = 4.0
_FEWEST_USED = 0.05
_LINE_OVERHEAD = 12  # ticks of the clock between two lines
_TICK = float(np.float32(1e-5))  # s

_MAD_TO_SIGMA = 1.4826
_CONDITION = 1e-10


class Band(NamedTuple):
    """Frequencies of the noise, Hz: to `low`, fading until `low_end`; fading in from `high_start` to `high`.

    The upper ones are the noise of alternating columns.
    """

    low: float = 1061.0
    low_end: float = 1211.0
    high_start: float = 49943.0
    high: float = 49957.0

    def gain(self, frequency: F32) -> F32:
        """Gain between 0 and 1 at frequencies, Hz."""
        low, low_end, high_start, high = (np.float32(f) for f in self)
        pi = np.float32(np.pi)
        gain = np.zeros_like(frequency)
        gain[frequency < low] = 1
        off = (frequency >= low) & (frequency < low_end)
        gain[off] = (np.cos(pi / (low_end - low) * (frequency[off] - low)) + 1) / 2
        on = (frequency >= high_start) & (frequency < high)
        gain[on] = (np.cos(pi / (high - high_start) * (frequency[on] - high_start) + pi) + 1) / 2
        gain[frequency >= high] = 1
        return gain


class NoFit(Exception):  # noqa: N818 - an outcome more than an error
    """The noise cannot be fitted; says why."""


def fit_full_frame(image: F32, use: B1, check: Check) -> F32:
    """Fit the noise line by line and smooth it lightly across the lines.

    Parameters
    ----------
    image : float32 (nlines, npixels)
        In the detector's frame: lines along the fast direction.
    use : bool (nlines, npixels)
        Pixels of the background.
    check : callable

    Returns
    -------
    float32 (nlines, npixels)
        Noise; 0 in lines of reference pixels and where a line has no pixel to use, but for smoothing.
    """
    nlines, npixels = image.shape
    frequency = np.fft.rfftfreq(npixels)
    fading = (1 + np.cos(np.pi * (frequency - _CUT_OFF) / _ROLL_OFF + np.pi / 2)) / 2
    gain = np.where(frequency <= _CUT_OFF - _ROLL_OFF / 2, 1, fading)
    gain[frequency > _CUT_OFF + _ROLL_OFF / 2] = 0
    terms = np.arange(np.count_nonzero(gain > 0))
    density = np.fft.rfft(_gaussian(npixels, _DENSITY_SIGMA))
    model = np.zeros((nlines, npixels), np.float32)
    for y0 in range(_REFERENCE_WIDTH, nlines - _REFERENCE_WIDTH, _BAND_LINES):
        check()
        band = slice(y0, min(y0 + _BAND_LINES, nlines - _REFERENCE_WIDTH))
        used, values = use[band], _without_outliers(image[band], use[band])
        weights = _squared_weights(used, density, npixels)
        spectra = np.fft.rfft(weights)[:, terms], np.fft.rfft(weights * values)[:, terms]
        coefficients = np.zeros((len(used), gain.size), complex)
        for line, (of_weights, of_values) in enumerate(zip(*spectra, strict=True)):
            if used[line].any():
                coefficients[line, terms] = _solve(of_weights, of_values, terms)
        model[band] = np.fft.irfft(npixels * coefficients * gain, npixels)
    smoothing = np.fft.rfft(_gaussian(nlines, _SMOOTH_SIGMA))[:, None]
    for x0 in range(0, npixels, _BAND_LINES):
        check()
        columns = slice(x0, x0 + _BAND_LINES)
        model[:, columns] = np.fft.irfft(np.fft.rfft(model[:, columns], axis=0) * smoothing, nlines, axis=0)
    return model


def _without_outliers(image: F32, used: B1) -> F32:
    """Values with the outliers of each line replaced by the median of the line; 0 where not used."""
    counts = used.sum(axis=1)
    centre = _medians(np.where(used, image, np.float32(np.inf)), counts)
    distance = np.abs(image - centre)
    sigma = np.float32(_MAD_TO_SIGMA) * _medians(np.where(used, distance, np.float32(np.inf)), counts)
    limit = np.float32(_OUTLIER) * sigma
    inside = (image >= centre - limit) & (image <= centre + limit)
    return np.where(used, np.where(inside, image, centre), np.float32(0))


def _medians(values: F32, counts: NDArray[np.int64]) -> F32:
    """Medians (n, 1) of the first ``counts`` of the sorted values of each line; 0 without any."""
    values.sort(axis=1)
    low = np.take_along_axis(values, np.maximum(counts - 1, 0)[:, None] // 2, axis=1)
    high = np.take_along_axis(values, np.minimum(counts // 2, values.shape[1] - 1)[:, None], axis=1)
    found = (counts > 0)[:, None]
    total: F32 = np.where(found, low, np.float32(0)) + np.where(found, high, np.float32(0))
    return total / np.float32(2)


def _gaussian(size: int, sigma: float) -> F64:
    """Gaussian of unit integral about element 0, periodic."""
    distance = np.fft.fftfreq(size, 1 / size)
    gaussian: F64 = np.exp(-(distance**2) / sigma**2 / 2) / (sigma * np.sqrt(2 * np.pi))
    return gaussian


def _squared_weights(used: B1, density: C128, size: int) -> F64:
    """Squares of the weights: of the inverse density of pixels to use; 0 elsewhere."""
    near = np.fft.irfft(np.fft.rfft(used.astype(np.float64)) * density, size)
    return np.where(used, 1 / np.maximum(near, 1e-9) ** 2, 0.0)


def _solve(of_weights: C128, of_values: C128, terms: NDArray[np.int64]) -> C128:
    """Solve the normal equations for the frequencies ``terms``.

    ``of_weights`` is the transform of the squared weights at the differences of `terms`, ``of_values`` that of
    the weighted values at `terms`. Where the pixels do not determine all frequencies, the smallest solution.
    """
    apart = terms[:, None] - terms
    matrix = of_weights[np.abs(apart)]
    matrix = np.where(apart < 0, matrix.conj(), matrix)
    try:
        diagonal = np.linalg.cholesky(matrix).diagonal().real
        if diagonal.min() ** 2 > _CONDITION * diagonal.max() ** 2:
            return np.linalg.solve(matrix, of_values)  # type: ignore[return-value]
    except np.linalg.LinAlgError:
        pass  # not positive definite but for rounding: see below
    smallest: C128 = np.linalg.pinv(matrix, rcond=_CONDITION, hermitian=True) @ of_values
    return smallest


def fit_sections(image: F32, use: B1, band: Band, check: Check) -> F64:
    """Fit the noise of a subarray as a series in time, in overlapping sections of lines.

    Each section has at least 512 pixels to use. Where less than 5 % of them are, there is no correction.

    Parameters
    ----------
    image : float32 (nlines, npixels)
        In the detector's frame: lines along the fast direction, read one after the other.
    use : bool (nlines, npixels)
        Pixels of the background.
    band : Band
        Frequencies of the noise.
    check : callable

    Returns
    -------
    float64 (nlines, npixels)
        Noise.

    Raises
    ------
    NoFit
        If no pixel can be used.
    """
    use = _away_from_outliers(image, use)
    model, total = np.zeros(image.shape), np.zeros(image.shape)
    sections = _sections(use.sum(axis=1))
    if not sections:
        raise NoFit("no pixel of the background is left after outliers were taken out")
    for first, last in sections:
        check()
        weight = (1.001 - np.abs(np.linspace(-1, 1, last - first)))[:, None]
        total[first:last] += weight
        if use[first:last].mean() > _FEWEST_USED:
            model[first:last] += weight * _fit_section(image[first:last], use[first:last], band)
    return np.divide(model, total, out=np.zeros_like(model), where=model != 0)


def _away_from_outliers(image: F32, use: B1) -> B1:
    """Pixels to use that are no outliers and do not touch one along a line or across."""
    if not use.any():
        return use
    values = image[use]
    centre = np.median(values)
    limit = np.float32(_SECTION_OUTLIER * 1.4825) * np.median(np.abs(values - centre))
    outlier = use & (np.abs(image - centre) > limit)
    near = outlier.copy()
    near[1:] |= outlier[:-1]
    near[:-1] |= outlier[1:]
    near[:, 1:] |= outlier[:, :-1]
    near[:, :-1] |= outlier[:, 1:]
    away: B1 = use & ~near
    return away


def _sections(counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and last line (not included) of sections, each half way on from the one before."""
    lines = np.flatnonzero(counts)
    if not lines.size:
        return []
    end = int(lines[-1]) + 1
    before = np.concatenate([[0], np.cumsum(counts)])
    sections = []
    first = int(lines[0])
    while first < end:
        last = end
        if before[-1] - before[first] > 1.5 * _SECTION_PIXELS:
            enough = np.searchsorted(before, before[first] + _SECTION_PIXELS, side="right")
            last = min(max(int(enough), first + 1), end)
        sections.append((first, last))
        if last == end:
            break
        first += max(round((last - first) / 2), 1)
    return sections


def _fit_section(image: F32, use: B1, band: Band) -> F64:
    nlines, npixels = image.shape
    ticks = nlines * (npixels + _LINE_OVERHEAD)
    gain = band.gain(np.fft.rfftfreq(ticks, _TICK).astype(np.float32))
    terms = np.flatnonzero(gain > 0)
    used = np.pad(use, ((0, 0), (0, _LINE_OVERHEAD))).ravel()
    values = np.pad(np.where(use, image, np.float32(0)), ((0, 0), (0, _LINE_OVERHEAD))).ravel()
    sigma = 1 / ((band.low + band.low_end) / 2) / _TICK / 2 / 4  # ticks
    weights = _squared_weights(used, np.fft.rfft(_gaussian(ticks, sigma)), ticks)
    coefficients = np.zeros(gain.size, complex)
    coefficients[terms] = _solve(np.fft.rfft(weights), np.fft.rfft(weights * values)[terms], terms)
    series: F64 = np.fft.irfft(ticks * coefficients * gain, ticks)
    return series.reshape(nlines, -1)[:, :npixels]
