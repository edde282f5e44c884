"""Reading files that parameters name: masks and images that the user made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Reference
from jwcal_interactive.errors import InputError, one_line
from jwcal_interactive.io.earlier import exposure_files
from jwcal_interactive.io.fits_files import open_fits, without_warnings
from jwcal_interactive.io.headers import cards_of

__all__ = ["existing_file", "is_new", "native_table", "read_tree", "read_user_file"]

# Extensions that hold the image where several could, in order of preference.
_IMAGES = ("SCI", "DQ", "PRIMARY")


def is_new(path: str | Path, kind: str) -> bool:
    """Whether a file of this kind (`ParamInfo.file`) need not exist, and does not."""
    return kind == "tree" and not Path(path).exists()


def existing_file(path: str | Path, parameter: str, kind: str = "image") -> Path:
    """Path of a file that a parameter names.

    Raises
    ------
    InputError
        If there is no such file (of exposures: file or folder), unless it may be new; names the parameter.
    """
    found = Path(path)
    if kind == "exposures":
        exposure_files(str(path), parameter)
    elif not found.is_file() and not is_new(path, kind):
        raise InputError(
            f"{parameter} = {str(path)!r}: no such file. Check the path, or leave the parameter out."
        )
    return found


def native_table(records: Any) -> NDArray[np.void]:
    """Structured array in native byte order with the columns of a FITS table, scaled (TSCAL, TZERO)."""
    columns = {name: np.asarray(records[name]) for name in records.dtype.names}
    kinds = [(name, c.dtype.newbyteorder("="), c.shape[1:]) for name, c in columns.items()]
    table: NDArray[np.void] = np.empty(len(records), np.dtype(kinds))
    for name, column in columns.items():
        table[name] = column
    return table


def read_user_file(path: str | Path, parameter: str) -> Reference:
    """Read all images and tables of a FITS file.

    Parameters
    ----------
    path : str or Path
    parameter : str
        ``step.parameter``, for messages.

    Returns
    -------
    Reference
        ``data`` is the image SCI or DQ or of the primary HDU, else the first image. Arrays have native byte
        order and the type they have in the file. Extensions without a name are called ``HDU1``, ``HDU2``…

    Raises
    ------
    InputError
        If the file is missing, is not FITS, or has no image.
    """
    from astropy.io.fits import VerifyError

    found = existing_file(path, parameter)
    arrays: dict[str, NDArray[Any]] = {}
    tables: dict[str, NDArray[np.void]] = {}
    try:
        with found.open("rb") as stream, open_fits(stream) as hdus, without_warnings():
            for index, hdu in enumerate(hdus):
                name = hdu.name.upper() or f"HDU{index}"
                if hdu.header["NAXIS"] == 0 or hdu.data is None:
                    continue
                if hdu.is_image:
                    arrays.setdefault(name, hdu.data.astype(hdu.data.dtype.newbyteorder("="), copy=True))
                elif name != "ASDF":
                    tables.setdefault(name, native_table(hdu.data))
            cards = [*cards_of(hdus[0].header), *(c for h in hdus[1:2] for c in cards_of(h.header))]
    except (OSError, EOFError, ValueError, TypeError, KeyError, VerifyError) as error:
        raise InputError(
            f"{parameter} = {str(path)!r}: cannot be read as a FITS file ({one_line(error)}). "
            "Give another file."
        ) from error
    chosen = next((name for name in (*_IMAGES, *arrays) if name in arrays), None)
    if chosen is None:
        raise InputError(f"{parameter} = {str(path)!r}: there is no image in this file. Give another file.")
    return Reference(
        reftype=parameter.rpartition(".")[2],
        name=found.name,
        data=arrays[chosen],
        arrays=arrays,
        tables=tables,
        keywords={c.keyword: c.value for c in reversed(cards) if c.value is not None},
    )


def read_tree(path: str | Path, parameter: str) -> Reference:
    """Read an ASDF file as nested mappings with numbers, texts and arrays.

    Raises
    ------
    InputError
        If the file is missing or is not ASDF.
    """
    import asdf
    import yaml

    found = existing_file(path, parameter)
    try:
        with asdf.open(found, memmap=False, lazy_load=False) as file:
            tree = {
                str(name): node for name, node in file.tree.items() if name not in ("asdf_library", "history")
            }
    except (OSError, EOFError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise InputError(
            f"{parameter} = {str(path)!r}: cannot be read as an ASDF file ({one_line(error)}). Give another "
            "file."
        ) from error
    none = np.empty((0, 0), np.float32)
    return Reference(reftype=parameter.rpartition(".")[2], name=found.name, data=none, tree=tree)
