"""Reading reference files: arrays cut to the exposure's subarray, flags in the standard bits."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Reference, Value, as_whole_number
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ReferenceError, one_line
from jwcal_interactive.instruments import FULL_SIZE, full_frame, is_interleaved
from jwcal_interactive.io.fits_files import open_fits, without_warnings
from jwcal_interactive.io.headers import cards_of
from jwcal_interactive.io.image_rows import ImageRows
from jwcal_interactive.io.metadata_tree import tree_of_text
from jwcal_interactive.io.user_files import native_table

__all__ = ["ParameterFile", "ReferenceFile", "open_reference", "read_parameters", "read_reference"]

# Extension of the primary array where it is not SCI.
_PRIMARY_ARRAY = {"mask": "DQ", "linearity": "COEFFS"}
# Further arrays that steps use.
_MORE_ARRAYS = {"linearity": ("INV_COEFFS",), "dark": ("AVDRKCUR",), "flat": ("ERR",)}
# Types that have tables instead of images.
_TABLE_TYPES = frozenset({"refpix", "rscd"})
# Axes of the primary array: (…, y, x). Types that are not named here are images.
_AXES = {"linearity": (3,), "dark": (3, 4), "reset": (4,), "ipc": (2, 4)}
# References that are not cut for stacks of guider strips, which come from all over the detector.
_WHOLE_FOR_STACKS = frozenset({"gain", "readnoise", "flat"})


def _never_stop() -> None:
    """For callers that read to the end."""


@dataclass(frozen=True)
class _Part:
    """An array of a reference file, with what to read of it."""

    rows: ImageRows
    dtype: Any
    window: tuple[slice, slice] | None  # rows and columns that the exposure covers; None for all
    cuttable: bool  # whether it has the exposure's rows and columns at all
    groups: int | None = None  # first ones of the axis before rows; None for all

    def read(self, rows: slice, columns: slice, check: Callable[[], None]) -> NDArray[Any]:
        if not self.cuttable:
            rows = columns = slice(None)
        if self.window is not None:
            rows, columns = (_within(w, part) for w, part in zip(self.window, (rows, columns), strict=True))
        groups = slice(self.groups)
        if len(self.rows.shape) > 3:
            return self.rows.read(self.dtype, rows, columns, check=check, second=groups)
        return self.rows.read(self.dtype, rows, columns, groups, check)


def _within(window: slice, part: slice) -> slice:
    """Part of the exposure, on an axis of the reference."""
    start, stop, _ = part.indices(window.stop - window.start)
    return slice(window.start + start, window.start + stop)


class ReferenceFile:
    """A reference file that has been opened and checked; its arrays are read when they are asked for.

    Attributes
    ----------
    reftype, name, keywords
        As of a `Reference`.
    """

    def __init__(
        self,
        path: Path,
        reftype: str,
        keywords: dict[str, Value],
        parts: Mapping[str, _Part],
        flags: Mapping[int, int] | None = None,
        whole: Reference | None = None,
    ) -> None:
        self.reftype, self.name, self.keywords = reftype, path.name, keywords
        self._path, self._parts, self._flags, self._whole = path, parts, flags, whole

    def cut(
        self,
        rows: slice = slice(None),
        columns: slice = slice(None),
        check: Callable[[], None] = _never_stop,
    ) -> Reference:
        """Read rows and columns of the exposure's frame; tables, trees and frameless arrays come whole.

        ``check`` is called between the planes of an array; it raises to stop reading.

        Raises
        ------
        ReferenceError
            If the file cannot be read any more.
        """
        if self._whole is not None:
            return self._whole
        try:
            arrays = {name: part.read(rows, columns, check) for name, part in self._parts.items()}
        except (OSError, ValueError) as error:
            raise _unreadable(self._path, self.reftype, error) from error
        if "DQ" in arrays:
            arrays["DQ"] = _translated(_flat_flags(arrays["DQ"]), self._flags)
        name = _PRIMARY_ARRAY.get(self.reftype, "SCI")
        data, dq = arrays[name], arrays.get("DQ")
        more = {k: v for k, v in arrays.items() if k not in (name, "DQ")}
        return Reference(
            reftype=self.reftype, name=self.name, data=data, dq=dq, arrays=more, keywords=self.keywords
        )

    @property
    def table_bytes(self) -> int:
        """Bytes of its tables, which are read when it is opened."""
        return 0 if self._whole is None else sum(table.nbytes for table in self._whole.tables.values())

    def row_bytes(self) -> int:
        """Bytes in memory of one row of all its arrays."""
        return sum(_row_bytes(part) for part in self._parts.values() if part.cuttable)

    def close(self) -> None:
        """Close the file until it is read again."""
        for part in self._parts.values():
            part.rows.close()


def _row_bytes(part: _Part) -> int:
    shape = part.rows.shape
    groups = len(range(shape[-3])[: part.groups]) if len(shape) > 2 else 1
    planes = groups * int(np.prod(shape[:-3], dtype=np.int64))
    return int(planes * shape[-1] * np.dtype(part.dtype).itemsize)


def _unreadable(path: Path, reftype: str, error: Exception) -> ReferenceError:
    return ReferenceError(
        f"{reftype} reference {path}: cannot be read as a FITS reference file ({one_line(error)}). "
        "Give another file or remove it from the CRDS cache and fetch it again."
    )


def open_reference(
    path: str | Path,
    reftype: str,
    exposure: Exposure,
    *,
    exact: bool = False,
    chosen_by_crds: bool = False,
) -> ReferenceFile:
    """Open a reference file and check that it fits.

    Parameters
    ----------
    path : str or Path
        FITS or ASDF reference file in the format of its type.
    reftype : str
        Reference type, e.g. ``"gain"``.
    exposure : Exposure
        Gives the subarray to cut out.
    exact : bool
        The reference must have the exposure's subarray; it is not cut out of a larger one.
    chosen_by_crds : bool
        The rules of CRDS name this file: its own keywords need not say once more that it fits.

    Raises
    ------
    ReferenceError
        If the file is missing, unreadable, lacks the array, does not cover the subarray, or (one that the
        user gave) is of another type or detector.
    """
    from astropy.io.fits import VerifyError

    path = Path(path)
    if not path.is_file():
        raise ReferenceError(f"{reftype} reference {path}: no such file. Check the path.")
    if path.suffix.lower() == ".asdf":
        whole = _read_asdf(path, reftype)
        if not chosen_by_crds:
            _check_kind(path, reftype, exposure, dict(whole.keywords))
        return ReferenceFile(path, reftype, {}, {}, whole=whole)
    try:
        with path.open("rb") as stream, open_fits(stream) as hdus:
            keywords = _keywords(hdus, path, reftype)
            if not chosen_by_crds:
                _check_kind(path, reftype, exposure, keywords)
            return _opened(hdus, path, reftype, exposure, keywords, exact)
    except (OSError, EOFError, ValueError, TypeError, KeyError, VerifyError) as error:
        raise _unreadable(path, reftype, error) from error


def read_reference(
    path: str | Path,
    reftype: str,
    exposure: Exposure,
    *,
    exact: bool = False,
    chosen_by_crds: bool = False,
    check: Callable[[], None] = _never_stop,
) -> Reference:
    """Read what a step needs from a reference file.

    Parameters
    ----------
    path, reftype, exposure, exact, chosen_by_crds
        As for `open_reference`.
    check : callable
        Called between the planes of an array; raises to stop reading.

    Returns
    -------
    Reference
        With native, C-contiguous arrays.

    Raises
    ------
    ReferenceError
        As `open_reference`.
    """
    file = open_reference(path, reftype, exposure, exact=exact, chosen_by_crds=chosen_by_crds)
    try:
        return file.cut(check=check)
    finally:
        file.close()


def _keywords(hdus: Any, path: Path, reftype: str) -> dict[str, Value]:
    """Keywords of the primary header and, where it lacks one, of the extension with the array."""
    name = _PRIMARY_ARRAY.get(reftype, "SCI")
    with without_warnings():
        if reftype in _TABLE_TYPES:
            return {c.keyword: c.value for c in reversed(cards_of(hdus[0].header)) if c.value is not None}
        if name not in hdus:
            found = ", ".join(h.name or "?" for h in hdus)
            raise ReferenceError(
                f"{reftype} reference {path}: has no {name} extension (found: {found}); is it a reference of "
                "another type?"
            )
        cards = (*cards_of(hdus[0].header), *cards_of(hdus[name].header))
    return {c.keyword: c.value for c in reversed(cards) if c.value is not None}


def _opened(
    hdus: Any, path: Path, reftype: str, exposure: Exposure, keywords: dict[str, Value], exact: bool
) -> ReferenceFile:
    if reftype in _TABLE_TYPES:
        return ReferenceFile(path, reftype, keywords, {}, whole=_read_tables(hdus, path, reftype, keywords))
    name = _PRIMARY_ARRAY.get(reftype, "SCI")
    axes, allowed = len(hdus[name].shape), _AXES.get(reftype, (2,))
    if axes not in allowed:
        raise ReferenceError(
            f"{reftype} reference {path}: its {name} array has {axes} axes, it must have "
            f"{' or '.join(map(str, allowed))}. Give a file in the format of this type."
        )
    window = _window(hdus[name], path, reftype, exposure, keywords, exact)
    compressed = _is_gzip(path)
    frame = (exposure.ysize, exposure.xsize)

    def part(extension: str, dtype: Any, groups: int | None = None) -> _Part:
        rows = ImageRows(path, hdus[extension], compressed=compressed)
        framed = window is not None or (rows.shape[-2:] == frame and not (reftype == "ipc" and axes == 2))
        return _Part(rows, dtype, window, framed, groups)

    groups = _groups_needed(hdus[name].shape[-3], exposure, keywords) if reftype == "dark" else None
    parts = {name: part(name, np.uint32 if name == "DQ" else np.float32, groups)}
    flags = None
    if "DQ" in hdus and hdus["DQ"].header["NAXIS"] >= 2:
        if name != "DQ":
            parts["DQ"] = part("DQ", np.uint32)
        flags = _standard_bits(hdus)
    for more in _MORE_ARRAYS.get(reftype, ()):
        if more in hdus and hdus[more].header["NAXIS"] >= 2 and _is_used(more, exposure):
            parts[more] = part(more, np.float32)
    return ReferenceFile(path, reftype, keywords, parts, flags)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _read_tables(hdus: Any, path: Path, reftype: str, keywords: dict[str, Value]) -> Reference:
    with without_warnings():
        tables = {
            hdu.name.upper() or f"HDU{index}": native_table(hdu.data)
            for index, hdu in enumerate(hdus)
            if not hdu.is_image and hdu.name != "ASDF"
        }
    if not tables:
        found = ", ".join(h.name or "?" for h in hdus)
        raise ReferenceError(
            f"{reftype} reference {path}: has no table (found: {found}); is it a reference of another type?"
        )
    none = np.empty((0, 0), np.float32)
    return Reference(reftype=reftype, name=path.name, data=none, tables=tables, keywords=keywords)


def _read_asdf(path: Path, reftype: str) -> Reference:
    import asdf
    import yaml

    try:
        with asdf.open(path, memmap=False, lazy_load=False) as file:
            tree = _plain(file.tree)
    except (OSError, EOFError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise ReferenceError(
            f"{reftype} reference {path}: cannot be read as an ASDF file ({one_line(error)}). Give another "
            "file or remove it from the CRDS cache and fetch it again."
        ) from error
    tree.pop("history", None)
    keywords = _keywords_of_tree(tree.get("meta"))
    return Reference(
        reftype=reftype, name=path.name, data=np.empty((0, 0), np.float32), tree=tree, keywords=keywords
    )


def _keywords_of_tree(meta: Any) -> dict[str, Value]:
    """Those metadata of an ASDF reference that tell what it is for, by their FITS keywords."""
    meta = meta if isinstance(meta, dict) else {}
    instrument = meta.get("instrument")
    instrument = instrument if isinstance(instrument, dict) else {}
    found = {"REFTYPE": meta.get("reftype"), "INSTRUME": instrument.get("name")}
    found["DETECTOR"] = instrument.get("detector")
    return {keyword: value for keyword, value in found.items() if isinstance(value, str)}


def _check_kind(path: Path, reftype: str, exposure: Exposure, keywords: dict[str, Value]) -> None:
    for keyword, wanted in (("INSTRUME", exposure.instrument), ("DETECTOR", exposure.detector)):
        value = keywords.get(keyword)
        if isinstance(value, str) and value.strip().upper() not in (wanted, "N/A", "ANY", "GENERIC"):
            raise ReferenceError(
                f"{reftype} reference {path}: is for {keyword} = {value}, the exposure has {wanted}. "
                "Give a reference of the same detector."
            )
    found = keywords.get("REFTYPE")
    if isinstance(found, str) and found.strip().lower() not in (reftype, "n/a"):
        raise ReferenceError(
            f"{reftype} reference {path}: its REFTYPE is {found!r}. Give a file of type {reftype}."
        )


def _window(
    hdu: Any,
    path: Path,
    reftype: str,
    exposure: Exposure,
    keywords: dict[str, Value],
    exact: bool,
) -> tuple[slice, slice] | None:
    """Rows and columns of the reference that the exposure's subarray covers; None for all."""
    shape = hdu.shape
    if reftype == "ipc" and len(shape) == 2:
        return None  # one kernel for all pixels
    ny, nx = shape[-2:]
    told = keywords.get("SUBSTRT1"), keywords.get("SUBSTRT2")
    xstart, ystart = as_whole_number(told[0]), as_whole_number(told[1])
    if xstart is None or ystart is None or min(xstart, ystart) < 1:
        if (ny, nx) != full_frame(exposure.instrument) and not is_interleaved(shape):
            raise ReferenceError(
                f"{reftype} reference {path}: its place on the detector is unknown (keywords SUBSTRT1, "
                f"SUBSTRT2 = {told}) and its shape {ny, nx} is not a full frame."
            )
        xstart = ystart = 1
    x0, y0 = exposure.xstart - xstart, exposure.ystart - ystart
    if is_interleaved(shape):  # not to be cut, since the rows of its keywords are the normal ones
        ny, exact = FULL_SIZE, True
    fits_exactly = (x0, y0, nx, ny) == (0, 0, exposure.xsize, exposure.ysize)
    inside = min(x0, y0) >= 0 and x0 + exposure.xsize <= nx and y0 + exposure.ysize <= ny and not exact
    if not (fits_exactly or inside):
        if reftype in _WHOLE_FOR_STACKS and exposure.exp_type == "FGS_ID-STACK":
            return None
        must = "be of the same subarray as" if exact else "cover"
        raise ReferenceError(
            f"{reftype} reference {path}: does not fit: it has {nx} x {ny} pixels from "
            f"SUBSTRT1, SUBSTRT2 = {xstart}, {ystart}, and must {must} the exposure's subarray "
            f"{exposure.subarray or ''} ({exposure.xsize} x {exposure.ysize} pixels from "
            f"{exposure.xstart}, {exposure.ystart}). Give a reference for this subarray."
        )
    if fits_exactly:
        return None
    return slice(y0, y0 + exposure.ysize), slice(x0, x0 + exposure.xsize)


