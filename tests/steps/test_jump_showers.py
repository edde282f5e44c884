from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Cancelled
from jwcal_interactive.steps.jump import JumpParams
from jwcal_interactive.steps.jump_showers import flag_showers
from jwcal_interactive.tiles import Tiles

SHAPE = (50, 60)
SIZE = 15.0  # DN; 2.1 sigma of a difference
AT = (0, 5)


def disk(y, x, radius):
    yy, xx = np.indices(SHAPE)
    return np.hypot(yy - y, xx - x) <= radius


@pytest.fixture
def run(ramp_of):
    def make(tiles=None, ngroups=12, size=SIZE, saturated=None, reference=None, **params):
        rng = np.random.default_rng(0)
        data = np.cumsum(rng.normal(3.0, 7.0 / np.sqrt(2), (1, ngroups, *SHAPE)), axis=1)
        data[0, AT[1] :, disk(25, 30, 10)] += size
        ramp = ramp_of(data)
        groupdq, pixeldq = np.zeros(data.shape, np.uint8), np.zeros(SHAPE, np.uint32)
        if saturated is not None:
            groupdq[0, 6:, saturated] = DQ.SATURATED
        if reference is not None:
            pixeldq[reference] = DQ.REFERENCE_PIXEL
        one, noise = np.ones(SHAPE, np.float32), np.full(SHAPE, 5.0, np.float32)
        p = JumpParams(find_showers=True, **params)
        before = ramp.data.tobytes()
        number = flag_showers(ramp, groupdq, pixeldq, one, noise, p, tiles or Tiles(threads=1, band_rows=7))
        assert ramp.data.tobytes() == before
        return number, (groupdq & DQ.JUMP_DET) != 0

    return make


def test_a_shower_is_flagged_with_the_groups_after_it(run):
    number, flagged = run()
    assert number == 1
    assert {k for k in range(12) if flagged[0, k].any()} == {5, 6}  # 15 s in groups of 10 s: one more
    for k in (5, 6):
        assert flagged[0, k][disk(25, 30, 8)].mean() > 0.95
        assert not flagged[0, k][~disk(25, 30, 14)].any()
    assert {k for k in range(12) if run(time_masked_after_shower=35.0)[1][0, k].any()} == {5, 6, 7, 8}


@pytest.mark.parametrize(
    "params",
    [{"size": 0.0}, {"extend_snr_threshold": 5.0}, {"extend_min_area": 2000}, {"ngroups": 10}],
)
def test_no_shower(run, params):
    number, flagged = run(**params)
    assert number == 0
    assert not flagged.any()


def test_a_smaller_amplitude_gives_flags_back(run):
    shares = [run(max_shower_amplitude=limit)[1][AT][disk(25, 30, 8)].mean() for limit in (4.0, 0.1, 0.0)]
    assert shares[0] > 0.95 > shares[1] > shares[2] == 0


def test_saturated_and_reference_pixels_are_left_alone(run):
    flagged = run(saturated=disk(25, 27, 2), reference=disk(25, 34, 1))[1]
    assert not flagged[:, 6, disk(25, 27, 2)].any()
    assert not flagged[:, :, disk(25, 34, 1)].any()


def test_cancel(run):
    tiles = Tiles(threads=1)
    tiles.cancel.set()
    with pytest.raises(Cancelled):
        run(tiles=tiles)
