"""Curves around regions, for pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.jump_regions import find_regions

__all__ = ["ellipses", "large_regions"]

F64 = NDArray[np.float64]

_POINTS = 24
_SMALLEST = 12.0  # pixels; smaller ones would not be seen


def ellipses(x: F64, y: F64, major: F64, minor: F64, angle: F64) -> F64:
    """Outlines of ellipses.

    Parameters
    ----------
    x, y : float64 (n,)
        Centres, pixels.
    major, minor : float64 (n,)
        Semi-axes, pixels.
    angle : float64 (n,)
        From +y towards +x, degrees.

    Returns
    -------
    float64 (n, 2, npoints)
    """
    turn = np.linspace(0.0, 2.0 * np.pi, _POINTS)
    along, across = major[:, None] * np.cos(turn), minor[:, None] * np.sin(turn)
    sin, cos = np.sin(np.radians(angle))[:, None], np.cos(np.radians(angle))[:, None]
    return np.stack([x[:, None] + along * sin + across * cos, y[:, None] + along * cos - across * sin], axis=1)


def large_regions(groupdq: NDArray[np.uint8], smallest: float) -> F64:
    """Circles around regions of connected new jumps in a group, drawn large enough to be seen.

    Parameters
    ----------
    groupdq : uint8 (nints, ngroups, ny, nx)
    smallest : float
        Semi-axis, pixels, that a region has at least in all directions.

    Returns
    -------
    float64 (n, 2, npoints)
        Of each region and group.
    """
    found = [np.zeros((0, 3))]
    for integration in groupdq:
        for k in range(1, len(integration)):
            regions = find_regions(integration[k], DQ.JUMP_DET, np.pi * smallest**2, integration[k - 1])
            regions = regions.chosen(regions.semi_axes[0] >= smallest)
            if len(regions):
                found.append(np.stack([regions.x, regions.y, np.asarray(regions.semi_axes[1])], axis=1))
    x, y, radius = np.concatenate(found).T
    radius = np.maximum(radius * 1.3, _SMALLEST * groupdq.shape[-1] / 1024)
    return ellipses(x, y, radius, radius, np.zeros_like(x))
