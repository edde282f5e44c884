"""What a step changed: values by group, flags by name and group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import U8, Ramp
from jwcal_interactive.checks.sampling import sample_rows
from jwcal_interactive.dq import DQ
from jwcal_interactive.region import Box, good_pixels

__all__ = [
    "FlagChange",
    "GroupChanges",
    "added_by_group",
    "change_flags",
    "change_values",
    "flagged_pixels",
    "same_array",
]

F64 = NDArray[np.float64]
B1 = NDArray[np.bool_]

MOST_VALUES = 4_000_000


def same_array(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two results share one array: the step left it as it was."""
    return a.ctypes.data == b.ctypes.data and a.shape == b.shape


@dataclass(frozen=True, eq=False)
class GroupChanges:
    """After less before, of usable pixels, DN; all (ngroups,).

    Attributes
    ----------
    median, low, high : float64
        Median, 16th and 84th percentile; NaN without a usable pixel.
    rows : slice
        Rows that were looked at.
    """

    median: F64
    low: F64
    high: F64
    rows: slice


def change_values(
    before: Ramp, after: Ramp, integration: int = 1, *, most: int = MOST_VALUES
) -> GroupChanges | None:
    """Measure how a step changed the values of each group.

    Parameters
    ----------
    before, after : Ramp
        Of the same frame.
    integration : int
        From 1.
    most : int
        Values to look at, see `sample_rows`.

    Returns
    -------
    GroupChanges or None
        ``None`` if the step left all values as they were.
    """
    if same_array(before.data, after.data):
        return None
    ngroups, ny, nx = after.data.shape[1:]
    rows = sample_rows((ny, nx), ngroups, most)
    good = good_pixels(after.pixeldq, Box(0, 0, nx, ny), None)[rows]
    levels = np.full((3, ngroups), np.nan)
    for g in range(ngroups):
        with np.errstate(invalid="ignore"):
            change = after.data[integration - 1, g, rows][good] - before.data[integration - 1, g, rows][good]
        change = change[np.isfinite(change)]
        if change.size:
            levels[:, g] = np.percentile(change, (16, 50, 84))
    low, median, high = levels
    return GroupChanges(median, low, high, rows)


class FlagChange(NamedTuple):
    """How often a flag was set before and after, and how many elements it was added to."""

    before: int
    after: int
    added: int


def _planes(a: NDArray[Any], b: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    shape = (-1, *a.shape[-2:])
    yield from zip(a.reshape(shape), b.reshape(shape), strict=True)


def change_flags(before: NDArray[Any], after: NDArray[Any]) -> dict[DQ, FlagChange]:
    """Count flags before and after a step; those that stayed as they were are left out.

    Parameters
    ----------
    before, after : uint8 or uint32 (..., ny, nx)
        GROUPDQ, PIXELDQ or DQ, of one shape.
    """
    if same_array(before, after):
        return {}
    counts = {flag: [0, 0, 0] for flag in DQ}
    touched = DQ(0)
    for a, b in _planes(before, after):
        differ = int(np.bitwise_or.reduce(a ^ b, axis=None))
        touched |= DQ(differ)
        present = int(np.bitwise_or.reduce(a | b, axis=None))
        for flag in DQ:
            if not present & flag:
                continue
            bit = a.dtype.type(flag)
            earlier, later = int(np.count_nonzero(a & bit)), int(np.count_nonzero(b & bit))
            added = int(np.count_nonzero(b & ~a & bit)) if differ & flag else 0
            counts[flag] = [n + m for n, m in zip(counts[flag], (earlier, later, added), strict=True)]
    return {flag: FlagChange(*counts[flag]) for flag in DQ if touched & flag}


def added_by_group(before: U8, after: U8) -> dict[DQ, NDArray[np.int64]]:
    """Count for each group how many pixels got a flag, summed over the integrations.

    Parameters
    ----------
    before, after : uint8 (nints, ngroups, ny, nx)

    Returns
    -------
    dict of DQ to int64 (ngroups,)
        Flags that were added anywhere.
    """
    found: dict[DQ, NDArray[np.int64]] = {}
    if same_array(before, after):
        return found
    ngroups = after.shape[1]
    for n, (a, b) in enumerate(_planes(before, after)):
        new = b & ~a
        present = int(np.bitwise_or.reduce(new, axis=None))
        for flag in DQ:
            if flag < DQ.RESERVED and present & flag:
                counts = found.setdefault(flag, np.zeros(ngroups, np.int64))
                counts[n % ngroups] += int(np.count_nonzero(new & np.uint8(flag)))
    return found


def flagged_pixels(before: Ramp, after: Ramp) -> B1:
    """Pixels (ny, nx) to which a flag was added, in PIXELDQ or in any group."""
    found: B1 = (after.pixeldq & ~before.pixeldq) != 0
    if not same_array(before.groupdq, after.groupdq):
        for a, b in _planes(before.groupdq, after.groupdq):
            found |= (b & ~a) != 0
    return found
