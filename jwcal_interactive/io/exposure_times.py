"""When the integrations of an exposure began."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Value
from jwcal_interactive.errors import InputError

__all__ = ["integration_starts", "start_of_exposure"]

_UNIX_EPOCH = 40587.0  # MJD of 1970-01-01
_DAY = 86_400.0  # s


def _seconds(mjd: float) -> float:
    """Unix time, s, of a modified Julian date (UTC)."""
    return (mjd - _UNIX_EPOCH) * _DAY


def _is_date(mjd: Value) -> bool:
    return isinstance(mjd, (int, float)) and not isinstance(mjd, bool) and mjd > 0  # False for NaN, too


def start_of_exposure(exposure: Exposure) -> float:
    """Tell when an exposure began (EXPSTART, MJD in UTC), as Unix time, s.

    Raises
    ------
    InputError
        If EXPSTART is missing or no date.
    """
    mjd = exposure.keyword("EXPSTART")
    if not _is_date(mjd):
        raise InputError(
            f"{exposure.filename}: keyword EXPSTART is {mjd!r}; the start of the exposure is needed, as a "
            "modified Julian date (UTC). Correct the header or download the exposure again."
        )
    assert isinstance(mjd, (int, float))
    return _seconds(mjd)


def integration_starts(exposure: Exposure) -> NDArray[np.float64]:
    """Tell when each integration of the file began, as Unix time, s.

    From the table INT_TIMES, column int_start_MJD_UTC; for integrations that it does not have, from EXPSTART
    and the time of an integration: EFFINTTM or, without it, NGROUPS times TGROUP.

    Returns
    -------
    ndarray
        float64, shape (nints,).

    Raises
    ------
    InputError
        If EXPSTART is needed and missing.
    """
    first = exposure.first_integration
    told = _table(exposure)
    starts = np.empty(exposure.nints)
    for i in range(exposure.nints):
        mjd = told.get(first + i + 1)
        if mjd is not None:
            starts[i] = _seconds(mjd)
        else:
            starts[i] = start_of_exposure(exposure) + (first + i) * _integration_time(exposure)
    return starts


def _integration_time(exposure: Exposure) -> float:
    told = exposure.keyword("EFFINTTM")
    return float(told) if _is_date(told) else exposure.ngroups * exposure.group_time  # type: ignore[arg-type]


def _table(exposure: Exposure) -> dict[int, float]:
    """Read the starts (MJD) in INT_TIMES by integration number; rows without a date are left out."""
    from astropy.io import fits

    content = next((e.content for e in exposure.extra if e.name == "INT_TIMES"), None)
    if content is None:
        return {}
    table = fits.BinTableHDU.fromstring(content).data
    names = {name.lower(): name for name in table.dtype.names or ()}
    if not {"integration_number", "int_start_mjd_utc"} <= names.keys():
        return {}
    numbers, starts = table[names["integration_number"]], table[names["int_start_mjd_utc"]]
    return {int(n): float(mjd) for n, mjd in zip(numbers, starts, strict=True) if mjd > 0}
