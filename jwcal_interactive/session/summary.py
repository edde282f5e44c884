"""A table of what a session did, readable as text and in a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwcal_interactive.session.tables import html_table, text_table

if TYPE_CHECKING:
    from jwcal_interactive.session.session import Session

__all__ = ["Summary", "summarize"]

_HEAD = ("step", "state", "time / s", "changed by hand", "references, or reason")


@dataclass(frozen=True)
class Summary:
    """Rows of text, one per step, under the columns step, state, time, changes, references."""

    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([text_table(_HEAD, self.rows), *(f"note: {note}" for note in self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p><b>note:</b> {html.escape(note)}</p>" for note in self.notes)
        return html_table(_HEAD, self.rows) + notes


def summarize(session: Session) -> Summary:
    """Table of a session's steps."""
    rows = []
    for step in session.steps:
        status = session.status(step)
        changes = ", ".join(f"{k} = {v}" for k, v in session.settings.of(step).items())
        if edits := session.settings.edits_after(step):
            changes += f"{', ' if changes else ''}{len(edits)} edit{'s' if len(edits) > 1 else ''} of flags"
        seconds = "" if status.seconds is None else f"{status.seconds:.2f}"
        used = ", ".join(r.name for r in session.references(step))
        rows.append((step, status.state, seconds, changes, status.reason or used))
    return Summary(tuple(rows), session.notes)
