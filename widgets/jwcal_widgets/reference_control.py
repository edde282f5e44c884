"""One reference of a step: what is used, and what the user puts in its place."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from jwcal_interactive.errors import JwcalError
from jwcal_interactive.references.book import UsedReference
from jwcal_widgets.file_chooser import FileChooser

__all__ = ["ReferenceControl"]


class ReferenceControl:
    """Reference type, field, chooser, switch for all steps, reset button and the message of a refused file.

    Parameters
    ----------
    reftype : str
    others : tuple of str
        Other steps that use the type; with none there is no switch.
    on_override : callable
        Called with the text (empty for what CRDS says) and whether all steps are meant; may raise
        `JwcalError`.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    folders : callable, optional
        Gives the folders to choose files from.

    Attributes
    ----------
    widget : ipywidgets.VBox
    field : ipywidgets.Text
    chooser : FileChooser
    everywhere : ipywidgets.Checkbox
    reset_button : ipywidgets.Button
    error : str
        Why the file in the field is not accepted; empty if it is.
    """

    def __init__(
        self,
        reftype: str,
        others: tuple[str, ...],
        on_override: Callable[[str, bool], None],
        guard: Callable[..., Any],
        folders: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        self.error = ""
        self._on_override = on_override
        self._showing = False
        self.field = ipw.Text(
            continuous_update=False,
            layout={"flex": "1 1 auto", "width": "100px"},
            tooltip=f"{reftype} reference: a file, N/A to run without one, or empty for what CRDS says",
        )
        self.chooser = FileChooser(f"the reference {reftype}", folders, self._try, guard, f"_{reftype}_")
        self.everywhere = ipw.Checkbox(
            description="in all steps",
            indent=False,
            tooltip=f"Use it also in {', '.join(others)}",
            layout={"width": "100px", "display": "flex" if others else "none"},
        )
        self.reset_button = ipw.Button(
            icon="undo",
            tooltip=f"Return to the {reftype} reference that CRDS gives",
            layout={"width": "24px", "height": "24px"},
        )
        self.reset_button.add_class("jwcal-small-button")
        label = ipw.HTML(
            f"<span class='jwcal-param-name'>{html.escape(reftype)}</span>", layout={"width": "84px"}
        )
        row = ipw.HBox(
            [label, self.field, self.chooser.button, self.everywhere, self.reset_button],
            layout={"align_items": "center"},
        )
        self._message = ipw.HTML(layout={"display": "none", "margin": "0"})
        self.widget = ipw.VBox([row, self.chooser.widget, self._message])
        self.widget.add_class("jwcal-param")
        self.widget.add_class(f"jwcal-reference-{reftype}")
        self.field.observe(guard(self._typed), "value")
        self.everywhere.observe(guard(self._extended), "value")
        self.reset_button.on_click(guard(lambda _button: self._try("")))

    def show(self, override: str, used: UsedReference | None) -> None:
        """Show what is in force; a refused entry stays until it is corrected.

        Parameters
        ----------
        override : str
            File or N/A that the user chose; empty for what CRDS says.
        used : UsedReference or None
            What the step used when it ran with the present settings.
        """
        self._showing = True
        try:
            if not self.error:
                self.field.value = override
            if used is None:
                self.field.placeholder = "CRDS decides; type a file or N/A to override"
            elif used.sha256:
                self.field.placeholder = f"{used.name} ({used.origin})"
            else:
                self.field.placeholder = "N/A: CRDS gives none for this exposure"
            shown = override or self.error
            self.reset_button.layout.visibility = "visible" if shown else "hidden"
            (self.widget.add_class if override else self.widget.remove_class)("jwcal-changed")
        finally:
            self._showing = False

    def _typed(self, change: dict[str, Any]) -> None:
        if not self._showing:
            self._try(change["new"].strip())

    def _extended(self, change: dict[str, Any]) -> None:
        """Ticking takes what is in force here to the other steps; unticking leaves them alone."""
        if change["new"] and self.field.value and not self.error:
            self._try(self.field.value.strip())

    def _try(self, text: str) -> None:
        try:
            self._set_error("")
            self._on_override(text, self.everywhere.value)
        except JwcalError as error:
            self._set_error(str(error))

    def _set_error(self, text: str) -> None:
        self.error = text
        self._message.value = f"<div class='jwcal-error' role='alert'>{html.escape(text)}</div>" if text else ""
        self._message.layout.display = "block" if text else "none"
        (self.field.add_class if text else self.field.remove_class)("jwcal-invalid")
        if text:
            self.reset_button.layout.visibility = "visible"
