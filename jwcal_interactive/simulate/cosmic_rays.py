"""Charge that particles leave: cosmic rays with short tracks, and snowballs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.simulate.detectors import Detector

__all__ = ["Deposits", "draw_deposits"]

_MEDIAN_CHARGE = 900.0  # e- per pixel of track
_CHARGE_SIGMA = 1.1  # of the natural logarithm
_LONGEST_TRACK = 6  # pixels
_DIFFUSION = 0.04  # share of a pixel's deposit that spreads to each edge neighbour
_HALO_CHARGE = 3000.0  # e- at the inner edge of a snowball's halo
_HALO_SCALE = 1.6  # pixels


@dataclass(frozen=True)
class Deposits:
    """Charge left in pixels during one interval: rows, columns, and charge in e-."""

    y: NDArray[np.int32]
    x: NDArray[np.int32]
    charge: NDArray[np.float32]

    def inside(self, shape: tuple[int, int]) -> Deposits:
        """Only those on the array."""
        ny, nx = shape
        kept = (self.y >= 0) & (self.y < ny) & (self.x >= 0) & (self.x < nx)
        return Deposits(self.y[kept], self.x[kept], self.charge[kept])


def _cosmic_rays(rng: np.random.Generator, n: int, shape: tuple[int, int]) -> Deposits:
    """Straight tracks of 1 to 6 pixels; the charge per pixel is log-normal."""
    lengths = 1 + np.minimum(rng.geometric(0.55, n) - 1, _LONGEST_TRACK - 1)
    angles = rng.uniform(0, 2 * np.pi, n)
    starts = rng.random((n, 2)) * shape
    charges = _MEDIAN_CHARGE * np.exp(_CHARGE_SIGMA * rng.standard_normal(n))

    hit = np.repeat(np.arange(n), lengths)
    step = np.arange(hit.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    y = np.floor(starts[hit, 0] + step * np.sin(angles[hit])).astype(np.int32)
    x = np.floor(starts[hit, 1] + step * np.cos(angles[hit])).astype(np.int32)
    charge = charges[hit]

    offsets = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
    shares = (1 - 4 * _DIFFUSION, *(4 * (_DIFFUSION,)))
    return Deposits(
        np.concatenate([y + dy for dy, _ in offsets]),
        np.concatenate([x + dx for _, dx in offsets]),
        np.concatenate([charge * share for share in shares]).astype(np.float32),
    )


def _snowball(rng: np.random.Generator, shape: tuple[int, int], full_well: float) -> Deposits:
    """Return a core that fills its pixels and a halo that falls exponentially around it."""
    cy, cx = rng.random(2) * shape
    core = rng.uniform(2.0, 9.0)
    reach = int(core + 8 * _HALO_SCALE) + 1
    grid = np.arange(-reach, reach + 1)
    dy, dx = np.meshgrid(grid, grid, indexing="ij")
    distance = np.hypot(dy, dx)
    halo = _HALO_CHARGE * np.exp(-(distance - core) / _HALO_SCALE)
    charge = np.where(distance <= core, 1.5 * full_well, np.where(halo >= 1, halo, 0))
    kept = charge > 0
    return Deposits(
        (dy[kept] + int(cy)).astype(np.int32),
        (dx[kept] + int(cx)).astype(np.int32),
        charge[kept].astype(np.float32),
    )


def draw_deposits(
    rng: np.random.Generator, detector: Detector, shape: tuple[int, int], seconds: float
) -> Deposits:
    """Draw what hits a region in a time.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    detector : Detector
        Rates of hits, full well.
    shape : (int, int)
        (ny, nx) of the region, pixels.
    seconds : float
        Length of the interval, s.

    Returns
    -------
    Deposits
        One entry per touched pixel and hit; a pixel may occur more than once.
    """
    pixel_seconds = shape[0] * shape[1] * seconds
    parts = [_cosmic_rays(rng, int(rng.poisson(detector.cosmic_ray_rate * pixel_seconds)), shape)]
    parts += [
        _snowball(rng, shape, detector.full_well)
        for _ in range(rng.poisson(detector.snowball_rate * pixel_seconds))
    ]
    joined = Deposits(
        np.concatenate([p.y for p in parts]),
        np.concatenate([p.x for p in parts]),
        np.concatenate([p.charge for p in parts]),
    )
    return joined.inside(shape)
