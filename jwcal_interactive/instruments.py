"""What is known of each instrument before any file is read: detectors, sizes, exposure types, read-outs."""

from __future__ import annotations

from typing import Literal, TypeAlias

from jwcal_interactive.arrays import Exposure

__all__ = [
    "DARK_EXP_TYPES",
    "DETECTORS",
    "FULL_SIZE",
    "GUIDER_EXP_TYPES",
    "RAMP_UNIT",
    "RATE_UNIT",
    "ExposureKind",
    "exposure_kind",
    "full_frame",
    "unsupported_readout",
]

# Units of SCI in ramps and in rates.
RAMP_UNIT = "DN"
RATE_UNIT = "DN/s"

FULL_SIZE = 2048
"""Rows and columns of a full near-infrared detector (HAWAII-2RG), pixels."""

_MIRI_FULL_FRAME = (1024, 1032)

DETECTORS: dict[str, tuple[str, ...]] = {
    "FGS": ("GUIDER1", "GUIDER2"),
    "MIRI": ("MIRIMAGE", "MIRIFULONG", "MIRIFUSHORT"),
    "NIRCAM": (
        "NRCA1",
        "NRCA2",
        "NRCA3",
        "NRCA4",
        "NRCALONG",
        "NRCB1",
        "NRCB2",
        "NRCB3",
        "NRCB4",
        "NRCBLONG",
    ),
    "NIRISS": ("NIS",),
    "NIRSPEC": ("NRS1", "NRS2"),
}

# Exposure types that calwebb_guider takes; their raw files hold guider tables and a 2-D DQ.
GUIDER_EXP_TYPES = frozenset(
    {
        "FGS_ID-IMAGE",
        "FGS_ID-STACK",
        "FGS_ACQ1",
        "FGS_ACQ2",
        "FGS_TRACK",
        "FGS_FINEGUIDE",
    }
)

# Exposure types that calwebb_dark is for.
DARK_EXP_TYPES = frozenset(
    {
        "FGS_DARK",
        "MIR_DARKALL",
        "MIR_DARKIMG",
        "MIR_DARKMRS",
        "NIS_DARK",
        "NRC_DARK",
        "NRS_DARK",
    }
)

ExposureKind: TypeAlias = Literal["science", "dark", "guider"]


def exposure_kind(exposure: Exposure) -> ExposureKind:
    """Tell what an exposure is taken for, by its EXP_TYPE."""
    if exposure.exp_type in GUIDER_EXP_TYPES:
        return "guider"
    return "dark" if exposure.exp_type in DARK_EXP_TYPES else "science"


def full_frame(instrument: str) -> tuple[int, int]:
    """Rows and columns (ny, nx) of a full frame, pixels."""
    return _MIRI_FULL_FRAME if instrument == "MIRI" else (FULL_SIZE, FULL_SIZE)


def unsupported_readout(exposure: Exposure, frame: tuple[int, ...]) -> str:
    """Keyword and name of a read-out whose arrays this version cannot take; empty for all others.

    ``frame`` is the shape (ny, nx) of the array: IRS2 has more pixels than the keywords of the subarray say.
    """
    if "IRS2" in exposure.readpatt or max(frame) > FULL_SIZE:
        return f"READPATT = {exposure.readpatt}: the IRS2 read-out with interleaved reference pixels"
    for keyword in ("SSTR_NST", "MSTR_RD1"):
        value = exposure.keyword(keyword)
        if isinstance(value, (int, float)) and value > 0:
            return f"{keyword} = {value}: a multi-stripe read-out"
    return ""
