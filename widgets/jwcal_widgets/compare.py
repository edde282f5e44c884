"""What a plane is compared with: the state before a change of settings, and the difference of two planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwcal_interactive.arrays import State
from jwcal_widgets.planes import Plane

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["before_change", "difference", "obstacle"]


def before_change(session: Session, step: str) -> State | None:
    """State after a step with the settings before the last change that altered it.

    Returns
    -------
    State or None
        None if there was no such change, or its result is no longer in memory.
    """
    now = session.kept(step)
    parents = {node.number: node.parent for node in session.tree.nodes}
    node = parents[session.tree.present]
    while node is not None:
        state = session.result(step, at=node)
        if state is not None and state is not now:
            return state
        node = parents[node]
    return None


def obstacle(a: Plane, b: Plane) -> str:
    """Say why two planes cannot be subtracted; empty if they can."""
    if a.shape != b.shape:
        return f"A has {a.shape[1]} × {a.shape[0]} pixels and B {b.shape[1]} × {b.shape[0]}"
    if a.unit != b.unit:
        return f"A is in {a.unit or 'no unit'} and B in {b.unit or 'no unit'}"
    return ""


def difference(a: Plane, b: Plane) -> Plane:
    """Subtract B from A; the flags are those that only one of the two has."""
    return Plane(a.data - b.data, a.dq ^ b.dq, a.unit, "A − B: flags that only one of them has")
