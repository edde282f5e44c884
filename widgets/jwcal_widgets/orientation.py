"""How the image lies: on the detector, and on the sky."""

from __future__ import annotations

from jwcal_interactive.arrays import Exposure
from jwcal_widgets.sky import SkyFrame

__all__ = ["orientation_text"]

_DIRECTIONS = {1: "+x →", -1: "−x ←", 2: "+y ↑", -2: "−y ↓"}


def orientation_text(exposure: Exposure, sky: SkyFrame | None) -> str:
    """Describe the directions of the read-out, and north where it is known.

    The image has the axes of the file: the science frame, first pixel at the lower left.
    """
    text = (
        f"science axes of the file; read-out of {exposure.detector}: fast towards "
        f"{_DIRECTIONS[exposure.fastaxis]}, slow towards {_DIRECTIONS[exposure.slowaxis]}"
    )
    if sky is None:
        return text
    turn = sky.north
    side = "−x" if turn >= 0 else "+x"
    return f"{text}; north {abs(turn):.0f}° from +y towards {side}"
