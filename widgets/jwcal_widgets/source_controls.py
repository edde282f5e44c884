"""Choose what the image shows: which step's output, which plane, which integration and group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as ipw

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, State
from jwcal_widgets.planes import plane_names
from jwcal_widgets.state_chooser import HERE, StateChooser

__all__ = ["REFERENCES", "SAME_PLANE", "OtherControls", "SourceControls"]

REFERENCES = "references…"
"""Offered in place of the planes of the references until these were loaded."""
SAME_PLANE = "same plane"


class SourceControls:
    """Selectors that always offer what the chosen state has.

    Parameters
    ----------
    on_change : callable
        Called after a choice of the user.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    """

    def __init__(self, on_change: Callable[[], None], guard: Callable[..., Any]) -> None:
        self._on_change = on_change
        self._showing = False
        self._preferred: dict[type, str] = {}
        self._numbers: dict[type, int] = {Rates: 0, Ramp: 1, GuiderSlopes: 1}
        self.chooser = StateChooser(self._step_chosen, on_change, self._plane_chosen, guard)
        self.step, self.branch, self.plane = self.chooser.step, self.chooser.branch, self.chooser.plane
        self.follow = ipw.ToggleButton(
            value=True,
            icon="link",
            tooltip="Show the output of the step that is chosen in the rail",
            layout={"width": "34px"},
        )
        self.follow.add_class("jwcal-icon-button")
        slider = {"flex": "1 1 150px", "min_width": "150px"}
        self.integration = ipw.SelectionSlider(
            options=[("1", 1)], description="integration", continuous_update=True, layout=slider
        )
        self.group = ipw.IntSlider(
            value=1, min=1, max=1, description="group", continuous_update=True, layout=slider
        )
        for control in (self.integration, self.group):
            control.style.description_width = "76px"
        self.widget = ipw.VBox(
            [
                ipw.HBox(
                    [ipw.HTML("output&nbsp;of"), self.step, self.follow, self.branch, self.plane],
                    layout={"align_items": "center"},
                ),
                ipw.HBox([self.integration, self.group], layout={"align_items": "center"}),
            ]
        )
        for control in (self.integration, self.group):
            control.observe(guard(self._changed), "value")
        self._kind: type = Ramp

    def set_steps(self, steps: Sequence[str]) -> None:
        """Offer the steps that have a result; the choice stays if it can."""
        self.chooser.offer(self.step, steps)

    def set_branches(self, branches: Sequence[str]) -> None:
        """Offer the present settings and those of other branches."""
        self.chooser.offer(self.branch, (HERE, *branches), self.branch.value if branches else HERE)
        self.branch.layout.display = None if branches else "none"

    def choose_step(self, step: str) -> None:
        """Choose a step without telling `on_change`."""
        self.chooser.choose(self.step, step)

    def prefer(self, plane: str) -> None:
        """Choose a plane for states of the present kind; it is shown by the next `set_state`."""
        self._preferred[self._kind] = plane

    def set_state(
        self,
        state: State,
        references: Sequence[str] = (),
        size_of: Callable[[str], tuple[int, int] | None] = lambda _name: None,
    ) -> None:
        """Offer the planes, integrations and groups of a state; choices stay where they can.

        Parameters
        ----------
        state : State
        references : sequence of str
            Names of further planes, of references.
        size_of : callable
            Gives integrations and groups of a plane of a reference; None for a plane of the state.
        """
        self._kind = type(state)
        own = plane_names(state)
        names = (*own, *references)
        wanted = self._preferred.get(self._kind, names[0])
        self.chooser.offer(self.plane, names, wanted if wanted in names else names[0])
        self._showing = True
        try:
            size = size_of(self.plane.value)
            if size is not None:
                self._set_integrations([(str(k), k) for k in range(1, size[0] + 1)])
                self.integration.description = "integration"
                self._set_groups(size[1])
                self.group.description, self.group.layout.visibility = "layer", "visible"
                return
            self._set_integrations(_integrations(state))
            self.integration.description = "slice" if isinstance(state, GuiderSlopes) else "integration"
            if isinstance(state, Ramp):
                self._set_groups(state.data.shape[1] - (self.plane.value == "difference"))
            self.group.description = "group"
            has_groups = isinstance(state, Ramp) and self.plane.value != "integration"
            self.group.layout.visibility = "visible" if has_groups else "hidden"
        finally:
            self._showing = False

    def _set_integrations(self, options: list[tuple[str, int]]) -> None:
        values = [value for _, value in options]
        if list(self.integration.options) != options:
            self.integration.options = options
        keep = self._numbers[self._kind]
        self.integration.value = keep if keep in values else values[0]
        self.integration.disabled = len(options) == 1

    def _set_groups(self, last: int) -> None:
        was_last = self.group.value == self.group.max
        self.group.max = max(last, 1)
        if was_last:
            self.group.value = self.group.max
        self.group.disabled = last <= 1

    def _step_chosen(self) -> None:
        self.follow.value = False
        self._on_change()

    def _plane_chosen(self) -> None:
        self._preferred[self._kind] = self.plane.value
        self._on_change()

    def _changed(self, _change: object) -> None:
        if not self._showing:
            self._numbers[self._kind] = self.integration.value
            self._on_change()


def _integrations(state: State) -> list[tuple[str, int]]:
    if isinstance(state, Rates):
        return [("all", 0)] + [(str(k), k) for k in range(1, len(state.rateints.data) + 1)]
    return [(str(k), k) for k in range(1, len(state.data) + 1)]


class OtherControls:
    """Selectors of what is compared with the image: B, while the image itself is A.

    Integration and group are those of A.

    Parameters
    ----------
    on_change : callable
        Called after a choice of the user.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.HBox
    """

    def __init__(self, on_change: Callable[[], None], guard: Callable[..., Any]) -> None:
        self.chooser = StateChooser(on_change, on_change, on_change, guard)
        self.step, self.branch, self.plane = self.chooser.step, self.chooser.branch, self.chooser.plane
        self.chooser.offer(self.plane, (SAME_PLANE,))
        self.widget = ipw.HBox(
            [ipw.HTML("<b>B</b>&nbsp; output&nbsp;of"), self.step, self.branch, self.plane],
            layout={"align_items": "center", "display": "none"},
        )

    def set_state(self, state: State, references: Sequence[str] = ()) -> None:
        """Offer the planes of a state; the choice stays if it can."""
        names = (SAME_PLANE, *plane_names(state), *references)
        chosen = self.plane.value
        self.chooser.offer(self.plane, names, chosen if chosen in names else SAME_PLANE)

    def prefer(self, plane: str) -> None:
        """Choose a plane, also if it is offered only by the next `set_state`."""
        self.chooser.offer(self.plane, (SAME_PLANE, plane), plane)

    def plane_like(self, state: State, name: str) -> str:
        """Name of the plane to take: the chosen one, or that of A if this state has it, or the first."""
        if self.plane.value != SAME_PLANE:
            return str(self.plane.value)
        names = plane_names(state)
        return name if name in names else names[0]
