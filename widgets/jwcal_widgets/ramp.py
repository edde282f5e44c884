"""The ramp of one pixel, as numbers: times, values, the fate of each group, fitted lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, Rates
from jwcal_interactive.dq import DQ

__all__ = [
    "Fit",
    "PixelRamp",
    "group_times",
    "pixel_fit",
    "pixel_ramp",
    "segment_lines",
    "segments",
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
        return (self.dq & np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)) != 0

    @property
    def jumped(self) -> NDArray[np.bool_]:
        """Groups where a jump starts a new segment."""
        return ((self.dq & np.uint8(DQ.JUMP_DET)) != 0) & ~self.excluded

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


def group_times(exposure: Exposure, ngroups: int) -> F64:
    """Mean time of each group since the start of the integration.

    The frames of group n (from 0) end at n TGROUP + (1 … NFRAMES) TFRAME, of which this is the
    mean. Without TFRAME the end of the group is taken.

    Returns
    -------
    float64 (ngroups,)
        Seconds.
    """
    first = exposure.group_time
    if exposure.frame_time is not None:
        first = (exposure.nframes + 1) / 2 * exposure.frame_time
    return first + exposure.group_time * np.arange(ngroups, dtype=float)


def pixel_ramp(ramp: Ramp, integration: int, x: int, y: int) -> PixelRamp:
    """Take one pixel in one integration (numbered from 1)."""
    k = integration - 1
    return PixelRamp(
        group_times(ramp.exposure, ramp.data.shape[1]),
        ramp.data[k, :, y, x].astype(float),
        ramp.groupdq[k, :, y, x].copy(),
    )


def pixel_fit(rates: Rates, integration: int, x: int, y: int) -> Fit:
    """Take the fitted slope of one pixel; integration 0 is the whole exposure."""
    if integration == 0:
        slopes, at = rates.rate, (y, x)
    else:
        slopes, at = rates.rateints, (integration - 1, y, x)
    return Fit(float(slopes.data[at]), float(slopes.err[at]), int(slopes.dq[at]))


def segments(ramp: PixelRamp) -> list[slice]:
    """Split a ramp into runs of usable groups; a jump begins a new one."""
    runs: list[slice] = []
    start: int | None = None
    for n, (excluded, jumped) in enumerate(zip(ramp.excluded, ramp.jumped, strict=True)):
        if start is not None and (excluded or jumped):
            runs.append(slice(start, n))
            start = None
        if start is None and not excluded:
            start = n
    if start is not None:
        runs.append(slice(start, len(ramp.time)))
    return runs


def segment_lines(ramp: PixelRamp, slope: float) -> tuple[F64, F64]:
    """Lines of one slope through the mean point of each segment of two groups or more.

    Returns
    -------
    time, value : float64 (nlines, 2)
        End points; seconds and DN.
    """
    times, values = [], []
    for part in segments(ramp):
        t, v = ramp.time[part], ramp.value[part]
        if len(t) < 2 or not np.isfinite(slope):
            continue
        ends = t[[0, -1]]
        times.append(ends)
        values.append(v.mean() + slope * (ends - t.mean()))
    return np.array(times).reshape(-1, 2), np.array(values).reshape(-1, 2)
