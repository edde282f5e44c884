"""The exposure's rates from those of its integrations, for ramps fitted by maximum likelihood."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numba.types import UniTuple

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels import signatures as sig
from jwcal_interactive.kernels.compiling import kernel

__all__ = ["average_integrations"]

_DO_NOT_USE = np.uint32(DQ.DO_NOT_USE)
_CHUNK = 128


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
def _median_rates(rates, y, x0, width, rows, out):
    """Median over the integrations without NaN; NaN without any."""
    nints = rates.shape[0]
    for i in range(nints):
        for c in range(width):
            rate = rates[i, y, x0 + c]
            rows[i, c] = np.float32(math.inf) if math.isnan(rate) else rate
    _sort_columns(rows, nints, width)
    for c in range(width):
        n = 0
        for i in range(nints):
            n += not math.isnan(rates[i, y, x0 + c])
        if n == 0:
            out[y, x0 + c] = math.nan
        elif n % 2:
            out[y, x0 + c] = rows[n // 2, c]
        else:
            out[y, x0 + c] = (rows[n // 2 - 1, c] + rows[n // 2, c]) / np.float32(2)


@njit(error_model="numpy")
def _average(rates, variances, weights, y, x):
    """Mean of the integrations with weights 1 / variance, whose Poisson part is that of the mean `rate`.

    In single precision, as officially. Returns rate, Poisson and read-noise variance.
    """
    nints = weights.size
    zero, one = np.float32(0), np.float32(1)
    var_poisson, var_rnoise = variances
    rate = rates[1][y, x]
    poisson = noise = np.float32(math.nan)
    for _ in range(2):
        total = zero
        for i in range(nints):
            ratio = rate / rates[0][i, y, x]
            if not (ratio >= zero and ratio < np.float32(math.inf)):
                ratio = zero
            weights[i] = one / (var_poisson[i, y, x] * ratio + var_rnoise[i, y, x])
            total += zero if math.isnan(weights[i]) else weights[i]
        before, rate, poisson, noise = rate, zero, zero, zero
        some = some_poisson = some_noise = False
        for i in range(nints):
            value = rates[0][i, y, x]
            ratio = before / value
            if not (ratio >= zero and ratio < np.float32(math.inf)):
                ratio = zero
            weight = weights[i] / total
            part = value * weight
            if not math.isnan(part):
                rate, some = rate + part, True
            part = var_poisson[i, y, x] * ratio * (weight * weight)
            if not math.isnan(part):
                poisson, some_poisson = poisson + part, True
            part = var_rnoise[i, y, x] * (weight * weight)
            if not math.isnan(part):
                noise, some_noise = noise + part, True
        nan = np.float32(math.nan)
        rate = rate if some else nan
        poisson = poisson if some_poisson else nan
        noise = noise if some_noise else nan
    return rate, poisson, noise


@njit(error_model="numpy")
def _average_chunk(rows, weights, y, x0, width, data, dq, out, out_dq):
    nints = weights.size
    _median_rates(data[0], y, x0, width, rows, out[0])
    for c in range(width):
        x = x0 + c
        rate, poisson, noise = _average((data[0], out[0]), (data[2], data[3]), weights, y, x)
        out[0][y, x], out[2][y, x], out[3][y, x] = rate, poisson, noise
        out[1][y, x] = np.sqrt(poisson + noise)
        some, every = np.uint32(0), np.uint32(0xFFFFFFFF)
        for i in range(nints):
            some |= dq[i, y, x]
            every &= dq[i, y, x]
        out_dq[y, x] = some & ~_DO_NOT_USE | every & _DO_NOT_USE


@kernel(
    sig.void(
        UniTuple(sig.r_f32_3, 4), sig.r_u32_3, UniTuple(sig.w_f32_2, 4), sig.w_u32_2, sig.i64, sig.i64
    ),
    error_model="numpy",
)  # fmt: skip
def average_integrations(data, dq, out, out_dq, y0, y1):
    """Average rows y0 to y1 of the integrations.

    DO_NOT_USE is kept where all integrations have it, other flags where any has.

    Parameters
    ----------
    data, dq : four of (nints, ny, nx), (nints, ny, nx)
        Slope and error, DN/s, Poisson and read-noise variance, DN^2/s^2, and flags, of the integrations.
    out, out_dq : four of (ny, nx), (ny, nx)
        The same of the exposure.
    """
    nints, _, nx = dq.shape
    rows = np.empty((nints, _CHUNK), dtype=np.float32)
    weights = np.empty(nints, dtype=np.float32)
    for y in range(y0, y1):
        for x0 in range(0, nx, _CHUNK):
            _average_chunk(rows, weights, y, x0, min(_CHUNK, nx - x0), data, dq, out, out_dq)
