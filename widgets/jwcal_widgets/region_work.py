"""What the pages of the region panel are computed from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U32, GuiderSlopes, Ramp, Rates, State
from jwcal_interactive.errors import Cancelled, JwcalError
from jwcal_interactive.region import Box, count_region_flags, region_histogram, region_ramp
from jwcal_interactive.region_noise import amplifier_image, difference_noise, line_noise, noise_power
from jwcal_interactive.tiles import Tiles

__all__ = ["FLAGS", "NOISE", "POWER", "RAMP", "SLOPES", "WHOLE", "Job", "Selection", "frame_of", "work_of"]

RAMP, SLOPES, NOISE, POWER, FLAGS = "ramp", "slopes", "noise", "1/f", "flags"
"""Names of the pages."""

WHOLE = 0
"""As an integration: the whole exposure."""

Selection = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Job:
    """What to compute.

    Attributes
    ----------
    page : str
    state : State
    integration : int
        From 1, or `WHOLE`.
    box : Box
    selection : bool array of the shape of the box, or None
    from_first : bool
        See `region_ramp`.
    """

    page: str
    state: State
    integration: int
    box: Box
    selection: Selection | None
    from_first: bool


def frame_of(state: State) -> tuple[int, int]:
    """Rows and columns of a state."""
    shape = state.rate.data.shape if isinstance(state, Rates) else state.data.shape
    return shape[-2], shape[-1]


def work_of(job: Job, cancel: threading.Event) -> Callable[[], Any]:
    """Give what does a job: it returns numbers for the page, or in words why there are none."""
    tiles = Tiles(threads=1, cancel=cancel)

    def work() -> Any:
        try:
            return _compute(job, tiles)
        except JwcalError as error:
            return str(error)
        except Cancelled:
            return ""  # another job took its place

    return work


def _compute(job: Job, tiles: Tiles) -> Any:
    state, k, box, selection = job.state, job.integration, job.box, job.selection
    if job.page == SLOPES:
        return region_histogram(*_slopes(state, k), box, selection)
    if job.page == FLAGS:
        pixels = box.shape[0] * box.shape[1] if selection is None else int(selection.sum())
        if isinstance(state, Ramp):
            return count_region_flags(state.pixeldq, state.groupdq[k - 1], box, selection), pixels
        return count_region_flags(_slopes(state, k)[1], None, box, selection), pixels
    assert isinstance(state, Ramp)
    if job.page == RAMP:
        return region_ramp(state, k, box, selection, from_first=job.from_first)
    images = difference_noise(state, k, box, selection, tiles)
    amplifiers = amplifier_image(state.exposure, frame_of(state))[box.rows, box.columns]
    if job.page == NOISE:
        return line_noise(images, amplifiers, tiles)
    return noise_power(images, state.exposure, amplifiers, tiles)


def _slopes(state: State, integration: int) -> tuple[F32, U32]:
    """Slopes and flags of an integration (a slice, of a guider exposure), or of the whole exposure."""
    if isinstance(state, GuiderSlopes):
        return state.data[max(integration, 1) - 1], state.dq
    assert isinstance(state, Rates)
    if integration == WHOLE:
        return state.rate.data, state.rate.dq
    return state.rateints.data[integration - 1], state.rateints.dq[integration - 1]
