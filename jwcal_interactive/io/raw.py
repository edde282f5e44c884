"""Reading exposures: level-1b files and ramp products."""

from __future__ import annotations

import dataclasses
import gzip
import zlib
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, ExtraHDU, Ramp, as_whole_number
from jwcal_interactive.errors import InputError, one_line
from jwcal_interactive.instruments import GUIDER_EXP_TYPES, unsupported_readout
from jwcal_interactive.io.fits_files import open_fits, without_warnings
from jwcal_interactive.io.headers import cards_of, exposure_from_cards
from jwcal_interactive.io.metadata_tree import read_metadata

__all__ = ["read_arrays", "read_exposure", "read_ramp"]

# Extensions of a level-1b or ramp file that become arrays of a `Ramp`; all other tables are carried along.
_RAMP_HDUS = frozenset({"SCI", "PIXELDQ", "GROUPDQ", "ZEROFRAME", "AVDRKCUR", "DQ", "ERR", "ASDF"})


def read_exposure(path: str | Path) -> Exposure:
    """Read and check only the headers of an exposure.

    Raises
    ------
    InputError
        As `read_ramp`.
    """
    with _Opened(Path(path)) as opened:
        return opened.exposure


def read_ramp(path: str | Path) -> Ramp:
    """Read a raw exposure (level 1b, ``_uncal``) or a ramp product.

    Parameters
    ----------
    path : str or Path
        FITS file; ``.fits.gz`` is accepted.

    Returns
    -------
    Ramp
        Groups in DN as float32; DQ arrays are zero for a level-1b file.

    Raises
    ------
    InputError
        If the file is missing, not FITS, truncated, not a ramp, or its header is incomplete, absurd, or
        disagrees with the array.
    """
    with _Opened(Path(path)) as opened:
        return opened.ramp()


