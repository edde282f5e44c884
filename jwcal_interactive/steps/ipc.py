"""ipc: undo inter-pixel capacitance."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import F32, Ramp, Reference, References
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.instruments import FULL_SIZE
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import REFERENCE_WIDTH, refuse_unsupported
from jwcal_interactive.steps.references import shaped
from jwcal_interactive.tiles import Tiles

__all__ = ["IPCParams", "ipc"]


class IPCParams(StepParams):
    """ipc has no parameters of its own."""


@step("ipc", keyword="S_IPC", references=("ipc",), params=IPCParams)
def ipc(ramp: Ramp, refs: References, p: IPCParams, tiles: Tiles) -> Ramp:
    """Convolve every group with the reference's deconvolution kernel.

    Inter-pixel capacitance spreads part of a pixel's signal to its neighbours. Reference pixels
    neither change nor count. The zero frame is left as it is.
    """
    refuse_unsupported(ramp, "ipc")
    from jwcal_interactive.kernels.ipc import convolve

    ref = refs.get("ipc")
    if ref is None:
        raise Skip("there is no ipc reference (N/A) for this exposure")
    kernel = _kernels(ref, ramp.pixeldq.shape)
    low, high = _science(ramp.exposure.ystart, ramp.exposure.ysize)
    left, right = _science(ramp.exposure.xstart, ramp.exposure.xsize)
    data = np.empty_like(ramp.data)
    tiles.over_rows(
        data.shape[-2],
        lambda y0, y1: convolve(ramp.data, kernel, low, high, left, right, data, y0, y1),
    )
    return ramp.with_(data=data)


def _kernels(ref: Reference, shape: tuple[int, ...]) -> F32:
    """Check the reference; return its kernels as (rows, columns, ny or 1, nx)."""
    if ref.data.ndim not in (2, 4) or ref.data.shape[0] % 2 == 0 or ref.data.shape[1] % 2 == 0:
        raise ReferenceError(
            f"ipc reference {ref.name}: a kernel of shape {ref.data.shape} cannot be used; it must have "
            "(rows, columns) or (rows, columns, ny, nx), with odd numbers of kernel rows and columns."
        )
    if ref.data.ndim == 4:
        shaped(ref, shape)
        return ref.data
    one_row = (*ref.data.shape, 1, shape[-1])
    return np.ascontiguousarray(np.broadcast_to(ref.data[:, :, None, None], one_row))


def _science(start: int, size: int) -> tuple[int, int]:
    """First science pixel of an axis of the subarray, and the one after the last, from 0."""
    first = start - 1
    low = max(0, REFERENCE_WIDTH - first)
    high = min(size, FULL_SIZE - REFERENCE_WIDTH - first)
    return low, max(low, high)
