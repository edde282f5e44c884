"""The project itself: notebooks, layers, documents."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_are_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1


def test_layers() -> None:
    """Imports go one way (the contracts are in pyproject.toml)."""
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_documents_name_files_that_exist() -> None:
    for document in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text()
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("http") or (ROOT / target).exists(), f"{document}: {target}"
    for path in re.findall(r"`([a-z_]+(?:/[a-z_0-9]+)+\.py)`", (ROOT / "ARCHITECTURE.md").read_text()):
        assert (ROOT / "jwcal_interactive" / path).exists() or (ROOT / path).exists(), path


def test_binder_installs_this_project() -> None:
    assert (
        ROOT / "binder/requirements.txt"
    ).read_text().strip() == "./"  # with ".", repo2docker installs before it copies
    post_build = ROOT / "binder/postBuild"
    assert post_build.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", post_build], check=False).returncode == 0
