"""Asking CRDS, on small caches of the tests and on real mappings."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_exposure

from jwcal_interactive.arrays import Card, Exposure
from jwcal_interactive.errors import ReferenceError
from jwcal_interactive.io.raw import read_exposure
from jwcal_interactive.references import client
from jwcal_interactive.references.client import crds_environment, find_references, open_context
from jwcal_interactive.references.parkeys import PARKEYS, crds_header


@pytest.fixture(scope="module")
def exposure(tiny_template: Path) -> Exposure:
    return read_exposure(tiny_template)


@pytest.fixture
def context(tiny_context: Path) -> Any:
    return open_context()


class TestContext:
    def test_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("CRDS_PATH", "CRDS_CONTEXT", "CRDS_SERVER_URL"):
            monkeypatch.delenv(name, raising=False)
        context = open_context()
        assert context.name == ""
        assert context.pmap is None
        assert context.environment["CRDS_PATH"] == str(Path.home() / "crds_cache")
        assert context.environment["CRDS_SERVER_URL"] == "https://jwst-crds.stsci.edu"

    def test_argument_wins(self, tiny_context: Path) -> None:
        assert open_context("jwst_0042.pmap").pmap == "jwst_0042.pmap"
        assert open_context().pmap == tiny_exposure.CONTEXT

    @pytest.mark.parametrize(
        "name", ["jwst_1364.pmap", "jwst-operational", "jwst-edit", "jwst-2024-01-15T00:05:00"]
    )
    def test_known_forms(self, name: str) -> None:
        assert open_context(name).name == name

    @pytest.mark.parametrize(
        "name", ["DEMO", "1364", "hst_0001.pmap", "../x.pmap", "jwst_1.pmap; rm", "jwst_/../x"]
    )
    def test_refused_forms(self, name: str) -> None:
        with pytest.raises(ReferenceError, match="give a CRDS context such as"):
            open_context(name)

    def test_environment_comes_back(self, context: Any) -> None:
        before = dict(os.environ)
        with contextlib.suppress(ZeroDivisionError), crds_environment(open_context("demo")):
            assert "CRDS_SERVER_URL" not in os.environ
            raise ZeroDivisionError
        assert dict(os.environ) == before

    def test_server_of_the_context(self, context: Any) -> None:
        from crds.client import api

        with crds_environment(open_context("demo")):
            assert "serverless" in api.get_crds_server()
        with crds_environment(context):
            assert api.get_crds_server() == "http://127.0.0.1:9"


class TestFind:
    def test_paths(self, context: Any, exposure: Exposure, tiny_cache: Path) -> None:
        pmap, paths = find_references(context, exposure, ("gain", "pars-jumpstep", "flat"))
        assert pmap == tiny_exposure.CONTEXT
        gain = tiny_cache / "references/jwst/nircam/jwst_nircam_gain_0001.fits"
        assert paths == {"gain": str(gain), "pars-jumpstep": None, "flat": None}

    def test_no_match(self, context: Any, exposure: Exposure) -> None:
        other = replace(
            exposure, detector="NRCBLONG", primary=(Card("DETECTOR", "NRCBLONG", ""), *exposure.primary)
        )
        with pytest.raises(ReferenceError, match=r"no reference of type gain .*NIRCAM NRCBLONG") as caught:
            find_references(context, other, ("gain",))
        assert "override" in str(caught.value)

    def test_instrument_without_mapping(self, context: Any, exposure: Exposure) -> None:
        primary = (Card("INSTRUME", "NIRISS", ""), Card("DETECTOR", "NIS", ""), *exposure.primary)
        with pytest.raises(ReferenceError, match="NIRISS"):
            find_references(context, replace(exposure, instrument="NIRISS", primary=primary), ("gain",))

    def test_prints_nothing(
        self, context: Any, exposure: Exposure, tmp_path: Path, monkeypatch: Any, capfd: Any
    ) -> None:
        monkeypatch.setenv("CRDS_PATH", str(tmp_path))
        with pytest.raises(ReferenceError):
            find_references(open_context(), exposure, ("gain",))
        find_references(context, exposure, ("gain",))
        assert capfd.readouterr() == ("", "")

    def test_cache_that_is_swapped(
        self, exposure: Exposure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """``crds`` remembers mappings by name."""
        found = []
        for name in ("one", "two", "one"):
            if not (tmp_path / name).exists():
                tiny_exposure.build_crds_cache(tmp_path / name)
            monkeypatch.setenv("CRDS_PATH", str(tmp_path / name))
            monkeypatch.setenv("CRDS_CONTEXT", tiny_exposure.CONTEXT)
            found.append(find_references(open_context(), exposure, ("gain",))[1]["gain"])
        assert [Path(f).relative_to(tmp_path).parts[0] for f in found] == ["one", "two", "one"]


class TestHeader:
    def test_what_is_there(self, exposure: Exposure) -> None:
        header = crds_header(exposure)
        assert header["META.INSTRUMENT.NAME"] == "NIRCAM"
        assert header["META.EXPOSURE.NGROUPS"] == 5
        assert header["META.OBSERVATION.DATE"] == "2024-03-15"
        assert "META.INSTRUMENT.BAND" not in header

    def test_keywords_are_those_of_the_schemas(self, tiny_template: Path) -> None:
        from stdatamodels.jwst import datamodels

        with datamodels.open(tiny_template) as model:
            for name, keyword in PARKEYS.items():
                assert name.lower() in model.find_fits_keyword(keyword), (name, keyword)

    def test_nothing_that_the_official_header_has_is_missing(
        self, tiny_template: Path, exposure: Exposure
    ) -> None:
        """Every parameter that real CRDS rules of stage 1 select on and that the file holds."""
        from stdatamodels.jwst import datamodels

        with datamodels.open(tiny_template) as model:
            official = {k.upper(): v for k, v in model.get_crds_parameters().items()}
        ours = crds_header(exposure)
        for name, value in ours.items():
            assert official[name] == value, name


# --- real mappings -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A cache of real mappings; the files they name are empty."""
    folder = os.environ.get("JWCAL_TEST_DATA")
    if not folder:
        pytest.skip("JWCAL_TEST_DATA is not set: no real CRDS mappings")
    source = Path(folder) / "crds_ground"
    oracle = json.loads((source / "bestrefs_oracle.json").read_text())
    root = tmp_path_factory.mktemp("ground")
    shutil.copytree(source / "mappings", root / "mappings")
    (root / "config" / "jwst").mkdir(parents=True)
    server = {
        "observatory": "jwst",
        "operational_context": oracle["context"],
        "bad_files_list": [],
        "last_synced": "",
    }
    (root / "config" / "jwst" / "server_config").write_text(repr(server))
    (root / "config" / "jwst" / "ref_cache_subdir_mode").write_text("instrument\n")
    for instrument, answers in oracle["bestrefs_by_crds_lib"].items():
        references = root / "references" / "jwst" / instrument.lower()
        references.mkdir(parents=True)
        for name in answers.values():
            if not name.startswith("NOT FOUND"):
                (references / name).touch()
    return root, oracle


