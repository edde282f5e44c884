"""Edits of flags from what a user gives, and files of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Ramp, State
from jwcal_interactive.dq import DQ
from jwcal_interactive.edits import Box, FlagEdit, Layout, boxes_of, check_edit
from jwcal_interactive.errors import InputError, ParameterError, one_line
from jwcal_interactive.io.atomic import Together, writable_folder
from jwcal_interactive.session.json_lines import json_lines

__all__ = ["layout_after", "new_edit", "read_edits", "save_edits", "write_edits"]

_FORMAT = "jwcal flag edits"
_VERSION = 1


def layout_after(step: str, steps: tuple[str, ...], source: Ramp, kept: State | None) -> Layout:
    """Layout of the result of a step: of the result in memory, or as it is expected to be.

    Parameters
    ----------
    step : str
    steps : tuple of str
        Of the pipeline, in order.
    source : Ramp
        Raw ramp.
    kept : State or None
        The result, if it is in memory.
    """
    if kept is not None:
        return Layout.of(kept)
    done = steps[: steps.index(step) + 1]
    ramp = Layout.of(source)
    ny, nx = ramp.ny, ramp.nx
    if "refpix" in done:  # it takes the interleaved reference pixels of IRS2 out
        ny, nx = source.exposure.ysize, source.exposure.xsize
    if "ramp_fit" in done:
        return Layout("rates", ramp.nints, 0, ny, nx)
    if "guider_cds" in done:
        return Layout("guider slopes", ramp.nints, 0, ny, nx)
    return Layout("ramp", ramp.nints, ramp.ngroups, ny, nx)


def new_edit(
    after: str,
    flag: str | DQ,
    layout: Layout,
    *,
    boxes: Sequence[Box] | None,
    mask: NDArray[np.bool_] | None,
    clear: bool,
    integrations: Sequence[int] | None,
    groups: Sequence[int] | None,
) -> FlagEdit:
    """Make an edit that fits a layout; the arguments are those of `Session.edit_flags`.

    Raises
    ------
    ParameterError
        If it does not fit.
    """
    where = f"flag edit after {after}"
    if (boxes is None) == (mask is None):
        raise ParameterError(f"{where}: give either boxes or a mask.")
    if mask is not None:
        mask = np.asarray(mask)
        if mask.dtype != np.bool_ or mask.shape != (layout.ny, layout.nx):
            raise ParameterError(
                f"{where}: a mask of {mask.dtype} with shape {mask.shape} is not possible: it must be a bool "
                f"array (ny, nx) = ({layout.ny}, {layout.nx})."
            )
        boxes = boxes_of(mask)
    try:
        edit = FlagEdit.from_json(
            {
                "after": after,
                "flag": flag.name if isinstance(flag, DQ) else flag,
                "action": "clear" if clear else "set",
                "boxes": boxes,
                "integrations": integrations,
                "groups": groups,
            }
        )
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"{where}: {one_line(error)}. boxes are a list of (x0, y0, x1, y1), integrations and groups are "
            "(first, last); all are whole numbers from 0, the last ones excluded."
        ) from None
    check_edit(edit, layout)
    return edit


def save_edits(edits: Sequence[FlagEdit], path: Path) -> Path:
    """Write edits to a JSON file; folders are created if needed.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    writable_folder(path.parent)
    with Together() as files:
        write_edits(edits, path, files)
    return path


def write_edits(edits: Sequence[FlagEdit], path: Path, files: Together) -> None:
    """Write edits to a JSON file, which appears when ``files`` end.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    document = {"format": _FORMAT, "version": _VERSION, "edits": [edit.as_json() for edit in edits]}
    with files.writing(path) as temporary:
        temporary.write_text(json_lines(document))


def read_edits(path: Path, only: Sequence[int] | None = None) -> tuple[FlagEdit, ...]:
    """Read a file of edits, or some of them by their index; whether they fit an exposure is not looked at.

    Raises
    ------
    InputError
        If the file is missing or does not hold edits.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file of flag edits. Check the path.")
    try:
        document: Any = json.loads(path.read_text())
        if document["format"] != _FORMAT or document["version"] != _VERSION:
            raise ValueError(f"format {document['format']!r}, version {document['version']!r}")
        edits = tuple(FlagEdit.from_json(edit) for edit in document["edits"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a file of flag edits of this version ({type(error).__name__}: {one_line(error)}). "
            "Give a file that Session.save_edits or Session.export wrote."
        ) from None
    if only is None:
        return edits
    if wrong := [index for index in only if not 0 <= index < len(edits)]:
        raise InputError(f"{path}: there is no flag edit {wrong[0]}; the file holds {len(edits)}, from 0.")
    return tuple(edits[index] for index in only)
