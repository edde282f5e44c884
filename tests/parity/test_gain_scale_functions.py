"""gain_scale against the official step."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Exposure, Rates, Slopes
from jwcal_interactive.steps.gain_scale import gain_scale
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("factor", [2.0, 1.9876543, 0.1])
def test_bit_identical(factor):
    from jwst.gain_scale.gain_scale import do_correction
    from stdatamodels.jwst.datamodels import CubeModel, ImageModel

    rng = np.random.default_rng(1)
    rate, rateints = _slopes(rng, (7, 9)), _slopes(rng, (3, 7, 9))
    exposure = Exposure(
        filename="f", instrument="NIRSPEC", detector="NRS1", exp_type="NRS_FIXEDSLIT", readpatt="NRSRAPID",
        subarray="S", xstart=1, ystart=1, xsize=9, ysize=7, fastaxis=2, slowaxis=1, nints=3, ngroups=5,
        nframes=1, groupgap=0, group_time=1.0, frame_time=1.0, frame_divisor=1, noutputs=1,
        zero_frame=False, gain_factor=factor,
    )  # fmt: skip
    rates = Rates(exposure=exposure, rate=rate, rateints=rateints)
    ours = gain_scale(rates, {"gain": None}, gain_scale.params(), Tiles(threads=1))
    for before, after, model in ((rate, ours.rate, ImageModel), (rateints, ours.rateints, CubeModel)):
        names = ("data", "err", "var_poisson", "var_rnoise")
        theirs = do_correction(model(**{n: getattr(before, n).copy() for n in names}), factor)
        for name in names:
            np.testing.assert_array_equal(getattr(after, name), getattr(theirs, name))
        assert after.dq is before.dq or np.shares_memory(after.dq, before.dq)
    assert ours.keywords["GAINFACT"].value == theirs.meta.exposure.gain_factor


def _slopes(rng, shape):
    floats = rng.lognormal(0, 5, (4, *shape)).astype(np.float32)
    floats[0, ..., 0] = np.nan
    return Slopes(
        data=floats[0], err=floats[1], dq=np.ones(shape, np.uint32), var_poisson=floats[2],
        var_rnoise=floats[3],
    )  # fmt: skip
