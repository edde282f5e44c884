"""Product files whose arrays are written band by band, so that they never need to be in memory as a whole."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Card, Keyword
from jwcal_interactive.io.atomic import Together
from jwcal_interactive.io.fits_files import without_warnings

__all__ = ["ProductFile", "hdu_bytes", "header_of"]

_BLOCK = 2880  # bytes; FITS standard 4.0, section 3.1
# BITPIX and BZERO by type (sections 4.4.1 and 5.2.5)
_STORED = {
    "u1": (8, 0),
    "i2": (16, 0),
    "u2": (16, 1 << 15),
    "i4": (32, 0),
    "u4": (32, 1 << 31),
    "i8": (64, 0),
    "f4": (-32, 0),
    "f8": (-64, 0),
}


class ProductFile:
    """A FITS file that is being written.

    Parameters
    ----------
    path : Path
        Final name; the file appears there when ``files`` end.
    files : Together
        The files that this one belongs to.
    primary : astropy Header
        With all its keywords; their values can be changed by `close`.

    Raises
    ------
    OutputError
        In all methods, if the system refuses to write.
    """

    def __init__(self, path: Path, files: Together, primary: Any) -> None:
        self.path = path
        self._files = files
        self._temporary = files.reserve(path)
        self._head = _primary_bytes(primary)
        self._end = len(self._head)
        self._places: dict[str, tuple[int, tuple[int, ...], np.dtype[Any]]] = {}
        self._lock = threading.Lock()
        with files.explained(path):
            self._stream = self._temporary.open("wb", buffering=0)
        files.on_exit(self._stream.close)

    def add_array(self, name: str, shape: tuple[int, ...], dtype: Any, header: Any) -> None:
        """Make room for an image extension; its pixels come by `put`."""
        dtype = np.dtype(dtype)
        head = _image_bytes(name, shape, dtype, header)
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

    def close(self, primary: Any) -> None:
        """Write the primary header, and end the file.

        Parameters
        ----------
        primary : astropy Header
            As given before, with other values.
        """
        head = _primary_bytes(primary)
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
    zero = _STORED[array.dtype.str[1:]][1]
    if zero:
        array = array ^ array.dtype.type(zero)
    return np.ascontiguousarray(array, array.dtype.newbyteorder(">")).data


def header_of(cards: Sequence[Card], changes: Mapping[str, Keyword]) -> Any:
    """Header with the cards in their order; changed keywords keep their place, new ones come last."""
    from astropy.io import fits

    header = fits.Header()
    for card in cards:
        change = changes.get(card.keyword)
        header.append((card.keyword, change.value if change else card.value, card.comment), end=True)
    present = {card.keyword for card in cards}
    for keyword, change in changes.items():
        if keyword not in present:
            header.append((keyword, change.value, change.comment), end=True)
    return header


def _primary_bytes(header: Any) -> bytes:
    from astropy.io import fits

    with without_warnings():
        hdu = fits.PrimaryHDU(header=header)
        hdu.header.set("EXTEND", True, after="NAXIS")
        hdu.verify("silentfix")
        return bytes(hdu.header.tostring(), "ascii")


def _image_bytes(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], header: Any) -> bytes:
    from astropy.io import fits

    bitpix, zero = _STORED[dtype.str[1:]]
    with without_warnings():
        # A tiny image of the same kind gets the structural keywords from astropy.
        stored = np.zeros((1,) * len(shape), dtype.str[1:].replace("u", "i") if zero else dtype)
        hdu = fits.ImageHDU(stored, header, name=name, ver=1)
        hdu.verify("silentfix")
        for axis, size in enumerate(reversed(shape), start=1):
            hdu.header[f"NAXIS{axis}"] = size
        if zero:
            hdu.header.set("BSCALE", 1, after="GCOUNT")
            hdu.header.set("BZERO", zero, after="BSCALE")
        assert hdu.header["BITPIX"] == bitpix
        return bytes(hdu.header.tostring(), "ascii")


def hdu_bytes(hdu: Any) -> bytes:
    """Bytes of an astropy HDU."""
    stream = io.BytesIO()
    with without_warnings():
        hdu.writeto(stream, output_verify="silentfix")
    content = stream.getvalue()
    # astropy puts an empty primary HDU before an extension
    return content[content.index(b"XTENSION") :]
