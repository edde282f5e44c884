"""Choose a file from the folders where such files are, by a button and a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ipywidgets as ipw

__all__ = ["FileChooser"]

_ENDINGS = (".fits", ".fits.gz", ".asdf")
_MOST = 400


class FileChooser:
    """A button that opens a list of files; choosing one closes it.

    Parameters
    ----------
    what : str
        What the file is for, in words.
    folders : callable
        Gives the folders to look in, when the list is opened.
    on_choose : callable
        Called with the path as text.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    named : str
        Leave out files of large folders whose names do not hold this text, such as a reference type.

    Attributes
    ----------
    button : ipywidgets.ToggleButton
    list : ipywidgets.Dropdown or None
        ``None`` until it was opened.
    widget : ipywidgets.VBox
        Holds the list.
    """

    def __init__(
        self,
        what: str,
        folders: Callable[[], Iterable[Path]],
        on_choose: Callable[[str], None],
        guard: Callable[..., Any],
        named: str = "",
    ) -> None:
        self._what, self._folders, self._on_choose, self._named = what, folders, on_choose, named
        self._guard = guard
        self.button = ipw.ToggleButton(
            icon="folder-open",
            tooltip=f"Choose a file for {what}",
            layout={"width": "28px", "height": "24px", "padding": "0"},
        )
        self.button.add_class("jwcal-icon-button")
        self.list: ipw.Dropdown | None = None
        self.widget = ipw.VBox(layout={"display": "none"})
        self.button.observe(guard(self._toggled), "value")

    def _toggled(self, change: dict[str, Any]) -> None:
        self.widget.layout.display = None if change["new"] else "none"
        if not change["new"]:
            return
        if self.list is None:
            self.list = ipw.Dropdown(
                tooltip=f"Files for {self._what}", layout={"flex": "1 1 auto", "width": "98%"}
            )
            self.list.observe(self._guard(self._chosen), "value")
            self.widget.children = (self.list,)
        files = self._files()
        self.list.options = [(f"choose one of {len(files)} files…", ""), *files]

    def _chosen(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self.button.value = False
            self._on_choose(change["new"])

    def _files(self) -> list[tuple[str, str]]:
        """Names with their folders, and paths."""
        files: list[tuple[str, str]] = []
        for folder in dict.fromkeys(Path(f).resolve() for f in self._folders()):
            found = sorted(p for p in _listed(folder) if p.name.lower().endswith(_ENDINGS) and p.is_file())
            if len(found) > _MOST:
                found = [p for p in found if self._named in p.name][:_MOST]
            files += [(f"{p.name}  ({folder})", str(p)) for p in found]
        return files


def _listed(folder: Path) -> list[Path]:
    """Content of a folder; nothing if it cannot be read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []
