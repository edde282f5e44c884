"""Simulation of a raw exposure: what the detector would have sent down, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.simulate.cosmic_rays import Deposits, draw_deposits
from jwcal_interactive.simulate.pixels import PixelMaps, full_pixel_maps, picture_frame
from jwcal_interactive.simulate.readout import Frame, readout_of
from jwcal_interactive.simulate.scene import sky_rate
from jwcal_interactive.simulate.spec import ExposureSpec

__all__ = ["CosmicRayHits", "ExtendedEvent", "SimulatedExposure", "simulate_exposure"]

Image = NDArray[np.float32]


@dataclass(frozen=True)
class CosmicRayHits:
    """Charge left by particles, one entry per touched pixel and hit.

    Attributes
    ----------
    integration, group, frame : ndarray of int32
        0-indexed; ``frame`` counts the averaged frames of ``group`` and is the first that holds the
        charge (hits during dropped frames appear in frame 0 of the next group).
    y, x : ndarray of int32
        Pixel, 0-indexed, science frame.
    amplitude : ndarray of float32
        Linear DN, before inter-pixel capacitance and before saturation.
    """

    integration: NDArray[np.int32]
    group: NDArray[np.int32]
    frame: NDArray[np.int32]
    y: NDArray[np.int32]
    x: NDArray[np.int32]
    amplitude: Image

    @property
    def first_difference(self) -> NDArray[np.int32]:
        """Index g of the first difference ``group[g] - group[g - 1]`` that a hit changes.

        0 where it changes none (it came before the first frame).
        """
        late_in_first = (self.group == 0) & (self.frame > 0)
        return np.where(late_in_first, 1, self.group).astype(np.int32)


class ExtendedEvent(NamedTuple):
    """A large event: a snowball, which saturates its core, or a shower, which is diffuse.

    Attributes
    ----------
    integration, group, frame : int
        As for `CosmicRayHits`.
    kind : str
        ``"snowball"`` or ``"shower"``.
    y, x : float
        Centre, 0-indexed; it may lie outside the array.
    semi_major, semi_minor : float
        Of the core of a snowball, of the whole of a shower, pixels.
    angle : float
        From the x axis to the major axis, rad.
    """

    integration: int
    group: int
    frame: int
    kind: str
    y: float
    x: float
    semi_major: float
    semi_minor: float
    angle: float


@dataclass(frozen=True)
class SimulatedExposure:
    """A raw exposure and the truth.

    Attributes
    ----------
    spec : ExposureSpec
        What was asked for.
    raw : ndarray of uint16, shape (nints, ngroups, ny, nx)
        DN, science frame; IRS2 readouts have 3200 rows, those of the reference pixels among them.
    zeroframe : ndarray of uint16, shape (nints, ny, nx), or None
        First frame of each integration, where the read pattern averages frames.
    slope : ndarray of float32, shape (ny, nx)
        DN/s that an ideal calibration recovers: photo-electrons per second over gain, without dark
        current and before inter-pixel capacitance; 0 in pixels that see no light.
    hits : CosmicRayHits
        Every charge deposit of a particle.
    events : tuple of ExtendedEvent
        The large ones.
    """

    spec: ExposureSpec
    raw: NDArray[np.uint16]
    zeroframe: NDArray[np.uint16] | None
    slope: Image
    hits: CosmicRayHits
    events: tuple[ExtendedEvent, ...] = ()

    def hit_map(self) -> Image:
        """Amplitude of the particles, DN, in the plane of the first difference that they change.

        Returns
        -------
        ndarray of float32, shape (nints, ngroups, ny, nx)
            Without interleaved reference pixels. Plane g belongs to ``group[g] - group[g - 1]``; plane 0
            holds hits that change none.
        """
        amplitude: Image = np.zeros((*self.raw.shape[:2], *self.slope.shape), np.float32)
        place = np.stack((self.hits.integration, self.hits.first_difference, self.hits.y, self.hits.x))
        seen = place[1] < amplitude.shape[1]
        np.add.at(amplitude, tuple(place[:, seen]), self.hits.amplitude[seen])
        return amplitude


def _gather(
    spec: ExposureSpec, maps: PixelMaps, rate: Image, charge: Image, frames: int, rngs: _Generators
) -> Deposits | None:
    """Let charge gather during some frames; in place. Returns what particles left."""
    seconds = frames * spec.frame_time
    charge += rngs.noise.poisson(rate * np.float32(seconds)).astype(np.float32)
    deposits = None
    if spec.cosmic_rays:
        deposits = draw_deposits(rngs.hits, spec.particle_rates, charge.shape, seconds)
        seen = maps.light[deposits.y, deposits.x]
        deposits = deposits.only(seen)
        np.add.at(charge, (deposits.y, deposits.x), deposits.charge)
    np.minimum(charge, maps.full_well, out=charge)
    return deposits


class _Generators(NamedTuple):
    """Sources of random numbers of one integration."""

    noise: np.random.Generator
    hits: np.random.Generator

    @classmethod
    def of(cls, seed: int, integration: int) -> _Generators:
        return cls(np.random.default_rng([seed, 2, integration]), np.random.default_rng([seed, 3, integration]))


def simulate_exposure(spec: ExposureSpec) -> SimulatedExposure:
    """Simulate a raw exposure.

    The chain, in order: photo-electrons and dark current (Poisson) and particles gather in the pixel
    up to its full well; counts are charge over gain, bent by the non-linearity; inter-pixel
    capacitance; bias with a new level after each reset; offsets, drift and 1/f noise of the
    electronics; read noise; conversion to 16 bits (`readout` has what is peculiar to MIRI and to IRS2). Frames
    of a group are then averaged in integer arithmetic, as on board, and dropped frames are dropped.

    Parameters
    ----------
    spec : ExposureSpec
        What to simulate. The same specification gives the same bits.

    Returns
    -------
    SimulatedExposure
    """
    detector = spec.detector_description
    subarray = spec.subarray_description
    pattern = spec.read_pattern
    maps = full_pixel_maps(detector).cut(subarray.window)

    sky = sky_rate(spec.scene, (detector.ny, detector.nx), subarray.window, spec.seed)
    sky *= maps.light
    sky *= maps.flat
    rate = sky + maps.dark
    if spec.picture_frame > 0:
        rate += spec.picture_frame * picture_frame(detector)[subarray.window] * maps.gain
    readout = readout_of(spec, maps)
    raw = np.empty((spec.nints, spec.ngroups, *readout.shape), np.uint16)
    zeroframe = np.empty((spec.nints, *readout.shape), np.uint16)
    hits = _HitList(maps.gain)
    frames = pattern.frames_in_integration(spec.ngroups)
    charge_before = None
    for integration in range(spec.nints):
        rngs = _Generators.of(spec.seed, integration)
        level = rngs.noise.standard_normal(subarray.shape, np.float32)
        level *= np.float32(detector.ktc_noise)
        level += maps.bias + np.float32(subarray.bias_offset)
        charge = np.zeros(subarray.shape, np.float32)
        number = -1
        for group in range(spec.ngroups):
            total = np.zeros(readout.shape, np.uint32)
            for frame in range(pattern.nframes):
                dropped = pattern.groupgap if group > 0 and frame == 0 else 0
                number += 1 + dropped
                deposits = _gather(spec, maps, rate, charge, 1 + dropped, rngs)
                hits.add(deposits, integration, group, frame)
                state = Frame(charge, level, integration, number, frames, charge_before)
                image = readout.read(state, rngs.noise)
                if group == 0 and frame == 0:
                    zeroframe[integration] = image
                total += image
            raw[integration, group] = np.minimum(total // spec.divisor, np.iinfo(np.uint16).max)
        charge_before = charge
    return SimulatedExposure(
        spec=spec,
        raw=raw,
        zeroframe=zeroframe if pattern.has_zeroframe else None,
        slope=sky / maps.gain,
        hits=hits.joined(),
        events=hits.events(),
    )


class _HitList:
    """Gathers the deposits of all frames."""

    def __init__(self, gain: Image) -> None:
        self._gain = gain
        self._when: list[NDArray[np.int32]] = []
        self._deposits: list[Deposits] = []
        self._events: list[ExtendedEvent] = []

    def add(self, deposits: Deposits | None, integration: int, group: int, frame: int) -> None:
        if deposits is not None:
            when = np.array([[integration], [group], [frame]], np.int32)
            self._when.append(np.repeat(when, deposits.y.size, axis=1))
            self._deposits.append(deposits)
            self._events += [ExtendedEvent(integration, group, frame, *shape) for shape in deposits.shapes]

    def events(self) -> tuple[ExtendedEvent, ...]:
        return tuple(self._events)

    def joined(self) -> CosmicRayHits:
        empty = np.zeros((3, 0), np.int32)
        when = np.concatenate([empty, *self._when], axis=1)
        y = np.concatenate([empty[0], *(d.y for d in self._deposits)])
        x = np.concatenate([empty[0], *(d.x for d in self._deposits)])
        charge = np.concatenate([empty[0].astype(np.float32), *(d.charge for d in self._deposits)])
        return CosmicRayHits(when[0], when[1], when[2], y, x, charge / self._gain[y, x])
