"""ramp_fit with the algorithm OLS_C: weighted least squares for each segment between jumps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U32, Exposure, Ramp, as_whole_number
from jwcal_interactive.tiles import Tiles

__all__ = ["SEGMENT_VALUES", "OlsFit", "OlsSetup", "fit_ramps_ols", "fit_segments"]

SEGMENT_VALUES = (
    "first", "last", "slope", "sigslope", "var_poisson", "var_rnoise", "yint", "sigyint", "weights",
)  # fmt: skip
"""What is told of each segment: its first and last group, then the columns of the optional product."""


@dataclass(frozen=True)
class OlsSetup:
    """What the fit needs to know besides the arrays.

    Attributes
    ----------
    first, last : int
        Groups outside are not used.
    start, stop : int
        Half-open range of the groups that ramps are made of.
    suppress : bool
        Ramps with a single good group give no slope.
    frame_time : float
        Time of one frame, s.
    """

    first: int
    last: int
    start: int
    stop: int
    suppress: bool
    frame_time: float

    def times(self, exposure: Exposure) -> tuple[float, float, float, float]:
        """Give the times that the kernel needs (`kernels.ramp_fit.fit_ramps`).

        In single precision where the official fit has them so.
        """
        nframes = exposure.nframes
        group_time = float(np.float32(exposure.group_time))
        frame_time = float(np.float32(self.frame_time))
        dropped = as_whole_number(exposure.keyword("DRPFRMS1")) or 0
        pedestal = ((nframes + 1) / 2.0 + dropped) / (nframes + exposure.groupgap)
        return group_time, (nframes + 1.0) * frame_time / 2.0, frame_time, pedestal


@dataclass(frozen=True)
class OlsFit:
    """Arrays that a fit fills.

    Attributes
    ----------
    rate, dq : four of float32 (ny, nx), uint32
        Slope and error, DN/s, Poisson and read-noise variance, DN^2/s^2; flags.
    rateints, dqints : four of float32 (nints, ny, nx), uint32
        The same of integrations. Of a single one, all but the errors are views of those of the exposure.
    segments : float32 (9, nints, nsegments, ny, nx)
        `SEGMENT_VALUES`; empty if not wanted.
    pedestal : float32 (nints, ny, nx)
        Value of the first group less the slope (DN/s) times the time of its middle in units of that between
        groups: as officially, though only right where that is 1 s. Empty if not wanted.
    jumps : float32 (nints, njumps, ny, nx)
        Heights of jumps, DN; empty if not wanted.
    counts : int64 (ny, 2)
        Largest numbers of segments and jumps of a ramp in each row; empty if not wanted.
    """

    rate: tuple[F32, F32, F32, F32]
    dq: U32
    rateints: tuple[F32, F32, F32, F32]
    dqints: U32
    segments: F32 = field(default_factory=lambda: np.zeros((0, 0, 0, 0, 0), np.float32))
    pedestal: F32 = field(default_factory=lambda: np.zeros((0, 0, 0), np.float32))
    jumps: F32 = field(default_factory=lambda: np.zeros((0, 0, 0, 0), np.float32))
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))


def fit_ramps_ols(ramp: Ramp, gain: F32, readnoise: F32, setup: OlsSetup, tiles: Tiles) -> OlsFit:
    """Fit all ramps.

    Parameters
    ----------
    ramp : Ramp
    gain, readnoise : float32 (ny, nx)
        electron/DN, and correlated-double-sampling read noise, DN.
    setup : OlsSetup
    tiles : Tiles
    """
    fit = OlsFit(*_outputs(ramp))
    _run(ramp, gain, readnoise, setup, tiles, fit)
    return fit


def fit_segments(ramp: Ramp, gain: F32, readnoise: F32, setup: OlsSetup, tiles: Tiles) -> OlsFit:
    """Fit all ramps, and keep segments, pedestals and jumps; the arguments are those of `fit_ramps_ols`.

    As many segments and jumps are kept as the ramp with most of them has: they are counted in a fit of
    their own.
    """
    nints, _, ny, nx = ramp.data.shape
    outputs = _outputs(ramp)
    counting = OlsFit(*outputs, counts=np.zeros((ny, 2), np.int64))
    _run(ramp, gain, readnoise, setup, tiles, counting)
    nsegments, njumps = (int(n) for n in counting.counts.max(axis=0))
    fit = OlsFit(
        *outputs,
        segments=np.zeros((9, nints, nsegments, ny, nx), np.float32),
        pedestal=np.zeros((nints, ny, nx), np.float32),
        jumps=np.zeros((nints, njumps, ny, nx), np.float32),
        counts=counting.counts,
    )
    _run(ramp, gain, readnoise, setup, tiles, fit)
    return fit


def _run(ramp: Ramp, gain: F32, readnoise: F32, setup: OlsSetup, tiles: Tiles, fit: OlsFit) -> None:
    from jwcal_interactive.kernels.ramp_fit import fit_ramps
    from jwcal_interactive.kernels.ramp_fit_weights import segment_weights

    zeroframe, dark = ramp.zeroframe, ramp.average_dark_current
    if zeroframe is None or setup.suppress:
        zeroframe = np.zeros((0, 0, 0), np.float32)
    if dark is None:
        dark = np.zeros((0, 0), np.float32)
    weights = segment_weights(setup.stop - setup.start)
    times = setup.times(ramp.exposure)
    root = math.sqrt(2.0 * ramp.exposure.nframes)
    optional = (fit.segments, fit.pedestal, fit.jumps, fit.counts)

    def work(y0: int, y1: int) -> None:
        fit_ramps(
            ramp.data,
            ramp.groupdq,
            ramp.pixeldq,
            zeroframe,
            dark,
            gain,
            readnoise,
            weights,
            setup.first,
            setup.last,
            setup.start,
            setup.stop,
            setup.suppress,
            root,
            times,
            fit.rate,
            fit.dq,
            fit.rateints,
            fit.dqints,
            optional,
            y0,
            y1,
        )

    tiles.over_rows(ramp.data.shape[2], work)


def _outputs(
    ramp: Ramp,
) -> tuple[tuple[F32, F32, F32, F32], U32, tuple[F32, F32, F32, F32], U32]:
    nints, _, ny, nx = ramp.data.shape
    data, err, var_poisson, var_rnoise = (np.empty((ny, nx), np.float32) for _ in range(4))
    dq = np.empty((ny, nx), np.uint32)
    rate = (data, err, var_poisson, var_rnoise)
    if nints == 1:
        # The numbers of the only integration are those of the exposure, but for the errors.
        return rate, dq, (data[None], np.empty_like(err)[None], var_poisson[None], var_rnoise[None]), dq[None]
    a, b, c, d = (np.empty((nints, ny, nx), np.float32) for _ in range(4))
    return rate, dq, (a, b, c, d), np.empty((nints, ny, nx), np.uint32)
