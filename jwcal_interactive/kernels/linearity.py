"""Polynomial correction of the detector's non-linearity."""

from __future__ import annotations

import numpy as np
from numba import njit

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    i64,
    r_b1_2,
    r_f32_3,
    r_f32_4,
    r_f64_1,
    r_f64_2,
    r_u8_4,
    r_u32_2,
    void,
    w_b1_2,
    w_f32_4,
)

__all__ = ["correct", "correct_frames", "find_usable"]

_SATURATED = np.uint8(DQ.SATURATED)
_NO_LIN_CORR = np.uint32(DQ.NO_LIN_CORR)


@kernel(void(r_f32_3, r_u32_2, w_b1_2, i64, i64))
def find_usable(coefficients, flags, out_usable, y0, y1):
    """Find the pixels that have a polynomial.

    Parameters
    ----------
    coefficients : float32 (ncoeffs, ny, nx)
        Of ascending powers; ncoeffs >= 2.
    flags : uint32 (ny, nx)
        Flags of the reference.
    out_usable : bool (ny, nx)
        False where NO_LIN_CORR is set, a coefficient is NaN or the linear one is 0.
    y0, y1 : int
        Band of rows.
    """
    ncoeffs, _, nx = coefficients.shape
    for y in range(y0, y1):
        for x in range(nx):
            out_usable[y, x] = coefficients[1, y, x] != 0 and flags[y, x] & _NO_LIN_CORR == 0
        for c in range(ncoeffs):
            for x in range(nx):
                if np.isnan(coefficients[c, y, x]):
                    out_usable[y, x] = False


@kernel(void(r_f32_4, r_u8_4, r_f32_3, r_b1_2, w_f32_4, i64, i64))
def correct(data, groupdq, coefficients, usable, out_data, y0, y1):
    """Apply the polynomial of each pixel to its groups, Horner's scheme in float32.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    groupdq : uint8 (nints, ngroups, ny, nx)
        SATURATED groups are left as they are.
    coefficients : float32 (ncoeffs, ny, nx)
        Of ascending powers; ncoeffs >= 2.
    usable : bool (ny, nx)
        Other pixels are left as they are.
    out_data : float32 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = data.shape
    degree = coefficients.shape[0] - 1
    for y in range(y0, y1):
        for i in range(nints):
            for g in range(ngroups):
                row, flags, out = data[i, g, y], groupdq[i, g, y], out_data[i, g, y]
                highest = coefficients[degree, y]
                for x in range(nx):
                    out[x] = highest[x] * row[x]
                for c in range(degree - 1, 0, -1):
                    factor = coefficients[c, y]
                    for x in range(nx):
                        out[x] = (out[x] + factor[x]) * row[x]
                constant = coefficients[0, y]
                for x in range(nx):
                    keep = flags[x] & _SATURATED != 0 or not usable[y, x]
                    out[x] = row[x] if keep else out[x] + constant[x]


@njit(inline="always")
def _polynomial(value, coefficients, y, x):
    """Value of the polynomial of a pixel, in the precision of ``value``."""
    degree = coefficients.shape[0] - 1
    result = coefficients[degree, y, x] * value
    for c in range(degree - 1, 0, -1):
        result = (result + coefficients[c, y, x]) * value
    return result + coefficients[0, y, x]


@kernel(
    void(
        r_f32_4,
        r_u8_4,
        r_f32_3,
        r_b1_2,
        r_f32_3,
        r_b1_2,
        r_f64_1,
        r_f64_2,
        w_f32_4,
        i64,
        i64,
    ),
)
def correct_frames(data, groupdq, coefficients, usable, inverse, invertible, centres, frames, out_data, y0, y1):
    """Correct groups of averaged frames by the frames that they are the average of.

    The rate between the first and the last unsaturated group but one, both corrected as if they
    were single frames, predicts the frames of every group; the inverse polynomial gives what the
    detector would have shown for them. Shifted to the group's own average, they are corrected frame
    by frame and averaged (T. Brandt and E. Schlafly, in stcal pull request 506).

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN; ngroups >= 2.
    groupdq : uint8 (nints, ngroups, ny, nx)
        SATURATED groups are left as they are.
    coefficients, inverse : float32 (ncoeffs, ny, nx)
        Polynomials from measured to linear DN and back, of ascending powers.
    usable, invertible : bool (ny, nx)
        Where each of them exists; the identity is used elsewhere.
    centres : float64 (ngroups,)
        Mean frame number of each group.
    frames : float64 (ngroups, nframes)
        Frame numbers relative to the first group's mean.
    out_data : float32 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, _, nx = data.shape
    nframes = frames.shape[1]
    measured = np.empty(nframes)
    for i in range(nints):
        for y in range(y0, y1):
            for x in range(nx):
                good = 0
                for g in range(ngroups):
                    if groupdq[i, g, y, x] & _SATURATED == 0:
                        good += 1
                last = max(good - 2, 1)
                first_value, last_value = data[i, 0, y, x], data[i, last, y, x]
                if usable[y, x]:
                    if groupdq[i, 0, y, x] & _SATURATED == 0:
                        first_value = _polynomial(first_value, coefficients, y, x)
                    if groupdq[i, last, y, x] & _SATURATED == 0:
                        last_value = _polynomial(last_value, coefficients, y, x)
                rate = (last_value - first_value) / (centres[last] - centres[0])
                for g in range(ngroups):
                    if groupdq[i, g, y, x] & _SATURATED != 0:
                        out_data[i, g, y, x] = data[i, g, y, x]
                        continue
                    total = 0.0
                    for f in range(nframes):
                        linear = np.float64(first_value) + rate * frames[g, f]
                        if invertible[y, x]:
                            linear = _polynomial(linear, inverse, y, x)
                        measured[f] = linear
                        total += linear
                    shift = data[i, g, y, x] - total / nframes
                    total = 0.0
                    for f in range(nframes):
                        value = measured[f] + shift
                        if usable[y, x]:
                            value = _polynomial(value, coefficients, y, x)
                        total += value
                    out_data[i, g, y, x] = np.float32(total / nframes)
