"""Rectangles that are drawn over the image, with their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bqplot as bq
import numpy as np

from jwcal_widgets.viewport import Box

__all__ = ["Outline"]

_OFF = np.zeros((1, 2))


class Outline:
    """Edges of boxes, and a label at the first one.

    Parameters
    ----------
    scales : mapping of str to bqplot.LinearScale
        ``x`` and ``y``, in detector pixels.
    color : str
    style : str
        ``solid``, ``dashed`` or ``dotted``: kinds of boxes differ in it, too.
    label : str
        Empty for none.

    Attributes
    ----------
    marks : tuple of bqplot marks
    """

    def __init__(self, scales: Mapping[str, bq.Scale], color: str, style: str, label: str = "") -> None:
        self.lines = bq.Lines(
            x=_OFF, y=_OFF, scales=scales, colors=[color], stroke_width=2.0, line_style=style, visible=False
        )
        self.text = bq.Label(
            x=[0.0],
            y=[0.0],
            text=[label],
            scales=scales,
            colors=[color],
            align="start",
            x_offset=4,
            y_offset=-8,
            default_size=12,
            font_weight="bold",
            visible=False,
        )
        self.marks = (self.lines, self.text)
        self._label = label
        self._drawn = False

    def show(self, boxes: Sequence[Box]) -> None:
        """Draw the edges of boxes, in place of those that were there."""
        self._drawn = bool(boxes)
        if not boxes:
            self.veil(True)
            return
        x0, y0, x1, y1 = np.array(boxes, float).T - 0.5
        x = [(x0, x1), (x1, x1), (x1, x0), (x0, x0)]  # bottom, right, top, left
        y = [(y0, y0), (y0, y1), (y1, y1), (y1, y0)]
        with self.lines.hold_sync():
            self.lines.x = np.concatenate([np.stack(ends, axis=1) for ends in x])
            self.lines.y = np.concatenate([np.stack(ends, axis=1) for ends in y])
        with self.text.hold_sync():
            self.text.x, self.text.y = [x0[0]], [y1[0]]
        self.veil(False)

    def veil(self, veiled: bool) -> None:
        """Take what is drawn out of sight, or show it again."""
        self.lines.visible = self._drawn and not veiled
        self.text.visible = self._drawn and not veiled and bool(self._label)
