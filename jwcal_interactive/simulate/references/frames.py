"""References that hold frames of one subarray: superbias, dark, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy  # its parts are loaded when they are used

from jwcal_interactive.simulate.irs2 import Interleaved
from jwcal_interactive.simulate.mid_infrared import INTEGRATIONS, dark_settling, reset_anomaly
from jwcal_interactive.simulate.pixels import full_pixel_maps
from jwcal_interactive.simulate.references.definition import (
    Image,
    ReferenceCase,
    flags_of,
    with_bad_values,
)
from jwcal_interactive.simulate.response import decoupling_kernel

if TYPE_CHECKING:
    from stdatamodels.jwst.datamodels import ReferenceFileModel

__all__ = ["dark", "reset", "superbias"]

_DARK_TYPES = {
    "NIRCAM": "NRC_DARK",
    "NIRISS": "NIS_DARK",
    "NIRSPEC": "NRS_DARK",
    "FGS": "FGS_DARK",
    "MIRI": "MIR_DARKALL",
}
_FINEST_PATTERN = {
    "NIRCAM": "RAPID",
    "NIRISS": "NISRAPID",
    "NIRSPEC": "NRSRAPID",
    "FGS": "FGSRAPID",
    "MIRI": "FASTR1",
}


def superbias(case: ReferenceCase) -> ReferenceFileModel:
    """Bias as the capacitance correction, which runs before it, leaves it.

    That correction takes what is outside the light-sensitive part of the subarray as zero.
    """
    from stdatamodels.jwst.datamodels import SuperBiasModel

    detector, subarray = case.detector, case.subarray
    assert subarray is not None
    maps = full_pixel_maps(detector).cut(subarray.window)
    bias = maps.bias + np.float32(subarray.bias_offset)
    rows, columns = (np.flatnonzero((~maps.reference).any(axis)) for axis in (1, 0))
    light = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    kernel = decoupling_kernel(detector)
    bias[light] = scipy.ndimage.convolve(bias[light], kernel, mode="constant", cval=0.0)
    bias, flags = with_bad_values(bias, maps, "superbias"), flags_of(maps, "superbias")
    if subarray.irs2:
        layout = Interleaved(detector, subarray)
        bias = np.asarray(layout.with_references(bias, layout.levels), np.float32)
        flags = np.asarray(layout.with_references(flags, np.zeros(layout.levels.shape, np.uint32)), np.uint32)
    model = SuperBiasModel(data=np.ascontiguousarray(bias))
    model.dq = np.ascontiguousarray(flags)
    model.err = np.full(bias.shape, 0.5, np.float32)
    model.meta.bunit_data = "DN"
    if subarray.readpatts:
        model.meta.exposure.readpatt = subarray.readpatts[0]
    return model


def dark(case: ReferenceCase) -> ReferenceFileModel:
    """Dark signal after each frame; the finest read pattern of a readout mode serves all others.

    The average dark current (e-/s) is given as one number: the official dark_current step ignores
    a map of it (jwst 3.0.0 compares the map's shape with that of an array not yet made).
    """
    from stdatamodels.jwst import datamodels

    detector, subarray = case.detector, case.subarray
    assert subarray is not None
    maps = full_pixel_maps(detector).cut(subarray.window)
    rate = with_bad_values(maps.dark / maps.gain, maps, "dark")
    times = np.arange(1, subarray.dark_frames + 1, dtype=np.float32) * subarray.frame_time
    frames: Image = times.astype(np.float32)[:, None, None] * rate
    flags = flags_of(maps, "dark")
    if detector.mid_infrared is not None:
        settled = [
            [
                frame + dark_settling(detector.mid_infrared, maps, i, number)
                for number, frame in enumerate(frames)
            ]
            for i in range(INTEGRATIONS)
        ]
        model = datamodels.DarkMIRIModel(data=np.array(settled, np.float32))
        model.dq = np.broadcast_to(flags, (INTEGRATIONS, 1, *flags.shape)).copy()
        model.meta.exposure.nints = INTEGRATIONS
    else:
        kind = datamodels.DarkNirspecModel if detector.instrument == "NIRSPEC" else datamodels.DarkModel
        model = kind(data=frames)
        model.dq = flags
    exposure = {
        "ngroups": subarray.dark_frames,
        "nframes": 1,
        "groupgap": 0,
        "readpatt": (subarray.readpatts or (_FINEST_PATTERN[detector.instrument],))[0],
        "type": _DARK_TYPES[detector.instrument],
        "noutputs": subarray.noutputs,
        "average_dark_current": detector.dark,
    }
    for name, value in exposure.items():
        model[f"meta.exposure.{name}"] = value
    return model


def reset(case: ReferenceCase) -> ReferenceFileModel:
    """Signal that the reset leaves in the first frames of the first and of later integrations."""
    from stdatamodels.jwst.datamodels import ResetModel

    detector, subarray = case.detector, case.subarray
    assert subarray is not None
    effects = detector.mid_infrared
    assert effects is not None
    maps = full_pixel_maps(detector).cut(subarray.window)
    data = np.array(
        [
            [reset_anomaly(effects, maps, i, frame) for frame in range(effects.reset_frames)]
            for i in range(INTEGRATIONS)
        ]
    )
    model = ResetModel(data=with_bad_values(data, maps, "reset"))
    model.dq = flags_of(maps, "reset")
    model.meta.exposure.nints = INTEGRATIONS
    model.meta.exposure.ngroups = effects.reset_frames
    model.meta.exposure.readpatt = subarray.readpatts[0]
    return model
