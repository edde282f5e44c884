"""How an exposure was read out: detector frame, frames of a group, modes that are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, as_whole_number
from jwcal_interactive.errors import InputError, Skip
from jwcal_interactive.instruments import FULL_SIZE, IRS2_FRAME, is_interleaved, unsupported_readout

__all__ = [
    "REFERENCE_WIDTH",
    "DetectorFrame",
    "frame_numbers",
    "frame_time",
    "integrations_of_exposure",
    "only_for_miri",
    "refuse_unsupported",
]

REFERENCE_WIDTH = 4
"""Width of the border of reference pixels of a near-infrared detector, pixels."""


def refuse_unsupported(ramp: Ramp, step: str, *, interleaved: bool = False) -> None:
    """Refuse read-outs whose arrays do not mean what this version's steps take them for.

    Parameters
    ----------
    ramp : Ramp
    step : str
        For the message.
    interleaved : bool
        The step takes frames of the IRS2 read-out before refpix has removed their reference pixels.

    Raises
    ------
    InputError
        Naming the keyword.
    """
    exposure = ramp.exposure
    if is_interleaved(ramp.data.shape) and not interleaved:
        raise InputError(
            f"{exposure.filename}: READPATT = {exposure.readpatt}: the frames have {IRS2_FRAME[0]} rows, those "
            f"of the interleaved reference pixels among them; the step {step} needs frames without. Run "
            "refpix before it, with a refpix reference and preserve_irs2_refpix=False."
        )
    what = unsupported_readout(exposure, ramp.data.shape[-2:])
    if what:
        raise InputError(
            f"{exposure.filename}: {what} is not supported by the step {step} of this version. Use the "
            "official pipeline."
        )


def only_for_miri(exposure: Exposure) -> None:
    """Skip a step of the MIRI detectors on any other.

    Raises
    ------
    Skip
    """
    if exposure.instrument != "MIRI":
        raise Skip(f"it is for MIRI, the exposure is of {exposure.instrument}")


def integrations_of_exposure(exposure: Exposure) -> int:
    """Integrations of the whole exposure (NINTS), of which the file may be a segment."""
    total = as_whole_number(exposure.keyword("NINTS"))
    return max(exposure.nints, total or 0)


def frame_numbers(exposure: Exposure) -> NDArray[np.float64]:
    """Frame numbers averaged in each group, counted from 1 after the reset.

    NFRAMES frames are averaged and GROUPGAP frames are dropped after them. The official pipeline
    leaves out the dropped frames in the two places that use these numbers (saturation and linearity
    of averaged groups), although charge is collected meanwhile; results differ where GROUPGAP > 0.

    Returns
    -------
    ndarray
        float64, shape (ngroups, nframes).
    """
    first = np.arange(exposure.ngroups) * (exposure.nframes + exposure.groupgap)
    return first[:, None] + np.arange(1.0, exposure.nframes + 1)


def frame_time(exposure: Exposure) -> float:
    """TFRAME, s, or what it must be where a file does not have it."""
    if exposure.frame_time is not None:
        return exposure.frame_time
    return exposure.group_time / (exposure.nframes + exposure.groupgap)


@dataclass(frozen=True)
class DetectorFrame:
    """The detector's own orientation: rows along the slow, columns along the fast read direction.

    Attributes
    ----------
    fastaxis, slowaxis : int
        1 or 2: along the columns (x) or rows (y) of the science frame; negative: against them.
    row0, column0 : int
        Place of the first pixel of the array on the detector, in the detector frame, from 0.
    """

    fastaxis: int
    slowaxis: int
    row0: int
    column0: int

    @classmethod
    def of(cls, exposure: Exposure) -> DetectorFrame:
        """Derive the frame from FASTAXIS, SLOWAXIS and the subarray keywords.

        Raises
        ------
        InputError
            If FASTAXIS and SLOWAXIS are not one of each of +-1 and +-2.
        """
        fast, slow = exposure.fastaxis, exposure.slowaxis
        if {abs(fast), abs(slow)} != {1, 2}:
            raise InputError(
                f"{exposure.filename}: FASTAXIS = {fast} and SLOWAXIS = {slow} are not a detector "
                "orientation; one of them must be 1 or -1, the other 2 or -2."
            )
        start = {1: exposure.xstart - 1, 2: exposure.ystart - 1}
        size = {1: exposure.xsize, 2: exposure.ysize}

        def origin(axis: int) -> int:
            first = start[abs(axis)]
            return first if axis > 0 else FULL_SIZE - first - size[abs(axis)]

        return cls(fast, slow, origin(slow), origin(fast))

    @property
    def fast_is_x(self) -> bool:
        """Whether detector columns lie along x of the science frame."""
        return abs(self.fastaxis) == 1

    def from_science(self, array: NDArray[Any]) -> NDArray[Any]:
        """View an array (..., y, x) of the science frame as (..., row, column) of the detector."""
        turned = array if self.fast_is_x else np.swapaxes(array, -2, -1)
        return turned[..., :: np.sign(self.slowaxis), :: np.sign(self.fastaxis)]

    def to_science(self, array: NDArray[Any]) -> NDArray[Any]:
        """View an array (..., row, column) of the detector as (..., y, x) of the science frame."""
        turned = array[..., :: np.sign(self.slowaxis), :: np.sign(self.fastaxis)]
        return turned if self.fast_is_x else np.swapaxes(turned, -2, -1)
