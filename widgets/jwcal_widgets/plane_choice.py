"""The planes A and B that the controls choose, with a preview in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jwcal_interactive.arrays import Ramp, State
from jwcal_widgets.plane_source import BEFORE, PlaneSource
from jwcal_widgets.planes import Plane, plane_names, take_plane
from jwcal_widgets.preview_paste import Paste
from jwcal_widgets.reference_planes import PREFIX
from jwcal_widgets.results import INPUT
from jwcal_widgets.source_controls import REFERENCES, OtherControls, SourceControls
from jwcal_widgets.state_chooser import HERE
from jwcal_widgets.viewport import Box

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_interactive.session.preview import Preview

__all__ = ["Chosen", "PlaneChoice"]


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is to be shown.

    Attributes
    ----------
    step : str
        Whose output A is.
    a, b : Plane or None
    a_name, b_name : str
        Which states they are planes of.
    note : str
        Why a plane is missing; empty if none is.
    of_ramp : bool
        Whether A is a plane of a ramp.
    preview : Box or None
        Where A shows a preview.
    """

    step: str
    a: Plane | None = None
    b: Plane | None = None
    a_name: str = ""
    b_name: str = ""
    note: str = ""
    of_ramp: bool = False
    preview: Box | None = None


class PlaneChoice:
    """Controls of A and B, and the planes that they stand for.

    Parameters
    ----------
    session : Session
    on_change : callable
        Called after a choice of the user, and when references have been read.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    source : SourceControls
    other : OtherControls
    preview : Preview or None
        Shown in A, where A is a state that it computed.
    """

    def __init__(self, session: Session, on_change: Callable[[], None], guard: Callable[..., Any]) -> None:
        self._session = session
        self._on_change = on_change
        self._reading = ""
        self.source = SourceControls(on_change, guard)
        self.other = OtherControls(on_change, guard)
        self.planes = PlaneSource(session, self._references_read, guard)
        self._paste = Paste()
        self.preview: Preview | None = None

    def refresh(self) -> None:
        """Look at the session again; a preview is over."""
        self.planes.forget()
        self._paste.forget()
        self.preview = None
        self.source.set_branches(self.planes.branches())
        self._offer_steps()

    def choose_step(self, step: str) -> None:
        """Choose a step for A, or the last one before it that has a result."""
        order = [INPUT, *self._session.steps]
        upto = order[: order.index(step) + 1]
        offered = self.source.step.options
        self.source.choose_step([s for s in upto if s in offered][-1])

    def compare_with_input(self) -> bool:
        """Choose for B what went into the step of A; False if there is nothing before it."""
        steps = self.planes.steps(self.source.branch.value)
        place = steps.index(self.source.step.value)
        if place == 0:
            return False
        self._set_b(steps[place - 1], self.source.branch.value)
        return True

    def compare_with_change(self) -> bool:
        """Choose for B the step of A before the last change of settings; False if there was none."""
        step = self.source.step.value
        if self.source.branch.value != HERE or self.planes.state(step, BEFORE) is None:
            return False
        self._set_b(step, BEFORE)
        return True

    def compare_places(self, a: str | int, b: str | int) -> None:
        """Choose the chosen step at two places of the tree.

        Raises
        ------
        ParameterError
            If there is no such place.
        """
        one, other = (self.planes.name_place(place) for place in (a, b))
        step = self.source.step.value
        self.source.set_branches(self.planes.branches())
        self.source.chooser.choose(self.source.branch, one)
        self._offer_steps()
        self.source.choose_step(step)
        self._set_b(step, other)

    def chosen(self, *, compared: bool, any_group: bool) -> Chosen:
        """Find the planes.

        Parameters
        ----------
        compared : bool
            Whether B is asked for.
        any_group : bool
            See `take_plane`.
        """
        source = self.source
        self._offer_steps()
        step, branch = source.step.value, source.branch.value
        state = self.planes.state(step, branch)
        if state is None and branch == HERE and self.planes.compute_again(step):
            return Chosen(step, note=f"computing {step} again, which was dropped from memory…")
        if state is None:
            return Chosen(step, note=f"{step} has no result in memory on {branch}; run it there.")
        self._offer_planes(state, step)
        if source.plane.value == REFERENCES:
            return Chosen(step, note=self._read(step))
        name = source.plane.value
        a = self._plane(state, step, name, any_group)
        part = self._previewed(step, any_group) if branch == HERE else None
        box, note = None, ""
        if part is not None and self.preview is not None:
            window = self.preview.window
            box = Box(window.x0, window.y0, window.x1, window.y1)
            # Up to refpix, frames of IRS2 have rows that later ones lack: there the window is another one.
            if box.y1 <= a.shape[0] and part.shape == (box.y1 - box.y0, box.x1 - box.x0):
                a = self._paste.over(a, part, box)
            else:
                box = None
                note = f"The preview has other rows than {step}: show a step before refpix to see it."
        of_ramp = isinstance(state, Ramp) and not name.startswith(PREFIX)
        found = Chosen(step, a, a_name=_name(step, branch), note=note, of_ramp=of_ramp, preview=box)
        return self._with_b(found, any_group) if compared else found

    def close(self) -> None:
        """Stop reading, and let go of all planes."""
        self.planes.close()
        self._paste.forget()
        self.preview = None

    def _with_b(self, found: Chosen, any_group: bool) -> Chosen:
        other, chooser = self.other, self.other.chooser
        chooser.offer(other.branch, (HERE, BEFORE, *self.planes.branches()), other.branch.value)
        chooser.offer(other.step, self.planes.steps(other.branch.value))
        step, branch = other.step.value, other.branch.value
        state = self.planes.state(step, branch)
        if state is None:
            return replace(found, note=f"B: there is no other result of {step} in memory, {branch}.")
        other.set_state(state, self.planes.reference_names(step))
        name = other.plane_like(state, self.source.plane.value)
        if name == REFERENCES:
            return replace(found, note=self._read(step))
        b = self._plane(state, step, name, any_group)
        return replace(found, b=b, b_name=_name(step, branch))

    def _set_b(self, step: str, branch: str) -> None:
        other, chooser = self.other, self.other.chooser
        chooser.offer(other.branch, (HERE, BEFORE, *self.planes.branches()), branch)
        chooser.offer(other.step, self.planes.steps(branch), step)
        chooser.choose(other.plane, other.plane.options[0])

    def _offer_steps(self) -> None:
        self.source.set_steps(self.planes.steps(self.source.branch.value))

    def _offer_planes(self, state: State, step: str) -> None:
        names = self.planes.reference_names(step)
        self.source.set_state(state, names, lambda name: self.planes.reference_range(step, name))

    def _plane(self, state: State, step: str, name: str, any_group: bool) -> Plane:
        integration, group = self.source.integration.value, self.source.group.value
        return self.planes.plane(state, step, name, integration, group, any_group=any_group)

    def _previewed(self, step: str, any_group: bool) -> Plane | None:
        """Take the chosen plane from the preview, if it computed the step."""
        source = self.source
        state = None if self.preview is None else self.preview.states.get(step)
        if state is None or source.plane.value not in plane_names(state):
            return None
        integration, group = source.integration.value, source.group.value
        return take_plane(state, source.plane.value, integration, group, any_group=any_group)

    def _read(self, step: str) -> str:
        self._reading = step
        self.planes.read_references(step)
        return f"reading the references of {step}…"

    def _references_read(self) -> None:
        """Choose the first plane of the references that were asked for."""
        names = self.planes.reference_names(self._reading)
        for controls in (self.source, self.other):
            if controls.step.value == self._reading and controls.plane.value == REFERENCES:
                controls.prefer(names[0] if names else "")
        self._on_change()


def _name(step: str, branch: str) -> str:
    return step if branch == HERE else f"{step}, {branch}"
