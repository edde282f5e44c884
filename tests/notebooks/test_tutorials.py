"""Every tutorial runs headless, from its parameters to its end."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from jwcal_interactive.notebook_run import run_notebook

pytestmark = [pytest.mark.notebook, pytest.mark.filterwarnings("ignore")]

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.stem)
def test_tutorial(notebook: Path, tmp_path: Path) -> None:
    executed = run_notebook(notebook, tmp_path / "executed.ipynb", {"output_dir": str(tmp_path / "demo")})
    cells = [c for c in nbformat.read(executed, as_version=4).cells if c.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    text = "".join(o.get("text", "") for c in cells for o in c.outputs)
    products = sorted((tmp_path / "demo").glob("*_rate.fits"))
    assert products
    assert str(products[0]) in text
