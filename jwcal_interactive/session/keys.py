"""Keys of results: everything that decides a result, as one short text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from jwcal_interactive.errors import InputError
from jwcal_interactive.io.earlier import exposure_files
from jwcal_interactive.params import StepParams
from jwcal_interactive.settings import Settings

__all__ = ["ResultKey", "file_key", "result_keys"]


def file_key(path: str | Path) -> list[Any]:
    """Identity of a file: full path, size and time of change; of a name that is no file, the name."""
    path = Path(path)
    if not path.is_file():
        return [str(path)]
    stat = path.stat()
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]


class ResultKey(NamedTuple):
    """What decides a result: as the step computed it, and with the flags that were edited by hand."""

    computed: str
    final: str


def result_keys(
    exposure: list[Any],
    steps: Iterable[str],
    settings: Settings,
    params: Callable[[str], StepParams],
) -> dict[str, ResultKey]:
    """Key of each step's result: the exposure, and all settings up to and including the step.

    Parameters
    ----------
    exposure : list
        `file_key` of the exposure.
    steps : iterable of str
        In order.
    settings : Settings
        Give the overrides and edits; a file that changes on disk changes the key, as do those that parameters
        name.
    params : callable
        Parameters by step name.
    """
    keys: dict[str, ResultKey] = {}
    key = _digest(exposure)
    for step in steps:
        model = params(step)
        overrides = {t: file_key(file) for (s, t), file in settings.overrides.items() if s == step}
        key = _digest(key, step, model.model_dump(), overrides, _file_keys(step, model))
        computed = key
        if edits := settings.edits_after(step):
            key = _digest(key, [edit.sha256 for edit in edits])
        keys[step] = ResultKey(computed, key)
    return keys


def _file_keys(step: str, model: StepParams) -> dict[str, list[Any]]:
    """Identity of the files that parameters name; where they name several or folders, of each exposure."""
    keys: dict[str, list[Any]] = {}
    for name, text in model.files().items():
        if model.info(name).file == "exposures":
            keys[name] = _exposure_keys(text, f"{step}.{name}")
        else:
            keys[name] = file_key(text)
    return keys


def _exposure_keys(text: str, parameter: str) -> list[Any]:
    try:
        return [file_key(path) for path in exposure_files(text, parameter)]
    except InputError:
        return [text]  # running the step tells what is wrong with it


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
