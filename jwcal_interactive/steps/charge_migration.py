"""charge_migration: flag the groups in which charge moves to neighbouring pixels."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import Ramp, References
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.tiles import Tiles

__all__ = ["ChargeMigrationParams", "charge_migration"]

_FEWEST_GROUPS = 3


class ChargeMigrationParams(StepParams):
    """Parameters of charge_migration."""

    skip: bool = param(True, help="Leave this step out.")
    signal_threshold: float = param(
        25_000.0,
        unit="DN",
        slider=(0.0, 65_000.0),
        help="Groups above this signal, and those after them, are left out of the slopes of the pixel and of "
        "its four neighbours, into which its charge spills.",
    )


@step(
    "charge_migration",
    keyword="S_CHGMIG",
    params=ChargeMigrationParams,
    reach=1,
    kernels=("charge_migration",),
)
def charge_migration(ramp: Ramp, refs: References, p: ChargeMigrationParams, tiles: Tiles) -> Ramp:
    """Flag CHARGELOSS and DO_NOT_USE from the first group above the threshold on.

    In undersampled images the charge of a bright pixel spills into its neighbours ("brighter-fatter
    effect"): the pixel and its four neighbours are flagged. ramp_fit keeps the read noise that it
    would have had with these groups.

    Raises
    ------
    Skip
        With fewer than 3 groups.
    """
    refuse_unsupported(ramp, "charge_migration")
    from jwcal_interactive.kernels.charge_migration import find_exceeding, flag_from

    nints, ngroups, ny, nx = ramp.data.shape
    if ngroups < _FEWEST_GROUPS:
        raise Skip(f"it needs {_FEWEST_GROUPS} groups, the exposure has {ngroups}")
    first = np.empty((nints, ny, nx), np.uint16)
    groupdq = np.empty_like(ramp.groupdq)
    limit = p.signal_threshold
    tiles.over_rows(ny, lambda y0, y1: find_exceeding(ramp.data, ramp.groupdq, limit, first, y0, y1))
    tiles.over_rows(ny, lambda y0, y1: flag_from(ramp.groupdq, first, groupdq, y0, y1))
    return ramp.with_(groupdq=groupdq)
