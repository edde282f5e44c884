"""The detectors that can be simulated, as data. Adding one means adding rows here."""

from __future__ import annotations

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.simulate.detectors.description import (
    Aperture,
    Detector,
    MidInfrared,
    ReadoutNoise,
    Subarray,
)
from jwcal_interactive.simulate.detectors.fgs import FGS
from jwcal_interactive.simulate.detectors.miri import MIRI
from jwcal_interactive.simulate.detectors.nircam import NIRCAM
from jwcal_interactive.simulate.detectors.niriss import NIRISS
from jwcal_interactive.simulate.detectors.nirspec import NIRSPEC

__all__ = [
    "DETECTORS",
    "Aperture",
    "Detector",
    "MidInfrared",
    "ReadoutNoise",
    "Subarray",
    "detector_named",
]

DETECTORS: dict[str, Detector] = {d.name: d for d in (*NIRCAM, *NIRISS, *FGS, *NIRSPEC, *MIRI)}


def detector_named(instrument: str, name: str) -> Detector:
    """Look a detector up.

    Raises
    ------
    ParameterError
        If it is not described; the message lists those of the instrument.
    """
    known = [d.name for d in DETECTORS.values() if d.instrument == instrument]
    if name not in known:
        raise ParameterError(
            f"detector={name!r}: not described for {instrument}; allowed: {', '.join(known) or 'none yet'}."
        )
    return DETECTORS[name]
