"""Writing products: official suffixes, extensions and keywords."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from jwcal_interactive.arrays import (
    Card,
    Exposure,
    ExtraHDU,
    GuiderSlopes,
    Keyword,
    Ramp,
    Rates,
    SideProduct,
    State,
)
from jwcal_interactive.instruments import GUIDER_EXP_TYPES, RAMP_UNIT, RATE_UNIT
from jwcal_interactive.io.atomic import Together
from jwcal_interactive.io.header_text import changed
from jwcal_interactive.io.metadata_tree import metadata_bytes
from jwcal_interactive.io.product_files import ProductFile, table_bytes
from jwcal_interactive.recipes import RECIPES

__all__ = ["SUFFIXES", "Product", "ProductWriter", "product_path", "products_of", "write_product", "write_tree"]

# Exposure types of integral field units, whose rates other steps treat in their own way; those of lamps only
# where OPMODE = IFU.
_IFU_EXP_TYPES = frozenset({"MIR_MRS", "NRS_IFU"})
_LAMP_EXP_TYPES = frozenset({"NRS_AUTOWAVE", "NRS_LAMP"})

# Suffix of each kind of product, and the data model that opens it.
SUFFIXES = {
    "ramp": "RampModel",
    "rate": "ImageModel",
    "rateints": "CubeModel",
    "cal": "GuiderCalModel",
}


@dataclass(frozen=True)
class Product:
    """One FITS file to write: what it holds, and extensions of the raw file to carry along."""

    content: SideProduct
    extra: tuple[ExtraHDU, ...] = ()


def products_of(state: State, ramp_suffix: str = "ramp") -> tuple[Product, ...]:
    """Products that hold a state: rate and rateints, a guider cal, or a ramp.

    Parameters
    ----------
    state : Ramp, Rates or GuiderSlopes
        What a step returned.
    ramp_suffix : str
        Suffix of a ramp product, the name of the step when a step ran alone.
    """
    extra = state.exposure.extra
    if isinstance(state, Rates):
        products = []
        for suffix, slopes in (("rate", state.rate), ("rateints", state.rateints)):
            arrays = {
                "SCI": slopes.data,
                "ERR": slopes.err,
                "DQ": slopes.dq,
                "VAR_POISSON": slopes.var_poisson,
                "VAR_RNOISE": slopes.var_rnoise,
            }
            kept = tuple(e for e in extra if suffix == "rateints" and e.name == "INT_TIMES")
            model = "IFUImageModel" if suffix == "rate" and _is_ifu(state.exposure) else SUFFIXES[suffix]
            products.append(_main_product(suffix, model, RATE_UNIT, arrays, kept))
        return tuple(products)
    if isinstance(state, GuiderSlopes):
        arrays = {"SCI": state.data, "ERR": state.err, "DQ": state.dq}
        return (_main_product("cal", SUFFIXES["cal"], RATE_UNIT, arrays, extra),)
    return (_ramp_product(state, ramp_suffix),)


def _is_ifu(exposure: Exposure) -> bool:
    lamp = exposure.exp_type in _LAMP_EXP_TYPES and exposure.keyword("OPMODE") == "IFU"
    return lamp or exposure.exp_type in _IFU_EXP_TYPES


def _main_product(
    suffix: str, model: str, unit: str, arrays: Mapping[str, NDArray[Any]], extra: tuple[ExtraHDU, ...]
) -> Product:
    units = {name: unit for name in ("SCI", "ERR") if name in arrays}
    return Product(SideProduct(suffix=suffix, model=model, arrays=arrays, units=units), extra)


def _ramp_product(ramp: Ramp, suffix: str) -> Product:
    if ramp.exposure.exp_type in GUIDER_EXP_TYPES:
        raw = {"SCI": ramp.data, "DQ": ramp.pixeldq}
        return _main_product(suffix, "GuiderRawModel", RAMP_UNIT, raw, ramp.exposure.extra)
    arrays: dict[str, NDArray[Any]] = {
        "SCI": ramp.data,
        "PIXELDQ": ramp.pixeldq,
        "GROUPDQ": ramp.groupdq,
    }
    if ramp.zeroframe is not None:
        arrays["ZEROFRAME"] = ramp.zeroframe
    if ramp.average_dark_current is not None:
        arrays["AVDRKCUR"] = ramp.average_dark_current
    return _main_product(suffix, SUFFIXES["ramp"], RAMP_UNIT, arrays, ramp.exposure.extra)


def product_path(input_name: str, suffix: str, folder: Path, extension: str = "fits") -> Path:
    """Name of a product: the suffix of the input's file name is replaced, e.g. ``_uncal`` by ``_rate``."""
    stem = re.sub(r"\.fits(\.gz)?$", "", Path(input_name).name)
    known_suffixes = {"uncal", *SUFFIXES, *(s for r in RECIPES.values() for s in (*r.steps, r.suffix))}
    known = "|".join(map(re.escape, sorted(known_suffixes)))
    return folder / f"{re.sub(f'(?<=.)_({known})$', '', stem)}_{suffix}.{extension}"


