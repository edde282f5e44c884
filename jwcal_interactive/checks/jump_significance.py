"""How many sigma the two-point differences of many pixels deviate, as jump sees them when it decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_interactive.steps.jump_survey import Survey, survey
from jwcal_interactive.steps.references import needed

__all__ = ["Significance", "jump_significance"]

F64 = NDArray[np.float64]
B1 = NDArray[np.bool_]

_UNUSABLE = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)
_CLIPPING_PASSES = 5  # as many as `kernels.jump.clip_across_integrations` makes


@dataclass(frozen=True, eq=False)
class Significance:
    """Deviations of the differences that were compared with a limit.

    Attributes
    ----------
    sigmas : float64 (n,)
        ``|d - m| / sigma`` of each difference when it was last compared, see `steps.jump_limits`.
    found : bool (n,)
        Those that are jumps; neighbours, later groups and large events are not.
    other_threshold : int
        Differences of ramps with three or fewer of them, which have thresholds of their own.
    """

    sigmas: F64
    found: B1
    other_threshold: int


def jump_significance(
    ramp: Ramp, refs: References, p: JumpParams, rows: slice, facts: Survey | None = None
) -> Significance:
    """Compare the differences of some rows with their limits, as the step `jump` does.

    Parameters
    ----------
    ramp : Ramp
        What jump starts from.
    refs, p
        References and parameters as for `jump`.
    rows : slice
        Rows of the frame.
    facts : Survey, optional
        Of this ramp and these parameters, if it is known.

    Raises
    ------
    Skip
        Where `jump` does.
    """
    from jwcal_interactive.kernels import jump as kernels

    frame = ramp.pixeldq.shape
    gain = needed(refs, "gain", frame).data[rows]
    readnoise = needed(refs, "readnoise", frame).data[rows]
    if facts is None:
        facts = survey(ramp.groupdq, lambda: None, ramp.exposure.group_time, p)
    with np.errstate(invalid="ignore", over="ignore"):
        values = np.asarray(ramp.data[:, :, rows] * gain, np.float32)
    values[(ramp.groupdq[:, :, rows] & _UNUSABLE) != 0] = np.nan
    with np.errstate(invalid="ignore"):
        differences = np.moveaxis(np.diff(values, axis=1), (0, 1), (2, 3)).astype(np.float64)
    steps = differences[gain > 0]  # (pixels, nints, ngroups - 1)
    noise = (readnoise * gain).astype(np.float32)[gain > 0]
    variance = (noise * noise).astype(np.float64) / ramp.exposure.nframes
    if facts.mode == kernels.GIVEN:
        table = np.moveaxis(steps, 1, 2) if p.only_use_ints else steps
        return _clipped(table.reshape(-1, steps.shape[1] if p.only_use_ints else steps[0].size), p)
    table = steps.reshape(len(steps), -1)
    if facts.mode == kernels.ONE_PASS:
        return _at_once(table, variance, p.rejection_threshold)
    return _one_by_one(table, variance, p)


def _sorted(table: F64) -> tuple[F64, NDArray[np.intp]]:
    """Values of each line in order, and how many there are; NaN is behind them."""
    return np.sort(table, axis=1), np.count_nonzero(~np.isnan(table), axis=1)


def _median(ordered: F64, count: NDArray[np.intp]) -> F64:
    """Median of the first so many values of each line; NaN of none."""
    line = np.arange(len(ordered))
    low = ordered[line, np.maximum(count - 1, 0) // 2]
    high = ordered[line, np.minimum(count // 2, ordered.shape[1] - 1)]
    return np.where(count > 0, 0.5 * (low + high), np.nan)


def _sigma(centre: F64, variance: F64) -> F64:
    total = np.abs(centre) + variance
    return np.sqrt(np.where(total > 0, total, np.nan))


def _found(sigmas: F64, found: B1, others: int = 0) -> Significance:
    known = np.isfinite(sigmas)
    return Significance(sigmas[known], found[known], others)


def _at_once(table: F64, variance: F64, threshold: float) -> Significance:
    centre = _median(*_sorted(table))
    with np.errstate(invalid="ignore"):
        sigmas = np.abs(table - centre[:, None]) / _sigma(centre, variance)[:, None]
    return _found(sigmas, sigmas > threshold)


def _one_by_one(table: F64, variance: F64, p: JumpParams) -> Significance:
    """Take out the most deviant difference of each pixel, and look again where there was a jump."""
    sizes = np.abs(table)
    sigmas, found = np.full(table.shape, np.nan), np.zeros(table.shape, np.bool_)
    others = 0
    active = np.arange(len(table))
    first = True
    while active.size:
        left = sizes[active]
        ordered, count = _sorted(left)
        enough = count >= 2
        active, left, ordered, count = active[enough], left[enough], ordered[enough], count[enough]
        if not active.size:
            break
        largest = ordered[np.arange(active.size), count - 1]
        equal = np.count_nonzero(left == largest[:, None], axis=1)
        # The largest is left out of the median; of two differences, the smaller one stands for it.
        centre = _median(ordered, np.where(count >= 4, count - equal, count))
        centre = np.where(count == 2, ordered[:, 0], centre)
        if not first:
            centre = centre.astype(np.float32).astype(np.float64)
        threshold = np.full(active.size, p.rejection_threshold)
        threshold[count == 3] = p.four_group_rejection_threshold
        threshold[count == 2] = p.three_group_rejection_threshold
        sigma = _sigma(centre, variance[active])[:, None]
        with np.errstate(invalid="ignore", over="ignore"):
            ratio = np.abs((left - centre[:, None]).astype(np.float32)).astype(np.float64) / sigma
        compared = np.isfinite(ratio)
        if first:
            others = int(count[count <= 3].sum())
        first = False
        sigmas[active] = np.where(compared, ratio, sigmas[active])
        worst = np.where(compared, ratio, -1.0).max(axis=1)
        hit = worst > threshold
        taken = compared & (ratio == worst[:, None]) & hit[:, None]
        found[active] |= taken
        sizes[active] = np.where(taken, np.nan, left)
        active = active[hit]
    return _found(sigmas, found, others)


def _clipped(table: F64, p: JumpParams) -> Significance:
    """Clip across integrations; a line of the table are the differences that are clipped together."""
    kept = np.where(np.isfinite(table), table, np.nan)
    for _ in range(_CLIPPING_PASSES):
        ordered, count = _sorted(kept)
        centre = _median(ordered, count)
        sigma = _deviation(kept, count)
        reach = p.rejection_threshold * sigma
        inside = (kept >= (centre - reach)[:, None]) & (kept <= (centre + reach)[:, None])
        rest = np.where(inside, kept, np.nan)
        if (np.isnan(rest) == np.isnan(kept)).all():
            break
        kept = rest
    with np.errstate(divide="ignore", invalid="ignore"):
        sigmas = np.abs(table - centre[:, None]) / sigma[:, None]
    outside = (table < (centre - reach)[:, None]) | (table > (centre + reach)[:, None])
    return _found(sigmas, outside)


def _deviation(table: F64, count: NDArray[np.intp]) -> F64:
    """Find the standard deviation of each line; NaN of none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nansum(table, axis=1) / count
        return np.asarray(np.sqrt(np.nansum((table - mean[:, None]) ** 2, axis=1) / count))
