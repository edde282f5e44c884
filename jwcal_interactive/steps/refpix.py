"""refpix: remove the drifts of the read-out electronics, which reference pixels show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.instruments import FULL_SIZE
from jwcal_interactive.params import NotYet, StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import REFERENCE_WIDTH, DetectorFrame, refuse_unsupported
from jwcal_interactive.tiles import Tiles

__all__ = ["RefPixParams", "refpix"]

AMPLIFIERS = 4
AMPLIFIER_WIDTH = FULL_SIZE // AMPLIFIERS
EDGELESS_SUBARRAYS = frozenset({"SUB512", "SUB512S", "SUB32"})
"""NIRSpec subarrays that reach no detector edge: their first and last columns serve instead."""

Signals: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Signal of each detector column and of each detector row, DN."""


class RefPixParams(StepParams):
    """Parameters of refpix for near-infrared detectors in the traditional read-out."""

    unavailable: ClassVar[Mapping[str, NotYet]] = {
        "refpix_algorithm": NotYet("median", "side pixels are corrected by running medians; sirs is to come"),
    }
    without_effect: ClassVar[Mapping[str, str]] = {
        "odd_even_rows": "it is for MIRI only",
        "ovr_corr_mitigation_ftr": "it is for the IRS2 read-out only",
        "preserve_irs2_refpix": "it is for the IRS2 read-out only",
        "irs2_mean_subtraction": "it is for the IRS2 read-out only",
        "sigreject": "it belongs to the sirs algorithm",
        "gaussmooth": "it belongs to the sirs algorithm",
        "halfwidth": "it belongs to the sirs algorithm",
    }

    odd_even_columns: bool = param(True, help="Take the signal of odd and even detector columns separately.")
    use_side_ref_pixels: bool = param(
        True, help="Correct each detector row by the reference pixels at its two ends."
    )
    side_smoothing_length: int = param(
        11,
        ge=1,
        le=2 * FULL_SIZE - 1,
        unit="pixel",
        slider=(1, 101),
        help="Rows in the running median of the side reference pixels; an even number is rounded up.",
    )
    side_gain: float = param(
        1.0,
        slider=(0.0, 2.0),
        help="Factor of the side reference signal before it is subtracted.",
    )
    siglimit: float = param(
        3.0,
        gt=0,
        unit="sigma",
        slider=(1.0, 10.0),
        help="Clipping limit of the means of reference pixels.",
    )


@step("refpix", keyword="S_REFPIX", params=RefPixParams)
def refpix(ramp: Ramp, refs: References, p: RefPixParams, tiles: Tiles) -> Ramp:
    """Subtract the signal of the reference pixels from every group and from the zero frame.

    Full frames and subarrays read through four amplifiers: in each amplifier the clipped means of
    the reference pixels at the top and at the bottom are averaged and subtracted, for odd and even
    columns separately; then running medians of those at both sides are averaged and subtracted row
    by row. Subarrays read through one amplifier: the clipped mean of all reference pixels, for odd
    and even columns separately. Reference pixels with DO_NOT_USE do not count. Rows and columns are
    those of the detector. Zeros of the zero frame stay zero.
    """
    refuse_unsupported(ramp, "refpix")
    exposure, (ny, nx) = ramp.exposure, ramp.pixeldq.shape
    frame = DetectorFrame.of(exposure)
    if max(exposure.xstart - 1 + nx, exposure.ystart - 1 + ny) > FULL_SIZE:
        raise Skip(f"the subarray does not fit in the {FULL_SIZE} x {FULL_SIZE} pixels of the detector")
    amplifiers = min(ny, nx) == FULL_SIZE or exposure.noutputs == AMPLIFIERS
    side = amplifiers and p.use_side_ref_pixels
    measure = (_by_amplifier if amplifiers else _in_subarray)(ramp, frame, p)

    # The official pipeline measures the very first group in float32 and, once the side correction has
    # been applied, all others in float64.
    single = np.full(ramp.data.shape[:2], not side)
    single[0, 0] = True
    data = _corrected(ramp.data, measure, single, frame, tiles)
    zeroframe = ramp.zeroframe
    if zeroframe is not None:
        single = np.full((zeroframe.shape[0], 1), not side)
        plane = _corrected(zeroframe[:, None], measure, single, frame, tiles)[:, 0]
        zeroframe = np.where(zeroframe == 0, np.float32(0), plane)
    return ramp.with_(data=data, zeroframe=zeroframe)


