"""The ramp of one pixel, as numbers: times, values, the fate of each group, fitted lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.jump_limits import JumpLimits
from jwcal_interactive.steps.ramp_segments import Segment, group_times
from jwcal_widgets.line_colors import MAIN

__all__ = [
    "Band",
    "Fit",
    "PixelRamp",
    "Trace",
    "guider_fit",
    "pixel_fit",
    "pixel_ramp",
    "residuals",
    "segment_lines",
    "slope_lines",
    "threshold_band",
]

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PixelRamp:
    """One pixel in one integration.

    Attributes
    ----------
    time : float64 (ngroups,)
        Mean time of the frames of each group since the start of the integration, s.
    value : float64 (ngroups,)
        DN.
    dq : uint8 (ngroups,)
    """

    time: F64
    value: F64
    dq: NDArray[np.uint8]

    @property
    def excluded(self) -> NDArray[np.bool_]:
        """Groups that a fit leaves out."""
        excluded: NDArray[np.bool_] = (self.dq & np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)) != 0
        return excluded

    def differences(self) -> PixelRamp:
        """Return the count rate between neighbouring groups.

        The values are in DN/s, at the mean of the two times; a flag of either group that excludes
        it, or a jump in the later one, goes with the difference.
        """
        spoiled = self.dq & np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)
        return PixelRamp(
            (self.time[1:] + self.time[:-1]) / 2,
            np.diff(self.value) / np.diff(self.time),
            self.dq[1:] | spoiled[:-1],
        )

    @property
    def start(self) -> float:
        """Value of the first group that is not excluded; 0 without one."""
        usable = self.value[~self.excluded & np.isfinite(self.value)]
        return float(usable[0]) if usable.size else 0.0


@dataclass(frozen=True, eq=False)
class Trace:
    """One ramp to draw.

    Attributes
    ----------
    ramp : PixelRamp
    segments : sequence of Segment
        Lines that were fitted to it.
    slope : float
        The slope that they average to, DN/s.
    noise : float
        Read noise of one group, DN; NaN if it is not known.
    label : str
        Written at its end; empty for the pixel that was picked.
    color, marker : str
        Of the groups without a flag; the marker is one of `bqplot.Scatter`.
    dashed : bool
        Of another branch, or a preview.
    picked : bool
        Of the pixel that was picked, as the step that was chosen left it.
    """

    ramp: PixelRamp
    segments: Sequence[Segment] = ()
    slope: float = math.nan
    noise: float = math.nan
    label: str = ""
    color: str = MAIN
    marker: str = "circle"
    dashed: bool = False
    picked: bool = True

    def scaled(self, factor: float, offset: float = 0.0) -> Trace:
        """Take an offset (DN) away and multiply: by the gain, to have it in electron."""
        ramp = replace(self.ramp, value=(self.ramp.value - offset) * factor)
        segments = tuple(
            replace(s, slope=s.slope * factor, intercept=(s.intercept - offset) * factor) for s in self.segments
        )
        return replace(self, ramp=ramp, segments=segments, slope=self.slope * factor, noise=self.noise * factor)


def residuals(trace: Trace) -> F64:
    """Subtract from each group the segment fitted to it, (ngroups,), in units of the trace; NaN without one."""
    time, value = trace.ramp.time, trace.ramp.value
    out = np.full(value.shape, np.nan)
    excluded = trace.ramp.excluded
    for s in trace.segments:
        part = slice(s.first, s.last + 1)
        out[part] = np.where(excluded[part], np.nan, value[part] - (s.intercept + s.slope * time[part]))
    return out


@dataclass(frozen=True, eq=False)
class Band:
    """The differences of one ramp, and the limits beyond which jump flags them; all (ngroups - 1,).

    Attributes
    ----------
    difference, centre, sigma, lower, upper : float64
        Per second, in the unit of the plot: see `JumpLimits`.
    threshold : float64
        Sigmas.
    found : bool
        Differences that are jumps.
    """

    difference: F64
    centre: F64
    sigma: F64
    lower: F64
    upper: F64
    threshold: F64
    found: NDArray[np.bool_]


def threshold_band(limits: JumpLimits, integration: int, unit: float) -> Band:
    """Take one integration (numbered from 1), with values divided by ``unit``: electron in that of the plot."""
    k = integration - 1
    return Band(
        limits.difference[k] / unit,
        limits.centre[k] / unit,
        limits.sigma[k] / unit,
        limits.lower[k] / unit,
        limits.upper[k] / unit,
        limits.threshold[k],
        limits.found[k],
    )


@dataclass(frozen=True)
class Fit:
    """Slope of one pixel with its error, DN/s, and its flags; NaN where there is none."""

    slope: float
    error: float
    dq: int


def pixel_ramp(ramp: Ramp, integration: int, x: int, y: int) -> PixelRamp:
    """Take one pixel in one integration (numbered from 1)."""
    k = integration - 1
    return PixelRamp(
        group_times(ramp.exposure),
        ramp.data[k, :, y, x].astype(float),
        ramp.groupdq[k, :, y, x].copy(),
    )


def pixel_fit(rates: Rates, integration: int, x: int, y: int) -> Fit:
    """Take the fitted slope of one pixel; integration 0 is the whole exposure."""
    slopes = rates.rate if integration == 0 else rates.rateints
    at = (y, x) if integration == 0 else (integration - 1, y, x)
    return Fit(float(slopes.data[at]), float(slopes.err[at]), int(slopes.dq[at]))


def guider_fit(slopes: GuiderSlopes, number: int, x: int, y: int) -> Fit:
    """Take the count rate of one pixel in a slice of a guider exposure (numbered from 1)."""
    at = (number - 1, y, x)
    return Fit(float(slopes.data[at]), float(slopes.err[at]), int(slopes.dq[y, x]))


def segment_lines(segments: Sequence[Segment], time: F64) -> tuple[F64, F64]:
    """End points of fitted segments.

    Parameters
    ----------
    segments : sequence of Segment
    time : float64 (ngroups,)
        Times of the groups, s.

    Returns
    -------
    time, value : float64 (nsegments, 2)
        Seconds and DN.
    """
    ends = np.array([[time[s.first], time[s.last]] for s in segments]).reshape(-1, 2)
    slope = np.array([s.slope for s in segments])[:, None]
    intercept = np.array([s.intercept for s in segments])[:, None]
    return ends, intercept + slope * ends


def slope_lines(segments: Sequence[Segment], time: F64, slope: float) -> tuple[F64, F64]:
    """Lines of one slope through the middle of each fitted segment, as `segment_lines`."""
    ends, values = segment_lines(segments, time)
    middle = values.mean(axis=1, keepdims=True)
    return ends, middle + slope * (ends - ends.mean(axis=1, keepdims=True))
