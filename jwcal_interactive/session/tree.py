"""The tree of settings: every change is a node; undo and redo walk it, branches name places in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from jwcal_interactive.edits import FlagEdit
from jwcal_interactive.errors import ParameterError
from jwcal_interactive.session.history import now
from jwcal_interactive.settings import Settings, changes_in_words

__all__ = ["MAIN", "Node", "SettingsTree"]

MAIN = "main"
"""The branch that every session begins with."""

_LONGEST_NAME = 60  # characters


@dataclass(frozen=True)
class Node:
    """Settings, and the change that led to them.

    Attributes
    ----------
    number : int
        From 0, in the order in which they were made; numbers of deleted nodes are not used again.
    parent : int or None
        Number of the node that was changed; ``None`` for the first.
    settings : Settings
    change : str
        What was changed, in words; empty for the first.
    time : str
        UTC, ISO 8601; empty if it is not known.
    """

    number: int
    parent: int | None
    settings: Settings
    change: str = ""
    time: str = ""


class SettingsTree:
    """Settings in the order in which they were chosen, which of them hold, and named branches.

    A change makes a new node and moves the tip of the current branch to it. Undo takes the tip back with it:
    what was taken back is on the branch no more, until redo. It stays in the tree, like all that was there
    before, and can be returned to by the number of its node; meanwhile the tip stays where it is.

    Parameters
    ----------
    nodes : iterable of Node
        At least the first one.
    present : int
        Number of the node that holds.
    branches : mapping of str to int
        Number of the last node of each branch.
    branch : str
        The current one.
    next_number : int
        Number of the next node, where nodes after the last one were deleted.
    taken_back : mapping of (str, int) to int
        By branch and node: the child that undo on this branch came from.

    Raises
    ------
    ValueError
        If these contradict each other.
    """

    def __init__(
        self,
        nodes: Iterable[Node] = (Node(0, None, Settings()),),
        present: int = 0,
        branches: Mapping[str, int] | None = None,
        branch: str = MAIN,
        next_number: int = 0,
        taken_back: Mapping[tuple[str, int], int] = MappingProxyType({}),
    ) -> None:
        self._nodes = {node.number: node for node in nodes}
        self._present = present
        self._branches = {MAIN: present} if branches is None else dict(branches)
        self._branch = branch
        self._taken_back = dict(taken_back)
        self._lock = threading.RLock()  # a thread may copy what another one changes
        self._check()
        self._next = max(next_number, 1 + max(self._nodes))

    def _check(self) -> None:
        for node in self._nodes.values():
            if (node.parent is None) != (node.number == 0):
                raise ValueError(f"node {node.number} with parent {node.parent}")
            if node.parent is not None and (node.parent not in self._nodes or node.parent >= node.number):
                raise ValueError(f"node {node.number} with parent {node.parent}")
        for number in (0, self._present, *self._branches.values()):
            if number not in self._nodes:
                raise ValueError(f"there is no node {number}")
        for name in (self._branch, *(branch for branch, _ in self._taken_back)):
            if name not in self._branches:
                raise ValueError(f"there is no branch {name!r}")
        for (_, parent), child in self._taken_back.items():
            if child not in self._nodes or self._nodes[child].parent != parent:
                raise ValueError(f"undo from node {child} to {parent}")

    def copy(self, change: Callable[[Settings], Settings] = lambda settings: settings) -> SettingsTree:
        """Give the tree as it is now, if wanted with other settings; it does not change with this one."""
        with self._lock:
            nodes = [replace(node, settings=change(node.settings)) for node in self.nodes]
            return SettingsTree(
                nodes, self._present, self._branches, self._branch, self._next, self._taken_back
            )

    # --- looking -------------------------------------------------------------------------------------------

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes in the order in which they were made."""
        return tuple(self._nodes.values())

    @property
    def edits(self) -> tuple[FlagEdit, ...]:
        """Edits of flags in all settings, each once."""
        return tuple(dict.fromkeys(edit for node in self.nodes for edit in node.settings.edits))

    @property
    def taken_back(self) -> Mapping[tuple[str, int], int]:
        """By branch and node: the child that undo on this branch came from."""
        return MappingProxyType(self._taken_back)

    @property
    def present(self) -> int:
        """Number of the node that holds."""
        return self._present

    @property
    def next_number(self) -> int:
        """Number that the next node will have."""
        return self._next

    @property
    def branches(self) -> Mapping[str, int]:
        """Number of the last node of each branch, in the order in which the branches were made."""
        return MappingProxyType(self._branches)

    @property
    def branch(self) -> str:
        """The current branch."""
        return self._branch

    def number(self, at: str | int | None) -> int:
        """Find the number of a node.

        Parameters
        ----------
        at : str, int or None
            Name of a branch (its last node), number of a node, or ``None`` for the present one.

        Raises
        ------
        ParameterError
            If there is none.
        """
        if at is None:
            return self._present
        if isinstance(at, str):
            return self._branches[self._known(at)]
        if not isinstance(at, int) or isinstance(at, bool) or at not in self._nodes:
            raise ParameterError(
                f"there is no node {at!r} in the tree of settings: give the number of one of its "
                f"{len(self._nodes)} nodes (see session.tree), or the name of a branch."
            )
        return at

    def node(self, at: str | int | None = None) -> Node:
        """Node by the name of a branch or its number; the present one by default.

        Raises
        ------
        ParameterError
            If there is none.
        """
        return self._nodes[self.number(at)]

    def path(self, at: str | int | None = None) -> tuple[int, ...]:
        """Numbers of the nodes from the first one to this one."""
        number: int | None = self.number(at)
        numbers = []
        while number is not None:
            numbers.append(number)
            number = self._nodes[number].parent
        return tuple(reversed(numbers))

    def children(self, number: int) -> tuple[int, ...]:
        """Numbers of the nodes that were made from a node."""
        return tuple(n.number for n in self._nodes.values() if n.parent == number)

    def branch_of(self, at: str | int | None = None) -> str:
        """Give the branch that a node is on: the current one if it is, or the first; else the current one."""
        if isinstance(at, str):
            return self._known(at)
        number = self.number(at)
        for name in (self._branch, *self._branches):
            if number in self.path(name):
                return name
        return self._branch

    # --- changing ------------------------------------------------------------------------------------------

    def append(self, settings: Settings) -> Node:
        """Choose new settings: the present node gets a child, and the tip of the current branch moves there."""
        change = changes_in_words(self.node().settings, settings)
        with self._lock:
            node = Node(self._next, self._present, settings, change, now())
            self._next += 1
            self._nodes[node.number] = node
            self._taken_back.pop((self._branch, self._present), None)
            self._present = self._branches[self._branch] = node.number
        return node

    @property
    def undo_target(self) -> int | None:
        """Node that `undo` goes to; ``None`` at the first."""
        return self.node().parent

    @property
    def redo_target(self) -> int | None:
        """Node that `redo` goes to: the child last left on this branch, or the next one towards its tip."""
        left = self._taken_back.get((self._branch, self._present))
        if left is not None:
            return left
        path = self.path(self._branch)
        ahead = path[path.index(self._present) + 1 :] if self._present in path else ()
        return ahead[0] if ahead else None

    def undo(self) -> bool:
        """Go to the parent; whether there was one."""
        if (target := self.undo_target) is None:
            return False
        with self._lock:
            self._taken_back[self._branch, target] = self._present
            self._step_to(target)
        return True

    def redo(self) -> bool:
        """Go to the child last left; whether there was one."""
        if (target := self.redo_target) is None:
            return False
        with self._lock:
            self._step_to(target)
        return True

    def _step_to(self, number: int) -> None:
        """Go to a node; the tip of the branch goes along if it was here."""
        if self._branches[self._branch] == self._present:
            self._branches[self._branch] = number
        self._present = number

    def switch(self, at: str | int) -> None:
        """Go to the tip of a branch, or to a node.

        A node that is not on the current branch makes a branch current that it is on, if there is one.

        Raises
        ------
        ParameterError
            If there is none.
        """
        branch, number = self.branch_of(at), self.number(at)
        with self._lock:
            self._branch, self._present = branch, number

    def start(self, name: str, at: str | int | None = None) -> None:
        """Name a new branch that begins at a node (by default the present one), and go there.

        Raises
        ------
        ParameterError
            If the name is taken or not possible, or there is no such node.
        """
        self._free(name)
        number = self.number(at)
        with self._lock:
            self._present = self._branches[name] = number
            self._branch = name

    def rename(self, old: str, new: str) -> None:
        """Give a branch another name.

        Raises
        ------
        ParameterError
            If there is no such branch, or the new name is taken or not possible.
        """
        self._known(old)
        if new == old:
            return
        self._free(new)

        def named(name: str) -> str:
            return new if name == old else name

        with self._lock:
            self._branches = {named(name): tip for name, tip in self._branches.items()}
            self._taken_back = {(named(b), parent): child for (b, parent), child in self._taken_back.items()}
            self._branch = named(self._branch)

    def delete(self, name: str) -> None:
        """Delete a branch, and the nodes that belong to no other.

        Raises
        ------
        ParameterError
            If there is no such branch, it is the current one, or it is ``main``.
        """
        self._known(name)
        if name == MAIN:
            raise ParameterError(f"branch {MAIN} cannot be deleted: the session began with it.")
        if name == self._branch:
            others = ", ".join(b for b in self._branches if b != name)
            raise ParameterError(
                f"branch {name!r} cannot be deleted while the session is on it; go to another first: {others}."
            )
        with self._lock:
            self._remove(name)

    def _remove(self, name: str) -> None:
        path = self.path(name)
        del self._branches[name]
        kept = {number for other in (*self._branches, None) for number in self.path(other)}
        gone = {next((n for n in path if n not in kept), None)} - {None}
        for node in self.nodes:  # parents come before their children
            if node.number in gone or node.parent in gone:
                gone.add(node.number)
                del self._nodes[node.number]
        self._taken_back = {k: c for k, c in self._taken_back.items() if k[0] != name and c in self._nodes}

    def _known(self, name: str) -> str:
        if name not in self._branches:
            raise ParameterError(f"there is no branch {name!r}; the branches: {', '.join(self._branches)}.")
        return name

    def _free(self, name: str) -> None:
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
            raise ParameterError(
                f"{name!r} is no name for a branch: give a line of text of at most {_LONGEST_NAME} characters."
            )
        if name in self._branches:
            raise ParameterError(f"there is a branch {name!r} already; choose another name, or switch to it.")

    # --- showing -------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        children: dict[int, list[int]] = {number: [] for number in self._nodes}
        for node in self.nodes:
            if node.parent is not None:
                children[node.parent].append(node.number)
        return "\n".join(self._lines(0, children))

    def _lines(self, number: int, children: Mapping[int, Sequence[int]]) -> list[str]:
        """Lines of a node and of those after it; where the tree forks they are set in."""
        lines = [self._line(number)]
        while len(children[number]) == 1:
            number = children[number][0]
            lines.append(self._line(number))
        for child in children[number]:
            last = child == children[number][-1]
            first, *others = self._lines(child, children)
            lines.append(f"{'└─' if last else '├─'} {first}")
            lines += [f"{'  ' if last else '│ '} {line}" for line in others]
        return lines

    def _line(self, number: int) -> str:
        mark = "* " if number == self._present else ""
        names = ", ".join(b for b, tip in self._branches.items() if tip == number)
        change = self._nodes[number].change or "as CRDS and the defaults have it"
        return f"{mark}{number}: {change}" + (f"  [{names}]" if names else "")
