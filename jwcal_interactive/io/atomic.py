"""Writing files so that a reader sees the whole file or none."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from jwcal_interactive.errors import OutputError, one_line

__all__ = ["Together", "atomic_path", "writable_folder"]


class Together:
    """Files that appear together when a ``with`` block ends without an error, or not at all.

    >>> with Together() as files, files.writing(Path("a.txt")) as temporary:  # doctest: +SKIP
    ...     temporary.write_text("whole")
    """

    def __init__(self) -> None:
        self._temporary: dict[Path, Path] = {}
        self._endings = contextlib.ExitStack()

    def __enter__(self) -> Together:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exc: object) -> None:
        try:
            self._endings.close()
            if kind is None:
                self._appear()
        finally:
            for temporary in self._temporary.values():
                temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def writing(self, path: Path) -> Iterator[Path]:
        """Give a temporary name beside ``path``, to be written in the block.

        Raises
        ------
        OutputError
            If the operating system refuses to write (permission, disk full).
        """
        temporary = self.reserve(path)
        with self.explained(path):
            yield temporary

    def reserve(self, path: Path) -> Path:
        """Give a temporary name beside ``path``; the same one if it is asked for again."""
        name = f".{path.stem}.{secrets.token_hex(4)}{path.suffix}"
        return self._temporary.setdefault(path, path.with_name(name))

    def explained(self, path: Path) -> contextlib.AbstractContextManager[None]:
        """Turn what the operating system refuses in a block into an `OutputError` about ``path``."""
        return _explained(path)

    def on_exit(self, ending: Callable[[], None]) -> None:
        """Call ``ending`` before the files appear or are removed."""
        self._endings.callback(ending)

    def _appear(self) -> None:
        """Move all files to their places; if one cannot be moved, bring back what the others replaced."""
        kept = {path: path.with_name(f".{path.name}.{secrets.token_hex(4)}") for path in self._temporary}
        done: list[Path] = []
        try:
            for path, temporary in self._temporary.items():
                with _explained(path):
                    if len(kept) > 1 and path.exists():
                        _keep(path, kept[path])
                    temporary.replace(path)
                done.append(path)
        except OutputError:
            for path in done:
                if kept[path].exists():
                    kept[path].replace(path)
                else:
                    path.unlink(missing_ok=True)
            raise
        finally:
            for old in kept.values():
                old.unlink(missing_ok=True)


def _keep(path: Path, old: Path) -> None:
    """Give a file a second name; where the file system has no links, a copy."""
    try:
        old.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, old)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; it replaces ``path`` if the block ends without an error.

    Raises
    ------
    OutputError
        If the operating system refuses to write (permission, disk full); the temporary file is removed.
    """
    with Together() as files, files.writing(path) as temporary:
        yield temporary


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror or one_line(error)}). Nothing was left behind; free "
            "disk space or choose another folder with --output-dir."
        ) from error


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
