"""Kernels that die: tried again only if nothing has run yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import DeadKernelError

from jwcal_interactive import NotebookError
from jwcal_interactive.notebook_run import run_notebook

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def notebook(path: Path, *code: str) -> Path:
    cells = [nbformat.v4.new_markdown_cell("text"), *map(nbformat.v4.new_code_cell, code)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


@pytest.mark.notebook
def test_kernel_that_is_killed(tmp_path: Path) -> None:
    """As the system does when the memory is used up; what the cell did is not done again."""
    kill = "import os, signal\nopen('ran', 'a').write('x')\nos.kill(os.getpid(), signal.SIGKILL)"
    path = notebook(tmp_path / "n.ipynb", "print('first cell')", kill, "print('never')")
    with pytest.raises(NotebookError, match=r"kernel died while code cell 2 ran.*memory.*executed\.ipynb"):
        run_notebook(path, tmp_path / "executed.ipynb")
    assert (tmp_path / "ran").read_text() == "x"
    assert "first cell" in str(nbformat.read(tmp_path / "executed.ipynb", as_version=4).cells[1].outputs)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each start of a kernel; it dies at the first ones, whose number the test gives."""
    import papermill

    made: list[str] = []

    def execute(_notebook: str, draft: str, *_arguments: Any, **_named: Any) -> None:
        deaths = made[0]
        made.append(draft)
        cells = nbformat.read(_notebook, as_version=4)
        nbformat.write(cells, draft)
        if len(made) - 1 <= int(deaths):
            raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(papermill, "execute_notebook", execute)
    return made


@pytest.mark.parametrize("deaths", [0, 1, 2])
def test_kernel_that_does_not_start_at_once(deaths: int, starts: list[str], tmp_path: Path) -> None:
    starts.append(str(deaths))
    assert run_notebook(notebook(tmp_path / "n.ipynb", "1"), tmp_path / "executed.ipynb").exists()
    assert len(starts) == 1 + deaths + 1


def test_kernel_that_never_starts(starts: list[str], tmp_path: Path) -> None:
    starts.append("9")
    with pytest.raises(NotebookError, match=r"died 3 times at its start \(Kernel died before replying"):
        run_notebook(notebook(tmp_path / "n.ipynb", "1"), tmp_path / "executed.ipynb")
    assert len(starts) == 1 + 3


def test_death_is_a_runtime_error() -> None:
    assert issubclass(DeadKernelError, RuntimeError)
