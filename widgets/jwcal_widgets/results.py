"""Which results a session has to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwcal_interactive.arrays import State

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["INPUT", "out_of_date", "steps_with_result"]

INPUT = "input"
_OUT_OF_DATE = {"stale": "is stale", "failed": "has failed"}


def steps_with_result(session: Session, *kinds: type[State]) -> list[str]:
    """``input`` and the steps that changed something, in order.

    Parameters
    ----------
    session : Session
    *kinds : type
        Kinds of states to list; all if none is given.

    Returns
    -------
    list of str
        A skipped step hands its input on and is left out.
    """
    found = []
    before = None
    for step in (INPUT, *session.steps):
        state = session.result(step)
        if state is None or state is before:
            continue
        before = state
        if not kinds or isinstance(state, kinds):
            found.append(step)
    return found


def out_of_date(session: Session, step: str) -> str:
    """Say in two words why what is shown of a step is from an earlier run; empty if it is not."""
    return "" if step == INPUT else _OUT_OF_DATE.get(session.status(step).state, "")
