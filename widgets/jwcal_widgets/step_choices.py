"""What the user chose for one step, to be taken to another session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jwcal_interactive.errors import ParameterError

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["StepChoices"]


@dataclass(frozen=True)
class StepChoices:
    """Parameters and references of a step that the user chose.

    Attributes
    ----------
    step : str
    values : mapping of str to Any
    overrides : mapping of str to str
        File, or N/A, by reference type.
    """

    step: str
    values: Mapping[str, Any]
    overrides: Mapping[str, str]

    @classmethod
    def of(cls, session: Session, step: str) -> StepChoices:
        """Find what the user chose for a step of a session."""
        overrides = session.settings.overrides
        return cls(
            step, dict(session.settings.of(step)), {kind: f for (s, kind), f in overrides.items() if s == step}
        )

    def make(self, session: Session) -> None:
        """Make the same choices in another session; what else was chosen there for the step is taken back.

        Raises
        ------
        ParameterError
            If its pipeline does not have the step, or does not allow a value.
        ReferenceError
            If a reference file is not there.
        """
        step = self.step
        if step not in session.steps:
            raise ParameterError(
                f"its pipeline, {session.recipe.alias}, does not have the step {step}; nothing was changed."
            )
        here = StepChoices.of(session, step)
        others = [name for name in here.values if name not in self.values]
        if self.values:
            session.set(step, **self.values)
        if others:
            session.reset(step, *others)
        for reftype in {**here.overrides, **self.overrides}:
            if here.overrides.get(reftype) != self.overrides.get(reftype):
                session.override(reftype, self.overrides.get(reftype), step=step)
