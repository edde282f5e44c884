"""Official data models from this project's containers."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def ramp_model():
    def make(ramp):
        from stdatamodels.jwst.datamodels import RampModel

        e = ramp.exposure
        model = RampModel(data=ramp.data.copy(), groupdq=ramp.groupdq.copy(), pixeldq=ramp.pixeldq.copy())
        if ramp.zeroframe is not None:
            model.zeroframe = ramp.zeroframe.copy()
        instrument, exposure, subarray = model.meta.instrument, model.meta.exposure, model.meta.subarray
        instrument.name, instrument.detector = e.instrument, e.detector
        exposure.type, exposure.nints, exposure.ngroups = e.exp_type, e.nints, e.ngroups
        exposure.nframes, exposure.groupgap = e.nframes, e.groupgap
        exposure.noutputs, exposure.zero_frame = e.noutputs, e.zero_frame
        subarray.name, subarray.fastaxis, subarray.slowaxis = e.subarray, e.fastaxis, e.slowaxis
        subarray.xstart, subarray.ystart = e.xstart, e.ystart
        subarray.xsize, subarray.ysize = e.xsize, e.ysize
        return model

    return make


@pytest.fixture(scope="session")
def reference_model():
    def make(ref, ramp):
        from stdatamodels.jwst import datamodels

        kind = {
            "mask": datamodels.MaskModel, "saturation": datamodels.SaturationModel,
            "superbias": datamodels.SuperBiasModel, "linearity": datamodels.LinearityModel,
            "dark": datamodels.DarkModel, "ipc": datamodels.IPCModel,
        }[ref.reftype]  # fmt: skip
        model = kind()
        if ref.reftype == "linearity":
            model.coeffs = ref.data.copy()
            if "INV_COEFFS" in ref.arrays:
                model.inv_coeffs = ref.arrays["INV_COEFFS"].copy()
        elif ref.reftype != "mask":
            model.data = ref.data.copy()
        if ref.reftype == "ipc":
            return model
        model.dq = ref.dq.copy()
        if "AVDRKCUR" in ref.arrays:
            model.average_dark_current = ref.arrays["AVDRKCUR"].copy()
        if ref.reftype == "dark":
            model.meta.exposure.nframes = ref.keywords["NFRAMES"]
            model.meta.exposure.groupgap = ref.keywords["GROUPGAP"]
            model.meta.exposure.ngroups = ref.data.shape[0]
            model.meta.exposure.average_dark_current = ref.keywords.get("AVDRKCUR")
        e = ramp.exposure
        model.meta.instrument.name, model.meta.instrument.detector = e.instrument, e.detector
        subarray = model.meta.subarray
        subarray.xstart, subarray.ystart, subarray.xsize, subarray.ysize = (
            e.xstart, e.ystart, e.xsize, e.ysize,
        )  # fmt: skip
        return model

    return make


@pytest.fixture(scope="session")
def assert_same():
    """Every array of a ramp equals the official one, bit for bit."""

    def check(ramp, model):
        np.testing.assert_array_equal(ramp.pixeldq, model.pixeldq)
        np.testing.assert_array_equal(ramp.groupdq, model.groupdq)
        assert model.data.dtype == ramp.data.dtype == np.float32
        np.testing.assert_array_equal(ramp.data, model.data)
        if ramp.zeroframe is not None:
            np.testing.assert_array_equal(ramp.zeroframe, model.zeroframe)

    return check
