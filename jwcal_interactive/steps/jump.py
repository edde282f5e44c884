"""jump: find cosmic-ray hits in ramps, and the large events that some of them are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U8, Keyword, Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_interactive.steps.jump_showers import flag_showers
from jwcal_interactive.steps.jump_snowballs import flag_snowballs
from jwcal_interactive.steps.jump_survey import Survey, lost_groups, survey
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["JumpParams", "find_in_rows", "jump"]


@step("jump", keyword="S_JUMP", references=("gain", "readnoise"), params=JumpParams)
def jump(ramp: Ramp, refs: References, p: JumpParams, tiles: Tiles) -> Ramp:
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
    nints, ngroups, ny, nx = ramp.data.shape
    exposure = ramp.exposure
    gain = needed(refs, "gain", (ny, nx)).data
    readnoise = needed(refs, "readnoise", (ny, nx)).data
    facts = survey(ramp.groupdq, gain, exposure.group_time, p)
    groupdq = _clip(ramp, gain, p, tiles) if facts.mode == kernels.GIVEN else ramp.groupdq
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
    events = 0
    if p.expand_large_events:
        events = flag_snowballs(flagged, p, exposure.group_time, tiles)
    if p.find_showers:
        events = flag_showers(ramp, flagged, pixeldq, gain, readnoise, p, tiles)
    lost = lost_groups(flagged) if p.expand_large_events else facts.lost
    keywords = {}
    differences = nints * ngroups - int(lost.sum()) - nints
    if differences >= 1:
        exposed = exposure.group_time * differences * (ny * nx)
        keywords["PRIMECRS"] = Keyword(1000 * int(hits.sum()) / exposed, "Cosmic rays per 1000 pixels per s")
        keywords["EXTNCRS"] = Keyword(1e6 * events / exposed, "Snowballs, showers per 1e6 pixels per s")
    return ramp.with_(groupdq=flagged, pixeldq=pixeldq, keywords=keywords)


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
    # A group that is rejected in all pixels is a drift of the detector, not cosmic rays.
    flags = np.uint8(DQ.JUMP_DET | DQ.DO_NOT_USE)
    for group in out.reshape(-1, *out.shape[2:]):
        if (group & flags).all():
            group[group == np.uint8(DQ.JUMP_DET)] = 0
    return out