def _is_used(extension: str, exposure: Exposure) -> bool:
    """Whether a large extension is of use: linearity looks at frames only where they are averaged."""
    return extension != "INV_COEFFS" or exposure.nframes > 1


def _groups_needed(groups: int, exposure: Exposure, keywords: Mapping[str, Value]) -> int | None:
    """Give the number of leading groups of a dark that cover the exposure; ``None`` for all.

    A dark is often several times as long as the exposure, and large.
    """
    pattern = as_whole_number(keywords.get("NFRAMES")), as_whole_number(keywords.get("GROUPGAP"))
    if pattern == (exposure.nframes, exposure.groupgap):
        needed = exposure.ngroups
    elif pattern == (1, 0):
        needed = exposure.ngroups * exposure.nframes + (exposure.ngroups - 1) * exposure.groupgap
    else:
        return None
    return needed if needed < groups else None


def _standard_bits(hdus: Any) -> dict[int, int] | None:
    """Bits that a file defines in its DQ_DEF table, with their standard ones; ``None`` without a table.

    Names that are not standard flags are dropped (JWST documentation, "Data Quality Flags").
    """
    if "DQ_DEF" not in hdus or hdus["DQ_DEF"].data is None or not len(hdus["DQ_DEF"].data):
        return None
    bits: dict[int, int] = {}
    for row in hdus["DQ_DEF"].data:
        flag = DQ.__members__.get(str(row["NAME"]).strip())
        if flag is not None:
            bits[int(row["VALUE"])] = bits.get(int(row["VALUE"]), 0) | int(flag)
    return bits


