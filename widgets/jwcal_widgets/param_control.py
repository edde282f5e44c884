"""One parameter of a step as a row of controls, made from its definition."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from jwcal_interactive.errors import JwcalError
from jwcal_interactive.params import ParamInfo

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
    """Name, control, source, reset button, help and the message of a refused value.

    Parameters
    ----------
    info : ParamInfo
    on_set : callable
        Called with the new value (text for numbers and strings); may raise `JwcalError`.
    on_reset : callable
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    editor : ipywidgets.Checkbox, Dropdown or Text
    error : str
        Why the value in the control is not accepted; empty if it is.
    """

    def __init__(
        self,
        info: ParamInfo,
        on_set: Callable[[Any], None],
        on_reset: Callable[[], None],
        guard: Callable[..., Any],
    ) -> None:
        self.info = info
        self.error = ""
        self._on_set = on_set
        self._showing = False
        self.editor = self._make_editor()
        self._slider = self._make_slider()
        self._source = ipw.HTML(layout={"width": "54px", "margin": "0 2px"})
        self.reset_button = ipw.Button(
            icon="undo",
            tooltip=f"Reset {info.name} to its default, or to what CRDS says",
            layout={"width": "24px", "height": "24px"},
        )
        self.reset_button.add_class("jwcal-small-button")
        self.reset_button.on_click(guard(lambda _button: self._reset(on_reset)))
        name = ipw.HTML(
            f"<span class='jwcal-param-name' title='{html.escape(info.help, quote=True)}'>"
            f"{html.escape(info.name)}</span>",
            layout={"width": "218px", "margin": "0 6px 0 0"},
        )
        unit = ipw.HTML(f"<span class='jwcal-unit'>{html.escape(info.unit)}</span>")
        controls = [self.editor, *([unit] if info.unit else [])]
        if self._slider is not None:
            controls.append(self._slider)
        row = ipw.HBox(
            [
                name,
                ipw.HBox(controls, layout={"flex": "1 1 auto", "align_items": "center"}),
                self._source,
                self.reset_button,
            ],
            layout={"align_items": "center", "min_height": "28px"},
        )
        allowed = html.escape(info.allowed)
        default = html.escape(as_text(info.default))
        self._help = ipw.HTML(
            f"<div class='jwcal-help'>{html.escape(info.help)} ({allowed}; default {default})</div>",
            layout={"margin": "0"},
        )
        self._message = ipw.HTML(layout={"display": "none", "margin": "0"})
        self._helping = True
        self.widget = ipw.VBox([row, self._message, self._help])
        self.widget.add_class("jwcal-param")
        self.widget.add_class(f"jwcal-param-{info.name}")
        self.editor.observe(guard(self._edited), "value")
        if self._slider is not None:
            self._slider.observe(guard(self._slid), "value")

    def show(self, value: Any, source: str) -> None:
        """Show the value in force and where it comes from; a refused entry stays until corrected."""
        self._showing = True
        try:
            if not self.error:
                self._fill(value)
            self._source.value = (
                f"<span class='jwcal-source jwcal-{source}' title='{_SOURCES[source]}'>{source}</span>"
            )
            changed = source == "user"
            self.reset_button.disabled = not changed and not self.error
            self.reset_button.layout.visibility = "visible" if changed or self.error else "hidden"
            (self.widget.add_class if changed else self.widget.remove_class)("jwcal-changed")
        finally:
            self._showing = False

    def matches(self, words: str) -> bool:
        """Whether the name or the help contains a text."""
        return words.lower() in f"{self.info.name} {self.info.help}".lower()

    def show_help(self, wanted: bool) -> None:
        """Show the line of help, unless a message of a refused value says it all."""
        self._helping = wanted
        self._help.layout.display = None if wanted and not self.error else "none"

    def _make_editor(self) -> Any:
        info = self.info
        if info.kind == "bool" and not info.optional:
            return ipw.Checkbox(indent=False, layout={"width": "40px"})
        if info.kind in {"bool", "choice"}:
            pairs: list[tuple[str, Any]] = [(choice, choice) for choice in info.choices]
            if info.kind == "bool":
                pairs = [("true", True), ("false", False)]
            if info.optional:
                pairs.insert(0, (NONE, None))
            return ipw.Dropdown(options=pairs, layout={"width": "150px"})
        if info.file:
            return ipw.Text(
                continuous_update=False,
                layout={"flex": "1 1 auto", "width": "100px"},
                tooltip="Name of a file, from the folder of the notebook; none to go without",
            )
        width = "76px" if info.kind in {"int", "float"} else "150px"
        return ipw.Text(continuous_update=False, layout={"width": width})

    def _make_slider(self) -> Any:
        if self.info.slider is None or self.info.kind not in {"int", "float"}:
            return None
        low, high = self.info.slider
        layout = {"flex": "1 1 60px", "min_width": "60px", "width": "60px"}
        if self.info.kind == "int":
            return ipw.IntSlider(
                min=int(low), max=int(high), readout=False, continuous_update=False, layout=layout
            )
        return ipw.FloatSlider(
            min=low,
            max=high,
            step=(high - low) / 100,
            readout=False,
            continuous_update=False,
            layout=layout,
        )

    def _fill(self, value: Any) -> None:
        self.editor.value = as_text(value) if isinstance(self.editor, ipw.Text) else value
        if self._slider is not None and value is not None:
            self._slider.value = min(max(value, self._slider.min), self._slider.max)

    def _edited(self, change: dict[str, Any]) -> None:
        if not self._showing:
            self._try(change["new"])

    def _slid(self, change: dict[str, Any]) -> None:
        if not self._showing:
            # The slider's steps carry binary rounding; six digits are what it can point at.
            self._try(float(f"{change['new']:.6g}") if self.info.kind == "float" else change["new"])

    def _try(self, value: Any) -> None:
        try:
            self._set_error("")
            self._on_set(value)
        except JwcalError as error:
            self._set_error(str(error))

    def _reset(self, on_reset: Callable[[], None]) -> None:
        self._set_error("")
        on_reset()

    def _set_error(self, text: str) -> None:
        self.error = text
        self._message.value = f"<div class='jwcal-error'>{html.escape(text)}</div>" if text else ""
        self._message.layout.display = "block" if text else "none"
        self.show_help(self._helping)
        (self.editor.add_class if text else self.editor.remove_class)("jwcal-invalid")
        if text:
            self.reset_button.disabled = False
            self.reset_button.layout.visibility = "visible"
