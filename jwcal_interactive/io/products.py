"""Writing products: official suffixes, extensions and keywords."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Card, ExtraHDU, GuiderSlopes, Keyword, Ramp, Rates, SideProduct, State
from jwcal_interactive.instruments import GUIDER_EXP_TYPES, RAMP_UNIT, RATE_UNIT
from jwcal_interactive.io.atomic import Together
from jwcal_interactive.io.fits_files import without_warnings
from jwcal_interactive.io.metadata_tree import metadata_hdu
from jwcal_interactive.recipes import RECIPES

__all__ = ["SUFFIXES", "Product", "product_path", "products_of", "write_product"]

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
            products.append(_main_product(suffix, SUFFIXES[suffix], RATE_UNIT, arrays, kept))
        return tuple(products)
    if isinstance(state, GuiderSlopes):
        arrays = {"SCI": state.data, "ERR": state.err, "DQ": state.dq}
        return (_main_product("cal", SUFFIXES["cal"], RATE_UNIT, arrays, extra),)
    return (_ramp_product(state, ramp_suffix),)


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


def product_path(input_name: str, suffix: str, folder: Path) -> Path:
    """Name of a product: the suffix of the input's file name is replaced, e.g. ``_uncal`` by ``_rate``."""
    stem = re.sub(r"\.fits(\.gz)?$", "", Path(input_name).name)
    known_suffixes = {"uncal", *SUFFIXES, *(s for r in RECIPES.values() for s in (*r.steps, r.suffix))}
    known = "|".join(map(re.escape, sorted(known_suffixes)))
    return folder / f"{re.sub(f'(?<=.)_({known})$', '', stem)}_{suffix}.fits"


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
    product : Product
        What to write.
    state : State
        Gives the exposure's header and the keywords that steps added.
    path : Path
        Where to.
    keywords : mapping
        Further primary keywords (outcomes, references, versions).
    history : sequence of str
        Lines for HISTORY cards.
    files : Together
        The files that this one belongs to.

    Raises
    ------
    OutputError
        If the system refuses to write.
    """
    from astropy.io import fits

    exposure, content = state.exposure, product.content
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")[:23]
    own = {
        "DATE": Keyword(now, "UTC date file created"),
        "FILENAME": Keyword(path.name, "Name of the file"),
        "DATAMODL": Keyword(content.model, "Type of data model"),
        **state.keywords,
        **keywords,
        **content.keywords,
    }
    with files.writing(path) as temporary, without_warnings():
        hdus = fits.HDUList([fits.PrimaryHDU(header=_header(exposure.primary, own))])
        for line in history:
            hdus[0].header.add_history(line)
        extra = [fits.BinTableHDU.fromstring(e.content) for e in product.extra]
        for name, array in content.arrays.items():
            cards = exposure.sci if name == "SCI" else ()
            unit = content.units.get(name)
            changes = {"BUNIT": Keyword(unit, "physical units of the array values")} if unit else {}
            hdus.append(fits.ImageHDU(np.asarray(array), _header(cards, changes), name=name, ver=1))
            if name == "DQ":  # the official order
                hdus.extend(extra)
                extra = []
        hdus.extend(fits.BinTableHDU(table, name=name) for name, table in content.tables.items())
        hdus.extend(extra)
        if exposure.meta:
            own_meta = {"date": now, "filename": path.name, "model_type": content.model}
            hdus.append(metadata_hdu({**exposure.meta, **own_meta}))
        hdus.writeto(temporary, output_verify="silentfix")


def _header(cards: Sequence[Card], changes: Mapping[str, Keyword]) -> Any:
    """Header with the cards in their order; changed keywords keep their place, new ones come last."""
    from astropy.io import fits

    header = fits.Header()
    for card in cards:
        change = changes.get(card.keyword)
        header.append((card.keyword, change.value if change else card.value, card.comment), end=True)
    for keyword, change in changes.items():
        if keyword not in header:
            header.append((keyword, change.value, change.comment), end=True)
    return header
