"""Offsets of the amplifiers that the reference pixels show, before refpix and after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.instruments import is_interleaved
from jwcal_interactive.region_noise import amplifier_image
from jwcal_interactive.steps.irs2 import normal_rows
from jwcal_interactive.steps.readout import DetectorFrame

__all__ = ["Part", "reference_offsets"]


class Part(NamedTuple):
    """Reference pixels that drift together: those of an amplifier, from 1, in odd or in even lines.

    Lines are columns of near-infrared detectors and rows of MIRI, counted from 1 on the detector.
    """

    amplifier: int
    odd: bool


def reference_offsets(ramp: Ramp, integration: int = 1) -> Mapping[Part, NDArray[np.float64]]:
    """Median of the usable reference pixels at the edges of the detector, by amplifier and parity.

    Parameters
    ----------
    ramp : Ramp
        Pixels with REFERENCE_PIXEL and without DO_NOT_USE count; of the IRS2 read-out not those that are
        interleaved.
    integration : int
        From 1.

    Returns
    -------
    mapping of Part to float64 (ngroups,)
        DN; empty without usable reference pixels.
    """
    frame = (ramp.data.shape[-2], ramp.data.shape[-1])
    use = (ramp.pixeldq & np.uint32(DQ.REFERENCE_PIXEL | DQ.DO_NOT_USE)) == np.uint32(DQ.REFERENCE_PIXEL)
    if is_interleaved(frame):
        use &= normal_rows(ramp.exposure)[:, None]
    amplifier = amplifier_image(ramp.exposure, frame)[use]
    odd = _odd_lines(ramp, frame)[use]
    values = [group[use] for group in ramp.data[integration - 1]]
    offsets = {}
    for number in np.unique(amplifier):
        for parity in (True, False):
            chosen = (amplifier == number) & (odd == parity)
            if chosen.any():
                medians = [_median(group[chosen]) for group in values]
                offsets[Part(int(number), parity)] = np.array(medians)
    return offsets


def _median(values: NDArray[np.float32]) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else np.nan


def _odd_lines(ramp: Ramp, frame: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixels are in odd lines, counted from 1."""
    detector = DetectorFrame.of(ramp.exposure)
    shape = frame if detector.fast_is_x else frame[::-1]
    rows, columns = np.indices(shape, sparse=True)
    mid_infrared = ramp.exposure.instrument == "MIRI"
    place = rows + detector.row0 if mid_infrared else columns + detector.column0
    return detector.to_science(np.broadcast_to(place % 2 == 0, shape))
