"""ipc: undo inter-pixel capacitance."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import F32, Exposure, Ramp, Reference, References
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.instruments import full_frame, is_interleaved
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.irs2 import normal_pixels, normal_rows, normal_shape
from jwcal_interactive.steps.readout import REFERENCE_WIDTH, refuse_unsupported
from jwcal_interactive.steps.references import shaped
from jwcal_interactive.tiles import Tiles

__all__ = ["IPCParams", "ipc"]


class IPCParams(StepParams):
    """ipc has no parameters of its own."""


def _reach(_exposure: Exposure, row: References, _p: IPCParams) -> int:
    ref = row.get("ipc")
    return 0 if ref is None else max(ref.data.shape[:2]) // 2


@step("ipc", keyword="S_IPC", references=("ipc",), params=IPCParams, reach=_reach, kernels=("ipc",))
def ipc(ramp: Ramp, refs: References, p: IPCParams, tiles: Tiles) -> Ramp:
    """Convolve every group with the reference's deconvolution kernel.

    Inter-pixel capacitance spreads part of a pixel's signal to its neighbours. Reference pixels
    neither change nor count, interleaved ones included. The zero frame is left as it is.
    """
    refuse_unsupported(ramp, "ipc", interleaved=True)
    from jwcal_interactive.kernels.ipc import convolve

    ref = refs.get("ipc")
    if ref is None:
        raise Skip("there is no ipc reference (N/A) for this exposure")
    kernel = _kernels(ref, normal_shape(ramp.pixeldq.shape))
    exposure = ramp.exposure
    rows, columns = full_frame(exposure.instrument)
    # MIRI has reference pixels at the left and the right only.
    low, high = (
        (0, exposure.ysize)
        if exposure.instrument == "MIRI"
        else _science(exposure.ystart, exposure.ysize, rows)
    )
    left, right = _science(exposure.xstart, exposure.xsize, columns)

    def convolved(data: F32) -> F32:
        out = np.empty_like(data)
        tiles.over_rows(
            out.shape[-2], lambda y0, y1: convolve(data, kernel, low, high, left, right, out, y0, y1)
        )
        return out

    if not is_interleaved(ramp.data.shape):
        return ramp.with_(data=convolved(ramp.data))
    data = ramp.data.copy()
    normal = normal_rows(exposure)
    for group in data.reshape(-1, 1, 1, *data.shape[2:]):  # bounds the memory of the copies
        group[:, :, normal] = convolved(normal_pixels(group, exposure))
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


def _science(start: int, size: int, full: int) -> tuple[int, int]:
    """First science pixel of an axis of the subarray, and the one after the last, from 0."""
    first = start - 1
    low = max(0, REFERENCE_WIDTH - first)
    high = min(size, full - REFERENCE_WIDTH - first)
    return low, max(low, high)
