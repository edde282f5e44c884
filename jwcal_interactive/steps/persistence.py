"""persistence: flag the groups that follow a saturated one in the same pixel for some time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, Reference, References, SideProduct
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.tiles import Tiles

__all__ = ["PersistenceParams", "group_ends", "persistence"]


class PersistenceParams(StepParams):
    """Parameters of persistence."""

    skip: bool = param(True, help="Leave this step out.")
    persistence_time: int | None = param(
        None,
        gt=0,
        unit="s",
        slider=(0, 10_000),
        help="For how long a saturated pixel is flagged afterwards; must be given.",
    )
    dn_threshold: float | None = param(
        None,
        unit="DN",
        slider=(0.0, 65_000.0),
        help="Groups above this signal count like saturated ones; by default only saturated ones do.",
    )
    persistence_dnu: bool = param(False, help="Also flag DO_NOT_USE, so that slopes leave these groups out.")
    persistence_array_file: str | None = param(
        None,
        advanced=True,
        file="tree",
        help="ASDF file that save_persistence wrote for the exposure before; it may not exist yet.",
    )
    save_persistence: str | None = param(
        None,
        advanced=True,
        help="Name of an ASDF file for the ends of the windows, written beside the products; what "
        "persistence_array_file has of other detectors is kept.",
    )


def _reach(exposure: Exposure, row: References, p: PersistenceParams) -> int | None:
    return None if p.save_persistence or p.persistence_array_file else 0


@step("persistence", keyword="S_PERSIS", params=PersistenceParams, reach=_reach, kernels=("persistence",))
def persistence(ramp: Ramp, refs: References, p: PersistenceParams, tiles: Tiles) -> Ramp:
    """Flag PERSISTENCE from the first saturated group of an integration on, for the time given.

    A saturated pixel traps charge and releases it later. Windows go on through later integrations and,
    with the files, into later exposures of the same detector and subarray. Slopes ignore PERSISTENCE
    alone: `persistence_dnu` leaves the groups out.

    Raises
    ------
    ParameterError
        Without a time, or if the file was made with another one.
    InputError
        If times are missing, or the file is not one of these, or of another subarray.
    """
    refuse_unsupported(ramp, "persistence")
    from jwcal_interactive.kernels.persistence import flag_windows

    if p.persistence_time is None:
        raise ParameterError(
            "persistence.persistence_time is not set: give the time, s, for which a saturated pixel is to be "
            "flagged afterwards, or skip the step."
        )
    before = refs.get("persistence_array_file")
    windows = _windows(before, ramp, p.persistence_time)
    times = group_ends(ramp.exposure)
    threshold = np.nan if p.dn_threshold is None else p.dn_threshold
    flags = int(DQ.PERSISTENCE | (DQ.DO_NOT_USE if p.persistence_dnu else 0))
    length = float(p.persistence_time)
    groupdq = np.empty_like(ramp.groupdq)
    tiles.over_rows(
        windows.shape[0],
        lambda y0, y1: flag_windows(
            ramp.data, ramp.groupdq, times, length, threshold, flags, windows, groupdq, y0, y1
        ),
    )
    side = () if p.save_persistence is None else (_product(p, windows, ramp.exposure, before),)
    return ramp.with_(groupdq=groupdq, side_products=side)


def group_ends(exposure: Exposure) -> NDArray[np.float64]:
    """End of each group as Unix time, s: float64 (nints, ngroups).

    Raises
    ------
    InputError
        If the header does not tell when the exposure began.
    """
    from jwcal_interactive.io.exposure_times import integration_starts

    steps = np.full((exposure.nints, exposure.ngroups + 1), exposure.group_time)
    steps[:, 0] = integration_starts(exposure)
    return np.ascontiguousarray(np.add.accumulate(steps, axis=1)[:, 1:])


def _windows(file: Reference | None, ramp: Ramp, seconds: int) -> NDArray[np.float64]:
    """Read the ends of the windows that are open when the exposure begins, s; 0 for none."""
    windows = np.zeros(ramp.pixeldq.shape)
    detector = ramp.exposure.detector
    entry = None if file is None else file.tree.get(detector)
    if file is None or entry is None:
        return windows
    try:
        rows, columns = (np.asarray(entry[name], np.int64) for name in ("rows", "cols"))
        ends, told = np.asarray(entry["vals"], np.float64), entry["pers_time"]
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"persistence.persistence_array_file: {file.name}: {detector} is not an entry with rows, cols, "
            "vals and pers_time. Give a file that save_persistence wrote."
        ) from None
    if told != seconds:
        raise ParameterError(
            f"persistence.persistence_time = {seconds} s: {file.name} was made with {told} s. Give the same, "
            "or another persistence_array_file."
        )
    ny, nx = ramp.pixeldq.shape
    if not rows.shape == columns.shape == ends.shape or rows.ndim != 1:
        raise InputError(
            f"persistence.persistence_array_file: {file.name}: rows, cols and vals differ in number."
        )
    if rows.size and (min(rows.min(), columns.min()) < 0 or rows.max() >= ny or columns.max() >= nx):
        raise InputError(
            f"persistence.persistence_array_file: {file.name} has pixels outside of the {nx} x {ny} of "
            f"{ramp.exposure.filename}. Give a file of the same subarray."
        )
    windows[rows, columns] = ends
    return windows


def _product(
    p: PersistenceParams, windows: NDArray[np.float64], exposure: Exposure, before: Reference | None
) -> SideProduct:
    rows, columns = np.nonzero(windows)
    entry: Mapping[str, Any] = {
        "filename": exposure.filename,
        "rows": rows,
        "cols": columns,
        "vals": windows[rows, columns],
        "pers_time": p.persistence_time,
    }
    others = {} if before is None else before.tree
    return SideProduct(
        suffix="persistence",
        model="",
        tree={**others, exposure.detector: entry},
        file=str(PurePath(str(p.save_persistence)).with_suffix(".asdf")),
    )
