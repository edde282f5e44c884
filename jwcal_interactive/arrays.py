"""Containers that steps take and return: frozen, with read-only arrays that may be shared.

Array axes follow FITS files read by numpy: (integration, group, y, x); y and x are those of the science frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Card",
    "Exposure",
    "ExtraHDU",
    "GuiderSlopes",
    "Keyword",
    "Ramp",
    "Rates",
    "Reference",
    "References",
    "SideProduct",
    "Slopes",
    "State",
    "as_whole_number",
]

F32: TypeAlias = NDArray[np.float32]
U8: TypeAlias = NDArray[np.uint8]
U32: TypeAlias = NDArray[np.uint32]
Value: TypeAlias = str | int | float | bool | None


def as_whole_number(value: Value) -> int | None:
    """Value of a keyword as an integer; ``None`` if it is not a whole number.

    Other software writes whole numbers as 1.0 too.
    """
    if isinstance(value, (bool, str)) or value is None or not float(value).is_integer():
        return None
    return int(value)


class Card(NamedTuple):
    """One FITS header card."""

    keyword: str
    value: Value
    comment: str


class Keyword(NamedTuple):
    """A keyword that a step adds to the primary header of the product."""

    value: Value
    comment: str


@dataclass(frozen=True)
class ExtraHDU:
    """An extension that is carried unchanged from the raw file to the products (GROUP, INT_TIMES…)."""

    name: str
    content: bytes  # header and data units as they stand in the file


@dataclass(frozen=True, eq=False, kw_only=True)
class Exposure:
    """The facts of one exposure, from its keywords (given in brackets).

    Times are in seconds; pixel numbers start at 1 as in the keywords. ``None`` marks a keyword that the file
    does not have and that not every exposure needs.
    """

    filename: str
    instrument: str  # INSTRUME, upper case
    detector: str  # DETECTOR, upper case
    exp_type: str  # EXP_TYPE
    readpatt: str  # READPATT
    subarray: str  # SUBARRAY
    xstart: int  # SUBSTRT1
    ystart: int  # SUBSTRT2
    xsize: int  # SUBSIZE1
    ysize: int  # SUBSIZE2
    fastaxis: int  # FASTAXIS: +-1 along x, +-2 along y
    slowaxis: int  # SLOWAXIS
    nints: int  # NINTS, of this file
    ngroups: int  # NGROUPS
    nframes: int  # NFRAMES averaged per group
    groupgap: int  # GROUPGAP, frames dropped between groups
    group_time: float  # TGROUP
    frame_time: float | None  # TFRAME
    frame_divisor: int | None  # FRMDIVSR
    noutputs: int | None  # NOUTPUTS, amplifiers used
    zero_frame: bool  # ZEROFRAM
    gain_factor: float | None  # GAINFACT
    primary: tuple[Card, ...] = field(default=(), repr=False)
    sci: tuple[Card, ...] = field(default=(), repr=False)
    extra: tuple[ExtraHDU, ...] = field(default=(), repr=False)
    # Tree of the ASDF extension: all metadata.
    meta: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def keyword(self, name: str) -> Value:
        """Value of a header keyword, primary header first; ``None`` if the file does not have it."""
        for cards in (self.primary, self.sci):
            for card in cards:
                if card.keyword == name:
                    return card.value
        return None

    @property
    def first_integration(self) -> int:
        """Place of the first integration of this file in the exposure, from 0 (INTSTART, of segments)."""
        start = as_whole_number(self.keyword("INTSTART"))
        return start - 1 if start is not None and start >= 1 else 0


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


class _Frozen:
    """Read-only arrays and a copy-with-changes method for the containers below."""

    def __post_init__(self) -> None:
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                object.__setattr__(self, f.name, _frozen(value))

    def __repr__(self) -> str:
        """Types and shapes instead of all values."""
        parts = []
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                parts.append(f"{f.name}: {value.dtype} {value.shape}")
            elif isinstance(value, _Frozen):
                parts.append(f"{f.name}: {value!r}")
            elif isinstance(value, Exposure):
                parts.append(value.filename)
            elif isinstance(value, str | int | float) and value != "":
                parts.append(f"{f.name}: {value!r}")
        return f"<{type(self).__name__}: {'; '.join(parts)}>"

    def with_(self, **changes: Any) -> Self:
        """Return a copy with some fields replaced; unchanged arrays are shared, keywords are added to."""
        if "keywords" in changes:
            merged = {**getattr(self, "keywords"), **changes["keywords"]}  # noqa: B009
            changes["keywords"] = MappingProxyType(merged)
        return replace(self, **changes)  # type: ignore[type-var]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SideProduct:
    """An optional product of a step, such as a mask or a noise image, written beside the main products.

    Attributes
    ----------
    suffix : str
        Product suffix; the file is named after the exposure.
    model : str
        Data model that opens it (DATAMODL).
    arrays : mapping of str to ndarray
        Image extensions by name, in order.
    units : mapping of str to str
        BUNIT by extension name, for those that have one.
    tables : mapping of str to structured ndarray
        Table extensions by name, after the images.
    tree : mapping
        Content of an ASDF file, in place of a FITS file with arrays and tables.
    keywords : mapping of str to Keyword
        Further primary keywords.
    file : str
        Name of the file where the user chose one; empty to name it after the exposure.
    """

    suffix: str
    model: str
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, NDArray[np.void]] = field(default_factory=dict)
    tree: Mapping[str, Any] = field(default_factory=dict)
    keywords: Mapping[str, Keyword] = field(default_factory=dict)
    file: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrays", {name: _frozen(a) for name, a in self.arrays.items()})

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays and tables."""
        return sum(a.nbytes for a in (*self.arrays.values(), *self.tables.values()))


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Ramp(_Frozen):
    """Ramps of one exposure.

    Attributes
    ----------
    data : float32 (nints, ngroups, ny, nx)
        Group values, DN.
    groupdq : uint8 (nints, ngroups, ny, nx)
    pixeldq : uint32 (ny, nx)
    zeroframe : float32 (nints, ny, nx) or None
        First frame of each integration, DN, where it was downlinked separately; 0 where unusable.
    average_dark_current : float32 (ny, nx) or None
        For the Poisson variance, electron/s.
    side_products : tuple of SideProduct
        What the step that made this state offers beside it; they are not passed on to the next step.
    tallies : mapping of str to int64 (ny, …)
        What the step counted in each row, for what concerns the whole frame (`StepDefinition.finish`).
    """

    exposure: Exposure
    data: F32
    groupdq: U8
    pixeldq: U32
    zeroframe: F32 | None = None
    average_dark_current: F32 | None = None
    keywords: Mapping[str, Keyword] = field(default_factory=dict)
    tallies: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    side_products: tuple[SideProduct, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Slopes(_Frozen):
    """Count rates, DN/s (variances DN^2/s^2), of shape (ny, nx), or (nints, ny, nx) for one per integration."""

    data: F32
    err: F32
    dq: U32
    var_poisson: F32
    var_rnoise: F32


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Rates(_Frozen):
    """What a ramp fit gives: the exposure-level slopes and those of each integration."""

    exposure: Exposure
    rate: Slopes
    rateints: Slopes
    keywords: Mapping[str, Keyword] = field(default_factory=dict)
    side_products: tuple[SideProduct, ...] = ()
    tallies: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)  # as those of a `Ramp`


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class GuiderSlopes(_Frozen):
    """Count rates of a guider exposure: data and err (nslices, ny, nx) in DN/s, dq (ny, nx)."""

    exposure: Exposure
    data: F32
    err: F32
    dq: U32
    keywords: Mapping[str, Keyword] = field(default_factory=dict)
    side_products: tuple[SideProduct, ...] = ()


