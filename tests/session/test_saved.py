"""Saving a session and opening it again, from its own file and from the notebook that it exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tiny_exposure

from jwcal_interactive import ParameterError, ReferenceError, Session, open_session

pytestmark = pytest.mark.usefixtures("tiny_context")


@pytest.fixture
def session(tiny_raw: Path, tmp_path: Path) -> Session:
    session = open_session(tiny_raw)
    session.set("jump", rejection_threshold=5.5)
    session.set("ipc", skip=True)
    session.override("gain", tiny_exposure.write_reference(tmp_path, "gain", name="other.fits"), step="jump")
    session.override("dark", "N/A")
    session.undo()
    session.run()
    return session


@pytest.mark.parametrize("ending", ["json", "ipynb"])
def test_round_trip(ending: str, session: Session, tmp_path: Path) -> None:
    file = tmp_path / "deeper" / "folder" / f"s.{ending}"
    saved = session.save(file) if ending == "json" else session.export(file)
    again = open_session(saved)
    assert again.tree.nodes == session.tree.nodes
    assert again.tree.branches == session.tree.branches
    assert (again.tree.present, again.tree.branch) == (session.tree.present, session.tree.branch)
    assert again.settings == session.settings
    assert again.context == session.context
    assert again.pipeline == session.pipeline
    assert again.history[:-1] == session.history
    assert again.history[-1].action == "open"
    assert [e.number for e in again.history] == list(range(1, len(again.history) + 1))
    again.run()
    assert again.digest() == session.digest()
    again.redo()
    assert again.settings.overrides["dark_current", "dark"] == "N/A"


def test_choices_of_opening(session: Session, tmp_path: Path) -> None:
    again = open_session(session.save(tmp_path / "s.json"), memory_limit=1, threads=1)
    again.run()
    assert len(again._results.cache._states) == 1
    assert again.digest() == session.digest()


def test_readable(session: Session, tmp_path: Path) -> None:
    text = session.save(tmp_path / "s.json").read_text()
    assert text.endswith("\n")
    document = json.loads(text)
    assert document["exposure"] == f"input/{session.path.name}"
    assert document["crds_context"] == tiny_exposure.CONTEXT


def test_moved_with_its_exposure(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(tmp_path / "input", folder / "input")
    session.save(tmp_path / "s.json").rename(folder / "s.json")
    again = open_session(folder / "s.json")
    assert again.path.resolve() == (folder / "input" / session.path.name).resolve()


def test_values_as_text_get_their_type(session: Session, tmp_path: Path) -> None:
    """Somebody edited the file by hand."""
    file = session.save(tmp_path / "s.json")
    document = json.loads(file.read_text())
    document["nodes"][1]["values"]["jump"]["rejection_threshold"] = "5.5"
    document["present"] = 1
    file.write_text(json.dumps(document))
    assert open_session(file).params("jump").rejection_threshold == 5.5


def test_override_of_a_type_that_is_not_used(session: Session, tmp_path: Path) -> None:
    file = session.save(tmp_path / "s.json")
    document = json.loads(file.read_text())
    document["nodes"][-1]["overrides"][0]["reftype"] = "flat"
    file.write_text(json.dumps(document))
    with pytest.raises(ParameterError, match="flat"):
        open_session(file)


def test_override_that_is_gone_can_be_mended(session: Session, tmp_path: Path) -> None:
    file = session.save(tmp_path / "s.json")
    (tmp_path / "other.fits").unlink()
    again = open_session(file)
    with pytest.raises(ReferenceError, match=r"other\.fits"):
        again.run()
    again.override("gain", None, step="jump")
    again.run()
    assert again.is_finished


def test_version_1(tiny_raw: Path, tmp_path: Path) -> None:
    """A file from before there were branches: a line of settings becomes the branch main."""
    entry = {
        "number": 1, "time": "2026-01-02T03:04:05+00:00", "action": "open", "step": "", "choices": {},
        "references": [], "outcome": "x", "reason": "", "seconds": 0.0, "peak_bytes": 0, "versions": {},
    }  # fmt: skip
    document = {
        "format": "jwcal session", "version": 1, "exposure": f"input/{tiny_raw.name}", "pipeline": "detector1",
        "context": "", "crds_context": tiny_exposure.CONTEXT, "position": 1, "history": [entry],
        "timeline": [
            {"values": {}, "overrides": []},
            {"values": {"jump": {"rejection_threshold": 5.5}}, "overrides": []},
            {"values": {}, "overrides": [{"step": "jump", "reftype": "gain", "file": "N/A"}]},
        ],
    }  # fmt: skip
    (tmp_path / "s.json").write_text(json.dumps(document))
    session = open_session(tmp_path / "s.json")
    assert (session.tree.present, session.tree.branch, dict(session.tree.branches)) == (1, "main", {"main": 1})
    assert session.params("jump").rejection_threshold == 5.5
    assert session.tree.node(2).change == "jump: rejection_threshold reset; jump: gain reference = N/A"
    assert (session.history[0].time, session.history[0].node) == ("2026-01-02T03:04:05+00:00", None)
    assert repr(session.history)
    session.redo()
    assert session.settings.overrides == {("jump", "gain"): "N/A"}
    again = open_session(session.save(tmp_path / "new.json"))
    assert again.tree.nodes == session.tree.nodes
    assert again.history[:-1] == session.history


def test_branches(session: Session, tmp_path: Path) -> None:
    session.branch("other", at=1)
    session.set("jump", minimum_groups=4)
    session.switch("main")
    session.delete_branch("other")
    session.branch("further")
    again = open_session(session.save(tmp_path / "s.json"))
    assert [n.number for n in again.tree.nodes] == [n.number for n in session.tree.nodes]
    assert again.tree.next_number == session.tree.next_number > max(n.number for n in session.tree.nodes) + 1
    assert again.tree.branch == "further"
    again.set("ipc", skip=False)
    again.switch("main")
    assert repr(again.tree) != repr(session.tree)
    assert again.settings == session.settings
