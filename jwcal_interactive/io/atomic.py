"""Writing files so that a reader sees the whole file or none."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from jwcal_interactive.errors import OutputError

__all__ = ["atomic_path", "writable_folder"]


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; it replaces ``path`` if the block ends without an error.

    Raises
    ------
    OutputError
        If the operating system refuses to write (permission, disk full); the temporary file is removed.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{path}: cannot be written ({reason}). Nothing was left behind; free disk space or choose "
            "another folder with --output-dir."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def writable_folder(path: str | Path) -> Path:
    """Create a folder if needed and make sure that files can be written there.

    Raises
    ------
    OutputError
        If it cannot be created or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".jwcal-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"{folder}: files cannot be written there ({error.strerror or error}). "
            "Choose another folder with --output-dir."
        ) from None
    return folder
