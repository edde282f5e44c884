"""The steps of the pipeline, one under the other, with what became of each."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import ipywidgets as ipw

__all__ = ["NOT_OFFICIAL", "Rail", "RailState"]


@dataclass(frozen=True)
class RailState:
    """What a row shows; `seconds` is the wall time of the step's last run."""

    state: Literal["pending", "done", "skipped", "stale", "failed", "running", "input", "off"]
    reason: str = ""
    seconds: float | None = None


_GLYPHS = {
    "pending": "○",
    "done": "✓",
    "skipped": "–",
    "stale": "↻",
    "failed": "✕",
    "running": "▸",
    "input": "▪",
    "off": "·",
}
WIDTH = 216
NOT_OFFICIAL = "Not a step of the official pipeline."


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def state_text(state: RailState) -> str:
    """Return the few words at the right of a row."""
    if state.state == "done":
        return _seconds(state.seconds)
    if state.state in {"pending", "input"}:
        return ""
    return state.state


class _Row:
    def __init__(self, step: str, on_click: Callable[[str], None], *, beyond: bool) -> None:
        self.step = step
        self._beyond = beyond
        self.button = ipw.Button(layout={"width": f"{WIDTH - 60}px", "height": "26px", "margin": "1px 0"})
        self.button.on_click(lambda _button: on_click(step))
        self._text = ipw.HTML(layout={"width": "54px", "margin": "0"})
        self.widget = ipw.HBox([self.button, self._text], layout={"width": f"{WIDTH - 4}px"})
        self.widget.add_class("jwcal-row")
        self._shown: RailState | None = None

    def show(self, state: RailState) -> None:
        if state == self._shown:
            return
        self._shown = state
        self.button.description = f"{_GLYPHS[state.state]} {self.step}{' +' if self._beyond else ''}"
        tooltip = f"{self.step}: {state.state}" + (f" ({state.reason})" if state.reason else "")
        if self._beyond:
            tooltip += f". {NOT_OFFICIAL}"
        self.button.tooltip = tooltip
        reason = html.escape(tooltip, quote=True)
        self._text.value = (
            f"<span class='jwcal-state jwcal-{state.state}' title='{reason}'>{state_text(state)}</span>"
        )
        (self.widget.add_class if state.state == "off" else self.widget.remove_class)("jwcal-off")

    def choose(self, chosen: bool) -> None:
        (self.widget.add_class if chosen else self.widget.remove_class)("jwcal-chosen")


class Rail:
    """A column of steps to choose from.

    Parameters
    ----------
    steps : sequence of str
        In order.
    on_choose : callable
        Called with the step that was clicked.
    beyond : collection of str
        Steps that the official pipeline does not have; they are marked with a plus sign.

    Attributes
    ----------
    widget : ipywidgets.VBox
    """

    def __init__(
        self, steps: Sequence[str], on_choose: Callable[[str], None], beyond: Collection[str] = ()
    ) -> None:
        self._rows = {step: _Row(step, on_choose, beyond=step in beyond) for step in steps}
        self.widget = ipw.VBox(
            [row.widget for row in self._rows.values()],
            layout={"width": f"{WIDTH}px", "min_width": f"{WIDTH}px"},
        )
        self.widget.add_class("jwcal-rail")

    def button(self, step: str) -> ipw.Button:
        """Return the button of a step."""
        return self._rows[step].button

    def show(self, step: str, state: RailState) -> None:
        """Show what became of a step."""
        self._rows[step].show(state)

    def choose(self, step: str) -> None:
        """Mark the chosen step."""
        for name, row in self._rows.items():
            row.choose(name == step)
