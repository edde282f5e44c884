"""Leave with something: the notebook that repeats the work, the session, the products."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["OutputBar", "link_to"]


def link_to(path: Path) -> str:
    """Link to a file, relative to the working folder, which is the notebook's."""
    target = Path(os.path.relpath(path)).as_posix()
    return f"<a href='{html.escape(target, quote=True)}' target='_blank'>{html.escape(target)}</a>"


class OutputBar:
    """File names with the buttons that write them, and links to what was written.

    Parameters
    ----------
    session : Session
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.HBox
    """

    def __init__(self, session: Session, guard: Callable[..., Any]) -> None:
        self._session = session
        stem = Path(session.exposure.filename or "exposure").stem.removesuffix("_uncal")
        # An Output renders its link with the notebook's rules: paths count from the notebook's folder.
        self._links = ipw.Output(layout={"flex": "1 1 auto", "margin": "0 0 0 8px"})
        self.notebook, self.export = self._writer(f"{stem}_jwcal.ipynb", "Export notebook", "book", "210px")
        self.file, self.save = self._writer(f"{stem}_session.json", "Save session", "save", "210px")
        self.folder, self.write = self._writer(".", "Write products", "download", "110px")
        tips = (
            (self.export, "Write the notebook that repeats this session, also headless"),
            (self.save, "Save settings and history; open_session opens the file"),
            (self.write, "Write the products of the pipeline into this folder"),
        )
        for button, tooltip in tips:
            button.tooltip = tooltip
        self.export.on_click(guard(self._export))
        self.save.on_click(guard(self._save))
        self.write.on_click(guard(self._write))
        pairs = (
            (self.notebook, self.export),
            (self.file, self.save),
            (self.folder, self.write),
        )
        self.widget = ipw.HBox(
            [*(ipw.HBox(pair) for pair in pairs), self._links],
            layout={"align_items": "center", "flex_flow": "row wrap"},
        )

    @property
    def links(self) -> str:
        """The links on show, as HTML."""
        return "".join(output["data"]["text/html"] for output in self._links.outputs)

    @staticmethod
    def _writer(value: str, label: str, icon: str, width: str) -> tuple[ipw.Text, ipw.Button]:
        return (
            ipw.Text(value=value, layout={"width": width}),
            ipw.Button(description=label, icon=icon, layout={"width": "140px"}),
        )

    def _export(self, _button: object) -> None:
        self._show(self._session.export(Path(self.notebook.value)))

    def _save(self, _button: object) -> None:
        self._show(self._session.save(Path(self.file.value)))

    def _write(self, _button: object) -> None:
        self._show(*self._session.write(Path(self.folder.value)))

    def _show(self, *paths: Path) -> None:
        text = "written: " + ", ".join(link_to(path) for path in paths)
        self._links.outputs = (
            {
                "output_type": "display_data",
                "data": {"text/html": text, "text/plain": ", ".join(str(p) for p in paths)},
                "metadata": {},
            },
        )
