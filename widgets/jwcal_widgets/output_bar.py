"""Leave with something: the notebook that repeats the work, the session, the products."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.errors import OutputError
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.latest import Latest

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["OutputBar", "link_to", "name_trouble"]

NOTEBOOK, SESSION = ".ipynb", ".json"
LONGEST = 240  # bytes of a file name, with room for an ending


def name_trouble(text: str) -> str:
    """Say why nothing can be written under a name, and what to do; empty if it can.

    Parameters
    ----------
    text : str
        Name without extension; folders may precede it.
    """
    name = text.strip()
    path = Path(name)
    if not name or name.endswith(("/", os.sep)) or path.name in {"", ".", ".."}:
        return "The name of the file to write is empty. Type one beside the button."
    if not name.isprintable() or len(os.fsencode(path.name)) > LONGEST:
        return f"{name[:40]!r}: not a possible name: use one line of at most {LONGEST} characters."
    folder = path.parent
    while not folder.exists():  # it is made when something is written
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is a file, not a folder. Choose another folder."
    if not os.access(folder, os.W_OK):
        return f"{folder.resolve()} is not writable. Type a folder of your own before the name."
    return ""


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
    before : callable, optional
        Called before something is written: what is on the screen and not set yet is set there.

    Attributes
    ----------
    widget : ipywidgets.HBox
    written : ipywidgets.Output
        Links to what was written.
    trouble : str
        Why nothing can be written under the name in the field; empty if it can.
    """

    def __init__(
        self, session: Session, guard: Callable[..., Any], before: Callable[[], None] = lambda: None
    ) -> None:
        self._session = session
        self._before = before
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
        self.trouble = ""
        self._latest = Latest(guard, "jwcal-write")
        self._message = ipw.HTML(layout={"margin": "0", "display": "none"})
        self.name.observe(guard(lambda _change: self._check()), "value")
        self.export.on_click(guard(self._export))
        self.save.on_click(guard(self._save))
        self.write.on_click(guard(self._write))
        row = ipw.HBox([self.name, self.export, self.save, self.write], layout={"align_items": "center"})
        self.widget = ipw.VBox([row, self._message], layout={"flex": "0 1 auto"})
        self._check()

    @property
    def links(self) -> str:
        """The links on show, as HTML."""
        return "".join(output["data"]["text/html"] for output in self.written.outputs)

    def _path(self, extension: str) -> Path:
        if self.trouble:
            raise OutputError(self.trouble)
        name = self.name.value.strip()
        return Path(name.removesuffix(extension) + extension)

    def _check(self) -> None:
        """Say beside the field what is wrong with the name, or what would be replaced."""
        self.trouble = name_trouble(self.name.value)
        for button in (self.export, self.save, self.write):
            button.disabled = bool(self.trouble)
        (self.name.add_class if self.trouble else self.name.remove_class)("jwcal-invalid")
        words = f"<span class='jwcal-error'>{html.escape(self.trouble)}</span>"
        if not self.trouble:
            there = [path.name for path in map(self._path, (NOTEBOOK, SESSION)) if path.exists()]
            words = f"{html.escape(', '.join(there))}: there already, would be replaced" if there else ""
            words = f"<span class='jwcal-muted'>{words}</span>" if there else ""
        self._message.value = words
        self._message.layout.display = None if words else "none"

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all is written."""
        self._latest.wait(timeout)

    def close(self) -> None:
        """Close the widgets; what is being written is written to its end."""
        self._latest.close()
        close_widgets(self.widget, self.written)

    def _export(self, _button: object) -> None:
        path = self._path(NOTEBOOK)
        hint = f"runs headless with papermill; open_session({path.name!r}) goes on from here"
        self._begin(lambda: (self._session.export(path),), hint)

    def _save(self, _button: object) -> None:
        path = self._path(SESSION)
        hint = f"open_session({path.name!r}) goes on from here, also in a new kernel"
        self._begin(lambda: (self._session.save(path),), hint)

    def _write(self, _button: object) -> None:
        folder = self._path("").parent
        self._begin(lambda: self._session.write(folder), "")

    def _begin(self, work: Callable[[], tuple[Path, ...]], hint: str) -> None:
        """Write in a thread: products of large exposures take seconds."""
        self._before()
        self._writing(True)
        self._latest.request(lambda: self._attempt(work), lambda paths: self._show(paths, hint))

    def _attempt(self, work: Callable[[], tuple[Path, ...]]) -> tuple[Path, ...]:
        try:
            return work()
        finally:
            self._writing(False)

    def _writing(self, busy: bool) -> None:
        for button in (self.export, self.save, self.write):
            button.disabled = busy
        self._message.value = "<span class='jwcal-running'>writing…</span>" if busy else ""
        self._message.layout.display = None if busy else "none"

    def _show(self, paths: tuple[Path, ...], hint: str) -> None:
        self._check()
        text = "written: " + ", ".join(link_to(path) for path in paths)
        if hint:
            text += f" <span class='jwcal-muted'>({html.escape(hint)})</span>"
        self.written.outputs = (
            {
                "output_type": "display_data",
                "data": {"text/html": text, "text/plain": ", ".join(str(p) for p in paths)},
                "metadata": {},
            },
        )
        self.written.layout.display = None
