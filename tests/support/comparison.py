"""Arrays compared with those of the official pipeline: integers exactly, floats in units of the last place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jwcal_interactive.arrays import GuiderSlopes, Ramp, State


@dataclass(frozen=True)
class Difference:
    """How one array differs from the official one.

    Attributes
    ----------
    name : str
        Extension, with the product where there are several.
    values : int
        Number of values compared.
    differing : int
        Of them, those with other bits (NaN equals NaN).
    ulp : int
        Largest difference, float32 units in the last place; 0 for integer arrays.
    largest : float
        Largest difference in the unit of the array.
    nan : int
        Number of values that are NaN in one of both only.
    problem : str
        What makes a comparison impossible: another shape.
    """

    name: str
    values: int
    differing: int
    ulp: int
    largest: float
    nan: int = 0
    problem: str = ""

    @property
    def is_flags(self) -> bool:
        return self.name.endswith("DQ")


def ordered(values: np.ndarray) -> np.ndarray:
    """Integers in the order of float32 values, one apart per representable number."""
    bits = np.ascontiguousarray(values, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def compare(name: str, ours: np.ndarray, theirs: Any) -> Difference:
    theirs = np.asarray(theirs)
    if ours.shape != theirs.shape:
        return Difference(name, 0, 0, 0, 0.0, problem=f"shape {ours.shape}, official {theirs.shape}")
    if ours.dtype.kind != "f":
        return Difference(name, ours.size, int((ours != theirs).sum()), 0, 0.0)
    total, worst, largest, one_nan = 0, 0, 0.0, 0
    planes = (ours.reshape(-1, ours.shape[-1]), theirs.reshape(-1, theirs.shape[-1]))
    for start in range(0, planes[0].shape[0], 4096):  # in pieces: int64 copies of a ramp are large
        a, b = (plane[start : start + 4096].astype(np.float32) for plane in planes)
        one_nan += int((np.isnan(a) != np.isnan(b)).sum())
        nan = np.isnan(a) | np.isnan(b)
        distance = np.abs(ordered(a[~nan]) - ordered(b[~nan]))
        total += int((distance > 0).sum())
        worst = max(worst, int(distance.max(initial=0)))
        with np.errstate(invalid="ignore"):
            largest = max(largest, float(np.nanmax(np.abs(a - b)[~nan], initial=0)))
    return Difference(name, ours.size, total + one_nan, worst, largest, one_nan)


def compare_state(ours: State, model: Any) -> Iterator[Difference]:
    """Compare every array that the official model (or pair of models) holds."""
    if isinstance(ours, Ramp):
        yield compare("SCI", ours.data, model.data)
        if type(model).__name__ == "GuiderRawModel":  # its flags are those of pixels only
            yield compare("DQ", ours.pixeldq, model.dq)
            return
        yield compare("GROUPDQ", ours.groupdq, model.groupdq)
        yield compare("PIXELDQ", ours.pixeldq, model.pixeldq)
        if ours.zeroframe is not None:
            yield compare("ZEROFRAME", ours.zeroframe, model.zeroframe)
        return
    if isinstance(ours, GuiderSlopes):
        yield compare("SCI", ours.data, model.data)
        yield compare("ERR", ours.err, model.err)
        yield compare("DQ", ours.dq, model.dq)
        return
    for one in model if isinstance(model, tuple) else (model,):
        if one is None:
            continue
        slopes, kind = (ours.rate, "rate") if one.data.ndim == 2 else (ours.rateints, "rateints")
        yield compare(f"{kind} SCI", slopes.data, one.data)
        yield compare(f"{kind} ERR", slopes.err, one.err)
        yield compare(f"{kind} DQ", slopes.dq, one.dq)
        yield compare(f"{kind} VAR_POISSON", slopes.var_poisson, one.var_poisson)
        yield compare(f"{kind} VAR_RNOISE", slopes.var_rnoise, one.var_rnoise)
