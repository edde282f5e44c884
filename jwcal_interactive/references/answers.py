"""Answers of CRDS, remembered on disk: the same question under the same rules needs no ``crds`` again.

Importing ``crds`` and reading its rules takes longer than calibrating a subarray. An answer is used again only
if all that it came from is as it was: the rules (each mapping file that decided, by size and times), what the
cache knows of bad files, every setting of ``crds``, the header values, and the version of ``crds``; and if the
files are still there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import platformdirs

__all__ = ["Question", "recall", "remember"]

_MOST = 300  # questions that are kept
_DAY = 24 * 3600.0  # s; a server may know better afterwards
# Settings of ``crds`` on which answers depend.
_DECIDING = re.compile(
    r"CRDS_(PATH|PATH_SINGLE|REFPATH|MAPPATH|CFGPATH|SERVER_URL|CONTEXT|OBSERVATORY|MODE|ALLOW_\w+|REF_SUBDIR_MODE"
    r"|S3_\w+|USE_PICKLED_CONTEXTS|IGNORE_MAPPING_CHECKSUM)"
)


def _is_set(value: str | None) -> bool:
    """Whether a setting says something: on import, ``crds`` sets all of its own to what means nothing."""
    return value is not None and value.lower() not in ("", "false", "none", "auto")


class Question:
    """What is asked of CRDS.

    Parameters
    ----------
    environment : mapping
        Variables that are set (``None``: unset) while ``crds`` is asked.
    header : mapping
        Header values that select.
    reftypes : tuple of str
        Types to look up.
    """

    def __init__(
        self, environment: Mapping[str, str | None], header: Mapping[str, Any], reftypes: tuple[str, ...]
    ) -> None:
        from importlib.metadata import version

        told_outside: dict[str, str | None] = {k: v for k, v in os.environ.items() if _DECIDING.fullmatch(k)}
        variables = {k: v for k, v in (told_outside | dict(environment)).items() if _is_set(v)}
        self.cache = Path(str(variables.get("CRDS_PATH")))
        self.has_server = bool(variables.get("CRDS_SERVER_URL")) and "serverless" not in str(
            variables.get("CRDS_SERVER_URL")
        )
        # A context without a number is what the server says it is.
        pmap = str(variables.get("CRDS_CONTEXT") or "")
        self.can_be_remembered = pmap.endswith(".pmap")
        told = [version("crds"), sorted(variables.items(), key=str), sorted(header.items()), list(reftypes)]
        self.key = hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


def recall(question: Question) -> tuple[str, dict[str, str | None]] | None:
    """Context name and paths by type, as answered before; ``None`` if the question must be asked."""
    if not question.can_be_remembered:
        return None
    entry = _entries().get(question.key)
    if entry is None or (question.has_server and time.time() - entry["time"] > _DAY):
        return None
    if _identities(Path(file) for file in entry["rules"]) != entry["rules"]:
        return None
    paths: dict[str, str | None] = entry["paths"]
    if not all(path is None or Path(path).is_file() for path in paths.values()):
        return None
    return str(entry["pmap"]), paths


def remember(question: Question, pmap: str, paths: Mapping[str, str | None], mappings: Iterable[str]) -> None:
    """Keep an answer.

    Parameters
    ----------
    question : Question
    pmap, paths
        The answer.
    mappings : iterable of str
        Names of the mapping files that decided.
    """
    if not question.can_be_remembered:
        return
    rules = [question.cache / "mappings" / "jwst" / name for name in sorted(set(mappings))]
    rules += [question.cache / "config" / "jwst" / name for name in ("server_config", "bad_files.txt")]
    entries = _entries()
    entries[question.key] = {
        "time": time.time(),
        "pmap": pmap,
        "paths": dict(paths),
        "rules": _identities(rules),
    }
    newest = sorted(entries.items(), key=lambda item: item[1]["time"])[-_MOST:]
    _write(dict(newest))


def _ledger() -> Path:
    return Path(platformdirs.user_cache_dir("jwcal_interactive")) / "crds_answers.json"


def _identities(files: Iterable[Path]) -> dict[str, list[int] | None]:
    """Size, times of modification and change in ns, and inode, of each file; ``None`` if it is not there."""
    found: dict[str, list[int] | None] = {}
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            found[str(file)] = None
        else:
            found[str(file)] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    return found


def _entries() -> dict[str, Any]:
    """Entries of the ledger; none if there is no ledger yet, or what is there is not one."""
    try:
        entries = json.loads(_ledger().read_text())
        return {
            str(key): {
                "time": float(entry["time"]),
                "pmap": str(entry["pmap"]),
                "paths": dict(entry["paths"]),
                "rules": dict(entry["rules"]),
            }
            for key, entry in entries.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return {}


def _write(entries: Mapping[str, Any]) -> None:
    ledger = _ledger()
    temporary = ledger.with_name(f".{ledger.name}.{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):  # a read-only home only costs time
        ledger.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(json.dumps(entries))
            temporary.replace(ledger)
        finally:
            temporary.unlink(missing_ok=True)
