"""linearity: correct the detector's non-linear response."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U8, U32, Ramp, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ReferenceError
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import frame_numbers, refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["LinearityParams", "linearity"]


class LinearityParams(StepParams):
    """linearity has no parameters of its own."""


@step(
    "linearity",
    keyword="S_LINEAR",
    references=("linearity",),
    params=LinearityParams,
    reach=0,
    kernels=("linearity",),
)
def linearity(ramp: Ramp, refs: References, p: LinearityParams, tiles: Tiles) -> Ramp:
    """Apply the polynomial of each pixel to every group that is not saturated.

    Pixels without a polynomial (NO_LIN_CORR in the reference, a NaN coefficient, no linear term)
    are left as they are and get NO_LIN_CORR. Where frames are averaged and the reference has
    inverse polynomials (INV_COEFFS), the correction is applied to the frames of each group instead
    of their average. The zero frame is a single frame; its zeros stay zero.
    """
    refuse_unsupported(ramp, "linearity")
    from jwcal_interactive.kernels.linearity import correct

    shape = ramp.pixeldq.shape
    ref = needed(refs, "linearity", shape)
    flags = np.zeros(shape, np.uint32) if ref.dq is None else ref.dq
    usable = _usable(ref.name, "COEFFS", ref.data, flags, tiles)
    pixeldq = ramp.pixeldq | flags | _no_correction(usable)
    data = np.empty_like(ramp.data)
    inverse = ref.arrays.get("INV_COEFFS")
    # One group has no rate to predict frames from; the official algorithm fails there.
    if inverse is not None and ramp.exposure.nframes > 1 and ramp.data.shape[1] > 1:
        invertible = _usable(ref.name, "INV_COEFFS", inverse, flags, tiles)
        pixeldq = pixeldq | _no_correction(invertible)
        _correct_frames(ramp, ref.data, usable, inverse, invertible, data, tiles)
    else:
        tiles.over_rows(
            shape[0],
            lambda y0, y1: correct(ramp.data, ramp.groupdq, ref.data, usable, data, y0, y1),
        )
    zeroframe = ramp.zeroframe
    if zeroframe is not None:
        zeroframe = _correct_zero_frame(zeroframe, ref.data, usable, tiles)
    return ramp.with_(data=data, pixeldq=pixeldq, zeroframe=zeroframe)


def _usable(name: str, extension: str, coefficients: F32, flags: U32, tiles: Tiles) -> NDArray[np.bool_]:
    from jwcal_interactive.kernels.linearity import find_usable

    if coefficients.ndim != 3 or coefficients.shape[0] < 2:
        raise ReferenceError(
            f"linearity reference {name}: {extension} of shape {coefficients.shape} are not "
            "polynomials; (coefficients, rows, columns) with at least 2 coefficients are needed."
        )
    usable = np.empty(flags.shape, np.bool_)
    tiles.over_rows(flags.shape[0], lambda y0, y1: find_usable(coefficients, flags, usable, y0, y1))
    return usable


def _no_correction(usable: NDArray[np.bool_]) -> U32:
    return np.where(usable, np.uint32(0), np.uint32(DQ.NO_LIN_CORR))


def _correct_frames(
    ramp: Ramp,
    coefficients: F32,
    usable: NDArray[np.bool_],
    inverse: F32,
    invertible: NDArray[np.bool_],
    data: F32,
    tiles: Tiles,
) -> None:
    from jwcal_interactive.kernels.linearity import correct_frames

    frames = frame_numbers(ramp.exposure)
    centres = frames.mean(axis=1)
    relative = frames - centres[0]
    tiles.over_rows(
        data.shape[-2],
        lambda y0, y1: correct_frames(
            ramp.data, ramp.groupdq, coefficients, usable, inverse, invertible, centres, relative,
            data, y0, y1,
        ),
    )  # fmt: skip


def _correct_zero_frame(zeroframe: F32, coefficients: F32, usable: NDArray[np.bool_], tiles: Tiles) -> F32:
    from jwcal_interactive.kernels.linearity import correct

    plane = zeroframe[:, None]
    keep: U8 = np.where(plane == 0, np.uint8(DQ.SATURATED), np.uint8(0))
    out = np.empty_like(plane)
    tiles.over_rows(plane.shape[-2], lambda y0, y1: correct(plane, keep, coefficients, usable, out, y0, y1))
    return out[:, 0]
