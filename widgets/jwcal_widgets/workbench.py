"""The workbench: a session on one screen."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as ipw

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.errors import Cancelled
from jwcal_interactive.recipes import BEYOND_OFFICIAL
from jwcal_widgets.check_panel import CheckPanel
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.coalesce import Coalesced
from jwcal_widgets.frame_rows import nearest_row
from jwcal_widgets.image_panel import ImagePanel
from jwcal_widgets.messages import Messages
from jwcal_widgets.output_bar import OutputBar
from jwcal_widgets.rail import Rail, RailState
from jwcal_widgets.ramp_panel import RampPanel
from jwcal_widgets.results import INPUT, steps_with_result
from jwcal_widgets.runner import Runner
from jwcal_widgets.step_panel import StepPanel
from jwcal_widgets.style import STYLE
from jwcal_widgets.tabs import Tabs
from jwcal_widgets.toolbar import Toolbar

if TYPE_CHECKING:
    from jwcal_interactive import Progress, Session

__all__ = ["Workbench", "show"]

IMAGE_SIZE = (480, 480)
RAMP_SIZE = (430, 250)
PANEL_HEIGHT = 340
MARK_AFTER = 0.4  # s
TOOLTIPS = {
    "Ramp": "The ramp of the picked pixel, with its flags and the fit",
    "Check": "What the chosen step did, in a picture of its own",
    "Parameters": "Parameters and references of the chosen step",
}


def _headline(exposure: Exposure) -> str:
    facts = [
        f"{exposure.instrument} {exposure.detector}",
        exposure.exp_type,
        f"{exposure.subarray} {exposure.xsize} × {exposure.ysize}",
        exposure.readpatt,
        f"{exposure.nints} integration{'s' if exposure.nints > 1 else ''} × "
        f"{exposure.ngroups} groups of {exposure.group_time:.4g} s",
    ]
    return (
        f"<span class='jwcal-title'><b>{html.escape(exposure.filename)}</b>"
        f"<span>{html.escape(' · '.join(facts))}</span></span>"
    )


class Workbench(ipw.VBox):
    """Shows a session: steps, parameters, the detector image, the ramp of a pixel; runs and exports.

    Display it as the last line of a cell. `close` frees all that it holds; the session stays.

    Parameters
    ----------
    session : Session
        See `jwcal_interactive.open_session`.
    delay : float
        Seconds to collect pan and zoom events of the image before drawing it again.

    Attributes
    ----------
    rail, panel, image, ramp, check, toolbar, output, messages, runner
        The parts of the screen.
    upper, lower : Tabs
        What is beside the image.
    """

    def __init__(self, session: Session, *, delay: float = 0.04) -> None:
        self.session = session
        self.step = INPUT
        self._running_step = ""
        self.messages = Messages()
        for note in session.notes:
            self.messages.note(note)
        guard = self.messages.guarded
        self.runner = Runner(session, guard(self._progressed), guard(self._ended))
        self.toolbar = Toolbar(
            {
                "run": guard(self._run),
                "run_step": guard(lambda: self._run(self.step, self.step)),
                "run_from": guard(lambda: self._run(self.step)),
                "cancel": self.runner.cancel,
                "undo": guard(lambda: self._travel(session.undo)),
                "redo": guard(lambda: self._travel(session.redo)),
                "live": guard(self._show_toolbar),
            }
        )
        self.rail = Rail([INPUT, *session.steps], guard(self.choose), BEYOND_OFFICIAL)
        self.panel = StepPanel(session, self._settings_changed, guard, PANEL_HEIGHT)
        self.ramp = RampPanel(session, RAMP_SIZE, guard)
        self.image = ImagePanel(session, IMAGE_SIZE, self._picked, guard, delay)
        self.check = CheckPanel(session, self._pick_elsewhere, guard)
        self.output = OutputBar(session, guard)
        self.upper = Tabs({"Ramp": self.ramp, "Check": self.check}, TOOLTIPS, guard)
        self.lower = Tabs({"Parameters": self.panel}, TOOLTIPS, guard)
        # A live run is mostly over before it is worth while to mark what it is about to replace.
        self._marks = Coalesced(guard(self._show_marks), MARK_AFTER if delay else 0)
        super().__init__(
            [
                ipw.HTML(STYLE, layout={"display": "none"}),
                ipw.HTML(_headline(session.exposure), layout={"margin": "0"}),
                self._make_head(),
                self.toolbar.status,
                self.messages.widget,
                self.output.written,
                self._make_body(),
            ]
        )
        self.add_class("jwcal")
        done = steps_with_result(session)
        self.choose(done[-1] if len(done) > 1 else session.steps[0])
        self._refresh()
        self.ramp.show(*self.image.pixel, self.image.rows)

    def close(self) -> None:
        """Take the workbench off the page, stop its run and free what it holds; the session stays."""
        if self.comm is None:
            return
        if self.runner.running:
            self.runner.cancel()
        self.check.close()
        close_widgets(*self.children)
        super().close()

    def choose(self, step: str) -> None:
        """Choose a step: its panel is shown, and its output if the image follows the rail."""
        self.step = step
        self.rail.choose(step)
        self.panel.choose(step)
        self.check.choose(step)
        self.image.follow(step)
        self.upper.refresh()
        self._show_toolbar()

    def _make_head(self) -> ipw.HBox:
        head = ipw.HBox([self.toolbar.widget, self.output.widget])
        head.add_class("jwcal-head")
        return head

    def _make_body(self) -> ipw.HBox:
        parts = {
            "left": ipw.VBox([self.rail.widget, self.image.flags.widget]),
            "image": self.image.widget,
            "upper": self.upper.widget,
            "lower": self.lower.widget,
        }
        for name, part in parts.items():
            part.add_class(f"jwcal-{name}")
        body = ipw.HBox(list(parts.values()))
        body.add_class("jwcal-body")
        return body

    def _picked(self, x: int, y: int, rows: int) -> None:
        self.ramp.show(x, y, rows)
        self.check.look_at(x, y, rows)
        if self.upper.shows("Check"):
            self.check.refresh()

    def _pick_elsewhere(self, x: int, y: int, rows: int) -> None:
        """Pick a pixel that was chosen in another picture, which may count the rows of another frame."""
        self.image.pick(x, nearest_row(self.session.exposure, y, rows, self.image.rows))

    def _run(self, first: str | None = None, last: str | None = None) -> None:
        if not self.runner.running:
            self._start(first, last)

    def _run_live(self) -> None:
        """Run through what is shown or chosen, in place of a run with the settings that went before."""
        order = [INPUT, *self.session.steps]
        last = max(self.step, self.image.source.step.value, key=order.index)
        if last != INPUT:
            self._start(last=last, supersede=True)

    def _start(self, first: str | None = None, last: str | None = None, *, supersede: bool = False) -> None:
        self.messages.clear_errors()
        self.toolbar.begin(self.session)
        self.runner.start(first, last, supersede=supersede)
        self._show_toolbar()

    def _progressed(self, progress: Progress) -> None:
        if progress.step != self._running_step:
            self._running_step = progress.step
            self._show_rail()
        self.toolbar.progress(progress)

    def _ended(self, outcome: Exception | None) -> None:
        self._running_step = ""
        self._show_toolbar()
        untouched = self.image.source.follow.value and self.image.source.step.value == INPUT
        if outcome is None:
            self.toolbar.say("done", "done")
        elif isinstance(outcome, Cancelled):
            self.toolbar.say("cancelled", "stale")
        else:
            self.toolbar.say("failed", "failed")
            self.messages.error(outcome)
        self._refresh()
        if outcome is None and untouched and not self.toolbar.live.value:
            # The first run is for the result: show it, rather than the raw ramps that were there.
            self.choose(self.image.source.step.options[-1])

    def _travel(self, move: Callable[[], None]) -> None:
        move()
        self._refresh()
        if self.toolbar.live.value:
            self._run_live()

    def _settings_changed(self) -> None:
        self.panel.refresh()
        self._show_rail()
        self._show_toolbar()
        if self.toolbar.live.value:
            self._run_live()
            self._marks.request()
        else:
            self._show_marks()

    def _show_marks(self) -> None:
        """Mark what is shown and is not up to date."""
        self.image.refresh_title()
        self.ramp.update()

    def _refresh(self) -> None:
        self._show_rail()
        self._show_toolbar()
        self.image.refresh(self.step)
        self.upper.refresh()
        self.lower.refresh()

    def _show_toolbar(self) -> None:
        running = self.runner.running
        locked = running and not self.toolbar.live.value
        (self.panel.widget.add_class if locked else self.panel.widget.remove_class)("jwcal-busy")
        self.toolbar.show(
            running=running,
            can_undo=self.session.can_undo,
            can_redo=self.session.can_redo,
            on_step=self.step != INPUT,
        )

    def _show_rail(self) -> None:
        self.rail.show(INPUT, RailState("input"))
        for step in self.session.steps:
            if step == self._running_step:
                self.rail.show(step, RailState("running"))
            else:
                self.rail.show(step, self._state(step))

    def _state(self, step: str) -> RailState:
        status = self.session.status(step)
        if self.session.params(step).skip and status.state in {"pending", "skipped"}:
            return RailState("off", "its parameter skip is set")
        return RailState(status.state, status.reason, status.seconds)


def show(session: Session) -> Workbench:
    """Return the workbench of a session, for the last line of a cell."""
    return Workbench(session)
