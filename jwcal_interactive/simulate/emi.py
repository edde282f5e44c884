"""Electromagnetic interference of MIRI: waves that run on while the pixels are read one after the other.

Frequencies, and which of them occur in which readout, are those of the flight EMICORR reference; the form of
the waves is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.simulate.detectors import Detector, Subarray

__all__ = ["CLOCK", "Interference", "emi_case", "frequencies_of", "frequency", "wave"]

CLOCK = 1e-5  # s, time of one sample of a pixel
_OUTPUTS = 4
_IN_STEP = 1e-3  # periods
_FREQUENCIES = {"Hz390": 390.625, "Hz10": 10.039216}  # Hz


def frequency(name: str) -> float:
    """Hz, by the name in the reference; slow readouts have names of their own for each detector."""
    return _FREQUENCIES[name.partition("_")[0]]


def wave(phase: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the form of a wave with an amplitude of about 1; phase in periods."""
    turn = 2 * np.pi * phase
    return np.asarray(np.cos(turn) + 0.25 * np.sin(2 * turn + 0.6))


def emi_case(subarray: Subarray) -> str:
    """Name of a readout in the reference: full frames are fast or slow."""
    if subarray.name != "FULL":
        return subarray.name
    return "FULL_SLOW" if subarray.nsamples > 1 else "FULL_FAST"


def frequencies_of(detector: Detector, subarray: Subarray) -> tuple[str, ...]:
    """Names of the frequencies that occur in a readout, the strongest first.

    A frame of some readouts lasts a whole number of periods of the fastest wave: there it is the same in all
    frames, a part of the bias, and is left out.
    """
    if subarray.nsamples > 1:
        return (f"Hz10_slow_{detector.name}",)
    periods = subarray.frame_time * frequency("Hz390")
    return ("Hz10",) if abs(periods - round(periods)) < _IN_STEP else ("Hz390", "Hz10")


@dataclass(frozen=True)
class Interference:
    """The waves in one exposure.

    Attributes
    ----------
    detector, subarray : Detector, Subarray
        Readout.
    strength : float
        Factor on the amplitudes of the detector.
    seed : int
        Seed of the phases at the start of the exposure.
    """

    detector: Detector
    subarray: Subarray
    strength: float
    seed: int

    def frame(self, number: int) -> NDArray[np.float32]:
        """Give what the waves add to a frame.

        Parameters
        ----------
        number : int
            Frames since the start of the exposure, those of the resets too.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            DN.
        """
        assert self.detector.mid_infrared is not None
        amplitudes = dict(self.detector.mid_infrared.emi)
        start = round(self.subarray.frame_time / CLOCK) * number
        rows = np.arange(self.subarray.ysize)[:, None] * self.subarray.row_clocks
        # The four outputs read four neighbouring columns at the same time.
        reads = np.arange(self.subarray.xsize // _OUTPUTS)[None, :] * self.subarray.nsamples
        clocks = start + rows + reads
        total = np.zeros(clocks.shape)
        for name in frequencies_of(self.detector, self.subarray):
            phase = np.random.default_rng([self.seed, 4, round(frequency(name))]).random()
            amplitude = self.strength * amplitudes[name.partition("_")[0]]
            total += amplitude * wave(phase + clocks * (CLOCK * frequency(name)))
        return np.repeat(total, _OUTPUTS, axis=1).astype(np.float32)
