"""What is known of each instrument before any file is read: detectors, sizes, exposure types, read-outs."""

from __future__ import annotations

from typing import Literal, TypeAlias

from jwcal_interactive.arrays import Exposure

__all__ = [
    "AMPLIFIERS",
    "DARK_EXP_TYPES",
    "DETECTORS",
    "FULL_SIZE",
    "GUIDER_EXP_TYPES",
    "IRS2_FRAME",
    "IRS2_RUNS",
    "RAMP_UNIT",
    "RATE_UNIT",
    "ExposureKind",
    "exposure_kind",
    "full_frame",
    "is_interleaved",
    "unsupported_readout",
]

# Units of SCI in ramps and in rates.
RAMP_UNIT = "DN"
RATE_UNIT = "DN/s"

FULL_SIZE = 2048
"""Rows and columns of a full near-infrared detector (HAWAII-2RG), pixels."""

AMPLIFIERS = 4
"""Amplifiers that read a full frame: each a quarter of every line or, of MIRI, every fourth column."""

IRS2_FRAME = (3200, FULL_SIZE)
"""Rows and columns of a full NIRSpec frame in the IRS2 read-out, with the reference pixels in between."""

IRS2_RUNS = {"NRS_NORM": 16, "NRS_REF": 4}
"""Normal and reference pixels that follow each other in the IRS2 read-out, by the keyword that tells them."""

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


def is_interleaved(shape: tuple[int, ...]) -> bool:
    """Whether an array (..., ny, nx) has the interleaved reference pixels of the IRS2 read-out."""
    return shape[-2] == IRS2_FRAME[0]


def unsupported_readout(exposure: Exposure, frame: tuple[int, ...]) -> str:
    """Keyword and name of a read-out whose arrays this version cannot take; empty for all others.

    ``frame`` is the shape (ny, nx) of the array: IRS2 has more pixels than the keywords of the subarray say.
    """
    if max(frame) > FULL_SIZE:
        if not is_interleaved(frame) or exposure.instrument != "NIRSPEC":
            return f"INSTRUME = {exposure.instrument}: a frame of {frame[1]} x {frame[0]} pixels"
        for keyword, length in IRS2_RUNS.items():
            value = exposure.keyword(keyword)
            if value is not None and value != length:
                return f"{keyword} = {value}: an IRS2 read-out with runs of other lengths than {IRS2_RUNS}"
    for keyword in ("SSTR_NST", "MSTR_RD1"):
        value = exposure.keyword(keyword)
        if isinstance(value, (int, float)) and value > 0:
            return f"{keyword} = {value}: a multi-stripe read-out"
    return ""
