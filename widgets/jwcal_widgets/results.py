"""Which results a session has to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, State
from jwcal_interactive.session.editing import layout_after

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["INPUT", "out_of_date", "steps_with_result", "was_dropped"]

INPUT = "input"
_KINDS: dict[str, type[State]] = {"ramp": Ramp, "rates": Rates, "guider slopes": GuiderSlopes}
_OUT_OF_DATE = {"stale": "is stale", "failed": "has failed"}


def steps_with_result(session: Session, *kinds: type[State]) -> list[str]:
    """``input`` and the steps that changed something, in order; nothing is computed.

    Parameters
    ----------
    session : Session
    *kinds : type
        Kinds of states to list; all if none is given.

    Returns
    -------
    list of str
        A skipped step hands its input on and is left out. A step whose result was dropped from memory is there.
    """
    found: list[str] = []
    before = raw = session.kept(INPUT)
    assert isinstance(raw, Ramp)
    if not kinds or Ramp in kinds:
        found.append(INPUT)
    for step in session.steps:
        state = session.kept(step)
        if state is None and was_dropped(session, step):
            kind = _KINDS[layout_after(step, session.steps, raw, None).kind]
        elif state is None or state is before:
            continue
        else:
            before, kind = state, type(state)
        if not kinds or kind in kinds:
            found.append(step)
    return found


def was_dropped(session: Session, step: str) -> bool:
    """Whether a step has run with the present settings, and its result is not in memory any more."""
    return step != INPUT and session.status(step).state == "done" and session.kept(step) is None


def out_of_date(session: Session, step: str) -> str:
    """Say in two words why what is shown of a step is from an earlier run; empty if it is not."""
    return "" if step == INPUT else _OUT_OF_DATE.get(session.status(step).state, "")
