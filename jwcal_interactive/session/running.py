"""One run of a session: the steps that are not up to date, one after the other."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from jwcal_interactive.arrays import State
from jwcal_interactive.edits import apply_edits
from jwcal_interactive.errors import Cancelled, JwcalError
from jwcal_interactive.params import StepParams
from jwcal_interactive.pipeline import Outcome, Progress, compile_kernels, reporter, run_step
from jwcal_interactive.references.book import ReferenceBook
from jwcal_interactive.session.cache import ResultCache, own_bytes
from jwcal_interactive.session.keys import ResultKey
from jwcal_interactive.session.ledger import Ledger
from jwcal_interactive.settings import Settings
from jwcal_interactive.tiles import Tiles

__all__ = ["Run", "tell_of_compiling"]


def tell_of_compiling(progress: Progress) -> None:
    """Say why the first run takes a minute, where nobody watches."""
    if progress.message:
        print(progress.message, file=sys.stderr)


@dataclass(frozen=True)
class Run:
    """All that a run needs; the settings are those of its start, since they may change while it runs.

    Attributes
    ----------
    source : State
        The raw ramp.
    steps : tuple of str
        Of the pipeline, in order.
    settings : Settings
    params : mapping of str to StepParams
        Parameters of the steps.
    keys : mapping of str to ResultKey
        Where the results of the steps go.
    book : ReferenceBook
    cache : ResultCache
    ledger : Ledger
    is_present : bool
        Whether the settings are those that hold, so that the results are the latest ones of their steps.
    note : callable
        ``note(step, **facts)`` is told what came of a step.
    """

    source: State
    steps: tuple[str, ...]
    settings: Settings
    params: Mapping[str, StepParams]
    keys: Mapping[str, ResultKey]
    book: ReferenceBook
    cache: ResultCache
    ledger: Ledger
    is_present: bool
    note: Callable[..., None]

    def __call__(
        self,
        begin: int | None,
        end: int,
        progress: Callable[[Progress], None],
        cancel: threading.Event,
        tiles: Tiles,
    ) -> None:
        """Run up to (without) step number ``end``; again from step number ``begin`` on, if one is given.

        Raises
        ------
        JwcalError
            If a step fails; the results of those before it are kept.
        Cancelled
            If `cancel` was set.
        """
        start = self._first_missing(end) if begin is None else min(begin, self._first_missing(begin))
        if start >= end:
            return
        compile_kernels(
            lambda text: progress(Progress(self.steps[start], 0, end - start, 0.0, text)),
            cancel,
            self.source.exposure,
            {step: self.params[step] for step in self.steps[start:end]},
        )
        state = self._before(start)
        for index in range(start, end):
            report = reporter(progress, self.steps[index], index - start, end - start)
            report(0.0)
            again = begin is not None and index >= begin
            watched = replace(tiles, progress=report, cancel=cancel)
            state = self._run_one(self.steps[index], state, watched, again=again)
            report(1.0)

    def _first_missing(self, end: int) -> int:
        """Index of the first step to run so that step ``end - 1`` is up to date."""
        for index in range(end - 1, -1, -1):
            key = self.keys[self.steps[index]]
            if key.final in self.cache:
                return index + 1
            if key.computed in self.cache:  # only its edits are missing
                return index
        return 0

    def _before(self, index: int) -> State | None:
        """State before a step; ``None`` if it is not in memory, and not needed since only edits are missing."""
        return self.source if index == 0 else self.cache.get(self.keys[self.steps[index - 1]].final)

    def _run_one(self, step: str, before: State | None, tiles: Tiles, *, again: bool) -> State:
        key, edits = self.keys[step], self.settings.edits_after(step)
        kept = self.cache.get(key.computed) if edits and not again else None
        try:
            if kept is None:
                assert before is not None
                computed, outcome = run_step(
                    step, before, self.params[step], self.book, self.settings.overrides, tiles
                )
                self._keep(key.computed, computed, outcome)
            else:
                tiles.check()
                computed, outcome = kept, replace(self.ledger.outcomes[key.computed], seconds=0.0)
            begin = time.perf_counter()
            result = apply_edits(computed, edits)
            outcome = replace(outcome, seconds=outcome.seconds + time.perf_counter() - begin)
        except Cancelled:
            self.note(step, outcome="cancelled")
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, JwcalError) else f"{type(error).__name__}: {error}"
            self.ledger.failures[key.final] = reason
            self.note(step, outcome="failed", reason=reason)
            raise
        self._keep(key.final, result, outcome)
        self.ledger.failures.pop(key.final, None)
        if self.is_present:
            self.ledger.latest[step] = key.final
        self._tell(step, outcome, own_bytes(result, computed if before is None else before), len(edits))
        return result

    def _keep(self, key: str, state: State, outcome: Outcome) -> None:
        self.cache.put(key, state)
        self.ledger.outcomes[key] = outcome

    def _tell(self, step: str, outcome: Outcome, memory: int, edits: int) -> None:
        edited = f"{edits} edit{'s' if edits > 1 else ''} of flags" if edits else ""
        self.note(
            step,
            outcome=outcome.state,
            reason="; ".join(filter(None, (outcome.reason, edited))),
            memory=memory,
            seconds=outcome.seconds,
            references=outcome.references,
        )
