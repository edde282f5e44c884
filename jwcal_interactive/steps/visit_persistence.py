"""visit_persistence: flag what earlier exposures of the visit left in saturated pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U8, Exposure, Keyword, Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError, Skip
from jwcal_interactive.instruments import is_interleaved
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.irs2 import normal_pixels
from jwcal_interactive.steps.persistence import group_ends
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

if TYPE_CHECKING:
    from jwcal_interactive.io.raw import RampFile

__all__ = ["VisitPersistenceParams", "visit_persistence"]

# Rows of an earlier exposure that are in memory at a time.
_ROWS = 128

_PIXELS = "VPNPIX"


class VisitPersistenceParams(StepParams):
    """Parameters of visit_persistence."""

    skip: bool = param(True, help="Leave this step out.")
    earlier: str | None = param(
        None,
        file="exposures",
        help="The exposures of the visit, raw or ramps: files or folders, separated by commas; those of this "
        "detector that began before this exposure count.",
    )
    persistence_time: float = param(
        1000.0,
        gt=0,
        unit="s",
        slider=(0.0, 10_000.0),
        help="For how long a pixel is flagged after it was last bright.",
    )
    dn_threshold: float | None = param(
        None,
        unit="DN",
        slider=(0.0, 65_000.0),
        help="Pixels are bright from this value on; by default where they are saturated.",
    )
    persistence_dnu: bool = param(False, help="Also flag DO_NOT_USE, so that slopes leave these groups out.")


def _without_threshold(exposure: Exposure, p: VisitPersistenceParams) -> bool:
    return p.dn_threshold is None


def _finish(
    exposure: Exposure, totals: Mapping[str, int], facts: None, p: VisitPersistenceParams
) -> dict[str, Keyword]:
    return {_PIXELS: Keyword(totals[_PIXELS], "Pixels flagged by visit_persistence")}


@step(
    "visit_persistence",
    keyword="S_VISPER",
    references=("saturation",),
    params=VisitPersistenceParams,
    only_if={"saturation": _without_threshold},
    reach=0,
    finish=_finish,
    kernels=("visit_persistence",),
)
def visit_persistence(ramp: Ramp, refs: References, p: VisitPersistenceParams, tiles: Tiles) -> Ramp:
    """Flag PERSISTENCE for some time after a pixel was saturated in an earlier exposure of the visit.

    Not an official step. The exposures are read as they are, so that they need not be calibrated
    first, and the order does not matter: times come from INT_TIMES or EXPSTART. A pixel counts as
    bright at its threshold of the saturation reference (or `dn_threshold`), and where GROUPDQ of a
    ramp file says SATURATED. The product tells in VPNEXP how many exposures were looked at, and in
    VPNPIX how many pixels were flagged. Slopes ignore PERSISTENCE alone: `persistence_dnu` leaves
    the groups out.

    Raises
    ------
    Skip
        If there is no earlier exposure, or no threshold (no saturation reference).
    ParameterError
        If no exposures are named.
    InputError
        If an exposure cannot be read, or does not tell when it began.
    """
    refuse_unsupported(ramp, "visit_persistence")
    from jwcal_interactive.kernels.visit_persistence import flag_until

    named = refs.get("earlier")
    if named is None:
        raise ParameterError(
            "visit_persistence.earlier is not set: name the exposures of the visit, or their folder, or skip "
            "the step."
        )
    files: tuple[RampFile, ...] = named.tree["exposures"]
    if not files:
        raise Skip("no exposure of this detector and visit is earlier than this one")
    threshold = _threshold(ramp, refs, p)
    last = np.full(ramp.pixeldq.shape, -np.inf)
    for file in files:
        _look_back(file, ramp.exposure, threshold, last, tiles)
    ends = last + p.persistence_time
    times = group_ends(ramp.exposure)
    flags = int(DQ.PERSISTENCE | (DQ.DO_NOT_USE if p.persistence_dnu else 0))
    groupdq = np.empty_like(ramp.groupdq)
    tiles.over_rows(ends.shape[0], lambda y0, y1: flag_until(ramp.groupdq, times, ends, flags, groupdq, y0, y1))
    return ramp.with_(
        groupdq=groupdq,
        keywords={"VPNEXP": Keyword(len(files), "Earlier exposures of visit_persistence")},
        tallies={_PIXELS: (ends >= times.min()).sum(axis=1)},
    )


def _threshold(ramp: Ramp, refs: References, p: VisitPersistenceParams) -> F32:
    """Find the value, DN, from which on each pixel is bright; NaN for none."""
    shape = ramp.pixeldq.shape
    if p.dn_threshold is not None:
        return np.full(shape, p.dn_threshold, np.float32)
    ref = needed(refs, "saturation", shape)
    if ref.dq is None:
        return ref.data
    return np.where(ref.dq & np.uint32(DQ.NO_SAT_CHECK) != 0, np.float32(np.nan), ref.data)


def _look_back(
    file: RampFile, exposure: Exposure, threshold: F32, last: NDArray[np.float64], tiles: Tiles
) -> None:
    """Put into `last` when pixels of the exposure were last bright in an earlier one, s."""
    from jwcal_interactive.kernels.visit_persistence import find_last_bright

    times = group_ends(file.exposure)
    for rows, columns, here in _overlap(file, exposure):
        tiles.check()
        data, groupdq = _groups(file, rows, columns)
        limit, found = np.ascontiguousarray(threshold[here]), last[here].copy()
        work = partial(find_last_bright, data, groupdq, limit, times, found)
        tiles.over_rows(found.shape[0], work)
        last[here] = found


def _groups(file: RampFile, rows: slice, columns: slice) -> tuple[F32, U8]:
    """Read values and flags of some pixels; rows are those of the detector's normal pixels."""
    if not is_interleaved(file.frame):
        part = file.cut(rows, columns)
        return part.data, part.groupdq
    part = file.cut(slice(None), columns)
    data, groupdq = (normal_pixels(array, file.exposure)[..., rows, :] for array in (part.data, part.groupdq))
    return np.ascontiguousarray(data), np.ascontiguousarray(groupdq)


def _overlap(file: RampFile, exposure: Exposure) -> Iterator[tuple[slice, slice, tuple[slice, slice]]]:
    """Give what two exposures share, in pieces: rows and columns of the file, and those of the exposure."""
    other = file.exposure
    x0, x1 = _shared(other.xstart, other.xsize, exposure.xstart, exposure.xsize)
    y0, y1 = _shared(other.ystart, other.ysize, exposure.ystart, exposure.ysize)
    if x0 >= x1:
        return
    columns = slice(x0 - other.xstart, x1 - other.xstart)
    ours = slice(x0 - exposure.xstart, x1 - exposure.xstart)
    # Interleaved frames are read whole, in any case.
    piece = max(y1 - y0, 1) if is_interleaved(file.frame) else _ROWS
    for start in range(y0, y1, piece):
        stop = min(start + piece, y1)
        rows = slice(start - other.ystart, stop - other.ystart)
        yield rows, columns, (slice(start - exposure.ystart, stop - exposure.ystart), ours)


def _shared(start: int, size: int, other_start: int, other_size: int) -> tuple[int, int]:
    """Find the pixels, numbered on the detector, of two ranges: the first, and the one after the last."""
    return max(start, other_start), min(start + size, other_start + other_size)
