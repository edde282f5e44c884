"""What near-infrared reference pixels show: the signal of each detector column and row of a group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U32, Ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE
from jwcal_interactive.steps.irs2 import OUTPUTS, READS, read_parity
from jwcal_interactive.steps.readout import DetectorFrame
from jwcal_interactive.steps.refpix_pixels import border
from jwcal_interactive.tiles import Tiles

__all__ = [
    "Measure",
    "Signals",
    "by_amplifier",
    "in_interleaved",
    "in_subarray",
    "measure_groups",
]

Signals: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Signal of each detector column, (n,), and of each row in 1 or 4 parts of the columns, (noutputs, n); DN."""

Measure: TypeAlias = Callable[[F32, bool], Signals]
"""Measures a group in the detector frame; the second argument asks for single precision."""

AMPLIFIER_WIDTH = FULL_SIZE // AMPLIFIERS


def measure_groups(
    plane: Callable[[int, int], F32],
    measure: Measure,
    single: NDArray[np.bool_],
    frame: DetectorFrame,
    tiles: Tiles,
) -> Signals:
    """Measure the reference signals of all groups, in the order of the science frame.

    Parameters
    ----------
    plane : callable
        ``plane(integration, group)`` gives a group (ny, nx), DN; other pixels than reference pixels are
        not looked at.
    measure : callable
    single : bool (nints, ngroups)
        Groups to measure in single precision.
    frame : DetectorFrame
    tiles : Tiles

    Returns
    -------
    along_fast : float64 (nints, ngroups, n)
        Signal of each detector column, DN.
    along_slow : float64 (nints, ngroups, noutputs, n)
        Signal of each detector row, DN, in each of 1 or 4 parts of the columns.
    """
    nints, ngroups = single.shape
    found: list[Signals | None] = [None] * (nints * ngroups)

    def work(start: int, stop: int) -> None:
        for n in range(start, stop):
            at = divmod(n, ngroups)
            columns, rows = measure(frame.from_science(plane(*at)), bool(single[at]))
            forward, upward = np.sign(frame.fastaxis), np.sign(frame.slowaxis)
            found[n] = columns[::forward], rows[::forward, ::upward]

    replace(tiles, band_rows=1).over_rows(nints * ngroups, work)
    fast, slow = (np.array(part) for part in zip(*(f for f in found if f is not None), strict=True))
    return fast.reshape(nints, ngroups, -1), slow.reshape(nints, ngroups, *slow.shape[1:])


