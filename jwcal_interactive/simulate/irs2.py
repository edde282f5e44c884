"""NIRSpec's readout with interleaved reference pixels (IRS2): its layout, its noise, and the best correction.

Five outputs are read at the same time: the reference output and the four of the detector. Each steps out of
its line after 8, then after every 16 pixels, reads 4 reference pixels and steps back in; neighbouring outputs
are read in opposite directions (JWST User Documentation, "NIRSpec IRS2 Detector Readout Mode"; Rauscher et al.
2017, PASP 129, 105003).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import scipy  # its parts are loaded when they are used
from numpy.typing import NDArray

from jwcal_interactive.simulate.detectors import Detector, Subarray
from jwcal_interactive.simulate.orientation import to_detector, to_science
from jwcal_interactive.simulate.readout_noise import one_over_f_spectrum

__all__ = [
    "NORMAL",
    "REFERENCE",
    "BadPair",
    "Filter",
    "Interleaved",
    "bad_pairs",
    "correction_filters",
    "residual_variance",
]

NORMAL = 16  # pixels between two visits of the reference pixels (NRS_NORM)
REFERENCE = 4  # reference pixels per visit (NRS_REF)
ROWS = 2048
_OUTPUTS = 5
_BLOCKS = 32  # visits per line
_WIDTH = (NORMAL + REFERENCE) * _BLOCKS  # pixels of one output in a line
_PAUSE = 8  # pixel times between two lines

_LEVELS = (8500.0, 10500.0)  # DN, of the reference output and of interleaved pixels
_LEVEL_SCATTER = 30.0
_OUTPUT_NOISE = 0.5  # white noise of the reference output, in units of the detector's
_DELAY = 0.5  # pixel times by which noise of common origin reaches each output later than the one before
_BAD_NOISE = 60.0  # DN
_BAD_MARKED, _BAD_LISTED = 3, 2  # per output: in the mask, in the table of the refpix reference

Image = NDArray[np.float32]


class BadPair(NamedTuple):
    """One interleaved reference pixel, which is read twice in a row: ``half`` 0 or 1 of a visit."""

    output: int
    block: int
    half: int

    @property
    def columns(self) -> tuple[int, int]:
        """Of the raw frame in the detector's orientation."""
        first = self.output * _WIDTH + NORMAL // 2 + self.block * (NORMAL + REFERENCE) + 2 * self.half
        return first, first + 1


