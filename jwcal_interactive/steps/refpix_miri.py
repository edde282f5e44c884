"""refpix of the MIRI detectors: reference pixels at the left and the right, four interlaced amplifiers."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import F32, Ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.instruments import AMPLIFIERS, full_frame
from jwcal_interactive.tiles import Tiles

__all__ = ["correct_miri"]


def correct_miri(ramp: Ramp, odd_even_rows: bool, limit: float, tiles: Tiles) -> F32:
    """Subtract the signal of the reference pixels since the first group.

    In each amplifier the clipped means of its reference pixels at the left and at the right are averaged,
    for odd and even rows separately, and subtracted. The reset level differs from row to row: the first
    group is taken off before, and added again at the end.

    Parameters
    ----------
    ramp : Ramp
        Of a MIRI detector.
    odd_even_rows : bool
        Take the signal of odd and even rows separately.
    limit : float
        Clipping limit of the means, sigma.
    tiles : Tiles

    Returns
    -------
    ndarray
        float32 (nints, ngroups, ny, nx), DN. The first groups are unchanged.

    Raises
    ------
    Skip
        For subarrays, and where all reference pixels of an amplifier are flagged DO_NOT_USE.
    """
    from jwcal_interactive.kernels.refpix import clipped_mean
    from jwcal_interactive.kernels.refpix_miri import subtract_interlaced

    data = ramp.data
    nints, ngroups, ny, nx = data.shape
    rows, columns = full_frame(ramp.exposure.instrument)
    if ny < rows or nx < columns:
        raise Skip("MIRI subarrays are not corrected")
    good = ramp.pixeldq & np.uint32(DQ.DO_NOT_USE) == 0
    phases = [slice(0, ny, 2), slice(1, ny, 2)] if odd_even_rows else [slice(0, ny)]
    places = [(a, phase) for a in range(AMPLIFIERS) for phase in phases]
    edges = 0, nx - AMPLIFIERS  # each amplifier has one column of reference pixels at either side
    if not all(good[phase, edge + a].any() for a, phase in places for edge in edges):
        raise Skip("an amplifier has no reference pixels without DO_NOT_USE at its left or its right")

    def level(i: int, g: int, rows: slice, column: int) -> np.float32 | np.float64:
        use = good[rows, column]
        rise = data[i, g, rows, column][use] - data[i, 0, rows, column][use]
        return clipped_mean(rise, limit) or np.float32(0)

    signals = np.zeros((nints, ngroups, 2, AMPLIFIERS))
    for i, g in np.ndindex(nints, ngroups):
        tiles.check()
        for a, phase in places if g else ():
            left, right = (level(i, g, phase, edge + a) for edge in edges)
            signals[i, g, phase.start :: phase.step or 1, a] = 0.5 * (left + right)
    out = np.empty_like(data)
    tiles.over_rows(ny, lambda y0, y1: subtract_interlaced(data, signals, out, y0, y1))
    return out
