"""The same detector pixel in frames with and without the interleaved reference pixels of IRS2."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.steps.irs2 import normal_rows

__all__ = ["nearest_row", "row_in_frame"]


def row_in_frame(exposure: Exposure, y: int, rows: int, other: int) -> int | None:
    """Row of a pixel in a frame of another height.

    Up to refpix, an IRS2 frame has 3200 rows, with reference pixels in between; from there on 2048.

    Parameters
    ----------
    exposure : Exposure
    y : int
        Row, from 0, in a frame of `rows` rows.
    rows, other : int
        Heights of the frame that `y` counts in, and of the one that is asked for.

    Returns
    -------
    int or None
        None for a reference pixel, which the other frame does not have.
    """
    if rows == other:
        return y
    normal = normal_rows(exposure)
    if rows < other:
        return int(np.flatnonzero(normal)[y])
    return int(np.count_nonzero(normal[:y])) if normal[y] else None


def nearest_row(exposure: Exposure, y: int, rows: int, other: int) -> int:
    """Do as `row_in_frame`, with the nearest normal pixel in place of a reference pixel."""
    found = row_in_frame(exposure, y, rows, other)
    if found is not None:
        return found
    return int(np.abs(np.flatnonzero(normal_rows(exposure)) - y).argmin())
