"""Tables as text and as HTML, for what notebooks show of a session."""

from __future__ import annotations

import html
from collections.abc import Sequence

__all__ = ["html_table", "text_table"]

Row = Sequence[str]


def text_table(head: Row, rows: Sequence[Row]) -> str:
    """Columns of equal width under their heads."""
    table = (head, *rows)
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    return "\n".join(line.rstrip() for line in lines)


def html_table(head: Row, rows: Sequence[Row]) -> str:
    """Table in HTML; the cells are text."""

    def line(cells: Row, tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"
