"""Slopes of ramps by maximum likelihood, with a search for jumps (algorithm LIKELY).

Brandt 2024, PASP 136, 045004 (paper I, the fit) and 045005 (paper II, jumps). The differences of a ramp's
groups have a tridiagonal covariance matrix, so that each fit takes a time proportional to their number.

All arithmetic is in double precision, in the order of the official code: with two differences left, for
example, rounding decides which of them is called a jump. One source of rounding remains: numpy takes another
library's power function where the processor has AVX-512.

Pixels of a row are fitted together, _CHUNK at a time: loops over them are the innermost, and each has few
operands, for the compiler to use vector instructions.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.types import UniTuple

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels import signatures as sig
from jwcal_interactive.kernels.compiling import kernel

__all__ = ["ALPHA_NOISE", "ALPHA_PHOTONS", "BETA_NOISE", "BETA_PHOTONS", "TIME", "fit_likely"]

_DO_NOT_USE = np.uint8(DQ.DO_NOT_USE)
_SATURATED = np.uint8(DQ.SATURATED)
_JUMP_DET = np.uint8(DQ.JUMP_DET)

# Improvement of chi squared that makes one difference, or two in a row, a jump: 4.5 sigma each.
_ONE_OMITTED, _TWO_OMITTED = 20.25, 23.8
_SQRT2 = math.sqrt(2.0)
# Jumps are not looked for with fewer differences than this left, after the first search.
_FEWEST_SEARCHED = 4
# The determinant of the covariance matrix is kept near 1 by a factor for every so many differences.
_RESCALED_EVERY = 10
_CHUNK = 128


class _Work(NamedTuple):
    """Arrays that one thread works in; names as in the papers."""

    ramp: Any  # differences of a row's ramps, DN/s, (ndiffs, nx)
    good: Any  # 1 where they are to be used, else 0
    pixels: Any  # per column of the row: see _GUESS...
    flags: Any  # per column: all flags of the groups; not 0 if no group is usable; JUMP_DET if one was found
    lines: Any  # scratch, (2, nx)
    columns: Any  # columns that are to be searched for jumps, (nx,)
    batch: Any  # columns that are fitted, (_CHUNK,)
    planes: Any  # per difference and fitted column: see _DIFF..., (17, ndiffs + 1, _CHUNK)
    fits: Any  # per fitted column: see _FIT_RATE..., (16, _CHUNK)


# Planes, as in the papers: differences and whether they are used; covariance matrix on the diagonal and
# above it; theta and phi, its principal minors from the left and from the right; Theta, Phi, Theta_D, Phi_D;
# dB, dC; diagonal of the inverse covariance matrix; chi squared without one difference, and the rate; the
# same without it and the next.
(
    _DIFF, _USE, _ALPHA, _BETA, _THETA, _PHI, _THETA_SUM, _PHI_SUM, _THETA_DIFF, _PHI_DIFF, _DB, _DC, _INVERSE,
    _ONE, _ONE_RATE, _TWO, _TWO_RATE,
) = range(17)  # fmt: skip
TIME, ALPHA_PHOTONS, ALPHA_NOISE, BETA_PHOTONS, BETA_NOISE = range(5)
"""Rows of the moments of the read times: time between the means of neighbouring groups, s; factors of rate /
gain and of the squared noise of a frame in the diagonal of the covariance matrix, and above the diagonal."""

# Rows of `flags`.
_SEEN, _LOST, _JUMPED = range(3)
# Rows of `pixels`: guess of the rate and rate, DN/s; gain, electron/DN; squared noise of a frame, DN^2;
# dark current, electron/s.
_GUESS, _RATE, _GAIN, _NOISE2, _DARK = range(5)
# Rows of `fits`: rate, chi squared, determinant's scale, A, B, C, last theta, variances, error, scratch.
_FIT_RATE, _CHI2, _SCALE, _A, _B, _C, _LAST, _VAR_P, _VAR_R, _ERR, _T1, _T2, _T3, _T4, _T5, _T6 = range(16)


@njit(error_model="numpy")
def _new_work(ndiffs, nx):
    return _Work(
        np.zeros((ndiffs, nx)), np.zeros((ndiffs, nx)), np.zeros((5, nx)), np.zeros((3, nx), dtype=np.uint8),
        np.zeros((2, nx)), np.zeros(nx, dtype=np.int64), np.zeros(_CHUNK, dtype=np.int64),
        np.zeros((17, ndiffs + 1, _CHUNK)), np.zeros((16, _CHUNK)),
    )  # fmt: skip


@njit(error_model="numpy")
def _load(work, arrays, times, i, y, first, last):
    """Copy the differences of one integration of a row, and what its flags say.

    A difference is used if no group of it has any flag. A zero frame is a group of its own, taken out
    of the average of the first, whose flags it shares; where it is unusable (0), so is the first group.
    """
    data, groupdq, zeroframe, nframes = arrays
    ndiffs, extra = times.shape[1], 1 if zeroframe.shape[0] else 0
    before, after = work.lines
    nx = before.size
    seen, lost, jump = work.flags
    for c in range(nx):
        seen[c] = jump[c] = 0
        lost[c] = 1
        before[c] = data[i, 0, y, c]
        if extra:
            before[c] = zeroframe[i, y, c]
    work.good[:] = 1.0
    for k in range(ndiffs + 1 - extra):
        flags = groupdq[i, k, y]
        outside = np.uint8(k < first or k > last)  # DO_NOT_USE is bit 0
        for c in range(nx):
            flag = flags[c] | outside
            seen[c] |= flag
            lost[c] &= (flag & _DO_NOT_USE) | ((flag & _SATURATED) >> np.uint8(1))
        for beside in range(max(k - 1 + extra, 0), min(k + 1 + extra, ndiffs)):
            good = work.good[beside]
            for c in range(nx):
                good[c] = good[c] if flags[c] | outside == 0 else 0.0
    for k in range(ndiffs):
        values = data[i, k + 1 - extra, y]
        for c in range(nx):
            after[c] = values[c]
        if extra and k == 0:
            for c in range(nx):
                frame = zeroframe[i, y, c]
                after[c] = (values[c] * nframes - frame) / (nframes - np.float32(1))
                if frame == 0:
                    work.good[0, c] = work.good[1, c] = 0.0
        row, duration = work.ramp[k], times[TIME, k]
        for c in range(nx):
            row[c] = np.float64(np.float32(after[c] - before[c])) / duration
            before[c] = after[c]


@njit(error_model="numpy")
def _sort_columns(rows, n, width):
    """Sort rows[:n] of each column by Batcher's odd-even merge exchange (Knuth 5.2.2, M)."""
    p = 1
    while p < n:
        k = p
        while k >= 1:
            for j in range(k % p, n - k, 2 * k):
                for i in range(j, min(j + k, n - k)):
                    if i // (2 * p) == (i + k) // (2 * p):
                        for c in range(width):
                            a, b = rows[i, c], rows[i + k, c]
                            rows[i, c] = a if a < b else b
                            rows[i + k, c] = b if a < b else a
            k //= 2
        p *= 2


