"""The sequential algorithm of emicorr: the wave is measured in what straight ramps leave."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32
from jwcal_interactive.errors import Skip
from jwcal_interactive.instruments import AMPLIFIERS
from jwcal_interactive.steps.emicorr_waves import Clocks, Wave
from jwcal_interactive.tiles import Tiles

__all__ = ["MeasuredWave", "Sequence", "clipped_mean_of_sorted", "measure_in_sequence"]

F64 = NDArray[np.float64]

FEWEST_GROUPS = 4
"""The slope of a pixel needs two groups beside the first and the last one."""
_MOST_BINS = 500


@dataclass(frozen=True)
class Sequence:
    """How the sequential algorithm measures a wave; the parameters of emicorr of the same names."""

    nints_to_phase: int | None
    nbins: int | None
    scale_reference: bool
    use_n_cycles: int | None

    def integrations(self, clocks: Clocks, wave: Wave, nints: int, ngroups: int) -> int:
        """Leading integrations in which the wave is measured."""
        if self.nints_to_phase is not None:
            return min(self.nints_to_phase, nints)
        if self.use_n_cycles is None:
            return nints
        needed = np.ceil(self.use_n_cycles * wave.period / (clocks.frame * ngroups))
        return min(int(needed), nints)

    def bins(self, wave: Wave) -> int:
        """Bins of phase: by default one per two pixel clocks; 500 where there would be more than 501."""
        nbins = int(wave.period / 2.0) if self.nbins is None else self.nbins
        return nbins if nbins <= _MOST_BINS + 1 else _MOST_BINS


@dataclass(frozen=True)
class MeasuredWave:
    """A wave as it was measured in an exposure.

    Attributes
    ----------
    wave : Wave
    amplitudes : float64 (nbins,)
        What was measured, DN, by phase.
    table : float64 (n,)
        What is to be subtracted, DN, by pixel clock since the begin of a period.
    """

    wave: Wave
    amplitudes: F64
    table: F64

    def subtract(self, data: F32, clocks: Clocks, origin: tuple[int, int], out: F32, tiles: Tiles) -> None:
        """Subtract it from all groups of a part of the frame, whose place (row, column) there is ``origin``."""
        from jwcal_interactive.kernels.emicorr_sequential import subtract_table

        starts, timing = clocks.starts(*data.shape[:2]), _timing(clocks, self.wave)
        tiles.over_rows(
            data.shape[2],
            lambda y0, y1: subtract_table(
                data, starts, self.table, *timing, clocks.quads, *origin, out, y0, y1
            ),
        )


def measure_in_sequence(
    data: F32, clocks: Clocks, waves: tuple[Wave, ...], how: Sequence, tiles: Tiles
) -> tuple[MeasuredWave, ...]:
    """Measure one wave after the other, each in what those before it leave.

    Slope and median of each pixel are taken off, the four pixels that are read at the same time are averaged,
    and the values of all groups are sorted into bins of phase, whose clipped means are the measured wave. It
    is to be subtracted itself, or the wave of the reference, shifted to the best correlation with it and
    scaled.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN, of the whole frame.
    clocks : Clocks
    waves : tuple of Wave
        Without amplitudes to subtract the measured wave.
    how : Sequence
    tiles : Tiles

    Raises
    ------
    Skip
        If no wave can be measured.
    """
    if data.shape[1] < FEWEST_GROUPS:
        raise Skip(f"the sequential algorithm needs {FEWEST_GROUPS} groups, there are {data.shape[1]}")
    out: F32 | None = None
    found: list[MeasuredWave] = []
    for wave in waves:
        amplitudes = _measure(data, clocks, wave, how, tiles)
        if np.isnan(amplitudes).any():
            continue
        found.append(MeasuredWave(wave, amplitudes, _table(amplitudes, wave, how.scale_reference)))
        if wave is not waves[-1]:
            out = np.empty_like(data) if out is None else out
            found[-1].subtract(data, clocks, (0, 0), out, tiles)
            data = out
    if not found:
        raise Skip("no wave can be measured: some phases have no pixels; give fewer nbins, or algorithm=joint")
    return tuple(found)


def _timing(clocks: Clocks, wave: Wave) -> tuple[float, float, float, float]:
    return clocks.row, float(clocks.samples), clocks.last_column, wave.period


def _measure(data: F32, clocks: Clocks, wave: Wave, how: Sequence, tiles: Tiles) -> F64:
    """Measured wave (nbins,), DN, its median subtracted; NaN in bins without values."""
    nints, ngroups = data.shape[:2]
    nbins, starts = how.bins(wave), clocks.starts(nints, ngroups)
    parts: list[list[F32]] = [[] for _ in range(nbins)]
    for i in range(how.integrations(clocks, wave, nints, ngroups)):
        for part, values in zip(parts, _sorted(data, i, starts[i], clocks, wave, nbins, tiles), strict=True):
            part.append(values)
    amplitudes = np.full(nbins, np.nan)

    def average(start: int, stop: int) -> None:
        for b in range(start, stop):
            amplitudes[b] = clipped_mean_of_sorted(np.sort(np.concatenate(parts[b])))

    replace(tiles, band_rows=1).over_rows(nbins, average)
    return np.asarray(amplitudes - np.median(amplitudes))


def _sorted(data: F32, i: int, starts: F64, clocks: Clocks, wave: Wave, nbins: int, tiles: Tiles) -> list[F32]:
    """Residuals of one integration by bin of phase, DN."""
    from jwcal_interactive.kernels.emicorr_sequential import quad_residuals, sort_by_phase

    _, ngroups, ny, nx = data.shape
    left = np.empty((ngroups, ny, nx // AMPLIFIERS), np.float32)
    tiles.over_rows(ny, lambda y0, y1: quad_residuals(data, i, left, y0, y1))
    counts = np.zeros((ngroups, nbins), np.int64)
    values = np.empty(0, np.float32)
    places = np.empty_like(counts)
    timing = _timing(clocks, wave)

    def count(start: int, stop: int) -> None:
        for g in range(start, stop):
            known = left[g][~np.isnan(left[g])]
            if known.size:
                left[g] -= np.median(known, overwrite_input=True)
            sort_by_phase(left[g], starts[g], *timing, counts[g], values)

    def place(start: int, stop: int) -> None:
        for g in range(start, stop):
            sort_by_phase(left[g], starts[g], *timing, places[g], values)

    by_group = replace(tiles, band_rows=1)
    by_group.over_rows(ngroups, count)
    ends = counts.sum(axis=0).cumsum()
    places[:] = np.concatenate([[0], ends[:-1]]) + np.cumsum(counts, axis=0) - counts
    values = np.empty(ends[-1], np.float32)
    if values.size:
        by_group.over_rows(ngroups, place)
    return np.split(values, ends[:-1])


def clipped_mean_of_sorted(values: F32) -> float:
    """Mean after clipping five times at three standard deviations from the median.

    Parameters
    ----------
    values : float32 (n,)
        In ascending order.

    Returns
    -------
    float
        NaN if there are no values.
    """
    if not values.size:
        return np.nan
    exact = values.astype(np.float64)
    inside = slice(0, exact.size)
    kept = exact
    for _ in range(5):
        n = kept.size
        centre = 0.5 * (kept[(n - 1) // 2] + kept[n // 2])
        reach = 3.0 * np.sqrt(np.mean((kept - kept.mean()) ** 2))
        # Limits apply to all values: those outside earlier limits may come back.
        inside = slice(exact.searchsorted(centre - reach), exact.searchsorted(centre + reach, "right"))
        further = kept[kept.searchsorted(centre - reach) : kept.searchsorted(centre + reach, "right")]
        if further.size in (0, n):
            break
        kept = further
    return float(exact[inside].mean())


def _table(measured: F64, wave: Wave, scale: bool) -> F64:
    """Wave to subtract by pixel clock, DN: the measured one, or that of the reference, fitted to it."""
    table = _resampled(measured, wave.period)
    if not wave.amplitudes.size:
        return table
    n = wave.amplitudes.size
    covariance = np.correlate(np.tile(wave.amplitudes, 2)[:-1], _resampled(measured, n), "valid")
    # covariance[k] belongs to a shift by -k.
    shift = int(np.argmax(np.roll(covariance[::-1], 1))) if np.ptp(wave.amplitudes) and np.ptp(measured) else 0
    reference = _resampled(np.roll(wave.amplitudes, shift), wave.period)
    if not scale:
        return reference
    factor, _ = np.polyfit(reference, table, 1, full=True)[0]
    return np.asarray(reference * factor)


def _resampled(values: F64, length: float) -> F64:
    """Values at equal steps over the same span, each the one before it: ``length`` values, rounded up."""
    step = float(values.size) / length
    return values[(np.arange(int(np.ceil(values.size / step))) * step).astype(np.intp)]
