"""What chooses the ramps that are drawn, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as ipw
import numpy as np

from jwcal_widgets.results import INPUT

__all__ = ["ALL", "MAX_TRACES", "RAMP", "RATE", "Choice", "RampControls", "integrations_to_offer"]

ALL, RANGE = 0, -1
"""Choices of the integration beside its number."""

MAX_TRACES = 20
_MOST_OFFERED = 60
RAMP, RATE = "ramp", "differences"
DN, ELECTRON = "DN", "electron"
NOTHING = "–"


@dataclass(frozen=True)
class Choice:
    """What the user wants to see.

    Attributes
    ----------
    step : str
        The ramp after it.
    others : tuple of str
        Ramps after these steps, too.
    integrations : tuple of int
        Numbers from 1.
    left_out : int
        How many of those that were chosen are too many to draw.
    differences, electron, usable, aligned, in_sigma : bool
    branch : str or None
        To compare with.
    """

    step: str
    others: tuple[str, ...]
    integrations: tuple[int, ...]
    left_out: int
    differences: bool
    electron: bool
    usable: bool
    aligned: bool
    in_sigma: bool
    branch: str | None


class RampControls:
    """The controls above the plot.

    Parameters
    ----------
    on_change : callable
        Called after the user chose something.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    lead, trail : ipywidgets.Widget
        First and last in the first row.

    Attributes
    ----------
    widget : ipywidgets.VBox
    """

    def __init__(
        self,
        on_change: Callable[[], None],
        guard: Callable[..., Any],
        lead: ipw.Widget,
        trail: ipw.Widget,
    ) -> None:
        self._on_change = on_change
        self._setting = False
        self._nints = 1
        self.step = ipw.Dropdown(
            options=[INPUT],
            layout={"width": "124px"},
            tooltip="The ramp after this step; the fit is drawn on what was fitted",
        )
        self.overlay = ipw.ToggleButton(
            description="overlay",
            icon="clone",
            tooltip="Draw the ramp after other steps as well",
            layout={"width": "92px"},
        )
        self.others = ipw.SelectMultiple(
            rows=5,
            layout={"width": "200px", "display": "none"},
            tooltip="Ramps after these steps, too: Ctrl or Shift to choose several",
        )
        self.integration = ipw.Dropdown(
            options=[("all", ALL), ("1", 1)], value=1, layout={"width": "64px"}, tooltip="Integration to draw"
        )
        self.range = ipw.IntRangeSlider(
            min=1,
            max=2,
            value=(1, 2),
            continuous_update=False,
            layout={"width": "200px", "display": "none"},
            tooltip="First and last integration to draw",
        )
        self.kind = ipw.ToggleButtons(
            options=[RAMP, RATE],
            style={"button_width": "auto"},
            tooltips=[
                "Signal against time, residuals of the fit below",
                "Differences of adjacent groups per second, with the limits beyond which jump flags them",
            ],
        )
        self.unit = ipw.ToggleButtons(
            options=[DN, ELECTRON],
            style={"button_width": "auto"},
            tooltips=["Data numbers", "Data numbers times the gain of the pixel"],
        )
        self.branch = ipw.Dropdown(
            options=[(NOTHING, None)],
            layout={"width": "120px"},
            tooltip="Draw the same pixel as another branch has it, dashed",
        )
        self._branch_row = ipw.HBox(
            [ipw.Label("compare with branch"), self.branch], layout={"align_items": "center", "display": "none"}
        )
        checks = {
            "usable": ("usable groups only", "Fit the axis to the groups that are not excluded"),
            "aligned": ("from first group", "Take away the first usable group of each ramp, to compare shapes"),
            "sigma": ("residuals in σ", "Residuals in units of their noise instead of the unit of the plot"),
        }
        boxes = {
            name: ipw.Checkbox(
                description=text, tooltip=tip, indent=False, layout={"width": "auto", "margin": "0 12px 0 2px"}
            )
            for name, (text, tip) in checks.items()
        }
        self.usable, self.aligned, self.sigma = boxes.values()
        row = {"align_items": "center", "flex_flow": "row wrap"}
        self.widget = ipw.VBox(
            [
                ipw.HBox([lead, ipw.Label("after"), self.step, self.overlay, trail], layout=row),
                self.others,
                ipw.HBox([self.kind, self.unit, ipw.Label("integration"), self.integration], layout=row),
                self.range,
                ipw.HBox(list(boxes.values()), layout=row),
                self._branch_row,
            ]
        )
        self.overlay.observe(guard(self._overlay_toggled), "value")
        watched = (self.step, self.others, self.integration, self.range, self.kind, self.unit, self.branch)
        for control in (*watched, *boxes.values()):
            control.observe(guard(self._chosen), "value")

    @property
    def choice(self) -> Choice:
        """What is chosen."""
        numbers = self._numbers()
        drawn = numbers if len(numbers) <= MAX_TRACES else _spread(numbers, MAX_TRACES)
        others = tuple(s for s in self.others.value if s != self.step.value) if self.overlay.value else ()
        return Choice(
            self.step.value,
            others,
            tuple(drawn),
            len(numbers) - len(drawn),
            self.kind.value == RATE,
            self.unit.value == ELECTRON,
            self.usable.value,
            self.aligned.value,
            self.sigma.value,
            self.branch.value,
        )

    def offer(self, steps: Sequence[str], nints: int, branches: Sequence[str]) -> None:
        """Offer what there is to choose from; choices that are still there stay."""
        self._setting = True
        try:
            self._offer_steps(list(steps))
            self._offer_integrations(nints)
            options = [(NOTHING, None), *((name, name) for name in branches)]
            if list(self.branch.options) != options:
                chosen = self.branch.value
                self.branch.options = options
                self.branch.value = chosen if chosen in branches else None
            self._branch_row.layout.display = "flex" if branches else "none"
        finally:
            self._setting = False

    def _offer_steps(self, steps: list[str]) -> None:
        if list(self.step.options) == steps:
            return
        was_last = self.step.value == self.step.options[-1]
        keep, others = self.step.value, self.others.value
        self.step.options = self.others.options = steps
        self.step.value = keep if keep in steps and not was_last else steps[-1]
        self.others.value = tuple(s for s in others if s in steps)

    def _offer_integrations(self, nints: int) -> None:
        choices = [("all", ALL)] if nints > 1 else []
        choices += [("range", RANGE)] if nints > 2 else []
        choices += [(str(k), k) for k in integrations_to_offer(nints)]
        self._nints = nints
        if list(self.integration.options) != choices:
            self.integration.options = choices
            self.integration.value = 1
            self.range.max = max(nints, 2)
            self.range.value = (1, min(nints, 5))

    def _numbers(self) -> list[int]:
        chosen = self.integration.value
        if chosen == ALL:
            return list(range(1, self._nints + 1))
        if chosen == RANGE:
            first, last = self.range.value
            return list(range(first, last + 1))
        return [chosen]

    def _overlay_toggled(self, change: dict[str, Any]) -> None:
        self.others.layout.display = None if change["new"] else "none"
        if change["new"] and not self.others.value:
            # Raw data beside the ramp on show is what is mostly asked for.
            self.others.value = (self.others.options[0],) if self.others.options else ()
        self._chosen(change)

    def _chosen(self, _change: object) -> None:
        if not self._setting:
            self.range.layout.display = None if self.integration.value == RANGE else "none"
            self._on_change()


def integrations_to_offer(nints: int) -> list[int]:
    """Numbers of the integrations for a list to choose from: of very many, some that are evenly spread."""
    numbers = list(range(1, nints + 1))
    return numbers if nints <= _MOST_OFFERED else _spread(numbers, _MOST_OFFERED)


def _spread(numbers: list[int], count: int) -> list[int]:
    """Pick some of many numbers, evenly, with the first and the last."""
    places = np.linspace(0, len(numbers) - 1, count).round().astype(int)
    return [numbers[k] for k in places]