@njit(error_model="numpy")
def _guess(work, x0, width):
    """First guess of the rate: the median of all differences where positive, else 0."""
    rows, n, guess = work.planes[_DIFF], work.ramp.shape[0], work.pixels[_GUESS]
    for k in range(n):
        for c in range(width):
            rows[k, c] = work.ramp[k, x0 + c]
    _sort_columns(rows, n, width)
    for c in range(width):
        median = rows[n // 2, c] if n % 2 else (rows[n // 2 - 1, c] + rows[n // 2, c]) / 2.0
        guess[x0 + c] = median * (1.0 if median > 0 else 0.0)


@njit(error_model="numpy")
def _covariance(work, times, n):
    """Fill alpha and beta, scaled to a determinant of 1, which neither overflows nor vanishes.

    Paper I, equations 26 to 29; a factor f on all of them is a factor f^i on theta[i].
    """
    p, ndiffs = work.planes, work.ramp.shape[0]
    alpha, beta, theta = p[_ALPHA], p[_BETA], p[_THETA]
    photons, noise2, scale = work.fits[_T1], work.fits[_T2], work.fits[_SCALE]
    for c in range(n):
        column = work.batch[c]
        photons[c] = work.pixels[_GUESS, column] / work.pixels[_GAIN, column]
        noise2[c] = work.pixels[_NOISE2, column]
    for k in range(ndiffs):
        row, by_photons, by_noise = alpha[k], times[ALPHA_PHOTONS, k], times[ALPHA_NOISE, k]
        for c in range(n):
            row[c] = photons[c] * by_photons + noise2[c] * by_noise
        row, by_photons, by_noise = beta[k], times[BETA_PHOTONS, k], times[BETA_NOISE, k]
        for c in range(n):
            row[c] = photons[c] * by_photons + noise2[c] * by_noise
    for c in range(n):
        theta[0, c] = scale[c] = 1.0
        theta[1, c] = alpha[0, c]
    for k in range(2, ndiffs + 1):
        here, one, two, a, b = theta[k], theta[k - 1], theta[k - 2], alpha[k - 1], beta[k - 2]
        if k <= _RESCALED_EVERY:  # the scale is 1
            for c in range(n):
                here[c] = a[c] * one[c] - b[c] * b[c] * two[c]
        else:
            for c in range(n):
                s = scale[c]
                here[c] = a[c] / s * one[c] - b[c] * b[c] / (s * s) * two[c]
        if k % _RESCALED_EVERY == 0 or k == ndiffs:
            power = 1 / k
            for c in range(n):
                factor = here[c] ** power
                rest = here[c] / factor
                scale[c] *= factor
                one[c] /= rest
                two[c] /= rest / factor
                here[c] = 1.0
    for k in range(ndiffs):
        for c in range(n):
            alpha[k, c] /= scale[c]
        for c in range(n):
            beta[k, c] /= scale[c]


@njit(error_model="numpy")
def _recurrences(work, n):
    """Principal minors and sums of paper I, equations 38 to 48, and of paper II, equation 4.

    `diff` and `beta` become 0 where a difference is not used.
    """
    p, ndiffs = work.planes, work.ramp.shape[0]
    diff, use, alpha, beta, theta, phi = p[_DIFF], p[_USE], p[_ALPHA], p[_BETA], p[_THETA], p[_PHI]
    theta_sum, phi_sum, theta_diff, phi_diff = p[_THETA_SUM], p[_PHI_SUM], p[_THETA_DIFF], p[_PHI_DIFF]
    for k in range(ndiffs):
        for c in range(n):
            column = work.batch[c]
            use[k, c] = work.good[k, column]
            diff[k, c] = work.ramp[k, column] * use[k, c]
    for k in range(ndiffs - 1):
        for c in range(n):
            beta[k, c] = beta[k, c] * use[k + 1, c] * use[k, c]
    for c in range(n):
        theta[0, c] = phi[ndiffs, c] = 1.0
        theta[1, c] = alpha[0, c]
        phi[ndiffs - 1, c] = alpha[ndiffs - 1, c]
        phi_sum[ndiffs - 1, c] = phi_diff[ndiffs - 1, c] = theta_diff[0, c] = 0.0
        theta_sum[0, c] = -1.0
        theta_diff[1, c] = -diff[0, c]
    for k in range(2, ndiffs + 1):
        here, one, two, a, b = theta[k], theta[k - 1], theta[k - 2], alpha[k - 1], beta[k - 2]
        for c in range(n):
            here[c] = a[c] * one[c] - b[c] * b[c] * two[c]
    for k in range(ndiffs - 2, -1, -1):
        here, one, two, a, b = phi[k], phi[k + 1], phi[k + 2], alpha[k], beta[k]
        for c in range(n):
            here[c] = a[c] * one[c] - b[c] * b[c] * two[c]
        sign = 1.0 if k % 2 == 0 else -1.0  # of k + 1
        here, one = phi_sum[k], phi_sum[k + 1]
        for c in range(n):
            here[c] = one[c] * b[c] + sign * b[c] * two[c]
        here, one, d = phi_diff[k], phi_diff[k + 1], diff[k + 1]
        for c in range(n):
            here[c] = (one[c] + sign * d[c] * two[c]) * b[c]
    for k in range(1, ndiffs):
        sign = -1.0 if k % 2 == 0 else 1.0
        here, one, b, t, d = theta_sum[k], theta_sum[k - 1], beta[k - 1], theta[k], diff[k]
        for c in range(n):
            here[c] = one[c] * b[c] + sign * t[c]
        here, one = theta_diff[k + 1], theta_diff[k]
        for c in range(n):
            here[c] = b[c] * one[c] + sign * d[c] * t[c]


@njit(error_model="numpy")
def _solve(work, n, chi_squared):
    """Rate of each fit, and with `chi_squared` that, too; paper I, equations 61 to 63, 71 and 75."""
    p, ndiffs, fits = work.planes, work.ramp.shape[0], work.fits
    theta, phi, beta, diff, use = p[_THETA], p[_PHI], p[_BETA], p[_DIFF], p[_USE]
    last, total, by_diff = fits[_LAST], fits[_C], fits[_B]
    for c in range(n):
        last[c] = theta[ndiffs, c]
        total[c] = by_diff[c] = 0.0
    for k in range(ndiffs):
        sign = -1.0 if k % 2 == 0 else 1.0
        here, left, right, u = p[_DC, k], theta[k], phi[k + 1], use[k]
        one, two = p[_THETA_SUM, k], p[_PHI_SUM, k]
        for c in range(n):
            here[c] = sign / last[c] * (right[c] * one[c] + left[c] * two[c]) * u[c]
        for c in range(n):
            total[c] += here[c]
        for c in range(n):
            by_diff[c] += diff[k, c] * here[c]
    for c in range(n):
        fits[_FIT_RATE, c] = by_diff[c] * (1.0 / total[c])
    if not chi_squared:
        return
    first, second, squares = fits[_T1], fits[_T2], fits[_A]
    for c in range(n):
        first[c] = second[c] = 0.0
    for k in range(ndiffs):
        sign = -1.0 if k % 2 == 0 else 1.0
        d, left, right, one, b = diff[k], theta[k], phi[k + 1], p[_THETA_DIFF, k], beta[max(k - 1, 0)]
        for c in range(n):  # of k = 0 nothing, as Theta_D is 0
            first[c] += d[c] * sign / last[c] * b[c] * right[c] * one[c]
        for c in range(n):
            second[c] += d[c] * d[c] * left[c] * right[c] / last[c]
    chi2, scale = fits[_CHI2], fits[_SCALE]
    for c in range(n):
        squares[c] = 2.0 * first[c] + second[c]
        chi2[c] = (squares[c] - by_diff[c] * by_diff[c] / total[c]) / scale[c]


@njit(error_model="numpy", inline="always")
def _fit(work, times, n, chi_squared):
    """Fit the first n of the batch."""
    _covariance(work, times, n)
    _recurrences(work, n)
    _solve(work, n, chi_squared)


@njit(error_model="numpy")
def _omit_one(work, n):
    """Chi squared and rate of each fit without one difference; paper II, section 3.1."""
    p, fits, ndiffs = work.planes, work.fits, work.ramp.shape[0]
    squares, by_diff, total, last, scale = fits[_A], fits[_B], fits[_C], fits[_LAST], fits[_SCALE]
    jump, chi_all, rate_all = fits[_T1], fits[_CHI2], fits[_FIT_RATE]
    for k in range(ndiffs):
        sign = -1.0 if k % 2 == 0 else 1.0
        left, right, u = p[_THETA, k], p[_PHI, k + 1], p[_USE, k]
        inverse, dc, db, chi2, rate = p[_INVERSE, k], p[_DC, k], p[_DB, k], p[_ONE, k], p[_ONE_RATE, k]
        before, after = p[_THETA_DIFF, k + 1], p[_PHI_DIFF, k]
        for c in range(n):
            inverse[c] = left[c] * right[c] / last[c] * u[c]
        for c in range(n):
            db[c] = sign / last[c] * (right[c] * before[c] + left[c] * after[c])
        for c in range(n):
            rate[c] = (inverse[c] * by_diff[c] - db[c] * dc[c]) / (total[c] * inverse[c] - dc[c] * dc[c])
        for c in range(n):
            jump[c] = (db[c] - rate[c] * dc[c]) / inverse[c]
        for c in range(n):
            a = rate[c]
            chi2[c] = squares[c] + a * a * total[c] - 2.0 * a * by_diff[c]
        for c in range(n):
            a, b = rate[c], jump[c]
            chi2[c] = chi2[c] + b * b * inverse[c] - 2.0 * b * db[c] + 2.0 * a * b * dc[c]
        for c in range(n):
            chi2[c] = chi2[c] / scale[c] if u[c] != 0.0 else chi_all[c]
        for c in range(n):
            rate[c] = rate[c] if u[c] != 0.0 else rate_all[c]


@njit(error_model="numpy")
def _omit_two(work, n):
    """Chi squared and rate of each fit without two differences in a row; paper II, section 3.2."""
    p = work.planes
    fits = work.fits
    squares, by_diff, total, last, scale = fits[_A], fits[_B], fits[_C], fits[_LAST], fits[_SCALE]
    f0, f1, f2, off, jump0, jump1 = fits[_T1], fits[_T2], fits[_T3], fits[_T4], fits[_T5], fits[_T6]
    for k in range(work.ramp.shape[0] - 1):
        beta, left, right, u0, u1 = p[_BETA, k], p[_THETA, k], p[_PHI, k + 2], p[_USE, k], p[_USE, k + 1]
        dc0, dc1, db0, db1 = p[_DC, k], p[_DC, k + 1], p[_DB, k], p[_DB, k + 1]
        inverse0, inverse1, chi2, rate = p[_INVERSE, k], p[_INVERSE, k + 1], p[_TWO, k], p[_TWO_RATE, k]
        for c in range(n):
            off[c] = -beta[c] * left[c] * right[c] / last[c]
        for c in range(n):
            f0[c] = dc0[c] * dc0[c] - total[c] * inverse0[c]
        for c in range(n):
            f1[c] = dc0[c] * dc1[c] - total[c] * off[c]
        for c in range(n):
            f2[c] = by_diff[c] * dc0[c] - db0[c] * total[c]
        for c in range(n):
            jump1[c] = f2[c] / f0[c] - (by_diff[c] * dc1[c] - db1[c] * total[c]) / f1[c]
        for c in range(n):
            jump1[c] /= f1[c] / f0[c] - (dc1[c] * dc1[c] - total[c] * inverse1[c]) / f1[c]
        for c in range(n):
            jump0[c] = (f2[c] - jump1[c] * f1[c]) / f0[c]
        for c in range(n):
            rate[c] = (by_diff[c] - jump0[c] * dc0[c] - jump1[c] * dc1[c]) / total[c]
        for c in range(n):
            a, b0, b1 = rate[c], jump0[c], jump1[c]
            chi2[c] = squares[c] + a * a * total[c] + b0 * b0 * inverse0[c] + b1 * b1 * inverse1[c]
        for c in range(n):
            a, b0, b1 = rate[c], jump0[c], jump1[c]
            chi2[c] -= 2.0 * a * by_diff[c] + 2.0 * b0 * db0[c] + 2.0 * b1 * db1[c]
        for c in range(n):
            a, b0, b1 = rate[c], jump0[c], jump1[c]
            chi2[c] += 2.0 * a * b0 * dc0[c] + 2.0 * a * b1 * dc1[c] + 2.0 * b0 * b1 * off[c]
        first, second = p[_ONE, k], p[_ONE, k + 1]
        for c in range(n):
            both = chi2[c] / scale[c] if u1[c] != 0.0 else first[c]
            chi2[c] = both if u0[c] != 0.0 else second[c]
        first, second = p[_ONE_RATE, k], p[_ONE_RATE, k + 1]
        for c in range(n):
            both = rate[c] if u1[c] != 0.0 else first[c]
            rate[c] = both if u0[c] != 0.0 else second[c]


@njit(error_model="numpy")
def _best_improvements(work, averaged, n, two):
    """Largest decrease of chi squared by leaving out one difference, and two; NaN if any is NaN.

    Only pairs whose middle group is averaged count, but a NaN of any counts.
    """
    p, ndiffs, chi_all = work.planes, work.ramp.shape[0], work.fits[_CHI2]
    best_one, best_two = work.fits[_T1], work.fits[_T2]
    for c in range(n):
        best_one[c] = best_two[c] = -math.inf
    for k in range(ndiffs):
        chi2 = p[_ONE, k]
        for c in range(n):
            gain = chi_all[c] - chi2[c]
            best_one[c] = gain if gain > best_one[c] or gain != gain else best_one[c]
    for k in range(ndiffs - 1 if two else 0):
        chi2, counts = p[_TWO, k], averaged[k]
        for c in range(n):
            gain = (chi_all[c] - chi2[c]) * counts
            best_two[c] = gain if gain > best_two[c] or gain != gain else best_two[c]


@njit(error_model="numpy")
def _drop_jump(work, c, two):
    """Drop the difference, or the two, without which the fit of a column is best, if they are a jump.

    A rate that is infinite or not a number is never better.
    """
    p, ndiffs, column, chi2 = work.planes, work.ramp.shape[0], work.batch[c], work.fits[_CHI2, c]
    best_one, best_two = work.fits[_T1, c], work.fits[_T2, c] if two else 0.0
    if math.isnan(best_one - best_one) or math.isnan(best_two - best_two):
        return False
    rate, dropped = 0.0, False
    if best_one - _ONE_OMITTED > best_two - _TWO_OMITTED:
        if best_one > _ONE_OMITTED:
            for k in range(ndiffs):
                if chi2 - p[_ONE, k, c] == best_one:
                    dropped = True
                    rate += p[_ONE_RATE, k, c]
                    work.good[k, column] = 0.0
    elif best_two > _TWO_OMITTED:
        for k in range(ndiffs - 1):
            if chi2 - p[_TWO, k, c] == best_two:
                dropped = True
                rate += p[_TWO_RATE, k, c]
                work.good[k, column] = work.good[k + 1, column] = 0.0
    if dropped:
        work.pixels[_RATE, column] = rate
    return dropped


@njit(error_model="numpy", inline="always")
def _search_columns(work, times, averaged, count, two):
    """Search the first of `columns` for a jump each; put those that are to be searched again first."""
    best_one, best_two = work.fits[_T1], work.fits[_T2]
    again = 0
    for start in range(0, count, _CHUNK):
        n = min(_CHUNK, count - start)
        work.batch[:n] = work.columns[start : start + n]
        _fit(work, times, n, True)
        for c in range(n):
            work.pixels[_RATE, work.batch[c]] = work.fits[_FIT_RATE, c]
        _omit_one(work, n)
        if two:
            _omit_two(work, n)
        _best_improvements(work, averaged, n, two)
        for c in range(n):
            if (best_one[c] > _ONE_OMITTED or best_two[c] > _TWO_OMITTED) and _drop_jump(work, c, two):
                column = work.batch[c]
                work.flags[_JUMPED, column] = _JUMP_DET
                if np.sum(work.good[:, column]) >= _FEWEST_SEARCHED:
                    work.columns[again] = column
                    again += 1
    return again


@njit(error_model="numpy", inline="always")
def _search_jumps(work, times, averaged):
    """Drop jumps one after the other while the fits get better by more than the thresholds.

    Where no group is averaged only single differences are dropped; but pairs still count if they are all
    that is left, since a fit without both is not defined, and then nothing is dropped.
    """
    any_averaged = np.any(averaged)
    ndiffs, nx = work.ramp.shape
    count = np.sum(work.good, axis=0)
    for only_pair in range(1 if any_averaged else 2):
        n = 0
        for c in range(nx):
            if any_averaged or (count[c] == 2) == (only_pair == 1):
                work.columns[n] = c
                n += 1
        for _ in range(ndiffs):
            if n == 0:
                break
            n = _search_columns(work, times, averaged, n, any_averaged or only_pair == 1)


@njit(error_model="numpy")
def _variances(work, times, n):
    """Error and variances of the fits; paper I, section 4."""
    fits, ndiffs, weights = work.fits, work.ramp.shape[0], work.planes[_DC]
    photons, noise2 = fits[_T1], fits[_T2]
    squares, pairs, read_squares, read_pairs = fits[_VAR_P], fits[_A], fits[_VAR_R], fits[_B]
    total = fits[_C]
    for c in range(n):
        column = work.batch[c]
        photons[c] = work.pixels[_GUESS, column] / work.pixels[_GAIN, column]
        noise2[c] = work.pixels[_NOISE2, column]
        fits[_ERR, c] = math.sqrt(fits[_SCALE, c] / total[c])
        squares[c] = pairs[c] = read_squares[c] = read_pairs[c] = 0.0
    for k in range(ndiffs):
        row, by_photons, by_noise = weights[k], times[ALPHA_PHOTONS, k], times[ALPHA_NOISE, k]
        for c in range(n):
            row[c] /= total[c]
        for c in range(n):
            squares[c] += row[c] * row[c] * (photons[c] * by_photons)
        for c in range(n):
            read_squares[c] += row[c] * row[c] * (noise2[c] * by_noise)
        if k == 0:
            continue
        before, by_photons, by_noise = weights[k - 1], times[BETA_PHOTONS, k - 1], times[BETA_NOISE, k - 1]
        for c in range(n):
            pairs[c] += row[c] * before[c] * (photons[c] * by_photons)
        for c in range(n):
            read_pairs[c] += row[c] * before[c] * (noise2[c] * by_noise)
    for c in range(n):
        squares[c] += 2.0 * pairs[c]
        read_squares[c] += 2.0 * read_pairs[c]


@njit(error_model="numpy")
def _prepare(work, gain, readnoise, dark, y):
    for x in range(work.columns.size):
        noise = readnoise[y, x] / _SQRT2
        work.pixels[_GAIN, x] = gain[y, x]
        work.pixels[_NOISE2, x] = noise * noise
        work.pixels[_DARK, x] = dark[y, x] if dark.shape[0] else 0.0


@njit(error_model="numpy")
def _write_integration(work, pixeldq, i, y, x0, width, out, out_dq, out_chisq):
    rate, err, var_poisson, var_rnoise = out
    for c in range(width):
        x = x0 + c
        rate[i, y, x] = work.fits[_FIT_RATE, c]
        err[i, y, x] = work.fits[_ERR, c]
        var_poisson[i, y, x] = work.fits[_VAR_P, c]
        var_rnoise[i, y, x] = work.fits[_VAR_R, c]
        dq = work.flags[_SEEN, x] & (_SATURATED | _JUMP_DET) | work.flags[_JUMPED, x]
        if work.flags[_LOST, x]:
            dq |= _DO_NOT_USE
        out_dq[i, y, x] = pixeldq[y, x] | np.uint32(dq)
        if out_chisq.shape[0]:
            chi2 = np.float32(work.fits[_CHI2, c])
            out_chisq[y, x] = chi2 if i == 0 else out_chisq[y, x] + chi2


@kernel(
    sig.void(
        sig.r_f32_4, sig.r_u8_4, sig.r_u32_2, sig.r_f32_3, sig.r_f32_2, sig.r_f32_2, sig.r_f32_2,
        sig.r_f64_2, sig.r_f64_1, sig.i64, sig.i64, sig.i64,
        UniTuple(sig.w_f32_3, 4), sig.w_u32_3, sig.w_f32_2, sig.w_u8_4, sig.i64, sig.i64,
    ),
    error_model="numpy",
)  # fmt: skip
def fit_likely(
    data, groupdq, pixeldq, zeroframe, dark, gain, readnoise, times, averaged, nframes, first, last,
    outi, outi_dq, out_chisq, out_good, y0, y1,
):  # fmt: skip
    """Fit the ramps of each integration in rows y0 to y1.

    Parameters
    ----------
    data, groupdq, pixeldq, zeroframe, dark, gain, readnoise
        As for `kernels.ramp_fit.fit_ramps`; `zeroframe` is (0, 0, 0) where it is not used.
    times : (5, ndiffs)
        Rows `TIME` to `BETA_NOISE`; the last of those above the diagonal is not used.
    averaged : (ndiffs - 1,)
        1 where the group between two differences is an average of frames, else 0.
    nframes : int
        Frames in the average of a group.
    first, last : int
        Groups outside are not used.
    outi, outi_dq
        As for `kernels.ramp_fit.fit_ramps`.
    out_chisq : (ny, nx), or (0, 0) if not wanted
        Chi squared of the exposure.
    out_good : (nints, ndiffs, ny, nx), or (0, 0, 0, 0) if not wanted
        1 for each difference that the slope comes from, else 0.
    """
    nints, _, _, nx = data.shape
    arrays = (data, groupdq, zeroframe, np.float32(nframes))
    work = _new_work(times.shape[1], nx)
    for y in range(y0, y1):
        _prepare(work, gain, readnoise, dark, y)
        for i in range(nints):
            _load(work, arrays, times, i, y, first, last)
            for x0 in range(0, nx, _CHUNK):
                _guess(work, x0, min(_CHUNK, nx - x0))
            _search_jumps(work, times, averaged)
            for x in range(nx):  # the guess is now what the search found
                rate = work.pixels[_RATE, x]
                work.pixels[_GUESS, x] = rate * (1.0 if rate > 0.0 else 0.0) + work.pixels[_DARK, x]
            for x0 in range(0, nx, _CHUNK):
                width = min(_CHUNK, nx - x0)
                for c in range(width):
                    work.batch[c] = x0 + c
                _fit(work, times, width, out_chisq.shape[0] > 0)
                _variances(work, times, width)
                _write_integration(work, pixeldq, i, y, x0, width, outi, outi_dq, out_chisq)
            if out_good.shape[0]:
                out_good[i, :, y] = work.good
