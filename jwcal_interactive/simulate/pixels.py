"""Maps of the properties of each pixel, drawn once and for all from the detector's seed.

The reference files and the exposures are made from the same maps: that is why a calibration with
these references recovers the truth. A few pixels of every kind that flight references mark are
drawn too (`Population`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_interactive.simulate.detectors import Detector
from jwcal_interactive.simulate.orientation import detector_shape, to_science

__all__ = ["POPULATIONS", "PixelMaps", "Population", "full_pixel_maps", "picture_frame"]

Image = NDArray[np.float32]

_FRAME_GLOW = 0.05  # DN/s at the edge of the array
_FRAME_WIDTH = 90.0  # pixels


@dataclass(frozen=True)
class Population:
    """A kind of unusual pixels: how many there are and how each reference file shows them.

    ``reference`` names the reference file that tells of them; ``dq`` is their flag there, ``value``
    what stands in its array instead of a usable number (None: the number is usable). ``fraction``
    is that of the pixels that see light, or of the reference pixels if ``border``.
    """

    name: str
    fraction: float
    reference: str
    dq: int = 0
    value: float | None = None
    border: bool = False


POPULATIONS: tuple[Population, ...] = (
    Population("dead", 4e-4, "mask", DQ.DEAD | DQ.DO_NOT_USE),
    Population("open", 1e-4, "mask", DQ.OPEN | DQ.DO_NOT_USE),
    Population("hot", 5e-4, "mask", DQ.HOT),
    Population("telegraph", 1e-4, "mask", DQ.TELEGRAPH),
    Population("rc", 1e-4, "mask", DQ.RC | DQ.DO_NOT_USE),
    Population("bad reference", 5e-3, "mask", DQ.BAD_REF_PIXEL | DQ.DO_NOT_USE, border=True),
    Population("no gain", 5e-5, "gain", value=float("nan")),
    Population("negative gain", 2e-5, "gain", value=-1.0),
    Population("zero gain", 2e-5, "gain", value=0.0),
    Population("no saturation check", 1e-4, "saturation", DQ.NO_SAT_CHECK),
    Population("no saturation level", 5e-5, "saturation", value=float("nan")),
    Population("no linearity correction", 1e-4, "linearity", DQ.NO_LIN_CORR),
    Population("no linearity coefficients", 5e-5, "linearity", value=float("nan")),
    Population("zero linear term", 2e-5, "linearity", value=0.0),
    Population("unreliable bias", 2e-4, "superbias", DQ.UNRELIABLE_BIAS),
    Population("no bias", 2e-5, "superbias", DQ.UNRELIABLE_BIAS | DQ.DO_NOT_USE, float("nan")),
    Population("unreliable dark", 1e-4, "dark", DQ.UNRELIABLE_DARK),
    Population("no dark", 2e-5, "dark", value=float("nan")),
    # Later additions stand at the end: the draws before them stay as they were.
    Population("no flat", 5e-5, "flat", DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE, float("nan")),
    Population("zero flat", 2e-5, "flat", DQ.UNRELIABLE_FLAT, 0.0),
    Population("no reset", 2e-5, "reset", value=float("nan")),
    Population("bad reset", 5e-5, "reset", DQ.DO_NOT_USE),
)


@dataclass(frozen=True)
class PixelMaps:
    """Properties of every pixel, each of shape (ny, nx), in the science frame.

    ``gain`` in e-/DN, ``read_noise`` and ``bias`` in DN, ``dark`` in e-/s, ``full_well`` in e-;
    ``flat`` is the relative response to light; ``linearity`` scales the detector's coefficients;
    ``population`` is 0 or 1 + the index in `POPULATIONS`; ``light`` tells which pixels see light,
    ``reference`` the reference pixels.
    """

    gain: Image
    read_noise: Image
    bias: Image
    dark: Image
    full_well: Image
    flat: Image
    linearity: Image
    population: NDArray[np.uint8]
    light: NDArray[np.bool_]
    reference: NDArray[np.bool_]

    def cut(self, window: tuple[slice, slice]) -> PixelMaps:
        """Return the maps of a subarray (views)."""
        return PixelMaps(**{name: array[window] for name, array in vars(self).items()})

    def where(self, population: Population) -> NDArray[np.bool_]:
        """Tell which pixels belong to a population."""
        return np.asarray(self.population == 1 + POPULATIONS.index(population))


def _generator(detector: Detector, name: str) -> np.random.Generator:
    return np.random.default_rng([detector.seed, zlib.crc32(name.encode())])


def _scattered(detector: Detector, name: str, mean: float, relative_rms: float) -> Image:
    """Return a map with the given mean and relative rms (normal, cut at four sigma)."""
    if relative_rms == 0:
        return np.full((detector.ny, detector.nx), mean, np.float32)
    image = _generator(detector, name).standard_normal((detector.ny, detector.nx), np.float32)
    np.clip(image, -4, 4, out=image)
    image *= np.float32(mean * relative_rms)
    image += np.float32(mean)
    return image


def _bias(detector: Detector) -> Image:
    """Pixel-to-pixel pattern, a step between amplifiers, and a difference of odd and even columns (rows)."""
    image = _scattered(detector, "bias", detector.bias, detector.bias_scatter / detector.bias)
    steps = _generator(detector, "bias steps").normal(0.0, 120.0, 4).astype(np.float32)
    if detector.mid_infrared is not None:  # the columns go to the four amplifiers in turn
        image += np.resize(steps, detector.nx)
        image[::2] += np.float32(25.0)
        return image
    readout = np.zeros(detector_shape(image.shape, detector.fastaxis), np.float32)
    readout += np.repeat(steps, readout.shape[1] // 4)
    readout[:, ::2] += np.float32(25.0)
    image += to_science(readout, detector.fastaxis, detector.slowaxis)
    return image


def _populations(detector: Detector, reference: NDArray[np.bool_]) -> NDArray[np.uint8]:
    draw = _generator(detector, "population").random((detector.ny, detector.nx), np.float32)
    codes = np.zeros(draw.shape, np.uint8)
    for border, region in ((False, ~reference), (True, reference)):
        edges = np.cumsum([p.fraction * (p.border == border) for p in POPULATIONS])
        rare = region & (draw < edges[-1])
        codes[rare] = 1 + np.searchsorted(edges, draw[rare], side="right")
    return codes


@lru_cache(maxsize=1)
def full_pixel_maps(detector: Detector) -> PixelMaps:
    """Draw the maps of a whole detector.

    The result is shared between calls: its arrays are read-only.
    """
    shape = (detector.ny, detector.nx)
    reference = np.ones(shape, bool)
    reference[detector.light_window] = False
    population = _populations(detector, reference)
    codes = {p.name: 1 + i for i, p in enumerate(POPULATIONS)}
    blind = (population == codes["dead"]) | (population == codes["open"])

    dark = _scattered(detector, "dark", detector.dark, detector.dark_scatter)
    hot = population == codes["hot"]
    spread = _generator(detector, "hot").exponential(1.0, int(hot.sum()))
    dark[hot] = detector.hot_dark * (0.1 + spread)
    dark[reference] = 0.0

    maps = PixelMaps(
        gain=_scattered(detector, "gain", detector.gain, detector.gain_scatter),
        read_noise=_scattered(detector, "read noise", detector.read_noise, detector.read_noise_scatter),
        bias=_bias(detector),
        dark=dark,
        full_well=_scattered(detector, "full well", detector.full_well, detector.full_well_scatter),
        flat=_scattered(detector, "flat", 1.0, detector.flat_scatter),
        linearity=_scattered(detector, "linearity", 1.0, detector.linearity_scatter),
        population=population,
        light=~(reference | blind),
        reference=reference,
    )
    for array in vars(maps).values():
        array.flags.writeable = False
    return maps


def picture_frame(detector: Detector) -> Image:
    """Thermal glow along the edges of a detector, DN/s, shape (ny, nx); reference pixels do not see it."""
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in (detector.ny, detector.nx))
    distance = np.minimum(rows[:, None], columns[None, :]).astype(np.float32)
    glow: Image = np.zeros(distance.shape, np.float32)
    light = detector.light_window
    glow[light] = _FRAME_GLOW * np.exp(-distance[light] / _FRAME_WIDTH)
    return glow
