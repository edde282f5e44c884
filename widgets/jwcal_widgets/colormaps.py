"""Colour maps, each a list of evenly spaced anchor colours joined by straight lines in RGB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLORMAPS", "DIVERGING", "INVALID_COLOR", "color_ramp"]

# Sampled from the public-domain (CC0) maps of the same name by van der Walt, Smith, Nuñez et al.;
# "coolwarm" from Moreland (2009).
COLORMAPS: dict[str, str] = {
    "gray": "000000 ffffff",
    "gray reversed": "ffffff 000000",
    "viridis": "440154 472c7a 3b518b 2c718e 21908d 27ad81 5cc863 aadc32 fde725",
    "magma": "000004 1c1044 4f127b 812581 b5367a e55064 fb8761 fec287 fcfdbf",
    "inferno": "000004 1f0c48 550f6d 88226a ba3655 e35933 f98c0a f9c932 fcffa4",
    "cividis": "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838",
    "coolwarm": "3b4cc0 6788ee 9abbff c9d7f0 edd1c2 f7a889 e26952 b40426",
}
DIVERGING = "coolwarm"
INVALID_COLOR = (96, 60, 110)


def color_ramp(name: str, fraction: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Colours of a map at fractions 0 to 1.

    Returns
    -------
    uint8 (n, 3)
    """
    anchors = np.array([list(bytes.fromhex(color)) for color in COLORMAPS[name].split()], float)
    at = np.linspace(0.0, 1.0, len(anchors))
    channels = [np.interp(fraction, at, anchors[:, channel]) for channel in range(3)]
    colors: NDArray[np.uint8] = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return colors
