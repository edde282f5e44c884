"""Asking for a reference in a step: N/A skips the step, a wrong shape is an error."""

from __future__ import annotations

from jwcal_interactive.arrays import Reference, References
from jwcal_interactive.errors import ReferenceError, Skip

__all__ = ["needed", "shaped"]


def needed(refs: References, reftype: str, shape: tuple[int, ...]) -> Reference:
    """Return the reference that a step cannot do without.

    Parameters
    ----------
    refs : mapping
        References by type.
    reftype : str
        Type that is asked for.
    shape : tuple of int
        Rows and columns (ny, nx) of the exposure.

    Raises
    ------
    Skip
        If CRDS has none (N/A) for this exposure.
    ReferenceError
        If its arrays are not of ``shape``.
    """
    ref = refs.get(reftype)
    if ref is None:
        raise Skip(f"there is no {reftype} reference (N/A) for this exposure")
    shaped(ref, shape)
    return ref


def shaped(ref: Reference, shape: tuple[int, ...]) -> None:
    """Check that all arrays of a reference have the rows and columns of the exposure.

    Kernels do not check bounds, so that this is the last place where a wrong shape can be told.

    Raises
    ------
    ReferenceError
        Naming the array and both shapes.
    """
    arrays = {"data": ref.data, "DQ": ref.dq, **ref.arrays}
    for name, array in arrays.items():
        if array is not None and array.shape[-2:] != shape:
            raise ReferenceError(
                f"{ref.reftype} reference {ref.name}: {name} has {array.shape[-1]} x "
                f"{array.shape[-2]} pixels, the exposure has {shape[1]} x {shape[0]}. Give a "
                "reference of the same subarray."
            )
