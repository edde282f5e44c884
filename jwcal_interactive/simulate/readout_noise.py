"""Noise of the readout electronics, laid out in the order in which the pixels are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when they are used
from numpy.typing import NDArray

from jwcal_interactive.simulate.detectors import Detector, Subarray
from jwcal_interactive.simulate.orientation import detector_shape, to_science

__all__ = ["ReadoutElectronics", "one_over_f_spectrum"]

_ROW_OVERHEAD = 12  # pixel times between two rows
_LONGEST_PERIOD = 32  # rows; slower changes are `row_drift` and `amplifier_offset`
_DRIFT_LENGTH = 150.0  # rows over which the row drift changes


def one_over_f_spectrum(
    rng: np.random.Generator, length: int, rms: float, lowest: float = 1.0
) -> NDArray[np.complex64]:
    """Return the spectrum of a noise series with power ~ 1/f: white noise, shaped.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    length : int
        Samples of the series.
    rms : float
        Root of the expected mean square of the series.
    lowest : float
        Lowest frequency that occurs, periods in the whole series.

    Returns
    -------
    ndarray of complex64, shape (length // 2 + 1,)
        For `scipy.fft.irfft`.
    """
    frequency = np.arange(length // 2 + 1, dtype=np.float32)
    kept = frequency >= lowest
    amplitude = np.zeros(frequency.size, np.float32)
    amplitude[kept] = frequency[kept] ** -0.5
    # Parseval: each kept frequency of a real series contributes 2 |a|^2 / length^2.
    scale = rms * length / np.sqrt(2 * np.sum(amplitude**2))
    spectrum = rng.standard_normal((frequency.size, 2), np.float32).view(np.complex64)[:, 0]
    spectrum *= amplitude * np.float32(scale / np.sqrt(2))
    return spectrum


@dataclass(frozen=True)
class ReadoutElectronics:
    """Draws what the electronics of one subarray add to a frame."""

    detector: Detector
    subarray: Subarray

    def frame(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Offsets, drift and 1/f noise of one frame; DN, shape (ny, nx) in the science frame."""
        rows, columns = detector_shape(self.subarray.shape, self.detector.fastaxis)
        noise = self.subarray.noise
        outputs = self.subarray.noutputs
        width = columns // outputs

        shared = self._one_over_f(rng, rows, width) * np.float32(np.sqrt(noise.shared_fraction))
        own_share = np.float32(np.sqrt(1 - noise.shared_fraction))
        image = np.empty((rows, columns), np.float32)
        for output in range(outputs):
            part, odd = self._part(image, output, width)
            part[...] = shared
            if own_share > 0:
                part += own_share * self._one_over_f(rng, rows, width)
            part += np.float32(rng.normal(0, noise.amplifier_offset))
            odd += np.float32(rng.normal(0, noise.odd_even_offset))
        if noise.row_drift > 0:
            image += self._row_drift(rng, rows)[:, None]
        return np.asarray(to_science(image, self.detector.fastaxis, self.detector.slowaxis))

    def _part(
        self, image: NDArray[np.float32], output: int, width: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give views of the pixels of one output: all of them, and those of every other column or row."""
        if self.detector.mid_infrared is not None:
            part = image[:, output :: self.subarray.noutputs]
            return part, part[::2]
        part = image[:, output * width : (output + 1) * width]
        return part, part[:, ::2]

    def _one_over_f(self, rng: np.random.Generator, rows: int, width: int) -> NDArray[np.float32]:
        """Noise of one amplifier, without its slowest part."""
        line = width + _ROW_OVERHEAD
        length = scipy.fft.next_fast_len(rows * line, real=True)
        lowest = length / (_LONGEST_PERIOD * line)
        spectrum = one_over_f_spectrum(rng, length, self.subarray.noise.one_over_f, lowest)
        series = scipy.fft.irfft(spectrum, n=length)[: rows * line]
        return np.asarray(series.reshape(rows, line)[:, :width], np.float32)

    def _row_drift(self, rng: np.random.Generator, rows: int) -> NDArray[np.float32]:
        """Return a smooth random curve over the rows."""
        sigma = _DRIFT_LENGTH / 2
        curve = scipy.ndimage.gaussian_filter1d(rng.standard_normal(rows), sigma, mode="wrap")
        # Smoothing white noise with a Gaussian leaves a variance of 1 / (2 sqrt(pi) sigma).
        curve *= self.subarray.noise.row_drift * np.sqrt(2 * np.sqrt(np.pi) * sigma)
        return np.asarray(curve, np.float32)
