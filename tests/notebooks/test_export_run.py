"""The exported notebook, run by papermill in a kernel of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import tiny_exposure

from jwcal_interactive import InputError, NotebookError, Session, open_session
from jwcal_interactive.io.raw import read_arrays
from jwcal_interactive.notebook_run import run_notebook

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.usefixtures("tiny_context"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def session(tiny_raw: Path) -> Session:
    session = open_session(tiny_raw)
    session.set("jump", rejection_threshold=5.5)
    session.run()
    return session


def arrays(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    return {p.name.rpartition("_")[2]: read_arrays(p) for p in sorted(folder.glob("*.fits"))}


def identical(one: Any, two: Any) -> bool:
    return one.keys() == two.keys() and all(
        one[p].keys() == two[p].keys() and all(one[p][n].tobytes() == two[p][n].tobytes() for n in one[p])
        for p in one
    )


def printed(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.get("text", "") for c in cells for o in c.get("outputs", []))


def test_same_input(session: Session, tmp_path: Path) -> None:
    session.write(tmp_path / "interactive")
    notebook = session.export(tmp_path / "n.ipynb")
    executed = run_notebook(notebook, tmp_path / "executed.ipynb")
    assert identical(arrays(tmp_path / "interactive"), arrays(tmp_path / "products"))
    assert "arrays identical to the exported session: True" in printed(executed)


@pytest.mark.parametrize("count", [1, 60], ids=["inside", "beside"])
def test_edits_of_flags(count: int, session: Session, tmp_path: Path) -> None:
    boxes = [(x, 10, x + 1, 12) for x in range(2, 2 + count)]
    session.edit_flags("dq_init", "DO_NOT_USE", boxes=boxes)
    session.edit_flags("jump", "JUMP_DET", boxes=[(30, 20, 31, 21)], groups=(0, 5), clear=True)
    session.run()
    session.write(tmp_path / "interactive")
    notebook = session.export(tmp_path / "n.ipynb")
    assert (tmp_path / "n.edits.json").exists() == (count > 1)
    executed = run_notebook(notebook, tmp_path / "executed.ipynb")
    assert identical(arrays(tmp_path / "interactive"), arrays(tmp_path / "products"))
    assert "arrays identical to the exported session: True" in printed(executed)


def test_other_input_and_value(session: Session, tmp_path: Path) -> None:
    other = tiny_exposure.write_raw(tmp_path / "jw00042001002_02101_00001_nrcalong_uncal.fits", seed=5)
    notebook = session.export(tmp_path / "n.ipynb")
    values = {"input_file": str(other), "output_dir": str(tmp_path / "out"), "jump_rejection_threshold": 2.0}
    executed = run_notebook(notebook, tmp_path / "executed.ipynb", values)
    by_hand = open_session(other)
    by_hand.set("jump", rejection_threshold=2.0)
    by_hand.run()
    by_hand.write(tmp_path / "by_hand")
    assert identical(arrays(tmp_path / "by_hand"), arrays(tmp_path / "out"))
    assert {p.name.partition("_")[0] for p in (tmp_path / "out").iterdir()} == {"jw00042001002"}
    assert "nothing to compare with" in printed(executed)
    by_hand.reset("jump")
    by_hand.run()
    by_hand.write(tmp_path / "default")
    assert not identical(arrays(tmp_path / "default"), arrays(tmp_path / "out"))


def test_failing_cell(session: Session, tmp_path: Path) -> None:
    notebook = session.export(tmp_path / "n.ipynb")
    with pytest.raises(NotebookError, match=r"no such file.*executed\.ipynb"):
        run_notebook(notebook, tmp_path / "executed.ipynb", {"input_file": "nowhere.fits"})
    assert "no such file" in (tmp_path / "executed.ipynb").read_text()


def test_text_is_never_code(session: Session, tmp_path: Path) -> None:
    notebook = session.export(tmp_path / "n.ipynb")
    attack = f'x"; open({str(tmp_path / "broken")!r}, "w"); "'
    with pytest.raises(NotebookError, match="no such file"):
        run_notebook(notebook, tmp_path / "executed.ipynb", {"input_file": attack})
    assert not (tmp_path / "broken").exists()


def test_missing_notebook(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such notebook"):
        run_notebook(tmp_path / "no.ipynb", tmp_path / "out.ipynb")
