"""large_events: find snowballs and showers among the jumps, flag around them, and list them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import U8, Keyword, Ramp, References, SideProduct
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.jump_regions import Ellipse, Regions, find_regions, stamp
from jwcal_interactive.tiles import Tiles

__all__ = ["KINDS", "LargeEventsParams", "large_events"]

KINDS = ("snowball", "shower")
"""Kinds of events; in the image KIND, 1 and 2."""

_JUMP_DET, _SATURATED = np.uint8(DQ.JUMP_DET), np.uint8(DQ.SATURATED)
_INVALID = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)
# Snowballs fill their ellipse; the flags of showers are scattered.
_COMPACT = 0.6

_COLUMNS = np.dtype(
    [
        ("label", "i4"),
        ("kind", "S8"),
        ("integration_number", "i4"),
        ("group_number", "i4"),
        ("xcentroid", "f4"),
        ("ycentroid", "f4"),
        ("semimajor", "f4"),
        ("semiminor", "f4"),
        ("orientation", "f4"),
        ("jump_area", "i4"),
        ("core_area", "i4"),
    ]
)


class LargeEventsParams(StepParams):
    """Parameters of large_events."""

    skip: bool = param(True, help="Leave this step out.")
    min_radius: float = param(
        3.5,
        gt=0,
        unit="pixel",
        slider=(1.0, 20.0),
        help="Shortest semi-axis of an event; cosmic rays with their neighbours stay below 3.5.",
    )
    max_radius: float = param(
        200.0,
        advanced=True,
        gt=0,
        unit="pixel",
        help="Longest semi-axis of an event; more is a disturbance of the detector, and is left alone.",
    )
    max_gap: int = param(
        2,
        advanced=True,
        ge=1,
        unit="pixel",
        slider=(1, 10),
        help="Jumps no further apart than this belong to one event.",
    )
    grow: int = param(
        3,
        ge=0,
        unit="pixel",
        slider=(0, 30),
        help="Width of the margin that is flagged around the ellipse of an event.",
    )
    core_time_masked: float = param(
        0.0,
        ge=0,
        unit="s",
        slider=(0.0, 1000.0),
        help="Time after an event for which its saturated core is DO_NOT_USE, also in later integrations.",
    )
    save_masks: bool = param(
        True, advanced=True, help="Write the masks of the events, and their table (largeevents)."
    )


class _Event(NamedTuple):
    integration: int
    group: int
    ellipse: Ellipse
    snowball: bool
    jump_area: int
    core: tuple[tuple[slice, slice], NDArray[np.bool_]]


@step("large_events", keyword="S_LRGEVT", params=LargeEventsParams, kernels=("jump_regions",))
def large_events(ramp: Ramp, refs: References, p: LargeEventsParams, tiles: Tiles) -> Ramp:
    """Find snowballs and showers among the jumps, flag around them, and list them.

    Not an official step: it works on the flags that `jump` has set, with or without its own search for large
    events, and shows what was found. In each group, pixels with a new JUMP_DET that are near each other form an
    event if they are as many as a disk of `min_radius` has, and the ellipse with their second moments is large
    enough in both directions: tracks are thin. Events that fill their ellipse, or have a core that has just
    become saturated, are snowballs; others are showers. The enlarged ellipse gets JUMP_DET where groups are
    usable.

    The side product has the label (LABEL) and kind (KIND: 1 snowball, 2 shower) of what was flagged in each
    group, and a table of the events (EVENTS): centres and semi-axes in pixels, from 0; orientation from +y
    towards +x, degrees; areas with jumps, and of the saturated core, pixels. Their numbers are in the
    keywords NSNOWBAL and NSHOWERS. Where `jump` has flagged the surroundings of large events already
    (expand_large_events, find_showers), these count as jumps: areas and axes are the enlarged ones, so that
    `grow` is better 0. To list events as they hit, leave both off.

    Raises
    ------
    Skip
        With a single group, or if jump was not run.
    """
    nints, ngroups, ny, nx = ramp.groupdq.shape
    if ngroups < 2:
        raise Skip("NGROUPS = 1; there are no jumps in a single group")
    for group in ramp.groupdq.reshape(-1, ny, nx):
        tiles.check()
        if (group & _JUMP_DET).any():
            break
    else:
        raise Skip("no group has the flag JUMP_DET; run jump before")
    events: list[_Event] = []
    for i in range(nints):
        for k in range(1, ngroups):
            tiles.check()
            events += _find(ramp.groupdq[i], i, k, p)
    groupdq = ramp.groupdq.copy()
    label = np.zeros(groupdq.shape, np.int16 if len(events) < 2**15 else np.int32)
    kind = np.zeros(groupdq.shape, np.uint8)
    masked = int(p.core_time_masked // ramp.exposure.group_time)
    for number, event in enumerate(events, start=1):
        tiles.check()
        i, k, ellipse = event.integration, event.group, event.ellipse
        window, inside = stamp(ellipse, ellipse.minor + 2 * p.grow, ellipse.major + 2 * p.grow, (ny, nx))
        part = groupdq[(i, k, *window)]
        part[inside & (part & _INVALID == 0)] |= _JUMP_DET
        label[(i, k, *window)][inside] = number
        kind[(i, k, *window)][inside] = 1 if event.snowball else 2
        _mask_core(groupdq, event, masked)
    snowballs = sum(event.snowball for event in events)
    keywords = {
        "NSNOWBAL": Keyword(snowballs, "Snowballs found by large_events"),
        "NSHOWERS": Keyword(len(events) - snowballs, "Showers found by large_events"),
    }
    products: tuple[SideProduct, ...] = ()
    if p.save_masks:
        products = (
            SideProduct(
                suffix="largeevents",
                model="JwstDataModel",
                arrays={"LABEL": label, "KIND": kind},
                tables={"EVENTS": _table(events)},
                keywords=keywords,
            ),
        )
    return ramp.with_(groupdq=groupdq, keywords=keywords, side_products=products)


def _find(groupdq: U8, i: int, k: int, p: LargeEventsParams) -> list[_Event]:
    """Events of one group of an integration."""
    smallest = math.pi * p.min_radius**2
    regions = find_regions(groupdq[k], DQ.JUMP_DET, smallest, groupdq[k - 1], p.max_gap)
    minor, major = regions.semi_axes
    chosen = np.flatnonzero((minor >= p.min_radius) & (major <= p.max_radius))
    return [_describe(regions, int(n), groupdq, i, k) for n in chosen]


def _describe(regions: Regions, n: int, groupdq: U8, i: int, k: int) -> _Event:
    """One event: its ellipse, kind, and core."""
    minor, major = (float(axes[n]) for axes in regions.semi_axes)
    shape = regions.ellipse(n)
    ellipse = shape._replace(minor=2 * minor, major=2 * major)
    window, inside = stamp(ellipse, ellipse.minor, ellipse.major, (groupdq.shape[1], groupdq.shape[2]))
    rows, columns = window
    before, now = groupdq[k - 1, rows, columns], groupdq[min(k + 1, len(groupdq) - 1), rows, columns]
    core = inside & ((now & ~before & _SATURATED) != 0)
    jumps = int(regions.pixels(n).sum())
    cores = int(core.sum())
    compact = jumps + cores >= _COMPACT * math.pi * minor * major
    return _Event(i, k, ellipse, compact or cores > 0, jumps, (window, core))


def _mask_core(groupdq: U8, event: _Event, masked: int) -> None:
    """Flag the core in so many groups after the event, resets between integrations not counted."""
    nints, ngroups = groupdq.shape[:2]
    window, core = event.core
    first = event.integration * ngroups + event.group + 1
    for place in range(first, min(first + masked, nints * ngroups)):
        groupdq[(*divmod(place, ngroups), *window)][core] |= np.uint8(DQ.DO_NOT_USE)


def _table(events: list[_Event]) -> NDArray[np.void]:
    """One row per event."""
    rows = []
    for number, event in enumerate(events, start=1):
        e = event.ellipse
        kind = KINDS[0] if event.snowball else KINDS[1]
        rows.append((
            number, kind.encode(), event.integration + 1, event.group + 1, e.x, e.y, e.major / 2, e.minor / 2,
            e.angle, event.jump_area, int(event.core[1].sum()),
        ))  # fmt: skip
    return np.array(rows, _COLUMNS)
