"""What steps have to know of the whole frame when they run on a part of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from jwcal_interactive.arrays import Exposure, Ramp
from jwcal_interactive.bands import Link, WholeReferences
from jwcal_interactive.cutouts import cut_ramp
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import Look
from jwcal_interactive.steps.jump_survey import Survey
from jwcal_interactive.tiles import Tiles

__all__ = ["ASK_FOR_FLAGS", "Asking", "Facts", "Kept", "Surveys"]

Found = TypeVar("Found")

ASK_FOR_FLAGS = frozenset({"jump", "ramp_fit"})
"""Steps whose survey only asks which groups are flagged in all pixels.

No step clears such flags: a group that has them in all pixels keeps them, and a group that lacks them in some
row does not have them in all pixels. So, what the whole frame says before some steps and a few rows say after
them holds for the whole frame after them.
"""

# Rows that are asked together where no single row says the same as the whole frame.
_SAMPLE = 16
# Single rows that are tried.
_TRIED = 64


@dataclass(frozen=True)
class Facts:
    """What a survey found: facts, or why the step is skipped; what is not sure; rows that say the same."""

    facts: Any = None
    skipped: str = ""
    note: str = ""
    rows: tuple[int, ...] = ()

    def agrees(self, other: Facts) -> bool:
        """Whether another survey found the same."""
        if not isinstance(self.facts, Survey) or not isinstance(other.facts, Survey):
            return (self.facts, self.skipped) == (other.facts, other.skipped)
        one, two = vars(self.facts), vars(other.facts)
        return all(np.array_equal(one[name], two[name]) for name in one if name != "params")


class Kept:
    """The last values by key, made when they are not there."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Found]) -> Found:
        """Give the value of a key; it is made if it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]  # type: ignore[no-any-return]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._limit:
                self._values.popitem(last=False)
        return value


class Surveys:
    """What surveys found, to be found again for other parameters that they did not look at."""

    def __init__(self) -> None:
        self._kept = Kept(16)

    def get(self, key: Hashable, params: StepParams, ask: Callable[[Any], Facts]) -> Facts:
        """Give what a survey found with parameters that are the same to it, or ask."""
        found: list[tuple[dict[str, Any], Facts]] = self._kept.get(key, list)
        for seen, facts in tuple(found):
            if all(getattr(params, name) == value for name, value in seen.items()):
                return facts
        reading = _Reading(params)
        facts = ask(reading)
        found.insert(0, (reading.seen, facts))
        del found[8:]
        return facts


class _Reading:
    """Parameters that remember which of them were asked for."""

    def __init__(self, params: StepParams) -> None:
        self.seen: dict[str, Any] = {}
        self._params = params

    def __getattr__(self, name: str) -> Any:
        asked = (name,) if name in type(self._params).model_fields else type(self._params).model_fields
        self.seen |= {field: getattr(self._params, field) for field in asked}
        return getattr(self._params, name)


@dataclass(frozen=True)
class Asking:
    """The survey of a step, ready to be asked.

    Attributes
    ----------
    link : Link
    exposure : Exposure
        Of the frame.
    frame : tuple of int
        Rows and columns (ny, nx) of the frame, of which the references come whole.
    params : StepParams
        Or what stands for them (`Surveys.get`).
    tiles : Tiles
    """

    link: Link
    exposure: Exposure
    frame: tuple[int, ...]
    params: Any
    tiles: Tiles

    def __call__(self, look: Look) -> Facts:
        """Ask it."""
        assert self.link.definition is not None
        assert self.link.definition.survey is not None
        references = WholeReferences(self.link, self.frame)
        try:
            return Facts(self.link.definition.survey(look, references, self.params, self.tiles))
        except Skip as skip:
            return Facts(skipped=str(skip) or "it does not apply")

    def of_rows(self, part: Callable[[int], Ramp], rows: Sequence[int]) -> Facts:
        """Ask about some rows as if they were the frame; ``part(y)`` gives one of them, if it is asked for."""
        joined: list[Ramp] = []

        def look(wanted: slice, _columns: slice) -> Ramp:
            if not joined:
                joined.append(_joined([part(y) for y in rows]))
            return cut_ramp(joined[0], wanted)

        return self(Look(self.exposure, (len(rows), self.frame[1]), look, True))

    def with_witnesses(self, ramp: Ramp) -> Facts:
        """Ask about a whole frame, and find rows that say the same: one if there is such a one, else some."""
        facts = self(Look.at(ramp))

        def part(y: int) -> Ramp:
            return cut_ramp(ramp, slice(y, y + 1))

        for rows in _candidates(self.frame[0]):
            self.tiles.check()
            if self.of_rows(part, rows).agrees(facts):
                return replace(facts, rows=rows)
        return replace(facts, rows=spaced_rows(self.frame[0]))


def spaced_rows(nrows: int) -> tuple[int, ...]:
    """Choose some rows all over a frame."""
    return tuple(range(nrows // (2 * _SAMPLE), nrows, max(nrows // _SAMPLE, 1)))


def _candidates(nrows: int) -> Iterator[tuple[int, ...]]:
    yield (nrows // 2,)
    yield from ((y,) for y in range(0, nrows, max(nrows // _TRIED, 1)))
    yield spaced_rows(nrows)


def _joined(ramps: Sequence[Ramp]) -> Ramp:
    """Put rows of a frame one on the other; groups and their flags only."""
    if len(ramps) == 1:
        return ramps[0]
    arrays = {n: np.concatenate([getattr(r, n) for r in ramps], -2) for n in ("data", "groupdq", "pixeldq")}
    return ramps[0].with_(zeroframe=None, average_dark_current=None, tallies={}, **arrays)
