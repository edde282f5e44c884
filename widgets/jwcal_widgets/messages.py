"""What went wrong, where the user sees it; and the lock that lets one handler run at a time."""

from __future__ import annotations

import functools
import html
import threading
import traceback
from collections.abc import Callable
from typing import ParamSpec

import ipywidgets as ipw

from jwcal_interactive.errors import JwcalError

__all__ = ["Messages"]

P = ParamSpec("P")


class Messages:
    """An area of messages that stays empty while all is well.

    Attributes
    ----------
    widget : ipywidgets.Box
    shown : list of str
        The texts on show, newest last.
    """

    def __init__(self) -> None:
        self.shown: list[str] = []
        self._lock = threading.RLock()
        self._area = ipw.HTML(layout={"flex": "1 1 auto"})
        self._clear = ipw.Button(icon="times", tooltip="Dismiss these messages", layout={"width": "30px"})
        self._clear.add_class("jwcal-small-button")
        self._clear.on_click(lambda _button: self.clear())
        self.widget = ipw.HBox([self._area, self._clear], layout={"display": "none"})
        self._items: list[str] = []

    def clear(self) -> None:
        """Remove all messages."""
        self.shown.clear()
        self._items.clear()
        self.widget.layout.display = "none"

    def note(self, text: str) -> None:
        """Tell something that is not an error."""
        self._add(text, f"<div class='jwcal-message jwcal-note'>{html.escape(text)}</div>")

    def error(self, error: BaseException) -> None:
        """Show an error: its text if it is one that the user can mend, else with the traceback."""
        if isinstance(error, JwcalError):
            text = str(error)
            self._add(text, f"<div class='jwcal-message'>{html.escape(text)}</div>")
            return
        text = f"{type(error).__name__}: {error}"
        trace = "".join(traceback.format_exception(error))
        self._add(
            text,
            "<div class='jwcal-message'><b>This should not have happened.</b> "
            f"{html.escape(text)}<details><summary>Traceback, for a report</summary>"
            f"<pre>{html.escape(trace)}</pre></details></div>",
        )

    def guarded(self, function: Callable[P, None]) -> Callable[P, None]:
        """Wrap a handler: one at a time in all threads, and what it raises is shown."""

        @functools.wraps(function)
        def handler(*args: P.args, **kwargs: P.kwargs) -> None:
            with self._lock:
                try:
                    function(*args, **kwargs)
                except Exception as error:  # noqa: BLE001 - shown to the user, with its traceback
                    self.error(error)

        return handler

    def _add(self, text: str, item: str) -> None:
        if self.shown and self.shown[-1] == text:
            return
        self.shown.append(text)
        self._items.append(item)
        self._area.value = "".join(self._items[-6:])
        self.widget.layout.display = "flex"
