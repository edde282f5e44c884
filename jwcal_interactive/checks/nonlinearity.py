"""The polynomial by which linearity corrects a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Reference
from jwcal_interactive.dq import DQ

__all__ = ["corrected_signal"]


def corrected_signal(
    reference: Reference, y: int, x: int, signal: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Corrected signal of a pixel, DN, by the polynomial ``sum(c[k] signal**k)`` of a linearity reference.

    Parameters
    ----------
    reference : Reference
        Of the type linearity, cut to the frame: coefficients (ncoeffs, ny, nx).
    y, x : int
        From 0.
    signal : float64 (n,)
        Measured, DN.

    Returns
    -------
    float64 (n,) or None
        ``None`` for pixels that are not corrected: NO_LIN_CORR in the reference, a coefficient that is
        NaN, or no linear term.
    """
    coefficients = reference.data[:, y, x].astype(np.float64)
    flagged = reference.dq is not None and int(reference.dq[y, x]) & DQ.NO_LIN_CORR
    if flagged or np.isnan(coefficients).any() or coefficients[1] == 0:
        return None
    return np.asarray(np.polynomial.polynomial.polyval(signal, coefficients))
