"""One parameter of a step as a row of controls, made from its definition."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from jwcal_interactive.errors import JwcalError
from jwcal_interactive.params import ParamInfo
from jwcal_widgets.file_chooser import FileChooser
from jwcal_widgets.settled import Settled

__all__ = ["ParamControl", "as_text"]

NONE = "none"
_SOURCES = {
    "default": "The official default.",
    "crds": "From the parameter reference file (pars-*) that CRDS selects.",
    "user": "Set in this session.",
}


def as_text(value: Any) -> str:
    """Write a value as it is typed; None is ``none``, the members of a list have commas between them."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return NONE if value is None else str(value)


class ParamControl:
    """Name, control, source, reset button, help, code, and the message of a refused value.

    A slider that is dragged tells each value to `on_preview`; when it has come to rest the value is set.

    Parameters
    ----------
    info : ParamInfo
    on_set : callable
        Called with the new value (text for numbers and strings); may raise `JwcalError`.
    on_reset : callable
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    step : str
        Step that the parameter belongs to, for its code.
    on_preview : callable, optional
        Called with each value while the slider is dragged; without it, values are only set.
    settle : float
        Time after which a slider has come to rest, s.
    folders : callable, optional
        Gives the folders to choose files from.

    Attributes
    ----------
    widget : ipywidgets.VBox
    editor : ipywidgets.Checkbox, Dropdown or Text
    slider : ipywidgets.IntSlider, FloatSlider or None
    none : ipywidgets.Checkbox or None
        Ticked for no value; only where that is allowed and not one of the choices.
    chooser : FileChooser or None
    error : str
        Why the value in the control is not accepted; empty if it is.
    code : str
        The line of Python that the control stands for.
    """

    def __init__(
        self,
        info: ParamInfo,
        on_set: Callable[[Any], None],
        on_reset: Callable[[], None],
        guard: Callable[..., Any],
        *,
        step: str = "step",
        on_preview: Callable[[Any], None] | None = None,
        settle: float = 0.0,
        folders: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        self.info = info
        self.error = self.code = ""
        self._step, self._on_set, self._on_preview = step, on_set, on_preview
        self._showing = self._sliding = self._changed = False
        self._helping, self._coding = True, False
        self._slid_to: Any = None
        self._filled: Any = None  # what the slider was last made to show
        self._value: Any = None  # the last one shown
        self._number: Any = None  # the last one that was not None
        self._settled = Settled(guard(self._commit), settle)
        self.editor = self._make_editor()
        self.slider = self._make_slider()
        self.none = self._make_none()
        self.chooser = self._make_chooser(folders, guard)
        self._source = ipw.HTML(layout={"width": "54px", "margin": "0 2px"})
        self.reset_button = ipw.Button(
            icon="undo",
            tooltip=f"Reset {info.name} to its default, or to what CRDS says",
            layout={"width": "24px", "height": "24px"},
        )
        self.reset_button.add_class("jwcal-small-button")
        self._help = ipw.HTML(self._help_text(), layout={"margin": "0"})
        self._message = ipw.HTML(layout={"display": "none", "margin": "0"})
        self._code: ipw.HTML | None = None
        below = [] if self.chooser is None else [self.chooser.widget]
        below += [] if self.slider is None else [self.slider]
        self.widget = ipw.VBox([self._make_row(), *below, self._message, self._help])
        self.widget.add_class("jwcal-param")
        self.widget.add_class(f"jwcal-param-{info.name}")
        self.reset_button.on_click(guard(lambda _button: self._reset(on_reset)))
        self.editor.observe(guard(self._edited), "value")
        if self.slider is not None:
            self.slider.observe(guard(self._slid), "value")
        if self.none is not None:
            self.none.observe(guard(self._none_toggled), "value")

    # --- what the panel asks for ---------------------------------------------------------------------------

    def show(self, value: Any, source: str) -> None:
        """Show the value in force and where it comes from; an entry that is refused or not set yet stays."""
        self._showing = True
        try:
            self._value, self._changed = value, source == "user"
            self._number = self._number if value is None else value
            if not self.error and not self._sliding:
                self._fill(value)
            self._source.value = (
                f"<span class='jwcal-source jwcal-{source}' title='{_SOURCES[source]}'>{source}</span>"
            )
            self.reset_button.disabled = not self._changed and not self.error
            self.reset_button.layout.visibility = "visible" if self._changed or self.error else "hidden"
            (self.widget.add_class if self._changed else self.widget.remove_class)("jwcal-changed")
            self.code = f'session.set("{self._step}", {self.info.name}={value!r})'
            self._show_code()
        finally:
            self._showing = False

    def matches(self, words: str) -> bool:
        """Whether the name or the help contains a text."""
        return words.lower() in f"{self.info.name} {self.info.help}".lower()

    def show_help(self, wanted: bool) -> None:
        """Show the line of help, unless a message of a refused value says it all."""
        self._helping = wanted
        self._help.layout.display = None if wanted and not self.error else "none"

    def show_code(self, wanted: bool) -> None:
        """Show the line of code also where the value was not changed."""
        self._coding = wanted
        self._show_code()

    def forget_error(self) -> None:
        """Drop an entry that was refused or is not set yet."""
        self._settled.forget()
        self._sliding = False
        self._set_error("")

    def commit(self) -> None:
        """Set what a slider shows now, without waiting for it to come to rest."""
        self._settled.flush()

    def close(self) -> None:
        """Forget what is not set yet."""
        self._settled.forget()

    # --- making --------------------------------------------------------------------------------------------

    def _make_editor(self) -> Any:
        info = self.info
        tooltip = f"{info.name}: {info.allowed}"
        if info.kind == "bool" and not info.optional:
            return ipw.Checkbox(indent=False, tooltip=tooltip, layout={"width": "40px"})
        if info.kind in {"bool", "choice"}:
            pairs: list[tuple[str, Any]] = [(choice, choice) for choice in info.choices]
            if info.kind == "bool":
                pairs = [("true", True), ("false", False)]
            if info.optional:
                pairs.insert(0, (NONE, None))
            return ipw.Dropdown(options=pairs, tooltip=tooltip, layout={"width": "150px"})
        if info.file:
            tooltip = f"{info.name}: name of a file, from the folder of the notebook"
            layout = {"flex": "1 1 auto", "width": "90px"}
            return ipw.Text(continuous_update=False, layout=layout, tooltip=tooltip)
        width = "76px" if info.kind in {"int", "float"} else "130px"
        return ipw.Text(continuous_update=False, layout={"width": width}, tooltip=tooltip)

    def _make_slider(self) -> Any:
        if self.info.slider is None or self.info.kind not in {"int", "float"}:
            return None
        low, high = self.info.slider
        common = {
            "readout": False,
            "continuous_update": self._on_preview is not None,
            "layout": {"width": "auto", "height": "20px", "margin": "0 8px 2px 2px"},
            "tooltip": f"{self.info.name}, from {low:g} to {high:g}; other values can be typed",
        }
        if self.info.kind == "int":
            return ipw.IntSlider(min=int(low), max=int(high), **common)
        step = 10.0 ** math.floor(math.log10((high - low) / 50))  # round values, 50 to 500 of them
        return ipw.FloatSlider(min=low, max=high, step=step, **common)

    def _make_none(self) -> ipw.Checkbox | None:
        if not self.info.optional or isinstance(self.editor, ipw.Dropdown):
            return None
        tooltip = f"No value for {self.info.name}"
        return ipw.Checkbox(description=NONE, indent=False, tooltip=tooltip, layout={"width": "58px"})

    def _make_chooser(
        self, folders: Callable[[], Iterable[Path]], guard: Callable[..., Any]
    ) -> FileChooser | None:
        if not self.info.file:
            return None
        return FileChooser(self.info.name, folders, lambda path: self._try(path), guard)

    def _make_row(self) -> ipw.HBox:
        info = self.info
        name = ipw.HTML(
            f"<span class='jwcal-param-name' title='{html.escape(info.help, quote=True)}'>"
            f"{html.escape(info.name)}</span>",
            layout={"flex": "1 1 120px", "min_width": "120px", "margin": "0 6px 0 0"},
        )
        controls = [self.editor]
        if self.chooser is not None:
            controls.append(self.chooser.button)
        if info.unit:
            controls.append(ipw.HTML(f"<span class='jwcal-unit'>{html.escape(info.unit)}</span>"))
        controls += [] if self.none is None else [self.none]
        width = "1 1 180px" if info.file else "0 0 auto"
        row = [name, ipw.HBox(controls, layout={"flex": width, "align_items": "center"})]
        return ipw.HBox(
            [*row, self._source, self.reset_button], layout={"align_items": "center", "min_height": "28px"}
        )

    def _help_text(self) -> str:
        allowed, default = html.escape(self.info.allowed), html.escape(as_text(self.info.default))
        return f"<div class='jwcal-help'>{html.escape(self.info.help)} ({allowed}; default {default})</div>"

    # --- what the user does --------------------------------------------------------------------------------

    def _fill(self, value: Any) -> None:
        self.editor.value = as_text(value) if isinstance(self.editor, ipw.Text) else value
        if self.none is not None:
            self.none.value = value is None
        if self.slider is not None and value is not None:
            self._filled = self.slider.value = min(max(value, self.slider.min), self.slider.max)

    def _edited(self, change: dict[str, Any]) -> None:
        if not self._showing:
            self._try(change["new"])

    def _slid(self, change: dict[str, Any]) -> None:
        if self._showing or self._is_snapped(change["new"]):
            return
        # The slider's steps carry binary rounding; six digits are what it can point at.
        value = float(f"{change['new']:.6g}") if self.info.kind == "float" else change["new"]
        if self._on_preview is None:
            self._try(value)
            return
        self._sliding, self._slid_to = True, value
        self._set_error("")
        self._showing = True
        self.editor.value = as_text(value)
        self._showing = False
        self._on_preview(value)
        self._settled.request()

    def _is_snapped(self, value: float) -> bool:
        """Whether a slider only moved to the next of its steps by itself, as it does when it is drawn."""
        if self._sliding or self._filled is None or self.info.kind == "int":
            return False
        return bool(abs(value - self._filled) <= 0.5001 * self.slider.step)

    def _commit(self) -> None:
        if self._sliding:
            self._try(self._slid_to)

    def _none_toggled(self, change: dict[str, Any]) -> None:
        """Take the value away, or put one there: the last one, else the least that can be meant."""
        if self._showing:
            return
        if change["new"]:
            self._try(None)
            return
        info = self.info
        number = self._number if self._number is not None else info.default
        if number is None and info.kind in {"int", "float"}:
            low = info.slider[0] if info.slider else (info.minimum or 0.0)
            number = int(low) if info.kind == "int" else float(low)
        if number is not None:
            self._try(number)
            return
        self._set_error(f"{self._step}.{info.name}: type a value, {info.allowed}.")
        self._showing = True
        self.editor.value = ""
        self._showing = False

    def _try(self, value: Any) -> None:
        self._settled.forget()
        self._sliding = False
        try:
            self._set_error("")
            self._on_set(value)
        except JwcalError as error:
            self._set_error(str(error))

    def _reset(self, on_reset: Callable[[], None]) -> None:
        self.forget_error()
        on_reset()

    def _set_error(self, text: str) -> None:
        self.error = text
        self._message.value = f"<div class='jwcal-error' role='alert'>{html.escape(text)}</div>" if text else ""
        self._message.layout.display = "block" if text else "none"
        self.show_help(self._helping)
        (self.editor.add_class if text else self.editor.remove_class)("jwcal-invalid")
        if text:
            self.reset_button.disabled = False
            self.reset_button.layout.visibility = "visible"

    def _show_code(self) -> None:
        wanted = self._coding or self._changed
        if self._code is None:
            if not wanted:
                return
            self._code = ipw.HTML(layout={"margin": "0"})
            self.widget.children = (*self.widget.children, self._code)
        self._code.layout.display = None if wanted else "none"
        if wanted:
            self._code.value = (
                "<pre class='jwcal-code' title='The code that this control stands for: click selects it'>"
                f"{html.escape(self.code)}</pre>"
            )
