"""The notebook that opens the workbench."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from jwcal_interactive import InputError, OutputError
from jwcal_interactive.lab import write_workbench_notebook


def test_notebook_opens_the_file(tmp_path: Path, raw_sub640: Path) -> None:
    path = write_workbench_notebook(raw_sub640, tmp_path, context="demo")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    (code,) = [cell for cell in notebook.cells if cell.cell_type == "code"]
    compile(code.source, "cell", "exec")
    assert f"open_session({str(raw_sub640.resolve())!r}, context='demo')" in code.source
    assert "session.run()" not in code.source


def test_run_is_asked_for(tmp_path: Path, raw_sub640: Path) -> None:
    path = write_workbench_notebook(raw_sub640, tmp_path, run=True)
    assert "session.run()\\n" in path.read_text()


@pytest.mark.parametrize("name", ["missing_uncal.fits", "missing.json"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"no such .*file"):
        write_workbench_notebook(tmp_path / name, tmp_path)
    assert not list(tmp_path.glob("*.ipynb"))


def test_folder_that_cannot_be_written(tmp_path: Path, raw_sub640: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        write_workbench_notebook(raw_sub640, tmp_path / "file" / "below")


def test_cells_of_the_user_stay(tmp_path: Path, raw_sub640: Path) -> None:
    path = write_workbench_notebook(raw_sub640, tmp_path, context="demo")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("my = 'notes'"))
    nbformat.write(notebook, path)
    assert write_workbench_notebook(raw_sub640, tmp_path) == path
    cells = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert "context" not in cells[0]
    assert cells[1:] == ["my = 'notes'"]


@pytest.mark.parametrize(
    "content", ["not a notebook", '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}']
)
def test_file_of_that_name_that_is_no_workbench(content: str, tmp_path: Path, raw_sub640: Path) -> None:
    path = tmp_path / f"{raw_sub640.stem}_workbench.ipynb"
    path.write_text(content)
    with pytest.raises(InputError, match="is there already"):
        write_workbench_notebook(raw_sub640, tmp_path)
    assert path.read_text() == content
