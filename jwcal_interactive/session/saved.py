"""The session file: settings and history as readable JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jwcal_interactive.errors import InputError, JwcalError, one_line
from jwcal_interactive.io.atomic import atomic_path, writable_folder
from jwcal_interactive.references.book import NOT_APPLICABLE
from jwcal_interactive.session.history import Entry
from jwcal_interactive.settings import Settings

if TYPE_CHECKING:
    from jwcal_interactive.session.session import Session

__all__ = [
    "NOTEBOOK_KEY",
    "SavedSession",
    "is_saved_session",
    "read_session",
    "restore_session",
    "save_session",
    "session_document",
]

_FORMAT = "jwcal session"
_VERSION = 1
NOTEBOOK_KEY = "jwcal"  # metadata of an exported notebook that holds the session


def is_saved_session(path: str | Path) -> bool:
    """Whether a file is meant to hold a session (by its ending): a session file or an exported notebook."""
    return Path(path).suffix in {".json", ".ipynb"}


def save_session(session: Session, path: Path) -> Path:
    """Write settings and history of a session.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    folder = writable_folder(path.parent)
    text = json.dumps(session_document(session, folder), indent=1) + "\n"
    with atomic_path(path) as temporary:
        temporary.write_text(text)
    return path


def session_document(session: Session, folder: Path) -> dict[str, Any]:
    """Everything that brings a session back, as plain JSON; file names are relative to ``folder``."""
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "exposure": _relative(session.path, folder),
        "pipeline": session.pipeline,
        "context": session.context,
        "crds_context": session.crds_context,
        "timeline": [_settings_as_json(s, folder) for s in session.timeline.settings],
        "position": session.timeline.position,
        "history": [entry.as_json() for entry in session.history],
    }


@dataclass(frozen=True)
class SavedSession:
    """Content of a session file: the exposure, and what `restore_session` puts back.

    The context is the one that gave the references, so that the session does not drift to a newer one.
    """

    exposure: Path
    pipeline: str
    context: str
    timeline: tuple[Settings, ...]
    position: int
    history: tuple[Entry, ...]


def read_session(path: Path) -> SavedSession:
    """Read a session file, or the session in an exported notebook; the exposure is not looked at.

    Raises
    ------
    InputError
        If the file is missing or not a session file.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such session file. Check the path.")
    try:
        document = json.loads(path.read_text())
        if path.suffix == ".ipynb":
            document = document["metadata"][NOTEBOOK_KEY]
        if document["format"] != _FORMAT or document["version"] != _VERSION:
            raise ValueError(f"format {document['format']!r}, version {document['version']!r}")
        saved = SavedSession(
            exposure=path.parent / document["exposure"],
            pipeline=str(document["pipeline"]),
            context=str(document["context"] or document["crds_context"]),
            timeline=tuple(_settings_from_json(s, path.parent) for s in document["timeline"]),
            position=int(document["position"]),
            history=tuple(Entry.from_json(e) for e in document["history"]),
        )
        if not 0 <= saved.position < len(saved.timeline):
            raise ValueError(f"position {saved.position} outside of the timeline")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a session file of this version ({type(error).__name__}: {one_line(error)}). Give a "
            "file that Session.save or Session.export wrote."
        ) from None
    return saved


def restore_session(
    path: Path, open_session: Callable[..., Session], context: str | None, exposure: Path | None
) -> Session:
    """Open the exposure of a session file (or the one given) and put settings and history back.

    Raises
    ------
    InputError
        If the file is missing or not a session file, or its exposure is gone.
    """
    saved = read_session(path)
    where = saved.exposure if exposure is None else exposure
    if exposure is not None and not where.exists():
        raise InputError(f"exposure = {str(where)!r}: no such file. Give the path of the exposure of {path}.")
    if not where.exists():
        raise InputError(
            f"{path}: its exposure {where} is not there. Say where it is now: "
            f"open_session({str(path)!r}, exposure=...)."
        )
    session = open_session(where, pipeline=saved.pipeline, context=context or saved.context or None)
    try:
        session.restore(saved.timeline, saved.position, saved.history)
    except JwcalError as error:
        raise type(error)(f"{path}: a setting of this session is not possible: {error}") from None
    return session


def _relative(target: Path, folder: Path) -> str:
    """Path of the exposure as seen from the session file, so that both can move together."""
    try:
        return os.path.relpath(target.resolve(), folder.resolve())
    except ValueError:  # another drive (Windows)
        return str(target.resolve())


def _settings_as_json(settings: Settings, folder: Path) -> dict[str, Any]:
    return {
        "values": {step: dict(v) for step, v in settings.values.items()},
        "overrides": [
            {"step": step, "reftype": reftype, "file": _relative_override(file, folder)}
            for (step, reftype), file in settings.overrides.items()
        ],
    }


def _relative_override(file: str, folder: Path) -> str:
    return file if file.upper() == NOT_APPLICABLE else _relative(Path(file), folder)


def _settings_from_json(data: dict[str, Any], folder: Path) -> Settings:
    overrides = {}
    for entry in data["overrides"]:
        file = str(entry["file"])
        if file.upper() != NOT_APPLICABLE:
            file = str((folder / file).resolve())
        overrides[str(entry["step"]), str(entry["reftype"])] = file
    return Settings({step: dict(values) for step, values in data["values"].items()}, overrides)
