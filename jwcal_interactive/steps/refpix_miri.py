"""refpix of the MIRI detectors: reference pixels at the left and the right, four interlaced amplifiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Exposure, Ramp
from jwcal_interactive.cutouts import ALL
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.instruments import AMPLIFIERS, full_frame
from jwcal_interactive.steps.definition import Look
from jwcal_interactive.tiles import Tiles

__all__ = ["InterlacedSignals", "correct_miri", "measure_miri"]


@dataclass(frozen=True, eq=False)
class InterlacedSignals:
    """What the reference pixels of an exposure show.

    Attributes
    ----------
    exposure : Exposure
        Of the whole frame.
    signals : float64 (nints, ngroups, 2, 4)
        Rise of the level since the first group, DN, in even and odd rows (from 0) of each amplifier; these
        take turns along x.
    """

    exposure: Exposure
    signals: NDArray[np.float64]


def measure_miri(look: Look, odd_even_rows: bool, limit: float, tiles: Tiles) -> InterlacedSignals:
    """Measure the signal of the reference pixels since the first group.

    In each amplifier the clipped means of its reference pixels at the left and at the right are averaged,
    for odd and even rows separately.

    Parameters
    ----------
    look : Look
        At the ramp of a MIRI detector.
    odd_even_rows : bool
        Take the signal of odd and even rows separately.
    limit : float
        Clipping limit of the means, sigma.
    tiles : Tiles
        For cancellation.

    Raises
    ------
    Skip
        For subarrays, and where all reference pixels of an amplifier are flagged DO_NOT_USE.
    """
    from jwcal_interactive.kernels.refpix import clipped_mean

    ny, nx = look.frame
    rows, columns = full_frame(look.exposure.instrument)
    if ny < rows or nx < columns:
        raise Skip("MIRI subarrays are not corrected")
    phases = [slice(0, ny, 2), slice(1, ny, 2)] if odd_even_rows else [slice(0, ny)]
    places = [(a, phase) for a in range(AMPLIFIERS) for phase in phases]
    # Each amplifier has one column of reference pixels at either side.
    edges = [look(ALL, columns) for columns in (slice(0, AMPLIFIERS), slice(nx - AMPLIFIERS, nx))]
    good = [edge.pixeldq & np.uint32(DQ.DO_NOT_USE) == 0 for edge in edges]
    if not all(use[phase, a].any() for a, phase in places for use in good):
        raise Skip("an amplifier has no reference pixels without DO_NOT_USE at its left or its right")

    def level(values: F32, first: F32, use: NDArray[np.bool_]) -> np.float32 | np.float64:
        return clipped_mean(values[use] - first[use], limit) or np.float32(0)

    nints, ngroups = edges[0].data.shape[:2]
    signals = np.zeros((nints, ngroups, 2, AMPLIFIERS))
    for i, g in np.ndindex(nints, ngroups):
        tiles.check()
        for a, phase in places if g else ():
            left, right = (
                level(edge.data[i, g, phase, a], edge.data[i, 0, phase, a], use[phase, a])
                for edge, use in zip(edges, good, strict=True)
            )
            signals[i, g, phase.start :: phase.step or 1, a] = 0.5 * (left + right)
    return InterlacedSignals(look.exposure, signals)


def correct_miri(ramp: Ramp, found: InterlacedSignals, tiles: Tiles) -> F32:
    """Subtract the signal of the reference pixels since the first group, in a frame or a part of it.

    The reset level differs from row to row: the first group is taken off before, and added again at the end.

    Returns
    -------
    ndarray
        float32 (nints, ngroups, ny, nx), DN. The first groups are unchanged.
    """
    from jwcal_interactive.kernels.refpix_miri import subtract_interlaced

    below = ramp.exposure.ystart - found.exposure.ystart
    before = ramp.exposure.xstart - found.exposure.xstart
    signals = np.roll(found.signals, (-below, -before), axis=(2, 3))
    out = np.empty_like(ramp.data)
    tiles.over_rows(ramp.data.shape[-2], lambda y0, y1: subtract_interlaced(ramp.data, signals, out, y0, y1))
    return out
