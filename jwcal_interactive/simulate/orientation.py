"""Between the detector frame (fast axis along +x, slow axis along +y) and the science frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["detector_shape", "to_detector", "to_science"]


def detector_shape(science_shape: tuple[int, int], fastaxis: int) -> tuple[int, int]:
    """Shape (slow, fast) in the detector frame of an image of the given science shape."""
    ny, nx = science_shape
    return (ny, nx) if abs(fastaxis) == 1 else (nx, ny)


def to_science(image: NDArray[Any], fastaxis: int, slowaxis: int) -> NDArray[Any]:
    """Turn an image from the detector frame to the science frame.

    Parameters
    ----------
    image : ndarray, shape (..., slow, fast)
        Rows in the order of reading, pixels in the order of reading.
    fastaxis, slowaxis : int
        Axis (1 = x, 2 = y) along which the science frame is read, negative if towards lower
        coordinates (keywords FASTAXIS and SLOWAXIS).

    Returns
    -------
    ndarray, shape (..., ny, nx)
        A view.
    """
    if {abs(fastaxis), abs(slowaxis)} != {1, 2}:
        raise ValueError(f"fastaxis={fastaxis}, slowaxis={slowaxis}: one must be ±1 and the other ±2")
    flipped = image[..., :: np.sign(slowaxis), :: np.sign(fastaxis)]
    return flipped if abs(fastaxis) == 1 else np.swapaxes(flipped, -1, -2)


def to_detector(image: NDArray[Any], fastaxis: int, slowaxis: int) -> NDArray[Any]:
    """Turn an image from the science frame to the detector frame: the inverse of `to_science`; a view."""
    turned = image if abs(fastaxis) == 1 else np.swapaxes(image, -1, -2)
    return turned[..., :: np.sign(slowaxis), :: np.sign(fastaxis)]
