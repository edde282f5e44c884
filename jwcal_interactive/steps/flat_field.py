"""flat_field: divide the count rates of a guider exposure by the flat field."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwcal_interactive.arrays import F32, U32, Exposure, GuiderSlopes, Reference, References, SideProduct
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.references import shaped
from jwcal_interactive.tiles import Tiles

__all__ = ["FlatFieldParams", "flat_field"]


class FlatFieldParams(StepParams):
    """Parameters of flat_field."""

    save_interpolated_flat: bool = param(False, advanced=True, help="Also write the flat as it was applied.")
    user_supplied_flat: str | None = param(
        None, file="flat", help="FITS file with a flat of your own, used in place of the reference."
    )
    inverse: bool = param(
        False, advanced=True, help="Multiply by the flat instead of dividing, to undo the step."
    )


class _Flat(NamedTuple):
    """A flat without bad values: 1 where it is not known."""

    data: F32
    err: F32
    dq: U32


def _no_flat_of_own(exposure: Exposure, p: FlatFieldParams) -> bool:
    return p.user_supplied_flat is None


@step(
    "flat_field",
    keyword="S_FLAT",
    references=("flat",),
    params=FlatFieldParams,
    only_if={"flat": _no_flat_of_own},
)
def flat_field(rates: GuiderSlopes, refs: References, p: FlatFieldParams, tiles: Tiles) -> GuiderSlopes:
    """Divide by the flat; add its error to ERR and its flags to DQ.

    With the rate S after the division, ``ERR^2 = ERR^2 + (S err_flat / flat)^2``. Where the flat is
    0, NaN, flagged NO_FLAT_FIELD or DO_NOT_USE, rates stay as they are, flagged DO_NOT_USE. SCI and
    ERR are NaN where either is. ``inverse`` multiplies, and leaves ERR as it is.

    Raises
    ------
    Skip
        Without a flat (N/A), or if it is smaller than the images.
    ReferenceError
        If the flat does not fit.
    """
    shape = rates.data.shape[-2:]
    own = refs.get("user_supplied_flat")
    ref = refs.get("flat") if own is None else own
    if ref is None:
        raise Skip("there is no flat reference (N/A) for this exposure")
    if any(found < wanted for found, wanted in zip(ref.data.shape[-2:], shape, strict=True)):
        raise Skip(f"the flat {ref.name} is smaller than the images: {ref.data.shape[-2:]}, {shape} (y, x)")
    shaped(ref, shape)
    flat = _usable(ref)
    if p.inverse:
        data, err = rates.data * flat.data, rates.err
        invalid = np.isnan(data) | np.isnan(err)
    else:
        data = rates.data / flat.data
        variance = data**2 / (flat.data * flat.data) * flat.err**2
        err = np.sqrt(rates.err**2 + variance)
        invalid = np.isnan(data) | np.isnan(err)
    side = SideProduct(
        suffix="interpolatedflat", model="FlatModel", arrays={"SCI": flat.data, "ERR": flat.err, "DQ": flat.dq}
    )
    return rates.with_(
        data=np.where(invalid, np.float32(np.nan), data),
        err=np.where(invalid, np.float32(np.nan), err),
        dq=rates.dq | flat.dq,
        side_products=(side,) if p.save_interpolated_flat else (),
    )


def _usable(ref: Reference) -> _Flat:
    dq = np.zeros(ref.data.shape, np.uint32) if ref.dq is None else ref.dq
    unknown = np.isnan(ref.data) | (ref.data == 0)
    dq = dq | np.where(unknown, np.uint32(DQ.NO_FLAT_FIELD), np.uint32(0))
    dq = dq | np.where(dq & np.uint32(DQ.NO_FLAT_FIELD) != 0, np.uint32(DQ.DO_NOT_USE), np.uint32(0))
    data = np.where(dq & np.uint32(DQ.DO_NOT_USE) != 0, np.float32(1), ref.data)
    err = ref.arrays.get("ERR")
    return _Flat(data, np.zeros_like(data) if err is None else err, dq)
