"""Images without holes: the flat, for steps that look through it at the background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, References
from jwcal_interactive.steps.references import shaped
from jwcal_interactive.tiles import Tiles

__all__ = ["flat_image", "smooth_over"]


def flat_image(refs: References, shape: tuple[int, ...], tiles: Tiles) -> F32 | None:
    """Flat with a smooth model where it is 0 or not finite; ``None`` if CRDS has none (N/A).

    Parameters
    ----------
    refs : References
        With ``flat``.
    shape : tuple of int
        Rows and columns (ny, nx) of the exposure.
    tiles : Tiles

    Returns
    -------
    float32 (ny, nx) or None

    Raises
    ------
    ReferenceError
        If the flat is of another shape.
    """
    reference = refs.get("flat")
    if reference is None:
        return None
    shaped(reference, shape)
    flat: F32 = reference.data
    return smooth_over(flat, (flat != 0) & np.isfinite(flat), tiles)


def smooth_over(image: F32, good: NDArray[np.bool_], tiles: Tiles) -> F32:
    """Image with a smooth model of its good pixels in place of the others; the image itself if all are good."""
    from jwcal_interactive.kernels.background import Background, subtract_background

    if good.all():
        return image
    work, scratch = image.copy(), np.empty(image.size, np.float32)
    smooth, _ = subtract_background(work, good.copy(), scratch, Background("model"), tiles.check)
    return np.where(good, image, smooth)