class ProductWriter:
    """Writes one product, all at once or band by band.

    Parameters
    ----------
    first : Product
        The product, or its first band.
    state : State
        What it holds; gives the exposure's header and the keywords that steps added.
    path : Path
        Final name.
    keywords : mapping
        Further primary keywords (outcomes, references, versions).
    history : sequence of str
        Lines for HISTORY cards.
    files : Together
        The files that this one belongs to; it appears when they end.
    nrows : int, optional
        Rows of the whole frame, if ``first`` is a band.

    Raises
    ------
    OutputError
        In all methods, if the system refuses to write.
    """

    def __init__(
        self,
        first: Product,
        state: State,
        path: Path,
        keywords: Mapping[str, Keyword],
        history: Sequence[str],
        files: Together,
        nrows: int | None = None,
    ) -> None:
        self.path = path
        self._first, self._exposure = first, state.exposure
        self._date = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")[:23]
        self._file = ProductFile(path, files, self._primary(state, keywords, history))
        content, exposure = first.content, state.exposure
        extra = [e.content for e in first.extra]
        for name, array in content.arrays.items():
            cards = exposure.sci if name == "SCI" else ()
            unit = content.units.get(name)
            changes = {"BUNIT": Keyword(unit, "physical units of the array values")} if unit else {}
            shape = array.shape if nrows is None else (*array.shape[:-2], nrows, array.shape[-1])
            self._file.add_array(name, shape, array.dtype, changed(cards, changes))
            if name == "DQ":  # the official order
                while extra:
                    self._file.add_hdu(extra.pop(0))
        for name, table in content.tables.items():
            self._file.add_hdu(table_bytes(name, table))
        for hdu in extra:
            self._file.add_hdu(hdu)
        if exposure.meta:
            own = {"date": self._date, "filename": path.name, "model_type": content.model}
            self._file.add_hdu(metadata_bytes({**exposure.meta, **own}))
        self._file.reserve()

    def put(self, product: Product, y0: int = 0) -> None:
        """Write rows from ``y0`` on of all arrays; from any thread."""
        for name, array in product.content.arrays.items():
            self._file.put(name, array, y0)

    def close(self, state: State, keywords: Mapping[str, Keyword], history: Sequence[str]) -> None:
        """End the file, with the final values of the keywords."""
        self._file.close(self._primary(state, keywords, history))

    def _primary(self, state: State, keywords: Mapping[str, Keyword], history: Sequence[str]) -> list[Card]:
        """Cards of the exposure, with those of the product in their places or after them."""
        content = self._first.content
        own = {
            "DATE": Keyword(self._date, "UTC date file created"),
            "FILENAME": Keyword(self.path.name, "Name of the file"),
            "DATAMODL": Keyword(content.model, "Type of data model"),
            **state.keywords,
            **keywords,
            **content.keywords,
        }
        return changed(self._exposure.primary, own) + [Card("HISTORY", line, "") for line in history]


def write_product(
    product: Product,
    state: State,
    path: Path,
    keywords: Mapping[str, Keyword],
    history: Sequence[str],
    files: Together,
) -> None:
    """Write one product under a temporary name; it appears when ``files`` end.

    Parameters
    ----------
    product, state, path, keywords, history, files
        As for `ProductWriter`.

    Raises
    ------
    OutputError
        If the system refuses to write.
    """
    writer = ProductWriter(product, state, path, keywords, history, files)
    writer.put(product)
    writer.close(state, keywords, history)


def write_tree(tree: Mapping[str, Any], path: Path, files: Together) -> None:
    """Write nested mappings and arrays as an ASDF file; it appears when ``files`` end.

    Raises
    ------
    OutputError
        If the system refuses to write.
    """
    import asdf

    with files.writing(path) as temporary:
        asdf.AsdfFile(dict(tree)).write_to(temporary)