def _by_amplifier(ramp: Ramp, frame: DetectorFrame, p: RefPixParams) -> Callable[[F32, bool], Signals]:
    """Give the function that measures a group of a full frame or four-amplifier subarray."""
    from jwcal_interactive.kernels.refpix import running_median

    good = frame.from_science(ramp.pixeldq & np.uint32(DQ.DO_NOT_USE) == 0)
    nrows, ncolumns = good.shape
    edges = _border(frame.row0, nrows)
    sides = _border(frame.column0, ncolumns) if p.use_side_ref_pixels else ()
    if not any([good[rows].any() for rows in edges] + [good[:, side].any() for side in sides]):
        raise Skip("all reference pixels that could be used are missing or flagged DO_NOT_USE")
    rows_here = slice(frame.row0, frame.row0 + nrows)

    def measure(plane: F32, single: bool) -> Signals:
        precision = np.float32 if single else np.float64
        columns = np.zeros(ncolumns)
        for start in range(0, FULL_SIZE, AMPLIFIER_WIDTH):
            inside = slice(max(start - frame.column0, 0), max(start + AMPLIFIER_WIDTH - frame.column0, 0))
            parts = _phases(inside, frame.column0) if p.odd_even_columns else [inside]
            levels = [_edge_level(plane, good, edges, part, precision, p.siglimit) for part in parts]
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
            running_median(values, use, p.side_smoothing_length // 2, single, median)
        return columns, p.side_gain * _average(*medians)[rows_here]

    return measure


def _in_subarray(ramp: Ramp, frame: DetectorFrame, p: RefPixParams) -> Callable[[F32, bool], Signals]:
    """Give the function that measures a group of a subarray read through one amplifier."""
    from jwcal_interactive.kernels.refpix import clipped_mean

    flagged = ramp.pixeldq & np.uint32(DQ.REFERENCE_PIXEL) != 0
    if ramp.exposure.instrument == "NIRSPEC" and ramp.exposure.subarray in EDGELESS_SUBARRAYS:
        flagged[:, :REFERENCE_WIDTH] = flagged[:, -REFERENCE_WIDTH:] = True
    good = frame.from_science(flagged & (ramp.pixeldq & np.uint32(DQ.DO_NOT_USE) == 0))
    nrows, ncolumns = good.shape
    everywhere = slice(0, ncolumns)
    parts = _phases(everywhere, frame.column0) if p.odd_even_columns else [everywhere]
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
            columns[part] = clipped_mean(plane[:, part][good[:, part]], p.siglimit) or 0
        return columns, np.zeros(nrows)

    return measure


def _border(origin: int, size: int) -> tuple[slice, slice]:
    """Slice out the reference pixels at the low and high end of a detector axis."""
    return (
        slice(0, max(REFERENCE_WIDTH - origin, 0)),
        slice(max(FULL_SIZE - REFERENCE_WIDTH - origin, 0), size),
    )


def _phases(columns: slice, column0: int) -> list[slice]:
    """Columns of even and of odd number on the detector, from 0."""
    return [slice(columns.start + (columns.start + column0 + phase) % 2, columns.stop, 2) for phase in (0, 1)]


def _edge_level(
    plane: F32,
    good: NDArray[np.bool_],
    edges: tuple[slice, slice],
    columns: slice,
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


def _corrected(
    data: F32,
    measure: Callable[[F32, bool], Signals],
    single: NDArray[np.bool_],
    frame: DetectorFrame,
    tiles: Tiles,
) -> F32:
    """Subtract from each group, (nints, ngroups, ny, nx) in DN, its reference signals."""
    from jwcal_interactive.kernels.refpix import subtract_signals

    nints, ngroups, ny, nx = data.shape
    along_x, along_y = np.empty((nints, ngroups, nx)), np.empty((nints, ngroups, ny))
    fast, slow = (along_x, along_y) if frame.fast_is_x else (along_y, along_x)

    def measure_groups(start: int, stop: int) -> None:
        for n in range(start, stop):
            at = divmod(n, ngroups)
            columns, rows = measure(frame.from_science(data[at]), bool(single[at]))
            fast[at] = columns[:: np.sign(frame.fastaxis)]
            slow[at] = rows[:: np.sign(frame.slowaxis)]

    replace(tiles, band_rows=1).over_rows(nints * ngroups, measure_groups)
    out = np.empty_like(data)
    tiles.over_rows(
        ny,
        lambda y0, y1: subtract_signals(data, along_x, along_y, frame.fast_is_x, single, out, y0, y1),
    )
    return out
