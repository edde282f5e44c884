"""Stripes of 1/f noise in the groups: their power before and after a step, and what was subtracted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwcal_interactive.arrays import F32, Ramp
from jwcal_interactive.region import Box
from jwcal_interactive.region_noise import RegionPower, amplifier_image, difference_noise, noise_power
from jwcal_interactive.steps.readout import DetectorFrame
from jwcal_interactive.tiles import Tiles

__all__ = ["StripePower", "stripe_power", "subtracted"]

_LINES = 256


@dataclass(frozen=True, eq=False)
class StripePower:
    """Power spectra of the noise of differences of groups in a band of whole lines.

    Attributes
    ----------
    before, after : RegionPower
    box : Box
        The band.
    """

    before: RegionPower
    after: RegionPower
    box: Box


def stripe_power(
    before: Ramp, after: Ramp, integration: int = 1, *, lines: int = _LINES, tiles: Tiles | None = None
) -> StripePower:
    """Measure the noise in the middle of the frame, along the lines that are read out one after the other.

    Parameters
    ----------
    before, after : Ramp
        Of the same frame.
    integration : int
        From 1.
    lines : int
        At most so many lines are looked at.
    tiles : Tiles, optional
        To cancel.

    Raises
    ------
    InputError
        With fewer than four groups, or without a usable pixel.
    """
    ny, nx = after.pixeldq.shape
    along_x = DetectorFrame.of(after.exposure).fast_is_x
    length = ny if along_x else nx
    start = max((length - lines) // 2, 0)
    stop = min(start + lines, length)
    box = Box(0, start, nx, stop) if along_x else Box(start, 0, stop, ny)
    amplifiers = amplifier_image(after.exposure, (ny, nx))[box.rows, box.columns]
    powers = [
        noise_power(difference_noise(ramp, integration, box, tiles=tiles), after.exposure, amplifiers, tiles)
        for ramp in (before, after)
    ]
    return StripePower(powers[0], powers[1], box)


def subtracted(before: Ramp, after: Ramp, integration: int = 1) -> F32:
    """Find what a step took from the last group of an integration, DN, (ny, nx)."""
    with np.errstate(invalid="ignore"):
        difference: F32 = before.data[integration - 1, -1] - after.data[integration - 1, -1]
    return difference
