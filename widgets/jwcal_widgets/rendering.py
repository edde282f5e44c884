"""From planes to pictures: what a view shows of one plane, or of two with a curtain between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_widgets.dq_overlay import overlay
from jwcal_widgets.planes import Plane
from jwcal_widgets.stretch import (
    Limits,
    find_limits,
    find_symmetric_limits,
    lookup_table,
    sample,
    to_rgb,
)
from jwcal_widgets.viewport import Cut, bin_flags, bin_mean

__all__ = ["Drawn", "LimitFinder", "Look", "curtain_of", "draw"]


@dataclass(frozen=True)
class Look:
    """How a plane is shown.

    Attributes
    ----------
    stretch, colormap : str
        Names, see `lookup_table`.
    limits : str or (float, float)
        A method of `find_limits`, or the two values.
    flags : tuple of DQ
        What to paint, see `overlay`.
    change : bool
        The plane is a difference: limits by a method are symmetric about 0.
    """

    stretch: str = "asinh"
    colormap: str = "gray"
    limits: str | Limits = "99.5 %"
    flags: tuple[DQ, ...] = ()
    change: bool = False


@dataclass(frozen=True, eq=False)
class Drawn:
    """Colours of a part of a plane, uint8 (ny, nx, 3), and its flags as `overlay` gives them, (ny, nx)."""

    rgb: NDArray[np.uint8]
    flags: NDArray[np.uint8] | None


def draw(plane: Plane, cut: Cut, limits: Limits, look: Look) -> Drawn:
    """Bin a part of a plane to the screen, and colour it."""
    rgb = to_rgb(bin_mean(plane.data, cut), limits, lookup_table(look.stretch, look.colormap))
    painted = overlay(bin_flags(plane.dq, cut), look.flags) if look.flags else None
    return Drawn(rgb, painted)


def curtain_of(left: Drawn, right: Drawn, cut: Cut, x: float) -> Drawn:
    """Put two pictures of the same part side by side: one left of the column x, the other right of it."""
    columns = int(np.clip(round((x + 0.5 - cut.x0) / cut.step), 0, cut.shape[1]))

    def joined(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.concatenate([a[:, :columns], b[:, columns:]], axis=1)

    flags = None
    if left.flags is not None and right.flags is not None:
        flags = joined(left.flags, right.flags)
    return Drawn(joined(left.rgb, right.rgb), flags)


class LimitFinder:
    """Finds display limits; the values that they come from are taken once per plane."""

    def __init__(self) -> None:
        self._plane: Plane | None = None
        self._values = np.empty(0, np.float32)

    def values(self, plane: Plane) -> NDArray[np.float32]:
        """Sample of the values of a plane, see `sample`."""
        if self._plane is not plane:
            self._plane, self._values = plane, sample(plane.data, plane.dq)
        return self._values

    def limits(self, plane: Plane, look: Look) -> Limits:
        """Display limits of a plane."""
        if not isinstance(look.limits, str):
            return look.limits
        values = self.values(plane)
        return find_symmetric_limits(values) if look.change else find_limits(values, look.limits)
