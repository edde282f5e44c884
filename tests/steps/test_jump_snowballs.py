from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Cancelled
from jwcal_interactive.steps.jump import JumpParams
from jwcal_interactive.steps.jump_snowballs import flag_snowballs
from jwcal_interactive.tiles import Tiles

JUMP_DET, SATURATED = int(DQ.JUMP_DET), int(DQ.SATURATED)
SHAPE = (100, 120)
GROUP_TIME = 10.0


def disk(y, x, radius):
    yy, xx = np.indices(SHAPE)
    return np.hypot(yy - y, xx - x) <= radius


def ring_with_core(y=50, x=60, radius=8, core=3, saturated_from=2):
    groupdq = np.zeros((2, 5, *SHAPE), np.uint8)
    groupdq[0, 2, disk(y, x, radius)] = JUMP_DET
    groupdq[0, saturated_from:, disk(y, x, core)] = SATURATED
    return groupdq


def run(groupdq, **params):
    out = groupdq.copy()
    return flag_snowballs(
        out, JumpParams(expand_large_events=True, **params), GROUP_TIME, Tiles(threads=1)
    ), out


def jumps(out, i, k):
    return (out[i, k] & JUMP_DET) != 0


@pytest.mark.parametrize("saturated_from", [2, 3])
def test_a_snowball_grows(saturated_from):
    number, out = run(ring_with_core(saturated_from=saturated_from))
    assert number == 1
    flagged = jumps(out, 0, 2) | ((out[0, 2] & SATURATED) != 0)
    assert flagged[disk(50, 60, 13)].all()
    assert not flagged[~disk(50, 60, 18)].any()
    assert not jumps(out, 0, 1).any()


@pytest.mark.parametrize(
    ("groupdq", "params", "number"),
    [
        (ring_with_core(core=-1), {}, 0),
        (ring_with_core(core=-1), {"sat_required_snowball": False}, 1),
        (ring_with_core(core=-1, y=20), {}, 1),
        (ring_with_core(core=-1, y=20), {"edge_size": 10}, 0),
        (ring_with_core(core=-1, x=96), {}, 1),
        (ring_with_core(core=-1, x=94), {}, 0),
        (ring_with_core(saturated_from=1), {}, 0),
        (ring_with_core(saturated_from=4), {}, 0),
        (ring_with_core(), {"min_jump_area": 250.0}, 0),
        (ring_with_core(), {"min_sat_area": 40.0}, 0),
    ],
)
def test_what_is_a_snowball(groupdq, params, number):
    assert run(groupdq, **params)[0] == number


def test_the_core_grows_in_all_later_groups():
    saturated = run(ring_with_core(), sat_expand=4)[1] & SATURATED != 0
    assert saturated[0, 2:, disk(50, 60, 5)].all()
    assert not saturated[:, :, ~disk(50, 60, 8)].any()
    assert not saturated[0, :2].any()
    small = run(ring_with_core(), min_sat_radius_extend=7.0)[1] & SATURATED != 0
    np.testing.assert_array_equal(small[0, 2], disk(50, 60, 3))


@pytest.mark.parametrize(
    ("params", "groups"),
    [
        ({}, {1, 2, 3, 4}),
        ({"snowball_time_masked_next_int": 30}, {1, 2}),
        ({"snowball_time_masked_next_int": 10}, set()),
        ({"mask_snowball_core_next_int": False}, set()),
    ],
)
def test_the_core_is_masked_in_the_next_integration(params, groups):
    out = run(ring_with_core(), **params)[1]
    assert {k for k in range(5) if jumps(out, 1, k).any()} == groups
    for k in groups:
        assert jumps(out, 1, k)[disk(50, 60, 1)].all()
        assert not jumps(out, 1, k)[~disk(50, 60, 3.2)].any()


def test_no_axis_becomes_longer_than_allowed():
    out = run(ring_with_core(), max_extended_radius=10, expand_factor=9.0)[1]
    assert not jumps(out, 0, 2)[~disk(50, 60, 10)].any()


def test_cancel():
    tiles = Tiles(threads=1)
    tiles.cancel.set()
    with pytest.raises(Cancelled):
        flag_snowballs(ring_with_core(), JumpParams(), GROUP_TIME, tiles)
