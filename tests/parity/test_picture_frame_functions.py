"""picture_frame against the official code, on random ramps with a frame, sources and bad pixels."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Exposure, Ramp, Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.picture_frame import picture_frame
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

SHAPE = (150, 170)


def framed(seed=0, nints=1, ngroups=4, **facts):
    """Ramps of NIRSpec, taken for a full frame, with a picture frame that grows and sources in a band."""
    rng = np.random.default_rng(seed)
    exposure = Exposure(
        **({
            "filename": "random_uncal.fits", "instrument": "NIRSPEC", "detector": "NRS1",
            "exp_type": "NRS_FIXEDSLIT", "readpatt": "NRSRAPID", "subarray": "FULL", "xstart": 1, "ystart": 1,
            "xsize": SHAPE[1], "ysize": SHAPE[0], "fastaxis": 2, "slowaxis": 1, "nints": nints,
            "ngroups": ngroups, "nframes": 1, "groupgap": 0, "group_time": 10.73677, "frame_time": 10.73677,
            "frame_divisor": 1, "noutputs": 4, "zero_frame": False, "gain_factor": None,
        } | facts)
    )  # fmt: skip
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    frame = 0.01 + 0.05 * np.exp(-np.minimum(y, x) / 30.0) + rng.normal(0, 0.001, SHAPE)
    rate = 0.2 + rng.uniform(0.5, 1.5) * frame
    rate[90:100] += rng.exponential(20, (10, SHAPE[1]))
    data = 500 + np.arange(1, ngroups + 1)[:, None, None] * rate * exposure.group_time
    data = data + rng.normal(0, 5, (nints, ngroups, *SHAPE))
    data[rng.random(data.shape) < 0.005] = np.nan
    groupdq = np.where(rng.random(data.shape) < 0.01, np.uint8(DQ.JUMP_DET), np.uint8(0))
    pixeldq = np.where(rng.random(SHAPE) < 0.02, np.uint32(DQ.DO_NOT_USE), np.uint32(0))
    ramp = Ramp(exposure=exposure, data=data.astype(np.float32), groupdq=groupdq, pixeldq=pixeldq)
    frame[rng.random(SHAPE) < 0.01] = np.nan
    images = {"gain": np.full(SHAPE, 1.8), "readnoise": np.full(SHAPE, 9.0), "pictureframe": frame}
    refs = {
        name: Reference(reftype=name, name=f"{name}.fits", data=np.asarray(image, np.float32))
        for name, image in images.items()
    }
    return ramp, refs


@pytest.fixture
def official(monkeypatch, ramp_model):
    """Run the official correction, with references from memory and regions of science from ``science``."""
    from jwst.clean_flicker_noise import clean_flicker_noise as common
    from jwst.picture_frame import picture_frame as module
    from jwst.ramp_fitting import RampFitStep
    from stdatamodels.jwst import datamodels

    def run(ramp, refs, science=None, **values):
        def place(model):
            model.meta.instrument.name = ramp.exposure.instrument
            subarray = model.meta.subarray
            subarray.xstart = subarray.ystart = 1
            subarray.ysize, subarray.xsize = ramp.data.shape[-2:]
            subarray.fastaxis, subarray.slowaxis = ramp.exposure.fastaxis, ramp.exposure.slowaxis
            return model

        class Fit:
            def run(self, model):
                step = RampFitStep()
                step.override_gain = place(datamodels.GainModel(data=refs["gain"].data.copy()))
                step.override_readnoise = place(datamodels.ReadnoiseModel(data=refs["readnoise"].data.copy()))
                return step.process(model)

        def exclude(_model, mask):
            if science is not None:
                mask[science] = False
            return mask

        monkeypatch.setattr(common, "RampFitStep", Fit)
        monkeypatch.setattr(common, "post_process_rate", lambda model, **_: model)
        monkeypatch.setattr(common, "mask_slits", exclude)
        monkeypatch.setattr(common, "make_intermediate_model", lambda _model, data: data)
        model = place(ramp_model(ramp))
        model.meta.exposure.group_time = model.meta.exposure.frame_time = ramp.exposure.group_time
        frame = datamodels.PictureFrameModel(data=refs["pictureframe"].data.copy())
        with np.errstate(all="ignore"):
            return module.correct_picture_frame(model, frame, save_mask=True, save_correction=True, **values)

    return run


def compare(official, ramp, refs, science=None, **values):
    theirs, mask, correction, status = official(ramp, refs, science, **values)
    assert status == "COMPLETE"
    params = picture_frame.params(**values, save_mask=True, save_correction=True)
    ours = picture_frame(ramp, refs, params, Tiles())
    products = {product.suffix: product.arrays["SCI"] for product in ours.side_products}
    np.testing.assert_array_equal(products["pctfrm_mask"].astype(bool), mask)
    np.testing.assert_array_equal(ours.data, theirs.data)
    np.testing.assert_array_equal(products["pctfrm_correction"], correction)
    assert np.nanstd(correction) > 0.2


@pytest.mark.parametrize("values", [{}, {"n_sigma": 0.0}, {"n_sigma": 3.0}])
@pytest.mark.parametrize(("nints", "ngroups"), [(1, 2), (2, 4)])
def test_parameters(official, nints, ngroups, values):
    compare(official, *framed(1, nints, ngroups), mask_science_regions=False, **values)


def test_science_regions(official, monkeypatch):
    """Those that official_scene finds; how, is not looked at here."""
    from jwcal_interactive.io import official_scene

    science = np.zeros(SHAPE, bool)
    science[85:105] = True
    monkeypatch.setattr(official_scene, "nirspec_regions", lambda _rates: science)
    compare(official, *framed(2), science)


@pytest.mark.parametrize("facts", [{"ngroups": 1}, {"subarray": "SUB2048"}])
def test_where_it_does_not_apply(official, facts):
    ramp, refs = framed(3, **facts)
    assert official(ramp, refs)[-1] == "SKIPPED"
    with pytest.raises(Skip):
        picture_frame(ramp, refs, picture_frame.params(), Tiles())
