"""dark_current: subtract the signal that the detector collects in the dark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Ramp, Reference, References, as_whole_number
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.params import NotYet, StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.readout import refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = ["DarkCurrentParams", "dark_current"]


class DarkCurrentParams(StepParams):
    """Parameters of dark_current."""

    unavailable: ClassVar[Mapping[str, NotYet]] = {
        "dark_output": NotYet(None, "the averaged dark is not written to a file")
    }

    average_dark_current: float | None = param(
        None,
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


@step(
    "dark_current",
    keyword="S_DARK",
    references=("dark",),
    params=DarkCurrentParams,
    uncut=("dark",),
)
def dark_current(ramp: Ramp, refs: References, p: DarkCurrentParams, tiles: Tiles) -> Ramp:
    """Subtract the dark reference, brought to the exposure's groups, from every integration.

    Frames of the dark are averaged and dropped as NFRAMES and GROUPGAP of the exposure say. A dark
    that is too short is continued with the difference of its last two groups. NaN in the dark
    counts as no dark. The zero frame is left as it is.
    """
    refuse_unsupported(ramp, "dark_current")
    ref = needed(refs, "dark", ramp.pixeldq.shape)
    if ref.data.ndim != 3:
        raise ReferenceError(
            f"dark reference {ref.name}: has {ref.data.ndim} axes, a near-infrared dark has 3 "
            "(groups, rows, columns)."
        )
    science = ReadPattern(ramp.data.shape[1], ramp.exposure.nframes, ramp.exposure.groupgap)
    frames = _frames(ref, _pattern(ref), science)
    data = np.empty_like(ramp.data)

    def subtract(y0: int, y1: int) -> None:
        for group in range(ramp.data.shape[1]):
            data[:, group, y0:y1] = ramp.data[:, group, y0:y1] - frames(group, y0, y1)

    tiles.over_rows(data.shape[-2], subtract)
    return ramp.with_(
        data=data,
        pixeldq=ramp.pixeldq if ref.dq is None else ramp.pixeldq | ref.dq,
        average_dark_current=_average(ref, p.average_dark_current, ramp.pixeldq.shape),
    )


def _pattern(ref: Reference) -> ReadPattern:
    values = [ref.keywords.get(keyword) for keyword in ("NFRAMES", "GROUPGAP")]
    nframes, groupgap = map(as_whole_number, values)
    if nframes is None or groupgap is None or nframes < 1 or groupgap < 0:
        raise ReferenceError(
            f"dark reference {ref.name}: NFRAMES, GROUPGAP = {values[0]}, {values[1]} do not say how it "
            "was read out; they must be whole numbers of at least 1 and 0. Give a dark that has them."
        )
    return ReadPattern(ref.data.shape[0], nframes, groupgap)


def _frames(ref: Reference, dark: ReadPattern, science: ReadPattern) -> Callable[[int, int, int], NDArray[Any]]:
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
    extended = _extended(ref, dark, science)
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
    ref: Reference, dark: ReadPattern, science: ReadPattern
) -> Callable[[int, int, int, int], NDArray[Any]]:
    """Give the function that returns dark groups ``first:stop`` for a band of rows, without NaN."""
    groups = ref.data
    if science.frames <= dark.frames:
        return lambda first, stop, y0, y1: _without_nan(groups[first:stop, y0:y1])
    if dark.ngroups < 2:
        raise ReferenceError(
            f"dark reference {ref.name}: has one group; the exposure is longer and a dark can be "
            "continued from two groups on only. Give a longer dark."
        )

    def extrapolated(first: int, stop: int, y0: int, y1: int) -> NDArray[np.float64]:
        known = groups[first:stop, y0:y1].astype(np.float64)
        beyond = np.arange(max(first, dark.ngroups), max(stop, dark.ngroups)) - (dark.ngroups - 1)
        last, rate = groups[-1, y0:y1], groups[-1, y0:y1] - groups[-2, y0:y1]
        return _without_nan(np.concatenate((known, beyond[:, None, None] * rate + last)))

    return extrapolated


def _without_nan(array: NDArray[Any]) -> NDArray[Any]:
    return np.where(np.isnan(array), array.dtype.type(0), array)


def _average(ref: Reference, wanted: float | None, shape: tuple[int, ...]) -> F32 | None:
    """Average dark current, electron/s: the parameter, else the reference's array, else its keyword."""
    if wanted is None:
        array = ref.arrays.get("AVDRKCUR")
        if array is not None and np.sum(array) != 0:
            return np.asarray(array, dtype=np.float32)
        keyword = ref.keywords.get("AVDRKCUR")
        wanted = float(keyword) if isinstance(keyword, (int, float)) else 0.0
    return np.full(shape, wanted, dtype=np.float32) if wanted else None
