"""rscd: leave out the first groups of MIRI integrations, which the reset still disturbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Keyword, Ramp, Reference, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import integrations_of_exposure, only_for_miri
from jwcal_interactive.tiles import Tiles

__all__ = ["RscdParams", "rscd"]

_TABLE = "RSCD_GROUP_SKIP"
# Names that a subarray had in old exposures, and the one that references use.
_RENAMED = {"SUBPRISM": "SLITLESSPRISM"}
_FEWEST_GROUPS = 3
# Exposures of so few groups give up one of them, whatever the reference says.
_SHORT = 5
# Groups beside those left out: two for a slope, and the last one, which lastframe leaves out.
_KEPT = 3


class RscdParams(StepParams):
    """rscd has no parameters of its own."""


class _Skips(NamedTuple):
    """Groups to leave out in the first integration of an exposure, and in the later ones."""

    first: int
    later: int


# Names of what is counted in each row: pixels that keep some groups because they saturate early, and pixels
# that therefore keep all groups; of the first and of the later integrations.
_LOWERED = ("INT1BORS", "INT2BORS")
_ALL_KEPT = ("INT1UGP1", "INT2UGP1")
_COMMENTS = {
    "INT1BORS": "Pixels with rscd lowered by saturation, int 1",
    "INT2BORS": "Pixels with rscd lowered by saturation, int 2+",
    "INT1UGP1": "Pixels that keep the first group, int 1",
    "INT2UGP1": "Pixels that keep the first group, int 2+",
}


def _finish(exposure: Exposure, totals: Mapping[str, int], facts: None, p: RscdParams) -> dict[str, Keyword]:
    return {name: Keyword(totals[name], comment) for name, comment in _COMMENTS.items() if name in totals}


@step("rscd", keyword="S_RSCD", references=("rscd",), params=RscdParams, reach=0, finish=_finish)
def rscd(ramp: Ramp, refs: References, p: RscdParams, tiles: Tiles) -> Ramp:
    """Flag the first groups of each MIRI integration DO_NOT_USE, as many as the reference says.

    The reset switch charge decay (RSCD) bends the ramps after a reset, in later integrations for
    longer than in the first. At least 3 groups are kept. A pixel that saturates so early that fewer
    than 2 groups before saturation were left gives up as many groups less, and gets FLUX_ESTIMATED;
    one that is saturated from the first group on is flagged like any other.

    Raises
    ------
    Skip
        For another instrument, without a reference (N/A) or an entry for READPATT and SUBARRAY, or with
        fewer than 3 groups.
    ReferenceError
        If the reference lacks the table or a column.
    """
    exposure = ramp.exposure
    only_for_miri(exposure)
    ref = refs.get("rscd")
    if ref is None:
        raise Skip("there is no rscd reference (N/A) for this exposure")
    ngroups = ramp.data.shape[1]
    skips = _from_reference(ref, exposure)
    if ngroups < _FEWEST_GROUPS:
        raise Skip(f"it needs {_FEWEST_GROUPS} groups, the exposure has {ngroups}")
    skips = _allowed(skips, ngroups)
    groupdq, pixeldq = ramp.groupdq.copy(), ramp.pixeldq.copy()
    keywords: dict[str, Keyword] = {}
    tallies: dict[str, NDArray[np.int64]] = {}
    later = 0
    if exposure.first_integration == 0:
        later = 1
        tallies |= _flag(groupdq[:1], pixeldq, skips.first, (_LOWERED[0], _ALL_KEPT[0]), tiles)
        keywords["INT1SKIP"] = Keyword(skips.first, "Groups left out by rscd, int 1")
    if integrations_of_exposure(exposure) > 1:
        tallies |= _flag(groupdq[later:], pixeldq, skips.later, (_LOWERED[1], _ALL_KEPT[1]), tiles)
        keywords["INT2SKIP"] = Keyword(skips.later, "Groups left out by rscd, int 2+")
    return ramp.with_(groupdq=groupdq, pixeldq=pixeldq, keywords=keywords, tallies=tallies)


def _from_reference(ref: Reference, exposure: Exposure) -> _Skips:
    table = ref.tables.get(_TABLE)
    columns = {} if table is None else {str(name).lower(): str(name) for name in table.dtype.names or ()}
    missing = {"subarray", "readpatt", "group_skip"} - columns.keys()
    if table is None or missing:
        lacks = f"columns {', '.join(sorted(missing))} in {_TABLE}" if columns else f"table {_TABLE}"
        raise ReferenceError(f"rscd reference {ref.name}: lacks the {lacks}. Give a reference of type rscd.")
    wanted = _RENAMED.get(exposure.subarray, exposure.subarray), exposure.readpatt
    for row in table:
        if (_text(row[columns["subarray"]]), _text(row[columns["readpatt"]])) == wanted:
            first = int(row[columns["group_skip1"]]) if "group_skip1" in columns else -1
            # Old references have no number for the first integration.
            return _Skips(first if first >= 0 else 1, int(row[columns["group_skip"]]))
    raise Skip(f"the reference {ref.name} has no entry for SUBARRAY = {wanted[0]}, READPATT = {wanted[1]}")


def _text(cell: Any) -> str:
    return (cell.decode("ascii", "replace") if isinstance(cell, bytes) else str(cell)).strip().upper()


def _allowed(skips: _Skips, ngroups: int) -> _Skips:
    if ngroups <= _SHORT:
        skips = _Skips(1, 1)
    most = max(0, ngroups - _KEPT)
    return _Skips(min(skips.first, most), min(skips.later, most))


def _flag(
    groupdq: NDArray[np.uint8], pixeldq: NDArray[np.uint32], skip: int, names: tuple[str, str], tiles: Tiles
) -> dict[str, NDArray[np.int64]]:
    """Add the flags to GROUPDQ and PIXELDQ of some integrations; count in each row what is lowered."""
    counts = {name: np.zeros(pixeldq.shape[0], np.int64) for name in names}

    def flag(y0: int, y1: int) -> None:
        lowered = np.zeros(pixeldq[y0:y1].shape, np.bool_)
        all_kept = np.zeros(pixeldq[y0:y1].shape, np.bool_)
        for flags in groupdq[:, :, y0:y1]:
            own = _own_skip(flags, skip)
            for g in range(skip):
                flags[g] |= np.where(g < own, np.uint8(DQ.DO_NOT_USE), np.uint8(0))
            lowered |= own < skip
            all_kept |= (own < skip) & (own == 0)
        pixeldq[y0:y1] |= np.where(lowered, np.uint32(DQ.FLUX_ESTIMATED), np.uint32(0))
        for name, pixels in zip(names, (lowered, all_kept), strict=True):
            counts[name][y0:y1] = pixels.sum(axis=1)

    tiles.over_rows(pixeldq.shape[0], flag)
    return counts


def _own_skip(flags: NDArray[np.uint8], skip: int) -> NDArray[np.intp]:
    """Count the groups that each pixel gives up in one integration: it keeps 2 before saturation."""
    before_saturation = np.ones(flags.shape[1:], np.bool_)
    unsaturated = np.zeros(flags.shape[1:], np.intp)
    for group in flags[: skip + 2]:
        before_saturation &= group & np.uint8(DQ.SATURATED) == 0
        unsaturated += before_saturation
    return np.where(unsaturated == 0, skip, np.clip(unsaturated - 2, 0, skip))
