"""Finds the planes that are asked for, among the results of the session and its references."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jwcal_interactive.arrays import References, State
from jwcal_widgets.compare import before_change
from jwcal_widgets.latest import Latest
from jwcal_widgets.planes import Plane, take_plane
from jwcal_widgets.reference_planes import PREFIX, reference_names, reference_range, take_reference
from jwcal_widgets.results import INPUT
from jwcal_widgets.source_controls import REFERENCES
from jwcal_widgets.state_chooser import HERE

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["BEFORE", "PlaneSource"]

BEFORE = "before the last change"
"""In place of a branch: the settings before the last change that altered the result."""
_KEPT = 4  # planes; a full frame takes up to 32 MB


class PlaneSource:
    """Planes of a session.

    Parameters
    ----------
    session : Session
    on_loaded : callable
        Called when references have been read, from a thread.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    """

    def __init__(self, session: Session, on_loaded: Callable[[], None], guard: Callable[..., Any]) -> None:
        self._session = session
        self._on_loaded = on_loaded
        self._reader = Latest(guard, "jwcal-references")
        self._references: dict[str, tuple[object, References]] = {}
        self._entries: dict[str, int] = {}
        self._steps: dict[str, list[str]] = {}
        self._planes: OrderedDict[tuple[object, ...], tuple[State, Plane]] = OrderedDict()

    def branches(self) -> tuple[str, ...]:
        """Names of the branches other than the present one, and of single places that were asked for."""
        tree = self._session.tree
        branches = tuple(name for name in tree.branches if name != tree.branch)
        numbers = {node.number for node in tree.nodes}
        self._entries = {name: n for name, n in self._entries.items() if n in numbers}
        return (*branches, *self._entries)

    def name_place(self, place: str | int) -> str:
        """Name a branch, or a node of the tree by its number, as `state` takes it.

        Raises
        ------
        ParameterError
            If there is none.
        """
        tree = self._session.tree
        number = tree.number(place)
        if number == tree.present:
            return HERE
        for name, tip in tree.branches.items():
            if tip == number and name != tree.branch:
                return name
        name = f"entry {number}"
        self._entries[name] = number
        return name

    def steps(self, branch: str) -> list[str]:
        """``input`` and the steps that have a result of their own on a branch; as of the last `forget`."""
        if branch not in self._steps:
            self._steps[branch] = self._find_steps(branch)
        return self._steps[branch]

    def state(self, step: str, branch: str) -> State | None:
        """State after a step; None if it is not in memory."""
        if branch == BEFORE:
            return before_change(self._session, step)
        if branch == HERE:
            return self._session.kept(step)
        return self._session.result(step, at=self._entries.get(branch, branch))

    def compute_again(self, step: str) -> bool:
        """Compute a result that was dropped from memory, on a thread; False if the step has not run."""
        if not self._was_dropped(step):
            return False

        def keep(state: State | None) -> None:
            if state is not None:  # else the session is running, and will show its results
                self._on_loaded()

        self._reader.request(lambda: self._session.result(step), keep)
        return True

    def reference_names(self, step: str) -> tuple[str, ...]:
        """Names of the planes of the step's references, or the one name that asks for them to be read."""
        if step == INPUT:
            return ()
        references = self._loaded(step)
        return (REFERENCES,) if references is None else reference_names(references)

    def reference_range(self, step: str, name: str) -> tuple[int, int] | None:
        """Integrations and groups of a plane of a reference; None for another plane."""
        references = self._loaded(step)
        if references is None or name not in reference_names(references):
            return None
        return reference_range(references, name)

    def read_references(self, step: str) -> None:
        """Read the references of a step on a thread."""
        settings = self._session.settings

        def keep(references: References) -> None:
            self._references[step] = (settings, references)
            self._on_loaded()

        self._reader.request(lambda: self._session.load_references(step), keep)

    def plane(
        self, state: State, step: str, name: str, integration: int, group: int, *, any_group: bool
    ) -> Plane:
        """Take a plane of a state, or of the references of a step; the same object when asked again."""
        key = (id(state), step if name.startswith(PREFIX) else "", name, integration, group, any_group)
        if key not in self._planes:
            self._planes[key] = (state, self._take(state, step, name, integration, group, any_group))
        self._planes.move_to_end(key)
        while len(self._planes) > _KEPT:
            self._planes.popitem(last=False)
        return self._planes[key][1]

    def forget(self) -> None:
        """Let go of planes, so that superseded results can leave the memory; the session may have changed."""
        self._planes.clear()
        self._steps.clear()
        present = self._session.settings
        self._references = {step: kept for step, kept in self._references.items() if kept[0] == present}

    def wait(self) -> None:
        """Wait until references have been read."""
        self._reader.wait()

    def close(self) -> None:
        """Let go of all."""
        self._reader.close()
        self._planes.clear()
        self._references.clear()

    def _find_steps(self, branch: str) -> list[str]:
        here = branch in (HERE, BEFORE)
        found, before = [INPUT], self._session.kept(INPUT)
        for step in self._session.steps:
            state = self.state(step, HERE if here else branch)
            if state is None:
                if here and self._was_dropped(step):
                    found.append(step)
            elif state is not before:
                found.append(step)
                before = state
        return found

    def _was_dropped(self, step: str) -> bool:
        return self._session.kept(step) is None and self._session.status(step).state == "done"

    def _take(self, state: State, step: str, name: str, integration: int, group: int, any_group: bool) -> Plane:
        references = self._loaded(step)
        if references is not None and name.startswith(PREFIX):
            return take_reference(references, name, integration, group)
        return take_plane(state, name, integration, group, any_group=any_group)

    def _loaded(self, step: str) -> References | None:
        kept = self._references.get(step)
        return kept[1] if kept is not None and kept[0] == self._session.settings else None
