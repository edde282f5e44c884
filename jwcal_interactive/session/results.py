"""What became of the steps under any settings: outcomes, and the states that are in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jwcal_interactive.arrays import Ramp, State
from jwcal_interactive.edits import Layout, check_edit
from jwcal_interactive.pipeline import Outcome
from jwcal_interactive.references.book import ReferenceBook
from jwcal_interactive.session.cache import ResultCache
from jwcal_interactive.session.choices import Choices
from jwcal_interactive.session.editing import layout_after
from jwcal_interactive.session.keys import ResultKey, file_key, result_keys
from jwcal_interactive.session.ledger import Ledger, StepStatus
from jwcal_interactive.session.running import Run
from jwcal_interactive.settings import Settings

__all__ = ["Results"]


class Results:
    """Results of the steps, by what made them: stale or done are questions about keys.

    Parameters
    ----------
    path : Path
        The exposure.
    source : Ramp
        Its raw ramp.
    choices : Choices
        Turns settings into parameters.
    limit : int
        Memory for states, bytes.
    """

    def __init__(self, path: Path, source: Ramp, choices: Choices, limit: int) -> None:
        self.source = source
        self.cache = ResultCache(limit)
        self.ledger = Ledger()
        self._identity = file_key(path)
        self._choices = choices
        self._steps = choices.recipe.steps

    def keys(self, settings: Settings) -> dict[str, ResultKey]:
        """Keys of the results of all steps."""
        return result_keys(
            self._identity, self._steps, settings, lambda step: self._choices.params(step, settings)
        )

    def key(self, step: str, settings: Settings) -> str:
        """Key of the result of a step.

        Raises
        ------
        ParameterError
            For an unknown step.
        """
        return self.keys(settings)[self._choices.known(step)].final

    def status(self, step: str, settings: Settings) -> StepStatus:
        """Where a step stands."""
        return self.ledger.status(step, self.key(step, settings))

    def exact(self, step: str, settings: Settings) -> State | None:
        """State after a step with exactly these settings, if it is in memory."""
        return self.cache.get(self.key(step, settings))

    def latest(self, step: str, settings: Settings) -> State | None:
        """State after a step in memory: with these settings, or else of its last run."""
        state = self.exact(step, settings)
        before = self.ledger.latest.get(step)
        return self.cache.get(before) if state is None and before else state

    def kept(self, step: str, settings: Settings) -> State | None:
        """As `latest`, but no earlier result in place of one with these settings that was dropped."""
        return None if self.was_dropped(step, settings) else self.latest(step, settings)

    def was_dropped(self, step: str, settings: Settings) -> bool:
        """Whether a step ran with these settings, and its result is not in memory any more."""
        key = self.key(step, settings)
        return key in self.ledger.outcomes and key not in self.cache

    def outcome(self, step: str, settings: Settings) -> Outcome | None:
        """Tell what came of a step when it ran with these settings."""
        return self.ledger.outcomes.get(self.key(step, settings))

    def outcomes(self, settings: Settings) -> tuple[Outcome, ...]:
        """Outcomes of the steps that ran with these settings, in order."""
        found = (self.ledger.outcomes.get(key.final) for key in self.keys(settings).values())
        return tuple(outcome for outcome in found if outcome is not None)

    def layout(self, step: str, settings: Settings) -> Layout:
        """Tell what an edit of the flags of a step's result has to fit."""
        return layout_after(step, self._steps, self.source, self.exact(step, settings))

    def check_edits(self, settings: Settings) -> None:
        """Refuse edits of flags that do not fit the results.

        Raises
        ------
        ParameterError
            If one does not.
        """
        layouts: dict[str, Layout] = {}
        for edit in settings.edits:
            if edit.after not in layouts:
                layouts[edit.after] = self.layout(edit.after, settings)
            check_edit(edit, layouts[edit.after])

    def prepared(
        self, settings: Settings, book: ReferenceBook, note: Callable[..., None], *, is_present: bool
    ) -> Run:
        """Give a run with some settings, whose results come here; the arguments are those of `Run`."""
        return Run(
            source=self.source,
            steps=self._steps,
            settings=settings,
            params={step: self._choices.params(step, settings) for step in self._steps},
            keys=self.keys(settings),
            book=book,
            cache=self.cache,
            ledger=self.ledger,
            is_present=is_present,
            note=note,
        )
