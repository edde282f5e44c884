"""The exported notebook: its cells and what papermill reads from it; run by papermill in tests/notebooks."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
import tiny_exposure

from jwcal_interactive import OutputError, Session, open_session

pytestmark = [
    pytest.mark.usefixtures("tiny_context"),
    # papermill 2.6 and later import a module that jupyter_client has moved
    pytest.mark.filterwarnings("ignore::DeprecationWarning:papermill"),
]


@pytest.fixture
def session(tiny_raw: Path, tmp_path: Path) -> Session:
    session = open_session(tiny_raw)
    session.set("jump", rejection_threshold=5.5, flag_4_neighbors=False)
    session.set("ramp_fit", algorithm="OLS_C")
    session.override(
        "gain", tiny_exposure.write_reference(tmp_path, "gain", name="it's mine.fits"), step="jump"
    )
    session.override("dark", "N/A")
    return session


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code(notebook: Any) -> list[str]:
    return [c.source for c in notebook.cells if c.cell_type == "code"]


def test_valid_and_short(session: Session, tmp_path: Path) -> None:
    session.run()
    notebook = read(session.export(tmp_path / "n.ipynb"))
    nbformat.validate(notebook)
    assert len(notebook.cells) < 20
    for cell in code(notebook):
        ast.parse(cell)


def test_one_cell_of_parameters(session: Session, tmp_path: Path) -> None:
    notebook = read(session.export(tmp_path / "n.ipynb"))
    tagged = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert tagged[0].cell_type == "code"


def test_papermill_reads_names_types_values_and_help(session: Session, tmp_path: Path) -> None:
    found = papermill.inspect_notebook(str(session.export(tmp_path / "n.ipynb")))
    assert list(found) == [
        "input_file", "context", "jump_rejection_threshold", "jump_flag_4_neighbors",
        "ramp_fit_algorithm", "jump_override_gain", "dark_current_override_dark", "output_dir",
    ]  # fmt: skip
    threshold = found["jump_rejection_threshold"]
    assert threshold["inferred_type_name"] == "float"
    assert threshold["default"] == "5.5"
    assert threshold["help"].startswith("sigma, float ≥ 0; ")
    assert found["jump_flag_4_neighbors"]["inferred_type_name"] == "bool"
    assert found["ramp_fit_algorithm"]["inferred_type_name"] == "str"
    assert "it's mine" in found["jump_override_gain"]["default"]
    for facts in found.values():
        assert facts["help"]


def test_values_are_those_of_the_session(session: Session, tmp_path: Path) -> None:
    notebook = read(session.export(tmp_path / "n.ipynb"))
    values: dict[str, Any] = {}
    exec(code(notebook)[0], values)
    assert Path(values["input_file"]) == session.path.resolve()
    assert values["context"] == tiny_exposure.CONTEXT
    assert values["jump_rejection_threshold"] == 5.5
    assert values["jump_flag_4_neighbors"] is False
    assert values["jump_override_gain"] == str(tmp_path / "it's mine.fits")
    assert values["dark_current_override_dark"] == "N/A"


def test_code_repeats_the_session(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells, run here one after the other; papermill is left to the slow tests."""
    session.run()
    notebook = read(session.export(tmp_path / "n.ipynb"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for cell in code(notebook):
        exec(cell, names)
    assert names["session"].settings == session.settings
    assert names["session"].digest() == session.digest() == names["exported"]
    assert len(list((tmp_path / "products").iterdir())) == 2


def test_what_was_changed_is_told(session: Session, tmp_path: Path) -> None:
    text = read(session.export(tmp_path / "n.ipynb")).cells[3].source
    assert "- `jump.rejection_threshold` = 5.5 (without the change: 4.0)" in text
    assert "- `jump`: gain reference `it's mine.fits` instead" in text
    assert "- `dark_current`: dark reference `N/A` instead" in text


def test_only_public_names(session: Session, tmp_path: Path) -> None:
    import jwcal_interactive

    session.run()
    for cell in code(read(session.export(tmp_path / "n.ipynb"))):
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.ImportFrom):
                assert node.module == "jwcal_interactive"
                assert {a.name for a in node.names} <= set(jwcal_interactive.__all__)
            if isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_")


def test_untouched_steps_are_one_call(tiny_raw: Path, tmp_path: Path) -> None:
    cells = code(read(open_session(tiny_raw).export(tmp_path / "n.ipynb")))
    assert sum("session.run" in c for c in cells) == 1
    assert "Nothing was changed by hand" in str(read(tmp_path / "n.ipynb"))


def test_the_same_session_gives_the_same_file(session: Session, tmp_path: Path) -> None:
    one = session.export(tmp_path / "a.ipynb").read_bytes()
    assert session.export(tmp_path / "b.ipynb").read_bytes() == one


def test_before_it_ran(session: Session, tmp_path: Path) -> None:
    text = session.export(tmp_path / "n.ipynb").read_text()
    assert "had not run" in text
    assert "exported = " not in text


def test_references_are_named_with_their_hashes(session: Session, tmp_path: Path) -> None:
    session.run()
    text = session.export(tmp_path / "n.ipynb").read_text()
    used = [r for o in session.outcomes() for r in o.references if r.sha256]
    assert used
    for reference in used:
        assert reference.sha256[:16] in text


@pytest.mark.parametrize(
    "name",
    ["quote'.fits", 'double".fits', "new\nline_uncal.fits", "back\\slash.fits", "a=b#c.fits", "{x}.fits"],
)
def test_file_names_are_no_code(name: str, tiny_raw: Path, tmp_path: Path) -> None:
    path = tiny_raw.rename(tiny_raw.with_name(name))
    notebook = read(open_session(path).export(tmp_path / "n.ipynb"))
    values: dict[str, Any] = {}
    exec(code(notebook)[0], values)
    assert values["input_file"] == str(path.resolve())
    assert "input_file" in papermill.inspect_notebook(str(tmp_path / "n.ipynb"))


def test_cannot_be_written(session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        session.export(tmp_path / "file" / "n.ipynb")
