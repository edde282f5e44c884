"""Lines that ramp_fit fits to the ramp of one pixel, for display."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, References
from jwcal_interactive.cutouts import cut_ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.definition import Look
from jwcal_interactive.steps.ramp_fit import (
    RampFitParams,
    find_groups,
    groups_to_use,
    ols_setup,
    uses_likelihood,
)
from jwcal_interactive.steps.ramp_fit_likely import fit_ramps_likely, readouts_of
from jwcal_interactive.steps.ramp_fit_ols import OlsSetup, fit_segments
from jwcal_interactive.steps.readout import frame_time
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["Segment", "group_times", "ramp_segments"]


@dataclass(frozen=True)
class Segment:
    """A straight line fitted to a stretch of a ramp between jumps.

    The line runs through the groups at their times (`group_times`), so that its value at time t is
    ``intercept + slope * t``. Of OLS_C, with three groups or more it is the weighted fit; with two it
    passes through both, with one through that group. LIKELY has one slope for all stretches of a ramp, and
    no intercept: the line is drawn through the mean of the groups.

    Attributes
    ----------
    first, last : int
        First and last group, counted from 0, both included. The first may be one with a jump: the
        jump lies before it.
    slope : float
        DN/s.
    intercept : float
        Value of the line at the start of the integration (time 0, the reset), DN.
    """

    first: int
    last: int
    slope: float
    intercept: float


def group_times(exposure: Exposure) -> NDArray[np.float64]:
    """Mean time of each group's frames since the start of the integration, s, (ngroups,)."""
    first = (exposure.nframes + 1) / 2 * frame_time(exposure)
    return np.float64(first) + exposure.group_time * np.arange(exposure.ngroups, dtype=np.float64)


def ramp_segments(
    ramp: Ramp,
    refs: References,
    p: RampFitParams,
    integration: int,
    y: int,
    x: int,
    groups: tuple[int, int] | None = None,
) -> tuple[Segment, ...]:
    """Lines that `ramp_fit` fits to one pixel in one integration.

    They come from the fit's own code: same segments, weights, group range and suppression.

    Parameters
    ----------
    ramp : Ramp
        What ramp_fit starts from.
    refs, p
        References and parameters as for `ramp_fit`.
    integration, y, x : int
        Counted from 0, in the arrays of `ramp`.
    groups : (int, int), optional
        Those of `find_groups`, if they are known: finding them may take a look at the whole frame.

    Returns
    -------
    tuple of Segment
        In the order of time; empty where ramp_fit gives no slope. Where OLS_C takes the zero
        frame, the line starts with it instead of group 0.
    """
    ngroups, ny, nx = ramp.data.shape[1:]
    here = (slice(y, y + 1), slice(x, x + 1))
    readnoise = np.ascontiguousarray(needed(refs, "readnoise", (ny, nx)).data[here])
    gain = np.ascontiguousarray(needed(refs, "gain", (ny, nx)).data[here])
    tiles = Tiles(threads=1)
    if groups is None:
        try:
            groups = find_groups(Look.at(ramp), refs, p, tiles)
        except Skip:
            return ()
    pixel = _one_integration(cut_ramp(ramp, *here), integration)
    if uses_likelihood(p, ngroups):
        return _of_likelihood(pixel, gain, readnoise, p)
    if not gain > 0 or int(ramp.pixeldq[y, x]) & (DQ.DO_NOT_USE | DQ.SATURATED):
        return ()
    setup = ols_setup(ramp.exposure, p, ngroups, groups)
    fit = fit_segments(pixel, gain, readnoise, setup, tiles)
    group_time, first_time, _, _ = setup.times(ramp.exposure)
    lines = []
    for values in fit.segments[:, 0, : fit.counts[0, 0], 0, 0].T.astype(float):
        first, last, slope = int(values[0]), int(values[1]), values[2]
        if last > first:  # the fit counts time in groups from the first that ramps are made of
            time, value = first_time + groups[0] * group_time, values[6]
        elif _takes_zero_frame(pixel, setup):
            time, value = 0.0, 0.0
        else:
            time, value = first_time + first * group_time, float(pixel.data[0, first, 0, 0])
        lines.append(Segment(first, last, slope, value - slope * time))
    return tuple(lines)


def _takes_zero_frame(pixel: Ramp, setup: OlsSetup) -> bool:
    """Whether no group is good, and the zero frame stands in."""
    if setup.suppress or pixel.zeroframe is None or pixel.zeroframe[0, 0, 0] == 0:
        return False
    first, last = max(setup.first, setup.start), min(setup.last + 1, setup.stop)
    return bool(pixel.groupdq[0, first:last].all())


def _one_integration(ramp: Ramp, i: int) -> Ramp:
    part = slice(i, i + 1)
    zeroframe = None if ramp.zeroframe is None else ramp.zeroframe[part]
    return replace(ramp, data=ramp.data[part], groupdq=ramp.groupdq[part], zeroframe=zeroframe)


def _of_likelihood(
    pixel: Ramp, gain: NDArray[np.float32], readnoise: NDArray[np.float32], p: RampFitParams
) -> tuple[Segment, ...]:
    """One line for each run of differences that were used."""
    exposure, ngroups = pixel.exposure, pixel.data.shape[1]
    readouts = readouts_of(exposure, ngroups, frame_time(exposure), zero_frame=pixel.zeroframe is not None)
    used = groups_to_use(p, ngroups)
    fit = fit_ramps_likely(pixel, gain, readnoise, used, readouts, Tiles(threads=1), good=True)
    slope = float(fit.rate[0][0, 0])
    if not np.isfinite(slope):
        return ()
    good = fit.good[0, :, 0, 0].astype(bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(int)))
    values, times = pixel.data[0, :, 0, 0].astype(float), group_times(exposure)
    lines = []
    for begin, end in [*pairwise(edges)][::2]:
        # With a zero frame, groups 0 and 1 of the fit are both parts of the first group.
        first, last = (max(int(k) - readouts.zero_frame, 0) for k in (begin, end))
        stretch = slice(first, last + 1)
        intercept = float(np.mean(values[stretch] - slope * times[stretch]))
        lines.append(Segment(first, last, slope, intercept))
    return tuple(lines)
