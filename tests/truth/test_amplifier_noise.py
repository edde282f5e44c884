"""What amplifier_noise takes away, and what it leaves, against what the simulator put in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from jwcal_interactive import Ramp, Rates, open_session
from jwcal_interactive.simulate import read_truth
from jwcal_interactive.steps.amplifier_noise import amplifier_noise
from jwcal_interactive.steps.ramp_fit import ramp_fit
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.truth

AMPLIFIERS = {"full-rapid": 4, "sub640-rapid-3": 1}


@pytest.mark.parametrize("name", AMPLIFIERS)
def test_row_noise_goes_and_sources_stay(
    name: str, simulated: Callable[[str], tuple[Path, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    raw, truth = simulated(name)
    slope, _ = read_truth(truth)
    session = open_session(raw, context="demo")
    session.run(last="jump")
    ramp = session.result("jump")
    assert isinstance(ramp, Ramp)
    refs = session.load_references("ramp_fit")
    cleaned = amplifier_noise(ramp, refs, amplifier_noise.params(save_mask=True), Tiles())
    before, after = (ramp_fit(r, refs, ramp_fit.params(), Tiles()) for r in (ramp, cleaned))
    sky = np.median(slope)
    good = (before.rate.dq == 0) & (after.rate.dq == 0)
    empty = good & (slope < 1.2 * sky)
    bright = good & (slope > 2 * sky)
    assert bright.sum() > 300

    rows = [line_noise(rates, slope, empty, AMPLIFIERS[name]) for rates in (before, after)]
    pixels = [np.std((rates.rate.data - slope)[empty]) for rates in (before, after)]
    offset = [np.median((rates.rate.data - slope)[empty]) for rates in (before, after)]
    bias = [np.median(((rates.rate.data - slope) / rates.rate.err)[bright]) for rates in (before, after)]
    with capsys.disabled():
        print(
            f"\n{name:<16} noise of lines {rows[0]:.4f} -> {rows[1]:.4f} DN/s "
            f"(factor {rows[0] / rows[1]:.1f}), of pixels {pixels[0]:.4f} -> {pixels[1]:.4f}; "
            f"median offset of the sky {offset[0]:+.5f} -> {offset[1]:+.5f}; "
            f"median pull of {bright.sum()} bright pixels {bias[0]:+.3f} -> {bias[1]:+.3f}"
        )
    assert rows[1] < rows[0] / 2
    assert pixels[1] < pixels[0]
    assert abs(offset[1]) < abs(offset[0]) + 0.1 * pixels[0]
    assert abs(bias[1]) < abs(bias[0]) + 0.05


def line_noise(rates: Rates, slope: NDArray[np.float32], use: NDArray[np.bool_], amplifiers: int) -> float:
    """Standard deviation of the noise that the pixels of a line and amplifier share, DN/s.

    The covariance of the means of odd and even pixels: noise that pixels do not share drops out. The noise
    common to all lines does not count.
    """
    residual = np.where(use, rates.rate.data - slope, np.nan)
    if abs(rates.exposure.slowaxis) == 1:
        residual = residual.T
    shared = []
    for part in np.array_split(residual, amplifiers, axis=1):
        known = (~np.isnan(part)).sum(axis=1) > 50
        odd, even = np.nanmean(part[known, ::2], axis=1), np.nanmean(part[known, 1::2], axis=1)
        shared.append(np.cov(odd, even)[0, 1])
    return float(np.sqrt(max(np.mean(shared), 0.0)))
