"""dq_init against the official function, on random flags."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.steps.dq_init import DQInitParams, dq_init
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


def test_science_exposure(make_ramp, make_reference, ramp_model, reference_model, same_ramp):
    from jwst.dq_init.dq_initialization import do_dqinit

    ramp = make_ramp(1, nints=2)
    mask = make_reference("mask", np.zeros(ramp.pixeldq.shape), seed=5)
    ours = dq_init(ramp, {"mask": mask}, DQInitParams(), Tiles())
    same_ramp(ours, do_dqinit(ramp_model(ramp), reference_model(mask, ramp)))
    assert (ours.groupdq != ramp.groupdq).any()


@pytest.mark.parametrize("exp_type", ["FGS_ACQ1", "FGS_ACQ2", "FGS_TRACK", "FGS_FINEGUIDE", "FGS_ID-STACK"])
def test_guider_exposure(exp_type, make_ramp, make_reference, ramp_model, reference_model):
    from jwst.dq_init.dq_initialization import do_dqinit
    from stdatamodels.jwst.datamodels import GuiderRawModel

    ramp = make_ramp(2, nints=2, instrument="FGS", detector="GUIDER1", exp_type=exp_type)
    mask = make_reference("mask", np.zeros(ramp.pixeldq.shape), seed=6)
    model = GuiderRawModel(data=ramp.data.copy(), dq=ramp.pixeldq.copy())
    model.update(ramp_model(ramp))
    official = do_dqinit(model, reference_model(mask, ramp))
    ours = dq_init(ramp, {"mask": mask}, DQInitParams(), Tiles())
    np.testing.assert_array_equal(ours.pixeldq, official.dq)
    assert ours.groupdq is ramp.groupdq or np.shares_memory(ours.groupdq, ramp.groupdq)


@pytest.mark.parametrize("exp_type", ["NRC_IMAGE", "FGS_TRACK"])
def test_own_flags(exp_type, make_ramp, make_reference, ramp_model, reference_model, tmp_path):
    """From a file: the official step reads the first image."""
    from astropy.io import fits
    from jwst.dq_init.dq_initialization import do_dqinit
    from stdatamodels.jwst.datamodels import GuiderRawModel

    from jwcal_interactive.io.user_files import read_user_file

    ramp = make_ramp(3, nints=2, exp_type=exp_type)
    mask = make_reference("mask", np.zeros(ramp.pixeldq.shape), seed=5)
    own = np.random.default_rng(8).integers(0, 1 << 31, ramp.pixeldq.shape, np.uint32)
    fits.PrimaryHDU(own).writeto(tmp_path / "own.fits")
    model = ramp_model(ramp)
    if exp_type == "FGS_TRACK":
        model = GuiderRawModel(data=ramp.data.copy(), dq=ramp.pixeldq.copy())
        model.update(ramp_model(ramp))
    official = do_dqinit(model, reference_model(mask, ramp), fits.getdata(tmp_path / "own.fits"))
    refs = {"mask": mask, "user_supplied_dq": read_user_file(tmp_path / "own.fits", "dq_init.user_supplied_dq")}
    ours = dq_init(ramp, refs, DQInitParams(), Tiles())
    np.testing.assert_array_equal(ours.pixeldq, official.dq if exp_type == "FGS_TRACK" else official.pixeldq)
    if exp_type != "FGS_TRACK":
        np.testing.assert_array_equal(ours.groupdq, official.groupdq)
