"""Limits that jump puts on the two-point differences of one pixel, for display."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_interactive.steps.jump_survey import Survey, survey
from jwcal_interactive.steps.references import needed

__all__ = ["JumpLimits", "jump_limits"]

F64 = NDArray[np.float64]
B1 = NDArray[np.bool_]

_CLIPPING_PASSES = 5  # as many as `kernels.jump.clip_across_integrations` makes


@dataclass(frozen=True, eq=False)
class JumpLimits:
    """What each difference of adjacent groups was compared with when it was decided.

    All arrays have the shape (nints, ngroups - 1). Values are in electron.

    Attributes
    ----------
    difference : float64
        NaN beside groups that are DO_NOT_USE or SATURATED.
    centre, sigma : float64
        Median difference and the noise expected of one: ``sqrt(|centre| + R^2 / NFRAMES)`` with the CDS read
        noise R; or median and standard deviation across integrations, where these are clipped. NaN where
        there were too few differences to compare.
    threshold : float64
        Sigmas.
    found : bool
        Differences that are jumps: before neighbours, later groups and large events are added.
    absolute : bool
        Differences count without their sign (ramps with few of them).
    """

    difference: F64
    centre: F64
    sigma: F64
    threshold: F64
    found: B1
    absolute: bool

    @property
    def lower(self) -> F64:
        """Smallest difference that is no jump.

        Without the sign, and where the band does not reach 0, differences between the negative limits are
        none, either; the band that is given is the positive one.
        """
        low: F64 = self.centre - self.threshold * self.sigma
        return np.where(low > 0, low, -self.upper) if self.absolute else low

    @property
    def upper(self) -> F64:
        """Largest difference that is no jump."""
        high: F64 = self.centre + self.threshold * self.sigma
        return high


def jump_limits(
    ramp: Ramp, refs: References, p: JumpParams, y: int, x: int, facts: Survey | None = None
) -> JumpLimits:
    """Find the jumps of one pixel as the step `jump` does, and keep what it compares with.

    Parameters
    ----------
    ramp : Ramp
        What jump starts from.
    refs, p
        References and parameters as for `jump`.
    y, x : int
        In the arrays of `ramp`.
    facts : Survey, optional
        Of this ramp and these parameters, if it is known.

    Raises
    ------
    Skip
        Where `jump` does.
    """
    from jwcal_interactive.kernels import jump as kernels

    ny, nx = ramp.data.shape[-2:]
    gain = needed(refs, "gain", (ny, nx)).data[y, x]
    readnoise = needed(refs, "readnoise", (ny, nx)).data[y, x]
    if facts is None:
        facts = survey(ramp.groupdq, lambda: None, ramp.exposure.group_time, p)
    values = np.asarray(ramp.data[:, :, y, x] * gain, np.float32)
    unusable = (ramp.groupdq[:, :, y, x] & np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)) != 0
    values = np.where(unusable, np.float32(np.nan), values)
    steps = np.diff(values, axis=1).astype(np.float64)
    if facts.mode == kernels.GIVEN:
        return _clipped(steps, p)
    noise = np.float32(readnoise * gain)
    variance = float(np.float32(noise * noise)) / ramp.exposure.nframes
    if facts.mode == kernels.ONE_PASS:
        return _at_once(steps, variance, p.rejection_threshold)
    thresholds = (
        p.rejection_threshold,
        p.four_group_rejection_threshold,
        p.three_group_rejection_threshold,
    )
    return _one_by_one(steps, variance, thresholds)


def _sigma(centre: float, variance: float) -> float:
    total = abs(centre) + variance
    return math.sqrt(total) if total > 0 else math.nan


def _at_once(steps: F64, variance: float, threshold: float) -> JumpLimits:
    usable = steps[~np.isnan(steps)]
    centre = float(np.median(usable)) if usable.size else math.nan
    sigma = _sigma(centre, variance)
    found = (np.abs(steps - centre) / sigma > threshold) & np.isfinite(steps)
    every = np.ones_like(steps)
    return JumpLimits(steps, centre * every, sigma * every, threshold * every, found, absolute=False)


def _one_by_one(steps: F64, variance: float, thresholds: tuple[float, float, float]) -> JumpLimits:
    """Take out the most deviant difference, and look again; those that stay have the last limits."""
    centres, sigmas, limits = (np.full(steps.shape, np.nan) for _ in range(3))
    found = np.zeros(steps.shape, np.bool_)
    sizes = np.abs(steps)
    first = True
    while True:
        left = sizes[~np.isnan(sizes)]
        usable = left.size
        if usable < 2:
            break
        counted = left[left != left.max()] if usable >= 4 else left
        if counted.size == 0:
            break
        # Of two differences, the smaller one stands for the median.
        centre = float(counted.min()) if usable == 2 else float(np.median(counted))
        threshold = thresholds[2] if usable == 2 else thresholds[1] if usable == 3 else thresholds[0]
        if not first:
            centre = float(np.float32(centre))
        first = False
        sigma = _sigma(centre, variance)
        if math.isnan(sigma):
            break
        open_ = ~np.isnan(sizes)
        centres[open_], sigmas[open_], limits[open_] = centre, sigma, threshold
        ratio = np.abs((sizes - centre).astype(np.float32)).astype(np.float64) / sigma
        worst = np.nanmax(ratio)
        if not worst > threshold:
            break
        taken = ratio == worst
        found |= taken
        sizes[taken] = np.nan
    return JumpLimits(steps, centres, sigmas, limits, found, absolute=True)


def _clipped(steps: F64, p: JumpParams) -> JumpLimits:
    """Clip across integrations: each difference by itself, or all of them together."""
    table = steps if p.only_use_ints else steps.reshape(-1, 1)
    centre, sigma = np.empty(table.shape[1]), np.empty(table.shape[1])
    for k in range(table.shape[1]):
        centre[k], sigma[k] = _clip(table[:, k], p.rejection_threshold)
    low, high = centre - p.rejection_threshold * sigma, centre + p.rejection_threshold * sigma
    found = (((table < low) | (table > high)) & np.isfinite(table)).reshape(steps.shape)
    every = np.ones_like(steps)
    return JumpLimits(
        steps, centre * every, sigma * every, p.rejection_threshold * every, found, absolute=False
    )


def _clip(values: F64, threshold: float) -> tuple[float, float]:
    """Median and standard deviation of the last clipping."""
    values = values[np.isfinite(values)]
    centre = sigma = math.nan
    for _ in range(_CLIPPING_PASSES):
        if values.size == 0:
            break
        centre, sigma = float(np.median(values)), float(np.std(values))
        kept = values[(centre - threshold * sigma <= values) & (values <= centre + threshold * sigma)]
        if kept.size == values.size:
            break
        values = kept
    return centre, sigma
