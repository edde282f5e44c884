"""From FITS headers to a checked `Exposure`: which keywords are needed and what they may be."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jwcal_interactive.arrays import Card, Exposure, ExtraHDU
from jwcal_interactive.errors import InputError
from jwcal_interactive.instruments import DETECTORS

__all__ = ["cards_of", "exposure_from_cards"]

# Cards that describe how an image HDU is stored; they are made anew for each product.
_STRUCTURAL = frozenset(
    [
        "SIMPLE",
        "XTENSION",
        "BITPIX",
        "NAXIS",
        "EXTEND",
        "PCOUNT",
        "GCOUNT",
        "BSCALE",
        "BZERO",
        "EXTNAME",
        "EXTVER",
        "NEXTEND",
        "CHECKSUM",
        "DATASUM",
        "NAXIS1",
        "NAXIS2",
        "NAXIS3",
        "NAXIS4",
        "END",
    ]
)

_MISSING = "is missing or has no readable value"


def cards_of(header: Any) -> tuple[Card, ...]:
    """Cards of an astropy header that describe the exposure, in order (blank and COMMENT cards too).

    A card whose value is not FITS (NaN, for one) counts as one without a value.
    """
    from astropy.io.fits import VerifyError

    cards = []
    for card in header.cards:
        if card.keyword in _STRUCTURAL:
            continue
        try:
            value, comment = card.value, card.comment
        except VerifyError:
            value, comment = None, ""
        if not isinstance(value, (str, bool, int, float)):
            value = None
        cards.append(Card(card.keyword, value, comment))
    return tuple(cards)


class _Keywords:
    """Typed access to the keywords of a file, with messages that name file, keyword and rule."""

    def __init__(self, path: Path, cards: tuple[Card, ...]) -> None:
        self.path = path
        self.values = {c.keyword: c.value for c in reversed(cards)}

    def fail(self, name: str, problem: str, allowed: str) -> InputError:
        return InputError(
            f"{self.path}: keyword {name} {problem}; it must be {allowed}. "
            "Correct the header or download the exposure again."
        )

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(name, _MISSING if value is None else f"is {value!r}", "a text")
        return value.strip().upper()

    def optional_text(self, name: str) -> str:
        value = self.values.get(name)
        return value.strip().upper() if isinstance(value, str) else ""

    def number(self, name: str, allowed: str, rule: Callable[[float], bool]) -> float:
        value = self.values.get(name)
        if value is None:
            raise self.fail(name, _MISSING, allowed)
        if isinstance(value, (bool, str)) or not math.isfinite(value) or not rule(value):
            raise self.fail(name, f"is {value!r}", allowed)
        return float(value)

    def integer(self, name: str, allowed: str, rule: Callable[[float], bool]) -> int:
        value = self.number(name, allowed, rule)
        if value != int(value):
            raise self.fail(name, f"is {value!r}", allowed)
        return int(value)

    def optional_number(self, name: str, allowed: str, rule: Callable[[float], bool]) -> float | None:
        if self.values.get(name) is None:
            return None
        return self.number(name, allowed, rule)

    def optional_integer(self, name: str, allowed: str, rule: Callable[[float], bool]) -> int | None:
        if self.values.get(name) is None:
            return None
        return self.integer(name, allowed, rule)


def _known(keys: _Keywords, name: str, allowed: tuple[str, ...]) -> str:
    value = keys.text(name)
    if value not in allowed:
        near = difflib.get_close_matches(value, allowed, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise keys.fail(name, f"is {value!r}{hint}", "one of " + ", ".join(allowed))
    return value


def _zero_frame(keys: _Keywords, has_zeroframe: bool) -> bool:
    """Whether ZEROFRAM says that the zero frame is to be used; no, if it is missing, as officially."""
    value = keys.values.get("ZEROFRAM")
    spelling = value.strip().upper() if isinstance(value, str) else value
    if spelling in (True, "T", "TRUE"):  # 1 and 1.0 are equal to True
        return True
    if has_zeroframe and spelling not in (False, "F", "FALSE", None):
        raise keys.fail("ZEROFRAM", f"is {value!r}, and there is a ZEROFRAME extension", "T or F")
    return False


def exposure_from_cards(
    path: Path,
    primary: tuple[Card, ...],
    sci: tuple[Card, ...],
    extra: tuple[ExtraHDU, ...],
    *,
    has_zeroframe: bool,
) -> Exposure:
    """Check the keywords that calibration needs and build an `Exposure`.

    Parameters
    ----------
    path : Path
        For error messages.
    primary, sci : tuple of Card
        Header cards.
    extra : tuple of ExtraHDU
        Extensions to carry along.
    has_zeroframe : bool
        Whether the file has a ZEROFRAME extension, which the keyword ZEROFRAM turns on.

    Raises
    ------
    InputError
        For a keyword that is missing, of the wrong type, or absurd; it is named with what is allowed.
    """
    keys = _Keywords(path, primary + sci)
    instrument = _known(keys, "INSTRUME", tuple(DETECTORS))
    detector = _known(keys, "DETECTOR", DETECTORS[instrument])

    def positive(v: float) -> bool:
        return v > 0

    def at_least_one(v: float) -> bool:
        return v >= 1

    fastaxis = keys.integer("FASTAXIS", "1, -1, 2 or -2", lambda v: abs(v) in (1, 2))
    slow_allowed = "2 or -2" if abs(fastaxis) == 1 else "1 or -1"
    return Exposure(
        filename=path.name,
        instrument=instrument,
        detector=detector,
        exp_type=keys.text("EXP_TYPE"),
        readpatt=keys.optional_text("READPATT"),
        subarray=keys.optional_text("SUBARRAY"),
        xstart=keys.integer("SUBSTRT1", "a pixel number >= 1", at_least_one),
        ystart=keys.integer("SUBSTRT2", "a pixel number >= 1", at_least_one),
        xsize=keys.integer("SUBSIZE1", "a number of pixels >= 1", at_least_one),
        ysize=keys.integer("SUBSIZE2", "a number of pixels >= 1", at_least_one),
        fastaxis=fastaxis,
        slowaxis=keys.integer("SLOWAXIS", slow_allowed, lambda v: abs(v) == 3 - abs(fastaxis)),
        nints=keys.integer("NINTS", "a whole number >= 1", at_least_one),
        ngroups=keys.integer("NGROUPS", "a whole number >= 1", at_least_one),
        nframes=keys.integer("NFRAMES", "a whole number >= 1", at_least_one),
        groupgap=keys.integer("GROUPGAP", "a whole number >= 0", lambda v: v >= 0),
        group_time=keys.number("TGROUP", "a time in s > 0", positive),
        frame_time=keys.optional_number("TFRAME", "a time in s > 0", positive),
        frame_divisor=keys.optional_integer("FRMDIVSR", "a whole number >= 1", at_least_one),
        noutputs=keys.optional_integer("NOUTPUTS", "a whole number >= 1", at_least_one),
        zero_frame=_zero_frame(keys, has_zeroframe),
        gain_factor=keys.optional_number("GAINFACT", "a number > 0", positive),
        primary=primary,
        sci=sci,
        extra=extra,
    )
