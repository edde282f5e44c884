"""The session file: settings and history as readable JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jwcal_interactive.edits import FlagEdit
from jwcal_interactive.errors import InputError, JwcalError, ParameterError, one_line
from jwcal_interactive.io.atomic import atomic_path, writable_folder
from jwcal_interactive.references.book import NOT_APPLICABLE
from jwcal_interactive.session.editing import read_edits
from jwcal_interactive.session.history import Entry
from jwcal_interactive.session.json_lines import json_lines
from jwcal_interactive.session.tree import MAIN, Node, SettingsTree
from jwcal_interactive.settings import Settings, changes_in_words

if TYPE_CHECKING:
    from jwcal_interactive.session.session import Session

__all__ = [
    "NOTEBOOK_KEY",
    "SavedSession",
    "is_saved_session",
    "read_session",
    "refuse_other_ending",
    "restore_session",
    "save_session",
    "session_document",
]

_FORMAT = "jwcal session"
_VERSION = 2  # 1 had a line of settings in place of the tree, and no edits of flags
NOTEBOOK_KEY = "jwcal"  # metadata of an exported notebook that holds the session


def is_saved_session(path: str | Path) -> bool:
    """Whether a file is meant to hold a session (by its ending): a session file or an exported notebook."""
    return Path(path).suffix in {".json", ".ipynb"}


def refuse_other_ending(path: Path, ending: str, what: str) -> None:
    """Refuse a file name that nothing would recognize again.

    Raises
    ------
    ParameterError
        If the name does not end so.
    """
    if path.suffix != ending:
        raise ParameterError(f"{path}: the name of {what} must end in {ending}, e.g. {path.stem}{ending}.")


def save_session(session: Session, path: Path) -> Path:
    """Write settings and history of a session.

    Raises
    ------
    ParameterError
        If the name does not end in ``.json``.
    OutputError
        If it cannot be written.
    """
    refuse_other_ending(path, ".json", "a session file")
    folder = writable_folder(path.parent)
    text = json_lines(session_document(session, folder))
    with atomic_path(path) as temporary:
        temporary.write_text(text)
    return path


def session_document(session: Session, folder: Path, edits_file: str | None = None) -> dict[str, Any]:
    """Everything that brings a session back, as plain JSON.

    Parameters
    ----------
    session : Session
    folder : Path
        File names are relative to it.
    edits_file : str, optional
        Name of the file in this folder that holds the edits of the tree; by default they are inside.
    """
    tree, edits = session.tree, session.tree.edits
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "exposure": _relative(session.path, folder),
        "pipeline": session.pipeline,
        "context": session.context,
        "crds_context": session.crds_context,
        "edits": [edit.as_json() for edit in edits] if edits_file is None else edits_file,
        "nodes": [
            {
                "number": node.number,
                "parent": node.parent,
                "change": node.change,
                "time": node.time,
                **_settings_as_json(node.settings, folder, edits),
            }
            for node in tree.nodes
        ],
        "next_number": tree.next_number,
        "present": tree.present,
        "branches": dict(tree.branches),
        "branch": tree.branch,
        "taken_back": [[branch, parent, child] for (branch, parent), child in tree.taken_back.items()],
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
    tree: SettingsTree
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
        if document["format"] != _FORMAT or document["version"] not in (1, _VERSION):
            raise ValueError(f"format {document['format']!r}, version {document['version']!r}")
        return SavedSession(
            exposure=path.parent / document["exposure"],
            pipeline=str(document["pipeline"]),
            context=str(document["context"] or document["crds_context"]),
            tree=(_tree_of_version_1 if document["version"] == 1 else _tree)(document, path.parent),
            history=tuple(Entry.from_json(e) for e in document["history"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a session file of this version ({type(error).__name__}: {one_line(error)}). Give a "
            "file that Session.save or Session.export wrote."
        ) from None


def _tree(document: dict[str, Any], folder: Path) -> SettingsTree:
    found = document["edits"]
    edits = read_edits(folder / found) if isinstance(found, str) else tuple(map(FlagEdit.from_json, found))
    nodes = (
        Node(
            int(node["number"]),
            None if node["parent"] is None else int(node["parent"]),
            _settings_from_json(node, folder, edits),
            str(node["change"]),
            str(node["time"]),
        )
        for node in document["nodes"]
    )
    branches = {str(name): int(tip) for name, tip in document["branches"].items()}
    branch, next_number = str(document["branch"]), int(document["next_number"])
    taken_back = {(str(b), int(parent)): int(child) for b, parent, child in document.get("taken_back", ())}
    return SettingsTree(nodes, int(document["present"]), branches, branch, next_number, taken_back)


def _tree_of_version_1(document: dict[str, Any], folder: Path) -> SettingsTree:
    settings = [_settings_from_json(s, folder) for s in document["timeline"]]
    nodes = [
        Node(i, i - 1 if i else None, s, changes_in_words(settings[i - 1], s) if i else "")
        for i, s in enumerate(settings)
    ]
    position = int(document["position"])
    taken_back = {(MAIN, i): i + 1 for i in range(position, len(nodes) - 1)}
    return SettingsTree(nodes, position, {MAIN: position}, taken_back=taken_back)


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
        session.restore(saved.tree, saved.history)
    except JwcalError as error:
        raise type(error)(f"{path}: a setting of this session is not possible: {error}") from None
    return session


def _relative(target: Path, folder: Path) -> str:
    """Path of the exposure as seen from the session file, so that both can move together."""
    try:
        return os.path.relpath(target.resolve(), folder.resolve())
    except ValueError:  # another drive (Windows)
        return str(target.resolve())


def _settings_as_json(settings: Settings, folder: Path, edits: Sequence[FlagEdit]) -> dict[str, Any]:
    return {
        "values": {step: dict(v) for step, v in settings.values.items()},
        "overrides": [
            {"step": step, "reftype": reftype, "file": _relative_override(file, folder)}
            for (step, reftype), file in settings.overrides.items()
        ],
        "edits": [edits.index(edit) for edit in settings.edits],
    }


def _relative_override(file: str, folder: Path) -> str:
    return file if file.upper() == NOT_APPLICABLE else _relative(Path(file), folder)


def _settings_from_json(data: dict[str, Any], folder: Path, edits: Sequence[FlagEdit] = ()) -> Settings:
    overrides = {}
    for entry in data["overrides"]:
        file = str(entry["file"])
        if file.upper() != NOT_APPLICABLE:
            file = str((folder / file).resolve())
        overrides[str(entry["step"]), str(entry["reftype"])] = file
    values = {step: dict(values) for step, values in data["values"].items()}
    return Settings(values, overrides, tuple(_chosen(edits, data.get("edits", ()))))


def _chosen(edits: Sequence[FlagEdit], indices: Iterable[Any]) -> Iterator[FlagEdit]:
    for index in indices:
        if not 0 <= index < len(edits):
            raise ValueError(f"there is no edit of flags number {index}")
        yield edits[index]
