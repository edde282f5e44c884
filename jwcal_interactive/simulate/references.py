"""Reference files in genuine formats, made from the same pixel maps as the exposures.

Each builder returns a stdatamodels reference model without the metadata that all references share
(`write_reference` adds it). Arrays are the truth itself, free of measurement noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from jwcal_interactive.dq import DQ
from jwcal_interactive.simulate.detectors import Detector, Subarray
from jwcal_interactive.simulate.pixels import POPULATIONS, PixelMaps, full_pixel_maps
from jwcal_interactive.simulate.response import (
    correction_coefficients,
    decoupling_kernel,
    inverse_coefficients,
    measured_counts,
)
from jwcal_interactive.simulate.saving import save_whole

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import ReferenceFileModel

__all__ = ["REFERENCE_KINDS", "USEAFTER", "ReferenceKind", "write_reference"]

USEAFTER = "2021-01-01T00:00:00"
_SATURATION_MARGIN = 0.95  # of the full well: below it the response is the polynomial
_SIDE_REFERENCE_PIXELS = 88  # in the running median of the side correction: 11 rows of 4 + 4 columns

Image = NDArray[np.float32]


@dataclass(frozen=True)
class ReferenceKind:
    """One type of reference file.

    Attributes
    ----------
    reftype : str
        Official type, lower case.
    per_subarray : bool
        Whether each subarray has its own file; if not, one file serves all and is cut out.
    flags : tuple of DQ
        Rows of DQ_DEF; the position in the tuple is the bit, on purpose not the standard one.
    """

    reftype: str
    build: Callable[[Detector, Subarray | None], ReferenceFileModel]
    per_subarray: bool = False
    flags: tuple[DQ, ...] = ()


def _values(image: Image, maps: PixelMaps, reftype: str) -> Image:
    """Put the unusable values of the populations that this type of reference tells of in place."""
    image = np.array(image, np.float32)
    for population in POPULATIONS:
        if population.reference == reftype and population.value is not None:
            image[maps.where(population)] = population.value
    return image


def _flags(maps: PixelMaps, reftype: str) -> NDArray[np.uint32]:
    """Flag the populations that this type of reference tells of, in standard bits."""
    flags = np.zeros(maps.population.shape, np.uint32)
    for population in POPULATIONS:
        if population.reference == reftype and population.dq:
            flags[maps.where(population)] |= np.uint32(population.dq)
    return flags


def _mask(detector: Detector, _: Subarray | None) -> ReferenceFileModel:
    from stdatamodels.jwst.datamodels import MaskModel

    maps = full_pixel_maps(detector)
    flags = _flags(maps, "mask")
    flags[maps.reference] |= np.uint32(DQ.REFERENCE_PIXEL)
    model = MaskModel()
    model.dq = flags
    return model


def _gain(detector: Detector, _: Subarray | None) -> ReferenceFileModel:
    from stdatamodels.jwst.datamodels import GainModel

    maps = full_pixel_maps(detector)
    return GainModel(data=_values(maps.gain, maps, "gain"))


def _readnoise(detector: Detector, _: Subarray | None) -> ReferenceFileModel:
    """Noise of the difference of two frames (correlated double sampling) after calibration, DN.

    White noise enters as the capacitance correction leaves it; to it come the conversion to
    integers, the 1/f noise, and the noise of the side reference pixels' running median, whose
    variance is pi/2 times that of a mean.
    """
    from stdatamodels.jwst.datamodels import ReadnoiseModel

    maps = full_pixel_maps(detector)
    amplified = np.sum(decoupling_kernel(detector) ** 2, dtype=np.float64)
    variance = (maps.read_noise**2 + 1 / 12) * np.float32(amplified)
    if detector.subarrays:
        striping = detector.subarrays[0].noise.one_over_f
        side = np.pi / 2 * detector.read_noise**2 / _SIDE_REFERENCE_PIXELS
        variance += np.float32(striping**2 + side)
    return ReadnoiseModel(data=_values(np.sqrt(2 * variance), maps, "readnoise"))


def _saturation(detector: Detector, _: Subarray | None) -> ReferenceFileModel:
    from stdatamodels.jwst.datamodels import SaturationModel

    maps = full_pixel_maps(detector)
    linear = maps.full_well / maps.gain * np.float32(_SATURATION_MARGIN)
    threshold = measured_counts(linear, detector, maps.linearity) + maps.bias
    model = SaturationModel(data=_values(threshold, maps, "saturation"))
    model.dq = _flags(maps, "saturation")
    return model


def _linearity(detector: Detector, _: Subarray | None) -> ReferenceFileModel:
    from stdatamodels.jwst.datamodels import LinearityModel

    maps = full_pixel_maps(detector)
    model = LinearityModel()
    coefficients = correction_coefficients(detector, maps.linearity)
    for population in POPULATIONS:
        if population.reference == "linearity" and population.value is not None:
            plane = 1 if population.value == 0 else 2
            coefficients[plane][maps.where(population)] = population.value
    model.coeffs = coefficients
    model.inv_coeffs = inverse_coefficients(detector, maps.linearity)
    model.dq = _flags(maps, "linearity")
    return model


def _ipc(detector: Detector, _: Subarray | None) -> ReferenceFileModel:
    from stdatamodels.jwst.datamodels import IPCModel

    return IPCModel(data=decoupling_kernel(detector))


def _superbias(detector: Detector, subarray: Subarray | None) -> ReferenceFileModel:
    """Bias as the capacitance correction, which runs before it, leaves it.

    That correction takes what is outside the light-sensitive part of the subarray as zero.
    """
    from stdatamodels.jwst.datamodels import SuperBiasModel

    assert subarray is not None
    maps = full_pixel_maps(detector).cut(subarray.window)
    bias = maps.bias + np.float32(subarray.bias_offset)
    rows, columns = (np.flatnonzero((~maps.reference).any(axis)) for axis in (1, 0))
    light = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    kernel = decoupling_kernel(detector)
    bias[light] = scipy.ndimage.convolve(bias[light], kernel, mode="constant", cval=0.0)
    model = SuperBiasModel(data=_values(bias, maps, "superbias"))
    model.dq = _flags(maps, "superbias")
    model.err = np.full(bias.shape, 0.5, np.float32)
    model.meta.bunit_data = "DN"
    return model


def _dark(detector: Detector, subarray: Subarray | None) -> ReferenceFileModel:
    """Dark signal after each frame; the finest read pattern serves all others.

    The average dark current (e-/s) is given as one number: the official dark_current step ignores
    a map of it (jwst 3.0.0 compares the map's shape with that of an array not yet made).
    """
    from stdatamodels.jwst.datamodels import DarkModel

    assert subarray is not None
    maps = full_pixel_maps(detector).cut(subarray.window)
    rate = _values(maps.dark / maps.gain, maps, "dark")
    times = np.arange(1, subarray.dark_frames + 1, dtype=np.float32) * subarray.frame_time
    model = DarkModel(data=times.astype(np.float32)[:, None, None] * rate)
    model.dq = _flags(maps, "dark")
    exposure = {
        "ngroups": subarray.dark_frames,
        "nframes": 1,
        "groupgap": 0,
        "readpatt": "RAPID",
        "type": "NRC_DARK",
        "noutputs": subarray.noutputs,
        "average_dark_current": detector.dark,
    }
    for name, value in exposure.items():
        model[f"meta.exposure.{name}"] = value
    return model


REFERENCE_KINDS: dict[str, ReferenceKind] = {
    kind.reftype: kind
    for kind in (
        ReferenceKind(
            "mask",
            _mask,
            flags=(
                DQ.REFERENCE_PIXEL,
                DQ.DO_NOT_USE,
                DQ.HOT,
                DQ.DEAD,
                DQ.TELEGRAPH,
                DQ.OPEN,
                DQ.RC,
                DQ.BAD_REF_PIXEL,
            ),
        ),
        ReferenceKind("gain", _gain),
        ReferenceKind("readnoise", _readnoise),
        ReferenceKind("saturation", _saturation, flags=(DQ.NO_SAT_CHECK, DQ.DO_NOT_USE)),
        ReferenceKind("linearity", _linearity, flags=(DQ.NONLINEAR, DQ.NO_LIN_CORR)),
        ReferenceKind("ipc", _ipc),
        ReferenceKind(
            "superbias",
            _superbias,
            per_subarray=True,
            flags=(DQ.UNRELIABLE_BIAS, DQ.DO_NOT_USE),
        ),
        ReferenceKind("dark", _dark, per_subarray=True, flags=(DQ.UNRELIABLE_DARK, DQ.HOT, DQ.DO_NOT_USE)),
    )
}


def _dq_definitions(model: ReferenceFileModel, flags: tuple[DQ, ...]) -> NDArray[Any]:
    rows = np.zeros(len(flags), model.get_dtype("dq_def"))
    for bit, (row, flag) in enumerate(zip(rows, flags, strict=True)):
        words = str(flag.name).replace("_", " ").lower()
        row["BIT"], row["VALUE"], row["NAME"], row["DESCRIPTION"] = bit, 1 << bit, flag.name, words
    return rows


def _subarray_metadata(detector: Detector, subarray: Subarray | None) -> dict[str, Any]:
    return {
        "name": subarray.name if subarray else "GENERIC",
        "xstart": subarray.xstart if subarray else 1,
        "ystart": subarray.ystart if subarray else 1,
        "xsize": subarray.xsize if subarray else detector.nx,
        "ysize": subarray.ysize if subarray else detector.ny,
        "fastaxis": detector.fastaxis,
        "slowaxis": detector.slowaxis,
    }


def write_reference(kind: ReferenceKind, detector: Detector, subarray: Subarray | None, path: Path) -> Path:
    """Build one reference file and write it whole.

    Parameters
    ----------
    kind : ReferenceKind
        Type of the file.
    detector : Detector
        Whose it is.
    subarray : Subarray or None
        For which subarray; None for types that one file serves.
    path : Path
        Where.

    Returns
    -------
    Path
        The file.
    """
    model = kind.build(detector, subarray)
    where = f"{detector.instrument} {detector.name}" + (f" {subarray.name}" if subarray else "")
    general = {
        "reftype": kind.reftype.upper(),
        "description": f"Simulated {kind.reftype} of {where}",
        "author": "jwcal_interactive.simulate",
        "pedigree": "SIMULATION",
        "useafter": USEAFTER,
        "telescope": "JWST",
        "origin": "jwcal_interactive.simulate",
        "instrument.name": detector.instrument,
        "instrument.detector": detector.name,
    }
    for name, value in general.items():
        model[f"meta.{name}"] = value
    if kind.reftype != "ipc":
        for name, value in _subarray_metadata(detector, subarray).items():
            model[f"meta.subarray.{name}"] = value
    if kind.flags:
        model.dq_def = _dq_definitions(model, kind.flags)
    try:
        return save_whole(path, model.save)
    finally:
        model.close()
