"""The arrays of reference files as planes of the image view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Reference, References
from jwcal_widgets.planes import Plane

__all__ = ["PREFIX", "reference_names", "reference_range", "take_reference"]

PREFIX = "reference: "
"""Begins the names of these planes among those of a state."""

# Units of the reference file formats (JWST calibration documentation, "Reference Files").
_UNITS: Mapping[str, str] = {
    "dark": "DN",
    "gain": "electron/DN",
    "persat": "DN",
    "readnoise": "DN",
    "saturation": "DN",
    "superbias": "DN",
    "trapdensity": "traps per pixel",
}
_MAIN = ""  # the primary array, beside those in `Reference.arrays`


def _images(reference: Reference) -> dict[str, NDArray[Any]]:
    """Arrays that are images or stacks of images, by the name of their extension."""
    found = {_MAIN: reference.data, **reference.arrays}
    return {name: array for name, array in found.items() if array.ndim >= 2 and min(array.shape[-2:]) > 1}


def _title(reftype: str, extension: str) -> str:
    return f"{PREFIX}{reftype} {extension}".rstrip()


def _find(references: References, name: str) -> tuple[Reference, str, NDArray[Any]]:
    for reftype, reference in references.items():
        if reference is None:
            continue
        for extension, array in _images(reference).items():
            if _title(reftype, extension) == name:
                return reference, extension, array
    raise KeyError(name)


def reference_names(references: References) -> tuple[str, ...]:
    """Names of the planes that references have to offer.

    Parameters
    ----------
    references : mapping of str to Reference or None
        By type, see `Session.load_references`.
    """
    present = {reftype: r for reftype, r in references.items() if r is not None}
    return tuple(_title(reftype, name) for reftype, r in present.items() for name in _images(r))


def reference_range(references: References, name: str) -> tuple[int, int]:
    """How many integrations and groups (or coefficients, or layers) an array has: 1, 1 for an image."""
    shape = _find(references, name)[2].shape
    return (int(np.prod(shape[:-3])) if len(shape) > 3 else 1), (shape[-3] if len(shape) > 2 else 1)


def take_reference(references: References, name: str, integration: int, group: int) -> Plane:
    """Cut one plane out of a reference array.

    Parameters
    ----------
    references : mapping of str to Reference or None
    name : str
        One of `reference_names`.
    integration, group : int
        Numbers from 1; the last there is, where they are larger.

    Returns
    -------
    Plane
        Its flags are those of the reference file, or none.

    Raises
    ------
    KeyError
        If there is no such plane.
    """
    reference, extension, array = _find(references, name)
    layers = array.reshape(-1, *array.shape[-3:]) if array.ndim > 2 else array[None, None]
    k = min(max(integration, 1), layers.shape[0]) - 1
    n = min(max(group, 1), layers.shape[1]) - 1
    image = layers[k, n]
    title = name.removeprefix(PREFIX) + f" ({reference.name})"
    if array.ndim > 2:
        what = "coefficient" if reference.reftype == "linearity" else "layer"
        title += f", {what} {n} of {layers.shape[1]}, from 0" if what == "coefficient" else f", layer {n + 1}"
    if image.dtype.kind == "u":
        flags = image.astype(np.uint32)
        return Plane(np.bitwise_count(flags).astype(np.float32), flags, "flags per pixel", title)
    dq = reference.dq if reference.dq is not None and reference.dq.shape == image.shape else None
    flags = np.zeros(image.shape, np.uint32) if dq is None else dq
    unit = _UNITS.get(reference.reftype, "") if extension == _MAIN else ""
    return Plane(image.astype(np.float32), flags, unit, title)
