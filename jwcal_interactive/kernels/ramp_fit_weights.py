"""Weights of the groups in the least squares of `kernels.ramp_fit`."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.kernels import signatures as sig
from jwcal_interactive.kernels.compiling import kernel

__all__ = ["segment_weights"]

# Powers P of the weights, for signal-to-noise ratios below 5, 10, 20, 50, 100, and above
# (Fixsen et al. 2000, PASP 112, 1350; JWST-STScI-001490).
_POWERS = np.array([0.0, 0.4, 1.0, 3.0, 6.0, 10.0], dtype=np.float32)


@kernel(sig.w_f64_2(sig.i64), error_model="numpy")
def segment_weights(ngroups):
    """Weights |(k - m) / m|^P of segments of up to ngroups groups with their middle at m.

    One row for each P; element k of a segment of L groups is in column L (L - 1) / 2 + k. Through
    single precision, as in the official fit.
    """
    out = np.zeros((_POWERS.size, ngroups * (ngroups + 1) // 2))
    for p in range(_POWERS.size):
        for length in range(3, ngroups + 1):
            middle = (length - 1) / 2.0
            for k in range(length):
                distance = np.float32(abs((k - middle) * (1.0 / middle)))
                out[p, length * (length - 1) // 2 + k] = distance ** _POWERS[p]
    return out
