"""Cut-outs of exposures and references: the same containers for some rows and columns of the frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, Rates, Reference, References, Slopes, State

__all__ = [
    "ALL",
    "cut",
    "cut_exposure",
    "cut_ramp",
    "cut_reference",
    "cut_state",
    "frame_of",
    "is_all",
    "widened",
]

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


def frame_of(state: State) -> tuple[int, ...]:
    """Rows and columns (ny, nx) of a state."""
    return (state.rate if isinstance(state, Rates) else state).data.shape[-2:]


def cut_state(state: State, rows: slice, columns: slice = ALL) -> State:
    """Cut ramps or slopes; what a step offered beside them is left out."""
    frame = frame_of(state)
    state = state.with_(side_products=()) if state.side_products else state
    if is_all(rows, frame[0]) and is_all(columns, frame[1]):
        return state
    if isinstance(state, Ramp):
        return cut_ramp(state, rows, columns)
    exposure = cut_exposure(state.exposure, frame, rows, columns)
    if isinstance(state, Rates):
        rate, rateints = (_cut_slopes(slopes, rows, columns) for slopes in (state.rate, state.rateints))
        return replace(state, exposure=exposure, rate=rate, rateints=rateints)
    arrays: dict[str, Any] = {
        name: _part(getattr(state, name), rows, columns) for name in ("data", "err", "dq")
    }
    return replace(state, exposure=exposure, **arrays)


def _cut_slopes(slopes: Slopes, rows: slice, columns: slice) -> Slopes:
    return Slopes(**{name: _part(array, rows, columns) for name, array in vars(slopes).items()})


def widened(part: slice, margin: int, size: int) -> tuple[slice, slice]:
    """Give a part of an axis a margin, as far as there is one; and the part within the wider one."""
    start, stop, _ = part.indices(size)
    low, high = max(start - margin, 0), min(stop + margin, size)
    return slice(low, high), slice(start - low, stop - low)


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