@lru_cache(maxsize=1)
def _line() -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Which pixels of a line are reference pixels, and when each is read (pixel times), in order of reading."""
    place = np.arange(_WIDTH)
    reference = (place + NORMAL // 2) % (NORMAL + REFERENCE) >= NORMAL
    steps = np.concatenate(([0], np.cumsum(reference[1:] != reference[:-1])))  # each costs a pixel time
    return reference, place + steps


def _line_length() -> int:
    return int(_line()[1][-1]) + 1 + _PAUSE


def _columns(output: int) -> slice:
    return slice(output * _WIDTH, (output + 1) * _WIDTH)


def _in_place(line: NDArray[np.float32], output: int) -> NDArray[np.float32]:
    """From the order of reading to the order of columns."""
    return line[..., ::-1] if output % 2 == 0 else line


def bad_pairs(detector: Detector) -> tuple[tuple[BadPair, ...], tuple[BadPair, ...]]:
    """Interleaved pixels that are noisy: those that the mask marks, and those that only the table lists."""
    rng = np.random.default_rng([detector.seed, zlib.crc32(b"bad interleaved")])
    marked, listed = [], []
    for output in range(1, _OUTPUTS):
        chosen = rng.choice(2 * _BLOCKS, _BAD_MARKED + _BAD_LISTED, replace=False)
        pairs = [BadPair(output, int(c) // 2, int(c) % 2) for c in chosen]
        marked += pairs[:_BAD_MARKED]
        listed += pairs[_BAD_MARKED:]
    return tuple(marked), tuple(listed)


@dataclass(frozen=True)
class Interleaved:
    """The readout of one detector."""

    detector: Detector
    subarray: Subarray

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of a raw frame, science frame."""
        return _OUTPUTS * _WIDTH, ROWS

    def with_references(self, science: NDArray[Any], references: NDArray[Any]) -> NDArray[Any]:
        """Put an image between reference pixels.

        Parameters
        ----------
        science : ndarray, shape (2048, 2048)
            Science frame.
        references : ndarray, shape (2048, 3200)
            Raw frame in the detector's orientation; what stands in science pixels does not count.

        Returns
        -------
        ndarray, shape (3200, 2048)
            Raw frame, science orientation.
        """
        raw = references.copy()
        image = to_detector(science, self.detector.fastaxis, self.detector.slowaxis)
        normal = np.flatnonzero(~_line()[0])  # the same from both ends of a line
        for output in range(1, _OUTPUTS):
            part = image[:, (output - 1) * normal.size : output * normal.size]
            raw[:, _columns(output)][:, normal] = part
        return self.oriented(raw)

    def oriented(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Turn a raw frame from the detector's to the science orientation; a view."""
        return to_science(raw, self.detector.fastaxis, self.detector.slowaxis)

    @cached_property
    def is_interleaved(self) -> NDArray[np.bool_]:
        """Which rows of a raw frame in science orientation hold interleaved pixels, shape (3200,)."""
        lines = np.concatenate([np.zeros(_WIDTH, bool), np.tile(_line()[0], _OUTPUTS - 1)])
        return lines if self.detector.fastaxis > 0 else lines[::-1]

    @cached_property
    def levels(self) -> Image:
        """Bias of the reference pixels, DN, shape (2048, 3200), the detector's orientation."""
        rng = np.random.default_rng([self.detector.seed, zlib.crc32(b"interleaved levels")])
        levels = np.repeat(rng.standard_normal((ROWS, _OUTPUTS * _WIDTH // 2), np.float32), 2, axis=1)
        levels *= np.float32(_LEVEL_SCATTER)
        levels[:, _columns(0)] += np.float32(_LEVELS[0])
        levels[:, _WIDTH:] += np.float32(_LEVELS[1])
        return levels

    def noise(self, rng: np.random.Generator) -> Image:
        """All noise of a frame but the white noise of science pixels.

        Returns
        -------
        ndarray of float32, shape (2048, 3200)
            DN, the detector's orientation.
        """
        model, length = self.subarray.noise, ROWS * _line_length()
        shared = one_over_f_spectrum(rng, length, model.one_over_f * model.shared_fraction**0.5)
        frequency = scipy.fft.rfftfreq(length).astype(np.float32)
        frame = np.empty((ROWS, _OUTPUTS * _WIDTH), np.float32)
        for output in range(_OUTPUTS):
            spectrum = shared
            if output > 0:
                own = one_over_f_spectrum(rng, length, model.one_over_f * (1 - model.shared_fraction) ** 0.5)
                spectrum = own + shared * _late(frequency, output)
            times = scipy.fft.irfft(spectrum, n=length).reshape(ROWS, -1)[:, _line()[1]]
            frame[:, _columns(output)] = _in_place(times, output)
            frame[:, _columns(output)] += np.float32(rng.normal(0, model.amplifier_offset))
        white = rng.standard_normal(frame.shape, np.float32) * np.float32(self.detector.read_noise)
        white[:, _columns(0)] *= np.float32(_OUTPUT_NOISE)
        normal = np.concatenate([np.zeros(_WIDTH, bool), np.tile(~_line()[0], _OUTPUTS - 1)])
        white[:, normal] = 0
        for pair in (*bad_pairs(self.detector)[0], *bad_pairs(self.detector)[1]):
            white[:, pair.columns] = rng.normal(0, _BAD_NOISE, (ROWS, 2))
        frame += white
        return frame


def _late(frequency: NDArray[np.floating], output: int) -> NDArray[np.complex64]:
    """Factor on a spectrum that delays it as much as an output lags behind the reference output."""
    return np.asarray(np.exp(-2j * np.pi * frequency * (_DELAY * output)), np.complex64)


class Filter(NamedTuple):
    """Factors on the spectra of the reference output (alpha) and of an output's interleaved pixels (beta)."""

    alpha: NDArray[np.complex64]
    beta: NDArray[np.complex64]


class _Spectra(NamedTuple):
    """Powers per frequency: noise of common and of own origin, white noise of both kinds of references."""

    frequency: NDArray[np.float64]
    common: NDArray[np.float64]
    own: NDArray[np.float64]
    interleaved: NDArray[np.float64]
    output: float


def _spectra(detector: Detector, subarray: Subarray) -> _Spectra:
    line = _line_length()
    length = ROWS * line
    frequency = scipy.fft.fftfreq(length)
    number = np.maximum(np.abs(frequency * length), 1)
    power = 1 / number
    power *= subarray.noise.one_over_f**2 / power[1:].sum() * length
    shared = subarray.noise.shared_fraction
    # A visit in every 22 pixel times tells nothing of what is faster than half of that.
    limit = 1 / (2 * (NORMAL + REFERENCE + 2))
    passed = np.clip((1 - np.abs(frequency) / limit) / 0.3, 1e-9, 1)
    white = detector.read_noise**2 * line / (_BLOCKS * REFERENCE)
    output = (_OUTPUT_NOISE * detector.read_noise) ** 2 * line / _WIDTH
    return _Spectra(frequency, power * shared, power * (1 - shared), white / passed, output)


def _wiener(s: _Spectra) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights of reference output and interleaved pixels with the least mean square error (Wiener filter).

    The noise x = c + o of an output is estimated from its interleaved pixels, x + white noise, and from the
    reference output, c + white noise: the normal equations have two unknowns per frequency.
    """
    noise, interleaved, output = s.common + s.own, s.common + s.own + s.interleaved, s.common + s.output
    determinant = interleaved * output - s.common**2
    alpha = (s.common * interleaved - s.common * noise) / determinant
    beta = (noise * output - s.common**2) / determinant
    return alpha, beta


def correction_filters(detector: Detector, subarray: Subarray) -> tuple[Filter, ...]:
    """Best filters of the four outputs, one factor per frequency of a frame of 712 x 2048 pixel times.

    The interleaved pixels stand twice each in a series that is zero elsewhere: beta makes up for that.
    """
    spectra = _spectra(detector, subarray)
    alpha, beta = _wiener(spectra)
    filling = _line_length() / (2 * _BLOCKS * REFERENCE)
    return tuple(
        Filter(
            (alpha * _late(spectra.frequency, output)).astype(np.complex64),
            (beta * filling).astype(np.complex64),
        )
        for output in range(1, _OUTPUTS)
    )


def residual_variance(detector: Detector, subarray: Subarray) -> float:
    """Variance that the best correction leaves in a frame, beside the white noise of the pixel itself; DN^2."""
    spectra = _spectra(detector, subarray)
    alpha, beta = _wiener(spectra)
    noise = spectra.common + spectra.own
    return float(np.mean(noise - beta * noise - alpha * spectra.common))
