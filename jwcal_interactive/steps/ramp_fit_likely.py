"""ramp_fit with the algorithm LIKELY: ramps fitted by maximum likelihood, with a search for jumps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U8, Exposure, Ramp
from jwcal_interactive.tiles import Tiles

__all__ = ["MIN_GROUPS", "LikelyFit", "Readouts", "fit_ramps_likely", "readouts_of"]

MIN_GROUPS = 4
"""Fewest groups of a ramp that can be fitted and searched for jumps."""


@dataclass(frozen=True)
class Readouts:
    """What the fit needs to know of the times of the frames.

    Attributes
    ----------
    moments : float64 (5, ndiffs)
        Rows as `kernels.ramp_fit_likely` names them.
    averaged : float64 (ndiffs - 1,)
        1 where the group between two differences is an average of frames, else 0.
    zero_frame : bool
        The first frame is a group of its own, taken out of the average of the first group.
    """

    moments: NDArray[np.float64]
    averaged: NDArray[np.float64]
    zero_frame: bool


@dataclass(frozen=True)
class LikelyFit:
    """Arrays that a fit fills: slopes, errors, variances (Poisson, read noise) and flags, and more if asked.

    Attributes
    ----------
    rateints, dqints : four of float32 (nints, ny, nx), uint32
    rate, dq : four of float32 (ny, nx), uint32
        Of a single integration, views of the former.
    chisq : float32 (ny, nx), or (0, 0)
        Chi squared of the exposure.
    good : uint8 (nints, ndiffs, ny, nx), or (0, 0, 0, 0)
        1 where a difference between groups was used.
    """

    rateints: tuple[F32, F32, F32, F32]
    dqints: NDArray[np.uint32]
    rate: tuple[F32, F32, F32, F32]
    dq: NDArray[np.uint32]
    chisq: F32
    good: U8


def readouts_of(exposure: Exposure, ngroups: int, frame_time: float, *, zero_frame: bool) -> Readouts:
    """Find the moments of the read times (Brandt 2024, PASP 136, 045004, equations 4, 11, 28 and 29).

    Parameters
    ----------
    exposure : Exposure
        NFRAMES frames are averaged in each group, and GROUPGAP frames are dropped between groups.
    ngroups : int
    frame_time : float
        Time of one frame, s.
    zero_frame : bool
        There are zero frames. They are used if groups are averages, and so hold more than the zero frame.
    """
    from jwcal_interactive.kernels import ramp_fit_likely as rows

    nframes = exposure.nframes
    used = zero_frame and nframes > 1
    frames = np.arange(1, nframes + 1)
    reads = [(frames + k * (nframes + exposure.groupgap)) * frame_time for k in range(ngroups)]
    if used:
        reads[:1] = reads[0][:1], reads[0][1:]
    count = np.array([times.size for times in reads])
    mean = np.array([np.mean(times) for times in reads])
    # Mean time of the photons' noise: earlier frames contribute to it with all later ones.
    tau = np.array([np.sum((2 * t.size + 1 - 2 * np.arange(1, t.size + 1)) * t) / t.size**2 for t in reads])
    step = np.diff(mean)
    moments = np.zeros((5, step.size))
    moments[rows.TIME] = step
    moments[rows.ALPHA_PHOTONS] = (tau[:-1] + tau[1:] - 2 * mean[:-1]) / step**2
    moments[rows.ALPHA_NOISE] = (1 / count[:-1] + 1 / count[1:]) / step**2
    moments[rows.BETA_PHOTONS, :-1] = (mean[1:-1] - tau[1:-1]) / (step[1:] * step[:-1])
    moments[rows.BETA_NOISE, :-1] = -1 / (count[1:-1] * step[1:] * step[:-1])
    return Readouts(moments, (count[1:-1] > 1).astype(np.float64), used)


def fit_ramps_likely(
    ramp: Ramp,
    gain: F32,
    readnoise: F32,
    groups: tuple[int, int],
    readouts: Readouts,
    tiles: Tiles,
    *,
    chisq: bool = False,
    good: bool = False,
) -> LikelyFit:
    """Fit all ramps, and average the integrations.

    Parameters
    ----------
    ramp : Ramp
    gain, readnoise : float32 (ny, nx)
        electron/DN, and correlated-double-sampling read noise, DN.
    groups : (int, int)
        First and last group to be used.
    readouts : Readouts
    tiles : Tiles
    chisq, good : bool
        Whether these are wanted.
    """
    from jwcal_interactive.kernels.ramp_fit_likely import fit_likely

    nints, _, ny, nx = ramp.data.shape
    frame = (ny, nx)
    rateints, dqints = _four((nints, *frame)), np.empty((nints, *frame), np.uint32)
    fit = LikelyFit(
        rateints=rateints,
        dqints=dqints,
        rate=(rateints[0][0], rateints[1][0], rateints[2][0], rateints[3][0]) if nints == 1 else _four(frame),
        dq=dqints[0] if nints == 1 else np.empty(frame, np.uint32),
        chisq=np.empty(frame if chisq else (0, 0), np.float32),
        good=np.empty((nints, readouts.moments.shape[1], *frame) if good else (0, 0, 0, 0), np.uint8),
    )
    zeroframe = ramp.zeroframe
    if zeroframe is None or not readouts.zero_frame:
        zeroframe = np.zeros((0, 0, 0), np.float32)
    dark = ramp.average_dark_current
    if dark is None:
        dark = np.zeros((0, 0), np.float32)

    def work(y0: int, y1: int) -> None:
        fit_likely(
            ramp.data,
            ramp.groupdq,
            ramp.pixeldq,
            zeroframe,
            dark,
            gain,
            readnoise,
            readouts.moments,
            readouts.averaged,
            ramp.exposure.nframes,
            *groups,
            fit.rateints,
            fit.dqints,
            fit.chisq,
            fit.good,
            y0,
            y1,
        )
        if nints > 1:
            from jwcal_interactive.kernels.ramp_fit_average import average_integrations

            average_integrations(fit.rateints, fit.dqints, fit.rate, fit.dq, y0, y1)

    tiles.over_rows(ny, work)
    return fit


def _four(shape: tuple[int, ...]) -> tuple[F32, F32, F32, F32]:
    a, b, c, d = (np.empty(shape, np.float32) for _ in range(4))
    return a, b, c, d
