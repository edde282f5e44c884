"""flat_field of guider exposures against the official function."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import GuiderSlopes
from jwcal_interactive.steps.flat_field import FlatFieldParams, flat_field
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("exp_type", ["FGS_ID-IMAGE", "FGS_ACQ1", "FGS_FINEGUIDE"])
def test_flat_field(inverse, exp_type, make_ramp, make_reference, ramp_model):
    from jwst.flatfield.flat_field import do_correction
    from stdatamodels.jwst.datamodels import FlatModel, GuiderCalModel

    rng = np.random.default_rng(80)
    ramp = make_ramp(81, instrument="FGS", detector="GUIDER1", exp_type=exp_type)
    nslices = 1 if exp_type == "FGS_ID-IMAGE" else 3
    data = rng.normal(50, 40, (nslices, *ramp.pixeldq.shape)).astype(np.float32)
    data[rng.random(data.shape) < 0.03] = np.nan
    err = rng.exponential(3, data.shape).astype(np.float32)
    err[rng.random(data.shape) < 0.03] = np.nan
    rates = GuiderSlopes(exposure=ramp.exposure, data=data, err=err, dq=ramp.pixeldq)
    values = rng.normal(1, 0.1, ramp.pixeldq.shape)
    values[rng.random(values.shape) < 0.03] = 0
    errors = rng.exponential(0.01, values.shape)
    errors[rng.random(values.shape) < 0.03] = np.nan
    flat = make_reference("flat", values, seed=82, arrays={"ERR": errors})

    flat_model = FlatModel(data=flat.data.copy(), dq=flat.dq.copy(), err=flat.arrays["ERR"].copy())
    facts = ramp_model(ramp)
    flat_model.meta.subarray = facts.meta.subarray
    model = GuiderCalModel(data=data.copy(), err=err.copy(), dq=ramp.pixeldq.copy())
    model.update(facts)
    official, _ = do_correction(model, flat=flat_model, inverse=inverse)
    ours = flat_field(rates, {"flat": flat}, FlatFieldParams(inverse=inverse), Tiles())
    assert official.meta.cal_step.flat_field == "COMPLETE"
    np.testing.assert_array_equal(ours.dq, official.dq)
    np.testing.assert_array_equal(ours.data, official.data)
    np.testing.assert_array_equal(ours.err, official.err)
    assert ours.data.dtype == ours.err.dtype == np.float32
