"""The ramp of one pixel, as numbers: times, values, the fate of each group, fitted lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.ramp_segments import Segment, group_times

__all__ = [
    "Fit",
    "PixelRamp",
    "guider_fit",
    "pixel_fit",
    "pixel_ramp",
    "segment_lines",
    "slope_lines",
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
