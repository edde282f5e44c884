"""Running a parameterized notebook headless, with the checks that papermill leaves out."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jwcal_interactive.errors import InputError, NotebookError, ParameterError
from jwcal_interactive.io.atomic import atomic_path, writable_folder

__all__ = ["run_notebook"]

_TRIES = 3  # a kernel sometimes dies at start because another took its port


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
    import papermill
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
        failure: Exception | None = None
        for _ in range(_TRIES):
            try:
                papermill.execute_notebook(
                    str(notebook),
                    str(draft),
                    values,
                    cwd=str(run_folder),
                    progress_bar=False,
                    log_output=False,
                    extra_arguments=["--IPKernelApp.log_level=40"],  # errors only
                )
                failure = None
            except PapermillExecutionError as error:
                failure = error
            except RuntimeError as error:  # the kernel died before it answered
                failure = error
                continue
            break
        if draft.exists():
            with atomic_path(output) as temporary:
                temporary.write_bytes(draft.read_bytes())
    if failure is not None:
        reason = getattr(failure, "evalue", "") or str(failure)
        raise NotebookError(f"{notebook}: did not run to its end: {reason} (see {output}).") from failure
    return output


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
