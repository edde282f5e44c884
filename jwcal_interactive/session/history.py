"""History entries: what was done, with what, and what came of it. Entries are only ever added."""

from __future__ import annotations

import datetime
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, SupportsIndex, overload

from jwcal_interactive.references.book import UsedReference
from jwcal_interactive.session.tables import html_table, text_table
from jwcal_interactive.version import VERSION

__all__ = ["Action", "Choice", "Entry", "History", "Log", "now", "versions_now"]

Action = Literal[
    "open", "set", "reset", "override", "edit", "remove_edit", "undo", "redo", "run",
    "branch", "switch", "rename_branch", "delete_branch",
]  # fmt: skip


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
    action : str
        ``run`` (one step), or the name of the method that was called: ``open``, ``set``, ``reset``,
        ``override``, ``edit``, ``remove_edit``, ``undo``, ``redo``, ``branch``, ``switch``…
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
    number : int
        Counts from 1; given by the `Log`.
    time : str
        UTC, ISO 8601; given by the `Log`.
    node : int or None
        Node of the tree of settings that held (of a run: that it ran with); ``None`` if it is not known.
    branch : str
        Branch that was current (of a run: that it ran for).
    memory : int
        Of a run: bytes of those arrays of the result that the result of the step before does not have.
    """

    action: Action
    step: str = ""
    choices: dict[str, Choice] = field(default_factory=dict)
    references: tuple[UsedReference, ...] = ()
    outcome: str = ""
    reason: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    number: int = 0
    time: str = ""
    node: int | None = None
    branch: str = ""
    memory: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain types only."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Entry:
        """Inverse of `as_json`."""
        choices = {k: Choice(**v) for k, v in data["choices"].items()}
        references = tuple(UsedReference(**r) for r in data["references"])
        return cls(**{**data, "choices": choices, "references": references})


_HEAD = ("", "time (UTC)", "branch", "node", "what", "outcome", "time / s", "memory / MB")
_WIDEST = 60  # characters of the column of outcomes


class History(tuple[Entry, ...]):
    """Entries, oldest first; shown as a table, with one row for the steps that one run did."""

    __slots__ = ()

    @overload
    def __getitem__(self, index: SupportsIndex) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> History: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Entry | History:
        found = super().__getitem__(index)
        return History(found) if isinstance(found, tuple) else found

    def __repr__(self) -> str:
        return text_table(_HEAD, self.rows())

    def _repr_html_(self) -> str:
        return html_table(_HEAD, self.rows())

    def rows(self) -> list[tuple[str, ...]]:
        """Rows of text; steps that were run one after the other with the same settings share one."""
        one_day = len({entry.time[:10] for entry in self}) < 2
        return [_row(entries, one_day) for entries in _together(self)]


class Log:
    """Entries as they are added, from any thread.

    Parameters
    ----------
    entries : iterable of Entry
        Those of before.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = list(entries)
        self._lock = threading.Lock()

    @property
    def entries(self) -> History:
        """All entries, oldest first."""
        return History(self._entries)

    def add(self, entry: Entry) -> None:
        """Add an entry, with the next number, and the time if it has none."""
        with self._lock:
            number = len(self._entries) + 1
            self._entries.append(replace(entry, number=number, time=entry.time or now()))


def _together(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries by what the user did: the steps of a run belong together."""
    group: list[Entry] = []
    for entry in entries:
        if group and not _goes_on(group, entry):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _goes_on(group: list[Entry], entry: Entry) -> bool:
    """Whether an entry is about a further step of the run that a group is about."""
    last = group[-1]
    of_a_run = entry.action == last.action == "run" and _went_on(last)
    return of_a_run and entry.node == last.node and all(entry.step != e.step for e in group)


def _went_on(entry: Entry) -> bool:
    return entry.outcome in {"done", "skipped"}


def _row(entries: list[Entry], one_day: bool) -> tuple[str, ...]:
    first, last = entries[0], entries[-1]
    numbers = f"{first.number}" if first is last else f"{first.number}-{last.number}"
    what, outcome = f"{first.action.replace('_', ' ')} {first.step}".strip(), first.outcome
    if first.action == "open":
        outcome = Path(outcome).name
    elif first.action == "run":
        what = f"run {first.step}" if first is last else f"run {first.step} to {last.step}"
        counts = Counter(entry.outcome for entry in entries)
        outcome = ", ".join(f"{n} {name}" if len(entries) > 1 else name for name, n in counts.items())
    reason = last.reason if last is first or not _went_on(last) else ""
    outcome = _short(f"{outcome}: {reason}" if reason else outcome)
    seconds, memory = sum(e.seconds for e in entries), sum(e.memory for e in entries)
    return (
        numbers,
        first.time[11 if one_day else 0 : 19].replace("T", " "),
        first.branch,
        "" if first.node is None else str(first.node),
        what,
        outcome,
        f"{seconds:.2f}" if seconds else "",
        f"{memory / 1e6:.1f}" if first.action == "run" else "",
    )


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


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
