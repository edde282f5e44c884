"""Whether straight lines fit the ramps: chi-square, pulls and segments of many pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, Rates, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.region import Box, good_pixels
from jwcal_interactive.steps.readout import frame_time
from jwcal_interactive.steps.references import needed

__all__ = ["DifferenceNoise", "FitQuality", "difference_noise_of", "fit_quality"]

F64 = NDArray[np.float64]
B1 = NDArray[np.bool_]

_UNUSABLE = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)
_MOST_INTEGRATIONS = 4


@dataclass(frozen=True)
class DifferenceNoise:
    """Noise of the differences of adjacent groups, for a slope s in DN/s, gain g and CDS read noise R.

    The variance is ``poisson s / g + read R^2``, DN^2; the covariance of two differences that share a group
    ``shared_poisson s / g + shared_read R^2`` (for groups of averaged frames: Brandt 2024, PASP 136, 045004).
    """

    poisson: float  # s
    read: float
    shared_poisson: float  # s
    shared_read: float


def difference_noise_of(exposure: Exposure) -> DifferenceNoise:
    """Find how the noise of differences follows from the read-out: frames averaged, and their times."""
    n = exposure.nframes
    # By so much the variance of the mean of frames falls short of that of one frame at their mean time.
    spacing = min(frame_time(exposure), exposure.group_time / n)  # whatever a file says, they do not overlap
    averaging = spacing * (n * n - 1) / (6 * n)
    return DifferenceNoise(exposure.group_time - 2 * averaging, 1 / n, averaging, -0.5 / n)


@dataclass(frozen=True, eq=False)
class FitQuality:
    """What is left of ramps when the slope of their integration is taken away.

    Attributes
    ----------
    chi_square : float64 (n,)
        Reduced chi-square of each ramp (pixel and integration) with two differences or more.
    freedom : int64 (n,)
        Degrees of freedom of each: differences less one.
    pulls : float64 (m,)
        Differences less the slope, in sigma, made independent of the ones before them; without jumps and a
        wrong noise model they are normal, if a little narrower than 1, since the slope was fitted.
    segments : int64 (k,)
        Stretches without a jump or a gap of each ramp that has a slope.
    """

    chi_square: F64
    freedom: NDArray[np.int64]
    pulls: F64
    segments: NDArray[np.int64]


def fit_quality(ramp: Ramp, rates: Rates, refs: References, rows: slice) -> FitQuality:
    """Compare the ramps of some rows with the slopes of their integrations.

    It does not depend on the algorithm of the fit. Poisson noise follows from the slope.

    Parameters
    ----------
    ramp, rates : Ramp, Rates
        What ramp_fit started from, and what it gave.
    refs : References
        ``gain``, electron/DN, and ``readnoise``, DN of CDS.
    rows : slice
        Rows of the frame.

    Raises
    ------
    Skip
        Without a gain or readnoise reference.
    """
    ny, nx = ramp.pixeldq.shape
    gain = needed(refs, "gain", (ny, nx)).data[rows].astype(np.float64)
    readnoise = needed(refs, "readnoise", (ny, nx)).data[rows].astype(np.float64)
    good = good_pixels(ramp.pixeldq, Box(0, 0, nx, ny), None)[rows] & (gain > 0) & (readnoise > 0)
    noise = difference_noise_of(ramp.exposure)
    parts = []
    for i in range(min(len(ramp.data), _MOST_INTEGRATIONS)):
        slope = rates.rateints.data[i, rows].astype(np.float64)
        fitted = good & np.isfinite(slope)
        flags = ramp.groupdq[i, :, rows][:, fitted]
        data = ramp.data[i, :, rows][:, fitted].astype(np.float64)
        parts.append(_of_ramps(data, flags, slope[fitted], gain[fitted], readnoise[fitted], ramp, noise))
    return FitQuality(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _of_ramps(
    data: F64,
    flags: NDArray[np.uint8],
    slope: F64,
    gain: F64,
    readnoise: F64,
    ramp: Ramp,
    noise: DifferenceNoise,
) -> tuple[F64, NDArray[np.int64], F64, NDArray[np.int64]]:
    """Whiten the differences of ramps (ngroups, n) by the Cholesky factor of their covariance."""
    usable = ((flags & _UNUSABLE) == 0) & np.isfinite(data)
    jump = (flags & np.uint8(DQ.JUMP_DET)) != 0
    used = usable[1:] & usable[:-1] & ~jump[1:]
    photons, read = np.maximum(slope, 0.0) / gain, readnoise**2
    variance = noise.poisson * photons + noise.read * read
    shared = noise.shared_poisson * photons + noise.shared_read * read
    count = used.sum(axis=0)
    chi_square = np.zeros(slope.size)
    pulls = []
    pivot, residual = np.ones(slope.size), np.zeros(slope.size)
    before = np.zeros(slope.size, np.bool_)
    for k, here in enumerate(used):
        factor = np.where(before & here, shared / pivot, 0.0)
        residual = (
            np.where(here, data[k + 1] - data[k] - slope * ramp.exposure.group_time, 0.0) - factor * residual
        )
        pivot = variance - factor * shared
        pull = residual / np.sqrt(pivot)
        chi_square += np.where(here, pull**2, 0.0)
        pulls.append(pull[here & (count > 1)])
        before = here
    # A single usable group is a segment, too.
    starts = usable.copy()
    starts[1:] &= ~used
    several = count > 1
    freedom = (count[several] - 1).astype(np.int64)
    every = np.concatenate(pulls) if pulls else np.zeros(0)
    return chi_square[several] / freedom, freedom, every, starts.sum(axis=0).astype(np.int64)
