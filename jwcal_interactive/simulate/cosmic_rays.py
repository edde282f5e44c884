"""Charge that particles leave: cosmic rays with short tracks, snowballs and showers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Deposits", "EventShape", "ParticleRates", "draw_deposits"]

_MEDIAN_CHARGE = 900.0  # e- per pixel of track
_CHARGE_SIGMA = 1.1  # of the natural logarithm
_LONGEST_TRACK = 6  # pixels
_DIFFUSION = 0.04  # share of a pixel's deposit that spreads to each edge neighbour
_HALO_CHARGE = 3000.0  # e- at the inner edge of a snowball's halo
_HALO_SCALE = 1.6  # pixels
_SHOWER_CHARGE = (150.0, 600.0)  # e- in the middle of a shower, least and most
_SHOWER_AXIS = (8.0, 45.0)  # semi-major axis, pixels


class ParticleRates(NamedTuple):
    """Events per pixel and second, and the charge that fills a pixel, e-."""

    cosmic_rays: float
    snowballs: float
    showers: float
    full_well: float


class EventShape(NamedTuple):
    """Kind, centre, semi-axes (pixels) and angle (rad, from x) of a large event."""

    kind: str
    y: float
    x: float
    semi_major: float
    semi_minor: float
    angle: float


@dataclass(frozen=True)
class Deposits:
    """Charge left in pixels during one interval: rows, columns, charge in e-, and the large events."""

    y: NDArray[np.int32]
    x: NDArray[np.int32]
    charge: NDArray[np.float32]
    shapes: tuple[EventShape, ...] = ()

    def inside(self, shape: tuple[int, int]) -> Deposits:
        """Only those on the array."""
        ny, nx = shape
        return self.only((self.y >= 0) & (self.y < ny) & (self.x >= 0) & (self.x < nx))

    def only(self, kept: NDArray[np.bool_]) -> Deposits:
        """Only some of the pixels."""
        return Deposits(self.y[kept], self.x[kept], self.charge[kept], self.shapes)


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
        (EventShape("snowball", float(int(cy)), float(int(cx)), float(core), float(core), 0.0),),
    )


def _shower(rng: np.random.Generator, shape: tuple[int, int]) -> Deposits:
    """Return a diffuse ellipse: a Gaussian of charge, cut where it fell to a tenth."""
    cy, cx = rng.random(2) * shape
    major = rng.uniform(*_SHOWER_AXIS)
    minor = major * rng.uniform(0.4, 1.0)
    angle = rng.uniform(0, np.pi)
    reach = int(major) + 1
    grid = np.arange(-reach, reach + 1)
    dy, dx = np.meshgrid(grid, grid, indexing="ij")
    along = (dx * np.cos(angle) + dy * np.sin(angle)) / major
    across = (dy * np.cos(angle) - dx * np.sin(angle)) / minor
    distance2 = along**2 + across**2
    kept = distance2 <= 1
    charge = rng.uniform(*_SHOWER_CHARGE) * 10.0 ** -distance2[kept]
    return Deposits(
        (dy[kept] + int(cy)).astype(np.int32),
        (dx[kept] + int(cx)).astype(np.int32),
        rng.poisson(charge).astype(np.float32),
        (EventShape("shower", float(int(cy)), float(int(cx)), float(major), float(minor), float(angle)),),
    )


def draw_deposits(
    rng: np.random.Generator, rates: ParticleRates, shape: tuple[int, int], seconds: float
) -> Deposits:
    """Draw what hits a region in a time.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    rates : ParticleRates
        Of each kind of event.
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
    parts = [_cosmic_rays(rng, int(rng.poisson(rates.cosmic_rays * pixel_seconds)), shape)]
    parts += [
        _snowball(rng, shape, rates.full_well) for _ in range(rng.poisson(rates.snowballs * pixel_seconds))
    ]
    if rates.showers > 0:
        parts += [_shower(rng, shape) for _ in range(rng.poisson(rates.showers * pixel_seconds))]
    joined = Deposits(
        np.concatenate([p.y for p in parts]),
        np.concatenate([p.x for p in parts]),
        np.concatenate([p.charge for p in parts]),
        tuple(shape for p in parts for shape in p.shapes),
    )
    return joined.inside(shape)
