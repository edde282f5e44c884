"""Choose what the image shows: which step's output, which plane, which integration and group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as ipw

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, State
from jwcal_widgets.planes import plane_names

__all__ = ["SourceControls"]


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
        self.step = ipw.Dropdown(
            options=["input"], layout={"width": "160px"}, tooltip="The state after this step"
        )
        self.follow = ipw.ToggleButton(
            value=True,
            icon="link",
            tooltip="Show the output of the step that is chosen in the rail",
            layout={"width": "34px"},
        )
        self.follow.add_class("jwcal-icon-button")
        self.plane = ipw.Dropdown(options=["group"], layout={"width": "150px"})
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
                    [ipw.Label("output of"), self.step, self.follow, self.plane],
                    layout={"align_items": "center", "flex_flow": "row wrap"},
                ),
                ipw.HBox([self.integration, self.group], layout={"align_items": "center"}),
            ]
        )
        self.step.observe(guard(self._step_chosen), "value")
        self.plane.observe(guard(self._plane_chosen), "value")
        for control in (self.integration, self.group):
            control.observe(guard(self._changed), "value")
        self._kind: type = Ramp

    def set_steps(self, steps: Sequence[str]) -> None:
        """Offer the steps that have a result; the choice stays if it can."""
        self._showing = True
        try:
            keep = self.step.value
            self.step.options = list(steps)
            self.step.value = keep if keep in steps else steps[-1]
        finally:
            self._showing = False

    def choose_step(self, step: str) -> None:
        """Choose a step without telling `on_change`."""
        self._showing = True
        try:
            if step in self.step.options:
                self.step.value = step
        finally:
            self._showing = False

    def set_state(self, state: State) -> None:
        """Offer the planes, integrations and groups of a state; choices stay where they can."""
        self._showing = True
        try:
            self._kind = type(state)
            names = plane_names(state)
            wanted = self._preferred.get(self._kind, names[0])
            self.plane.options = names
            self.plane.value = wanted if wanted in names else names[0]
            self._set_integrations(state)
            ngroups = state.data.shape[1] if isinstance(state, Ramp) else 1
            self._set_groups(ngroups - 1 if self.plane.value == "difference" else ngroups)
            self.group.layout.visibility = "visible" if isinstance(state, Ramp) else "hidden"
        finally:
            self._showing = False

    def _set_integrations(self, state: State) -> None:
        if isinstance(state, Rates):
            options = [("all", 0)] + [(str(k), k) for k in range(1, len(state.rateints.data) + 1)]
        else:
            options = [(str(k), k) for k in range(1, len(state.data) + 1)]
        self.integration.description = "slice" if isinstance(state, GuiderSlopes) else "integration"
        values = [value for _, value in options]
        if list(self.integration.options) != options:
            self.integration.options = options
        keep = self._numbers[type(state)]
        self.integration.value = keep if keep in values else values[0]
        self.integration.disabled = len(options) == 1

    def _set_groups(self, last: int) -> None:
        was_last = self.group.value == self.group.max
        self.group.max = max(last, 1)
        if was_last:
            self.group.value = self.group.max
        self.group.disabled = last <= 1

    def _step_chosen(self, _change: object) -> None:
        if not self._showing:
            self.follow.value = False
            self._on_change()

    def _plane_chosen(self, _change: object) -> None:
        if not self._showing:
            self._preferred[self._kind] = self.plane.value
            self._on_change()

    def _changed(self, _change: object) -> None:
        if not self._showing:
            self._numbers[self._kind] = self.integration.value
            self._on_change()
