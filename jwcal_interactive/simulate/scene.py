"""The sky that falls on a detector: stars, galaxies, spectra, background, in e-/s per pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scene", "sky_rate"]

_MOFFAT_BETA = 2.6
_TRACE_WIDTH = 1.4  # pixels, sigma across a spectrum
_TRACE_REACH = 8  # pixels on either side, beyond which nothing is left
_TRACE_BEND = 3.0  # pixels between the middle and the ends
_LINES = 12  # emission lines per spectrum
_STAMP_RADII = ((3e4, 160), (3e3, 80), (0.0, 32))  # total rate above which a stamp needs that radius


@dataclass(frozen=True)
class Scene:
    """What is on the sky; counts are for a whole detector, rates in e-/s.

    Attributes
    ----------
    background : float
        Rate per pixel; it varies by a few per cent over the field.
    stars, galaxies : int
        Numbers of sources.
    star_rates, galaxy_rates : tuple of float
        Faintest and brightest total rate; numbers fall as a power law of index -1.4 (stars), -1.8.
    fwhm : float
        Width of the point-spread function (a Moffat profile), pixels.
    traces : int
        Spectra, dispersed along the rows at equal distances; if their number is odd, one lies in the middle.
    trace_rates : tuple of float
        Faintest and brightest continuum, e-/s per pixel on the ridge of a spectrum.
    trace_span : tuple of float
        Where spectra begin and end, as shares of a row.
    """

    background: float = 0.2
    stars: int = 700
    star_rates: tuple[float, float] = (20.0, 2e5)
    galaxies: int = 350
    galaxy_rates: tuple[float, float] = (20.0, 5e3)
    fwhm: float = 2.0
    traces: int = 0
    trace_rates: tuple[float, float] = (3.0, 300.0)
    trace_span: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def spectra(cls, traces: int = 21, span: tuple[float, float] = (0.0, 1.0)) -> Scene:
        """Spectra on a dark ground, as a spectrograph with slits sees the sky."""
        return cls(background=0.0, stars=0, galaxies=0, traces=traces, trace_span=span)


def _power_law(
    rng: np.random.Generator, n: int, limits: tuple[float, float], index: float
) -> NDArray[np.float64]:
    """Draw from dN/dx ~ x^index between the limits, by inverting the cumulative distribution."""
    low, high = (limit ** (index + 1) for limit in limits)
    return np.asarray((low + (high - low) * rng.random(n)) ** (1 / (index + 1)))


def _add_stamp(
    sky: NDArray[np.float32],
    window: tuple[slice, slice],
    centre: tuple[float, float],
    radius: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]] | None:
    """Offsets (dy, dx) from a source's centre over its stamp, and the stamp's part of the sky."""
    spans = []
    for middle, part in zip(centre, window, strict=True):
        first = max(round(middle) - radius, part.start)
        last = min(round(middle) + radius + 1, part.stop)
        if first >= last:
            return None
        spans.append((first, last, part.start))
    (y0, y1, oy), (x0, x1, ox) = spans
    dy = np.arange(y0, y1)[:, None] - centre[0]
    dx = np.arange(x0, x1)[None, :] - centre[1]
    return dy, dx, sky[y0 - oy : y1 - oy, x0 - ox : x1 - ox]


def _add_star(
    sky: NDArray[np.float32],
    window: tuple[slice, slice],
    centre: tuple[float, float],
    rate: float,
    fwhm: float,
) -> None:
    """Add a Moffat profile (Moffat 1969, A&A 3, 455) sampled at the pixel centres."""
    radius = next(r for limit, r in _STAMP_RADII if rate >= limit)
    stamp = _add_stamp(sky, window, centre, radius)
    if stamp is None:
        return
    dy, dx, target = stamp
    alpha2 = (fwhm / 2) ** 2 / (2 ** (1 / _MOFFAT_BETA) - 1)
    peak = rate * (_MOFFAT_BETA - 1) / (np.pi * alpha2)
    target += (peak * (1 + (dx**2 + dy**2) / alpha2) ** -_MOFFAT_BETA).astype(np.float32)


def _add_galaxy(
    sky: NDArray[np.float32],
    window: tuple[slice, slice],
    centre: tuple[float, float],
    rate: float,
    shape: tuple[float, float, float],
) -> None:
    """Add an exponential disc; ``shape`` is (scale length in pixels, axis ratio, angle in rad)."""
    scale, ratio, angle = shape
    stamp = _add_stamp(sky, window, centre, int(12 * scale) + 4)
    if stamp is None:
        return
    dy, dx, target = stamp
    major = dx * np.cos(angle) + dy * np.sin(angle)
    minor = (dy * np.cos(angle) - dx * np.sin(angle)) / ratio
    profile = np.exp(-np.sqrt(major**2 + minor**2 + 0.25) / scale)
    target += (rate / (2 * np.pi * scale**2 * ratio) * profile).astype(np.float32)


def _add_traces(
    sky: NDArray[np.float32],
    window: tuple[slice, slice],
    shape: tuple[int, int],
    scene: Scene,
    rng: np.random.Generator,
) -> None:
    """Add spectra: a sloping continuum with emission lines, Gaussian across a slightly bent ridge."""
    ny, nx = shape
    x = np.arange(nx) / nx
    low, high = scene.trace_rates
    lit = (x >= scene.trace_span[0]) & (x < scene.trace_span[1])
    rows = np.arange(window[0].start, window[0].stop)
    for number in range(scene.traces):
        spectrum = low * (high / low) ** rng.random() * (1 + rng.uniform(-0.5, 0.5) * x)
        for place, strength in zip(rng.random(_LINES), rng.exponential(2.0, _LINES), strict=True):
            spectrum = spectrum * (1 + strength * np.exp(-(((x - place) * nx / 2.5) ** 2)))
        spectrum = spectrum * lit
        ridge = ny * (number + 0.5) / scene.traces - 0.5 + _TRACE_BEND * (2 * x - 1) ** 2
        near = np.abs(rows - ridge.mean()) <= _TRACE_REACH + _TRACE_BEND
        offset = rows[near, None] - ridge[None, window[1]]
        profile = np.exp(-((offset / _TRACE_WIDTH) ** 2) / 2) * (np.abs(offset) <= _TRACE_REACH)
        sky[near] += (profile * spectrum[window[1]]).astype(np.float32)


def sky_rate(
    scene: Scene, shape: tuple[int, int], window: tuple[slice, slice], seed: int
) -> NDArray[np.float32]:
    """Photo-electron rate of every pixel of a subarray.

    The sky is laid out over the whole detector, so that a subarray sees its part of the same sky.

    Parameters
    ----------
    scene : Scene
        What to draw.
    shape : (int, int)
        (ny, nx) of the whole detector.
    window : (slice, slice)
        Rows and columns of the subarray.
    seed : int
        Seed of the positions and brightnesses.

    Returns
    -------
    ndarray of float32, shape of the window
        e-/s.
    """
    rng = np.random.default_rng([seed, 1])
    ny, nx = shape
    rows = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None] / ny - 0.5
    columns = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None, :] / nx - 0.5
    sky = (scene.background * (1 + 0.04 * rows - 0.03 * columns)).astype(np.float32)

    rates = _power_law(rng, scene.stars, scene.star_rates, -1.4)
    centres = rng.random((scene.stars, 2)) * shape
    for rate, centre in zip(rates, centres, strict=True):
        _add_star(sky, window, (float(centre[0]), float(centre[1])), float(rate), scene.fwhm)

    rates = _power_law(rng, scene.galaxies, scene.galaxy_rates, -1.8)
    centres = rng.random((scene.galaxies, 2)) * shape
    scales = rng.uniform(1.2, 5.0, scene.galaxies)
    ratios = rng.uniform(0.25, 1.0, scene.galaxies)
    angles = rng.uniform(0.0, np.pi, scene.galaxies)
    for rate, centre, *form in zip(rates, centres, scales, ratios, angles, strict=True):
        middle = (float(centre[0]), float(centre[1]))
        _add_galaxy(sky, window, middle, float(rate), (form[0], form[1], form[2]))
    _add_traces(sky, window, shape, scene, rng)
    return sky
