"""From charge to counts and back: non-linearity and inter-pixel capacitance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.simulate.detectors import Detector

__all__ = [
    "correction_coefficients",
    "correction_slope",
    "couple_neighbours",
    "decoupling_kernel",
    "inverse_coefficients",
    "measured_counts",
]

Image = NDArray[np.float32]
_BAND = 64  # rows handled at a time: keeps the temporaries in the processor's cache


def correction_coefficients(detector: Detector, scale: Image) -> NDArray[np.float32]:
    """Coefficients c0..c4 of the correction polynomial ``linear = sum c_k counts^k``.

    Parameters
    ----------
    detector : Detector
        Holds b, c, d of ``counts (1 + b counts + c counts^2 + d counts^3)``.
    scale : ndarray, shape (ny, nx)
        Factor on b, c and d of each pixel.

    Returns
    -------
    ndarray of float32, shape (5, ny, nx)
    """
    coefficients = np.zeros((5, *scale.shape), np.float32)
    coefficients[1] = 1.0
    for plane, coefficient in enumerate(detector.linearity, start=2):
        np.multiply(scale, np.float32(coefficient), out=coefficients[plane])
    return coefficients


def correction_slope(detector: Detector, scale: Image, counts: Image) -> Image:
    """Give the derivative of the correction polynomial at some counts, shape (ny, nx)."""
    b, c, d = (scale * np.float32(value) for value in detector.linearity)
    return 1 + counts * (2 * b + counts * (3 * c + counts * 4 * d))


def inverse_coefficients(detector: Detector, scale: Image) -> NDArray[np.float32]:
    """Coefficients of the polynomial that gives counts from linear counts, up to the full well.

    Fitted to the exact inverse for some values of the scale, and between these by parabolas.

    Parameters
    ----------
    detector : Detector
        As for `correction_coefficients`.
    scale : ndarray, shape (ny, nx)
        Factor on b, c and d of each pixel.

    Returns
    -------
    ndarray of float32, shape (6, ny, nx)
        Within 1 DN of the exact inverse for scales between 0.85 and 1.15.
    """
    degrees = np.arange(2, 6)
    top = detector.full_well / detector.gain
    linear = np.linspace(0, top, 400)
    nodes = np.linspace(0.85, 1.15, 7)
    powers = (linear[:, None] / top) ** degrees
    fits = []
    for node in nodes:
        exact = measured_counts(linear[None].astype(np.float32), detector, np.full((1, 400), node, np.float32))
        solution = np.linalg.lstsq(powers, exact[0].astype(np.float64) - linear, rcond=None)[0]
        fits.append(solution / top**degrees)
    parabolas = np.polynomial.polynomial.polyfit(nodes, np.array(fits), 2)

    inverse = np.zeros((6, *scale.shape), np.float32)
    inverse[1] = 1.0
    for degree, (constant, first, second) in zip(degrees, parabolas.T, strict=True):
        inverse[degree] = constant + scale * (first + scale * second)
    return inverse


def measured_counts(linear: Image, detector: Detector, scale: Image) -> Image:
    """Invert the correction polynomial: counts that the detector shows for linear counts.

    Newton's method from the second-order inverse; two steps are exact to float32 over the full
    range of the detector.

    Parameters
    ----------
    linear, scale : ndarray of float32, shape (ny, nx)
        Linear counts, DN; factor on the detector's coefficients.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        DN.
    """
    counts = np.empty_like(linear)
    for start in range(0, linear.shape[0], _BAND):
        rows = slice(start, start + _BAND)
        target, factor = linear[rows], scale[rows]
        b, c, d = (factor * np.float32(value) for value in detector.linearity)
        x = target * (1 - b * target)
        for _ in range(2):
            error = x * (1 + x * (b + x * (c + x * d))) - target
            x -= error / (1 + x * (2 * b + x * (3 * c + 4 * d * x)))
        counts[rows] = x
    return counts


def couple_neighbours(signal: Image, detector: Detector) -> Image:
    """Spread each pixel's signal over its neighbours; at the edges as if the image went on.

    Parameters
    ----------
    signal : ndarray of float32, shape (ny, nx)
        Pixels that see light only: reference pixels do not take part.
    """
    padded = np.pad(signal, 1, mode="edge")
    edges = padded[:-2, 1:-1] + padded[2:, 1:-1]
    edges += padded[1:-1, :-2]
    edges += padded[1:-1, 2:]
    corners = padded[:-2, :-2] + padded[2:, 2:]
    corners += padded[:-2, 2:]
    corners += padded[2:, :-2]
    edges *= np.float32(detector.ipc_edge)
    corners *= np.float32(detector.ipc_corner)
    edges += corners
    edges += signal * np.float32(1 - 4 * (detector.ipc_edge + detector.ipc_corner))
    return edges


def _coupling_kernel(detector: Detector) -> NDArray[np.float64]:
    kernel = np.full((3, 3), detector.ipc_corner)
    kernel[1, :] = kernel[:, 1] = detector.ipc_edge
    kernel[1, 1] = 1 - 4 * (detector.ipc_edge + detector.ipc_corner)
    return kernel


def decoupling_kernel(detector: Detector) -> NDArray[np.float32]:
    """3x3 kernel that undoes `couple_neighbours`: the inverse in Fourier space, cut and normalised.

    Returns
    -------
    ndarray of float32, shape (3, 3)
        Its sum is 1. What is cut off is of the order of the square of the coupling, 3e-5.
    """
    size = 33
    wide = np.zeros((size, size))
    wide[:3, :3] = _coupling_kernel(detector)
    wide = np.roll(wide, (-1, -1), (0, 1))
    inverse = np.fft.fftshift(np.fft.ifft2(1 / np.fft.fft2(wide)).real)
    middle = size // 2
    cut = inverse[middle - 1 : middle + 2, middle - 1 : middle + 2]
    return np.asarray(cut / cut.sum(), np.float32)
