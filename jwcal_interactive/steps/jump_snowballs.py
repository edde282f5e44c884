"""Snowballs: large events of near-infrared detectors, round, with a saturated core."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import U8
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_interactive.steps.jump_regions import Regions, Stamp, enlarged, find_regions, stamp
from jwcal_interactive.tiles import Tiles

__all__ = ["flag_snowballs"]

_JUMP_DET, _SATURATED = np.uint8(DQ.JUMP_DET), np.uint8(DQ.SATURATED)
_BETWEEN_CHECKS = 64  # regions drawn before the user's wish to stop is looked at again


def flag_snowballs(groupdq: U8, p: JumpParams, group_time: float, tiles: Tiles) -> int:
    """Flag the surroundings of snowballs, in place.

    In each group, regions with JUMP_DET around a region that has just become saturated, now or in the next
    group, are snowballs; so are those near the edge of the array, whose core may be beyond it. They are
    replaced by ellipses of their moments with larger axes. Saturated cores grow too, in all later groups, and
    are flagged JUMP_DET in the first groups of the next integration.

    Parameters
    ----------
    groupdq : uint8 (nints, ngroups, ny, nx)
        Flags with the jumps; changed.
    p : JumpParams
    group_time : float
        Seconds.
    tiles : Tiles
        For cancellation.

    Returns
    -------
    int
        Number of snowballs.
    """
    found = 0
    cores = []
    for integration in groupdq:
        number, drawn = _in_one_integration(integration, p, tiles)
        found += number
        cores.append(drawn)
    masked = min(int(p.snowball_time_masked_next_int // group_time), groupdq.shape[1])
    if p.mask_snowball_core_next_int:
        for integration, drawn in zip(groupdq[1:], cores, strict=False):
            for core in drawn:
                integration[(slice(1, max(masked, 1)), *core.window)] |= _JUMP_DET * core.inside
    return found


def _in_one_integration(groupdq: U8, p: JumpParams, tiles: Tiles) -> tuple[int, list[Stamp]]:
    """Flag one integration; return the number of snowballs and the masks of their large cores."""
    shape = (groupdq.shape[1], groupdq.shape[2])
    last = len(groupdq) - 1
    found = 0
    cores: list[Stamp] = []
    for k in range(1, last + 1):
        tiles.check()
        events = find_regions(groupdq[k], DQ.JUMP_DET, p.min_jump_area)
        if p.sat_required_snowball:
            saturated = [find_regions(groupdq[k], DQ.SATURATED, p.min_sat_area, groupdq[k - 1])]
            tiles.check()
            if k < last:
                saturated.append(find_regions(groupdq[k + 1], DQ.SATURATED, p.min_sat_area, groupdq[k]))
            chosen = _with_core(events, saturated, p.edge_size, shape)
            cores += _grow_cores(groupdq[k:], saturated[0], p, tiles)
        else:
            chosen = list(range(len(events)))
        for number, i in enumerate(chosen):
            if number % _BETWEEN_CHECKS == 0:
                tiles.check()
            window, inside = enlarged(events.ellipse(i), p.expand_factor, 2 * p.max_extended_radius, shape)
            part = groupdq[(k, *window)]
            part[inside & (part & _SATURATED == 0)] |= _JUMP_DET
        found += len(chosen)
    return found, cores


def _with_core(events: Regions, saturated: list[Regions], edge_size: int, shape: tuple[int, int]) -> list[int]:
    """Which events have the centre of a saturated region inside, or are near the edge."""
    if not len(events):
        return []
    ny, nx = shape
    x, y = events.x, events.y
    chosen = (x < edge_size) | (y < edge_size)
    chosen |= (x > max(0, nx - edge_size)) | (y > max(0, ny - edge_size))
    # Regions whose centre is further than this are not looked at one by one.
    reach: NDArray[np.float64] = np.maximum(events.semi_axes[1] - 0.5, 0.5) + 1e-3
    for cores in saturated:
        for core_x, core_y in zip(cores.x, cores.y, strict=True):
            near = ~chosen & ((x - core_x) ** 2 + (y - core_y) ** 2 <= reach**2)
            for i in np.flatnonzero(near):
                chosen[i] = events.ellipse(int(i)).contains(core_x, core_y)
    return [int(i) for i in np.flatnonzero(chosen)]


def _grow_cores(groupdq: U8, saturated: Regions, p: JumpParams, tiles: Tiles) -> list[Stamp]:
    """Grow large saturated regions in all groups given; return the masks of the regions as they were."""
    shape = (groupdq.shape[1], groupdq.shape[2])
    longest = 2 * p.max_extended_radius
    cores = []
    large = np.flatnonzero(2 * saturated.semi_axes[0] - 1 > p.min_sat_radius_extend - 1e-3)
    for number, i in enumerate(large):
        if number % _BETWEEN_CHECKS == 0:
            tiles.check()
        core = saturated.ellipse(int(i))
        if core.minor <= p.min_sat_radius_extend:
            continue
        minor, major = (min(axis + 2 * p.sat_expand, longest) for axis in (core.minor, core.major))
        window, inside = stamp(core, minor, major, shape)
        groupdq[(slice(None), *window)][:, inside] = _SATURATED
        cores.append(stamp(core, core.minor, core.major, shape))
    return cores
