"""Exposures that one of the same detector and visit comes after."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jwcal_interactive.arrays import Exposure, Reference
from jwcal_interactive.errors import InputError
from jwcal_interactive.instruments import exposure_kind
from jwcal_interactive.io.exposure_times import integration_starts
from jwcal_interactive.io.raw import RampFile, open_ramp

__all__ = ["exposure_files", "in_time_order", "read_earlier"]

# What a folder is searched for: raw exposures or, where there are none, ramps.
_PATTERNS = (("*_uncal.fits", "*_uncal.fits.gz"), ("*_ramp.fits", "*_ramp.fits.gz"))
_VISIT = ("PROGRAM", "OBSERVTN", "VISIT")


def exposure_files(text: str, parameter: str) -> tuple[Path, ...]:
    """Find the files that a text names: files and folders, separated by commas.

    Of a folder, raw exposures (``_uncal``) count or, where it has none, ramps (``_ramp``).

    Raises
    ------
    InputError
        If there is no such file or folder, or a folder has no exposure; names the parameter.
    """
    found: list[Path] = []
    for name in filter(None, (piece.strip() for piece in text.split(","))):
        path = Path(name)
        if path.is_file():
            found.append(path)
            continue
        if not path.is_dir():
            raise InputError(
                f"{parameter} = {text!r}: there is no file or folder {name!r}. Give files or folders, "
                "separated by commas."
            )
        matches = ([f for pattern in patterns for f in path.glob(pattern)] for patterns in _PATTERNS)
        inside = next(filter(None, matches), [])
        if not inside:
            raise InputError(
                f"{parameter} = {text!r}: {name!r} is a folder without exposures: it has no *_uncal.fits and "
                "no *_ramp.fits."
            )
        found += sorted(inside)
    return tuple(dict.fromkeys(found))


def in_time_order(paths: tuple[Path, ...]) -> tuple[RampFile, ...]:
    """Open exposures and sort them by the start of their first integration; guider exposures are left out.

    Raises
    ------
    InputError
        If one cannot be used, or does not tell when it began.
    """
    files = [file for file in map(open_ramp, paths) if exposure_kind(file.exposure) != "guider"]
    return tuple(sorted(files, key=lambda file: float(integration_starts(file.exposure)[0])))


def read_earlier(paths: tuple[Path, ...], exposure: Exposure, parameter: str) -> Reference:
    """Open those exposures that began before another one of the same detector and visit.

    Returns
    -------
    Reference
        ``tree["exposures"]`` is a tuple of `RampFile`, in time order, whose arrays are read when needed.

    Raises
    ------
    InputError
        As `in_time_order`.
    """
    start = integration_starts(exposure)[0]
    visit = [exposure.keyword(name) for name in _VISIT]
    earlier = []
    for file in in_time_order(paths):
        other = file.exposure
        same = other.detector == exposure.detector and [other.keyword(name) for name in _VISIT] == visit
        if same and integration_starts(other)[0] < start:
            earlier.append(file)
        else:
            file.close()
    return Reference(
        reftype=parameter.rpartition(".")[2],
        name=", ".join(file.path.name for file in earlier),
        data=np.empty((0, 0), np.float32),
        tree={"exposures": tuple(earlier)},
    )
