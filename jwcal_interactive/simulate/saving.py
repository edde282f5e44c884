"""Saving files whole: under their final name in a folder of their own, then moved into place."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from jwcal_interactive.errors import OutputError

__all__ = ["save_whole"]


def save_whole(path: Path, save: Callable[[Path], object]) -> Path:
    """Call ``save`` on a temporary path with the same file name, then move the file to ``path``.

    The file name is kept because stdatamodels records it in the keyword FILENAME.

    Raises
    ------
    OutputError
        If the operating system refuses to write; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".saving-", dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            save(temporary)
            temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or error}). Free disk space or choose another folder."
        ) from error
    return path
