"""The detector image with everything that chooses, colours and reads it."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.instruments import is_interleaved
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.colormaps import DIVERGING
from jwcal_widgets.compare import difference, obstacle
from jwcal_widgets.display_controls import DisplayControls
from jwcal_widgets.dq_overlay import count_flags
from jwcal_widgets.flag_panel import FlagPanel
from jwcal_widgets.frame_rows import nearest_row, row_in_frame
from jwcal_widgets.image_toolbar import INSPECT, PAINT, PAN, REGION, ImageToolbar
from jwcal_widgets.image_view import ImageView
from jwcal_widgets.linked_views import BLINK, CHANGE, ONLY_A, ONLY_B, LinkedViews
from jwcal_widgets.orientation import orientation_text
from jwcal_widgets.pixel_picker import PixelPicker
from jwcal_widgets.plane_choice import Chosen, PlaneChoice
from jwcal_widgets.planes import Plane
from jwcal_widgets.readout import readout_html
from jwcal_widgets.reference_planes import PREFIX
from jwcal_widgets.rendering import Look
from jwcal_widgets.results import INPUT, out_of_date
from jwcal_widgets.sky import sky_frame
from jwcal_widgets.viewport import Box, box_about, pixels_between

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_interactive.session.preview import Preview

__all__ = ["ImagePanel"]

HINT = "<div class='jwcal-hover jwcal-muted'>Move the mouse over the image to read its pixels.</div>"
WINDOW_SIZE = 256  # pixels; what a preview allows


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
        Seconds to collect events of the mouse before drawing, see `Coalesced`.
    on_region : callable, optional
        Called with the `Box` that was chosen as the region.
    on_values : callable, optional
        Called with the lowest and highest value of the pixels that were chosen as the region on the histogram;
        `pixels_with` tells which they are.
    on_paint : callable, optional
        Called with boxes that are to be flagged by hand.
    on_window : callable, optional
        Called after another part of the image came into view, see `window_in_view`.
    on_hover : callable, optional
        Called as `on_pick`, with the pixel under the mouse.

    Attributes
    ----------
    widget : ipywidgets.VBox
        All but the flags, whose list is ``flags.widget``.
    pixel : (int, int)
        x and y of the picked pixel in the image on show.
    rows : int
        Height of the frame that y counts in.
    region : Box or None
        The region that was chosen.
    """

    def __init__(
        self,
        session: Session,
        plot: tuple[int, int],
        on_pick: Callable[[int, int, int], None],
        guard: Callable[..., Any],
        delay: float = 0.04,
        *,
        on_region: Callable[[Box], None] | None = None,
        on_values: Callable[[float, float], None] | None = None,
        on_paint: Callable[[tuple[Box, ...]], None] | None = None,
        on_window: Callable[[], None] | None = None,
        on_hover: Callable[[int, int, int], None] | None = None,
    ) -> None:
        self._session = session
        self._on_pick, self._on_region, self._on_paint = on_pick, on_region, on_paint
        self._on_hover = on_hover
        self._unit = ""
        self._shown = Chosen(INPUT)
        self._seen: dict[str, Plane] = {}
        self._under_mouse: tuple[int, int] | None = None
        self.region: Box | None = None
        self._sky = sky_frame(session.exposure)
        self.choice = PlaneChoice(session, self.update, guard)
        self.source, self.other = self.choice.source, self.choice.other
        self.views = LinkedViews(
            plot, self._picked, self._hovered, self._boxed, on_window or (lambda: None), guard, delay
        )
        width = plot[0] + 72
        self.display = DisplayControls(self._redraw, guard, width=width, delay=delay, on_values=on_values)
        self.display.histogram_shown.observe(guard(lambda _change: self._show_histogram()), "value")
        self.flags = FlagPanel(self._redraw, guard)
        self.flags.any_group.observe(guard(lambda _change: self.update()), "value")
        self.picker = PixelPicker(self.pick, guard)
        self.toolbar = self._make_toolbar(guard)
        exposure = session.exposure
        self.pixel = (exposure.xsize // 2, exposure.ysize // 2)
        self.rows = exposure.ysize
        self._title, self._note = ipw.HTML(), ipw.HTML(layout={"display": "none"})
        self._hover = ipw.HTML(HINT, layout={"min_height": "20px", "margin": "0 0 0 4px"})
        orientation = html.escape(orientation_text(exposure, self._sky))
        self._orientation = ipw.HTML(f"<span class='jwcal-muted'>{orientation}</span>")
        self.widget = ipw.VBox(
            [
                self.source.widget,
                self.toolbar.widget,
                self.other.widget,
                self._title,
                self._note,
                self.views.widget,
                self._hover,
                self.picker.widget,
                self.display.widget,
                self._orientation,
            ],
            layout={"width": f"{plot[0] + 76}px", "min_width": f"{plot[0] + 76}px"},
        )
        self.refresh()

    # --- what the workbench asks for -----------------------------------------------------------------------

    @property
    def view(self) -> ImageView:
        """The first view, or the only one."""
        return self.views.first

    @property
    def mode(self) -> ipw.ToggleButtons:
        """What the mouse does."""
        return self.toolbar.mode

    @property
    def buttons(self) -> dict[str, ipw.Button]:
        """Buttons of the toolbar."""
        return self.toolbar.buttons

    def follow(self, step: str) -> None:
        """Show the output of a step, if the user wants the image to follow the rail.

        A step that was skipped or has not run shows what it hands on or starts from.
        """
        if self.source.follow.value:
            self.choice.choose_step(step)
            self.update()

    def refresh(self, step: str = INPUT) -> None:
        """Look at the session again, after a run, undo or redo, and follow the chosen step as `follow`."""
        self.choice.refresh()
        if self.source.follow.value:
            self.choice.choose_step(step)
        self.update()

    def update(self) -> None:
        """Show what the controls say."""
        compared = self.toolbar.arrangement.value != ONLY_A
        self.other.widget.layout.display = None if compared else "none"
        shown = self.choice.chosen(compared=compared, any_group=self.flags.any_group.value)
        self._shown = shown
        self._say(shown.note)
        self.flags.any_group.layout.display = None if shown.of_ramp else "none"
        if shown.a is None:
            self._seen = {}
            self._read_out()
            self.views.show(ONLY_A, None, None, Look())
            return
        if shown.a.unit != self._unit:
            self.display.forget_manual()
        self._unit = shown.a.unit
        self.flags.show(count_flags(shown.a.dq))
        self.picker.set_shape(shown.a.shape)
        self._keep_pixel(shown.a.shape)
        self._draw()
        self._show_pixel()

    def refresh_title(self) -> None:
        """Say whether what is shown is stale, after a change of settings."""
        if self._shown.a is not None:
            self._title.value = self._describe(self._shown)

    def show_preview(self, preview: Preview | None) -> None:
        """Put the results of a preview over A, with a frame around them; None takes them away.

        States that the preview did not compute are shown as they are. `refresh` ends a preview.
        """
        self.choice.preview = preview
        self.update()

    def show_both(self, a: str | int, b: str | int) -> None:
        """Blink the chosen step's output at two places of the tree: branches, or numbers of nodes.

        Raises
        ------
        ParameterError
            If there is no such place.
        """
        self.choice.compare_places(a, b)
        self._blink(True, "")

    def window_in_view(self) -> Box | None:
        """Pixels on the screen, at most 256 × 256 of them, about the picked pixel or else the middle.

        Returns
        -------
        Box or None
            None if no pixel is in view.
        """
        plane, window = self.view.plane, self.views.window
        box = None if plane is None else pixels_between(plane.shape, window)
        if box is None:
            return None
        middle = (round((window.x0 + window.x1) / 2), round((window.y0 + window.y1) / 2))
        return box_about(box, self.pixel if window.contains(*self.pixel) else middle, WINDOW_SIZE)

    def pixels_with(self, low: float, high: float) -> NDArray[np.bool_]:
        """Pixels of the image on show whose values lie between two limits, those included: bool (ny, nx)."""
        plane = self.view.plane
        if plane is None:
            return np.zeros((0, 0), bool)
        found: NDArray[np.bool_] = (plane.data >= low) & (plane.data <= high)
        return found

    def show_boxes(self, boxes: Sequence[Box]) -> None:
        """Outline boxes that are to be flagged."""
        for view in self.views.views:
            view.boxes.show(boxes)

    def pick(self, x: int, y: int) -> None:
        """Pick a pixel."""
        self.pixel = (x, y)
        self._show_pixel()
        self._on_pick(x, y, self.rows)

    def close(self) -> None:
        """Stop threads and timers, and close the widgets."""
        self.views.close()
        self.display.close()
        self.choice.close()
        self._shown, self._seen = Chosen(INPUT), {}
        self.flags.close()
        close_widgets(self.widget)

    # --- what the mouse does -------------------------------------------------------------------------------

    def _make_toolbar(self, guard: Callable[..., Any]) -> ImageToolbar:
        offered = {INSPECT: True, PAN: True, REGION: self._on_region, PAINT: self._on_paint}
        actions: dict[str, Callable[[], None]] = {
            "mode": self._set_mode,
            "arrangement": self.update,
            "rate": self._set_rate,
            "curtain": lambda: self.view.move_curtain(self.toolbar.curtain.value),
            "search-plus": lambda: self.views.zoom(2.0),
            "search-minus": lambda: self.views.zoom(0.5),
            "expand": self.views.fit,
            "crosshairs": self._zoom_on_pixel,
            "step": lambda: self._blink(self.choice.compare_with_input(), "no step before this one"),
            "change": lambda: self._blink(
                self.choice.compare_with_change(), "no result from before a change of settings in memory"
            ),
        }
        return ImageToolbar(tuple(mode for mode, used in offered.items() if used), actions, guard)

    def _set_mode(self) -> None:
        panning = self.toolbar.mode.value == PAN
        self.views.set_mode("pan" if panning else "box" if self.toolbar.draws_boxes else "inspect")

    def _set_rate(self) -> None:
        self.views.blinker.rate = self.toolbar.rate.value

    def _blink(self, possible: bool, why_not: str) -> None:
        if not possible:
            self._say(f"Nothing to compare with: there is {why_not}.")
        elif self.toolbar.arrangement.value == BLINK:
            self.update()
        else:
            self.toolbar.arrangement.value = BLINK

    def _picked(self, x: int, y: int) -> None:
        if self.toolbar.mode.value == PAINT and self._on_paint is not None:
            self._on_paint((Box(x, y, x + 1, y + 1),))
        else:
            self.pick(x, y)

    def _boxed(self, box: Box) -> None:
        if self.toolbar.mode.value == PAINT and self._on_paint is not None:
            self._on_paint((box,))
        elif self._on_region is not None:
            self.region = box
            for view in self.views.views:
                view.region.show([box])
            self._on_region(box)

    def _hovered(self, x: int, y: int) -> None:
        if self._on_hover is not None:
            self._on_hover(x, y, self.rows)
        self._under_mouse = (x, y)
        self._read_out()

    def _read_out(self) -> None:
        """Say what the planes on show have at the pixel that was last under the mouse."""
        lines: list[str] = []
        if self._under_mouse is None:
            return
        x, y = self._under_mouse
        for name, plane in self._seen.items():
            if x < plane.shape[1] and y < plane.shape[0]:
                lines.append(readout_html(plane, x, y, None if lines else self._sky, name))
        self._hover.value = "".join(lines) or HINT

    def _zoom_on_pixel(self) -> None:
        self.views.zoom(max(self.views.window.width / 32, 1.0), self.pixel)

    # --- what is shown -------------------------------------------------------------------------------------

    def _keep_pixel(self, shape: tuple[int, int]) -> None:
        """Find the picked pixel again in a frame of another height; next to it, if it is not there."""
        (x, y), before, rows = self.pixel, self.rows, shape[0]
        if rows == before or shape[1] != self._session.exposure.xsize:  # such as a kernel of a reference
            return
        self.rows = rows
        self.pixel = (x, nearest_row(self._session.exposure, y, before, rows))
        if row_in_frame(self._session.exposure, y, before, rows) is None:
            self._on_pick(*self.pixel, rows)

    def _describe(self, shown: Chosen) -> str:
        plane = shown.a
        assert plane is not None
        why = "" if self.source.plane.value.startswith(PREFIX) else out_of_date(self._session, shown.step)
        state = "failed" if "failed" in why else "stale"
        note = f" &nbsp;<span class='jwcal-{state}'>{why}: this is an earlier result</span>" if why else ""
        if shown.preview is not None:
            note = " &nbsp;<span class='jwcal-preview'>PREVIEW in the dashed frame</span>"
        unit = f", {plane.unit}" if plane.unit else ""
        title = plane.title
        if is_interleaved(plane.shape):
            title += ", with interleaved reference pixels"
        name = html.escape(shown.a_name)
        arrangement = self.toolbar.arrangement.value
        if shown.b is not None and arrangement in (ONLY_B, CHANGE):
            other = html.escape(shown.b_name)
            name = f"B: {other}" if arrangement == ONLY_B else f"A − B: {name} − {other}"
        return f"<b>{name}</b> <span class='jwcal-muted'>{html.escape(title + unit)}</span>{note}"

    def _say(self, text: str) -> None:
        self._note.value = f"<span class='jwcal-muted'>{html.escape(text)}</span>" if text else ""
        self._note.layout.display = None if text else "none"

    def _redraw(self) -> None:
        if self._shown.a is not None:
            self._draw()

    def _draw(self) -> None:
        """Show A and B as they are arranged; what cannot be subtracted is said, and A shown alone."""
        shown, arrangement = self._shown, self.toolbar.arrangement.value
        a, b = shown.a, shown.b
        assert a is not None
        problem = obstacle(a, b) if b is not None else ""
        change = arrangement == CHANGE and b is not None and not problem
        if b is not None and problem and (arrangement == CHANGE or a.shape != b.shape):
            self._say(f"These cannot be shown as {arrangement}: {problem}.")
            b = None
            self._shown = shown = replace(shown, b=None)
        self._title.value = self._describe(shown)
        self._seen = {"A": a, "B": b} if b is not None else {"": a}
        if b is not None and change:
            a = difference(a, b)
            self._seen["A − B"] = a
        elif b is not None and arrangement == ONLY_B:
            a = b
        self._read_out()
        self._hover.layout.min_height = f"{18 * len(self._seen) + 2}px"  # what is below does not jump
        display = self.display
        look = Look(
            stretch="linear" if change else display.stretch.value,
            colormap=DIVERGING if change else display.colormap.value,
            limits=display.limits,
            flags=self.flags.chosen,
            change=change,
        )
        titles = tuple(html.escape(name) for name in (shown.a_name, shown.b_name))
        self.views.show(
            arrangement, a, b, look, curtain=self.toolbar.curtain.value, titles=(titles[0], titles[1])
        )
        previewed = shown.preview is not None and not (arrangement == ONLY_B and b is not None)
        self.view.preview.show([shown.preview] if shown.preview is not None and previewed else [])
        display.show(look, self.views.limits, a.unit)
        self._show_histogram()

    def _show_histogram(self) -> None:
        plane = self.view.plane
        if plane is not None and self.display.histogram_shown.value:
            values = self.view.values(plane)
            self.display.histogram.show(values, plane.data.size, self.views.limits, plane.unit)

    def _show_pixel(self) -> None:
        x, y = self.pixel
        plane = self.view.plane
        inside = plane is not None and x < plane.shape[1] and y < plane.shape[0]
        self.views.mark(x, y)
        self.picker.show(plane if inside else None, x, y)
