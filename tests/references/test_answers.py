"""Answers of CRDS that are remembered."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny_exposure

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.io.raw import read_exposure
from jwcal_interactive.references import answers, client
from jwcal_interactive.references.client import find_references, open_context


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "answers.json"
    monkeypatch.setattr(answers, "_ledger", lambda: path)
    return path


@pytest.fixture
def own_cache(tiny_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the CRDS cache that may be changed."""
    root = Path(shutil.copytree(tiny_cache, tmp_path / "crds"))
    monkeypatch.setenv("CRDS_PATH", str(root))
    monkeypatch.setenv("CRDS_CONTEXT", tiny_exposure.CONTEXT)
    monkeypatch.setenv("CRDS_SERVER_URL", "http://127.0.0.1:9")
    return root


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Reference types of each question that reached ``crds``."""
    questions: list[tuple[str, ...]] = []
    plain: Any = client._ask

    def counted(context: Any, exposure: Any, reftypes: tuple[str, ...]) -> Any:
        questions.append(reftypes)
        return plain(context, exposure, reftypes)

    monkeypatch.setattr(client, "_ask", counted)
    return questions


@pytest.fixture
def exposure(tiny_raw: Path) -> Exposure:
    return read_exposure(tiny_raw)


TYPES = ("gain", "mask", "pars-jumpstep")


@pytest.mark.usefixtures("ledger", "own_cache")
def test_asked_once(asked: list[Any], exposure: Exposure) -> None:
    first = find_references(open_context(), exposure, TYPES)
    assert find_references(open_context(), exposure, TYPES) == first
    assert asked == [TYPES]
    find_references(open_context(), exposure, ("gain",))
    assert asked == [TYPES, ("gain",)]


@pytest.mark.parametrize("kind", ["*.pmap", "*nircam*.imap", "*gain*.rmap"])
@pytest.mark.usefixtures("ledger")
def test_rules_that_change(kind: str, own_cache: Path, asked: list[Any], exposure: Exposure) -> None:
    find_references(open_context(), exposure, TYPES)
    (mapping,) = (own_cache / "mappings" / "jwst").glob(kind)
    mapping.write_text(mapping.read_text())  # the same text, written anew
    find_references(open_context(), exposure, TYPES)
    assert len(asked) == 2


@pytest.mark.usefixtures("ledger")
def test_reference_that_is_gone(own_cache: Path, asked: list[Any], exposure: Exposure) -> None:
    _, paths = find_references(open_context(), exposure, TYPES)
    Path(str(paths["gain"])).unlink()
    with pytest.raises(client.ReferenceError):
        find_references(open_context(), exposure, TYPES)
    assert len(asked) == 2


@pytest.mark.usefixtures("ledger", "own_cache")
def test_other_header_or_setting(asked: list[Any], exposure: Exposure, monkeypatch: pytest.MonkeyPatch) -> None:
    find_references(open_context(), exposure, TYPES)
    monkeypatch.setenv("CRDS_ALLOW_BAD_REFERENCES", "1")
    find_references(open_context(), exposure, TYPES)
    assert len(asked) == 2


@pytest.mark.usefixtures("ledger", "own_cache")
def test_a_server_is_asked_again_after_a_day(
    asked: list[Any], exposure: Exposure, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_references(open_context(), exposure, TYPES)
    now = answers.time.time()
    monkeypatch.setattr(answers.time, "time", lambda: now + 25 * 3600)
    find_references(open_context(), exposure, TYPES)
    assert len(asked) == 2


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 1}', '{"x": {"time": "soon"}}'])
@pytest.mark.usefixtures("own_cache")
def test_damaged_ledger(content: str, ledger: Path, asked: list[Any], exposure: Exposure) -> None:
    ledger.write_text(content)
    first = find_references(open_context(), exposure, TYPES)
    assert find_references(open_context(), exposure, TYPES) == first
    assert len(asked) == 1


def test_context_in_operation_is_not_remembered(ledger: Path) -> None:
    question = answers.Question({"CRDS_PATH": "x", "CRDS_CONTEXT": None}, {}, ("gain",))
    assert not question.can_be_remembered
    answers.remember(question, "jwst_0001.pmap", {"gain": None}, ())
    assert not ledger.exists()
    assert answers.recall(question) is None
