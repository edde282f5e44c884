"""Choose a state of the reduction and one of its planes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as ipw

__all__ = ["HERE", "StateChooser"]

HERE = "this branch"
_LAYOUT = {"flex": "1 1 100px", "min_width": "90px", "max_width": "190px", "width": "auto"}


class StateChooser:
    """Which step's output, on which branch, and which plane of it.

    Parameters
    ----------
    on_step, on_branch, on_plane : callable
        Called after a choice of the user; not after the methods of this class.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    step, branch, plane : ipywidgets.Dropdown
    """

    def __init__(
        self,
        on_step: Callable[[], None],
        on_branch: Callable[[], None],
        on_plane: Callable[[], None],
        guard: Callable[..., Any],
    ) -> None:
        self._showing = False
        self.step = ipw.Dropdown(options=["input"], layout=dict(_LAYOUT), tooltip="The state after this step")
        self.branch = ipw.Dropdown(
            options=[HERE], layout=dict(_LAYOUT), tooltip="With the settings of this branch"
        )
        self.plane = ipw.Dropdown(options=["group"], layout=dict(_LAYOUT), tooltip="What to show of this state")
        handlers = ((self.step, on_step), (self.branch, on_branch), (self.plane, on_plane))
        for control, handler in handlers:
            control.observe(guard(self._unless_showing(handler)), "value")

    def offer(self, control: ipw.Dropdown, options: Sequence[str], wanted: str | None = None) -> None:
        """Offer options, and choose one of them; by default the present choice or else the last option."""
        self._showing = True
        try:
            keep = control.value if wanted is None else wanted
            if tuple(control.options) != tuple(options):
                control.options = tuple(options)
            control.value = keep if keep in options else options[-1]
        finally:
            self._showing = False

    def choose(self, control: ipw.Dropdown, value: str) -> None:
        """Choose an option, if it is offered."""
        if value in control.options:
            self.offer(control, control.options, value)

    def _unless_showing(self, handler: Callable[[], None]) -> Callable[[object], None]:
        def observed(_change: object) -> None:
            if not self._showing:
                handler()

        return observed
