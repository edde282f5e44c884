"""Headers as text are those of astropy, byte for byte."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import example, given
from hypothesis import strategies as st

from jwcal_interactive.arrays import Card, Keyword
from jwcal_interactive.io.fits_files import without_warnings
from jwcal_interactive.io.header_text import STORED, changed, image_header, primary_header

_PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=90)
_KEYWORDS = st.text(string.ascii_uppercase + string.digits + "_-", min_size=1, max_size=8).map("X".__add__)
_VALUES = st.one_of(
    st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), _PRINTABLE, st.none()
)
_CARDS = st.one_of(
    st.builds(Card, _KEYWORDS.map(lambda k: k[:8]), _VALUES, _PRINTABLE),
    st.builds(Card, st.sampled_from(["HISTORY", "COMMENT"]), _PRINTABLE.filter(str.strip), st.just("")),
)
_TYPES = sorted(STORED)


def by_astropy(cards: list[Card], hdu: Any, **more: Any) -> bytes:
    with without_warnings():
        header = fits.Header()
        for card in cards:
            if card.keyword == "HISTORY":
                header.add_history(card.value)
            else:
                header.append(tuple(card), end=True)
        made = hdu(header=header, **more)
        if hdu is fits.PrimaryHDU:
            made.header.set("EXTEND", True, after="NAXIS")
        made.verify("silentfix")
        return bytes(made.header.tostring(), "ascii")


@given(st.lists(_CARDS, max_size=6, unique_by=lambda card: card.keyword))
@example([Card("S_REGION", "POLYGON ICRS " + "53.163269069 -27.799278799 " * 4, "Spatial footprint")])
@example([Card("X", "it's", "quoted"), Card("Y", "", "empty"), Card("Z", "  spaces  ", "")])
@example([Card("X", "DP1.AXIS.1: 2", "looks like a record")])
@example([Card("X", 1e-300, ""), Card("Y", -1.2345678901234567e-100, "long"), Card("Z", 1e20, "")])
@example([Card("HISTORY", "h" * 73, ""), Card("X", np.float64(0.1), ""), Card("Y", np.int64(3), "numpy")])
@example([Card("VPARITY", -1, "c" * 60)])
def test_primary_header_is_that_of_astropy(cards: list[Card]) -> None:
    assert primary_header(cards) == by_astropy(cards, fits.PrimaryHDU)


@pytest.mark.parametrize("kind", _TYPES)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4, 5)])
def test_image_header_is_that_of_astropy(kind: str, shape: tuple[int, ...]) -> None:
    cards = [Card("BUNIT", "DN/s", "physical units of the array values"), Card("", "  blank  ", "")]
    wanted = by_astropy(cards, fits.ImageHDU, data=np.zeros(shape, kind), name="DQ", ver=1)
    assert image_header("DQ", shape, np.dtype(kind), cards) == wanted


def test_numbers_that_fits_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="nan"):
        primary_header([Card("X", float("nan"), "")])


def test_changed_keywords_keep_their_place() -> None:
    cards = [Card("A", 1, "first"), Card("B", 2, "second")]
    changes = {"C": Keyword(3, "new"), "A": Keyword(4, "comment of the change")}
    assert changed(cards, changes) == [Card("A", 4, "first"), Card("B", 2, "second"), Card("C", 3, "new")]


def test_what_is_not_ascii_is_written_as_escapes() -> None:
    text = "mask = /home/José/星.fits\n" + "x" * 60
    head = primary_header([Card("R_GAIN", "naïve.fits", "gain"), Card("HISTORY", text, "")])
    header = fits.Header.fromstring(head.decode("ascii"))
    assert header["R_GAIN"] == "na\\xefve.fits"
    assert "".join(header["HISTORY"]) == "mask = /home/Jos\\xe9/\\u661f.fits\\n" + "x" * 60
