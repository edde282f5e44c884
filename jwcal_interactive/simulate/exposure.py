"""Simulation of a raw exposure: what the detector would have sent down, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.simulate.cosmic_rays import Deposits, draw_deposits
from jwcal_interactive.simulate.pixels import PixelMaps, full_pixel_maps
from jwcal_interactive.simulate.readout_noise import ReadoutElectronics
from jwcal_interactive.simulate.response import couple_neighbours, measured_counts
from jwcal_interactive.simulate.scene import sky_rate
from jwcal_interactive.simulate.spec import ExposureSpec

__all__ = ["CosmicRayHits", "SimulatedExposure", "simulate_exposure"]

_ADC_MAX = 65535.0
_BAD_REFERENCE_NOISE = 40.0  # DN

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


@dataclass(frozen=True)
class SimulatedExposure:
    """A raw exposure and the truth.

    Attributes
    ----------
    spec : ExposureSpec
        What was asked for.
    raw : ndarray of uint16, shape (nints, ngroups, ny, nx)
        DN, science frame.
    zeroframe : ndarray of uint16, shape (nints, ny, nx), or None
        First frame of each integration, where the read pattern averages frames.
    slope : ndarray of float32, shape (ny, nx)
        DN/s that an ideal calibration recovers: photo-electrons per second over gain, without dark
        current and before inter-pixel capacitance; 0 in pixels that see no light.
    hits : CosmicRayHits
        Every charge deposit of a particle.
    """

    spec: ExposureSpec
    raw: NDArray[np.uint16]
    zeroframe: NDArray[np.uint16] | None
    slope: Image
    hits: CosmicRayHits

    def hit_map(self) -> Image:
        """Amplitude of the particles, DN, in the plane of the first difference that they change.

        Returns
        -------
        ndarray of float32, shape (nints, ngroups, ny, nx)
            Plane g belongs to ``group[g] - group[g - 1]``; plane 0 holds hits that change none.
        """
        amplitude: Image = np.zeros(self.raw.shape, np.float32)
        place = np.stack((self.hits.integration, self.hits.first_difference, self.hits.y, self.hits.x))
        seen = place[1] < amplitude.shape[1]
        np.add.at(amplitude, tuple(place[:, seen]), self.hits.amplitude[seen])
        return amplitude


@dataclass(frozen=True)
class _Integrator:
    """Turns the charge in the pixels into frames, for one subarray."""

    spec: ExposureSpec
    maps: PixelMaps
    rate: Image  # e-/s, sky and dark
    electronics: ReadoutElectronics

    def expose(
        self, charge: Image, frames: int, rng: np.random.Generator, hits_rng: np.random.Generator
    ) -> Deposits | None:
        """Let charge gather during some frames; in place. Returns what particles left."""
        seconds = frames * self.spec.frame_time
        charge += rng.poisson(self.rate * np.float32(seconds)).astype(np.float32)
        deposits = None
        if self.spec.cosmic_rays:
            detector = self.spec.detector_description
            deposits = draw_deposits(hits_rng, detector, charge.shape, seconds)
            seen = self.maps.light[deposits.y, deposits.x]
            deposits = Deposits(deposits.y[seen], deposits.x[seen], deposits.charge[seen])
            np.add.at(charge, (deposits.y, deposits.x), deposits.charge)
        np.minimum(charge, self.maps.full_well, out=charge)
        return deposits

    def read(self, charge: Image, level: Image, rng: np.random.Generator) -> NDArray[np.uint16]:
        """Read one frame; ``level`` is the bias of this integration, DN."""
        detector = self.spec.detector_description
        signal = measured_counts(charge / self.maps.gain, detector, self.maps.linearity)
        rows, columns = self._light_window()
        signal[rows, columns] = couple_neighbours(signal[rows, columns], detector)
        signal += level
        signal += self.electronics.frame(rng)
        signal += rng.standard_normal(signal.shape, np.float32) * self.maps.read_noise
        wild = self.maps.reference & (self.maps.population > 0)
        signal[wild] += rng.normal(0, _BAD_REFERENCE_NOISE, int(wild.sum()))
        np.rint(signal, out=signal)
        np.clip(signal, 0, _ADC_MAX, out=signal)
        return signal.astype(np.uint16)

    def _light_window(self) -> tuple[slice, slice]:
        """Return the part of the subarray inside the border of reference pixels."""
        detector = self.spec.detector_description
        sides = []
        sizes = (detector.ny, detector.nx)
        for part, size in zip(self.spec.subarray_description.window, sizes, strict=True):
            first = max(part.start, detector.border) - part.start
            last = min(part.stop, size - detector.border) - part.start
            sides.append(slice(first, last))
        return sides[0], sides[1]


def simulate_exposure(spec: ExposureSpec) -> SimulatedExposure:
    """Simulate a raw exposure.

    The chain, in order: photo-electrons and dark current (Poisson) and particles gather in the pixel
    up to its full well; counts are charge over gain, bent by the non-linearity; inter-pixel
    capacitance; bias with a new level after each reset; offsets, drift and 1/f noise of the
    electronics; read noise; conversion to 16 bits. Frames of a group are then averaged in integer
    arithmetic, as on board, and dropped frames are dropped.

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
    integrator = _Integrator(spec, maps, sky + maps.dark, ReadoutElectronics(detector, subarray))
    raw = np.empty((spec.nints, spec.ngroups, *subarray.shape), np.uint16)
    zeroframe = np.empty((spec.nints, *subarray.shape), np.uint16)
    hits = _HitList(maps.gain)
    for integration in range(spec.nints):
        rng = np.random.default_rng([spec.seed, 2, integration])
        hits_rng = np.random.default_rng([spec.seed, 3, integration])
        level = rng.standard_normal(subarray.shape, np.float32)
        level *= np.float32(detector.ktc_noise)
        level += maps.bias + np.float32(subarray.bias_offset)
        charge = np.zeros(subarray.shape, np.float32)
        for group in range(spec.ngroups):
            total = np.zeros(subarray.shape, np.uint32)
            for frame in range(pattern.nframes):
                dropped = pattern.groupgap if group > 0 and frame == 0 else 0
                deposits = integrator.expose(charge, 1 + dropped, rng, hits_rng)
                hits.add(deposits, integration, group, frame)
                image = integrator.read(charge, level, rng)
                if group == 0 and frame == 0:
                    zeroframe[integration] = image
                total += image
            raw[integration, group] = total // pattern.nframes
    return SimulatedExposure(
        spec=spec,
        raw=raw,
        zeroframe=zeroframe if pattern.has_zeroframe else None,
        slope=sky / maps.gain,
        hits=hits.joined(),
    )


class _HitList:
    """Gathers the deposits of all frames."""

    def __init__(self, gain: Image) -> None:
        self._gain = gain
        self._when: list[NDArray[np.int32]] = []
        self._deposits: list[Deposits] = []

    def add(self, deposits: Deposits | None, integration: int, group: int, frame: int) -> None:
        if deposits is not None:
            when = np.array([[integration], [group], [frame]], np.int32)
            self._when.append(np.repeat(when, deposits.y.size, axis=1))
            self._deposits.append(deposits)

    def joined(self) -> CosmicRayHits:
        empty = np.zeros((3, 0), np.int32)
        when = np.concatenate([empty, *self._when], axis=1)
        y = np.concatenate([empty[0], *(d.y for d in self._deposits)])
        x = np.concatenate([empty[0], *(d.x for d in self._deposits)])
        charge = np.concatenate([empty[0].astype(np.float32), *(d.charge for d in self._deposits)])
        return CosmicRayHits(when[0], when[1], when[2], y, x, charge / self._gain[y, x])
