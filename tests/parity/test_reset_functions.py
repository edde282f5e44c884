"""reset against the official function: numbers of groups and integrations, segments."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.steps.reset import ResetParams, reset
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


@pytest.mark.parametrize(("nints", "known"), [(1, 2), (3, 2), (2, 2), (2, 1)])
@pytest.mark.parametrize(("ngroups", "corrected"), [(5, 3), (5, 5), (3, 8)])
@pytest.mark.parametrize("start", [None, 1, 2, 9])
def test_reset(
    nints, known, ngroups, corrected, start, make_ramp, make_reference, ramp_model, reference_model, same_ramp
):
    from jwst.reset.reset_sub import do_correction

    keywords = [] if start is None else [("INTSTART", start), ("INTEND", start + nints - 1)]
    ramp = make_ramp(
        73, nints=nints, ngroups=ngroups, keywords=keywords, instrument="MIRI", detector="MIRIMAGE"
    )
    values = np.random.default_rng(74).normal(0, 30, (known, corrected, *ramp.pixeldq.shape))
    ref = make_reference("reset", values, seed=75, NINTS=known, NGROUPS=corrected)
    model = ramp_model(ramp)
    if start is not None:
        model.meta.exposure.integration_start = start
        model.meta.exposure.integration_end = start + nints - 1
    ours = reset(ramp, {"reset": ref}, ResetParams(), Tiles(band_rows=5))
    same_ramp(ours, do_correction(model, reference_model(ref, ramp)))
