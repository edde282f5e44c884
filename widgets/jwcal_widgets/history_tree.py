"""The tree of settings as lines of text: a chain stays in its column, where it forks the others are set in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

__all__ = ["PRESENT", "Line", "lines_of"]

PRESENT, OTHER = "▶", "○"


class _Node(Protocol):
    @property
    def number(self) -> int: ...
    @property
    def parent(self) -> int | None: ...


class Line(NamedTuple):
    """A node, and the drawing before its words."""

    number: int
    graph: str


def lines_of(nodes: Iterable[_Node], present: int) -> list[Line]:
    """Order the nodes for a list, oldest first, and draw how they hang together.

    The first child of a node follows in the same column, after the branches that the other children begin;
    these are set in by two characters. The present node has another sign.

    Parameters
    ----------
    nodes : iterable of Node
        Parents before their children.
    present : int
        Number of the node that holds.
    """
    children: dict[int | None, list[int]] = {}
    for node in nodes:
        children.setdefault(node.parent, []).append(node.number)
    return _drawn(children, children[None][0], present)


def _drawn(children: Mapping[int | None, list[int]], root: int, present: int) -> list[Line]:
    lines = []
    # Still to be drawn, the next one last: number, what stands before it and what before its children.
    waiting = [(root, "", "")]
    while waiting:
        number, before, column = waiting.pop()
        lines.append(Line(number, f"{before}{PRESENT if number == present else OTHER} "))
        later = children.get(number, [])
        if later:
            waiting.append((later[0], column, column))
            # The straight line goes on below the branches, which come between.
            waiting.extend((child, f"{column}├─", f"{column}│ ") for child in reversed(later[1:]))
    return lines
