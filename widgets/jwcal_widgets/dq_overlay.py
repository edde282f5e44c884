"""Data-quality flags as a coloured layer: colours, counts, a palette PNG of the chosen flags."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ

__all__ = ["FLAG_COLORS", "color_of", "count_flags", "encode_overlay", "overlay"]

_NAMED: dict[DQ, str] = {
    DQ.DO_NOT_USE: "#e5484d",
    DQ.SATURATED: "#ff9f1c",
    DQ.JUMP_DET: "#12b5e5",
    DQ.CHARGELOSS: "#c77dff",
    DQ.REFERENCE_PIXEL: "#7d8fa9",
    DQ.NON_SCIENCE: "#9aa05b",
    DQ.DEAD: "#f06595",
    DQ.HOT: "#ffd43b",
    DQ.WARM: "#e8a33d",
    DQ.PERSISTENCE: "#20c997",
}
_OTHERS = ("#4dabf7", "#69db7c", "#da77f2", "#a9e34b", "#ff8787", "#3bc9db", "#b197fc", "#f783ac")
FLAG_COLORS: Mapping[DQ, str] = {
    flag: _NAMED.get(flag, _OTHERS[index % len(_OTHERS)]) for index, flag in enumerate(DQ)
}
OPACITY = 215


def color_of(flag: DQ) -> str:
    """Colour of a flag as ``#rrggbb``."""
    return FLAG_COLORS[flag]


def count_flags(dq: NDArray[np.uint32]) -> dict[DQ, int]:
    """Count the pixels that carry each flag; flags that do not occur are left out.

    Parameters
    ----------
    dq : uint32 (ny, nx)
    """
    flagged = dq[dq != 0]
    present = int(np.bitwise_or.reduce(flagged)) if flagged.size else 0
    return {flag: int(np.count_nonzero(flagged & np.uint32(flag))) for flag in DQ if present & flag}


def overlay(dq: NDArray[np.uint32], flags: Sequence[DQ]) -> NDArray[np.uint8]:
    """Paint flags into an image of palette numbers.

    Parameters
    ----------
    dq : uint32 (ny, nx)
    flags : sequence of DQ
        Later ones cover earlier ones: put the rarest last.

    Returns
    -------
    uint8 (ny, nx)
        0 where none of the flags is set, otherwise 1 + the place of the flag in `flags`.
    """
    image = np.zeros(dq.shape, np.uint8)
    for number, flag in enumerate(flags, start=1):
        image[(dq & np.uint32(flag)) != 0] = number
    return image


def encode_overlay(image: NDArray[np.uint8], flags: Sequence[DQ]) -> bytes:
    """Encode the result of `overlay` as a PNG that is transparent where no flag is set.

    The first row is put at the bottom.
    """
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image[::-1])).convert("P")
    palette = [0, 0, 0]
    for flag in flags:
        palette += list(bytes.fromhex(color_of(flag)[1:]))
    picture.putpalette(palette)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1, transparency=bytes([0] + [OPACITY] * len(flags)))
    return buffer.getvalue()