@pytest.mark.parametrize("instrument", ["MIRI", "NIRCAM"])
def test_real_mappings(
    instrument: str, ground: tuple[Path, dict[str, Any]], exposure: Exposure, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, oracle = ground
    monkeypatch.setenv("CRDS_PATH", str(root))
    monkeypatch.setenv("CRDS_SERVER_URL", "http://127.0.0.1:9")
    header = next(h for h in oracle["headers"] if h["META.INSTRUMENT.NAME"] == instrument)
    keywords = {PARKEYS[k]: v for k, v in header.items() if k in PARKEYS}
    facts = replace(
        exposure, instrument=instrument, sci=(), primary=tuple(Card(k, v, "") for k, v in keywords.items())
    )
    answers = oracle["bestrefs_by_crds_lib"][instrument]
    context = open_context(oracle["context"])
    sure = tuple(t for t, a in answers.items() if not a.startswith("NOT FOUND"))
    pmap, paths = find_references(context, facts, sure)
    assert pmap == oracle["context"]
    assert {t: Path(str(p)).name for t, p in paths.items()} == {t: answers[t] for t in sure}
    for reftype, answer in answers.items():
        if answer == "NOT FOUND n/a":
            assert find_references(context, facts, (reftype,))[1] == {reftype: None}
        elif answer.startswith("NOT FOUND"):
            with pytest.raises(ReferenceError, match=reftype):
                find_references(context, facts, (reftype,))


def test_one_lock_for_all_threads(context: Any) -> None:
    assert client._lock.acquire(blocking=False)
    client._lock.release()
