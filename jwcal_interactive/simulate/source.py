"""What the simulator makes is kept under the hash of its source, and removed when that is superseded."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import shutil
import time
from pathlib import Path

import jwcal_interactive.dq as dq

__all__ = ["remove_superseded", "source_hash"]

_WEEK = 7 * 24 * 3600.0  # s
_REMOVED = ".removed-"


def source_hash() -> str:
    """SHA-256, as hexadecimal text, of the source that decides what the simulator makes."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    named = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*.py")}
    named["../dq.py"] = Path(dq.__file__)
    for name, file in sorted(named.items()):
        content = file.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def remove_superseded(root: Path, pattern: str, keep: str) -> None:
    """Remove folders of other source that nobody used for a week.

    Who uses a folder sets its modification time. A folder gets another name before it is removed, so that
    nobody finds half of it; what cannot be removed stays.

    Parameters
    ----------
    root : Path
        Their parent.
    pattern : str
        Regular expression of their whole names.
    keep : str
        Name of the one in use.
    """
    with contextlib.suppress(OSError):
        for folder in list(root.iterdir()):
            ours = re.fullmatch(pattern, folder.name) or folder.name.startswith(_REMOVED)
            if ours and folder.name != keep and folder.is_dir() and not folder.is_symlink():
                _remove_if_unused(folder)


def _remove_if_unused(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime > _WEEK:
            doomed = folder.rename(folder.with_name(f"{_REMOVED}{secrets.token_hex(8)}"))
            shutil.rmtree(doomed, ignore_errors=True)
