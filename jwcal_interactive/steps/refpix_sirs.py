"""refpix by convolution of the side reference pixels with optimized kernels (SIRS).

Simple improved reference subtraction: Rauscher, B. J. 2022, PASP 134, 015001. For each amplifier the
reference holds the weights, as a function of frequency along the slow axis, with which the reference
pixels at both sides predict its drifts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Exposure, Reference
from jwcal_interactive.errors import ReferenceError
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE
from jwcal_interactive.steps.readout import REFERENCE_WIDTH
from jwcal_interactive.steps.refpix_signals import Measure, Signals

__all__ = ["sirs_kernels", "with_templates"]

_SIGMA_PER_MAD = 1.48
"""Standard deviation of a normal distribution over its median absolute deviation, as officially rounded."""


def sirs_kernels(
    reference: Reference | None, exposure: Exposure, smoothing: float, halfwidth: int
) -> NDArray[np.float64] | None:
    """Make the kernels of a detector.

    Parameters
    ----------
    reference : Reference or None
        Of type sirskernel: ``{detector: {gamma, zeta}}``, Fourier coefficients of the left and the right
        kernel for each of four amplifiers, frequencies 0 to Nyquist.
    exposure : Exposure
        Its detector.
    smoothing : float
        Width (sigma) of the Gaussian that smooths the kernels, rows.
    halfwidth : int
        Rows on each side of the middle of a kernel.

    Returns
    -------
    ndarray or None
        float64 (2, 4, 2 halfwidth + 1); ``None`` if there are none for the detector.

    Raises
    ------
    ReferenceError
        If the coefficients are not those of four amplifiers.
    """
    if reference is None:
        return None
    found: Any = {str(name).lower(): node for name, node in reference.tree.items()}.get(
        exposure.detector.lower()
    )
    if not isinstance(found, dict) or not {"gamma", "zeta"} <= set(found):
        return None
    sides = [np.asarray(found[name]) for name in ("gamma", "zeta")]
    if any(s.ndim != 2 or s.shape[0] != AMPLIFIERS or s.shape[1] < 2 for s in sides):
        raise ReferenceError(
            f"sirskernel reference {reference.name}: gamma and zeta of {exposure.detector} have the shapes "
            f"{[s.shape for s in sides]}; they must be ({AMPLIFIERS}, frequencies). Give another "
            "reference, or set refpix_algorithm to median."
        )
    lags = np.arange(-halfwidth, halfwidth + 1)
    window = np.exp(-(lags**2) / (2 * smoothing**2))
    window /= window.sum()
    return np.array([[_kernel(c, window, halfwidth) for c in side] for side in sides])


def _kernel(coefficients: NDArray[Any], window: NDArray[np.float64], halfwidth: int) -> NDArray[np.float64]:
    """Kernel of lags -halfwidth to halfwidth; 0 beyond those that the coefficients know."""
    known = np.fft.fftshift(np.fft.irfft(coefficients))  # lags -n to n - 1
    n = known.size // 2
    kernel = np.zeros(2 * halfwidth + 1)
    low, high = max(-halfwidth, -n), min(halfwidth, n - 1)
    kernel[low + halfwidth : high + halfwidth + 1] = known[low + n : high + n + 1]
    return np.convolve(kernel, window, mode="same")


def with_templates(measure: Measure, kernels: NDArray[np.float64], limit: float) -> Measure:
    """Take the signals of columns from ``measure``, and those of rows from convolution with kernels.

    Parameters
    ----------
    measure : callable
        Measures a full frame.
    kernels : float64 (2, 4, n)
        Of `sirs_kernels`.
    limit : float
        Side reference pixels further than this from the median of their side do not count, sigma.
    """

    def measured(plane: F32, single: bool) -> Signals:
        columns, _ = measure(plane, single)
        templates = np.zeros((AMPLIFIERS, plane.shape[0]))
        sides = slice(0, REFERENCE_WIDTH), slice(FULL_SIZE - REFERENCE_WIDTH, FULL_SIZE)
        for side, side_kernels in zip(sides, kernels, strict=True):
            values = plane[:, side] - columns[side]
            if single:
                values = values.astype(np.float32).astype(np.float64)
            level, share = _good_level(values, limit)
            for template, kernel in zip(templates, side_kernels, strict=True):
                template += _convolved(level, share, kernel)
        return columns, templates

    return measured


def _good_level(values: NDArray[np.float64], limit: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of the good pixels of each row over the number of all, and the share of the good ones."""
    middle = np.nanmedian(values)
    sigma = _SIGMA_PER_MAD * np.nanmedian(np.abs(values - middle))
    good = np.abs(values - middle) <= limit * sigma
    return np.where(good, values, 0).sum(axis=1) / REFERENCE_WIDTH, good.sum(axis=1) / REFERENCE_WIDTH


def _convolved(
    level: NDArray[np.float64], share: NDArray[np.float64], kernel: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Convolve, as if each missing pixel had the value that the others around it predict."""
    reach = np.convolve(share, kernel, mode="same")
    scale = np.convolve(np.ones(share.size), kernel, mode="same")
    scale = np.divide(scale, reach, out=np.zeros_like(scale), where=reach != 0)
    return np.convolve(level, kernel, mode="same") * scale
