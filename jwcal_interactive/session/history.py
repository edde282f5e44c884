"""History entries: what was done, with what, and what came of it. Entries are only ever added."""

from __future__ import annotations

import datetime
import sys
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any, Literal

from jwcal_interactive.references.book import UsedReference
from jwcal_interactive.version import VERSION

__all__ = ["Choice", "Entry", "versions_now"]

Action = Literal["open", "set", "reset", "override", "undo", "redo", "run"]


@dataclass(frozen=True)
class Choice:
    """A parameter that is not at its default: its value, and whether CRDS or the user set it."""

    value: Any
    source: str  # "user", or the name of the pars-* file


@dataclass(frozen=True)
class Entry:
    """One line of history.

    Attributes
    ----------
    number : int
        Counts from 1.
    time : str
        UTC, ISO 8601.
    action : str
        ``open``, ``set``, ``reset``, ``override``, ``undo``, ``redo`` or ``run`` (one step).
    step : str
        Step concerned; empty for the whole session.
    choices : dict of str to Choice
        Parameters of the step that differ from the code defaults, and where each value came from.
    references : tuple of UsedReference
        References that a run used, with content hashes.
    outcome : str
        Of a run: ``done``, ``skipped``, ``failed`` or ``cancelled``; of another action: what it did.
    reason : str
        Why it was skipped or failed.
    seconds : float
        Wall time of a run.
    peak_bytes : int
        Peak memory of the process at the end of a run, bytes.
    versions : dict
        Versions of the packages that decide numbers, and the CRDS context.
    """

    number: int
    time: str
    action: Action
    step: str = ""
    choices: dict[str, Choice] = field(default_factory=dict)
    references: tuple[UsedReference, ...] = ()
    outcome: str = ""
    reason: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain types only."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Entry:
        """Inverse of `as_json`."""
        choices = {k: Choice(**v) for k, v in data["choices"].items()}
        references = tuple(UsedReference(**r) for r in data["references"])
        return cls(**{**data, "choices": choices, "references": references})


def now() -> str:
    """Return the time, UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def versions_now(context: str) -> dict[str, str]:
    """Versions that decide numbers."""
    found = {
        "jwcal_interactive": VERSION,
        "python": sys.version.split()[0],
        "crds_context": context,
    }
    return found | {name: version(name) for name in ("numpy", "scipy", "numba", "astropy", "crds")}
