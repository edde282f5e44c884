"""jump: find cosmic-ray hits in ramps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import U8, Keyword, Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import NotYet, StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["JumpParams", "jump"]

# Fewer groups give fewer than two differences to compare.
_FEWEST_GROUPS = 3

_OF_SNOWBALLS = [
    "min_sat_area",
    "min_jump_area",
    "expand_factor",
    "use_ellipses",
    "sat_required_snowball",
    "min_sat_radius_extend",
    "sat_expand",
    "edge_size",
    "mask_snowball_core_next_int",
    "snowball_time_masked_next_int",
]
_OF_SHOWERS = [
    "max_shower_amplitude",
    "extend_snr_threshold",
    "extend_min_area",
    "extend_inner_radius",
    "extend_outer_radius",
    "extend_ellipse_expand_ratio",
    "time_masked_after_shower",
]


class JumpParams(StepParams):
    """Parameters of jump."""

    rejection_threshold: float = param(
        4.0,
        ge=0,
        unit="sigma",
        slider=(2.0, 10.0),
        help="Flag differences further than this from the median, with four or more usable ones.",
    )
    three_group_rejection_threshold: float = param(
        6.0,
        ge=0,
        unit="sigma",
        slider=(2.0, 10.0),
        help="The same for ramps of three usable groups (two differences).",
    )
    four_group_rejection_threshold: float = param(
        5.0,
        ge=0,
        unit="sigma",
        slider=(2.0, 10.0),
        help="The same for ramps of four usable groups (three differences).",
    )
    flag_4_neighbors: bool = param(True, help="Flag the four adjacent pixels of a jump, too.")
    max_jump_to_flag_neighbors: float = param(
        1000.0,
        unit="sigma",
        slider=(0.0, 2000.0),
        help="Jumps above this do not flag their neighbours.",
    )
    min_jump_to_flag_neighbors: float = param(
        10.0,
        unit="sigma",
        slider=(0.0, 100.0),
        help="Jumps below this do not flag their neighbours.",
    )
    after_jump_flag_dn1: float = param(
        0.0, unit="DN", help="Jumps of at least this size flag groups for after_jump_flag_time1."
    )
    after_jump_flag_time1: float = param(
        0.0, ge=0, unit="s", help="Time to flag after jumps of after_jump_flag_dn1; 0 is off."
    )
    after_jump_flag_dn2: float = param(
        0.0, unit="DN", help="Jumps of at least this size flag groups for after_jump_flag_time2."
    )
    after_jump_flag_time2: float = param(
        0.0, ge=0, unit="s", help="Time to flag after jumps of after_jump_flag_dn2; 0 is off."
    )
    min_diffs_single_pass: int = param(
        10,
        ge=0,
        slider=(1, 50),
        help="With fewer differences per integration, jumps are found one at a time, largest first.",
    )
    minimum_groups: int = param(
        3,
        ge=0,
        slider=(3, 20),
        help="Fewest usable groups; the step is skipped below, and always below 3.",
    )
    minimum_sigclip_groups: int = param(
        100,
        ge=0,
        slider=(2, 500),
        help="From this number of integrations on, differences are sigma-clipped across them "
        "(from this number of groups of all integrations, if only_use_ints is off).",
    )
    only_use_ints: bool = param(
        True,
        help="Sigma clipping compares a difference with the same one of the other integrations, "
        "instead of all differences of the pixel.",
    )

    unavailable: ClassVar[Mapping[str, NotYet]] = {
        "expand_large_events": NotYet(False, "snowballs are not flagged"),
        "find_showers": NotYet(False, "showers are not flagged"),
    }
    without_effect: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(_OF_SNOWBALLS, "belongs to expand_large_events"),
        **dict.fromkeys(_OF_SHOWERS, "belongs to find_showers"),
        "max_extended_radius": "belongs to expand_large_events and find_showers",
        "maximum_cores": "threads are set for the whole run",
    }


@step("jump", keyword="S_JUMP", references=("gain", "readnoise"), params=JumpParams)
def jump(ramp: Ramp, refs: References, p: JumpParams, tiles: Tiles) -> Ramp:
    """Flag jumps in ramps by two-point differences (JUMP_DET in GROUPDQ).

    In electrons, a difference d of adjacent groups is a jump where ``|d - m| > T sqrt(|m| + R^2 / NFRAMES)``:
    m is the median of the pixel's usable differences in all integrations, R the CDS read noise, T the
    threshold (Anderson and Gordon 2011, PASP 123, 1237). With few differences, the largest is left out of
    the median, and jumps are taken out one by one. With many integrations, differences are
    sigma-clipped across them instead. Groups DO_NOT_USE or SATURATED are never flagged.

    Pixels without a positive gain get NO_GAIN_VALUE and DO_NOT_USE. The rate of hits is written to
    PRIMECRS. Not like the official step, which then reports a negative number of cosmic rays, exposures
    with too few usable groups are skipped, and `minimum_groups` is obeyed.

    Raises
    ------
    Skip
        With fewer than `minimum_groups`, or three, usable groups.
    """
    from jwcal_interactive.kernels import jump as kernels

    refuse_unsupported(ramp, "jump")
    nints, ngroups, ny, nx = ramp.data.shape
    if ngroups < _FEWEST_GROUPS:
        raise Skip(f"NGROUPS = {ngroups}; finding jumps needs {_FEWEST_GROUPS} groups")
    gain = needed(refs, "gain", (ny, nx)).data
    readnoise = needed(refs, "readnoise", (ny, nx)).data
    lost = _lost_groups(ramp.groupdq)
    groupdq, mode = ramp.groupdq, _mode(lost, p)
    if mode == kernels.GIVEN:
        groupdq = _clip(ramp, gain, p, tiles)
    sizes, counts = _after(ramp, gain, p)
    flagged = np.empty_like(groupdq)
    hits = np.empty(ny, np.int64)

    def find(y0: int, y1: int) -> None:
        kernels.find_jumps(
            ramp.data,
            groupdq,
            gain,
            readnoise,
            float(ramp.exposure.nframes),
            mode,
            p.rejection_threshold,
            p.four_group_rejection_threshold,
            p.three_group_rejection_threshold,
            p.flag_4_neighbors,
            p.min_jump_to_flag_neighbors,
            p.max_jump_to_flag_neighbors,
            sizes[0],
            counts[0],
            sizes[1],
            counts[1],
            flagged,
            hits,
            y0,
            y1,
        )

    tiles.over_rows(ny, find)
    pixeldq = ramp.pixeldq.copy()
    pixeldq[~(gain > 0)] |= np.uint32(DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE)
    differences = nints * ngroups - int(lost.sum()) - nints
    keywords = {}
    if differences >= 1:
        exposed = ramp.exposure.group_time * differences * (ny * nx)
        rate = 1000 * int(hits.sum()) / exposed
        keywords["PRIMECRS"] = Keyword(rate, "Cosmic rays per 1000 pixels per s")
        keywords["EXTNCRS"] = Keyword(0.0, "Snowballs, showers per 1e6 pixels per s")
    return ramp.with_(groupdq=flagged, pixeldq=pixeldq, keywords=keywords)


def _lost_groups(groupdq: U8) -> NDArray[np.bool_]:
    """Find the groups that are DO_NOT_USE in all pixels, bool (nints, ngroups)."""
    flag = np.uint8(DQ.DO_NOT_USE)
    ny, nx = groupdq.shape[-2:]
    lost: NDArray[np.bool_] = (groupdq[:, :, ny // 2, nx // 2] & flag) != 0
    for i, k in zip(*np.nonzero(lost), strict=True):
        lost[i, k] = bool((groupdq[i, k] & flag).all())
    return lost


def _mode(lost: NDArray[np.bool_], p: JumpParams) -> int:
    """How jumps are found; `GIVEN` after sigma clipping across integrations."""
    from jwcal_interactive.kernels import jump as kernels

    nints, ngroups = lost.shape
    available = nints if p.only_use_ints else int((~lost).sum())
    if available >= p.minimum_sigclip_groups:
        return kernels.GIVEN
    usable = ngroups - int(lost.sum(axis=1).max())
    fewest = max(p.minimum_groups, _FEWEST_GROUPS)
    if usable < fewest:
        raise Skip(f"{usable} of {ngroups} groups are usable; at least {fewest} are needed")
    return kernels.ONE_PASS if usable - 1 >= p.min_diffs_single_pass else kernels.ITERATIVE


def _clip(ramp: Ramp, gain: NDArray[np.float32], p: JumpParams, tiles: Tiles) -> U8:
    """GROUPDQ with the jumps that sigma clipping across integrations finds."""
    from jwcal_interactive.kernels.jump import clip_across_integrations

    out = np.empty_like(ramp.groupdq)
    tiles.over_rows(
        ramp.data.shape[2],
        lambda y0, y1: clip_across_integrations(
            ramp.data, ramp.groupdq, gain, p.rejection_threshold, p.only_use_ints, out, y0, y1
        ),
    )
    # A group that is rejected in all pixels is a drift of the detector, not cosmic rays.
    flags = np.uint8(DQ.JUMP_DET | DQ.DO_NOT_USE)
    for group in out.reshape(-1, *out.shape[2:]):
        if (group & flags).all():
            group[group == np.uint8(DQ.JUMP_DET)] = 0
    return out


def _after(ramp: Ramp, gain: NDArray[np.float32], p: JumpParams) -> tuple[tuple[float, float], tuple[int, int]]:
    """Sizes of jumps, electron, and numbers of groups to flag after them."""
    times = (p.after_jump_flag_time1, p.after_jump_flag_time2)
    counts = tuple(int(time // ramp.exposure.group_time) for time in times)
    if not any(counts) or np.isnan(gain).all():
        return (0.0, 0.0), (0, 0)
    typical = np.nanmedian(gain)
    sizes = (np.float32(p.after_jump_flag_dn1) * typical, np.float32(p.after_jump_flag_dn2) * typical)
    return (float(sizes[0]), float(sizes[1])), (counts[0], counts[1])
