"""Connected regions of flagged pixels in one group: runs along rows, joined across rows.

Only flagged pixels cost time: rows are skimmed in chunks, and everything else is done on runs.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import i64, r_u8_2, w_i64_1, w_i64_2

__all__ = ["BOTTOM", "LEFT", "RIGHT", "SIZE", "SUMS", "SUM_X", "SUM_XX", "SUM_XY", "SUM_Y", "SUM_YY", "TOP"]
__all__ += ["find_runs", "join_runs"]

# Columns of what `join_runs` tells of each region.
SIZE, SUM_Y, SUM_X, SUM_YY, SUM_XX, SUM_XY, BOTTOM, TOP, LEFT, RIGHT = range(10)
SUMS = 10

_CHUNK = 32


@kernel(i64(r_u8_2, r_u8_2, i64, w_i64_2), error_model="numpy")
def find_runs(flags, earlier, bit, out_runs):
    """Find runs of pixels along rows that have a flag, and did not have it in an earlier group.

    Parameters
    ----------
    flags, earlier : uint8 (ny, nx)
        Flags of a group, and of the one that must not have the flag; give an empty array to ask for no more
        than the flag in `flags`.
    bit : int
        The flag.
    out_runs : int64 (capacity, 3)
        Row, first column, and column after the last of each run, in the order of rows.

    Returns
    -------
    int
        Number of runs; those beyond the capacity are counted only.
    """
    ny, nx = flags.shape
    wanted = np.uint8(bit)
    newly = earlier.size > 0
    n = 0
    for y in range(ny):
        start = -1
        for x0 in range(0, nx, _CHUNK):
            x1 = min(x0 + _CHUNK, nx)
            some = np.uint8(0)
            for x in range(x0, x1):
                some |= flags[y, x]
            if not some & wanted:
                if start >= 0:
                    if n < out_runs.shape[0]:
                        out_runs[n, 0], out_runs[n, 1], out_runs[n, 2] = y, start, x0
                    n += 1
                    start = -1
                continue
            for x in range(x0, x1):
                inside = (flags[y, x] & wanted) != 0 and not (newly and earlier[y, x] & wanted)
                if inside and start < 0:
                    start = x
                elif not inside and start >= 0:
                    if n < out_runs.shape[0]:
                        out_runs[n, 0], out_runs[n, 1], out_runs[n, 2] = y, start, x
                    n += 1
                    start = -1
        if start >= 0:
            if n < out_runs.shape[0]:
                out_runs[n, 0], out_runs[n, 1], out_runs[n, 2] = y, start, nx
            n += 1
    return n


@njit(error_model="numpy")
def _root(parents, r):
    while parents[r] != r:
        parents[r] = parents[parents[r]]
        r = parents[r]
    return r


@kernel(i64(w_i64_2, i64, i64, w_i64_1, w_i64_2), error_model="numpy")
def join_runs(runs, n, gap, out_region, out_sums):
    """Join runs that touch, also at corners, or are near each other, into regions, by union and find.

    Parameters
    ----------
    runs : int64 (n or more, 3)
        As of `find_runs`.
    n : int
        Number of runs.
    gap : int
        Pixels are joined that are no further apart along rows and columns; 1 joins those that touch.
    out_region : int64 (n or more,)
        Number of the region of each run, in the order of first pixels.
    out_sums : int64 (n or more, 10)
        Of each region: number of pixels; sums of y, x, y^2, x^2, x y; first row and row after the last, first
        column and column after the last.

    Returns
    -------
    int
        Number of regions.
    """
    for r in range(n):
        out_region[r] = r
    # Two rows are swept together, as in merging two sorted lists.
    for apart in range(gap + 1):
        other = 0
        for r in range(n):
            y, x0, x1 = runs[r, 0], runs[r, 1], runs[r, 2]
            while runs[other, 0] < y - apart or (runs[other, 0] == y - apart and runs[other, 2] + gap - 1 < x0):
                other += 1
            near = other
            while near < r and runs[near, 0] == y - apart and runs[near, 1] <= x1 + gap - 1:
                a, b = _root(out_region, near), _root(out_region, r)
                if a < b:
                    out_region[b] = a
                else:
                    out_region[a] = b
                near += 1
    regions = 0
    for r in range(n):
        # Roots come before their members, so that a member finds the number of its region in its root.
        if out_region[r] == r:
            out_region[r] = region = regions
            regions += 1
            out_sums[region, :BOTTOM] = 0
            out_sums[region, BOTTOM], out_sums[region, LEFT] = runs[r, 0], runs[r, 1]
            out_sums[region, TOP] = out_sums[region, RIGHT] = 0
        else:
            out_region[r] = region = out_region[out_region[r]]
        y, x0, x1 = runs[r, 0], runs[r, 1], runs[r, 2]
        length = x1 - x0
        sum_x = length * (x0 + x1 - 1) // 2
        last = x1 - 1
        sum_xx = last * (last + 1) * (2 * last + 1) // 6 - (x0 - 1) * x0 * (2 * x0 - 1) // 6
        out_sums[region, SIZE] += length
        out_sums[region, SUM_Y] += length * y
        out_sums[region, SUM_X] += sum_x
        out_sums[region, SUM_YY] += length * y * y
        out_sums[region, SUM_XX] += sum_xx
        out_sums[region, SUM_XY] += sum_x * y
        out_sums[region, TOP] = y + 1
        out_sums[region, LEFT] = min(out_sums[region, LEFT], x0)
        out_sums[region, RIGHT] = max(out_sums[region, RIGHT], x1)
    return regions
