"""What went wrong, where the user sees it; and the lock that lets one handler run at a time."""

from __future__ import annotations

import functools
import html
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec

import ipywidgets as ipw

from jwcal_interactive.errors import JwcalError

__all__ = ["Messages"]

P = ParamSpec("P")


@dataclass(frozen=True)
class _Item:
    text: str
    html: str


class Messages:
    """An area of messages that stays empty while all is well.

    Attributes
    ----------
    widget : ipywidgets.Box
    """

    def __init__(self) -> None:
        self._notes: list[_Item] = []
        self._errors: list[_Item] = []
        self._lock = threading.RLock()
        self._area = ipw.HTML(layout={"flex": "1 1 auto"})
        self._clear = ipw.Button(icon="times", tooltip="Dismiss these messages", layout={"width": "30px"})
        self._clear.add_class("jwcal-small-button")
        self._clear.on_click(lambda _button: self.clear())
        self.widget = ipw.HBox([self._area, self._clear], layout={"display": "none"})

    @property
    def shown(self) -> list[str]:
        """Texts that were not dismissed: notes, then errors, newest last."""
        return [item.text for item in (*self._notes, *self._errors)]

    def clear(self) -> None:
        """Remove all messages."""
        self._notes.clear()
        self.clear_errors()

    def clear_errors(self) -> None:
        """Remove the errors; notes stay until they are dismissed."""
        self._errors.clear()
        self._show()

    def note(self, text: str) -> None:
        """Tell something that is not an error."""
        self._notes.append(_Item(text, f"<div class='jwcal-message jwcal-note'>{html.escape(text)}</div>"))
        self._show()

    def error(self, error: BaseException, step: str = "") -> None:
        """Show an error: its text if it is one that the user can mend, else with the traceback.

        Parameters
        ----------
        error : BaseException
        step : str
            Step that failed, if one did.
        """
        where = f"<b>✕ {html.escape(step)}</b> " if step else ""
        if isinstance(error, JwcalError):
            text = str(error)
            self._add(text, f"<div class='jwcal-message'>{where}{html.escape(text)}</div>")
            return
        text = f"{type(error).__name__}: {error}"
        trace = "".join(traceback.format_exception(error))
        self._add(
            text,
            f"<div class='jwcal-message'>{where}<b>This should not have happened.</b> "
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

    def _add(self, text: str, html: str) -> None:
        if not self._errors or self._errors[-1].text != text:
            self._errors.append(_Item(text, html))
            self._show()

    def _show(self) -> None:
        items = [*self._notes, *self._errors[-6:]]
        self._area.value = "".join(item.html for item in items)
        self.widget.layout.display = "flex" if items else "none"
