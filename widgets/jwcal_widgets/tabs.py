"""Pages of which one is on show: only that one is drawn, and only that one follows the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import ipywidgets as ipw

__all__ = ["Page", "Tabs"]


class Page(Protocol):
    """What a page has."""

    widget: ipw.Widget

    def refresh(self) -> None:
        """Show the session as it is now."""


class Tabs:
    """A strip of buttons above one of several pages.

    Parameters
    ----------
    pages : mapping of str to Page
        By the words on their buttons, in order; the first is shown at first.
    tooltips : mapping of str to str
        What each page is for.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    strip : ipywidgets.ToggleButtons
        Its value is the name of the page on show.
    """

    def __init__(
        self, pages: Mapping[str, Page], tooltips: Mapping[str, str], guard: Callable[..., Any]
    ) -> None:
        self._pages = dict(pages)
        self._stale = set(pages)
        names = list(pages)
        self.strip = ipw.ToggleButtons(
            options=names,
            style={"button_width": "auto"},
            tooltips=[tooltips.get(name, "") for name in names],
        )
        self.strip.add_class("jwcal-tabs")
        self._stack = ipw.VBox(layout={"overflow": "visible"})
        self.widget = ipw.VBox([self.strip, self._stack], layout={"overflow": "visible"})
        self.strip.observe(guard(lambda _change: self._show()), "value")

    def choose(self, name: str) -> None:
        """Bring a page to the front."""
        self.strip.value = name

    def shows(self, name: str) -> bool:
        """Whether a page is on show."""
        return bool(self.strip.value == name)

    def refresh(self) -> None:
        """Refresh the page on show now, each other one when it is chosen."""
        self._stale = set(self._pages)
        self._show()

    def _show(self) -> None:
        name = self.strip.value
        page = self._pages[name]
        if page.widget not in self._stack.children:
            self._stack.children = (*self._stack.children, page.widget)
        for other, candidate in self._pages.items():
            candidate.widget.layout.display = None if other == name else "none"
        if name in self._stale:
            self._stale.discard(name)
            page.refresh()
