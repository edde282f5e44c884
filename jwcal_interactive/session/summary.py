"""A table of what a session did, readable as text and in a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
        table = (_HEAD, *self.rows)
        widths = [max(len(row[i]) for row in table) for i in range(len(_HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(cells: tuple[str, ...], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "".join(line(row, "td") for row in self.rows)
        notes = "".join(f"<p><b>note:</b> {html.escape(note)}</p>" for note in self.notes)
        return f"<table><thead>{line(_HEAD, 'th')}</thead><tbody>{body}</tbody></table>{notes}"


def summarize(session: Session) -> Summary:
    """Table of a session's steps."""
    rows = []
    for step in session.steps:
        status = session.status(step)
        changes = ", ".join(f"{k} = {v}" for k, v in session.settings.of(step).items())
        seconds = "" if status.seconds is None else f"{status.seconds:.2f}"
        used = ", ".join(r.name for r in session.references(step))
        rows.append((step, status.state, seconds, changes, status.reason or used))
    return Summary(tuple(rows), session.notes)
