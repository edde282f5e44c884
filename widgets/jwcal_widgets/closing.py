"""Close widgets with all that they hold, so that neither kernel nor page keeps anything of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets as ipw

__all__ = ["close_widgets"]


def _widgets_in(value: Any) -> Iterator[ipw.Widget]:
    if isinstance(value, ipw.Widget):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _widgets_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _widgets_in(item)


def close_widgets(*roots: ipw.Widget) -> None:
    """Close widgets and every widget in their state: children, layouts, styles, marks, scales, axes.

    Their handlers are removed too, since they refer to what made the widgets.

    Parameters
    ----------
    *roots : ipywidgets.Widget
        A widget that is closed already is passed over.
    """
    found: dict[int, ipw.Widget] = {}
    waiting = list(roots)
    while waiting:
        widget = waiting.pop()
        if id(widget) in found or widget.comm is None:
            continue
        found[id(widget)] = widget
        for name in widget.keys:
            waiting.extend(_widgets_in(getattr(widget, name)))
    for widget in found.values():
        widget.unobserve_all()
        widget.close()
