"""guider_cds against the official code: random arrays, and a flight exposure."""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from jwcal_interactive.arrays import Exposure, Ramp, Reference
from jwcal_interactive.steps.guider_cds import guider_cds
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

EXPOSURE = Exposure(
    filename="gs.fits", instrument="FGS", detector="GUIDER2", exp_type="FGS_ACQ1", readpatt="ACQ1",
    subarray="128X128", xstart=5, ystart=3, xsize=32, ysize=24, fastaxis=-1, slowaxis=2, nints=6,
    ngroups=2, nframes=1, groupgap=0, group_time=0.3627, frame_time=0.3627, frame_divisor=1,
    noutputs=1, zero_frame=False, gain_factor=None,
)  # fmt: skip


def official(data, dq, exposure, gain, readnoise):
    from jwst.guider_cds.guider_cds import guider_cds as cds
    from stdatamodels.jwst.datamodels import GainModel, GuiderRawModel, ReadnoiseModel

    model = GuiderRawModel(data=data.copy(), dq=dq.copy())
    model.meta.exposure.type = exposure.exp_type
    model.meta.exposure.group_time = exposure.group_time
    models = (model, GainModel(data=gain.copy()), ReadnoiseModel(data=readnoise.copy()))
    for one, shape in zip(models, (data.shape, gain.shape, readnoise.shape), strict=True):
        one.meta.instrument.name = "FGS"
        one.meta.subarray.xstart, one.meta.subarray.ystart = exposure.xstart, exposure.ystart
        one.meta.subarray.ysize, one.meta.subarray.xsize = shape[-2:]
        one.meta.subarray.fastaxis, one.meta.subarray.slowaxis = -1, 2
    with np.errstate(all="ignore"):
        return cds(*models)


def references(rng, shape):
    gain = rng.normal(1.8, 0.1, shape).astype(np.float32)
    readnoise = rng.normal(12, 1, shape).astype(np.float32)
    return gain, readnoise


def compare(data, dq, exposure, gain, readnoise):
    theirs = official(data, dq, exposure, gain, readnoise)
    groupdq = np.zeros(data.shape, np.uint8)
    ramp = Ramp(exposure=exposure, data=data, groupdq=groupdq, pixeldq=dq)
    refs = {
        "gain": Reference(reftype="gain", name="g", data=gain),
        "readnoise": Reference(reftype="readnoise", name="r", data=readnoise),
    }
    ours = guider_cds(ramp, refs, guider_cds.params(), Tiles(threads=1))
    np.testing.assert_array_equal(ours.data, theirs.data, strict=True)
    np.testing.assert_array_equal(ours.err, theirs.err, strict=True)
    np.testing.assert_array_equal(ours.dq, theirs.dq, strict=True)
    assert np.isfinite(ours.data).any()


@pytest.mark.parametrize(
    ("exp_type", "nints", "ngroups"),
    [
        ("FGS_ACQ1", 6, 2), ("FGS_ACQ2", 5, 2), ("FGS_TRACK", 9, 2), ("FGS_FINEGUIDE", 3, 11),
        ("FGS_ID-IMAGE", 2, 2), ("FGS_ID-STACK", 2, 2), ("FGS_TRACK", 2, 5),
    ],
)  # fmt: skip
def test_bit_identical(exp_type, nints, ngroups):
    rng = np.random.default_rng(3)
    exposure = replace(EXPOSURE, exp_type=exp_type, nints=nints, ngroups=ngroups)
    data = np.round(rng.normal(500, 300, (nints, ngroups, 24, 32))).astype(np.float32)
    gain, readnoise = references(rng, (24, 32))
    gain[3, :5], gain[4, :5], readnoise[5, :5] = 0.0, np.nan, np.nan
    dq = rng.integers(0, 2**31, (24, 32)).astype(np.uint32)
    compare(data, dq, exposure, gain, readnoise)


def test_stack_of_another_shape_than_its_references():
    rng = np.random.default_rng(4)
    exposure = replace(EXPOSURE, exp_type="FGS_ID-STACK", nints=2)
    data = np.round(rng.normal(500, 300, (2, 2, 24, 32))).astype(np.float32)
    compare(data, np.zeros((24, 32), np.uint32), exposure, *references(rng, (20, 20)))


def test_flight_exposure():
    """The level-1b FGS_ACQ1 exposure that comes with the jwst package."""
    from stdatamodels.jwst.datamodels import GuiderRawModel

    path = files("jwst.lib.tests") / "data" / "add_wcs_default_acq1.fits"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GuiderRawModel(str(path))
    data = np.ascontiguousarray(model.data, np.float32)
    meta = model.meta
    exposure = replace(
        EXPOSURE, exp_type=meta.exposure.type, group_time=meta.exposure.group_time, nints=data.shape[0],
        xstart=meta.subarray.xstart, ystart=meta.subarray.ystart,
        xsize=meta.subarray.xsize, ysize=meta.subarray.ysize,
    )  # fmt: skip
    assert data.shape == (6, 2, 128, 128)
    assert data.max() > 1000
    gain, readnoise = references(np.random.default_rng(5), data.shape[-2:])
    compare(data, np.zeros(data.shape[-2:], np.uint32), exposure, gain, readnoise)
