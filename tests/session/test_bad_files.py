"""Session files, notebooks and notebook parameters that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("tiny_context")


VERSION_1 = {
    "format": "jwcal session", "version": 1, "exposure": "x.fits", "pipeline": "detector1", "context": "x",
    "position": 0, "timeline": [{"values": {}, "overrides": []}], "history": [],
}  # fmt: skip
NODE = {"number": 0, "parent": None, "change": "", "time": "", "values": {}, "overrides": [], "edits": []}
CHILD = NODE | {"number": 1, "parent": 0}
EDIT = {"after": "jump", "flag": "JUMP_DET", "action": "set", "boxes": [[0, 0, 1, 1]], "integrations": None,
        "groups": None}  # fmt: skip
VERSION_2 = {
    "format": "jwcal session", "version": 2, "exposure": "x.fits", "pipeline": "detector1", "context": "x",
    "edits": [EDIT], "nodes": [NODE], "next_number": 1, "present": 0,
    "branches": {"main": 0}, "branch": "main", "history": [],
}  # fmt: skip


@pytest.mark.parametrize("document", [VERSION_1, VERSION_2 | {"nodes": [NODE, CHILD | {"edits": [0]}]}])
def test_what_the_garbage_is_made_of_is_none(document: dict[str, Any], tmp_path: Path) -> None:
    from jwcal_interactive.session.saved import read_session

    file = tmp_path / "s.json"
    file.write_text(json.dumps(document))
    assert read_session(file).tree.branch == "main"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"garbage", b"{}", b"[]", b"null", b"3", b"\xff\xfe\x00", b'{"format": "jwcal session"}',
        *(
            json.dumps(VERSION_1 | wrong).encode()
            for wrong in (
                {"version": 99}, {"timeline": 3}, {"timeline": []}, {"position": 1}, {"position": -1},
                {"position": "x"}, {"exposure": None}, {"history": [{}]}, {"history": ["x"]},
                {"timeline": [{"values": [], "overrides": []}]}, {"timeline": [{"values": {"jump": 3}}]},
                {"timeline": [{"values": {}, "overrides": ["x"]}]},
            )
        ),
        *(
            json.dumps(VERSION_2 | wrong).encode()
            for wrong in (
                {"version": 1}, {"nodes": []}, {"nodes": 3}, {"nodes": [{}]}, {"nodes": ["x"]}, {"present": 1},
                {"present": None}, {"next_number": None}, {"branches": {}}, {"branches": {"main": 4}},
                {"branches": ["main"]},
                {"branch": "x"}, {"nodes": [NODE, NODE | {"number": 1}]}, {"nodes": [CHILD]},
                {"nodes": [NODE, CHILD | {"parent": 1}]}, {"nodes": [NODE, CHILD | {"parent": 2}]},
                {"nodes": [NODE | {"edits": [1]}]}, {"nodes": [NODE | {"edits": [-1]}]},
                {"nodes": [NODE | {"edits": ["x"]}]}, {"nodes": [NODE | {"edits": 3}]}, {"edits": [{}]},
                {"edits": 3}, {"edits": [EDIT | {"action": "x"}]}, {"edits": [EDIT | {"boxes": [[0, 0, 1]]}]},
                {"edits": [EDIT | {"boxes": 3}]}, {"edits": [EDIT | {"groups": [1]}]},
                {"edits": [EDIT | {"groups": ["0", "1"]}]}, {"edits": [EDIT | {"groups": [0, 1.5]}]},
            )
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["json", "ipynb"])
def test_garbage_session(content: bytes, ending: str, tmp_path: Path) -> None:
    from jwcal_interactive import InputError, open_session

    file = tmp_path / f"session.{ending}"
    file.write_bytes(content)
    with pytest.raises(InputError, match="not a session file") as caught:
        open_session(file)
    assert str(file) in str(caught.value)


def test_notebook_without_session(tmp_path: Path) -> None:
    import nbformat

    from jwcal_interactive import InputError, open_session

    file = tmp_path / "plain.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), file)
    with pytest.raises(InputError, match="not a session file"):
        open_session(file)


def test_session_of_an_exposure_that_is_gone(tiny_raw: Path, tmp_path: Path) -> None:
    from jwcal_interactive import InputError, open_session

    file = open_session(tiny_raw).save(tmp_path / "s.json")
    tiny_raw.unlink()
    with pytest.raises(InputError, match=r"is not there.*exposure=\.\.\."):
        open_session(file)


def test_exposure_that_was_moved(tiny_raw: Path, tmp_path: Path) -> None:
    from jwcal_interactive import InputError, open_session

    session = open_session(tiny_raw)
    session.set("jump", rejection_threshold=7)
    file = session.save(tmp_path / "s.json")
    moved = tiny_raw.rename(tmp_path / tiny_raw.name)
    assert open_session(file, exposure=moved).settings == session.settings
    with pytest.raises(InputError, match="goes with a saved session"):
        open_session(moved, exposure=moved)


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ({"jump": {"rejection_threshold": -1}}, "rejection_threshold"),
        ({"jump": {"nonsense": 1}}, "nonsense"),
        ({"jmup": {"rejection_threshold": 5}}, "jmup"),
    ],
)
def test_session_with_bad_settings(values: Any, settings: str, tiny_raw: Path, tmp_path: Path) -> None:
    from jwcal_interactive import ParameterError, open_session

    file = open_session(tiny_raw).save(tmp_path / "s.json")
    document = json.loads(file.read_text())
    document["nodes"][0]["values"] = values
    file.write_text(json.dumps(document))
    with pytest.raises(ParameterError, match=settings):
        open_session(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unknown", 1),
        ("input_file = 1; import os; os.abort()  #", "x"),
        ("output_dir", float("nan")),
        ("output_dir", ("a", "b")),
        ("output_dir", {1: 2}),
        ("output_dir", object()),
        ("output_dir", Path("x")),
    ],
)
def test_notebook_parameters(name: str, value: Any, tiny_raw: Path, tmp_path: Path) -> None:
    from jwcal_interactive import ParameterError, open_session
    from jwcal_interactive.notebook_run import run_notebook

    notebook = open_session(tiny_raw).export(tmp_path / "n.ipynb")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ParameterError) as caught:
        run_notebook(notebook, tmp_path / "executed.ipynb", {name: value})
    assert str(notebook) in str(caught.value)
    assert set(tmp_path.rglob("*")) == before