State: TypeAlias = Ramp | Rates | GuiderSlopes


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Reference(_Frozen):
    """Arrays of one reference file, already cut to the exposure's subarray, native byte order, C-contiguous.

    Attributes
    ----------
    reftype : str
        Reference type as CRDS names it, e.g. ``"gain"``.
    name : str
        File name without folder.
    data : ndarray
        The primary array of the type (``SCI``; ``COEFFS`` of a linearity reference; ``DQ`` of a mask).
    dq : uint32 ndarray or None
        Pixel flags in the standard bits (the file's own DQ_DEF table is already applied).
    arrays : mapping
        Further arrays by extension name, e.g. ``INV_COEFFS``, ``AVDRKCUR``; of a file that a parameter names,
        all of its images.
    tables : mapping
        Tables by extension name, as structured arrays in native byte order.
    tree : mapping
        Content of an ASDF reference: nested mappings and lists with numbers, texts and arrays.
    keywords : mapping
        Primary and SCI header values of the file.
    """

    reftype: str
    name: str
    data: NDArray[Any]
    dq: U32 | None = None
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    tables: Mapping[str, NDArray[np.void]] = field(default_factory=dict)
    tree: Mapping[str, Any] = field(default_factory=dict)
    keywords: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("arrays", "tables"):
            object.__setattr__(self, name, {k: _frozen(a) for k, a in getattr(self, name).items()})


References: TypeAlias = Mapping[str, Reference | None]
