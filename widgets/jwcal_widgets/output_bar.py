"""Leave with something: the notebook that repeats the work, the session, the products."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.errors import OutputError

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["OutputBar", "link_to"]


def link_to(path: Path) -> str:
    """Link to a file, relative to the working folder, which is the notebook's."""
    target = Path(os.path.relpath(path)).as_posix()
    return f"<a href='{html.escape(target, quote=True)}' target='_blank'>{html.escape(target)}</a>"


class OutputBar:
    """One name, and the buttons that write notebook, session and products beside each other.

    Parameters
    ----------
    session : Session
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.HBox
    written : ipywidgets.Output
        Links to what was written.
    """

    def __init__(self, session: Session, guard: Callable[..., Any]) -> None:
        self._session = session
        stem = Path(session.exposure.filename or "exposure").stem.removesuffix("_uncal")
        self.name = ipw.Text(
            value=f"{stem}_reduction",
            layout={"flex": "1 1 220px", "min_width": "160px", "width": "220px"},
            tooltip="Name of what is written, without extension; a folder may precede it",
        )
        self.export, self.save, self.write = (
            ipw.Button(description=label, icon=icon, tooltip=tooltip, layout={"width": width})
            for label, icon, tooltip, width in (
                (
                    "Export",
                    "book",
                    "Write the notebook that repeats this session, also headless: name.ipynb",
                    "84px",
                ),
                (
                    "Save",
                    "save",
                    "Save settings and history: name.json, which open_session opens",
                    "74px",
                ),
                (
                    "Products",
                    "download",
                    "Write the products of the pipeline into the folder of the name",
                    "98px",
                ),
            )
        )
        # An Output renders links by the notebook's rules: paths count from the notebook's folder.
        self.written = ipw.Output(layout={"display": "none"})
        self.export.on_click(guard(self._export))
        self.save.on_click(guard(self._save))
        self.write.on_click(guard(self._write))
        self.widget = ipw.HBox(
            [self.name, self.export, self.save, self.write], layout={"align_items": "center"}
        )

    @property
    def links(self) -> str:
        """The links on show, as HTML."""
        return "".join(output["data"]["text/html"] for output in self.written.outputs)

    def _path(self, extension: str) -> Path:
        name = self.name.value.strip()
        if not name:
            raise OutputError("The name of the file to write is empty. Type one beside the button.")
        return Path(name.removesuffix(extension) + extension)

    def _export(self, _button: object) -> None:
        self._show(self._session.export(self._path(".ipynb")))

    def _save(self, _button: object) -> None:
        self._show(self._session.save(self._path(".json")))

    def _write(self, _button: object) -> None:
        self._show(*self._session.write(self._path("").parent))

    def _show(self, *paths: Path) -> None:
        text = "written: " + ", ".join(link_to(path) for path in paths)
        self.written.outputs = (
            {
                "output_type": "display_data",
                "data": {"text/html": text, "text/plain": ", ".join(str(p) for p in paths)},
                "metadata": {},
            },
        )
        self.written.layout.display = None
