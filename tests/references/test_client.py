"""Asking CRDS, on small caches of the tests and on real mappings."""

from __future__ import annotations

import contextlib
import importlib.resources
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
from jwcal_interactive.references.book import R_KEYWORDS
from jwcal_interactive.references.client import crds_environment, find_references, open_context
from jwcal_interactive.references.parkeys import PARKEYS, crds_header
from jwcal_interactive.simulate.parameter_references import PARS_TYPES


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

    @pytest.mark.parametrize("name", ["jwst_0007", "jwst_0007.pmap"])
    def test_ending_may_be_left_out(
        self, name: str, tiny_context: Path, exposure: Exposure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert open_context(name) == open_context()
        monkeypatch.setenv("CRDS_CONTEXT", name)
        assert open_context().pmap == "jwst_0007.pmap"
        assert find_references(open_context(), exposure, ("gain",))[0] == "jwst_0007.pmap"

    @pytest.mark.parametrize(
        "name", ["DEMO", "1364", "hst_0001.pmap", "../x.pmap", "jwst_1.pmap; rm", "jwst_/../x", "jwst_1.rmap"]
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


PMAP, IMAP, RMAP = "jwst_0007.pmap", "jwst_nircam_0007.imap", "jwst_nircam_gain_0007.rmap"


class TestFailures:
    @pytest.fixture
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        root = tiny_exposure.build_crds_cache(tmp_path / "crds")
        monkeypatch.setenv("CRDS_PATH", str(root))
        monkeypatch.setenv("CRDS_CONTEXT", tiny_exposure.CONTEXT)
        monkeypatch.setenv("CRDS_SERVER_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("CRDS_CLIENT_RETRY_COUNT", "1")
        return root

    @pytest.mark.parametrize("name", [PMAP, IMAP, RMAP])
    @pytest.mark.parametrize(
        "damage",
        [
            lambda content: b"",
            lambda content: content[: len(content) // 2],
            lambda content: content.replace(b"tests", b"texts"),
            lambda content: b"header = {}\nselector = {}\n",
            lambda content: b"\x80\xff\x00",
        ],
        ids=["empty", "half", "changed", "no header", "not text"],
    )
    def test_damaged_mapping(self, name: str, damage: Any, cache: Path, exposure: Exposure) -> None:
        path = cache / "mappings/jwst" / name
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(
            ReferenceError, match=r"rules of CRDS context jwst_0007\.pmap are damaged"
        ) as caught:
            find_references(open_context(), exposure, ("gain",))
        assert f"{cache}/mappings/jwst" in str(caught.value)
        assert "cannot be reached" not in str(caught.value)

    @pytest.mark.parametrize("name", [PMAP, IMAP, RMAP])
    def test_missing_mapping(self, name: str, cache: Path, exposure: Exposure) -> None:
        (cache / "mappings/jwst" / name).unlink()
        with pytest.raises(ReferenceError, match=r"server http://127\.0\.0\.1:9 cannot be reached"):
            find_references(open_context(), exposure, ("gain",))

    def test_missing_reference(self, cache: Path, exposure: Exposure) -> None:
        (cache / "references/jwst/nircam/jwst_nircam_gain_0001.fits").unlink()
        with pytest.raises(ReferenceError, match=r"one of jwst_nircam_gain_0001\.fits.*cannot be reached"):
            find_references(open_context(), exposure, ("gain",))

    @pytest.mark.parametrize("content", ["", "{,", None])
    def test_no_server_and_nothing_known_of_one(
        self, content: str | None, cache: Path, exposure: Exposure
    ) -> None:
        config = cache / "config/jwst/server_config"
        config.unlink() if content is None else config.write_text(content)
        with pytest.raises(ReferenceError, match="server_config"):
            find_references(open_context(), exposure, ("gain",))

    def test_context_that_the_server_did_not_name(self, cache: Path, exposure: Exposure) -> None:
        with pytest.raises(ReferenceError, match=r"'jwst-edit' is unknown to the cache"):
            find_references(open_context("jwst-edit"), exposure, ("gain",))

    @pytest.mark.parametrize(
        "error", [AttributeError("typo"), KeyError("x"), ZeroDivisionError(), KeyboardInterrupt()]
    )
    def test_bugs_are_not_disguised(
        self, error: BaseException, cache: Path, exposure: Exposure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import crds

        def broken(*_arguments: Any, **_named: Any) -> Any:
            raise error

        monkeypatch.setattr(crds, "getrecommendations", broken)
        with pytest.raises(type(error)):
            find_references(open_context(), exposure, ("gain",))

    def test_other_errors_of_crds_are_quoted(
        self, cache: Path, exposure: Exposure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import crds

        def broken(*_arguments: Any, **_named: Any) -> Any:
            raise crds.CrdsError("something else")

        monkeypatch.setattr(crds, "getrecommendations", broken)
        with pytest.raises(ReferenceError, match="CrdsError: something else") as caught:
            find_references(open_context(), exposure, ("gain",))
        assert "cannot be reached" not in str(caught.value)


def parkeys_of_the_rules() -> dict[str, set[str]]:
    """What the rules of each type select on, in the specifications that come with ``crds``."""
    specs = json.loads(
        (importlib.resources.files("crds") / "jwst" / "specs" / "combined_specs.json").read_text()
    )
    found: dict[str, set[str]] = {}
    for instrument, types in specs.items():
        if instrument in ("fgs", "miri", "nircam", "niriss", "nirspec"):
            for reftype, spec in types.items():
                found.setdefault(reftype, set()).update(k for group in spec.get("parkey", ()) for k in group)
    return found


# Names in the specifications that are mistakes: no exposure has them.
MISTAKES = {"META.EXPOSUIRE.NOUTPUTS", "META.INSTRUMENT.EXP_TYPE"}


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

    def test_values_are_those_of_the_official_header(self, tiny_template: Path, exposure: Exposure) -> None:
        from stdatamodels.jwst import datamodels

        with datamodels.open(tiny_template) as model:
            official = {k.upper(): v for k, v in model.get_crds_parameters().items()}
        ours = crds_header(exposure)
        assert len(ours) > 15
        assert not MISTAKES & set(official)
        for name, value in ours.items():
            assert official[name] == value, name

    @pytest.mark.parametrize("reftype", [*R_KEYWORDS, *PARS_TYPES])
    def test_nothing_that_rules_select_on_is_missing(self, reftype: str) -> None:
        parkeys = parkeys_of_the_rules().get(reftype, set())
        if not reftype.startswith("pars-"):
            assert parkeys  # else the specifications are not read
        assert parkeys - MISTAKES <= set(PARKEYS)


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
