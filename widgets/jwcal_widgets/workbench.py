"""The workbench: a session on one screen."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.errors import Cancelled
from jwcal_interactive.recipes import BEYOND_OFFICIAL
from jwcal_interactive.session.preview import Window
from jwcal_widgets.check_panel import CheckPanel
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.coalesce import Coalesced
from jwcal_widgets.frame_rows import nearest_row
from jwcal_widgets.history_panel import HistoryPanel
from jwcal_widgets.image_panel import ImagePanel
from jwcal_widgets.image_toolbar import INSPECT, PAINT
from jwcal_widgets.mask_panel import MaskPanel
from jwcal_widgets.messages import Messages
from jwcal_widgets.output_bar import OutputBar
from jwcal_widgets.preview_link import PreviewLink
from jwcal_widgets.rail import Rail, RailState
from jwcal_widgets.ramp_panel import RampPanel
from jwcal_widgets.region_panel import RegionPanel
from jwcal_widgets.results import INPUT, steps_with_result
from jwcal_widgets.runner import Runner
from jwcal_widgets.step_panel import StepPanel
from jwcal_widgets.style import STYLE
from jwcal_widgets.sweep_panel import SweepPanel
from jwcal_widgets.tabs import Page, Tabs
from jwcal_widgets.toolbar import Toolbar
from jwcal_widgets.viewport import Box

if TYPE_CHECKING:
    from jwcal_interactive import Progress, Session
    from jwcal_interactive.session.preview import Preview

__all__ = ["Workbench", "show"]

IMAGE_SIZE = (440, 440)
RAMP_SIZE = (450, 190)
PANEL_HEIGHT = 340
RAMP, CHECK, REGION = "Ramp", "Check", "Region"
PARAMETERS, HISTORY, SWEEP, MASK = "Parameters", "History", "Sweep", "Mask"
TOOLTIPS = {
    RAMP: "The ramp of the picked pixel, with its flags and the fit",
    CHECK: "What the chosen step did, in a picture of its own",
    REGION: "Statistics of a part of the image: drag it with the mouse set to region",
    PARAMETERS: "Parameters and references of the chosen step",
    HISTORY: "All settings that were tried: go back, branch, compare",
    SWEEP: "A parameter over a range, on the pixels in view",
    MASK: "Set and clear flags by hand",
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


class _Parameters:
    """The panel of the chosen step, with buttons that others add below it."""

    def __init__(self, panel: StepPanel) -> None:
        self._panel = panel
        self.offers = ipw.HBox(layout={"flex_flow": "row wrap"})
        self.widget = ipw.VBox([panel.widget, self.offers])

    def refresh(self) -> None:
        self._panel.refresh()


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
    step : str
        The chosen step.
    rail, panel, image, ramp, check, region, history, sweep, mask, preview, toolbar, output, messages, runner
        The parts of the screen, and what computes for them.
    upper, lower : Tabs
        What is beside the image.
    """

    def __init__(self, session: Session, *, delay: float = 0.04) -> None:
        self.session = session
        self.step = INPUT
        self._running_step = ""
        self._box: Box | None = None  # the region, if it is one
        self.messages = Messages()
        for note in session.notes:
            self.messages.note(note)
        guard = self.messages.guarded
        self.runner = Runner(session, guard(self._progressed), guard(self._ended))
        self.toolbar = Toolbar(
            {
                "run": guard(self.run),
                "run_step": guard(lambda: self.run(self.step, self.step)),
                "run_from": guard(lambda: self.run(self.step)),
                "cancel": self.runner.cancel,
                "undo": guard(lambda: self._travel(session.undo)),
                "redo": guard(lambda: self._travel(session.redo)),
                "live": guard(self._live_switched),
            }
        )
        self.rail = Rail([INPUT, *session.steps], guard(self.choose), BEYOND_OFFICIAL)
        self.preview = PreviewLink(
            session, self._window_in_view, self._show_preview, self.toolbar.show_counters, guard
        )
        self.panel = StepPanel(
            session, self._settings_changed, guard, PANEL_HEIGHT, on_preview=self.preview.drag
        )
        self.ramp = RampPanel(session, RAMP_SIZE, guard)
        self.image = ImagePanel(
            session,
            IMAGE_SIZE,
            self._picked,
            guard,
            delay,
            on_region=self._region_chosen,
            on_values=self._values_chosen,
            on_paint=self._painted,
            on_window=self.preview.again,
            on_hover=self._hovered,
        )
        self.follow = ipw.ToggleButton(
            description="ramp follows",
            icon="mouse-pointer",
            tooltip="Show the ramp of the pixel under the mouse; else that of the picked pixel",
            layout={"width": "auto"},
        )
        self.follow.observe(guard(lambda _change: self._follow_mouse()), "value")
        self.image.picker.widget.children = (*self.image.picker.widget.children, self.follow)
        # The mouse crosses many pixels in the time that a ramp takes to be drawn.
        self._under_mouse = (0, 0, 0)
        self._hover = Coalesced(guard(lambda: self.ramp.hover(*self._under_mouse)), delay)
        self.check = CheckPanel(session, self._pick_elsewhere, guard)
        self.region = RegionPanel(session, RAMP_SIZE, guard, lambda: self.image.source.step.value)
        self.history = HistoryPanel(session, self._travel, self.run, self.image.show_both, guard)
        self.sweep = SweepPanel(session, self._sweep_window, self._value_chosen, guard)
        self.mask = MaskPanel(
            session,
            self._flags_edited,
            lambda: (*self.image.pixel, self.image.rows),
            lambda: self._box,
            self._paint,
            self.image.show_boxes,
            guard,
        )
        self.image.mode.observe(guard(lambda _change: self._show_painting()), "value")
        self.output = OutputBar(session, guard, self.panel.commit)
        self._parameters = _Parameters(self.panel)
        self.upper = Tabs({RAMP: self.ramp, CHECK: self.check, REGION: self.region}, TOOLTIPS, guard)
        lower: dict[str, Page] = {
            PARAMETERS: self._parameters,
            HISTORY: self.history,
            SWEEP: self.sweep,
            MASK: self.mask,
        }
        self.lower = Tabs(lower, TOOLTIPS, guard)
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
        self.refresh()
        self._picked(*self.image.pixel, self.image.rows)

    def close(self) -> None:
        """Take the workbench off the page, stop its run and free what it holds; the session stays."""
        if self.comm is None:
            return
        self.runner.cancel()
        self._hover.close()
        beside = (
            self.output,
            self.ramp,
            self.check,
            self.region,
            self.panel,
            self.history,
            self.sweep,
            self.mask,
        )
        for part in (self.preview, self.image, *beside):
            part.close()
        close_widgets(*self.children, self.layout)
        super().close()

    def refresh(self) -> None:
        """Show the session as it is now, after it was changed from elsewhere."""
        self._show_rail()
        self._show_toolbar()
        self.preview.clear()
        self.image.refresh(self.step)
        self.upper.refresh()
        self.lower.refresh()
        self.preview.settle()

    def offer(self, label: str, tooltip: str, action: Callable[[], None]) -> None:
        """Add a button below the parameters."""
        button = ipw.Button(description=label, tooltip=tooltip, layout={"width": "auto"})
        button.on_click(self.messages.guarded(lambda _button: action()))
        self._parameters.offers.children = (*self._parameters.offers.children, button)

    def choose(self, step: str) -> None:
        """Choose a step: its panel is shown, and its output if the image follows the rail."""
        self.step = step
        self.rail.choose(step)
        self.panel.choose(step)
        self.check.choose(step)
        self.sweep.choose(step)
        self.image.follow(step)
        self.upper.refresh()
        self._show_toolbar()

    def run(self, first: str | None = None, last: str | None = None) -> None:
        """Start a run of what is not up to date, or again from a step on; nothing happens during a run."""
        if self.runner.running:
            return
        self.messages.clear_errors()
        self.panel.commit()
        self.preview.clear()
        self.toolbar.begin(self.session)
        self.runner.start(first, last)
        self._show_toolbar()

    # --- the screen ----------------------------------------------------------------------------------------

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
        self.image.flags.widget.add_class("jwcal-flags")
        body = ipw.HBox(list(parts.values()))
        body.add_class("jwcal-body")
        return body

    def _show_toolbar(self) -> None:
        running = self.runner.running
        for panel in (self.panel, self.mask):
            (panel.widget.add_class if running else panel.widget.remove_class)("jwcal-busy")
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
        if self.session.params(step).skip and status.state != "failed":
            return RailState("off", "its parameter skip is set")
        return RailState(status.state, status.reason, status.seconds)

    # --- pixels and regions --------------------------------------------------------------------------------

    def _picked(self, x: int, y: int, rows: int) -> None:
        self.ramp.show(x, y, rows)
        self.check.look_at(x, y, rows)
        if self.upper.shows(CHECK):
            self.check.refresh()

    def _hovered(self, x: int, y: int, rows: int) -> None:
        if self.follow.value and self.upper.shows(RAMP):
            self._under_mouse = (x, y, rows)
            self._hover.request()

    def _follow_mouse(self) -> None:
        if not self.follow.value:
            self.ramp.leave()

    def _pick_elsewhere(self, x: int, y: int, rows: int) -> None:
        """Pick a pixel that was chosen in another picture, which may count the rows of another frame."""
        self.image.pick(x, nearest_row(self.session.exposure, y, rows, self.image.rows))

    def _region_chosen(self, box: Box) -> None:
        self._box = box
        self.region.show_region(box, rows=self.image.rows)
        self.upper.choose(REGION)

    def _values_chosen(self, low: float, high: float) -> None:
        self._box = None
        self.region.show_region(None, self.image.pixels_with(low, high), self.image.rows)
        self.upper.choose(REGION)

    def _painted(self, boxes: Sequence[Box]) -> None:
        self.lower.choose(MASK)
        self.mask.add_painted(boxes, self.image.rows)

    def _paint(self, painting: bool) -> None:
        if painting != (self.image.mode.value == PAINT):
            self.image.mode.value = PAINT if painting else INSPECT

    def _show_painting(self) -> None:
        self.mask.paint.value = self.image.mode.value == PAINT

    # --- settings ------------------------------------------------------------------------------------------

    def _travel(self, move: Callable[[], None]) -> None:
        self.panel.commit()  # what a slider shows belongs to the settings that are left
        move()
        self.refresh()

    def _flags_edited(self) -> None:
        self.lower.refresh()
        self._settings_changed()

    def _settings_changed(self) -> None:
        self.lower.refresh()
        self._show_rail()
        self._show_toolbar()
        self.image.refresh_title()
        self.ramp.update()
        self.preview.settle()

    def _live_switched(self) -> None:
        self.preview.on = self.toolbar.live.value
        self.preview.settle()

    def _sweep_window(self) -> Window | None:
        box = self.image.window_in_view()
        return None if box is None else Window(*box)

    def _value_chosen(self, step: str, values: Mapping[str, Any]) -> None:
        self.session.set(step, **values)
        self._settings_changed()

    def _window_in_view(self) -> Box | None:
        return self.image.window_in_view()

    def _show_preview(self, preview: Preview | None) -> None:
        self.image.show_preview(preview)
        self.ramp.show_preview(preview)

    # --- runs ----------------------------------------------------------------------------------------------

    def _progressed(self, progress: Progress) -> None:
        if progress.step != self._running_step:
            self._running_step = progress.step
            self._show_rail()
        self.toolbar.progress(progress)

    def _ended(self, outcome: Exception | None) -> None:
        step, self._running_step = self._running_step, ""
        self._show_toolbar()
        untouched = self.image.source.follow.value and self.image.source.step.value == INPUT
        if outcome is None:
            self.toolbar.say("done", "done")
        elif isinstance(outcome, Cancelled):
            self.toolbar.say("cancelled", "stale")
        else:
            self.toolbar.say(f"failed at {step}; results before it are kept" if step else "failed", "failed")
            self.messages.error(outcome, step)
        self.refresh()
        if outcome is None and untouched:
            # The first run is for the result: show it, rather than the raw ramps that were there.
            self.choose(self.image.source.step.options[-1])


def show(session: Session) -> Workbench:
    """Return the workbench of a session, for the last line of a cell."""
    return Workbench(session)
