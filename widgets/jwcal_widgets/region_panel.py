"""What the pixels of a region have in common: ramp, slopes, noise, 1/f, flags."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, State
from jwcal_interactive.errors import JwcalError
from jwcal_interactive.region import Box
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.frame_rows import nearest_row
from jwcal_widgets.latest import Latest
from jwcal_widgets.ramp_controls import integrations_to_offer
from jwcal_widgets.region_view import FlagTable, HistogramPlot, NoisePlot, PowerPlot, RampPlot
from jwcal_widgets.region_work import (
    FLAGS,
    NOISE,
    POWER,
    RAMP,
    SLOPES,
    WHOLE,
    Job,
    Selection,
    frame_of,
    work_of,
)
from jwcal_widgets.results import out_of_date, steps_with_result

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["RegionPanel"]

_KINDS: dict[str, tuple[type[State], ...]] = {
    RAMP: (Ramp,),
    SLOPES: (Rates, GuiderSlopes),
    NOISE: (Ramp,),
    POWER: (Ramp,),
    FLAGS: (),
}
_TOOLTIPS = [
    "Median ramp of the region, with its spread",
    "Distribution of the slopes",
    "Noise of a difference of adjacent groups by row, column and amplifier",
    "Power spectrum of that noise along lines, and from line to line",
    "Pixels and groups with each flag",
]
_ROWS, _COLUMNS = "by row", "by column"
_NONE = "Draw a box on the image, select a range of its histogram, or type columns and rows."
_BOX = re.compile(r"(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)")


class RegionPanel:
    """Shows the statistics of a region; they are computed in a thread.

    Parameters
    ----------
    session : Session
    size : (int, int)
        Width and height of the plots in screen pixels.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    on_image : callable, optional
        Gives the step whose output the image shows: its state is shown, unless another was chosen here.

    Attributes
    ----------
    widget : ipywidgets.VBox
    page : ipywidgets.ToggleButtons
        What is shown.
    """

    def __init__(
        self,
        session: Session,
        size: tuple[int, int],
        guard: Callable[..., Any],
        on_image: Callable[[], str] = lambda: "",
    ) -> None:
        self._session = session
        self._on_image = on_image
        self._own_step = ""  # that the user chose
        self._size = size
        self._region: tuple[Box, Selection | None, int] | None = None
        self._setting = False
        self._cancel = threading.Event()
        self._latest = Latest(guard, "jwcal-region")
        self._pages: dict[str, Any] = {}
        self.page = ipw.ToggleButtons(options=list(_KINDS), style={"button_width": "auto"}, tooltips=_TOOLTIPS)
        self.step = ipw.Dropdown(layout={"width": "140px"}, tooltip="The state after this step")
        self.integration = ipw.Dropdown(layout={"width": "72px"}, tooltip="Integration")
        self.from_first = ipw.Checkbox(
            value=True,
            description="from first group",
            indent=False,
            tooltip="Count from the first group of each pixel: pedestals differ from pixel to pixel",
            layout={"width": "auto"},
        )
        self.along = ipw.ToggleButtons(
            options=[_ROWS, _COLUMNS],
            style={"button_width": "auto"},
            tooltips=["Noise of each row", "Noise of each column"],
        )
        self._title = ipw.HTML(layout={"margin": "0"})
        self._stack = ipw.VBox(layout={"overflow": "visible", "min_height": f"{size[1] + 40}px"})
        self._note = ipw.HTML(f"<span class='jwcal-muted'>{_NONE}</span>")
        self.box = ipw.Text(
            placeholder="x0:x1, y0:y1",
            continuous_update=False,
            tooltip="The region as columns and rows, like slices of an array: the ends are left out",
            layout={"width": "136px"},
        )
        self.whole = ipw.Button(description="whole frame", tooltip="Take all pixels", layout={"width": "96px"})
        self.whole.on_click(guard(lambda _button: self._take_whole()))
        self.box.observe(guard(self._typed), "value")
        row = {"align_items": "center", "flex_flow": "row wrap"}
        self.widget = ipw.VBox(
            [
                self.page,
                ipw.HBox(
                    [ipw.Label("after"), self.step, ipw.Label("integration"), self.integration], layout=row
                ),
                ipw.HBox([ipw.Label("region"), self.box, self.whole, self.from_first, self.along], layout=row),
                self._title,
                self._note,
                self._stack,
            ]
        )
        for control in (self.page, self.step, self.integration, self.from_first, self.along):
            control.observe(guard(self._chosen), "value")
        self._offer()

    def show_region(
        self,
        box: tuple[int, int, int, int] | None,
        selection: Selection | None = None,
        rows: int | None = None,
    ) -> None:
        """Show a region, or none.

        Parameters
        ----------
        box : (x0, y0, x1, y1) or None
            Half-open, in array coordinates of the frame on show.
        selection : bool array (ny, nx) of the whole frame, optional
            Pixels that count, such as those within a range of values. Without a box, all that are selected.
        rows : int, optional
            Height of that frame, where it is not the one of the subarray (IRS2).
        """
        if box is None and selection is None:
            self._region = None
        else:
            inside = Box.of(selection) if box is None and selection is not None else Box(*box or ())
            part = None if selection is None else selection[inside.rows, inside.columns]
            self._region = (inside, part, rows or self._session.exposure.ysize)
        self._write_box()
        self._offer()
        self.update()

    def refresh(self) -> None:
        """Look at the session again."""
        self._offer()
        self.update()

    def close(self) -> None:
        """Close the widgets, and let the thread end."""
        self._cancel.set()
        self._latest.close()
        self._region = None
        close_widgets(self.widget, *(page.widget for page in self._pages.values()))

    def wait(self, timeout: float | None = None) -> None:
        """Wait until what was asked for is drawn."""
        self._latest.wait(timeout)

    def update(self) -> None:
        """Compute and draw what the controls say; what is being computed is given up."""
        self._cancel.set()
        self._cancel = threading.Event()
        page = self.page.value
        self.from_first.layout.display = None if page == RAMP else "none"
        self.along.layout.display = None if page == NOISE else "none"
        state = self._session.kept(self.step.value) if self.step.value else None
        if self._region is None or state is None:
            why = _NONE if self._region is None else "Run the pipeline: there is nothing of this kind yet."
            self._say(why)
            self._title.value = ""
            return
        try:
            box, selection = self._in_frame(state)
        except JwcalError as error:
            self._say(str(error))
            return
        self._describe(box, selection)
        self._say("computing…", keep=True)
        job = Job(page, state, self.integration.value, box, selection, self.from_first.value)
        self._latest.request(work_of(job, self._cancel), lambda found: self._draw(job, found))

    def _write_box(self) -> None:
        text = ""
        if self._region is not None:
            box = self._region[0]
            text = f"{box.x0}:{box.x1}, {box.y0}:{box.y1}"
        self._setting = True
        try:
            self.box.value = text
        finally:
            self._setting = False

    def _typed(self, change: dict[str, Any]) -> None:
        if self._setting:
            return
        text = change["new"].strip()
        found = _BOX.fullmatch(text)
        if text and found is None:
            self._say(
                f"{text!r} is no region: type columns and rows as x0:x1, y0:y1, for example 100:340, 200:400."
            )
            return
        self.show_region(None if found is None else tuple(int(found[k]) for k in (1, 3, 2, 4)))  # type: ignore[arg-type]

    def _take_whole(self) -> None:
        state = self._session.kept(self.step.value) if self.step.value else None
        if state is not None:
            ny, nx = frame_of(state)
            self.show_region((0, 0, nx, ny), rows=ny)

    def _in_frame(self, state: State) -> tuple[Box, Selection | None]:
        """Find the region in the rows of a state."""
        assert self._region is not None
        box, selection, rows = self._region
        ny, nx = frame_of(state)
        if ny != rows:
            first, last = (nearest_row(self._session.exposure, y, rows, ny) for y in (box.y0, box.y1 - 1))
            box, selection = box._replace(y0=first, y1=last + 1), None
        return box.check((ny, nx)), selection

    def _describe(self, box: Box, selection: Selection | None) -> None:
        count = box.shape[0] * box.shape[1] if selection is None else int(selection.sum())
        of = "" if selection is None else f" of {box.shape[0] * box.shape[1]:,}, by their values"
        note = out_of_date(self._session, self.step.value)
        stale = f" <span class='jwcal-stale'>{html.escape(note)}</span>" if note else ""
        self._title.value = (
            f"<b>x {box.x0} to {box.x1 - 1}, y {box.y0} to {box.y1 - 1}</b> "
            f"<span class='jwcal-muted'>{count:,} pixels{of}</span>{stale}"
        )

    def _draw(self, job: Job, found: Any) -> None:
        if isinstance(found, str):
            self._say(found)
            return
        view, box = self._page(job.page), job.box
        if job.page == RAMP:
            view.show(found, from_first=job.from_first)
        elif job.page == NOISE:
            by_rows = self.along.value == _ROWS
            view.show(found, box.y0 if by_rows else box.x0, by_rows=by_rows)
        elif job.page == FLAGS:
            groups = job.state.data.shape[1] if isinstance(job.state, Ramp) else 0
            view.show(*found, groups)
        else:
            view.show(found)
        self._say("")

    def _page(self, name: str) -> Any:
        """Make a page when it is first needed, and put it on show."""
        makers: dict[str, Callable[[], Any]] = {
            RAMP: lambda: RampPlot(self._size),
            SLOPES: lambda: HistogramPlot(self._size),
            NOISE: lambda: NoisePlot(self._size),
            POWER: lambda: PowerPlot(self._size),
            FLAGS: FlagTable,
        }
        if name not in self._pages:
            self._pages[name] = makers[name]()
            self._stack.children = (*self._stack.children, self._pages[name].widget)
        for other, view in self._pages.items():
            view.widget.layout.display = None if other == name else "none"
        return self._pages[name]

    def _say(self, text: str, *, keep: bool = False) -> None:
        """Say why nothing is shown; ``keep`` what is there until something else comes."""
        self._note.value = f"<span class='jwcal-muted'>{html.escape(text)}</span>" if text else ""
        if text and not keep:
            for view in self._pages.values():
                view.widget.layout.display = "none"

    def _offer(self) -> None:
        """Offer the states and integrations that the page can show."""
        page = self.page.value
        steps = steps_with_result(self._session, *_KINDS[page])
        nints = self._session.exposure.nints
        numbers = [(str(k), k) for k in integrations_to_offer(nints)]
        if page == SLOPES:
            numbers = [("whole", WHOLE), *numbers]
        self._setting = True
        try:
            if list(self.step.options) != steps:
                self.step.options = steps
            wanted = [step for step in (self._own_step, self._on_image()) if step in steps]
            self.step.value = wanted[0] if wanted else steps[-1] if steps else None
            if list(self.integration.options) != numbers:
                self.integration.options = numbers
                self.integration.value = numbers[0][1]
        finally:
            self._setting = False

    def _chosen(self, change: dict[str, Any]) -> None:
        if self._setting:
            return
        if change["owner"] is self.page:
            self._offer()
        elif change["owner"] is self.step:
            self._own_step = self.step.value
        self.update()