class _Opened:
    """An open FITS file whose structure has been checked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.compressed = self._is_compressed()
        self.stream: BufferedIOBase = gzip.open(path) if self.compressed else path.open("rb")  # noqa: SIM115
        try:
            self._open()
            with without_warnings():
                self.exposure = self._exposure()
        except BaseException:
            self.stream.close()
            raise

    def __enter__(self) -> _Opened:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.hdus.close()
        self.stream.close()

    def _is_compressed(self) -> bool:
        """Check that the file is FITS; whether it is packed by gzip."""
        path = self.path
        if not path.exists():
            raise InputError(f"{path}: no such file. Check the path.")
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give one FITS file of an exposure.")
        try:
            with path.open("rb") as stream:
                start = stream.read(30)
            compressed = start[:2] == b"\x1f\x8b"
            if compressed:
                with gzip.open(path) as stream:
                    start = stream.read(30)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path}: cannot be read ({one_line(error)}).") from None
        if not start.startswith(b"SIMPLE  ="):
            raise InputError(f"{path}: is not a FITS file (it does not begin with SIMPLE).")
        return compressed

    def _open(self) -> None:
        from astropy.io.fits import VerifyError

        try:
            self.hdus = open_fits(self.stream)
        except (OSError, EOFError, ValueError, TypeError, zlib.error, VerifyError) as error:
            raise InputError(
                f"{self.path}: the FITS file is damaged or truncated ({one_line(error)}). Download it again."
            ) from None

    def _exposure(self) -> Exposure:
        path = self.path
        if "SCI" not in self.hdus:
            found = ", ".join(h.name or f"HDU {i}" for i, h in enumerate(self.hdus))
            raise InputError(
                f"{path}: has no SCI extension (found: {found}); a raw exposure has one with axes "
                "(integration, group, y, x)."
            )
        primary, sci = self.hdus[0].header, self.hdus["SCI"].header
        naxis = sci["NAXIS"]
        if naxis != 4:
            what = {2: "like a rate or cal image", 3: "like a rateints or calints cube"}
            model = {c.keyword: c.value for c in cards_of(primary)}.get("DATAMODL", "missing")
            raise InputError(
                f"{path}: SCI has {naxis} axes, {what.get(naxis, 'not a ramp')}"
                f" (DATAMODL = {model!r}); a raw ramp is needed, with 4 axes "
                "(integration, group, y, x), as in an _uncal.fits or _ramp.fits file."
            )
        extra = tuple(
            ExtraHDU(hdu.name, self._content(hdu))
            for hdu in self.hdus[1:]
            if hdu.name not in _RAMP_HDUS and not hdu.is_image
        )
        exposure = exposure_from_cards(
            path, cards_of(primary), cards_of(sci), extra, has_zeroframe="ZEROFRAME" in self.hdus
        )
        shape = tuple(sci[f"NAXIS{n}"] for n in (4, 3, 2, 1))
        if readout := unsupported_readout(exposure, shape[-2:]):
            raise InputError(f"{path}: {readout} is not supported by this version; use the jwst package.")
        if "ASDF" in self.hdus:
            exposure = dataclasses.replace(exposure, meta=read_metadata(path, self.hdus["ASDF"]))
        return self._check_shape(exposure, shape)

    def _content(self, hdu: Any) -> bytes:
        """Header and data units of an extension, unchanged."""
        info = hdu.fileinfo()
        position = self.stream.tell()
        self.stream.seek(info["hdrLoc"])
        content = self.stream.read(info["datLoc"] - info["hdrLoc"] + info["datSpan"])
        self.stream.seek(position)
        return content

    def _check_shape(self, exposure: Exposure, shape: tuple[int, ...]) -> Exposure:
        """Compare the header with the array; NINTS becomes the number in this file (a segment)."""
        first, last = (as_whole_number(exposure.keyword(k)) for k in ("INTSTART", "INTEND"))
        nints = exposure.nints
        where = "NINTS"
        if first is not None and last is not None and last >= first >= 1:
            nints, where = last - first + 1, "INTSTART, INTEND"
        told = {
            where: (nints, shape[0]),
            "NGROUPS": (exposure.ngroups, shape[1]),
            "SUBSIZE2": (exposure.ysize, shape[2]),
            "SUBSIZE1": (exposure.xsize, shape[3]),
        }
        for keyword, (announced, found) in told.items():
            if announced != found and not (
                exposure.exp_type in GUIDER_EXP_TYPES and keyword in ("NINTS", "NGROUPS")
            ):
                raise InputError(
                    f"{self.path}: the header disagrees with the SCI array: {keyword} gives {announced}, "
                    f"the array has shape {shape} (integration, group, y, x), that is {found}. "
                    "Correct the keyword or download the file again."
                )
        return dataclasses.replace(exposure, nints=shape[0], ngroups=shape[1])

    def ramp(self) -> Ramp:
        """Read the arrays."""
        exposure = self.exposure
        shape = (exposure.nints, exposure.ngroups, exposure.ysize, exposure.xsize)
        frame = shape[2:]
        data = self._array("SCI", np.float32, shape)
        assert data is not None
        groupdq = self._array("GROUPDQ", np.uint8, shape)
        dq_hdu = "DQ" if exposure.exp_type in GUIDER_EXP_TYPES else "PIXELDQ"
        pixeldq = self._array(dq_hdu, np.uint32, frame)
        zeroframe = None
        if exposure.zero_frame:
            zeroframe = self._array("ZEROFRAME", np.float32, (shape[0], *frame))
        return Ramp(
            exposure=exposure,
            data=data,
            groupdq=np.zeros(shape, np.uint8) if groupdq is None else groupdq,
            pixeldq=np.zeros(frame, np.uint32) if pixeldq is None else pixeldq,
            zeroframe=zeroframe,
            average_dark_current=self._array("AVDRKCUR", np.float32, frame),
        )

    def _array(self, name: str, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any] | None:
        if name not in self.hdus:
            return None
        hdu = self.hdus[name]
        try:
            array = None if self.compressed else _plain_uint16(self.path, hdu)
            if array is None:
                array = hdu.data
        except (OSError, EOFError, ValueError, TypeError) as error:
            raise InputError(
                f"{self.path}[{name}]: the array cannot be read ({one_line(error)}); the file is damaged."
            ) from None
        if array is None or array.shape != shape:
            found = None if array is None else array.shape
            raise InputError(f"{self.path}[{name}]: the array has shape {found}, expected {shape}.")
        return np.ascontiguousarray(array, dtype=dtype)


def _plain_uint16(path: Path, hdu: Any) -> NDArray[np.uint16] | None:
    """Unsigned 16-bit pixels straight from the file, ten times faster than through scaling; else None.

    FITS stores them as signed big-endian numbers with BZERO = 32768, which is the same bits with the sign
    bit flipped (FITS standard 4.0, section 5.2.5).
    """
    info = hdu.fileinfo()
    header = hdu.header
    stored = header["BITPIX"], header.get("BZERO"), header.get("BSCALE", 1)
    if stored != (16, 32768, 1) or info is None:
        return None
    shape = hdu.shape
    count = int(np.prod(shape))
    raw = np.fromfile(path, ">u2", count=count, offset=info["datLoc"])
    if raw.size != count:
        raise OSError(f"{raw.size} of {count} pixels present")
    native = raw.astype("u2")
    native ^= np.uint16(0x8000)
    return native.reshape(shape)


def read_arrays(path: str | Path) -> dict[str, NDArray[Any]]:
    """All image extensions of a FITS file by name, as they are stored.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    from astropy.io import fits

    try:
        with fits.open(path, memmap=False) as hdus:
            return {h.name: np.array(h.data) for h in hdus if h.is_image and h.data is not None}
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise InputError(f"{path}: cannot be read ({one_line(error)}).") from error
