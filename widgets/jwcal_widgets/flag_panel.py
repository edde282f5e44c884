"""Choose the data-quality flags to paint over the image, by name, with how many pixels have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as ipw

from jwcal_interactive.dq import DQ
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.dq_overlay import color_of

__all__ = ["FlagPanel"]


class _FlagBox:
    def __init__(self, flag: DQ, on_change: Callable[..., None]) -> None:
        self.check = ipw.Checkbox(indent=False, layout={"width": "22px", "height": "20px", "margin": "0 2px"})
        self.check.observe(on_change, "value")
        self._label = ipw.HTML(layout={"flex": "1 1 auto", "margin": "0 4px 0 0"})
        self._flag = flag
        layout = {"align_items": "center", "height": "22px", "min_height": "22px"}
        self.widget = ipw.HBox([self.check, self._label], layout=layout)
        self.widget.add_class(f"jwcal-flag-{flag.name}")

    def show(self, count: int) -> None:
        self._label.value = (
            f"<div class='jwcal-flag'><span class='jwcal-muted'>{count:,}</span>"
            f"<span class='jwcal-chip' style='background:{color_of(self._flag)}'></span>"
            f"<span class='jwcal-flag-name'>{self._flag.name}</span></div>"
        )


class FlagPanel:
    """A checkbox per flag that occurs in the image.

    Parameters
    ----------
    on_change : callable
        Called after a choice of the user.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    any_group : ipywidgets.Checkbox
        Whether a plane of a ramp shows the flags of all groups.
    """

    def __init__(self, on_change: Callable[[], None], guard: Callable[..., Any]) -> None:
        self._on_change = on_change
        self._guard = guard
        self._boxes: dict[DQ, _FlagBox] = {}
        self._counts: Mapping[DQ, int] = {}
        self._area = ipw.VBox(layout={"max_height": "340px", "overflow": "hidden auto"})
        self._area.add_class("jwcal-scroll")
        self._empty = ipw.HTML("<span class='jwcal-muted'>None in this image.</span>")
        title = ipw.HTML(
            "<span class='jwcal-section' title='Pixels of the image that carry each flag'>"
            "flags to paint (pixels)</span>",
            layout={"margin": "12px 0 0 8px"},
        )
        self.any_group = ipw.Checkbox(
            description="of any group",
            indent=False,
            tooltip="Collect the flags of all groups of the integration",
            layout={"width": "140px", "margin": "0 2px"},
        )
        self.widget = ipw.VBox([title, self.any_group, self._area], layout={"width": "210px"})

    def close(self) -> None:
        """Close the widgets, those of flags that do not occur too."""
        close_widgets(self.widget, self._empty, *(box.widget for box in self._boxes.values()))

    def check(self, flag: DQ) -> ipw.Checkbox:
        """Return the checkbox of a flag that occurs."""
        return self._boxes[flag].check

    @property
    def chosen(self) -> tuple[DQ, ...]:
        """Chosen flags that occur, the most frequent first: rare ones are painted on top."""
        flags = [f for f in self._counts if f in self._boxes and self._boxes[f].check.value]
        return tuple(sorted(flags, key=lambda flag: -self._counts[flag]))

    def show(self, counts: Mapping[DQ, int]) -> None:
        """Offer the flags that occur; choices are remembered for flags that come back."""
        self._counts = counts
        for flag in counts:
            if flag not in self._boxes:
                self._boxes[flag] = _FlagBox(flag, self._guard(self._changed))
            self._boxes[flag].show(counts[flag])
        self._area.children = tuple(self._boxes[flag].widget for flag in counts) or (self._empty,)

    def _changed(self, _change: object) -> None:
        self._on_change()
