"""Showers: faint extended events of mid-infrared detectors."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U8, Ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_interactive.steps.jump_regions import Ellipse, enlarged, find_regions
from jwcal_interactive.steps.jump_survey import lost_groups
from jwcal_interactive.tiles import Tiles

__all__ = ["flag_showers", "ring"]

_FEWEST_DIFFERENCES = 10
_CLIPPING_SIGMA = 5.0
_JUMP_DET, _SATURATED = np.uint8(DQ.JUMP_DET), np.uint8(DQ.SATURATED)


def flag_showers(
    ramp: Ramp, groupdq: U8, pixeldq: NDArray[np.uint32], gain: F32, readnoise: F32, p: JumpParams, tiles: Tiles
) -> int:
    """Flag showers, in place.

    A shower is an area where the deviations of a difference from the pixel's median, in sigma, are high on
    average over a ring of pixels. Ellipses with the moments of such areas, enlarged, are flagged in this group
    and those after it. Flags are taken back where they change a pixel's rate by more than
    `max_shower_amplitude`, which no shower does.

    Parameters
    ----------
    ramp : Ramp
        Group values; its flags are not looked at.
    groupdq : uint8 (nints, ngroups, ny, nx)
        Flags with the jumps; changed.
    pixeldq : uint32 (ny, nx)
        Flags with those of bad gain.
    gain, readnoise : float32 (ny, nx)
        electron/DN; DN of a correlated double sample.
    p : JumpParams
    tiles : Tiles

    Returns
    -------
    int
        Number of showers; 0, too, with fewer than ten differences of groups in which any pixel is usable.
    """
    from jwcal_interactive.kernels import jump_showers as kernels

    nints, ngroups, ny, nx = groupdq.shape
    if nints * (ngroups - 1) - int(lost_groups(groupdq).sum()) < _FEWEST_DIFFERENCES:
        return 0
    earlier = groupdq.copy()
    reference = pixeldq == np.uint32(DQ.REFERENCE_PIXEL)
    showers = _find(ramp, groupdq, pixeldq | np.uint32(DQ.DO_NOT_USE) * reference, gain, readnoise, p, tiles)
    later = int(p.time_masked_after_shower // ramp.exposure.group_time)
    for i, k, ellipse in showers:
        tiles.check()
        window, inside = enlarged(ellipse, p.extend_ellipse_expand_ratio, 2 * p.max_extended_radius, (ny, nx))
        for group in groupdq[i, k : k + later + 1]:
            part = group[window]
            inside = inside & (part & _SATURATED == 0) & ~reference[window]
            part[inside] |= _JUMP_DET
    if showers:
        limit = p.max_shower_amplitude * ramp.exposure.group_time
        tiles.over_rows(ny, lambda y0, y1: kernels.keep_rates(ramp.data, earlier, gain, limit, groupdq, y0, y1))
    return len(showers)


def _find(
    ramp: Ramp, groupdq: U8, pixeldq: NDArray[np.uint32], gain: F32, readnoise: F32, p: JumpParams, tiles: Tiles
) -> list[tuple[int, int, Ellipse]]:
    """Integration, group and ellipse of all showers."""
    from jwcal_interactive.kernels import jump as jump_kernels
    from jwcal_interactive.kernels import jump_showers as kernels

    nints, ngroups, ny, nx = groupdq.shape
    planes = ngroups - 1 if nints >= p.minimum_sigclip_groups else 1
    centre, sigma = np.empty((planes, ny, nx), np.float32), np.empty((planes, ny, nx), np.float32)
    nframes = float(ramp.exposure.nframes)
    tiles.over_rows(
        ny,
        lambda y0, y1: jump_kernels.typical_differences(
            ramp.data, groupdq, gain, readnoise, nframes, _CLIPPING_SIGMA, centre, sigma, y0, y1
        ),
    )
    intervals = ring(p.extend_inner_radius, p.extend_outer_radius)
    reach = int(intervals[:, :3].max(initial=0))
    high = np.empty((ny, nx), np.uint8)
    showers = []
    for i in range(nints):
        for k in range(1, ngroups):

            def smooth(y0: int, y1: int, i: int = i, k: int = k) -> None:
                kernels.smooth_deviations(
                    ramp.data, groupdq, pixeldq, gain, centre, sigma, i, k, intervals, reach,
                    p.extend_snr_threshold, high, y0, y1,
                )  # fmt: skip

            tiles.over_rows(ny, smooth)
            areas = find_regions(high, 1, p.extend_min_area)
            showers += [(i, k, areas.ellipse(j)) for j in range(len(areas))]
    return showers


def ring(inner: float, width: float) -> NDArray[np.int64]:
    """Pixels of a ring as runs: row offset, first and last column offset, 1 to add or -1 to take away.

    Pixels belong to it whose centres are at distances of `inner` to `inner` + `width`, both included.
    """
    outer = inner + width
    runs = []
    for dy in range(-math.floor(outer), math.floor(outer) + 1):
        columns = range(-math.floor(outer), math.floor(outer) + 1)
        far = [dx for dx in columns if dy * dy + dx * dx <= outer**2]
        near = [dx for dx in columns if dy * dy + dx * dx < inner**2]
        if far:
            runs.append((dy, far[0], far[-1], 1))
        if near:
            runs.append((dy, near[0], near[-1], -1))
    return np.array(runs, np.int64).reshape(-1, 4)
