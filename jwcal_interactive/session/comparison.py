"""Two places in the tree of settings, compared: what was chosen, and what came of it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, State
from jwcal_interactive.dq import DQ
from jwcal_interactive.edits import FlagEdit
from jwcal_interactive.instruments import RATE_UNIT
from jwcal_interactive.params import StepParams
from jwcal_interactive.session.tables import html_table, text_table
from jwcal_interactive.settings import Settings

if TYPE_CHECKING:
    from jwcal_interactive.session.session import Session

__all__ = [
    "Comparison",
    "OverrideDifference",
    "ParameterDifference",
    "StepDifference",
    "compare",
    "compare_states",
]

_MAD_TO_SIGMA = 1.4826  # standard deviation of a normal distribution over its median absolute deviation


@dataclass(frozen=True)
class ParameterDifference:
    """A parameter with two values."""

    step: str
    name: str
    value_a: Any
    value_b: Any


@dataclass(frozen=True)
class OverrideDifference:
    """A reference that is chosen in two ways; ``None`` is the choice of CRDS."""

    step: str
    reftype: str
    file_a: str | None
    file_b: str | None


@dataclass(frozen=True)
class StepDifference:
    """How the results of a step differ.

    Attributes
    ----------
    step : str
    group_flags : mapping of str to int
        Of a ramp, by name of the flag: number of groups (of all pixels and integrations) in which only one of
        the results has it. Flags in which nothing differs are left out.
    pixel_flags : mapping of str to int
        The same for pixels, in PIXELDQ of a ramp or the DQ of the exposure's rates.
    slope_median, slope_spread : float or None
        Of rates: median and robust spread (1.4826 times the median absolute deviation) of slope b - slope a,
        DN/s, over the pixels that are finite and not DO_NOT_USE in both; NaN if there is none. The first
        integration of guider slopes.
    """

    step: str
    group_flags: Mapping[str, int]
    pixel_flags: Mapping[str, int]
    slope_median: float | None = None
    slope_spread: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What differs between two places in the tree of settings.

    Attributes
    ----------
    a, b : str
        The two places.
    parameters : tuple of ParameterDifference
    overrides : tuple of OverrideDifference
    edits_a, edits_b : tuple of FlagEdit
        Edits of flags that only one of them has.
    steps : tuple of StepDifference
        Of the steps with both results in memory that do not come from the same settings.
    not_compared : tuple of str
        Steps whose results come from other settings, and are not both in memory.
    """

    a: str
    b: str
    parameters: tuple[ParameterDifference, ...]
    overrides: tuple[OverrideDifference, ...]
    edits_a: tuple[FlagEdit, ...]
    edits_b: tuple[FlagEdit, ...]
    steps: tuple[StepDifference, ...]
    not_compared: tuple[str, ...] = ()

    def _choices(self) -> list[tuple[str, str, str, str]]:
        rows = [(p.step, p.name, f"{p.value_a}", f"{p.value_b}") for p in self.parameters]
        rows += [
            (o.step, f"{o.reftype} reference", o.file_a or "CRDS", o.file_b or "CRDS") for o in self.overrides
        ]
        rows += [(e.after, "edit of flags", e.in_words(), "") for e in self.edits_a]
        rows += [(e.after, "edit of flags", "", e.in_words()) for e in self.edits_b]
        return rows

    def _notes(self) -> list[str]:
        steps = ", ".join(self.not_compared)
        return [f"not compared, since results are not in memory: {steps}; session.run(at=...)"] if steps else []

    def _results(self) -> list[tuple[str, str]]:
        rows = []
        for words, group in groupby(self.steps, lambda step: "; ".join(_in_words(step))):
            steps = [step.step for step in group]
            rows.append((steps[0] if len(steps) == 1 else f"{steps[0]} to {steps[-1]}", words))
        return rows

    def __repr__(self) -> str:
        heads = _heads(self.a, self.b)
        choices, results = self._choices(), self._results()
        parts = [text_table(heads, choices) if choices else f"{self.a} and {self.b}: the same settings"]
        if results:
            parts.append(text_table(_RESULT_HEADS, results))
        return "\n\n".join([*parts, *self._notes()])

    def _repr_html_(self) -> str:
        choices, results = self._choices(), self._results()
        same = f"<p>{html.escape(f'{self.a} and {self.b}: the same settings')}</p>"
        text = html_table(_heads(self.a, self.b), choices) if choices else same
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return text + (html_table(_RESULT_HEADS, results) if results else "") + notes


_RESULT_HEADS = ("step", "results that differ")


def _heads(a: str, b: str) -> tuple[str, str, str, str]:
    return ("step", "setting", a, b)


def _in_words(step: StepDifference) -> Iterator[str]:
    for what, flags in (("groups", step.group_flags), ("pixels", step.pixel_flags)):
        yield from (f"{name} in {count} {what}" for name, count in flags.items())
    if step.slope_median is not None:
        yield f"slope b - a: median {step.slope_median:.4g}, spread {step.slope_spread:.4g} {RATE_UNIT}"


