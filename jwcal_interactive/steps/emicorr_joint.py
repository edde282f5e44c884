"""The joint algorithm of emicorr: straight ramps and a wave of known shape fitted together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Ramp
from jwcal_interactive.errors import Skip
from jwcal_interactive.instruments import AMPLIFIERS
from jwcal_interactive.steps.emicorr_waves import BAD_COLUMNS, Clocks, Wave
from jwcal_interactive.tiles import Tiles

__all__ = ["FittedWave", "fit_jointly", "lowest", "median_of_positive", "vertex"]

TRIALS = 500
"""Phases at which chi squared is computed."""
# A norm that is not larger than this says nothing about the amplitude.
_NO_NORM = 1e-8
# Relative difference of values of chi squared that count as equal.
_EQUAL = 1e-9
# Integrations are summed by phase so many at a time that this is not exceeded.
_SUMS_BYTES = 64 << 20
# Values looked at between two looks at the user's wish to stop, and the bits of infinity.
_PIECE, _INFINITY = 1 << 20, np.float32(np.inf).view(np.uint32)
# Pixels whose groups scatter more than this many medians are too bright or bad.
_LARGEST_SCATTER = 2


@dataclass(frozen=True)
class FittedWave:
    """A wave as it was found in an exposure.

    Attributes
    ----------
    wave : Wave
    spline : float64 (n + 1, 4)
        Coefficients of its form.
    phases, amplitudes : float64 (nints,)
        Phase, in periods, at the first pixel of each integration, and factor of the form.
    """

    wave: Wave
    spline: NDArray[np.float64]
    phases: NDArray[np.float64]
    amplitudes: NDArray[np.float64]

    def subtract(self, data: F32, clocks: Clocks, origin: tuple[int, int], out: F32, tiles: Tiles) -> None:
        """Subtract it from all groups of a part of the frame, whose place (row, column) there is ``origin``."""
        from jwcal_interactive.kernels.emicorr_joint import subtract_wave

        timing = self.wave.period, clocks.row, float(clocks.samples), clocks.group / self.wave.period % 1
        tiles.over_rows(
            data.shape[2],
            lambda y0, y1: subtract_wave(
                data, self.spline, self.amplitudes, self.phases, *timing, *origin, out, y0, y1
            ),
        )


def fit_jointly(
    ramp: Ramp, clocks: Clocks, waves: tuple[Wave, ...], separately: bool, tiles: Tiles
) -> tuple[FittedWave, ...]:
    """Fit one wave after the other, each in what those before it leave.

    For pixels of moderate scatter without flags, chi squared of straight ramps plus the wave is a parabola in
    the amplitude of the wave; the phase is where the lowest chi squared of `TRIALS` phases is lowest, refined
    by a parabola through its neighbours. Lines are eliminated analytically, and pixels that are read at the
    same phase are summed beforehand.

    Parameters
    ----------
    ramp : Ramp
        The whole frame.
    clocks : Clocks
    waves : tuple of Wave
        With amplitudes.
    separately : bool
        Fit each integration by itself.
    tiles : Tiles

    Raises
    ------
    Skip
        If no wave can be fitted.
    """
    data, out = ramp.data, None
    found: list[FittedWave] = []
    for wave in waves:
        fitted = _fit(data, ramp.pixeldq, clocks, wave, separately, tiles)
        if not fitted.amplitudes.any():
            continue
        found.append(fitted)
        if wave is not waves[-1]:
            out = np.empty_like(data) if out is None else out
            fitted.subtract(data, clocks, (0, 0), out, tiles)
            data = out
    if not found:
        raise Skip("no wave can be fitted: there are no good pixels, or the waves are as straight as ramps")
    return tuple(found)


def _spline(wave: Wave) -> NDArray[np.float64]:
    """Coefficients of a cubic spline through the wave, whose values belong to the middles of equal phase bins.

    One value is repeated at each end; there the third derivative is continuous ("not-a-knot").
    """
    from scipy.interpolate import CubicSpline

    n = wave.amplitudes.size
    values = np.concatenate([wave.amplitudes[-1:], wave.amplitudes, wave.amplitudes[:1]])
    knots = (np.arange(n + 2) - 0.5) / n
    return np.ascontiguousarray(CubicSpline(knots, values, bc_type="not-a-knot").c.T)


def _fit(
    data: F32,
    pixeldq: NDArray[np.uint32],
    clocks: Clocks,
    wave: Wave,
    separately: bool,
    tiles: Tiles,
) -> FittedWave:
    nints, ngroups = data.shape[:2]
    nbins = wave.amplitudes.size
    spline = _spline(wave)
    good = _good_pixels(data, pixeldq, tiles)
    from_group_to_group = clocks.group / wave.period % 1
    phases = ((np.arange(nbins) + 0.5) / nbins)[:, None] + np.arange(ngroups) * from_group_to_group
    norm, product = np.empty((TRIALS, nints)), np.empty((TRIALS, nints))
    together = max(1, _SUMS_BYTES // (8 * nbins * ngroups))
    for first in range(0, nints, together):
        some = slice(first, first + together)
        sums, counts = _summed(data[some], good[some], clocks, wave, nbins, tiles)
        norm[:, some], product[:, some] = _terms(spline, phases % 1, sums, counts, tiles)
    del good
    tiles.check()

    # The phase of an integration after the first, relative to that of the first.
    later = from_group_to_group * ngroups + clocks.reset / wave.period
    chosen = [np.array([i]) for i in range(nints)] if separately else [np.arange(nints)]
    trials = np.arange(TRIALS) / TRIALS
    starts, amplitudes = np.zeros(nints), np.zeros(nints)
    for ints in chosen:
        chisq, at_trials = _best(norm, product, ints, trials, later)
        if np.isnan(chisq).all():
            continue
        phase = vertex(chisq, lowest(chisq, at_trials))
        _, amplitude = _best(norm, product, ints, np.array([phase]), later)
        starts[ints], amplitudes[ints] = phase, amplitude[0]
    return FittedWave(wave, spline, starts + np.arange(nints) * later, amplitudes)


def _good_pixels(data: F32, pixeldq: NDArray[np.uint32], tiles: Tiles) -> NDArray[np.bool_]:
    """Find the pixels (nints, ny, nx) without flags and with a moderate scatter among the groups."""
    from jwcal_interactive.kernels.emicorr_joint import scatter_of_groups

    nints, _, ny, nx = data.shape
    scatter = np.empty((nints, ny, nx), np.float32)
    tiles.over_rows(ny, lambda y0, y1: scatter_of_groups(data, scatter, y0, y1))
    limit = np.float32(_LARGEST_SCATTER) * median_of_positive(scatter, tiles.check)
    good = np.empty(scatter.shape, np.bool_)
    for values, use in zip(scatter, good, strict=True):
        tiles.check()
        use[:] = (values < limit) & (pixeldq == 0)
    return good


def median_of_positive(values: F32, check: Callable[[], None]) -> np.float32:
    """Median of the finite values of an array, found in pieces; 0 if there are none.

    Bits of positive numbers have the order of the numbers: the upper halves of all of them, and then the lower
    halves of those with the upper half of the median, are counted.

    Parameters
    ----------
    values : float32
        At least 0, or NaN.
    check : callable
        Called before each piece; raises to stop.
    """
    bits = np.ascontiguousarray(values, np.float32).reshape(-1).view(np.uint32)

    def counts(upper: int | None) -> NDArray[np.int64]:
        found = np.zeros(1 << 16, np.int64)
        for start in range(0, bits.size, _PIECE):
            check()
            piece = bits[start : start + _PIECE]
            piece = piece[piece < _INFINITY]
            halves = piece >> 16 if upper is None else piece[piece >> 16 == upper] & 0xFFFF
            found += np.bincount(halves, minlength=1 << 16)
        return found.cumsum()

    uppers = counts(None)
    n = int(uppers[-1])
    if n == 0:
        return np.float32(0)
    middle = []
    for rank in ((n - 1) // 2, n // 2):
        upper = int(uppers.searchsorted(rank, "right"))
        lower = counts(upper).searchsorted(rank - (uppers[upper - 1] if upper else 0), "right")
        middle.append((upper << 16) + int(lower))
    return np.mean(np.array(middle, np.uint32).view(np.float32))


def _summed(
    data: F32, good: NDArray[np.bool_], clocks: Clocks, wave: Wave, nbins: int, tiles: Tiles
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum (nints, ngroups, nbins) and count (nbins, nints) the good pixels in each bin of phase."""
    from jwcal_interactive.kernels.emicorr_joint import sum_by_phase

    nints, ngroups, ny, nx = data.shape
    clock = np.arange(ny)[:, None] * clocks.row + np.arange(nx // AMPLIFIERS) * clocks.samples
    bins = np.minimum((clock / wave.period % 1 * nbins).astype(np.int64), nbins - 1)
    bins[:, BAD_COLUMNS] = -1
    sums, counts = np.empty((nints, ngroups, nbins)), np.empty((nbins, nints))

    def sum_group(start: int, stop: int) -> None:
        for n in range(start, stop):
            sum_by_phase(data, good, bins, *divmod(n, ngroups), sums)

    # Not by rows: sums must not depend on how the work is spread.
    replace(tiles, band_rows=1).over_rows(nints * ngroups, sum_group)
    used = bins >= 0
    for i in range(nints):
        tiles.check()
        pixels = good[i].reshape(ny, -1, AMPLIFIERS).sum(axis=2)
        counts[:, i] = np.bincount(bins[used], pixels[used], nbins)
    return sums, counts


def _terms(
    spline: NDArray[np.float64],
    phases: NDArray[np.float64],
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
    tiles: Tiles,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Terms of chi squared (`try_phases`) at all trial phases, (TRIALS, nints)."""
    from jwcal_interactive.kernels.emicorr_joint import try_phases

    nints, ngroups, _ = sums.shape
    time = np.arange(ngroups) - 0.5 * (ngroups - 1)
    slopes = np.einsum("igb,g->ib", sums, time) / (time @ time)
    lines = sums.mean(axis=1, keepdims=True) + slopes[:, None, :] * time[:, None]
    residuals = np.ascontiguousarray((sums - lines).transpose(2, 1, 0))
    norm, product = np.empty((TRIALS, nints)), np.empty((TRIALS, nints))

    def work(k0: int, k1: int) -> None:
        try_phases(spline, phases, residuals, counts, norm, product, k0, k1)

    replace(tiles, band_rows=4).over_rows(TRIALS, work)
    return norm, product


def _best(
    norm: NDArray[np.float64],
    product: NDArray[np.float64],
    ints: NDArray[np.int64],
    phases: NDArray[np.float64],
    later: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest chi squared, and the amplitude that gives it, of some integrations at phases of the first one.

    For each integration the terms of the nearest trial phase not below are used, as officially.

    Returns
    -------
    chisq, amplitudes : float64, shape of ``phases``
        NaN and 0 where the wave says nothing.
    """
    trials = np.arange(TRIALS) / TRIALS
    norms, products = np.zeros(phases.size), np.zeros(phases.size)
    for i in ints:
        above = np.ceil((phases + later * i) * TRIALS).astype(np.int64)
        # Rounding decides between neighbours where a phase is that of a trial.
        near = (above[:, None] + np.arange(-1, 2)) % TRIALS
        distance = (trials[near] - phases[:, None] - later * i) % 1
        k = np.take_along_axis(near, distance.argmin(axis=1)[:, None], axis=1)[:, 0]
        norms += norm[k, i]
        products += product[k, i]
    useful = (np.abs(norms) > _NO_NORM) & np.isfinite(norms) & np.isfinite(products)
    amplitudes = np.divide(products, norms, out=np.zeros(phases.size), where=useful)
    chisq = np.where(useful, amplitudes * (norms * amplitudes - 2 * products), np.nan)
    return chisq, amplitudes


def lowest(chisq: NDArray[np.float64], amplitudes: NDArray[np.float64]) -> int:
    """Index of the lowest chi squared; of equal ones, one with a positive amplitude.

    Where the wave changes its sign from group to group, half a period later it fits as well upside down; this
    is so in SUB128 at 390.625 Hz.

    Parameters
    ----------
    chisq : float64 (n,)
        Not above 0; NaN where not known, but not everywhere.
    amplitudes : float64 (n,)
    """
    equal = (chisq <= np.nanmin(chisq) * (1 - _EQUAL)) & (amplitudes > 0)
    return int(np.nanargmin(np.where(equal, chisq, np.nan) if equal.any() else chisq))


def vertex(chisq: NDArray[np.float64], at: int) -> float:
    """Vertex of the parabola through the lowest chi squared and its neighbours.

    Parameters
    ----------
    chisq : float64 (n,)
        At phases ``k / n``; the first follows the last. NaN where not known.
    at : int
        Where it is lowest.

    Returns
    -------
    float
        Phase in periods; ``at / n`` if a neighbour is not known or all three are equal.
    """
    n = chisq.size
    before, here, after = chisq[at - 1], chisq[at], chisq[(at + 1) % n]
    curvature = before - 2 * here + after
    if not curvature > 0:
        return at / n
    return float(at + 0.5 * (before - after) / curvature) / n
