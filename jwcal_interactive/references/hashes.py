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
_known: dict[str, tuple[int, int, str]] = {}


def _ledger() -> Path:
    return Path(platformdirs.user_cache_dir("jwcal_interactive")) / "reference_hashes.json"


def _never_stop() -> None:
    """For callers that read to the end."""


def content_hash(path: str | Path, check: Callable[[], None] = _never_stop) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text.

    The result is kept in the user's cache folder under the file's full path, size and modification time; a
    file that changed in any of these is read again. ``check`` is called between blocks; it raises to stop.
    """
    path = Path(path).resolve()
    stat = path.stat()
    if not _known:
        _known.update(_remembered())
    size_and_time = (stat.st_size, stat.st_mtime_ns)
    entry = _known.get(str(path))
    if entry is not None and tuple(entry[:2]) == size_and_time:
        return entry[2]
    total = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            check()
            total.update(block)
    digest = total.hexdigest()
    _known[str(path)] = (*size_and_time, digest)
    _remember()
    return digest


def _remembered() -> dict[str, tuple[int, int, str]]:
    """Entries of the ledger; none if there is no ledger yet, or what is there is not one."""
    try:
        entries = json.loads(_ledger().read_text())
        return {str(k): (int(size), int(time), str(digest)) for k, (size, time, digest) in entries.items()}
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
