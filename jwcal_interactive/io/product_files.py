"""Product files whose arrays are written band by band, so that they never need to be in memory as a whole."""

from __future__ import annotations

import errno
import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Card
from jwcal_interactive.io.atomic import Together
from jwcal_interactive.io.fits_files import without_warnings
from jwcal_interactive.io.header_text import STORED, image_header, primary_header

__all__ = ["ProductFile", "table_bytes"]

_BLOCK = 2880  # bytes; FITS standard 4.0, section 3.1


class ProductFile:
    """A FITS file that is being written.

    Parameters
    ----------
    path : Path
        Final name; the file appears there when ``files`` end.
    files : Together
        The files that this one belongs to.
    primary : sequence of Card
        With all its keywords; their values can be changed by `close`.

    Raises
    ------
    OutputError
        In all methods, if the system refuses to write.
    """

    def __init__(self, path: Path, files: Together, primary: Sequence[Card]) -> None:
        self.path = path
        self._files = files
        self._temporary = files.reserve(path)
        self._head = primary_header(primary)
        self._end = len(self._head)
        self._places: dict[str, tuple[int, tuple[int, ...], np.dtype[Any]]] = {}
        self._lock = threading.Lock()
        with files.explained(path):
            self._stream = self._temporary.open("wb", buffering=0)
        files.on_exit(self._stream.close)

    def add_array(self, name: str, shape: tuple[int, ...], dtype: Any, cards: Sequence[Card] = ()) -> None:
        """Make room for an image extension; its pixels come by `put`."""
        dtype = np.dtype(dtype)
        head = image_header(name, shape, dtype, cards)
        self._write(head, self._end)
        start = self._end + len(head)
        self._places[name] = (start, shape, dtype)
        count = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        self._end = start + -(-count // _BLOCK) * _BLOCK

    def add_hdu(self, content: bytes) -> None:
        """Append a whole HDU, as it stands."""
        self._write(content, self._end)
        self._end += len(content)

    def put(self, name: str, array: NDArray[Any], y0: int = 0) -> None:
        """Write rows from ``y0`` on of an array (…, rows, nx); from any thread."""
        start, shape, dtype = self._places[name]
        if array.shape[:-2] != shape[:-2] or array.shape[-1:] != shape[-1:] or array.dtype != dtype:
            raise ValueError(f"{name}: {array.dtype} {array.shape} does not go into {dtype} {shape}")
        row = shape[-1] * dtype.itemsize
        planes = array.reshape(-1, *array.shape[-2:]) if array.ndim > 1 else array[None, None]
        ny = shape[-2] if len(shape) > 1 else 1
        for number, plane in enumerate(planes):
            self._write(_stored_bytes(plane), start + (number * ny + y0) * row)

    def reserve(self) -> None:
        """Take the space on the disk for all that was added: there is enough, or an error before any work.

        A file whose space is taken replaces another one at once; else the system writes it out first.
        """
        if not hasattr(os, "posix_fallocate"):  # macOS, Windows
            return
        try:
            os.posix_fallocate(self._stream.fileno(), 0, self._end)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # what file systems without it say
                with self._files.explained(self.path):
                    raise

    def close(self, primary: Sequence[Card]) -> None:
        """Write the primary header, and end the file.

        Parameters
        ----------
        primary : sequence of Card
            As given before, with other values.
        """
        head = primary_header(primary)
        if len(head) > len(self._head):
            raise ValueError(f"{self.path}: the primary header has outgrown its place")
        if len(head) < len(self._head):  # blank cards before END keep the place (FITS standard 4.4.2.4)
            head = head.rstrip(b" ").removesuffix(b"END").ljust(len(self._head) - 80) + b"END".ljust(80)
        self._write(head, 0)
        with self._files.explained(self.path):
            self._stream.truncate(self._end)
            self._stream.close()

    def _write(self, content: bytes | memoryview, offset: int) -> None:
        view = memoryview(content).cast("B")
        with self._files.explained(self.path):
            while view:
                if hasattr(os, "pwrite"):
                    written = os.pwrite(self._stream.fileno(), view, offset)
                else:  # Windows
                    with self._lock:
                        self._stream.seek(offset)
                        written = self._stream.write(view) or 0
                view, offset = view[written:], offset + written


def _stored_bytes(array: NDArray[Any]) -> memoryview:
    """Pixels as FITS stores them: big-endian, unsigned ones with an offset (the sign bit flipped)."""
    zero = STORED[array.dtype.str[1:]][1]
    if zero:
        array = array ^ array.dtype.type(zero)
    return np.ascontiguousarray(array, array.dtype.newbyteorder(">")).data


def table_bytes(name: str, table: NDArray[np.void]) -> bytes:
    """Bytes of a table extension."""
    from astropy.io import fits

    stream = io.BytesIO()
    with without_warnings():
        fits.BinTableHDU(table, name=name).writeto(stream, output_verify="silentfix")
    content = stream.getvalue()
    # astropy puts an empty primary HDU before an extension
    return content[content.index(b"XTENSION") :]
