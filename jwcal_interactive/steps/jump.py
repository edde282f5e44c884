"""jump: find cosmic-ray hits in ramps, and the large events that some of them are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U8, Exposure, Keyword, Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.definition import Look, step
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_interactive.steps.jump_showers import flag_showers
from jwcal_interactive.steps.jump_snowballs import flag_snowballs
from jwcal_interactive.steps.jump_survey import FEWEST_GROUPS, Survey, find_mode, lost_groups, survey
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["JumpParams", "find_in_rows", "jump"]


def _reach(_exposure: Exposure, _row: References, p: JumpParams) -> int | None:
    """Large events are found in the whole frame; else only the adjacent pixels matter."""
    return None if p.expand_large_events or p.find_showers else 1


def _kernels(_exposure: Exposure, p: JumpParams) -> tuple[str, ...]:
    large = ("jump_regions",) if p.expand_large_events or p.find_showers else ()
    return ("jump", *large, "jump_showers") if p.find_showers else ("jump", *large)


def _survey(look: Look, refs: References, p: JumpParams, tiles: Tiles) -> Survey:
    def found(groupdq: U8) -> Survey:
        return survey(groupdq, lambda: refs.get("gain"), look.exposure.group_time, p, whole=look.whole)

    if look.whole:
        return found(look().groupdq)
    # A row in the middle tells which groups are lost; the others confirm it when they are worked on.
    middle = look.frame[0] // 2
    groupdq = look(slice(middle, middle + 1)).groupdq
    try:
        return found(groupdq)
    except Skip:
        if look.exposure.ngroups < FEWEST_GROUPS:
            raise
        # Groups that are lost are not so on the word of one row.
        lost = lost_groups(groupdq)
        for y in range(0, look.frame[0], tiles.band_rows):
            tiles.check()
            lost &= lost_groups(look(slice(y, y + tiles.band_rows)).groupdq)
        return found(np.where(lost, np.uint8(DQ.DO_NOT_USE), np.uint8(0))[..., None, None])


def _rates(exposure: Exposure, hits: int, events: int, lost: int, npixels: int) -> dict[str, Keyword]:
    """Keywords with the rates of hits and of large events, if there are differences to find them in."""
    differences = exposure.nints * (exposure.ngroups - 1) - lost
    if differences < 1:
        return {}
    exposed = exposure.group_time * differences * npixels
    return {
        "PRIMECRS": Keyword(1000 * hits / exposed, "Cosmic rays per 1000 pixels per s"),
        "EXTNCRS": Keyword(1e6 * events / exposed, "Snowballs, showers per 1e6 pixels per s"),
    }


def _finish(exposure: Exposure, totals: Mapping[str, Any], facts: Survey, p: JumpParams) -> dict[str, Keyword]:
    lost = int(totals["lost"]) if p.expand_large_events else int(_lost(totals, facts).sum())
    return _rates(exposure, int(totals["hits"]), int(totals["events"]), lost, int(totals["pixels"]))


def _lost(totals: Mapping[str, Any], facts: Survey) -> NDArray[np.bool_]:
    """Which of the groups that seemed lost are."""
    lost = facts.lost.copy()
    lost[facts.lost] = totals["usable_in_lost"] == 0
    return lost


def _confirm(totals: Mapping[str, Any], facts: Survey) -> bool:
    """Whether jumps were found as they have to be with the groups that are really lost.

    After sigma clipping those must be the ones that seemed lost, and no other may be rejected in all pixels.
    """
    from jwcal_interactive.kernels.jump import GIVEN

    lost = _lost(totals, facts)
    if facts.mode == GIVEN:
        return bool((lost == facts.lost).all() and (totals["kept"] > 0).all())
    return find_mode(lost, facts.params) == facts.mode


@step(
    "jump",
    keyword="S_JUMP",
    references=("gain", "readnoise"),
    params=JumpParams,
    reach=_reach,
    survey=_survey,
    finish=_finish,
    confirm=_confirm,
    kernels=_kernels,
)
def jump(ramp: Ramp, refs: References, p: JumpParams, tiles: Tiles, facts: Survey) -> Ramp:
    """Flag jumps in ramps by two-point differences (JUMP_DET in GROUPDQ).

    In electrons, a difference d of adjacent groups is a jump where ``|d - m| > T sqrt(|m| + R^2 / NFRAMES)``:
    m is the median of the pixel's usable differences in all integrations, R the CDS read noise, T the
    threshold (Anderson and Gordon 2011, PASP 123, 1237). With few differences, the largest is left out of
    the median, and jumps are taken out one by one. With many integrations, differences are
    sigma-clipped across them instead. Groups DO_NOT_USE or SATURATED are never flagged.

    Snowballs and showers are found among the jumps of the whole frame afterwards (`jump_snowballs`,
    `jump_showers`; Regan 2024, "Detection and flagging of showers and snowballs in JWST", STScI).

    Pixels without a positive gain get NO_GAIN_VALUE and DO_NOT_USE. The rates of hits and of large events are
    written to PRIMECRS and EXTNCRS. Not like the official step, which then reports a negative number of cosmic
    rays, exposures with too few usable groups are skipped, and `minimum_groups` is obeyed.

    Raises
    ------
    Skip
        With fewer than `minimum_groups`, or three, usable groups.
    """
    from jwcal_interactive.kernels import jump as kernels

    refuse_unsupported(ramp, "jump")
    ny, nx = ramp.data.shape[-2:]
    exposure = ramp.exposure
    gain = needed(refs, "gain", (ny, nx)).data
    readnoise = needed(refs, "readnoise", (ny, nx)).data
    groupdq = ramp.groupdq
    if facts.mode == kernels.GIVEN:
        groupdq = _clip(ramp, gain, p, tiles)
        if facts.whole:
            _ignore_drifts(groupdq, tiles)
    flagged, hits = np.empty_like(groupdq), np.empty(ny, np.int64)
    nframes = float(exposure.nframes)
    tiles.over_rows(
        ny,
        lambda y0, y1: find_in_rows(
            ramp.data, groupdq, gain, readnoise, nframes, facts, p, flagged, hits, y0, y1
        ),
    )
    pixeldq = ramp.pixeldq.copy()
    pixeldq[~(gain > 0)] |= np.uint32(DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE)
    tallies = _tallies(ramp.groupdq, groupdq, hits, facts)
    if p.expand_large_events:
        tallies["events"][0] = flag_snowballs(flagged, p, exposure.group_time, tiles)
    if p.find_showers:
        tallies["events"][0] = flag_showers(ramp, flagged, pixeldq, gain, readnoise, p, tiles)
    if p.expand_large_events:
        tallies["lost"][0] = lost_groups(flagged).sum()
    return ramp.with_(groupdq=flagged, pixeldq=pixeldq, tallies=tallies)


def _tallies(before: U8, clipped: U8, hits: NDArray[np.int64], facts: Survey) -> dict[str, NDArray[np.int64]]:
    """Count per row what `_finish` and `_confirm` need."""
    ny, nx = before.shape[-2:]
    zeros = np.zeros(ny, np.int64)
    usable = np.zeros((ny, int(facts.lost.sum())), np.int64)
    if not facts.whole and facts.lost.any():
        usable = (before[facts.lost] & np.uint8(DQ.DO_NOT_USE) == 0).sum(axis=-1).T
    kept = np.ones((ny, 1), np.int64)
    if clipped is not before and not facts.whole:
        free = (clipped & np.uint8(DQ.JUMP_DET | DQ.DO_NOT_USE) == 0).any(axis=-1) | facts.lost[..., None]
        kept = np.moveaxis(free, -1, 0).astype(np.int64)
    return {
        "hits": hits,
        "pixels": np.full(ny, nx),
        "usable_in_lost": usable,
        "kept": kept,
        "events": zeros.copy(),
        "lost": zeros.copy(),
    }


def find_in_rows(
    data: F32,
    groupdq: U8,
    gain: F32,
    readnoise: F32,
    nframes: float,
    facts: Survey,
    p: JumpParams,
    out_groupdq: U8,
    out_hits: NDArray[np.int64],
    y0: int,
    y1: int,
) -> None:
    """Flag jumps, their neighbours and the groups after them in rows y0 to y1.

    One row more on each side is read, since jumps there may have neighbours in these rows. Arrays are those of
    `kernels.jump.find_jumps`.
    """
    from jwcal_interactive.kernels.jump import find_jumps

    find_jumps(
        data,
        groupdq,
        gain,
        readnoise,
        nframes,
        facts.mode,
        p.rejection_threshold,
        p.four_group_rejection_threshold,
        p.three_group_rejection_threshold,
        p.flag_4_neighbors,
        p.min_jump_to_flag_neighbors,
        p.max_jump_to_flag_neighbors,
        facts.sizes[0],
        facts.counts[0],
        facts.sizes[1],
        facts.counts[1],
        out_groupdq,
        out_hits,
        y0,
        y1,
    )


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
    return out


def _ignore_drifts(groupdq: U8, tiles: Tiles) -> None:
    """Take jumps back in groups rejected in all pixels: those are drifts of the detector, not cosmic rays."""
    flags = np.uint8(DQ.JUMP_DET | DQ.DO_NOT_USE)
    for group in groupdq.reshape(-1, *groupdq.shape[2:]):
        tiles.check()
        if (group & flags).all():
            group[group == np.uint8(DQ.JUMP_DET)] = 0
