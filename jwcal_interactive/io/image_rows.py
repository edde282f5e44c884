"""Rows of FITS images, read when they are needed: a part of an array costs only its own memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["ImageRows"]

# Big-endian types of FITS by BITPIX (FITS standard 4.0, table 8).
_STORED = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
# BZERO of unsigned types (table 11): the numbers are stored with this offset.
_UNSIGNED = {16: 2**15, 32: 2**31}
# Bytes read at once: they stay in the processor's cache until they are decoded.
_PIECE = 1 << 19


def _never_stop() -> None:
    """For callers that read to the end."""


class ImageRows:
    """The array of an image HDU with axes (…, y, x), of which any rows and columns can be read.

    Plain images are read from the file by position, from any thread. Images that are scaled, packed or in a
    compressed file are decoded whole by astropy when they are first asked for, and kept.

    Parameters
    ----------
    path : Path
        The file.
    hdu : astropy image HDU
        Its header is read; its data only if they have to be decoded.
    compressed : bool
        The file is packed by gzip.

    Attributes
    ----------
    shape : tuple of int
    """

    def __init__(self, path: Path, hdu: Any, *, compressed: bool = False) -> None:
        header, info = hdu.header, hdu.fileinfo()
        self.shape: tuple[int, ...] = tuple(hdu.shape)
        self._path = path
        self._array: NDArray[Any] | None = None
        self._file: int | None = None
        self._opening = threading.Lock()
        bitpix, zero = header["BITPIX"], header.get("BZERO", 0)
        known_zero = zero in (0, _UNSIGNED.get(bitpix))
        packed = type(hdu).__name__.startswith("Comp") or info is None or compressed
        self._plain = not packed and known_zero and header.get("BSCALE", 1) == 1 and len(self.shape) >= 2
        if self._plain:
            self._stored, self._zero, self._start = np.dtype(_STORED[bitpix]), int(zero), info["datLoc"]
        else:
            self._array = np.asarray(hdu.data)

    @property
    def kept_bytes(self) -> int:
        """Bytes of memory that it takes between two readings."""
        return 0 if self._array is None else self._array.nbytes

    def close(self) -> None:
        """Close the file; reading opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.close()

    def read(
        self,
        dtype: DTypeLike,
        rows: slice = slice(None),
        columns: slice = slice(None),
        first: slice = slice(None),
        check: Callable[[], None] = _never_stop,
        *,
        second: slice = slice(None),
    ) -> NDArray[Any]:
        """Read a part as a new C-contiguous array of native byte order.

        Parameters
        ----------
        dtype : dtype
            Of the result; unsigned numbers that FITS stores with an offset come out as they are meant.
        rows, columns : slice
            Of the last two axes; contiguous.
        first, second : slice
            Of the first axis where there are more than two, and of the second where there are more than three;
            contiguous.
        check : callable
            Called before each plane; raises to stop reading.

        Raises
        ------
        OSError
            If the file has become shorter or unreadable.
        """
        *leading, ny, nx = self.shape
        y0, y1, _ = rows.indices(ny)
        x0, x1, _ = columns.indices(nx)
        parts = (first, second)[: len(leading)] + (slice(None),) * (len(leading) - 2)
        planes = np.arange(int(np.prod(leading, dtype=np.int64))).reshape(leading)[parts]
        out = np.empty((*planes.shape, max(y1 - y0, 0), max(x1 - x0, 0)), dtype)
        if self._array is not None:
            out[...] = self._array[(*parts, rows, columns)]
            return out
        step = min(max(_PIECE // max(nx * self._stored.itemsize, 1), 1), max(y1 - y0, 1))
        piece = np.empty((step, nx), self._stored)
        flat = out.reshape(-1, *out.shape[-2:])
        for number, plane in zip(planes.flat, flat, strict=True):
            check()
            for y in range(y0, y1, step):
                stop = min(y + step, y1)
                rows_here = piece[: stop - y]
                self._read_into(rows_here, (int(number) * ny + y) * nx)
                self._decode(rows_here[:, x0:x1], plane[y - y0 : stop - y0])
        return out

    def _read_into(self, array: NDArray[Any], place: int) -> None:
        """Fill a contiguous array of the stored type with values from a place in the image on."""
        content = memoryview(array.reshape(-1).view(np.uint8).data)
        if self._bytes_into(content, self._start + place * array.itemsize) != len(content):
            raise OSError(f"{self._path}: the file ends within an array")

    def _bytes_into(self, content: memoryview, offset: int) -> int:
        if not hasattr(os, "preadv"):  # Windows, macOS: a position of its own for every reading
            with self._path.open("rb") as stream:
                stream.seek(offset)
                return stream.readinto(content)
        with self._opening:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDONLY)
        return os.preadv(self._file, [content], offset)

    def _decode(self, stored: NDArray[Any], out: NDArray[Any]) -> None:
        """Turn bytes as they are in the file into numbers; both are in the processor's cache."""
        if not self._zero:
            out[...] = stored
        elif self._stored.itemsize == 2 and out.dtype.kind == "f":
            # By way of native integers, twice as fast; exact, as is the sum: 16 bits fit in any float.
            out[...] = stored.astype(self._stored.newbyteorder("="))
            out += out.dtype.type(self._zero)
        else:
            # The offset is the same bits with the sign bit flipped (FITS standard 4.0, section 5.2.5).
            unsigned = np.dtype(f"u{self._stored.itemsize}")
            out[...] = stored.astype(self._stored.newbyteorder("=")).view(unsigned) ^ unsigned.type(self._zero)
