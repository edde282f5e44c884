"""ramp_fit: from ramps to count rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import (
    F32,
    U32,
    Exposure,
    Keyword,
    Ramp,
    Rates,
    References,
    Slopes,
)
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError
from jwcal_interactive.params import NotYet, StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

# data, err, var_poisson, var_rnoise, dq
_Arrays: TypeAlias = tuple[F32, F32, F32, F32, U32]

__all__ = ["RampFitParams", "Segment", "group_times", "ramp_fit", "ramp_segments"]


class RampFitParams(StepParams):
    """Parameters of ramp_fit."""

    algorithm: Literal["OLS_C"] = param(
        "OLS_C",
        help="Least squares with weights for the signal-to-noise ratio of each segment; the "
        "official alternative LIKELY comes in a later version.",
    )
    suppress_one_group: bool = param(
        True,
        help="Give no slope for ramps with a single good group; ignored if NGROUPS = 1.",
    )
    firstgroup: int | None = param(None, ge=0, help="Leave out the groups before this one, counted from 0.")
    lastgroup: int | None = param(None, ge=0, help="Leave out the groups after this one, counted from 0.")

    unavailable: ClassVar[Mapping[str, NotYet]] = {
        "save_opt": NotYet(False, "the optional product fitopt is not written; ramp_segments gives its lines"),
    }
    without_effect: ClassVar[Mapping[str, str]] = {
        "opt_name": "names the file of the optional product, which is not written",
        "int_name": "products are named by the pipeline",
        "maximum_cores": "threads are set for the whole run",
    }


@dataclass(frozen=True)
class Segment:
    """A straight line fitted to a stretch of a ramp between jumps.

    The line runs through the groups at their times (`group_times`), so that its value at time t is
    ``intercept + slope * t``. With three groups or more it is the weighted fit; with two it passes
    through both, with one through that group.

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
    first = (exposure.nframes + 1) / 2 * _frame_time(exposure)
    return np.float64(first) + exposure.group_time * np.arange(exposure.ngroups, dtype=np.float64)


@step("ramp_fit", keyword="S_RAMP", references=("readnoise", "gain"), params=RampFitParams, reach=0)
def ramp_fit(ramp: Ramp, refs: References, p: RampFitParams, tiles: Tiles) -> Rates:
    """Fit count rates to ramps, for each integration and for the exposure.

    Each run of good groups between jumps is fitted by least squares with weights
    ``|(i - m) / m|^P / R^2`` about its middle m, where P = 0, 0.4, 1, 3, 6, 10 for a
    signal-to-noise ratio below 5, 10, 20, 50, 100, and above (Fixsen et al. 2000, PASP 112, 1350;
    Robberto, JWST-STScI-001490). Slopes of segments and integrations are averaged with
    1 / variance of read noise. Variances: Poisson ``(r + d) / (t g (L - 1))`` with the median rate
    r, read noise ``12 (R / t)^2 / ((L^3 - L) g^2)`` with ``R = N g / sqrt(2 NFRAMES)``, where L is
    the number of groups, t the group time, s, g the gain, electron/DN, N the CDS read noise, DN, d
    the average dark current.

    Pixels and integrations without a usable group are NaN with zero errors and DO_NOT_USE.
    Not like the official step: an exposure whose first groups are all saturated gives such a
    product instead of none, and a group range that leaves no ramp is an error instead of being
    ignored.

    Raises
    ------
    ParameterError
        If firstgroup and lastgroup leave fewer than two groups.
    """
    from jwcal_interactive.kernels.ramp_fit import fit_ramps

    refuse_unsupported(ramp, "ramp_fit")
    nints, _, ny, nx = ramp.data.shape
    readnoise = needed(refs, "readnoise", (ny, nx))
    gain = needed(refs, "gain", (ny, nx))
    setup = _setup(ramp, p)
    dark = ramp.average_dark_current
    if dark is None:
        dark = np.zeros((0, 0), np.float32)
    rate = _empty((ny, nx))
    rateints = _only_integration(rate) if nints == 1 else _empty((nints, ny, nx))

    def fit(y0: int, y1: int) -> None:
        fit_ramps(
            ramp.data,
            ramp.groupdq,
            ramp.pixeldq,
            setup.zeroframe,
            dark,
            gain.data,
            readnoise.data,
            setup.weights,
            setup.first,
            setup.last,
            setup.suppress,
            setup.root,
            *setup.times,
            rate[:4],
            rate[4],
            rateints[:4],
            rateints[4],
            y0,
            y1,
        )

    tiles.over_rows(ny, fit)
    exposure, keywords = ramp.exposure, dict(ramp.keywords)
    factor = gain.keywords.get("GAINFACT")
    if isinstance(factor, int | float):
        exposure = replace(exposure, gain_factor=float(factor))
        keywords["GAINFACT"] = Keyword(float(factor), "Gain scale factor")
    return Rates(
        exposure=exposure,
        rate=_slopes(rate),
        rateints=_slopes(rateints),
        keywords=keywords,
    )


