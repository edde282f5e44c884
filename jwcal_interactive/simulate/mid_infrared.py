"""Effects of MIRI's detectors that depend on the frame and on the integrations before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.simulate.detectors import MidInfrared
from jwcal_interactive.simulate.pixels import PixelMaps

__all__ = ["INTEGRATIONS", "dark_settling", "memory", "reset_anomaly"]

INTEGRATIONS = 2
"""Integrations that differ: the first, and all later ones."""

Image = NDArray[np.float32]


def _of(values: tuple[float, float], integration: int) -> float:
    return values[min(integration, INTEGRATIONS - 1)]


def reset_anomaly(effects: MidInfrared, maps: PixelMaps, integration: int, frame: int) -> Image:
    """Signal that the reset leaves in a frame, DN; each pixel has a share of its own, shape (ny, nx)."""
    left = max(1 - frame / effects.reset_frames, 0.0) ** 2
    return maps.linearity * np.float32(_of(effects.reset_anomaly, integration) * left)


def dark_settling(effects: MidInfrared, maps: PixelMaps, integration: int, frame: int) -> Image:
    """Signal of the dark beside its constant rate, linear DN, shape (ny, nx); reference pixels have none."""
    rise = min((frame + 1) / effects.settling_frames, 1.0)
    return np.where(maps.reference, np.float32(0), np.float32(_of(effects.dark_settling, integration) * rise))


def memory(effects: MidInfrared, signal_before: Image, frame: int) -> Image:
    """Signal that the integration before takes from a frame, DN, shape (ny, nx)."""
    return signal_before * np.float32(effects.rscd * np.exp(-frame / effects.rscd_frames))
