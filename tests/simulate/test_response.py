"""Non-linearity and inter-pixel capacitance against their inverses."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from jwcal_interactive.simulate.detectors import DETECTORS
from jwcal_interactive.simulate.response import (
    correction_coefficients,
    couple_neighbours,
    decoupling_kernel,
    inverse_coefficients,
    measured_counts,
)

DETECTOR = DETECTORS["NRCALONG"]


@given(st.floats(-100, 46_000), st.floats(0.85, 1.15))
def test_correction_polynomial_undoes_the_response(linear: float, scale: float) -> None:
    scales = np.full((1, 1), scale, np.float32)
    shown = measured_counts(np.full((1, 1), linear, np.float32), DETECTOR, scales)
    coefficients = correction_coefficients(DETECTOR, scales)[:, 0, 0].astype(float)
    corrected = np.polynomial.polynomial.polyval(float(shown[0, 0]), coefficients)
    assert abs(corrected - linear) <= 0.02 + 3e-7 * abs(linear)


def test_response_is_several_per_cent_below_linear_at_the_full_well() -> None:
    linear = np.full((1, 1), DETECTOR.full_well / DETECTOR.gain, np.float32)
    shown = measured_counts(linear, DETECTOR, np.ones((1, 1), np.float32))
    assert 0.02 < 1 - shown.item() / linear.item() < 0.10


def test_inverse_polynomial_follows_the_response() -> None:
    linear = np.linspace(0, 45_000, 200, dtype=np.float32)[None]
    scale = np.linspace(0.9, 1.1, 200, dtype=np.float32)[None]
    shown = measured_counts(linear, DETECTOR, scale)
    coefficients = inverse_coefficients(DETECTOR, scale).astype(float)
    predicted = sum(c * linear.astype(float) ** k for k, c in enumerate(coefficients))
    assert np.abs(predicted - shown).max() < 1  # DN; the response departs by 2400 DN


def test_coupling_keeps_the_charge() -> None:
    image = np.zeros((21, 21), np.float32)
    image[10, 10] = 10_000
    coupled = couple_neighbours(image, DETECTOR)
    assert np.isclose(coupled.sum(), 10_000, rtol=1e-6)
    assert np.isclose(coupled[10, 11], 10_000 * DETECTOR.ipc_edge)
    assert np.isclose(coupled[11, 11], 10_000 * DETECTOR.ipc_corner)


def test_decoupling_kernel_undoes_the_coupling() -> None:
    rng = np.random.default_rng(3)
    image = rng.uniform(0, 1000, (64, 64)).astype(np.float32)
    restored = ndimage.convolve(couple_neighbours(image, DETECTOR), decoupling_kernel(DETECTOR))
    inner = np.s_[4:-4, 4:-4]
    assert np.abs(restored - image)[inner].max() < 4e-4 * 1000
