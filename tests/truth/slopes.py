"""Bias and scatter of slopes against what was put in, by algorithm, flux, jumps and number of integrations.

python -m tests.truth.slopes

Ramps of 128 x 128 pixels are made in memory from the pixels, photons, read noise and particles of the
simulator, already linear: what limits `jump` and `ramp_fit` by themselves, not the steps before them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from math import sqrt
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.simulate.cosmic_rays import ParticleRates, draw_deposits
from jwcal_interactive.simulate.detectors import detector_named
from jwcal_interactive.simulate.pixels import PixelMaps, full_pixel_maps
from jwcal_interactive.steps.jump import jump
from jwcal_interactive.steps.ramp_fit import RampFitParams, ramp_fit
from jwcal_interactive.tiles import Tiles

Algorithm: TypeAlias = Literal["OLS_C", "LIKELY"]

FLUXES = (0.05, 5.0, 500.0)
"""Light, electron/s per pixel: below the read noise of the ramp, near it, and far above."""

_SIZE = 128
_NGROUPS = 10
_GROUP_TIME = 10.73677  # s
_HITS = 2e-4  # tracks per pixel and group
_EXPOSURES = 3


@dataclass(frozen=True)
class Row:
    """Slopes of one case; pulls are (slope - truth) / ERR.

    Attributes
    ----------
    algorithm : str
    flux : float
        Electron/s per pixel.
    hits : bool
        Whether particles hit the detector.
    nints : int
    pixels : int
        Number of slopes: those of the rate product that are not DO_NOT_USE.
    bias, bias_error : float
        Mean of slope - truth, and its standard error, in units of the mean ERR. With hits, without the slopes
        that are more than 5 ERR off.
    median, width : float
        Median of the pulls, and half the distance of their 15.9 and 84.1 percentiles.
    beyond : float
        Share of the pulls beyond 5.
    """

    algorithm: str
    flux: float
    hits: bool
    nints: int
    pixels: int
    bias: float
    bias_error: float
    median: float
    width: float
    beyond: float


def slopes(
    algorithms: Iterable[Algorithm] = ("OLS_C", "LIKELY"),
    fluxes: Iterable[float] = FLUXES,
    hits: Iterable[bool] = (False, True),
    nints: Iterable[int] = (1, 3),
    seed: int = 1,
) -> Iterator[Row]:
    """Measure `ramp_fit`, after `jump` with its default parameters, on the same ramps for all algorithms.

    Parameters
    ----------
    algorithms, fluxes, hits, nints : iterable
        The cases are all combinations.
    seed : int
    """
    middle = slice(1024 - _SIZE // 2, 1024 + _SIZE // 2)
    pixels = full_pixel_maps(detector_named("NIRCAM", "NRCALONG")).cut((middle, middle))
    algorithms, tiles = tuple(algorithms), Tiles(threads=1)
    for flux, hit, integrations in product(fluxes, hits, nints):
        found: dict[Algorithm, list[NDArray[np.float64]]] = {name: [] for name in algorithms}
        for number in range(_EXPOSURES):
            key = [seed, round(1000 * flux), integrations, number]
            ramp, references, truth = _ramps(np.random.default_rng(key), pixels, flux, integrations, hit)
            ramp = jump(ramp, references, jump.params(), tiles)
            for name in algorithms:
                rate = ramp_fit(ramp, references, RampFitParams(algorithm=name), tiles).rate
                good = (rate.dq & np.uint32(DQ.DO_NOT_USE)) == 0
                found[name].append(np.array([rate.data[good] - truth[good], rate.err[good]], float))
        for name, parts in found.items():
            yield _measure(name, flux, hit, integrations, np.concatenate(parts, axis=1))


def _ramps(
    rng: np.random.Generator, pixels: PixelMaps, flux: float, nints: int, hit: bool
) -> tuple[Ramp, dict[str, Reference], NDArray[np.float64]]:
    """Ramps, their references, and the true slopes, DN/s."""
    shape = (_SIZE, _SIZE)
    usable = (pixels.population == 0) & (pixels.gain > 0)
    gain = np.where(usable, pixels.gain, 1).astype(np.float64)
    rate = flux * pixels.flat + pixels.dark
    signal = rng.poisson(rate * _GROUP_TIME, (nints, _NGROUPS, *shape)).astype(np.float64)
    if hit:
        rates = ParticleRates(_HITS / _GROUP_TIME, 0.0, 0.0, 1e9)
        for plane in signal.reshape(-1, *shape):
            deposits = draw_deposits(rng, rates, shape, _GROUP_TIME)
            np.add.at(plane, (deposits.y, deposits.x), deposits.charge)
    data = np.cumsum(signal, axis=1) / gain
    data += rng.normal(0, 1, data.shape) * pixels.read_noise
    exposure = Exposure(
        filename="made in memory", instrument="NIRCAM", detector="NRCALONG", exp_type="NRC_IMAGE",
        readpatt="RAPID", subarray="SUB", xstart=1, ystart=1, xsize=_SIZE, ysize=_SIZE, fastaxis=-1, slowaxis=2,
        nints=nints, ngroups=_NGROUPS, nframes=1, groupgap=0, group_time=_GROUP_TIME, frame_time=_GROUP_TIME,
        frame_divisor=1, noutputs=1, zero_frame=False, gain_factor=None,
    )  # fmt: skip
    groupdq = np.zeros(data.shape, np.uint8)
    groupdq[:, :, ~usable] = np.uint8(DQ.DO_NOT_USE)
    ramp = Ramp(
        exposure=exposure,
        data=data.astype(np.float32),
        groupdq=groupdq,
        pixeldq=np.zeros(shape, np.uint32),
        average_dark_current=np.zeros(shape, np.float32),
    )
    noise = (sqrt(2) * pixels.read_noise).astype(np.float32)
    references = {
        "gain": Reference(reftype="gain", name="gain", data=gain.astype(np.float32)),
        "readnoise": Reference(reftype="readnoise", name="readnoise", data=noise),
    }
    return ramp, references, rate / gain


def _measure(algorithm: str, flux: float, hits: bool, nints: int, found: NDArray[np.float64]) -> Row:
    difference, err = found
    pulls = difference / err
    low, median, high = np.percentile(pulls, [15.8655, 50, 84.1345])
    kept = difference[np.abs(pulls) < 5] if hits else difference
    mean_err = float(err.mean())
    return Row(
        algorithm=algorithm,
        flux=flux,
        hits=hits,
        nints=nints,
        pixels=pulls.size,
        bias=float(kept.mean()) / mean_err,
        bias_error=float(kept.std()) / sqrt(kept.size) / mean_err,
        median=float(median),
        width=float(high - low) / 2,
        beyond=float(np.mean(np.abs(pulls) > 5)),
    )


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """Rows of a Markdown table."""
    columns = (
        "light, e-/s", "hits", "integrations", "algorithm", "slopes", "bias / ERR", "median pull", "width",
        "beyond 5",
    )  # fmt: skip
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        cells = (
            f"{row.flux:g}", "yes" if row.hits else "no", row.nints, row.algorithm, row.pixels,
            f"{row.bias:+.4f} +- {row.bias_error:.4f}", f"{row.median:+.4f}", f"{row.width:.4f}",
            f"{row.beyond:.1e}",
        )  # fmt: skip
        yield f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description="Bias and pull width of slopes.").parse_args()
    for line in lines(slopes()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
