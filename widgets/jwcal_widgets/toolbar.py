"""Run, cancel, undo, redo; and how far a run is."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import ipywidgets as ipw

from jwcal_widgets.remaining import in_words, seconds_left, typical_seconds

if TYPE_CHECKING:
    from jwcal_interactive import Progress, Session

__all__ = ["Toolbar"]


class Toolbar:
    """The buttons of the workbench.

    Parameters
    ----------
    actions : mapping of str to callable
        What ``run``, ``run_step``, ``run_from``, ``cancel``, ``undo`` and ``redo`` do, and what is to be done
        when ``live`` was switched.

    Attributes
    ----------
    widget : ipywidgets.HBox
    status : ipywidgets.VBox
        Below the buttons: how far a run is, what came of it, and `counters`.
    bar : ipywidgets.FloatProgress
    counters : ipywidgets.HTML
        Room for what a preview changes.
    buttons : dict of str to ipywidgets.Button
    live : ipywidgets.ToggleButton
        Whether changes are previewed on the pixels in view.
    """

    def __init__(self, actions: Mapping[str, Callable[[], None]]) -> None:
        looks = (
            ("run", "Run", "play", "primary", "Run what is not up to date", 78),
            ("run_step", "Run step", "step-forward", "", "Run the chosen step again", 104),
            ("run_from", "Run from here", "forward", "", "Run again from the chosen step on", 132),
            ("cancel", "Cancel", "stop", "danger", "Stop the run; finished steps are kept", 88),
            ("undo", "", "undo", "", "Undo the last change of settings", 36),
            ("redo", "", "repeat", "", "Redo the change of settings", 36),
        )
        self.buttons: dict[str, ipw.Button] = {}
        for name, label, icon, style, tooltip, width in looks:
            button = ipw.Button(
                description=label,
                icon=icon,
                button_style=style,
                tooltip=tooltip,
                layout={"width": f"{width}px"},
            )
            button.on_click(lambda _button, action=actions[name]: action())
            self.buttons[name] = button
        self.live = ipw.ToggleButton(
            value=True,
            description="Live",
            icon="bolt",
            tooltip="Preview each change on the pixels in view (at most 256 × 256); Run does it everywhere",
            layout={"width": "70px"},
        )
        self.live.observe(lambda _change: actions["live"](), "value")
        self.bar = ipw.FloatProgress(min=0.0, max=1.0, layout={"width": "100%", "height": "4px", "margin": "0"})
        self.bar.add_class("jwcal-progress")
        self._text = ipw.HTML(layout={"flex": "0 1 auto", "min_width": "0", "margin": "0"})
        self.counters = ipw.HTML(layout={"flex": "1 1 0", "min_width": "0", "margin": "0"})
        words = ipw.HBox(
            [self._text, self.counters], layout={"height": "24px", "overflow": "hidden", "margin": "3px 0 0"}
        )
        self.status = ipw.VBox([self.bar, words])
        self.widget = ipw.HBox([*self.buttons.values(), self.live], layout={"align_items": "center"})
        self._expected: dict[str, float] = {}
        self._steps: tuple[str, ...] = ()
        self._began: float | None = None

    def show(self, *, running: bool, can_undo: bool, can_redo: bool, on_step: bool) -> None:
        """Enable what makes sense now."""
        for name in ("run", "run_step", "run_from"):
            self.buttons[name].disabled = running or (name != "run" and not on_step)
        self.buttons["cancel"].disabled = not running
        self.buttons["undo"].disabled = running or not can_undo
        self.buttons["redo"].disabled = running or not can_redo
        self.bar.layout.visibility = "visible" if running else "hidden"

    def begin(self, session: Session) -> None:
        """Get ready for the progress of a run: what its steps took before, or typically take."""
        exposure = session.exposure
        samples = exposure.nints * exposure.ngroups * exposure.xsize * exposure.ysize
        self._steps = session.steps
        self._expected = {}
        for step in session.steps:
            seconds = session.status(step).seconds
            off = session.params(step).skip
            self._expected[step] = 0.0 if off else seconds or typical_seconds(step, samples)
        self._began = None
        self.bar.value = 0.0
        self.say("starting…")

    def progress(self, progress: Progress) -> None:
        """Show how far a run is, and how long it will still take."""
        if progress.message:
            self.say(progress.message)  # kernels are compiled: how long that takes says nothing of the steps
            return
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        first = self._steps.index(progress.step) - progress.index
        expected = [self._expected[step] for step in self._steps[first : first + progress.nsteps]]
        left = seconds_left(expected, progress.index, progress.fraction, now - self._began)
        done = sum(expected[: progress.index]) + progress.fraction * expected[progress.index]
        self.bar.value = min(max(done / (sum(expected) or 1.0), 0.0), 1.0)
        self.say(f"{progress.step} ({progress.index + 1} of {progress.nsteps}), {in_words(left)}")

    def show_counters(self, line: str) -> None:
        """Show what a preview changes, as HTML."""
        self.counters.value = line

    def say(self, text: str, state: str = "running") -> None:
        """Show a few words beside the buttons, in the colour of a state."""
        words = html.escape(text, quote=True)
        self._text.value = f"<span class='jwcal-said jwcal-{state}' title='{words}'>{words}</span>"
