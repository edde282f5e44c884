"""Fit of a periodic wave and straight ramps together: sums over equal phases, trial phases, subtraction."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    f64,
    i64,
    r_b1_3,
    r_f32_4,
    r_f64_1,
    r_f64_2,
    r_f64_3,
    r_i64_2,
    void,
    w_f32_3,
    w_f32_4,
    w_f64_2,
    w_f64_3,
)

__all__ = ["scatter_of_groups", "subtract_wave", "sum_by_phase", "try_phases"]


@njit(inline="always")
def _wave_at(spline, phase):
    """Cubic spline over one period, whose piece k begins at the phase (k - 1/2) / n."""
    n = spline.shape[0] - 1
    k = min(int(phase * n + 0.5), n)
    u = phase - (k - 0.5) / n
    return ((spline[k, 0] * u + spline[k, 1]) * u + spline[k, 2]) * u + spline[k, 3]


@kernel(void(r_f32_4, w_f32_3, i64, i64))
def scatter_of_groups(data, out_scatter, y0, y1):
    """Compute the population standard deviation of the groups of each integration, every operation in float32.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    out_scatter : float32 (nints, ny, nx)
        DN.
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = data.shape
    mean = np.empty(nx, np.float32)
    squares = np.empty(nx, np.float32)
    for i in range(nints):
        for y in range(y0, y1):
            mean[:] = 0
            for g in range(ngroups):
                for x in range(nx):
                    mean[x] += data[i, g, y, x]
            for x in range(nx):
                mean[x] = mean[x] / ngroups
            squares[:] = 0
            for g in range(ngroups):
                for x in range(nx):
                    difference = data[i, g, y, x] - mean[x]
                    squares[x] += difference * difference
            for x in range(nx):
                out_scatter[i, y, x] = math.sqrt(np.float32(squares[x] / ngroups))


@kernel(void(r_f32_4, r_b1_3, r_i64_2, i64, i64, w_f64_3))
def sum_by_phase(data, good, bins, i, g, out_sums):
    """Sum the good pixels of one group that are read at the same phase of the wave.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    good : bool (nints, ny, nx)
        Pixels to use.
    bins : int64 (ny, nx / 4)
        Phase bin of each quad of columns in the first group; negative to leave it out.
    i, g : int
        Integration and group.
    out_sums : float64 (nints, ngroups, nbins)
        DN; row (i, g) is written.
    """
    _, _, ny, nx = data.shape
    sums = np.zeros(out_sums.shape[2])
    for y in range(ny):
        for quad in range(nx // 4):
            b = bins[y, quad]
            if b < 0:
                continue
            for x in range(4 * quad, 4 * quad + 4):
                if good[i, y, x]:
                    sums[b] += data[i, g, y, x]
    out_sums[i, g] = sums


@kernel(void(r_f64_2, r_f64_2, r_f64_3, r_f64_2, w_f64_2, w_f64_2, i64, i64))
def try_phases(spline, phases, residuals, counts, out_norm, out_product, k0, k1):
    """Terms of chi squared as a function of the amplitude c of the wave, for trial phases.

    With straight lines fitted to all ramps, chi squared is ``norm c^2 - 2 product c`` plus a constant: ``norm``
    is the sum of squares of what is left of the wave after a line was fitted to it over the groups,
    ``product`` the sum of its products with what is left of the ramps.

    Parameters
    ----------
    spline : float64 (n + 1, 4)
        Coefficients of the wave, highest power first.
    phases : float64 (nbins, ngroups)
        Phase of each bin in each group, for trial phase 0.
    residuals : float64 (nbins, ngroups, nints)
        Summed group values after a line was fitted to them over the groups, DN.
    counts : float64 (nbins, nints)
        Pixels per bin.
    out_norm, out_product : float64 (ntrials, nints)
    k0, k1 : int
        Range of trial phases; phase k is ``k / ntrials``.
    """
    nbins, ngroups, nints = residuals.shape
    ntrials = out_norm.shape[0]
    middle = 0.5 * (ngroups - 1)
    wave = np.empty(ngroups)
    spread = 0.0
    for g in range(ngroups):
        spread += (g - middle) ** 2
    for k in range(k0, k1):
        norm, product = out_norm[k], out_product[k]
        norm[:] = 0
        product[:] = 0
        for b in range(nbins):
            level, slope, squares = 0.0, 0.0, 0.0
            for g in range(ngroups):
                phase = phases[b, g] + k / ntrials
                wave[g] = _wave_at(spline, phase - math.floor(phase))
                level += wave[g]
                slope += (g - middle) * wave[g]
            level /= ngroups
            slope /= spread
            for g in range(ngroups):
                left = wave[g] - level - slope * (g - middle)
                squares += left * left
                for i in range(nints):
                    product[i] += left * residuals[b, g, i]
            for i in range(nints):
                norm[i] += squares * counts[b, i]


@kernel(void(r_f32_4, r_f64_2, r_f64_1, r_f64_1, f64, f64, f64, f64, i64, i64, w_f32_4, i64, i64))
def subtract_wave(
    data, spline, amplitudes, offsets, period, row_clocks, samples, group_phase, row0, column0, out_data, y0, y1
):
    """Subtract a wave of known phase and amplitude from every group, rounding once.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN; may be ``out_data``.
    spline : float64 (n + 1, 4)
        Coefficients of the wave.
    amplitudes, offsets : float64 (nints,)
        Factor of the wave, and its phase at the first pixel of each integration.
    period, row_clocks, samples : float
        Of the wave, from row to row, from pixel to pixel of an amplifier; pixel clocks.
    group_phase : float
        Phase from a group to the next.
    row0, column0 : int
        Place of the array in the frame that was read.
    out_data : float32 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows of the array.
    """
    nints, ngroups, _, nx = data.shape
    start = np.empty(nx)
    for y in range(y0, y1):
        for x in range(nx):
            periods = ((row0 + y) * row_clocks + (column0 + x) // 4 * samples) / period
            start[x] = periods - math.floor(periods)
        for i in range(nints):
            for g in range(ngroups):
                signal = 0.0
                for x in range(nx):
                    if x == 0 or (column0 + x) % 4 == 0:
                        phase = start[x] + group_phase * g + offsets[i]
                        signal = amplitudes[i] * _wave_at(spline, phase - math.floor(phase))
                    out_data[i, g, y, x] = data[i, g, y, x] - signal
