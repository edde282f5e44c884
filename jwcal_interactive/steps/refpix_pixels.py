"""The reference pixels of a near-infrared exposure, put together from the parts of the frame that hold them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U32, Exposure, Ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.instruments import FULL_SIZE
from jwcal_interactive.steps.definition import Look
from jwcal_interactive.steps.readout import REFERENCE_WIDTH
from jwcal_interactive.tiles import Tiles

__all__ = ["EDGELESS_SUBARRAYS", "ReferencePixels", "border", "gather_border", "gather_flagged"]

EDGELESS_SUBARRAYS = frozenset({"SUB512", "SUB512S", "SUB32"})
"""NIRSpec subarrays that reach no detector edge: their first and last columns serve instead."""


@dataclass(frozen=True, eq=False)
class ReferencePixels:
    """Values of some pixels of a frame in all groups.

    Attributes
    ----------
    exposure : Exposure
    index : int64 (n,)
        Places of the pixels in the frame, counted along rows.
    data : float32 (nints, ngroups, n)
        DN.
    zeroframe : float32 (nints, 1, n) or None
    pixeldq : uint32 (ny, nx)
        Flags of these pixels; 0 elsewhere.
    """

    exposure: Exposure
    index: NDArray[np.int64]
    data: F32
    zeroframe: F32 | None
    pixeldq: U32
    _scratch: threading.local = field(default_factory=threading.local)

    def plane(self, values: F32) -> F32:
        """Put values (n,) into a frame (ny, nx), 0 elsewhere; valid until the next call from this thread."""
        plane: F32 | None = getattr(self._scratch, "plane", None)
        if plane is None:
            plane = self._scratch.plane = np.zeros(self.pixeldq.shape, np.float32)
        plane.reshape(-1)[self.index] = values
        return plane


def border(start: int, size: int) -> tuple[slice, slice]:
    """Slice out the reference pixels at the low and high end of an axis that begins at ``start``, from 0."""
    low = min(max(REFERENCE_WIDTH - start, 0), size)
    return slice(0, low), slice(max(FULL_SIZE - REFERENCE_WIDTH - start, low), size)


def gather_border(look: Look, tiles: Tiles) -> ReferencePixels:
    """Take the pixels within 4 of the detector's edges."""
    ny, nx = look.frame
    bottom, top = border(look.exposure.ystart - 1, ny)
    left, right = border(look.exposure.xstart - 1, nx)
    inner = slice(bottom.stop, top.start)
    windows = [(rows, slice(0, nx)) for rows in (bottom, top)]
    windows += [(inner, columns) for columns in (left, right)]
    windows = [(r, c) for r, c in windows if r.stop > r.start and c.stop > c.start]
    pieces: dict[int, _Piece] = {}

    def take(start: int, stop: int) -> None:
        for number in range(start, stop):
            rows, columns = windows[number]
            part = look(rows, columns)
            everything = np.ones(part.pixeldq.shape, np.bool_)
            pieces[number] = _piece(part, rows.start, columns.start, nx, everything)

    replace(tiles, band_rows=1).over_rows(len(windows), take)
    return _joined(look, [pieces[number] for number in sorted(pieces)])


def gather_flagged(look: Look, tiles: Tiles) -> ReferencePixels:
    """Take the pixels flagged as reference pixels, wherever they are."""
    ny, nx = look.frame
    edgeless = look.exposure.instrument == "NIRSPEC" and look.exposure.subarray in EDGELESS_SUBARRAYS
    pieces: dict[int, _Piece] = {}

    def take(y0: int, y1: int) -> None:
        part = look(slice(y0, y1), slice(0, nx))
        wanted = part.pixeldq & np.uint32(DQ.REFERENCE_PIXEL) != 0
        if edgeless:
            wanted[:, :REFERENCE_WIDTH] = wanted[:, -REFERENCE_WIDTH:] = True
        pieces[y0] = _piece(part, y0, 0, nx, wanted)

    tiles.over_rows(ny, take)
    return _joined(look, [pieces[y0] for y0 in sorted(pieces)])


_Piece = tuple[NDArray[np.int64], F32, F32 | None, U32]


def _piece(part: Ramp, y0: int, x0: int, nx: int, wanted: NDArray[np.bool_]) -> _Piece:
    y, x = np.nonzero(wanted)
    zero = None if part.zeroframe is None else part.zeroframe[:, None, y, x]
    return (y + y0) * nx + x + x0, part.data[..., y, x], zero, part.pixeldq[y, x]


def _joined(look: Look, pieces: list[_Piece]) -> ReferencePixels:
    exposure = look.exposure
    pixeldq = np.zeros(look.frame, np.uint32)
    if not pieces:
        none = np.empty((exposure.nints, exposure.ngroups, 0), np.float32)
        return ReferencePixels(exposure, np.empty(0, np.int64), none, None, pixeldq)
    index = np.concatenate([piece[0] for piece in pieces])
    data = np.concatenate([piece[1] for piece in pieces], axis=-1)
    zeros = [piece[2] for piece in pieces if piece[2] is not None]
    zeroframe = np.concatenate(zeros, axis=-1) if zeros else None
    pixeldq.reshape(-1)[index] = np.concatenate([piece[3] for piece in pieces])
    return ReferencePixels(exposure, index, data, zeroframe, pixeldq)
