"""One exposure through both pipelines: what differs after each step, and why."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jwcal_interactive import open_session
from jwcal_interactive.demo import kept_exposure
from jwcal_interactive.simulate import ExposureSpec
from tests.support.comparison import Difference, compare_state
from tests.support.official import run_official

ULP = 2
"""Largest difference of two floats that counts as equal, float32 units in the last place."""

OFFICIAL = {"detector1": "Detector1Pipeline", "dark": "DarkPipeline", "guider": "GuiderPipeline"}


@dataclass(frozen=True)
class Reason:
    """Why results of a step, and of those after it, differ (DIFFERENCES.md says more), and how far they may.

    ``within`` is the largest difference of values that it explains, DN (DN/s after ramp_fit); ``flags`` the
    number of flags, and of values that are NaN in one of both only.
    """

    why: str
    within: float
    flags: int = 0


@dataclass(frozen=True)
class Case:
    """An exposure, the parameters that both pipelines get, and reasons for differences by step.

    The exposure is simulated from a specification, or a file of the installed jwst package (its path there).
    """

    instrument: str
    mode: str
    spec: ExposureSpec | str
    pipeline: str = "detector1"
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.instrument} {self.mode}"

    def raw(self) -> Path:
        """Find or make the raw exposure."""
        if isinstance(self.spec, str):
            return Path(importlib.import_module("jwst").__file__ or "").parent / self.spec
        return kept_exposure(self.spec)[0]


@dataclass(frozen=True)
class Row:
    """What became of one step in both pipelines."""

    case: Case
    step: str
    outcome: str
    differences: tuple[Difference, ...] = ()
    reason: Reason | None = None

    @property
    def values(self) -> int:
        return sum(d.values for d in self.differences)

    @property
    def ulp(self) -> int:
        return max((d.ulp for d in self.differences), default=0)

    @property
    def largest(self) -> float:
        return max((d.largest for d in self.differences), default=0.0)

    @property
    def flags_differing(self) -> int:
        return sum(d.differing for d in self.differences if d.is_flags)

    @property
    def problems(self) -> tuple[str, ...]:
        found = []
        for d in self.differences:
            where = f"{self.case.name}: {self.step}: {d.name}"
            if d.problem:
                found.append(f"{where}: {d.problem}")
            elif d.nan:
                found.append(f"{where}: {d.nan} values are NaN in one of both only")
            elif d.is_flags and d.differing:
                found.append(f"{where}: {d.differing} of {d.values} flags differ")
            elif d.ulp > ULP:
                found.append(
                    f"{where}: {d.differing} of {d.values} differ, by up to {d.ulp} ulp, {d.largest:.3g}"
                )
        return tuple(found)

    @property
    def is_explained(self) -> bool:
        if not self.problems:
            return True
        if self.reason is None or any(d.problem for d in self.differences):
            return False
        missing = max((d.nan for d in self.differences), default=0)
        return self.largest <= self.reason.within and max(self.flags_differing, missing) <= self.reason.flags


def run_case(case: Case) -> Iterator[Row]:
    """Compare the state after each step of the case, in the official order."""
    raw = case.raw()
    session = open_session(raw, pipeline=case.pipeline, context="demo")
    for step, values in case.steps.items():
        session.set(step, **values)
    session.run()
    rows: dict[str, Row] = {}
    inherited: Reason | None = None

    def watch(step: str, model: Any) -> None:
        nonlocal inherited
        ours = session.result(step)
        if ours is None:
            raise AssertionError(f"{case.name}: {step} has no result")
        inherited = case.reasons.get(step, inherited)
        before = rows[step].differences if step in rows else ()
        status = session.status(step).state
        rows[step] = Row(case, step, status, (*before, *compare_state(ours, model)), inherited)

    run_official(OFFICIAL[case.pipeline], raw, watch, case.steps)
    yield from rows.values()
