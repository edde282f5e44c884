"""Cut-outs of exposures and references: the same containers for some rows and columns of the frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, Reference, References

__all__ = ["ALL", "cut", "cut_exposure", "cut_ramp", "cut_reference", "is_all"]

ALL = slice(None)
"""All rows, or all columns."""


def cut(
    ramp: Ramp, refs: References, rows: slice = ALL, columns: slice = ALL
) -> tuple[Ramp, dict[str, Reference | None]]:
    """Cut rows and columns out of a ramp and of the references that go with it.

    What a step makes of the cut-out is what it makes of the whole frame there, if the step declares how far it
    looks (`StepDefinition.reach`) and the cut-out has that many more pixels on each side.

    Parameters
    ----------
    ramp : Ramp
    refs : mapping
        References of the same frame as ``ramp``, by type.
    rows, columns : slice
        Contiguous, in the arrays of ``ramp``.

    Returns
    -------
    ramp : Ramp
        Its exposure tells where it lies on the detector.
    refs : dict
        Arrays that do not have the rows and columns of the frame (one kernel for all pixels) stay whole.
    """
    frame = ramp.data.shape[-2:]
    cut_refs = {k: None if r is None else cut_reference(r, frame, rows, columns) for k, r in refs.items()}
    return cut_ramp(ramp, rows, columns), cut_refs


def is_all(part: slice, size: int) -> bool:
    """Whether a slice takes all of an axis."""
    return part.indices(size) == (0, size, 1)


def cut_exposure(exposure: Exposure, frame: tuple[int, ...], rows: slice, columns: slice) -> Exposure:
    """Facts of an exposure for a part of its frame (ny, nx)."""
    if is_all(rows, frame[0]) and is_all(columns, frame[1]):
        return exposure
    (y0, y1, _), (x0, x1, _) = rows.indices(frame[0]), columns.indices(frame[1])
    return replace(
        exposure,
        ystart=exposure.ystart + y0,
        ysize=y1 - y0,
        xstart=exposure.xstart + x0,
        xsize=x1 - x0,
    )


def cut_ramp(ramp: Ramp, rows: slice, columns: slice = ALL) -> Ramp:
    """Cut a ramp; arrays are copied where they have to be to lie together in memory."""
    frame = ramp.data.shape[-2:]
    if is_all(rows, frame[0]) and is_all(columns, frame[1]):
        return ramp
    dark, zeroframe = ramp.average_dark_current, ramp.zeroframe
    return replace(
        ramp,
        exposure=cut_exposure(ramp.exposure, frame, rows, columns),
        data=_part(ramp.data, rows, columns),
        groupdq=_part(ramp.groupdq, rows, columns),
        pixeldq=_part(ramp.pixeldq, rows, columns),
        zeroframe=None if zeroframe is None else _part(zeroframe, rows, columns),
        average_dark_current=None if dark is None else _part(dark, rows, columns),
        tallies={name: counts[rows] for name, counts in ramp.tallies.items()},
    )


def cut_reference(
    reference: Reference, frame: tuple[int, ...], rows: slice = ALL, columns: slice = ALL
) -> Reference:
    """Cut those arrays of a reference that have the rows and columns (ny, nx) of the frame."""

    def part(array: NDArray[Any]) -> NDArray[Any]:
        return _part(array, rows, columns) if array.shape[-2:] == frame else array

    kernel = reference.reftype == "ipc" and reference.data.ndim == 2
    arrays: Mapping[str, NDArray[Any]] = {name: part(array) for name, array in reference.arrays.items()}
    return replace(
        reference,
        data=reference.data if kernel else part(reference.data),
        dq=None if reference.dq is None else part(reference.dq),
        arrays=arrays,
    )


def _part(array: NDArray[Any], rows: slice, columns: slice) -> NDArray[Any]:
    return np.ascontiguousarray(array[..., rows, columns])
