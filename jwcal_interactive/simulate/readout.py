"""From charge in the pixels to a frame of 16-bit numbers, for each kind of readout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.simulate.detectors import Detector, Subarray
from jwcal_interactive.simulate.emi import Interference
from jwcal_interactive.simulate.irs2 import Interleaved
from jwcal_interactive.simulate.mid_infrared import dark_settling, memory, reset_anomaly
from jwcal_interactive.simulate.pixels import PixelMaps
from jwcal_interactive.simulate.readout_noise import ReadoutElectronics
from jwcal_interactive.simulate.response import couple_neighbours, measured_counts
from jwcal_interactive.simulate.spec import ExposureSpec

__all__ = ["Frame", "Readout", "readout_of"]

_ADC_MAX = 65535.0
_BAD_REFERENCE_NOISE = 40.0  # DN

Image = NDArray[np.float32]


class Frame(NamedTuple):
    """What is read.

    Attributes
    ----------
    charge : ndarray of float32, shape of the subarray
        In the pixels, e-.
    level : ndarray of float32, shape of the subarray
        Bias of this integration, DN.
    integration, number : int
        0-indexed; the number counts the frames of the integration.
    frames : int
        Frames of each integration.
    charge_before : ndarray of float32, shape of the subarray, optional
        At the end of the integration before this one, e-.
    """

    charge: Image
    level: Image
    integration: int
    number: int
    frames: int
    charge_before: Image | None = None


class Readout(Protocol):
    """One way to read a detector."""

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of a raw frame, science orientation."""
        ...

    def read(self, frame: Frame, rng: np.random.Generator) -> NDArray[np.uint16]:
        """Read one frame, science orientation, DN."""
        ...


def readout_of(spec: ExposureSpec, maps: PixelMaps) -> Readout:
    """Choose how an exposure is read; ``maps`` are those of its subarray."""
    detector, subarray = spec.detector_description, spec.subarray_description
    electronics = ReadoutElectronics(detector, subarray)
    if detector.mid_infrared is not None:
        waves = Interference(detector, subarray, spec.emi, spec.seed)
        return _MidInfraredReadout(detector, subarray, maps, electronics, waves)
    if subarray.irs2:
        return _InterleavedReadout(detector, subarray, maps, Interleaved(detector, subarray))
    return _PlainReadout(detector, subarray, maps, electronics)


def _coupled(signal: Image, detector: Detector, subarray: Subarray) -> Image:
    """Let neighbours inside the border of reference pixels share their signals; in place."""
    rows, columns = (
        slice(max(part.start, light.start) - part.start, min(part.stop, light.stop) - part.start)
        for part, light in zip(subarray.window, detector.light_window, strict=True)
    )
    signal[rows, columns] = couple_neighbours(signal[rows, columns], detector)
    return signal


def _converted(signal: Image) -> NDArray[np.uint16]:
    """Convert to 16 bits; changes its argument."""
    np.rint(signal, out=signal)
    np.clip(signal, 0, _ADC_MAX, out=signal)
    return signal.astype(np.uint16)


def _wild_references(signal: Image, maps: PixelMaps, rng: np.random.Generator) -> None:
    wild = maps.reference & (maps.population > 0)
    signal[wild] += rng.normal(0, _BAD_REFERENCE_NOISE, int(wild.sum()))


@dataclass(frozen=True)
class _PlainReadout:
    """A HAWAII-2RG in the traditional readout."""

    detector: Detector
    subarray: Subarray
    maps: PixelMaps
    electronics: ReadoutElectronics

    @property
    def shape(self) -> tuple[int, int]:
        return self.subarray.shape

    def read(self, frame: Frame, rng: np.random.Generator) -> NDArray[np.uint16]:
        signal = measured_counts(frame.charge / self.maps.gain, self.detector, self.maps.linearity)
        signal = _coupled(signal, self.detector, self.subarray)
        signal += frame.level
        signal += self.electronics.frame(rng)
        signal += rng.standard_normal(signal.shape, np.float32) * self.maps.read_noise
        _wild_references(signal, self.maps, rng)
        return _converted(signal)


@dataclass(frozen=True)
class _InterleavedReadout:
    """A HAWAII-2RG of NIRSpec with interleaved reference pixels."""

    detector: Detector
    subarray: Subarray
    maps: PixelMaps
    layout: Interleaved

    @property
    def shape(self) -> tuple[int, int]:
        return self.layout.shape

    def read(self, frame: Frame, rng: np.random.Generator) -> NDArray[np.uint16]:
        signal = measured_counts(frame.charge / self.maps.gain, self.detector, self.maps.linearity)
        signal = _coupled(signal, self.detector, self.subarray)
        signal += frame.level
        signal += rng.standard_normal(signal.shape, np.float32) * self.maps.read_noise
        total = self.layout.with_references(signal, self.layout.levels)
        total += self.layout.oriented(self.layout.noise(rng))
        return _converted(total)


@dataclass(frozen=True)
class _MidInfraredReadout:
    """A Si:As detector of MIRI: its response bends over the whole signal, bias included."""

    detector: Detector
    subarray: Subarray
    maps: PixelMaps
    electronics: ReadoutElectronics
    waves: Interference

    @property
    def shape(self) -> tuple[int, int]:
        return self.subarray.shape

    def read(self, frame: Frame, rng: np.random.Generator) -> NDArray[np.uint16]:
        effects = self.detector.mid_infrared
        assert effects is not None
        collected = frame.charge / self.maps.gain
        collected += dark_settling(effects, self.maps, frame.integration, frame.number)
        signal = measured_counts(frame.level + collected, self.detector, self.maps.linearity)
        signal = _coupled(signal, self.detector, self.subarray)
        signal += reset_anomaly(effects, self.maps, frame.integration, frame.number)
        if frame.charge_before is not None:
            signal += memory(effects, frame.charge_before / self.maps.gain, frame.number)
        if frame.number == 0:
            signal += np.float32(effects.first_frame)
        if frame.number == frame.frames - 1:
            odd = slice(self.subarray.ystart % 2, None, 2)  # by the row on the detector
            signal[odd] -= np.float32(effects.last_frame_loss) * collected[odd]
        frames_before = frame.integration * (frame.frames + 1)  # each integration ends with a frame of reset
        signal += self.waves.frame(frames_before + frame.number)
        signal += self.electronics.frame(rng)
        signal += rng.standard_normal(signal.shape, np.float32) * self.maps.read_noise
        _wild_references(signal, self.maps, rng)
        return _converted(signal)
