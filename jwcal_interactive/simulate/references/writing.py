"""Writing reference files with the metadata that all of them have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_interactive.simulate.references.definition import (
    USEAFTER,
    ReferenceCase,
    ReferenceKind,
)
from jwcal_interactive.simulate.saving import save_whole

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import ReferenceFileModel

__all__ = ["write_reference"]


def write_reference(kind: ReferenceKind, case: ReferenceCase, path: Path) -> Path:
    """Build one reference file and write it whole.

    Parameters
    ----------
    kind : ReferenceKind
        Type of the file.
    case : ReferenceCase
        What it is for.
    path : Path
        Where.

    Returns
    -------
    Path
        The file.
    """
    model = kind.build(case)
    general = {
        "reftype": kind.reftype.upper(),
        "description": f"Simulated {kind.reftype} of {case.detector.instrument} {case}",
        "author": "jwcal_interactive.simulate",
        "pedigree": "SIMULATION",
        "useafter": USEAFTER,
        "telescope": "JWST",
        "origin": "jwcal_interactive.simulate",
        "instrument.name": case.detector.instrument,
        "instrument.detector": case.detector.name,
    }
    for name, value in general.items():
        model[f"meta.{name}"] = value
    if kind.located:
        for name, value in _subarray_metadata(case).items():
            model[f"meta.subarray.{name}"] = value
    if kind.flags:
        model.dq_def = _dq_definitions(model, kind.flags)
    try:
        return save_whole(path, model.save)
    finally:
        model.close()


def _dq_definitions(model: ReferenceFileModel, flags: tuple[DQ, ...]) -> NDArray[Any]:
    rows = np.zeros(len(flags), model.get_dtype("dq_def"))
    for bit, (row, flag) in enumerate(zip(rows, flags, strict=True)):
        words = str(flag.name).replace("_", " ").lower()
        row["BIT"], row["VALUE"], row["NAME"], row["DESCRIPTION"] = bit, 1 << bit, flag.name, words
    return rows


def _subarray_metadata(case: ReferenceCase) -> dict[str, Any]:
    """Place on the detector; an interleaved readout keeps the size of the frame without references."""
    detector, subarray = case.detector, case.subarray
    return {
        "name": subarray.name if subarray else "GENERIC",
        "xstart": subarray.xstart if subarray else 1,
        "ystart": subarray.ystart if subarray else 1,
        "xsize": subarray.xsize if subarray else detector.nx,
        "ysize": subarray.ysize if subarray else detector.ny,
        "fastaxis": detector.fastaxis,
        "slowaxis": detector.slowaxis,
    }
