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
    with pytest.raises(InputError, match="no such file"):
        write_workbench_notebook(tmp_path / name, tmp_path)
    assert not list(tmp_path.glob("*.ipynb"))


def test_folder_that_cannot_be_written(tmp_path: Path, raw_sub640: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        write_workbench_notebook(raw_sub640, tmp_path / "file" / "below")
