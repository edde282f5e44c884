"""Running a parameterized notebook headless, with the checks that papermill leaves out."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jwcal_interactive.errors import InputError, NotebookError, ParameterError, one_line
from jwcal_interactive.io.atomic import atomic_path, writable_folder

__all__ = ["run_notebook"]

_TRIES = 3  # a kernel sometimes dies at its start because another took its port


def run_notebook(
    notebook: str | Path,
    output: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
) -> Path:
    """Run a notebook with papermill and write the executed copy.

    papermill checks neither the names nor the values of parameters, and puts both into code; here only names
    that the notebook declares and plain JSON values are let through.

    Parameters
    ----------
    notebook : str or Path
        With a cell tagged ``parameters``.
    output : str or Path
        Executed copy; written also when a cell fails, with the error in it.
    parameters : mapping, optional
        Values that replace those of the ``parameters`` cell.
    folder : str or Path, optional
        Working folder of the notebook; by default the folder of the output.

    Returns
    -------
    Path
        Of the executed copy.

    Raises
    ------
    InputError
        If the notebook does not exist.
    ParameterError
        For a name that it does not declare or a value that is not plain JSON.
    NotebookError
        If a cell fails or the kernel dies.
    """
    from papermill.exceptions import PapermillExecutionError

    notebook, output = Path(notebook), Path(output)
    if not notebook.is_file():
        raise InputError(f"{notebook}: no such notebook. Check the path.")
    values = dict(parameters or {})
    _check(notebook, values)
    run_folder = writable_folder(output.parent if folder is None else folder)
    writable_folder(output.parent)
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / "executed.ipynb"
        try:
            _execute(notebook, draft, values, run_folder)
        except _KernelDiedError as death:
            raise NotebookError(f"{notebook}: {death} (see {output}).") from death
        except PapermillExecutionError as error:
            reason = error.evalue or one_line(error)
            raise NotebookError(f"{notebook}: did not run to its end: {reason} (see {output}).") from error
        finally:
            if draft.exists():
                with atomic_path(output) as temporary:
                    temporary.write_bytes(draft.read_bytes())
    return output


class _KernelDiedError(Exception):
    """The kernel ended by itself."""


def _execute(notebook: Path, draft: Path, values: Mapping[str, Any], folder: Path) -> None:
    """Run with papermill; try again only if the kernel died before any cell began."""
    import papermill

    for attempt in range(1, _TRIES + 1):
        draft.unlink(missing_ok=True)
        try:
            papermill.execute_notebook(
                str(notebook),
                str(draft),
                dict(values),
                cwd=str(folder),
                progress_bar=False,
                log_output=False,
                extra_arguments=["--IPKernelApp.log_level=40"],  # errors only
            )
        except RuntimeError as error:  # that of nbclient and jupyter_client for a kernel that is gone
            began = _cells_begun(draft)
            if began:
                raise _KernelDiedError(
                    f"the kernel died while code cell {began} ran: the system may have ended it because the "
                    "memory was used up. Close other programs, or take a smaller exposure"
                ) from error
            if attempt == _TRIES:
                raise _KernelDiedError(
                    f"the kernel died {_TRIES} times at its start ({one_line(error)})"
                ) from error
        else:
            return


def _cells_begun(draft: Path) -> int:
    """Count the code cells that papermill began to run, in the copy that it writes as it goes."""
    import nbformat

    if not draft.exists():
        return 0
    cells = nbformat.read(draft, as_version=4).cells
    return sum(c.cell_type == "code" and bool(c.metadata.get("papermill", {}).get("start_time")) for c in cells)


def _check(notebook: Path, values: Mapping[str, Any]) -> None:
    import papermill

    if not values:
        return
    declared = set(papermill.inspect_notebook(str(notebook)))
    for name, value in values.items():
        if name not in declared:
            raise ParameterError(
                f"{notebook}: declares no parameter {name!r}; it has: {', '.join(sorted(declared)) or 'none'}."
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise ParameterError(f"{notebook}: {name} = {value} is not allowed: it must be finite.")
        try:
            plain = json.loads(json.dumps(value)) == value and not isinstance(value, (tuple, set))
        except (TypeError, ValueError):
            plain = False
        if not plain:
            raise ParameterError(
                f"{notebook}: {name} = {value!r} is not allowed: use text, numbers, true/false, lists."
            )
