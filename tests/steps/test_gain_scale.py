from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Rates, Slopes
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.gain_scale import GainScaleParams, gain_scale
from jwcal_interactive.tiles import Tiles


@pytest.fixture
def rates_of(ramp_of):
    def make(factor):
        def slopes(*shape):
            one = np.ones(shape, np.float32)
            dq = np.full(shape, 4, np.uint32)
            return Slopes(data=5 * one, err=2 * one, dq=dq, var_poisson=3 * one, var_rnoise=one)

        exposure = ramp_of(np.ones((2, 3, 4, 5)), gain_factor=factor).exposure
        return Rates(exposure=exposure, rate=slopes(4, 5), rateints=slopes(2, 4, 5))

    return make


def scale(rates, gain=None):
    return gain_scale(rates, {"gain": gain}, GainScaleParams(), Tiles(threads=1))


@pytest.mark.parametrize(("exposure", "reference"), [(1.5, None), (None, 1.5), (1.5, 9.0), (1.5, "none")])
def test_rates_and_variances(rates_of, reference_of, exposure, reference):
    """The factor of the exposure is preferred to that of the gain reference."""
    gain = None
    if reference is not None:
        keywords = {} if reference == "none" else {"GAINFACT": reference}
        gain = reference_of("gain", np.ones((4, 5)), **keywords)
    rates = rates_of(exposure)
    out = scale(rates, gain)
    for before, after in ((rates.rate, out.rate), (rates.rateints, out.rateints)):
        assert (after.data == 7.5).all()
        assert (after.err == 3).all()
        assert (after.var_poisson == 6.75).all()
        assert (after.var_rnoise == 2.25).all()
        assert np.shares_memory(after.dq, before.dq)
        assert (before.data == 5).all()
        assert after.data.dtype == np.float32
    assert out.exposure.gain_factor == out.keywords["GAINFACT"].value == 1.5


@pytest.mark.parametrize("reference", [True, False])
def test_no_factor(rates_of, reference_of, reference):
    gain = reference_of("gain", np.ones((4, 5))) if reference else None
    with pytest.raises(Skip, match="GAINFACT"):
        scale(rates_of(None), gain)
