"""References that hold properties of the pixels of a whole detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jwcal_interactive.dq import DQ
from jwcal_interactive.simulate.emi import frequencies_of, wave
from jwcal_interactive.simulate.irs2 import Interleaved, bad_pairs, residual_variance
from jwcal_interactive.simulate.pixels import POPULATIONS, full_pixel_maps
from jwcal_interactive.simulate.references.definition import (
    ReferenceCase,
    flags_of,
    with_bad_values,
)
from jwcal_interactive.simulate.response import (
    correction_coefficients,
    correction_slope,
    decoupling_kernel,
    inverse_coefficients,
    measured_counts,
)

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import ReferenceFileModel

__all__ = ["flat", "gain", "ipc", "linearity", "mask", "readnoise", "saturation"]

_SATURATION_MARGIN = 0.95  # of the full well: below it the response is the polynomial
_SIDE_REFERENCE_PIXELS = 88  # in the running median of the side correction: 11 rows of 4 + 4 columns


def mask(case: ReferenceCase) -> ReferenceFileModel:
    """Bad pixels; for interleaved readouts of the size of the raw frame."""
    from stdatamodels.jwst.datamodels import MaskModel

    maps = full_pixel_maps(case.detector)
    flags = flags_of(maps, "mask")
    flags[maps.reference] |= np.uint32(DQ.REFERENCE_PIXEL)
    if case.subarray is not None and case.subarray.irs2:
        layout = Interleaved(case.detector, case.subarray)
        # There the flag marks a whole line of interleaved pixels as bad.
        flags &= ~np.uint32(DQ.BAD_REF_PIXEL)
        references = np.full(layout.levels.shape, DQ.REFERENCE_PIXEL, np.uint32)
        for pair in bad_pairs(case.detector)[0]:
            references[:, pair.columns] |= np.uint32(DQ.BAD_REF_PIXEL | DQ.DO_NOT_USE)
        flags = np.asarray(layout.with_references(flags, references), np.uint32)
    model = MaskModel()
    model.dq = np.ascontiguousarray(flags)
    return model


def gain(case: ReferenceCase) -> ReferenceFileModel:
    """Gain, e-/DN."""
    from stdatamodels.jwst.datamodels import GainModel

    maps = full_pixel_maps(case.detector)
    return GainModel(data=with_bad_values(maps.gain, maps, "gain"))


def readnoise(case: ReferenceCase) -> ReferenceFileModel:
    """Noise of the difference of two frames (correlated double sampling) after calibration, DN.

    White noise enters as the capacitance correction leaves it; to it come the conversion to
    integers and what the correction of the readout's own noise leaves.
    """
    from stdatamodels.jwst.datamodels import ReadnoiseModel

    maps = full_pixel_maps(case.detector)
    amplified = np.sum(decoupling_kernel(case.detector) ** 2, dtype=np.float64)
    variance = (maps.read_noise**2 + 1 / 12) * np.float32(amplified)
    variance += np.float32(_electronics_variance(case))
    if case.detector.mid_infrared is not None:  # linearity, which takes the bias too, stretches the noise
        variance *= correction_slope(case.detector, maps.linearity, maps.bias) ** 2
    return ReadnoiseModel(data=with_bad_values(np.sqrt(2 * variance), maps, "readnoise"))


def _electronics_variance(case: ReferenceCase) -> float:
    """Variance of a frame by noise of the electronics, after correction, DN^2.

    That is the 1/f noise, and in the near infrared the noise of the side reference pixels' running median,
    whose variance is pi/2 times that of a mean.
    """
    detector = case.detector
    subarray = case.subarray or detector.subarrays[0]
    striping = subarray.noise.one_over_f**2
    if detector.mid_infrared is not None:
        amplitudes = dict(detector.mid_infrared.emi)
        form = float(np.mean(wave(np.linspace(0, 1, 1000, endpoint=False)) ** 2))
        names = (name.partition("_")[0] for name in frequencies_of(detector, subarray))
        return striping + form * sum(amplitudes[name] ** 2 for name in names)
    if subarray.irs2:
        return residual_variance(detector, subarray)
    return striping + np.pi / 2 * detector.read_noise**2 / _SIDE_REFERENCE_PIXELS


def saturation(case: ReferenceCase) -> ReferenceFileModel:
    """Raw counts from which a pixel no longer follows the linearity correction."""
    from stdatamodels.jwst.datamodels import SaturationModel

    detector, maps = case.detector, full_pixel_maps(case.detector)
    linear = maps.full_well / maps.gain * np.float32(_SATURATION_MARGIN)
    if detector.mid_infrared is not None:  # the bias is bent with the signal
        threshold = measured_counts(linear + maps.bias, detector, maps.linearity)
    else:
        threshold = measured_counts(linear, detector, maps.linearity) + maps.bias
    model = SaturationModel(data=with_bad_values(threshold, maps, "saturation"))
    model.dq = flags_of(maps, "saturation")
    return model


def linearity(case: ReferenceCase) -> ReferenceFileModel:
    """Coefficients of the correction, and of its inverse where the detector has them."""
    from stdatamodels.jwst.datamodels import LinearityModel

    detector, maps = case.detector, full_pixel_maps(case.detector)
    model = LinearityModel()
    coefficients = correction_coefficients(detector, maps.linearity)
    for population in POPULATIONS:
        if population.reference == "linearity" and population.value is not None:
            plane = 1 if population.value == 0 else 2
            coefficients[plane][maps.where(population)] = population.value
    model.coeffs = coefficients
    if detector.inverse_linearity:
        model.inv_coeffs = inverse_coefficients(detector, maps.linearity)
    model.dq = flags_of(maps, "linearity")
    return model


def ipc(case: ReferenceCase) -> ReferenceFileModel:
    """Kernel that undoes the coupling of neighbours."""
    from stdatamodels.jwst.datamodels import IPCModel

    return IPCModel(data=decoupling_kernel(case.detector))


def flat(case: ReferenceCase) -> ReferenceFileModel:
    """Relative response of the pixels to light."""
    from stdatamodels.jwst.datamodels import FlatModel

    maps = full_pixel_maps(case.detector)
    model = FlatModel(data=with_bad_values(maps.flat, maps, "flat"))
    model.dq = flags_of(maps, "flat")
    model.dq[maps.reference] |= np.uint32(DQ.NO_FLAT_FIELD | DQ.DO_NOT_USE)
    model.err = np.full(maps.flat.shape, 1e-3, np.float32)
    return model
