"""Put the planes of a preview over those of the whole frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jwcal_widgets.planes import Plane
from jwcal_widgets.viewport import Box

__all__ = ["Paste"]


class Paste:
    """A copy of a plane into which windows are pasted; the frame is copied once, not for each preview."""

    def __init__(self) -> None:
        self._base: Plane | None = None
        self._copy: Plane | None = None
        self._box: Box | None = None

    def over(self, base: Plane, part: Plane, box: Box) -> Plane:
        """Return a plane that shows `part` in the box, and `base` around it.

        Parameters
        ----------
        base : Plane
            Of the frame.
        part : Plane
            Of the size of the box, in the unit of `base`.
        box : Box
            Where it lies in the frame.

        Returns
        -------
        Plane
            Its arrays are changed by the next call.
        """
        if self._base is not base or self._copy is None:
            self._base, self._box = base, None
            self._copy = Plane(
                np.array(base.data),
                np.array(base.dq),
                base.unit,
                base.title,
                None if base.error is None else np.array(base.error),
            )
        copy = self._copy
        if self._box is not None and self._box != box:
            self._write(copy, base, self._box, whole=True)
        self._write(copy, part, box, whole=False)
        self._box = box
        return replace(copy)

    def forget(self) -> None:
        """Let go of the copy."""
        self._base = self._copy = self._box = None

    @staticmethod
    def _write(copy: Plane, source: Plane, box: Box, *, whole: bool) -> None:
        inside = (slice(box.y0, box.y1), slice(box.x0, box.x1))
        taken = inside if whole else (slice(None), slice(None))
        copy.data[inside] = source.data[taken]
        copy.dq[inside] = source.dq[taken]
        if copy.error is not None and source.error is not None:
            copy.error[inside] = source.error[taken]
