"""Files of the steps that remove noise from groups: masks given and written, ramps of what was removed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Reference, SideProduct
from jwcal_interactive.errors import InputError
from jwcal_interactive.instruments import RAMP_UNIT
from jwcal_interactive.tiles import Tiles

__all__ = ["difference", "given_mask", "mask_product", "ramp_product"]


def given_mask(file: Reference | None, parameter: str, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Mask in a file that a parameter names.

    Parameters
    ----------
    file : Reference or None
    parameter : str
        ``step.parameter``, for the message.
    shape : tuple of int
        Of the ramp, (nints, ngroups, ny, nx).

    Returns
    -------
    bool (ny, nx) or (nints, ny, nx), or None
        True where the image is not 0; ``None`` without a file.

    Raises
    ------
    InputError
        If the image has another shape.
    """
    if file is None:
        return None
    nints, _, ny, nx = shape
    if file.data.shape not in ((ny, nx), (nints, ny, nx)):
        raise InputError(
            f"{parameter}: {file.name} has the shape {file.data.shape}; the exposure needs {(ny, nx)}, or "
            f"{(nints, ny, nx)} for one mask per integration."
        )
    return file.data.astype(np.bool_)


def mask_product(suffix: str, mask: NDArray[np.bool_]) -> SideProduct:
    """Product with a mask, 1 where it is set, of shape (ny, nx) or (nints, ny, nx)."""
    model = "ImageModel" if mask.ndim == 2 else "CubeModel"
    return SideProduct(suffix=suffix, model=model, arrays={"SCI": mask.astype(np.float32)})


def ramp_product(suffix: str, groups: F32) -> SideProduct:
    """Product with groups (nints, ngroups, ny, nx), DN."""
    return SideProduct(suffix=suffix, model="RampModel", arrays={"SCI": groups}, units={"SCI": RAMP_UNIT})


def difference(groups: F32, others: F32, tiles: Tiles) -> F32:
    """Compute ``groups - others``, DN, of one shape (nints, ngroups, ny, nx)."""
    out = np.empty_like(groups)

    def subtract(y0: int, y1: int) -> None:
        np.subtract(groups[..., y0:y1, :], others[..., y0:y1, :], out=out[..., y0:y1, :])

    tiles.over_rows(out.shape[-2], subtract)
    return out
