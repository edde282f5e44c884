"""Reading exposures: level-1b files and ramp products."""

from __future__ import annotations

import dataclasses
import gzip
import zlib
from collections.abc import Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, ExtraHDU, Ramp, as_whole_number
from jwcal_interactive.cutouts import ALL, cut_exposure
from jwcal_interactive.errors import InputError, one_line
from jwcal_interactive.instruments import FULL_SIZE, GUIDER_EXP_TYPES, is_interleaved, unsupported_readout
from jwcal_interactive.io.fits_files import open_fits, without_warnings
from jwcal_interactive.io.headers import cards_of, exposure_from_cards
from jwcal_interactive.io.image_rows import ImageRows
from jwcal_interactive.io.metadata_tree import read_metadata

__all__ = ["RampFile", "open_ramp", "read_arrays", "read_exposure", "read_ramp"]

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
        As `open_ramp`.
    """
    file = open_ramp(path)
    try:
        return file.cut()
    finally:
        file.close()


def open_ramp(path: str | Path) -> RampFile:
    """Open and check a raw exposure or a ramp product, whose arrays are read when they are asked for.

    Raises
    ------
    InputError
        If the file is missing, not FITS, truncated, not a ramp, or its header is incomplete, absurd, or
        disagrees with the array.
    """
    with _Opened(Path(path)) as opened:
        return opened.file()


class RampFile:
    """An exposure on disk that has been opened and checked.

    Attributes
    ----------
    path : Path
    exposure : Exposure
    frame : tuple of int
        Rows and columns (ny, nx) of the arrays.
    """

    def __init__(self, path: Path, exposure: Exposure, arrays: Mapping[str, ImageRows]) -> None:
        self.path, self.exposure = path, exposure
        self.frame = arrays["SCI"].shape[-2:]
        self._arrays = arrays

    @property
    def kept_bytes(self) -> int:
        """Bytes of memory that it takes between two readings."""
        return sum(rows.kept_bytes for rows in self._arrays.values())

    def cut(self, rows: slice = ALL, columns: slice = ALL) -> Ramp:
        """Read rows and columns of all integrations and groups.

        Raises
        ------
        InputError
            If the file cannot be read any more.
        """
        data = self._read("SCI", np.float32, rows, columns)
        assert data is not None
        pixeldq = self._read("PIXELDQ", np.uint32, rows, columns)
        groupdq = self._read("GROUPDQ", np.uint8, rows, columns)
        return Ramp(
            exposure=cut_exposure(self.exposure, self.frame, rows, columns),
            data=data,
            groupdq=np.zeros(data.shape, np.uint8) if groupdq is None else groupdq,
            pixeldq=np.zeros(data.shape[2:], np.uint32) if pixeldq is None else pixeldq,
            zeroframe=self._read("ZEROFRAME", np.float32, rows, columns),
            average_dark_current=self._read("AVDRKCUR", np.float32, rows, columns),
        )

    def brightest_row(self) -> int:
        """Row with the highest value of the first group.

        Raises
        ------
        InputError
            If the file cannot be read any more.
        """
        one = slice(0, 1)
        first = self._read("SCI", np.float32, ALL, ALL, first=one, second=one)
        assert first is not None
        return int(np.argmax(np.nan_to_num(first[0, 0]).max(axis=1)))

    def close(self) -> None:
        """Close the file until it is read again."""
        for rows in self._arrays.values():
            rows.close()

    def _read(
        self, name: str, dtype: Any, rows: slice, columns: slice, first: slice = ALL, second: slice = ALL
    ) -> NDArray[Any] | None:
        if name not in self._arrays:
            return None
        try:
            return self._arrays[name].read(dtype, rows, columns, first, second=second)
        except (OSError, ValueError) as error:
            raise _unreadable(self.path, name, error) from None


def _unreadable(path: Path, name: str, error: Exception) -> InputError:
    return InputError(f"{path}[{name}]: the array cannot be read ({one_line(error)}); the file is damaged.")


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
        """Compare the header with the array; NINTS becomes the number in this file (a segment).

        The subarray of an interleaved frame is that of its normal pixels.
        """
        first, last = (as_whole_number(exposure.keyword(k)) for k in ("INTSTART", "INTEND"))
        nints = exposure.nints
        where = "NINTS"
        if first is not None and last is not None and last >= first >= 1:
            nints, where = last - first + 1, "INTSTART, INTEND"
        if is_interleaved(shape) and exposure.ysize == shape[2]:
            exposure = dataclasses.replace(exposure, ysize=FULL_SIZE)
        told = {
            where: (nints, shape[0]),
            "NGROUPS": (exposure.ngroups, shape[1]),
            "SUBSIZE2": (exposure.ysize, FULL_SIZE if is_interleaved(shape) else shape[2]),
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

    def file(self) -> RampFile:
        """Find the arrays and check their shapes."""
        exposure = self.exposure
        shape = tuple(self.hdus["SCI"].shape)
        frame = shape[2:]
        shapes = {"SCI": shape, "GROUPDQ": shape, "PIXELDQ": frame, "AVDRKCUR": frame}
        if exposure.zero_frame:
            shapes["ZEROFRAME"] = (shape[0], *frame)
        stored = {name: name for name in shapes}
        if exposure.exp_type in GUIDER_EXP_TYPES:
            stored["PIXELDQ"] = "DQ"
        arrays = {}
        for name, wanted in shapes.items():
            if (extension := stored[name]) not in self.hdus:
                continue
            hdu = self.hdus[extension]
            try:
                arrays[name] = ImageRows(self.path, hdu, compressed=self.compressed)
            except (OSError, EOFError, ValueError, TypeError) as error:
                raise _unreadable(self.path, extension, error) from None
            if arrays[name].shape != wanted:
                raise InputError(
                    f"{self.path}[{extension}]: the array has shape {arrays[name].shape}, expected {wanted}."
                )
        return RampFile(self.path, exposure, arrays)


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
