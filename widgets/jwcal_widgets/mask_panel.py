"""Flags set and cleared by hand: which flag, after which step, in which pixels, groups and integrations."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.dq import DQ
from jwcal_interactive.edits import Box, Layout, boxes_of, mask_of
from jwcal_interactive.errors import JwcalError, ParameterError
from jwcal_interactive.session.editing import layout_after
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.frame_rows import nearest_row
from jwcal_widgets.results import INPUT

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["MaskPanel"]

SET, CLEAR = "set", "clear"
PIXELS, GROUPS = "detector pixels", "groups"
PIXELS_TIP = "PIXELDQ of ramps, for all groups and integrations; DQ of slopes"
GROUPS_TIP = "GROUPDQ: some groups of the pixels, in some integrations"


class MaskPanel:
    """Edits the flags of a step's result.

    Columns, rows, groups and integrations are shown with both ends included; columns and rows count from 0 as
    in the image, groups and integrations from 1.

    Parameters
    ----------
    session : Session
    on_change : callable
        Called after an edit was made or removed.
    picked : callable
        Gives the picked pixel as ``(x, y, rows)``; `rows` is the height of the frame that y counts in.
    region : callable
        Gives the region that was chosen in the image, as a box, or ``None``.
    paint : callable
        Called with whether the mouse is to paint in the image.
    outline : callable
        Called with the boxes that are painted, to show them in the image.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    after, flag : ipywidgets.Dropdown
    action, scope : ipywidgets.ToggleButtons
    groups, integrations : ipywidgets.IntRangeSlider
    ends : dict of str to ipywidgets.BoundedIntText
        First and last column (``x0``, ``x1``) and row (``y0``, ``y1``).
    edits : ipywidgets.Select
        Its value is the place of an edit in ``session.settings.edits``.
    error : str
        Why the last edit was refused; empty if it was not.
    """

    def __init__(
        self,
        session: Session,
        on_change: Callable[[], None],
        picked: Callable[[], tuple[int, int, int]],
        region: Callable[[], Box | None],
        paint: Callable[[bool], None],
        outline: Callable[[Sequence[Any]], None],
        guard: Callable[..., Any],
    ) -> None:
        self.error = ""
        self._session = session
        self._on_change = on_change
        self._picked = picked
        self._region = region
        self._outline = outline
        self._painted: list[Box] = []
        self._painted_rows = 0
        steps = session.steps
        self.after = ipw.Dropdown(
            options=steps,
            value="dq_init" if "dq_init" in steps else steps[0],
            description="after",
            tooltip="The result of this step is edited; the steps after it see the edited flags",
            layout={"width": "200px"},
            style={"description_width": "40px"},
        )
        self.flag = ipw.Dropdown(
            options=["DO_NOT_USE"], tooltip="Official name of the flag", layout={"width": "190px"}
        )
        self.action = self._choice((SET, CLEAR), ("Set the flag", "Take the flag away"))
        self.scope = self._choice((PIXELS, GROUPS), (PIXELS_TIP, GROUPS_TIP))
        self.groups, self.integrations = (
            ipw.IntRangeSlider(
                value=(1, n),
                min=1,
                max=n,
                description=name,
                tooltip=f"First and last of the {name}",
                continuous_update=False,
                layout={"width": "290px"},
                style={"description_width": "80px"},
            )
            for name, n in (("groups", session.exposure.ngroups), ("integrations", session.exposure.nints))
        )
        self.ends = {
            name: ipw.BoundedIntText(min=0, max=0, tooltip=tip, layout={"width": "68px"})
            for name, tip in (
                ("x0", "First column"),
                ("x1", "Last column"),
                ("y0", "First row"),
                ("y1", "Last row"),
            )
        }
        self.fill = {
            name: self._button(name, "", tip, guard(lambda _b, name=name: self._fill(name)))
            for name, tip in (
                ("pixel", "The picked pixel"),
                ("column", "The whole column of the picked pixel"),
                ("row", "The whole row of the picked pixel"),
                ("region", "The region that was chosen in the image"),
            )
        }
        self.paint = ipw.ToggleButton(
            description="Paint",
            icon="paint-brush",
            tooltip="Drag over the pixels in the image; press again to stop",
            layout={"width": "auto"},
        )
        self.forget_button = self._button(
            "Forget", "times", "Forget what was painted", guard(lambda _button: self.forget_painted())
        )
        self.apply = self._button(
            "Apply", "check", "Make the edit, as a new entry of the history", guard(self._apply)
        )
        self.apply.button_style = "primary"
        self.edits = ipw.Select(
            options=[],
            layout={"width": "100%", "height": "92px"},
            tooltip="Edits in the order in which they apply",
        )
        self.edits.add_class("jwcal-tree")
        self.remove = self._button(
            "Remove", "trash", "Take the chosen edit back, as a new entry", guard(self._remove)
        )
        self._painted_words = ipw.HTML(layout={"margin": "0 0 0 4px"})
        self._code = ipw.HTML()
        self._message = ipw.HTML(layout={"margin": "0"})
        box = [ipw.Label("columns"), self.ends["x0"], ipw.Label("to"), self.ends["x1"]]
        box += [ipw.Label("rows"), self.ends["y0"], ipw.Label("to"), self.ends["y1"]]
        self.widget = ipw.VBox(
            [
                self._row(self.action, self.flag),
                self._row(self.after, ipw.Label("in"), self.scope),
                self.groups,
                self.integrations,
                self._row(*box),
                self._row(ipw.Label("take"), *self.fill.values(), self.paint, self.forget_button),
                self._row(self.apply, self._painted_words),
                self._message,
                ipw.HTML("<span class='jwcal-section'>edits by hand</span>"),
                self.edits,
                self._row(self.remove, self._code),
            ]
        )
        self.paint.observe(guard(lambda change: paint(change["new"])), "value")
        for control in (self.after, self.scope):
            control.observe(guard(lambda _change: self._fit()), "value")
        self.edits.observe(guard(lambda _change: self._chosen()), "value")
        self._show_painted()
        self._fit()

    @property
    def layout(self) -> Layout:
        """What an edit after the chosen step has to fit."""
        session, step = self._session, self.after.value
        raw = session.result(INPUT)
        return layout_after(step, session.steps, raw, session.kept(step))  # type: ignore[arg-type]

    def refresh(self) -> None:
        """Show the edits that the session has now."""
        edits = self._session.settings.edits
        options = [(f"{n + 1} after {edit.after}: {edit.in_words()}", n) for n, edit in enumerate(edits)]
        if list(self.edits.options) != options:
            self.edits.options = options
            if options:
                self.edits.value = len(options) - 1
        self._chosen()
        self._fit()

    def add_painted(self, boxes: Sequence[Box], rows: int) -> None:
        """Add what was painted in the image, which takes the place of columns and rows.

        Parameters
        ----------
        boxes : sequence of (x0, y0, x1, y1)
            Half-open.
        rows : int
            Height of the frame that they count in.
        """
        self._painted_rows = rows
        self._painted += list(boxes)
        self._show_painted()

    def forget_painted(self) -> None:
        """Return to columns and rows."""
        self._painted.clear()
        self._show_painted()

    def take_box(self, box: Box) -> None:
        """Put a box into the fields for columns and rows.

        Parameters
        ----------
        box : (x0, y0, x1, y1)
            Half-open, in pixels of the frame that is edited.
        """
        x0, y0, x1, y1 = box
        for name, value in (("x0", x0), ("x1", x1 - 1), ("y0", y0), ("y1", y1 - 1)):
            self.ends[name].value = value

    def close(self) -> None:
        """Close the widgets."""
        close_widgets(self.widget)

    def _show_painted(self) -> None:
        painted = bool(self._painted)
        for control in (*self.ends.values(), *self.fill.values()):
            control.disabled = painted
        self.forget_button.disabled = not painted
        count = len(self._painted)
        self._painted_words.value = f"<b>{count}</b> painted area{'s' * (count > 1)}" if painted else ""
        self._outline(tuple(self._painted))

    @staticmethod
    def _row(*parts: ipw.Widget) -> ipw.HBox:
        return ipw.HBox(parts, layout={"align_items": "center", "flex_flow": "row wrap"})

    @staticmethod
    def _choice(options: Sequence[str], tooltips: Sequence[str]) -> ipw.ToggleButtons:
        return ipw.ToggleButtons(options=options, tooltips=tooltips, style={"button_width": "auto"})

    @staticmethod
    def _button(label: str, icon: str, tooltip: str, action: Callable[[object], None]) -> ipw.Button:
        button = ipw.Button(description=label, icon=icon, tooltip=tooltip, layout={"width": "auto"})
        button.on_click(action)
        return button

    @property
    def _by_group(self) -> bool:
        return bool(self.scope.value == GROUPS)

    def _fit(self) -> None:
        """Offer what the result of the chosen step has."""
        layout = self.layout
        if layout.kind != "ramp" and self._by_group:
            self.scope.value = PIXELS
        self.scope.disabled = layout.kind != "ramp"
        flags = [flag.name for flag in DQ if not self._by_group or flag < 256]
        if list(self.flag.options) != flags:
            keep = self.flag.value
            self.flag.options = flags
            self.flag.value = keep if keep in flags else "DO_NOT_USE"
        for name, control in self.ends.items():
            control.max = (layout.nx if name.startswith("x") else layout.ny) - 1
        self.groups.layout.display = None if self._by_group else "none"
        of_integrations = self._by_group or layout.kind == "rates"
        self.integrations.layout.display = None if of_integrations and layout.nints > 1 else "none"

    def _fill(self, name: str) -> None:
        if name == "region":
            region = self._region()
            if region is None:
                self._complain("No region was chosen: drag one in the image, with the mouse set to region.")
            else:
                self._complain("")
                self.take_box(region)
            return
        x, y, rows = self._picked()
        layout = self.layout
        y = nearest_row(self._session.exposure, y, rows, layout.ny)
        box = {
            "pixel": (x, y, x + 1, y + 1),
            "column": (x, 0, x + 1, layout.ny),
            "row": (0, y, layout.nx, y + 1),
        }
        self.take_box(box[name])

    def _where(self) -> tuple[Box, ...]:
        if self._painted:
            layout = self.layout
            if self._painted_rows != layout.ny:
                raise ParameterError(
                    f"The painted frame has {self._painted_rows} rows; after {self.after.value} it has "
                    f"{layout.ny}. Forget it, show the output of {self.after.value}, and paint there."
                )
            # Painted areas overlap; each pixel is to be named once.
            return boxes_of(mask_of(self._painted, (layout.ny, layout.nx)))
        ends = {name: control.value for name, control in self.ends.items()}
        for axis, word in (("x", "column"), ("y", "row")):
            first, last = ends[f"{axis}0"], ends[f"{axis}1"]
            if first > last:
                raise ParameterError(f"The first {word}, {first}, is beyond the last, {last}: exchange them.")
        return ((ends["x0"], ends["y0"], ends["x1"] + 1, ends["y1"] + 1),)

    def _apply(self, _button: object) -> None:
        first, last = self.integrations.value
        some = self.integrations.layout.display is None and (first, last) != (1, self.integrations.max)
        groups = (self.groups.value[0] - 1, self.groups.value[1]) if self._by_group else None
        try:
            self._complain("")
            self._session.edit_flags(
                self.after.value,
                self.flag.value,
                clear=self.action.value == CLEAR,
                integrations=(first - 1, last) if some else None,
                groups=groups,
                boxes=self._where(),
            )
        except JwcalError as error:
            self._complain(str(error))
            return
        self.forget_painted()
        self._on_change()

    def _remove(self, _button: object) -> None:
        if self.edits.value is not None:
            self._session.remove_edit(self.edits.value)
            self._on_change()

    def _chosen(self) -> None:
        place, edits = self.edits.value, self._session.settings.edits
        chosen = edits[place] if place is not None and place < len(edits) else None
        self.remove.disabled = chosen is None
        code = html.escape(chosen.call()) if chosen and len(chosen.boxes) <= 3 else ""
        self._code.value = f"<pre class='jwcal-code'>{code}</pre>" if code else ""

    def _complain(self, text: str) -> None:
        self.error = text
        self._message.value = f"<div class='jwcal-error'>{html.escape(text)}</div>" if text else ""
