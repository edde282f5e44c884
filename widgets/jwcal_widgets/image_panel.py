"""The detector image with everything that chooses, colours and reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.arrays import Ramp, Rates, State
from jwcal_interactive.instruments import is_interleaved
from jwcal_widgets.colormaps import DIVERGING
from jwcal_widgets.compare import Key, PlaneHistory, difference
from jwcal_widgets.display_controls import DisplayControls
from jwcal_widgets.dq_overlay import count_flags
from jwcal_widgets.flag_panel import FlagPanel
from jwcal_widgets.frame_rows import nearest_row, row_in_frame
from jwcal_widgets.image_view import ImageView, Look
from jwcal_widgets.pixel_picker import PixelPicker
from jwcal_widgets.planes import Plane, take_plane
from jwcal_widgets.results import INPUT, out_of_date, steps_with_result
from jwcal_widgets.source_controls import SourceControls

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["ImagePanel"]

NOW, BEFORE, CHANGE = "now", "before", "now − before"
MODES = {"inspect": False, "pan and zoom": True}


def _key(state: State, step: str, plane: str, integration: int, group: int) -> Key:
    return step, plane, integration, group if isinstance(state, Ramp) else 0


class ImagePanel:
    """The middle of the workbench.

    Parameters
    ----------
    session : Session
    plot : (int, int)
        Width and height of the plot area in screen pixels.
    on_pick : callable
        Called with ``(x, y, rows)`` after a pixel was picked; `rows` is the height of the frame that y counts
        in, which is not the same in all steps of the IRS2 read-out.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    delay : float
        See `ImageView`.

    Attributes
    ----------
    widget : ipywidgets.VBox
        All but the flags, whose list is ``flags.widget``.
    pixel : (int, int)
        x and y of the picked pixel in the image on show.
    rows : int
        Height of the frame that y counts in.
    """

    def __init__(
        self,
        session: Session,
        plot: tuple[int, int],
        on_pick: Callable[[int, int, int], None],
        guard: Callable[..., Any],
        delay: float = 0.04,
    ) -> None:
        self._session = session
        self._on_pick = on_pick
        self._history = PlaneHistory()
        self._unit = ""
        self.source = SourceControls(self.update, guard)
        self.view = ImageView(plot, self.pick, guard, delay)
        self.display = DisplayControls(self._redraw, guard)
        self.flags = FlagPanel(self._redraw, guard)
        self.flags.any_group.observe(guard(lambda _change: self.update()), "value")
        self.picker = PixelPicker(self.pick, guard)
        exposure = session.exposure
        self.pixel = (exposure.xsize // 2, exposure.ysize // 2)
        self.rows = exposure.ysize
        self.compare = ipw.ToggleButtons(
            options=[NOW, BEFORE, CHANGE],
            style={"button_width": "auto"},
            tooltips=[
                "With the present settings",
                "The same plane before the last change that altered it",
                "Difference of the two; flags that only one of them has",
            ],
        )
        self.compare.observe(guard(lambda _change: self.update()), "value")
        self._title = ipw.HTML()
        self.widget = ipw.VBox(
            [
                self.source.widget,
                self._make_toolbar(guard),
                self._title,
                self.view.widget,
                self.display.widget,
                self.picker.widget,
            ],
            layout={"width": f"{plot[0] + 76}px", "min_width": f"{plot[0] + 76}px"},
        )
        self.refresh()

    def follow(self, step: str) -> None:
        """Show the output of a step, if the user wants the image to follow the rail.

        A step that was skipped or has not run shows what it hands on or starts from.
        """
        if self.source.follow.value:
            self._choose(step)
            self.update()

    def refresh(self, step: str = INPUT) -> None:
        """Look at the session again, after a run, undo or redo, and follow the chosen step as `follow`."""
        self.source.set_steps(steps_with_result(self._session))
        if self.source.follow.value:
            self._choose(step)
        self._history.detach()
        self._record_slope()
        self.update()

    def update(self) -> None:
        """Show what the controls say."""
        step = self.source.step.value
        state = self._session.result(step)
        if state is None:
            self.view.show(None, Look())
            return
        self.source.set_state(state)
        self.flags.any_group.layout.display = None if isinstance(state, Ramp) else "none"
        plane = self._chosen_plane(state)
        if plane.unit != self._unit:
            self.display.forget_manual()
        self._unit = plane.unit
        self._title.value = self._describe(step, plane)
        self.flags.show(count_flags(plane.dq))
        self.picker.set_shape(plane.data.shape)
        self._keep_pixel(plane.data.shape[0])
        self._draw(plane)
        self._show_pixel()

    def refresh_title(self) -> None:
        """Say whether what is shown is stale, after a change of settings."""
        if self.view.plane is not None:
            self._title.value = self._describe(self.source.step.value, self.view.plane)

    def pick(self, x: int, y: int) -> None:
        """Pick a pixel."""
        self.pixel = (x, y)
        self._show_pixel()
        self._on_pick(x, y, self.rows)

    def _keep_pixel(self, rows: int) -> None:
        """Find the picked pixel again in a frame of another height; next to it, if it is not there."""
        (x, y), before = self.pixel, self.rows
        if rows == before:
            return
        self.rows = rows
        self.pixel = (x, nearest_row(self._session.exposure, y, before, rows))
        if row_in_frame(self._session.exposure, y, before, rows) is None:
            self._on_pick(*self.pixel, rows)

    def _choose(self, step: str) -> None:
        order = [INPUT, *self._session.steps]
        upto = order[: order.index(step) + 1]
        offered = self.source.step.options
        self.source.choose_step([s for s in upto if s in offered][-1])

    def _make_toolbar(self, guard: Callable[..., Any]) -> ipw.HBox:
        self.mode = ipw.ToggleButtons(
            options=list(MODES),
            style={"button_width": "auto"},
            tooltips=["Click on a pixel to read it", "Drag to pan, turn the wheel to zoom"],
        )
        self.mode.observe(guard(lambda change: self.view.set_panning(MODES[change["new"]])), "value")
        actions: tuple[tuple[str, str, Callable[[], None]], ...] = (
            ("search-plus", "Zoom in", lambda: self.view.zoom(2.0)),
            ("search-minus", "Zoom out", lambda: self.view.zoom(0.5)),
            ("expand", "Fit: show the whole image", self.view.fit),
            ("crosshairs", "Zoom in on the picked pixel", self._zoom_on_pixel),
        )
        self.buttons = {}
        for icon, tooltip, action in actions:
            button = ipw.Button(icon=icon, tooltip=tooltip, layout={"width": "32px"})
            button.add_class("jwcal-icon-button")
            button.on_click(guard(lambda _button, action=action: action()))
            self.buttons[icon] = button
        return ipw.HBox(
            [self.mode, *self.buttons.values(), self.compare],
            layout={"align_items": "center", "flex_flow": "row wrap"},
        )

    def _record_slope(self) -> None:
        """Remember the slope also while another plane is shown: most changes are about it."""
        for step in steps_with_result(self._session, Rates)[-1:]:
            state = self._session.result(step)
            if state is not None:
                slope = take_plane(state, "slope", 0, 0)
                self._history.add(_key(state, step, "slope", 0, 0), slope)

    def _chosen_plane(self, state: State) -> Plane:
        source = self.source
        plane, integration, group = source.plane.value, source.integration.value, source.group.value
        key = _key(state, source.step.value, plane, integration, group)
        every = self.flags.any_group.value
        now = take_plane(state, plane, integration, group, any_group=every)
        self._history.add(key, now)
        before = self._history.before(key)
        self.compare.disabled = before is None
        if before is None or self.compare.value == NOW:
            return now
        return before if self.compare.value == BEFORE else difference(now, before)

    def _describe(self, step: str, plane: Plane) -> str:
        why = out_of_date(self._session, step)
        state = "failed" if "failed" in why else "stale"
        note = f" &nbsp;<span class='jwcal-{state}'>{why}: this is an earlier result</span>" if why else ""
        unit = f", {plane.unit}" if plane.unit else ""
        title = plane.title
        if is_interleaved(plane.data.shape):
            title += ", with interleaved reference pixels"
        return f"<b>{step}</b> <span class='jwcal-muted'>{title}{unit}</span>{note}"

    def _redraw(self) -> None:
        if self.view.plane is not None:
            self._draw(self.view.plane)

    def _draw(self, plane: Plane) -> None:
        display = self.display
        change = self.compare.value == CHANGE and not self.compare.disabled
        look = Look(
            stretch="linear" if change else display.stretch.value,
            colormap=DIVERGING if change else display.colormap.value,
            limits=display.limits,
            flags=self.flags.chosen,
            change=change,
        )
        self.view.show(plane, look)
        display.show(look, self.view.limits, self._unit)

    def _show_pixel(self) -> None:
        x, y = self.pixel
        self.view.mark(x, y)
        self.picker.show(self.view.plane, x, y)

    def _zoom_on_pixel(self) -> None:
        window = self.view.window
        self.view.zoom(max(window.width / 32, 1.0), self.pixel)