def by_amplifier(
    pixeldq: U32, frame: DetectorFrame, odd_even: bool, limit: float, smoothing: int | None, gain: float
) -> Measure:
    """Give the function that measures a group of a full frame or four-amplifier subarray.

    Parameters
    ----------
    pixeldq : uint32 (ny, nx)
        Flags of the pixels near the edges of the detector; others are not looked at.
    frame : DetectorFrame
    odd_even : bool
        Take odd and even columns separately.
    limit : float
        Clipping limit of the means at the edges, sigma.
    smoothing : int or None
        Rows in the running medians of the side reference pixels; ``None`` to leave rows alone.
    gain : float
        Factor of the medians.

    Raises
    ------
    Skip
        If no reference pixel can be used.
    """
    from jwcal_interactive.kernels.refpix import running_median

    good = frame.from_science(pixeldq & np.uint32(DQ.DO_NOT_USE) == 0)
    nrows, ncolumns = good.shape
    edges = border(frame.row0, nrows)
    sides = border(frame.column0, ncolumns) if smoothing is not None else ()
    if not any([good[rows].any() for rows in edges] + [good[:, side].any() for side in sides]):
        raise Skip("all reference pixels that could be used are missing or flagged DO_NOT_USE")
    rows_here = slice(frame.row0, frame.row0 + nrows)

    def measure(plane: F32, single: bool) -> Signals:
        precision = np.float32 if single else np.float64
        columns = np.zeros(ncolumns)
        for start in range(0, FULL_SIZE, AMPLIFIER_WIDTH):
            inside = slice(max(start - frame.column0, 0), max(start + AMPLIFIER_WIDTH - frame.column0, 0))
            parts = _phases(inside, frame.column0) if odd_even else [inside]
            levels = [_edge_level(plane, good, edges, part, precision, limit) for part in parts]
            if None not in levels:
                for part, level in zip(parts, levels, strict=True):
                    columns[part] = level
        medians = np.full((2, FULL_SIZE), np.nan)
        for side, median in zip(sides, medians, strict=False):
            # Mirrored at the ends of the detector, not at those of a subarray.
            values = np.zeros((FULL_SIZE, good[:, side].shape[1]))
            values[rows_here] = (plane[:, side] - columns[side]).astype(precision)
            use = np.zeros(values.shape, np.bool_)
            use[rows_here] = good[:, side]
            running_median(values, use, (smoothing or 1) // 2, single, median)
        return columns, gain * _average(*medians)[None, rows_here]

    return measure


def in_interleaved(ramp: Ramp, frame: DetectorFrame, odd_even: bool, limit: float) -> Measure:
    """Give the function that measures the rows at the edges of a group in the IRS2 read-out."""
    good = frame.from_science(ramp.pixeldq & np.uint32(DQ.DO_NOT_USE) == 0)
    nrows, ncolumns = good.shape
    odd = read_parity()
    outputs = np.arange(ncolumns).reshape(OUTPUTS, READS)
    edges = border(0, nrows)

    def measure(plane: F32, _single: bool) -> Signals:
        columns = np.zeros(ncolumns)
        for output in outputs:
            parts = [output[odd[output]], output[~odd[output]]] if odd_even else [output]
            levels = [_edge_level(plane, good, edges, part, np.float32, limit) for part in parts]
            if None not in levels:
                for part, level in zip(parts, levels, strict=True):
                    columns[part] = level
        return columns, np.zeros((1, nrows))

    return measure


def in_subarray(good: NDArray[np.bool_], frame: DetectorFrame, odd_even: bool, limit: float) -> Measure:
    """Give the function that measures a group of a subarray read through one amplifier.

    Parameters
    ----------
    good : bool (ny, nx)
        Reference pixels that can be used.
    frame : DetectorFrame
    odd_even : bool
        Take odd and even columns separately.
    limit : float
        Clipping limit of the means, sigma.

    Raises
    ------
    Skip
        If there are no reference pixels that can be used, or only in odd or in even columns.
    """
    from jwcal_interactive.kernels.refpix import clipped_mean

    good = frame.from_science(good)
    nrows, ncolumns = good.shape
    everywhere = slice(0, ncolumns)
    parts = _phases(everywhere, frame.column0) if odd_even else [everywhere]
    if not good.any():
        raise Skip("the subarray has no reference pixels without DO_NOT_USE")
    if not all(good[:, part].any() for part in parts):
        raise Skip(
            "the subarray has reference pixels in odd or in even columns only; "
            "odd_even_columns=False would use them for all columns"
        )

    def measure(plane: F32, _single: bool) -> Signals:
        columns = np.zeros(ncolumns)
        for part in parts:
            columns[part] = clipped_mean(plane[:, part][good[:, part]], limit) or 0
        return columns, np.zeros((1, nrows))

    return measure


def _phases(columns: slice, column0: int) -> list[slice]:
    """Columns of even and of odd number on the detector, from 0."""
    return [slice(columns.start + (columns.start + column0 + phase) % 2, columns.stop, 2) for phase in (0, 1)]


def _edge_level(
    plane: F32,
    good: NDArray[np.bool_],
    edges: tuple[slice, slice],
    columns: slice | NDArray[np.intp],
    precision: type[np.float32] | type[np.float64],
    limit: float,
) -> np.float32 | np.float64 | None:
    """Average of the clipped means at the two edges, or that of the only one that has good pixels."""
    from jwcal_interactive.kernels.refpix import clipped_mean

    means = [clipped_mean(plane[rows, columns][good[rows, columns]].astype(precision), limit) for rows in edges]
    bottom, top = means
    if bottom is None or top is None:
        return top if bottom is None else bottom
    return 0.5 * (bottom + top)


def _average(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average of two signals; the other one where one is NaN, 0 where both are."""
    only = np.where(np.isnan(left), right, left)
    return np.where(np.isnan(left + right), np.nan_to_num(only), 0.5 * (left + right))
