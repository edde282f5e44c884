"""Calibrating the exposures of a visit one after the other, in the order in which they were taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jwcal_interactive.headless import Calibrated, calibrate
from jwcal_interactive.io.earlier import exposure_files, in_time_order

__all__ = ["calibrate_visit", "exposures_of_visit", "looking_back"]

_STEP, _EARLIER = "visit_persistence", "earlier"


def exposures_of_visit(where: str | Path) -> tuple[Path, ...]:
    """Find the exposures of a folder (or of files and folders, separated by commas) in time order.

    Raises
    ------
    InputError
        If there are none, or one cannot be used or does not tell when it began.
    """
    files = in_time_order(exposure_files(str(where), "visit"))
    for file in files:
        file.close()
    return tuple(file.path for file in files)


def looking_back(params: Mapping[str, Mapping[str, Any]], where: str | Path) -> dict[str, dict[str, Any]]:
    """Let `visit_persistence`, if it is given parameters, look back at the exposures of the visit."""
    chosen = {step: dict(values) for step, values in params.items()}
    if _STEP in chosen:
        chosen[_STEP].setdefault(_EARLIER, str(where))
    return chosen


def calibrate_visit(
    where: str | Path,
    name: str | None = None,
    *,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    on_exposure: Callable[[Path], None] = lambda _path: None,
    **options: Any,
) -> tuple[Calibrated, ...]:
    """Run a pipeline, or one step, on every exposure of a visit.

    Exposures of all detectors are taken in the order in which they began, so that the files of `persistence`
    can be handed on. Where `visit_persistence` is given parameters, it looks back at these exposures.

    Parameters
    ----------
    where : str or Path
        Folder of the visit; or files and folders, separated by commas.
    name : str, optional
        Pipeline or step, as for `calibrate`.
    params : mapping, optional
        ``{step: {parameter: value}}``
    on_exposure : callable, optional
        Told the file of each exposure before it is calibrated.
    **options
        As for `calibrate`.

    Returns
    -------
    tuple of Calibrated

    Raises
    ------
    JwcalError
        At the first exposure that cannot be calibrated; products of those before are kept.
    """
    chosen = looking_back(params or {}, where)
    done = []
    for path in exposures_of_visit(where):
        on_exposure(path)
        done.append(calibrate(path, name, params=chosen, **options))
    return tuple(done)