def _flat_flags(dq: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Combine flags over all but the last two axes; MIRI darks have some for each of their integrations."""
    return dq if dq.ndim == 2 else np.bitwise_or.reduce(dq.reshape(-1, *dq.shape[-2:]))


def _translated(dq: NDArray[Any], bits: Mapping[int, int] | None) -> NDArray[np.uint32]:
    """Translate flags into the standard bits."""
    if bits is None:
        return dq
    same = functools.reduce(operator.or_, (v for v, flag in bits.items() if v == flag), 0)
    present = int(np.bitwise_or.reduce(dq, axis=None)) if dq.size else 0
    if not present & ~same:
        return dq
    out = dq & np.uint32(same)
    for value, flag in bits.items():
        if value != flag and value & present:
            out[(dq & np.uint32(value)) != 0] |= np.uint32(flag)
    return out


@dataclass(frozen=True)
class ParameterFile:
    """Content of a ``pars-*`` reference: parameters of a step or pipeline, and of a pipeline's steps."""

    parameters: dict[str, Any]
    steps: dict[str, dict[str, Any]]


def read_parameters(path: str | Path) -> ParameterFile:
    """Read a ``pars-*`` reference (ASDF).

    The steps of a pipeline are a list of ``{class, name, parameters}`` beside ``parameters`` or, in the
    older form, a mapping of name to parameters inside ``parameters`` (schemas step_config-1.0.0 and
    step_config-0.1.0 of stpipe).

    Raises
    ------
    ReferenceError
        If the file cannot be read or is in neither form.
    """
    import yaml

    path = Path(path)
    if not path.is_file():
        raise ReferenceError(f"parameter reference {path}: no such file.")
    try:
        tree = _mapping(tree_of_text(path.read_bytes()))  # no arrays in it, for which asdf would be needed
        parameters, steps = _mapping(_plain(tree["parameters"])), _plain(tree.get("steps", []))
        found = {str(step["name"]): _mapping(step["parameters"]) for step in steps}
        older = _mapping(parameters.pop("steps", {}))
        found |= {name: _mapping(values) for name, values in older.items()}
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ReferenceError(
            f"parameter reference {path}: cannot be read as ASDF with a `parameters` tree "
            f"({type(error).__name__}: {one_line(error)}). Remove it from the CRDS cache and fetch it again."
        ) from error
    return ParameterFile(parameters, found)


def _mapping(node: Any) -> dict[str, Any]:
    if not isinstance(node, dict):
        raise TypeError(f"a mapping of names to values is needed, not {node!r}")
    return node


def _plain(node: Any) -> Any:
    if hasattr(node, "items"):
        return {str(k): _plain(v) for k, v in node.items()}
    if hasattr(node, "dtype"):
        return np.array(node)
    if isinstance(node, (list, tuple)):
        return [_plain(v) for v in node]
    return node
