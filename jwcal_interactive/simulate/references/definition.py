"""What a type of reference file is, and what builders of all types share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_interactive.simulate.detectors import Detector, Subarray
from jwcal_interactive.simulate.pixels import POPULATIONS, PixelMaps

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import ReferenceFileModel

__all__ = [
    "ALL",
    "NEAR_INFRARED",
    "USEAFTER",
    "Image",
    "ReferenceCase",
    "ReferenceKind",
    "Scope",
    "flags_of",
    "with_bad_values",
]

USEAFTER = "2021-01-01T00:00:00"

NEAR_INFRARED = frozenset({"NIRCAM", "NIRISS", "NIRSPEC", "FGS"})
ALL = NEAR_INFRARED | {"MIRI"}

Image = NDArray[np.float32]


class Scope(Enum):
    """What one file serves: a detector, one of its readout modes (full frame), or one subarray in a mode."""

    DETECTOR = "detector"
    READOUT = "readout"
    SUBARRAY = "subarray"


@dataclass(frozen=True)
class ReferenceCase:
    """What one file is for; without a subarray, for all."""

    detector: Detector
    subarray: Subarray | None = None

    def __str__(self) -> str:
        words = [self.detector.name]
        if self.subarray is not None:
            words += [self.subarray.name, *self.subarray.readpatts[:1]]
        return " ".join(words)


def _always(_: ReferenceCase) -> bool:
    return True


@dataclass(frozen=True)
class ReferenceKind:
    """One type of reference file.

    Attributes
    ----------
    reftype : str
        Official type, lower case.
    build : callable
        Gives a stdatamodels reference model without the metadata that all references share. Arrays are the
        truth itself, free of measurement noise.
    scope : Scope
        What one file serves.
    instruments : frozenset of str
        INSTRUME values that have this type.
    flags : tuple of DQ
        Rows of DQ_DEF; the position in the tuple is the bit, on purpose not the standard one.
    located : bool
        Whether its arrays belong to a place on the detector (keywords of the subarray).
    extension : str
        ``"fits"`` or ``"asdf"``.
    optional : bool
        Whether only steps that are off by default ask for it.
    applies : callable
        Whether there is a file for a case; if not, CRDS says N/A.
    """

    reftype: str
    build: Callable[[ReferenceCase], ReferenceFileModel]
    scope: Scope = Scope.DETECTOR
    instruments: frozenset[str] = ALL
    flags: tuple[DQ, ...] = ()
    located: bool = True
    extension: str = "fits"
    optional: bool = False
    applies: Callable[[ReferenceCase], bool] = _always

    def cases(self, detector: Detector) -> tuple[ReferenceCase, ...]:
        """Give all cases of a detector, those without a file too."""
        if detector.instrument not in self.instruments:
            return ()
        if self.scope is Scope.SUBARRAY:
            return tuple(ReferenceCase(detector, subarray) for subarray in detector.subarrays)
        if self.scope is Scope.READOUT:
            modes = [s for s in detector.subarrays if s.name == "FULL" and s.readpatts]
            if modes:
                return tuple(ReferenceCase(detector, subarray) for subarray in modes)
        return (ReferenceCase(detector),)


def with_bad_values(image: Image, maps: PixelMaps, reftype: str) -> Image:
    """Put the unusable values of the populations that this type of reference tells of in place."""
    image = np.array(image, np.float32)
    for population in POPULATIONS:
        if population.reference == reftype and population.value is not None:
            image[..., maps.where(population)] = population.value
    return image


def flags_of(maps: PixelMaps, reftype: str) -> NDArray[np.uint32]:
    """Flag the populations that this type of reference tells of, in standard bits."""
    flags = np.zeros(maps.population.shape, np.uint32)
    for population in POPULATIONS:
        if population.reference == reftype and population.dq:
            flags[maps.where(population)] |= np.uint32(population.dq)
    return flags
