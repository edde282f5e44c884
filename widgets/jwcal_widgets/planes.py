"""The two-dimensional planes that a state of the reduction offers to the image view."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, Slopes, State

__all__ = ["Plane", "plane_names", "take_plane"]

ALL = 0  # as an integration number: the whole exposure


@dataclass(frozen=True, eq=False)
class Plane:
    """An image with its flags.

    Attributes
    ----------
    data : float32 (ny, nx)
        Values, in `unit`.
    dq : uint32 (ny, nx)
        Flags of the detector pixel, and of the groups that the plane is made from.
    unit : str
        Unit of the values; empty for flags.
    title : str
        What it is, in words.
    error : float32 (ny, nx) or None
        Standard deviation of the values, in `unit`, where the state has it.
    """

    data: NDArray[np.float32]
    dq: NDArray[np.uint32]
    unit: str
    title: str
    error: NDArray[np.float32] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ny, nx = self.data.shape
        return ny, nx


_RAMP_PLANES = ("group", "difference", "integration", "DQ")
_SLOPE_PLANES = ("slope", "error", "Poisson variance", "read noise variance", "DQ")
_GUIDER_PLANES = ("slope", "error", "DQ")


def plane_names(state: State) -> tuple[str, ...]:
    """Names of the planes that a state has, most natural first."""
    if isinstance(state, Ramp):
        ngroups = state.data.shape[1]
        return _RAMP_PLANES if ngroups > 1 else ("group", "DQ")
    return _SLOPE_PLANES if isinstance(state, Rates) else _GUIDER_PLANES


def take_plane(state: State, name: str, integration: int, group: int, *, any_group: bool = False) -> Plane:
    """Cut one plane out of a state.

    Parameters
    ----------
    state : Ramp, Rates or GuiderSlopes
    name : str
        One of `plane_names`.
    integration : int
        Number from 1; 0 for the slope of the whole exposure (`Rates` only).
    group : int
        Number from 1 (`Ramp` only). The difference of group n is group n + 1 minus group n; the plane
        ``integration`` is the last group minus the first, whatever the number.
    any_group : bool
        Collect the flags of all groups of the integration (`Ramp` only).
    """
    if isinstance(state, Ramp):
        plane = _ramp_plane(state, name, integration, group)
        if not any_group:
            return plane
        dq = state.pixeldq | np.bitwise_or.reduce(state.groupdq[integration - 1], axis=0)
        title = f"{plane.title}, flags of any group"
        return _dq_plane(dq, title) if name == "DQ" else replace(plane, dq=dq, title=title)
    if isinstance(state, Rates):
        if integration == ALL:
            return _slope_plane(state.rate, name, "whole exposure")
        one = state.rateints
        k = integration - 1
        cut = Slopes(
            data=one.data[k],
            err=one.err[k],
            dq=one.dq[k],
            var_poisson=one.var_poisson[k],
            var_rnoise=one.var_rnoise[k],
        )
        return _slope_plane(cut, name, f"integration {integration}")
    return _guider_plane(state, name, integration)


def _ramp_plane(ramp: Ramp, name: str, integration: int, group: int) -> Plane:
    k, n = integration - 1, group - 1
    where = f"integration {integration}, group {group}"
    if name == "difference":
        n = min(n, ramp.data.shape[1] - 2)
        dq = ramp.pixeldq | ramp.groupdq[k, n] | ramp.groupdq[k, n + 1]
        return Plane(
            ramp.data[k, n + 1] - ramp.data[k, n],
            dq,
            "DN",
            f"integration {integration}, group {n + 2} − group {n + 1}",
        )
    if name == "integration":
        last = ramp.data.shape[1]
        dq = ramp.pixeldq | ramp.groupdq[k, 0] | ramp.groupdq[k, -1]
        title = f"integration {integration}, group {last} − group 1"
        return Plane(ramp.data[k, -1] - ramp.data[k, 0], dq, "DN", title)
    dq = ramp.pixeldq | ramp.groupdq[k, n]
    if name == "DQ":
        return _dq_plane(dq, where)
    return Plane(ramp.data[k, n], dq, "DN", where)


def _slope_plane(slopes: Slopes, name: str, where: str) -> Plane:
    if name == "DQ":
        return _dq_plane(slopes.dq, where)
    data, unit = {
        "slope": (slopes.data, "DN/s"),
        "error": (slopes.err, "DN/s"),
        "Poisson variance": (slopes.var_poisson, "DN²/s²"),
        "read noise variance": (slopes.var_rnoise, "DN²/s²"),
    }[name]
    return Plane(data, slopes.dq, unit, where, slopes.err if name == "slope" else None)


def _guider_plane(state: GuiderSlopes, name: str, number: int) -> Plane:
    k, where = number - 1, f"slice {number}"
    if name == "DQ":
        return _dq_plane(state.dq, where)
    if name == "slope":
        return Plane(state.data[k], state.dq, "DN/s", where, state.err[k])
    return Plane(state.err[k], state.dq, "DN/s", where)


def _dq_plane(dq: NDArray[np.uint32], where: str) -> Plane:
    """Show flags as an image of how many a pixel carries; the overlay says which ones."""
    return Plane(np.bitwise_count(dq).astype(np.float32), dq, "flags per pixel", where)
