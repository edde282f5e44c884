"""What became of each result, by its key; kept when the arrays are dropped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from jwcal_interactive.pipeline import Outcome

__all__ = ["Ledger", "StepStatus"]


@dataclass(frozen=True)
class StepStatus:
    """Where a step stands; ``seconds`` is the wall time of its last run."""

    state: Literal["pending", "done", "skipped", "stale", "failed"]
    reason: str = ""
    seconds: float | None = None


@dataclass
class Ledger:
    """Outcomes and failures by result key, and the key of the last result of each step."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)

    def status(self, step: str, key: str) -> StepStatus:
        """Where a step stands if its result has to have this key."""
        if key in self.failures:
            return StepStatus("failed", self.failures[key])
        if (outcome := self.outcomes.get(key)) is not None:
            return StepStatus(outcome.state, outcome.reason, outcome.seconds)
        if (latest := self.latest.get(step)) is None:
            return StepStatus("pending")
        before = self.outcomes.get(latest)
        return StepStatus("stale", "settings changed since it ran", before.seconds if before else None)
