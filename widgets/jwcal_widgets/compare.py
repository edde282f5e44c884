"""What was shown before: the same plane of the same step with the settings that went before."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from jwcal_widgets.planes import Plane

__all__ = ["Key", "PlaneHistory", "difference"]

Key: TypeAlias = tuple[str, str, int, int]  # step, plane, integration, group


class PlaneHistory:
    """The last two different versions of the planes that were looked at most recently.

    Parameters
    ----------
    size : int
        How many planes are remembered; a full frame takes 32 MB per version.
    """

    def __init__(self, size: int = 3) -> None:
        self._size = size
        self._versions: OrderedDict[Key, list[Plane]] = OrderedDict()

    def add(self, key: Key, plane: Plane) -> None:
        """Record what is shown now; a plane equal to the last one changes nothing."""
        versions = self._versions.setdefault(key, [])
        self._versions.move_to_end(key)
        if not versions or not _same(versions[-1], plane):
            versions.append(plane)
            del versions[:-2]
        while len(self._versions) > self._size:
            self._versions.popitem(last=False)

    def detach(self) -> None:
        """Copy what is part of larger arrays: a plane must not keep a whole superseded ramp."""
        for versions in self._versions.values():
            for n, plane in enumerate(versions):
                if plane.data.base is not None or plane.dq.base is not None:
                    versions[n] = replace(plane, data=plane.data.copy(), dq=plane.dq.copy())

    def before(self, key: Key) -> Plane | None:
        """Return the version before the last one; None if there is no other."""
        versions = self._versions.get(key, [])
        return versions[0] if len(versions) == 2 else None


def _same(a: Plane, b: Plane) -> bool:
    return np.array_equal(a.data, b.data, equal_nan=True) and np.array_equal(a.dq, b.dq)


def difference(now: Plane, before: Plane) -> Plane:
    """Subtract the earlier version; the flags are those that only one of the two has."""
    return Plane(now.data - before.data, now.dq ^ before.dq, now.unit, f"{now.title}: now − before")
