"""The references of one exposure."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_exposure

from jwcal_interactive.errors import ReferenceError
from jwcal_interactive.io.raw import read_exposure
from jwcal_interactive.references.book import R_KEYWORDS, ReferenceBook
from jwcal_interactive.references.client import open_context
from jwcal_interactive.steps.catalogue import STEPS


@pytest.fixture
def book(tiny_context: Path, tiny_template: Path) -> ReferenceBook:
    return ReferenceBook(open_context(), read_exposure(tiny_template))


def test_each_type_is_asked_for_once(book: ReferenceBook, monkeypatch: pytest.MonkeyPatch) -> None:
    from jwcal_interactive.references import book as module

    asked: list[tuple[str, ...]] = []
    plain = module.find_references

    def counted(context: Any, exposure: Any, reftypes: tuple[str, ...]) -> Any:
        asked.append(reftypes)
        return plain(context, exposure, reftypes)

    monkeypatch.setattr(module, "find_references", counted)
    book.look_up(("gain", "mask", "gain"))
    book.look_up(("gain", "dark"))
    book.path("jump", "gain", {})
    assert asked == [("gain", "mask"), ("dark",)]
    assert book.pmap == tiny_exposure.CONTEXT


def test_use(book: ReferenceBook, tmp_path: Path) -> None:
    used = book.used("jump", "gain", {})
    assert (used.origin, used.name) == ("crds", "jwst_nircam_gain_0001.fits")
    assert len(used.sha256) == 64
    other = tiny_exposure.write_reference(tmp_path, "gain", name="mine.fits", PEDIGREE="GROUND")
    mine = book.used("jump", "gain", {("jump", "gain"): str(other)})
    assert (mine.origin, mine.name) == ("override", "mine.fits")
    assert mine.sha256 != used.sha256
    assert book.used("ramp_fit", "gain", {("jump", "gain"): str(other)}) == used
    none = book.used("jump", "gain", {("jump", "gain"): "n/a"})
    assert (none.origin, none.name, none.sha256) == ("N/A", "N/A", "")


def test_load(book: ReferenceBook) -> None:
    gain = book.load("jump", "gain", {}, exact=False)
    assert gain is not None
    assert gain.data.shape == (64, 64)
    assert book.load("ramp_fit", "gain", {}, exact=False) is gain
    assert book.load("jump", "gain", {("jump", "gain"): "N/A"}, exact=False) is None


def test_override_in_place_of_a_type_that_crds_does_not_have(book: ReferenceBook, tmp_path: Path) -> None:
    other = tiny_exposure.write_reference(tmp_path, "gain", name="mine.fits")
    book._paths["gain"] = None
    loaded = book.load("jump", "gain", {("jump", "gain"): str(other)}, exact=False)
    assert loaded is not None
    np.testing.assert_array_equal(loaded.data, 2)


def test_one_file_for_two_types_is_checked_for_each(book: ReferenceBook, tmp_path: Path) -> None:
    path = str(tiny_exposure.write_reference(tmp_path, "gain", name="mine.fits"))
    overrides = {("jump", "gain"): path, ("jump", "readnoise"): path}
    book.load("jump", "gain", overrides, exact=False)
    with pytest.raises(ReferenceError, match="REFTYPE"):
        book.load("jump", "readnoise", overrides, exact=False)


def test_file_removed_from_the_cache(book: ReferenceBook, tmp_path: Path) -> None:
    book._paths["gain"] = str(tmp_path / "gone.fits")
    with pytest.raises(ReferenceError, match=r"gone\.fits"):
        book.load("jump", "gain", {}, exact=False)


def test_keywords_are_those_of_the_schemas() -> None:
    """Product keywords of references, as `meta.ref_file` has them."""
    import yaml

    schemas = importlib.resources.files("stdatamodels.jwst.datamodels") / "schemas"
    used = {t for d in STEPS.values() for t in d.references}
    assert used == set(R_KEYWORDS) | {"pictureframe"}
    found: dict[str, str] = {}

    def walk(node: Any, name: str) -> None:
        if isinstance(node, dict):
            if str(node.get("fits_keyword", "")).startswith("R_"):
                found[name] = node["fits_keyword"]
            for key, value in node.items():
                walk(value, name if key in ("name", "properties") else key)
        elif isinstance(node, list):
            for value in node:
                walk(value, name)

    walk(yaml.safe_load((schemas / "core.schema.yaml").read_text()), "")
    assert {t: found[t] for t in R_KEYWORDS} == R_KEYWORDS
    assert "pictureframe" not in found