def ramp_segments(
    ramp: Ramp, refs: References, p: RampFitParams, integration: int, y: int, x: int
) -> tuple[Segment, ...]:
    """Lines that `ramp_fit` fits to one pixel in one integration, for display.

    They come from the fit's own code: same segments, weights, group range and suppression.

    Parameters
    ----------
    ramp : Ramp
        What ramp_fit starts from.
    refs, p
        References and parameters as for `ramp_fit`.
    integration, y, x : int
        Counted from 0, in the arrays of `ramp`.

    Returns
    -------
    tuple of Segment
        In the order of time; empty where ramp_fit gives no slope. Where ramp_fit takes the zero
        frame, the line starts with it instead of group 0.
    """
    from jwcal_interactive.kernels.ramp_fit import fit_line_segments

    ngroups, ny, nx = ramp.data.shape[1:]
    readnoise = needed(refs, "readnoise", (ny, nx)).data[y, x]
    gain = needed(refs, "gain", (ny, nx)).data[y, x]
    unusable = DQ.DO_NOT_USE | DQ.SATURATED
    if not gain > 0 or int(ramp.pixeldq[y, x]) & unusable:
        return ()
    setup = _setup(ramp, p)
    lines = np.empty((ngroups, 4))
    count = fit_line_segments(
        ramp.data,
        ramp.groupdq,
        setup.zeroframe,
        setup.weights,
        integration,
        y,
        x,
        setup.first,
        setup.last,
        setup.suppress,
        gain,
        readnoise,
        setup.root,
        *setup.times,
        lines,
    )
    return tuple(
        Segment(int(first), int(last), float(slope), float(intercept))
        for first, last, slope, intercept in lines[:count]
    )


@dataclass(frozen=True)
class _Setup:
    """What the kernels need to know of the exposure and the parameters."""

    first: int
    last: int
    suppress: bool
    root: float
    times: tuple[float, float, float]
    zeroframe: NDArray[np.float32]
    weights: NDArray[np.float64]


def _setup(ramp: Ramp, p: RampFitParams) -> _Setup:
    from jwcal_interactive.kernels.ramp_fit import segment_weights

    exposure, ngroups = ramp.exposure, ramp.data.shape[1]
    first, last = p.firstgroup or 0, ngroups - 1
    if p.lastgroup is not None:
        last = min(p.lastgroup, last)
    if first >= last and (first, last) != (0, ngroups - 1):
        raise ParameterError(
            f"ramp_fit.firstgroup = {p.firstgroup} and ramp_fit.lastgroup = {p.lastgroup} leave "
            f"fewer than two of the {ngroups} groups (0 to {ngroups - 1}); a slope needs two."
        )
    suppress = p.suppress_one_group and ngroups > 1
    # Single precision, as these times have in the official fit.
    group_time = float(np.float32(exposure.group_time))
    frame_time = float(np.float32(_frame_time(exposure)))
    first_group_time = (exposure.nframes + 1.0) * frame_time / 2.0
    zeroframe = ramp.zeroframe
    if zeroframe is None or suppress:
        zeroframe = np.zeros((0, 0, 0), np.float32)
    return _Setup(
        first=first,
        last=last,
        suppress=suppress,
        root=math.sqrt(2.0 * exposure.nframes),
        times=(group_time, first_group_time, frame_time),
        zeroframe=zeroframe,
        weights=segment_weights(ngroups),
    )


def _frame_time(exposure: Exposure) -> float:
    """TFRAME, or what it must be where a file does not have it."""
    if exposure.frame_time is not None:
        return exposure.frame_time
    return exposure.group_time / (exposure.nframes + exposure.groupgap)


def _empty(shape: tuple[int, ...]) -> _Arrays:
    floats = [np.empty(shape, np.float32) for _ in range(4)]
    return floats[0], floats[1], floats[2], floats[3], np.empty(shape, np.uint32)


def _only_integration(rate: _Arrays) -> _Arrays:
    """Arrays of a single integration: its numbers are those of the exposure, but for the errors."""
    data, err, var_poisson, var_rnoise, dq = rate
    own_err = np.empty_like(err)
    return data[None], own_err[None], var_poisson[None], var_rnoise[None], dq[None]


def _slopes(arrays: _Arrays) -> Slopes:
    data, err, var_poisson, var_rnoise, dq = arrays
    return Slopes(data=data, err=err, dq=dq, var_poisson=var_poisson, var_rnoise=var_rnoise)