def compare(
    session: Session, a: str | int, b: str | int, keys_a: Mapping[str, Any], keys_b: Mapping[str, Any]
) -> Comparison:
    """Compare two branches or nodes of a session, as `Session.compare`; the keys are those of the results."""
    tree = session.tree
    settings_a, settings_b = tree.node(a).settings, tree.node(b).settings
    differences, missing = [], []
    for step in session.steps:
        if keys_a[step] == keys_b[step]:
            continue
        one, other = session.result(step, at=a), session.result(step, at=b)
        if one is None or other is None:
            missing.append(step)
        elif one is not other:
            differences.append(compare_states(step, one, other))
    return Comparison(
        a=_label(a),
        b=_label(b),
        parameters=tuple(
            parameter_differences(*({s: session.params(s, at) for s in session.steps} for at in (a, b)))
        ),
        overrides=tuple(override_differences(settings_a, settings_b)),
        edits_a=only_in(settings_a.edits, settings_b.edits),
        edits_b=only_in(settings_b.edits, settings_a.edits),
        steps=tuple(differences),
        not_compared=tuple(missing),
    )


def _label(at: str | int) -> str:
    return at if isinstance(at, str) else f"node {at}"


def parameter_differences(
    params_a: Mapping[str, StepParams], params_b: Mapping[str, StepParams]
) -> Iterator[ParameterDifference]:
    """Parameters by step that have two values."""
    for step, a in params_a.items():
        b = params_b[step]
        for name in type(a).model_fields:
            one, other = getattr(a, name), getattr(b, name)
            if one != other:
                yield ParameterDifference(step, name, one, other)


def override_differences(a: Settings, b: Settings) -> Iterator[OverrideDifference]:
    """Give the references that are chosen in two ways."""
    for key in dict.fromkeys((*a.overrides, *b.overrides)):
        one, other = a.overrides.get(key), b.overrides.get(key)
        if one != other:
            yield OverrideDifference(*key, one, other)


def only_in(edits: Iterable[FlagEdit], others: Iterable[FlagEdit]) -> tuple[FlagEdit, ...]:
    """Edits that are not among the others."""
    others = tuple(others)
    return tuple(edit for edit in edits if edit not in others)


def compare_states(step: str, a: State, b: State) -> StepDifference:
    """Compare two results of a step.

    Where they are of different kinds (one step of a fit was left out) or shapes, there is nothing to count.
    """
    if isinstance(a, Ramp) and isinstance(b, Ramp) and a.data.shape == b.data.shape:
        return StepDifference(
            step, flag_differences(a.groupdq, b.groupdq), flag_differences(a.pixeldq, b.pixeldq)
        )
    if isinstance(a, Rates) and isinstance(b, Rates) and a.rate.data.shape == b.rate.data.shape:
        slopes = slope_difference((a.rate.data, a.rate.dq), (b.rate.data, b.rate.dq))
        return StepDifference(step, {}, flag_differences(a.rate.dq, b.rate.dq), *slopes)
    if isinstance(a, GuiderSlopes) and isinstance(b, GuiderSlopes) and a.data.shape == b.data.shape:
        slopes = slope_difference((a.data[0], a.dq), (b.data[0], b.dq))
        return StepDifference(step, {}, flag_differences(a.dq, b.dq), *slopes)
    return StepDifference(step, {}, {})


def flag_differences(a: NDArray[Any], b: NDArray[Any]) -> dict[str, int]:
    """Count the elements in which each flag differs, by its name."""
    if a.ctypes.data == b.ctypes.data:  # the results share it
        return {}
    counts: dict[int, int] = {}
    planes = (-1, a.shape[-2] * a.shape[-1])
    for one, other in zip(a.reshape(planes), b.reshape(planes), strict=True):
        differ = one ^ other
        values, numbers = np.unique(differ[differ != 0], return_counts=True)
        for value, number in zip(values.tolist(), numbers.tolist(), strict=True):
            counts[value] = counts.get(value, 0) + number
    found = {flag.name: sum(n for value, n in counts.items() if value & flag) for flag in DQ if flag.name}
    return {name: count for name, count in found.items() if count}


def slope_difference(
    a: tuple[NDArray[np.float32], NDArray[np.uint32]], b: tuple[NDArray[np.float32], NDArray[np.uint32]]
) -> tuple[float, float]:
    """Median and robust spread of b - a, each given as (slopes, DQ), over pixels that are good in both."""
    good = np.isfinite(a[0]) & np.isfinite(b[0]) & (((a[1] | b[1]) & DQ.DO_NOT_USE) == 0)
    difference = b[0][good].astype(np.float64) - a[0][good]
    if difference.size == 0:
        return float("nan"), float("nan")
    median = float(np.median(difference))
    return median, _MAD_TO_SIGMA * float(np.median(np.abs(difference - median)))
