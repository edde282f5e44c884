"""What is measured: exposures and settings, with the targets of this project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from jwcal_interactive.demo import kept_exposure
from jwcal_interactive.simulate import ExposureSpec

__all__ = ["CASES", "Case", "raw_file"]


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes
    ----------
    name : str
        For ``--case``.
    title : str
        Exposure and settings in words.
    spec : ExposureSpec
        What is simulated.
    steps : mapping
        Settings, ``{step: {parameter: value}}``, for both pipelines.
    targets : (float, float, float)
        Ratios aimed at: wall time of the process, of a call in a running process, peak memory.
    repeat : int
        Integrations up to which those of the simulated exposure are repeated; 0 to take it as it is.
    official_ints : int
        Integrations that the official pipeline gets where it cannot take all; 0 for all. Its time and memory
        are then scaled up, and the table says so.
    call : bool
        Whether to measure calls in a running process, too.
    """

    name: str
    title: str
    spec: ExposureSpec
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    targets: tuple[float, float, float] = (0.0, 0.0, 0.0)
    repeat: int = 0
    official_ints: int = 0
    call: bool = True


_ON = {"skip": False}
_FULL = ExposureSpec()
_SOSS = ExposureSpec(
    instrument="NIRISS", detector="NIS", readpatt="NISRAPID", filter="CLEAR", pupil="GR700XD",
    exp_type="NIS_SOSS", subarray="SUBSTRIP256", ngroups=10, nints=2,
)  # fmt: skip

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        Case("full", "NIRCam 2048 x 2048, 10 groups, default", _FULL, targets=(12, 25, 1 / 4)),
        Case(
            "sub640", "NIRCam SUB640, 8 groups x 3 ints, default",
            ExposureSpec(subarray="SUB640", ngroups=8, nints=3, observation="002"), targets=(9, 25, 1 / 2),
        ),
        Case(
            "snowballs", "NIRCam full frame with snowballs", _FULL,
            {"jump": {"expand_large_events": True}}, (12, 20, 1 / 4),
        ),
        Case(
            "likely", "NIRCam full frame, LIKELY", _FULL,
            {"ramp_fit": {"algorithm": "LIKELY"}}, (15, 25, 1 / 4),
        ),
        Case(
            "flicker", "NIRCam full frame with clean_flicker_noise", _FULL,
            {"clean_flicker_noise": _ON}, (12, 12, 1 / 4),
        ),
        Case(
            "irs2", "NIRSpec IRS2 full frame, 5 groups",
            ExposureSpec(
                instrument="NIRSPEC", detector="NRS1", readpatt="NRSIRS2RAPID", filter="F290LP",
                grating="G395H", pupil="", exp_type="NRS_IFU", ngroups=5,
            ),
            targets=(8, 12, 1 / 3),
        ),
        Case(
            "miri", "MIRI full frame FASTR1, 40 groups x 3 ints",
            ExposureSpec(
                instrument="MIRI", detector="MIRIMAGE", readpatt="FASTR1", filter="F770W", pupil="",
                exp_type="MIR_IMAGE", ngroups=40, nints=3,
            ),
            targets=(8, 12, 1 / 3),
        ),
        Case(
            "series", "time series 256 x 2048, 10 groups x 250 ints (2.6 GB raw)", _SOSS,
            targets=(8, 0, 0), repeat=250, official_ints=25, call=False,
        ),
        Case(
            "short-series", "time series 256 x 2048, 10 groups x 25 ints", _SOSS, repeat=25, call=False,
        ),
    )
}  # fmt: skip


def raw_file(case: Case, nints: int = 0) -> Path:
    """Raw file of a case, made once and kept in the user's cache folder.

    Parameters
    ----------
    case : Case
    nints : int
        Integrations where they are repeated; by default those of the case.
    """
    raw, _truth = kept_exposure(case.spec)
    wanted = nints or case.repeat
    if not wanted:
        return raw
    from tests.support.long_exposure import lengthen

    folder = Path(platformdirs.user_cache_dir("jwcal_interactive")) / "demo_exposures" / raw.parent.name
    path = folder / f"{case.spec.rootname[: -len(case.spec.detector) - 1]}x{wanted:04d}_nis_uncal.fits"
    if not path.exists():
        lengthen(raw, path.with_suffix(".part"), wanted).replace(path)
    return path


def short(case: Case) -> Case:
    """Give the case with the integrations that the official pipeline can take."""
    return replace(case, repeat=case.official_ints)
