"""A picture over a part of the detector, in a bqplot figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bqplot as bq
import ipywidgets as ipw
import numpy as np

from jwcal_interactive.dq import DQ
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.dq_overlay import encode_overlay
from jwcal_widgets.viewport import Window

__all__ = ["ImageLayer"]

_ONE_PIXEL = np.zeros((1, 1), np.uint8)
_NO_FLAGS: tuple[DQ, ...] = ()


class ImageLayer:
    """An image mark whose picture can be replaced.

    bqplot repaints when the `image` of a mark becomes another widget, not when the bytes of that
    widget change: so there are two image widgets that take turns.

    Attributes
    ----------
    mark : bqplot.Image
    """

    def __init__(self, scales: Mapping[str, bq.Scale]) -> None:
        blank = encode_overlay(_ONE_PIXEL, _NO_FLAGS)
        self._pictures = [ipw.Image(value=blank, format="png") for _ in range(2)]
        self.mark = bq.Image(image=self._pictures[0], x=[0, 1], y=[0, 1], visible=False, scales=scales)

    @property
    def picture(self) -> bytes:
        """What was sent last."""
        return bytes(self.mark.image.value)

    def draw(
        self, picture: tuple[str, bytes], extent: Window, *, pixelated: bool, visible: bool = True
    ) -> None:
        """Show a picture over a part of the image plane."""
        self._pictures.reverse()
        self._pictures[0].format, self._pictures[0].value = picture
        changes: dict[str, Any] = {
            "image": self._pictures[0],
            "x": [extent.x0, extent.x1],
            "y": [extent.y0, extent.y1],
            "pixelated": pixelated,
            "visible": visible,
        }
        with self.mark.hold_sync():
            for name, value in changes.items():
                setattr(self.mark, name, value)

    def hide(self) -> None:
        """Show nothing."""
        self.mark.visible = False

    def close(self) -> None:
        """Close the mark and both pictures."""
        close_widgets(self.mark, *self._pictures)
