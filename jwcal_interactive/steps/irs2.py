"""The IRS2 read-out of NIRSpec: where normal and reference pixels are in its frames.

Improved Reference Sampling and Subtraction (Moseley, S. H. et al. 2010, Proc. SPIE 7742, 77421B;
Rauscher, B. J. et al. 2017, PASP 129, 105003). Each of the four amplifiers reads 512 pixels of a
detector line; after 8 of them, and then after every 16, it leaves the line for 4 reads of reference
pixels. A fifth output, the reference output, is read along. A frame holds the 5 x 640 reads of each
line in the order of the fast axis, the reference output first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE, IRS2_FRAME, IRS2_RUNS, is_interleaved

__all__ = [
    "OUTPUTS",
    "READS",
    "is_reversed",
    "normal_pixels",
    "normal_reads",
    "normal_rows",
    "normal_shape",
    "read_parity",
]

OUTPUTS = 1 + AMPLIFIERS
"""The reference output and four amplifiers."""

READS = IRS2_FRAME[0] // OUTPUTS
"""Reads of one output in one line of the detector."""


def is_reversed(exposure: Exposure) -> bool:
    """Whether the science frame runs against the read directions of the detector, on both axes."""
    return exposure.detector == "NRS2"


def normal_reads() -> NDArray[np.bool_]:
    """Which reads of an output, shape (READS,), are of normal pixels; the same from both ends."""
    run, references = IRS2_RUNS["NRS_NORM"], IRS2_RUNS["NRS_REF"]
    return (np.arange(READS) + run // 2) % (run + references) < run


def read_parity() -> NDArray[np.bool_]:
    """Which reads across a frame, (3200,), belong to the odd columns of the detector.

    Normal pixels alternate; of four interleaved reads the first two are of an odd column.
    """
    reads = np.arange(IRS2_FRAME[0])
    return np.where(np.tile(normal_reads(), OUTPUTS), reads % 2 == 0, reads % 4 < 2)


def normal_rows(exposure: Exposure) -> NDArray[np.bool_]:
    """Which rows of an interleaved frame in the science frame hold normal pixels: 2048 of 3200."""
    rows = np.tile(normal_reads(), OUTPUTS)
    rows[:READS] = False
    return rows[::-1] if is_reversed(exposure) else rows


def normal_pixels(array: NDArray[Any], exposure: Exposure) -> NDArray[Any]:
    """Copy the rows with normal pixels of an array (..., 3200, 2048) of the science frame, C-contiguous."""
    return np.compress(normal_rows(exposure), array, axis=-2)


def normal_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape (..., ny, nx) of an array without its interleaved reference pixels."""
    return (*shape[:-2], FULL_SIZE, shape[-1]) if is_interleaved(shape) else shape
