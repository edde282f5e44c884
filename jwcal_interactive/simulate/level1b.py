"""Level-1b files: raw exposures with the complete header of a flight product."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.time import Time
from numpy.typing import NDArray

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.simulate.exposure import SimulatedExposure
from jwcal_interactive.simulate.metadata import level1b_metadata
from jwcal_interactive.simulate.saving import save_whole
from jwcal_interactive.simulate.timeline import Timeline

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import Level1bModel

__all__ = ["write_level1b"]

_LOG = logging.getLogger(__name__)
_MILLISECONDS = 86400e3


def write_level1b(exposure: SimulatedExposure, path: str | Path) -> Path:
    """Write a raw exposure as a level-1b FITS file.

    Parameters
    ----------
    exposure : SimulatedExposure
        What to write.
    path : str or Path
        File name, or a folder: then the official name
        ``jw<program><observation><visit>_<group><sequence><activity>_<exposure>_<detector>_uncal.fits``
        is used in it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        If the specification holds a keyword value that the schema does not know.
    OutputError
        If it cannot be written; nothing is left behind.
    """
    target = Path(path)
    if target.suffix != ".fits":
        target = target / f"{exposure.spec.rootname}_uncal.fits"
    model = _model(exposure)
    try:
        save_whole(target, model.save)
    finally:
        model.close()
    _LOG.info("wrote %s", target)
    return target


def _model(exposure: SimulatedExposure) -> Level1bModel:
    from asdf.exceptions import ValidationError
    from stdatamodels.jwst.datamodels import Level1bModel

    model = Level1bModel(strict_validation=True)
    model.data = exposure.raw
    if exposure.zeroframe is not None:
        model.zeroframe = exposure.zeroframe
    timeline = Timeline(exposure.spec)
    model.group = _rows(model, "group", _group_columns(exposure, timeline))
    model.int_times = _rows(model, "int_times", _integration_columns(timeline))
    for name, value in level1b_metadata(exposure.spec, timeline).items():
        try:
            model[f"meta.{name}"] = value
        except ValidationError:
            raise ParameterError(
                f"{name}={value!r}: not a value that the JWST keyword dictionary allows; "
                "use the spelling of flight headers."
            ) from None
    return model


def _rows(model: Level1bModel, table: str, columns: dict[str, Any]) -> NDArray[Any]:
    """Arrange columns as the table that the schema defines."""
    rows = np.zeros(len(columns["integration_number"]), model.get_dtype(table))
    for name, values in columns.items():
        rows[name] = values
    return rows


def _group_columns(exposure: SimulatedExposure, timeline: Timeline) -> dict[str, Any]:
    """GROUP table: one row for each group of each integration."""
    nints, ngroups, ny, nx = exposure.raw.shape
    ends = timeline.group_ends.ravel()
    since_2000 = ends - Time("2000-01-01", scale="utc").mjd
    day = np.floor(since_2000)
    milliseconds = (since_2000 - day) * _MILLISECONDS
    whole = np.floor(milliseconds)
    return {
        "integration_number": np.repeat(np.arange(1, nints + 1), ngroups),
        "group_number": np.tile(np.arange(1, ngroups + 1), nints),
        "end_day": day,
        "end_milliseconds": whole,
        "end_submilliseconds": np.floor((milliseconds - whole) * 1000),
        "group_end_time": Time(ends, format="mjd", scale="utc").isot,
        "number_of_columns": nx,
        "number_of_rows": ny,
        "number_of_gaps": 0,
        "completion_code_number": 0,
        "completion_code_text": "Normal Completion",
        "bary_end_time": ends + timeline.barycentric_delay / 86400,
        "helio_end_time": ends + timeline.heliocentric_delay / 86400,
    }


def _integration_columns(timeline: Timeline) -> dict[str, Any]:
    """INT_TIMES table: one row for each integration."""
    begin, end = timeline.integration_bounds
    columns: dict[str, Any] = {"integration_number": np.arange(1, begin.size + 1)}
    delay = timeline.barycentric_delay / 86400
    for name, times in (("start", begin), ("mid", (begin + end) / 2), ("end", end)):
        columns[f"int_{name}_MJD_UTC"] = times
        columns[f"int_{name}_BJD_TDB"] = times + delay
    return columns
