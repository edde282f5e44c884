"""Content hashes of reference files, remembered between runs so that a file is read for it only once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Callable
from pathlib import Path

import platformdirs

__all__ = ["content_hash"]

_BLOCK = 16 << 20  # bytes, hashed in some 10 ms
# path -> size, modification and change time in ns, inode; then the hash
_known: dict[str, tuple[int, int, int, int, str]] = {}


def _ledger() -> Path:
    return Path(platformdirs.user_cache_dir("jwcal_interactive")) / "reference_hashes.json"


def _never_stop() -> None:
    """For callers that read to the end."""


def content_hash(path: str | Path, check: Callable[[], None] = _never_stop) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text.

    The result is kept in the user's cache folder under the file's full path, size, inode, and times of
    modification and change; a file that changed in any of these is read again: copying tools set the
    modification time back, but not the other two. ``check`` is called between blocks; it raises to stop.
    """
    path = Path(path).resolve()
    stat = path.stat()
    if not _known:
        _known.update(_remembered())
    identity = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    entry = _known.get(str(path))
    if entry is not None and entry[:-1] == identity:
        return entry[-1]
    total = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            check()
            total.update(block)
    digest = total.hexdigest()
    _known[str(path)] = (*identity, digest)
    _remember()
    return digest


def _remembered() -> dict[str, tuple[int, int, int, int, str]]:
    """Entries of the ledger; none if there is no ledger yet, or what is there is not one."""
    try:
        entries = json.loads(_ledger().read_text())
        return {
            str(path): (int(size), int(modified), int(changed), int(inode), str(digest))
            for path, (size, modified, changed, inode, digest) in entries.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember() -> None:
    ledger = _ledger()
    temporary = ledger.with_name(f".{ledger.name}.{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):  # a read-only home only costs time
        ledger.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(json.dumps(dict(_known)))
            temporary.replace(ledger)
        finally:
            temporary.unlink(missing_ok=True)
