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
