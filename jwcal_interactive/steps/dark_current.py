"""dark_current: subtract the signal that the detector collects in the dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Keyword, Ramp, Reference, References, SideProduct, as_whole_number
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.instruments import RAMP_UNIT
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["DarkCurrentParams", "dark_current"]


class DarkCurrentParams(StepParams):
    """Parameters of dark_current."""

    dark_output: str | None = param(
        None,
        advanced=True,
        help="Name of a file to write, with the dark as it was subtracted; goes to the folder of the products.",
    )
    average_dark_current: float | None = param(
        None,
        advanced=True,
        ge=0,
        unit="electron/s",
        slider=(0.0, 0.1),
        help="Average dark current for the Poisson noise, in place of the dark reference's own.",
    )


class ReadPattern(NamedTuple):
    """Groups, frames averaged per group and frames dropped between groups."""

    ngroups: int
    nframes: int
    groupgap: int

    @property
    def frames(self) -> int:
        """Frames from the first to the last, dropped ones between groups included."""
        return self.ngroups * self.nframes + (self.ngroups - 1) * self.groupgap


# Dark of one group of the exposure in a band of rows, DN: (group, y0, y1) -> (rows, columns).
_Dark: TypeAlias = Callable[[int, int, int], NDArray[Any]]


@step(
    "dark_current",
    keyword="S_DARK",
    references=("dark",),
    params=DarkCurrentParams,
    uncut=("dark",),
    reach=lambda _exposure, _row, p: None if p.dark_output else 0,
)
def dark_current(ramp: Ramp, refs: References, p: DarkCurrentParams, tiles: Tiles) -> Ramp:
    """Subtract the dark reference, brought to the exposure's groups, from every integration.

    Frames of the dark are averaged and dropped as NFRAMES and GROUPGAP of the exposure say. A dark
    that is too short is continued with the difference of its last two groups. NaN in the dark
    counts as no dark. MIRI darks have one dark for each of the first integrations; later
    integrations take the last of them. The zero frame is left as it is.

    Raises
    ------
    Skip
        Without a reference (N/A), or if its groups cannot be brought to those of the exposure.
    ReferenceError
        If the dark has other axes or pixels, or does not say how it was read out.
    """
    refuse_unsupported(ramp, "dark_current")
    ref = needed(refs, "dark", ramp.pixeldq.shape)
    if ref.data.ndim not in (3, 4) or 0 in ref.data.shape:
        raise ReferenceError(
            f"dark reference {ref.name}: an array of shape {ref.data.shape} cannot be used; it must have the "
            "axes (group, y, x), or (integration, group, y, x) for MIRI."
        )
    nints, ngroups = ramp.data.shape[:2]
    science = ReadPattern(ngroups, ramp.exposure.nframes, ramp.exposure.groupgap)
    pattern = _pattern(ref)
    planes = ref.data if ref.data.ndim == 4 else ref.data[np.newaxis]
    darks = [_frames(ref.name, plane, pattern, science) for plane in planes]
    first = ramp.exposure.first_integration
    data = np.empty_like(ramp.data)

    def subtract(y0: int, y1: int) -> None:
        for i in range(nints):
            dark = darks[min(first + i, len(darks) - 1)]
            for group in range(ngroups):
                rows = ramp.data[i, group, y0:y1]
                np.subtract(rows, dark(group, y0, y1), out=data[i, group, y0:y1], casting="same_kind")

    tiles.over_rows(data.shape[-2], subtract)
    side = (_product(p.dark_output, ref, darks, ramp, tiles),) if p.dark_output else ()
    return ramp.with_(
        data=data,
        pixeldq=ramp.pixeldq if ref.dq is None else ramp.pixeldq | ref.dq,
        average_dark_current=_average(ref, p.average_dark_current, ramp.pixeldq.shape),
        side_products=side,
    )


def _product(name: str, ref: Reference, darks: list[_Dark], ramp: Ramp, tiles: Tiles) -> SideProduct:
    """Product with the groups that were subtracted, in the form of a dark reference."""
    ngroups, ny, nx = ramp.data.shape[1:]
    groups = np.empty((len(darks), ngroups, ny, nx), np.float32)

    def fill(y0: int, y1: int) -> None:
        for plane, dark in zip(groups, darks, strict=True):
            for group in range(ngroups):
                plane[group, y0:y1] = dark(group, y0, y1)

    tiles.over_rows(ny, fill)
    per_integration = ref.data.ndim == 4
    flags = np.zeros((ny, nx), np.uint32) if ref.dq is None else ref.dq
    return SideProduct(
        suffix="dark",
        model="DarkMIRIModel" if per_integration else "DarkModel",
        arrays={
            "SCI": groups if per_integration else groups[0],
            "DQ": np.broadcast_to(flags, (len(darks), 1, ny, nx)) if per_integration else flags,
        },
        units={"SCI": RAMP_UNIT},
        keywords={
            "REFTYPE": Keyword("DARK", "Reference file type"),
            "NINTS": Keyword(len(darks), "Integrations"),
        },
        file=f"{PurePath(name).stem}.fits",
    )


def _pattern(ref: Reference) -> ReadPattern:
    values = [ref.keywords.get(keyword) for keyword in ("NFRAMES", "GROUPGAP")]
    nframes, groupgap = map(as_whole_number, values)
    if nframes is None or groupgap is None or nframes < 1 or groupgap < 0:
        raise ReferenceError(
            f"dark reference {ref.name}: NFRAMES, GROUPGAP = {values[0]}, {values[1]} do not say how it "
            "was read out; they must be whole numbers of at least 1 and 0. Give a dark that has them."
        )
    return ReadPattern(ref.data.shape[-3], nframes, groupgap)


def _frames(name: str, groups: F32, dark: ReadPattern, science: ReadPattern) -> _Dark:
    """Give the function that returns the dark of one science group for a band of rows, DN.

    The steps in float32 and float64 are those of the official pipeline: float64 where the dark is
    extrapolated, float32 for averages.

    Raises
    ------
    Skip
        If the dark is coarser than the exposure, or its groups cannot be put together to those of
        the exposure.
    """
    if dark.nframes > science.nframes or dark.groupgap > science.groupgap:
        raise Skip(
            f"the dark reference (NFRAMES = {dark.nframes}, GROUPGAP = {dark.groupgap}) is coarser than "
            f"the exposure (NFRAMES = {science.nframes}, GROUPGAP = {science.groupgap})"
        )
    extended = _extended(name, groups, dark, science)
    if dark[1:] == science[1:]:
        return lambda group, y0, y1: extended(group, group + 1, y0, y1)[0]
    stride = science.nframes + science.groupgap
    if dark.groupgap or science.nframes % dark.nframes or stride % dark.nframes:
        raise Skip(
            f"groups of the dark reference (NFRAMES = {dark.nframes}, GROUPGAP = {dark.groupgap}) cannot "
            f"be averaged to those of the exposure (NFRAMES = {science.nframes}, "
            f"GROUPGAP = {science.groupgap})"
        )
    step_, count = stride // dark.nframes, science.nframes // dark.nframes

    def averaged(group: int, y0: int, y1: int) -> F32:
        members = extended(group * step_, group * step_ + count, y0, y1)
        return np.asarray(members.mean(axis=0), dtype=np.float32)

    return averaged


def _extended(
    name: str, groups: F32, dark: ReadPattern, science: ReadPattern
) -> Callable[[int, int, int, int], NDArray[Any]]:
    """Give the function that returns dark groups ``first:stop`` for a band of rows, without NaN."""
    if science.frames <= dark.frames:
        return lambda first, stop, y0, y1: _without_nan(groups[first:stop, y0:y1])
    if dark.ngroups < 2:
        raise ReferenceError(
            f"dark reference {name}: has one group; the exposure is longer and a dark can be "
            "continued from two groups on only. Give a longer dark."
        )

    def extrapolated(first: int, stop: int, y0: int, y1: int) -> NDArray[np.float64]:
        known = groups[first:stop, y0:y1].astype(np.float64)
        beyond = np.arange(max(first, dark.ngroups), max(stop, dark.ngroups)) - (dark.ngroups - 1)
        last, rate = groups[-1, y0:y1], groups[-1, y0:y1] - groups[-2, y0:y1]
        return _without_nan(np.concatenate((known, beyond[:, None, None] * rate + last)))

    return extrapolated


def _without_nan(array: NDArray[Any]) -> NDArray[Any]:
    # The least of some values is NaN if one of them is, and is found faster than all that are NaN.
    return np.where(np.isnan(array), array.dtype.type(0), array) if np.isnan(array.min()) else array


def _average(ref: Reference, wanted: float | None, shape: tuple[int, ...]) -> F32 | None:
    """Average dark current, electron/s: the parameter, else the reference's array, else its keyword."""
    if wanted is None:
        array = ref.arrays.get("AVDRKCUR")
        if array is not None and np.sum(array) != 0:
            return np.asarray(array, dtype=np.float32)
        keyword = ref.keywords.get("AVDRKCUR")
        wanted = float(keyword) if isinstance(keyword, (int, float)) else 0.0
    return np.full(shape, wanted, dtype=np.float32) if wanted else None
