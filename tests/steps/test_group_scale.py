from __future__ import annotations

import threading

import numpy as np
import pytest

from jwcal_interactive.errors import Cancelled, Skip
from jwcal_interactive.steps.group_scale import GroupScaleParams, group_scale
from jwcal_interactive.tiles import Tiles


def scale(ramp, **tiles):
    return group_scale(ramp, {}, GroupScaleParams(), Tiles(**{"threads": 1, **tiles}))


@pytest.mark.parametrize(("nframes", "divisor"), [(3, 4), (10, 16), (4, 2)])
@pytest.mark.parametrize("tiles", [{}, {"band_rows": 2}, {"band_rows": 1, "threads": 3}])
def test_groups_are_multiplied_in_single_precision(ramp_of, nframes, divisor, tiles):
    """As officially, whose arrays are multiplied by a Python number; the zero frame is one frame, not a sum."""
    data = np.random.default_rng(1).normal(1e4, 3e3, (2, 3, 5, 4))
    ramp = ramp_of(data, nframes=nframes, frame_divisor=divisor, zeroframe=np.ones((2, 5, 4)))
    before = ramp.data.copy()
    out = scale(ramp, **tiles)
    expected = before.copy()
    expected *= float(divisor) / nframes
    np.testing.assert_array_equal(out.data, expected)
    assert out.data.dtype == np.float32
    np.testing.assert_array_equal(ramp.data, before)
    for name in ("groupdq", "pixeldq", "zeroframe"):
        assert np.shares_memory(getattr(out, name), getattr(ramp, name))


@pytest.mark.parametrize(("divisor", "told"), [(None, "FRMDIVSR is missing"), (4, "nothing to rescale")])
def test_nothing_to_do(ramp_of, divisor, told):
    with pytest.raises(Skip, match=told):
        scale(ramp_of(np.ones((1, 2, 3, 3)), nframes=4, frame_divisor=divisor))


def test_cancelling(ramp_of):
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Cancelled):
        scale(ramp_of(np.ones((1, 2, 3, 3)), nframes=3, frame_divisor=4), cancel=stopped)
