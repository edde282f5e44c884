"""Completeness and false alarms of finding jumps, against the rejection threshold and the number of groups.

python -m tests.truth.jump_curves [--background ELECTRON_PER_S]

Ramps of 128 x 128 pixels are made in memory from the pixels, photons, read noise and particles of the
simulator, already linear: what limits `jump` by itself, not the steps before it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import erfc, inf, sqrt

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.simulate.cosmic_rays import ParticleRates, draw_deposits
from jwcal_interactive.simulate.detectors import detector_named
from jwcal_interactive.simulate.pixels import PixelMaps, full_pixel_maps
from jwcal_interactive.steps.jump import jump
from jwcal_interactive.tiles import Tiles

NGROUPS = (4, 5, 6, 8, 10, 11, 15, 25, 50, 100)
THRESHOLDS = (3.0, 4.0, 5.0, 6.0, 8.0)
EDGES = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 20.0, inf)
"""Sizes of hits, in sigma of one difference."""

_SIZE = 128
_GROUP_TIME = 10.73677  # s
_HITS = 2e-4  # tracks per pixel and group: enough for statistics, and rarely two in a ramp
_DIFFERENCES = 300  # per pixel, over all exposures of a case


@dataclass(frozen=True)
class Row:
    """What was found in ramps of one length with one threshold.

    Attributes
    ----------
    ngroups : int
    threshold : float
        Sigma; also for ramps of three and four groups.
    hits, found : tuple of int
        Hits between the `EDGES`, and those of them with a flag.
    quiet, false : int
        Differences that no hit touched, and those of them with a flag.
    """

    ngroups: int
    threshold: float
    hits: tuple[int, ...]
    found: tuple[int, ...]
    quiet: int
    false: int

    def completeness(self, low: float) -> float:
        """Share found of the hits of at least `low` sigma (one of the edges)."""
        first = EDGES.index(low)
        return sum(self.found[first:]) / sum(self.hits[first:])

    @property
    def false_rate(self) -> float:
        """Share of flags among the differences that no hit touched."""
        return self.false / self.quiet

    @property
    def gaussian_rate(self) -> float:
        """The same for differences with a normal distribution about a known mean."""
        return erfc(self.threshold / sqrt(2))


def curves(
    ngroups: Iterable[int] = NGROUPS,
    thresholds: Iterable[float] = THRESHOLDS,
    background: float = 5.0,
    seed: int = 1,
) -> Iterator[Row]:
    """Measure `jump` with each threshold on ramps of each length.

    Parameters
    ----------
    ngroups, thresholds : iterable
    background : float
        Mean light, electron/s per pixel.
    seed : int
    """
    middle = slice(1024 - _SIZE // 2, 1024 + _SIZE // 2)
    pixels = full_pixel_maps(detector_named("NIRCAM", "NRCALONG")).cut((middle, middle))
    for length in ngroups:
        exposures = [
            _ramps(np.random.default_rng([seed, length, number]), pixels, length, background)
            for number in range(max(1, round(_DIFFERENCES / (length - 1))))
        ]
        for threshold in thresholds:
            yield _measure(exposures, length, threshold)


def _ramps(
    rng: np.random.Generator, pixels: PixelMaps, ngroups: int, background: float
) -> tuple[Ramp, dict[str, Reference], NDArray[np.float64]]:
    """Ramps, their references, and the sizes of hits in sigma of one difference."""
    shape = (_SIZE, _SIZE)
    usable = (pixels.population == 0) & (pixels.gain > 0)
    gain = np.where(usable, pixels.gain, 1).astype(np.float64)
    rate = background * pixels.flat + pixels.dark
    rates = ParticleRates(_HITS / _GROUP_TIME, 0.0, 0.0, 1e9)
    hits = np.zeros((ngroups, *shape))
    for plane in hits[1:]:
        deposits = draw_deposits(rng, rates, shape, _GROUP_TIME)
        np.add.at(plane, (deposits.y, deposits.x), deposits.charge)
    light = rng.poisson(rate * _GROUP_TIME, hits.shape)
    data = np.cumsum(light + hits, axis=0) / gain
    data += rng.normal(0, 1, data.shape) * pixels.read_noise
    sigma = np.sqrt(rate * _GROUP_TIME + 2 * (pixels.read_noise * gain) ** 2)
    exposure = Exposure(
        filename="made in memory", instrument="NIRCAM", detector="NRCALONG", exp_type="NRC_IMAGE",
        readpatt="RAPID", subarray="SUB", xstart=1, ystart=1, xsize=_SIZE, ysize=_SIZE, fastaxis=-1, slowaxis=2,
        nints=1, ngroups=ngroups, nframes=1, groupgap=0, group_time=_GROUP_TIME, frame_time=_GROUP_TIME,
        frame_divisor=1, noutputs=1, zero_frame=False, gain_factor=None,
    )  # fmt: skip
    groupdq = np.zeros((1, *data.shape), np.uint8)
    groupdq[:, :, ~usable] = np.uint8(DQ.DO_NOT_USE)
    ramp = Ramp(
        exposure=exposure,
        data=data[None].astype(np.float32),
        groupdq=groupdq,
        pixeldq=np.zeros(shape, np.uint32),
    )
    references = {
        "gain": Reference(reftype="gain", name="gain", data=gain.astype(np.float32)),
        "readnoise": Reference(
            reftype="readnoise", name="readnoise", data=(sqrt(2) * pixels.read_noise).astype(np.float32)
        ),
    }
    return ramp, references, np.where(usable, hits / sigma, np.nan)


def _measure(
    exposures: list[tuple[Ramp, dict[str, Reference], NDArray[np.float64]]], ngroups: int, threshold: float
) -> Row:
    settings = jump.params(
        rejection_threshold=threshold,
        three_group_rejection_threshold=threshold,
        four_group_rejection_threshold=threshold,
        flag_4_neighbors=False,
    )
    hits, found = np.zeros(len(EDGES) - 1, int), np.zeros(len(EDGES) - 1, int)
    quiet = false = 0
    for ramp, references, size in exposures:
        flagged = (jump(ramp, references, settings, Tiles(threads=1)).groupdq[0, 1:] & DQ.JUMP_DET) != 0
        for n, (low, high) in enumerate(pairwise(EDGES)):
            chosen = (size[1:] >= low) & (size[1:] < high)
            hits[n] += chosen.sum()
            found[n] += (chosen & flagged).sum()
        untouched = size[1:] == 0
        quiet += int(untouched.sum())
        false += int((untouched & flagged).sum())
    return Row(ngroups, threshold, tuple(map(int, hits)), tuple(map(int, found)), quiet, false)


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """Rows of a Markdown table: completeness by size of the hit, and false alarms."""
    sizes = [f"{low:g}-{high:g}" if high < inf else f">= {low:g}" for low, high in pairwise(EDGES)]
    yield "| groups | threshold | " + " | ".join(sizes) + " | false alarms per 10^6 | of normal noise |"
    yield "|" + "---|" * (len(sizes) + 4)
    for row in rows:
        shares = (f"{k / n:.3f}" if n else "" for k, n in zip(row.found, row.hits, strict=True))
        yield (
            f"| {row.ngroups} | {row.threshold:g} | {' | '.join(shares)} | {1e6 * row.false_rate:.0f} "
            f"| {1e6 * row.gaussian_rate:.1f} |"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Completeness and false alarms of jump.")
    parser.add_argument("--background", type=float, default=5.0, help="mean light, electron/s per pixel")
    for line in lines(curves(background=parser.parse_args().background)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
