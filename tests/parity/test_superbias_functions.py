"""superbias against the official function."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.steps.superbias import SuperbiasParams, superbias
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("zero_frame", [False, True])
def test_superbias(zero_frame, make_ramp, make_reference, ramp_model, reference_model, same_ramp):
    from jwst.superbias.bias_sub import do_correction

    ramp = make_ramp(3, nints=2, zero_frame=zero_frame)
    bias = make_reference("superbias", np.random.default_rng(4).normal(12_000, 300, ramp.pixeldq.shape))
    ours = superbias(ramp, {"superbias": bias}, SuperbiasParams(), Tiles())
    same_ramp(ours, do_correction(ramp_model(ramp), reference_model(bias, ramp)))
