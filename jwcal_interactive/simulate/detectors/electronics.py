"""Noise of near-infrared readout electronics that several detectors share."""

from __future__ import annotations

from jwcal_interactive.simulate.detectors.description import ReadoutNoise

__all__ = ["FOUR_OUTPUTS", "ONE_OUTPUT"]

FOUR_OUTPUTS = ReadoutNoise(
    one_over_f=1.0,
    shared_fraction=0.6,
    amplifier_offset=3.0,
    odd_even_offset=0.8,
    row_drift=2.0,
)
# A subarray away from the edges has no reference pixels: what drifts there stays in the slopes.
# So the drift of a single output over the shorter frame is small, or no calibration could be exact.
ONE_OUTPUT = ReadoutNoise(
    one_over_f=1.0,
    shared_fraction=1.0,
    amplifier_offset=0.03,
    odd_even_offset=0.01,
    row_drift=0.0,
)
