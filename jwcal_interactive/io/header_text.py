"""Headers as FITS stores them, byte for byte those of astropy, put together in a fraction of its time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jwcal_interactive.arrays import Card, Keyword
from jwcal_interactive.io.fits_files import without_warnings

__all__ = ["STORED", "changed", "image_header", "primary_header"]

_BLOCK = 2880  # bytes; FITS standard 4.0, section 3.1
_CARD = 80  # bytes
_COMMENTARY = ("", "COMMENT", "HISTORY")
_KEYWORD = re.compile("[A-Z0-9_-]{1,8}")  # section 4.1.2.1

STORED = {
    "u1": (8, 0),
    "i2": (16, 0),
    "u2": (16, 1 << 15),
    "i4": (32, 0),
    "u4": (32, 1 << 31),
    "i8": (64, 0),
    "f4": (-32, 0),
    "f8": (-64, 0),
}
"""BITPIX and BZERO by type (FITS standard 4.0, sections 4.4.1 and 5.2.5)."""


def changed(cards: Sequence[Card], changes: Mapping[str, Keyword]) -> list[Card]:
    """Cards in their order with other values; changed keywords keep their place, new ones come last."""
    found = [
        card._replace(value=changes[card.keyword].value) if card.keyword in changes else card for card in cards
    ]
    present = {card.keyword for card in cards}
    return found + [Card(name, *keyword) for name, keyword in changes.items() if name not in present]


def primary_header(cards: Iterable[Card]) -> bytes:
    """Header of a primary HDU without an array."""
    return _header(
        [
            Card("SIMPLE", True, "conforms to FITS standard"),
            Card("BITPIX", 8, "array data type"),
            Card("NAXIS", 0, "number of array dimensions"),
            Card("EXTEND", True, ""),
            *cards,
        ]
    )


def image_header(name: str, shape: tuple[int, ...], dtype: np.dtype[Any], cards: Sequence[Card]) -> bytes:
    """Header of an image extension.

    Parameters
    ----------
    name : str
        EXTNAME.
    shape : tuple of int
        Of the array as numpy has it: the last axis is NAXIS1.
    dtype : dtype
        One of `STORED`, in any byte order.
    cards : sequence of Card
        Further ones.
    """
    bitpix, zero = STORED[dtype.str[1:]]
    axes = [Card(f"NAXIS{n}", size, "") for n, size in enumerate(reversed(shape), start=1)]
    scaling = [Card("BSCALE", 1, ""), Card("BZERO", zero, "")] if zero else []
    # Comments at the end stay there.
    end = max((n for n, card in enumerate(cards, start=1) if card.keyword not in _COMMENTARY), default=0)
    return _header(
        [
            Card("XTENSION", "IMAGE", "Image extension"),
            Card("BITPIX", bitpix, "array data type"),
            Card("NAXIS", len(shape), "number of array dimensions"),
            *axes,
            Card("PCOUNT", 0, "number of parameters"),
            Card("GCOUNT", 1, "number of groups"),
            *scaling,
            *cards[:end],
            Card("EXTNAME", name, "extension name"),
            Card("EXTVER", 1, "extension value"),
            *cards[end:],
        ]
    )


def _header(cards: Iterable[Card]) -> bytes:
    written = (_plain(card) or _by_astropy(card) for card in map(_writable, cards))
    text = "".join(written) + "END".ljust(_CARD)
    return text.ljust(-(-len(text) // _BLOCK) * _BLOCK).encode("ascii")


def _writable(card: Card) -> Card:
    """Write what a header cannot hold (section 4.2.1), such as accents in the path of a file, as escapes."""
    if not isinstance(card.value, str) or _is_text(card.value):
        return card
    return card._replace(value="".join(c if _is_text(c) else ascii(c)[1:-1] for c in card.value))


def _plain(card: Card) -> str:
    """Text of a card that has nothing special, in the fixed format (section 4.2); else an empty text."""
    keyword, value, comment = card
    if keyword in _COMMENTARY:
        if not (isinstance(value, str) and _is_text(value)):
            return ""
        width = _CARD - 8
        lines = [value[i : i + width] for i in range(0, len(value), width)] or [""]
        return "".join(f"{keyword:8}{line:{width}}" for line in lines)
    if isinstance(value, str):
        if not _is_text(value) or ": " in value:  # astropy may take it for a record
            return ""
        quoted = "'{:8}'".format(value.replace("'", "''"))
        text = f"{quoted:20}" if value else "''"
    elif isinstance(value, bool):
        text = f"{'T' if value else 'F':>20}"
    elif isinstance(value, int):
        text = f"{value:>20d}"
    elif isinstance(value, float) and math.isfinite(value) and len(str(value)) <= 20:
        text = f"{str(value).replace('e', 'E'):>20}"
    else:
        return ""
    line = f"{keyword:8}= {text}{' / ' if comment else ''}{comment}"
    simple = len(line) <= _CARD and _KEYWORD.fullmatch(keyword) and _is_text(comment)
    return line.ljust(_CARD) if simple else ""


def _is_text(text: str) -> bool:
    return text.isascii() and (text.isprintable() or not text)


def _by_astropy(card: Card) -> str:
    """Text of any card: long strings, long numbers, undefined values, records."""
    from astropy.io import fits

    with without_warnings():
        header = fits.Header()
        header.append(tuple(card), end=True)
        text: str = header.tostring(endcard=False, padding=False)
    return text
