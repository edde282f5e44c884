"""Rows that speak for a frame: enough for a distribution, few enough to be looked at while one waits."""

from __future__ import annotations

import math

__all__ = ["describe_rows", "sample_rows"]


def sample_rows(frame: tuple[int, ...], planes: int, most: int) -> slice:
    """Choose evenly spaced whole rows, so that no more than about so many values are looked at.

    The distance is odd, so that odd and even rows both count, and rows are whole, so that all columns do.

    Parameters
    ----------
    frame : tuple of int
        Ends with the rows and columns (ny, nx).
    planes : int
        Images of that size.
    most : int
        Values.

    Returns
    -------
    slice
        All rows, if that is few enough.
    """
    ny, nx = frame[-2:]
    distance = math.ceil(ny * nx * max(planes, 1) / most)
    distance += (distance + 1) % 2
    if distance <= 1:
        return slice(0, ny, 1)
    return slice(min(distance // 2, ny - 1), ny, distance)


def describe_rows(rows: slice) -> str:
    """Say in words which rows were chosen; empty if it was all of them."""
    return "" if rows.step == 1 else f"every {rows.step}{'rd' if rows.step == 3 else 'th'} row"
