from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.charge_migration import ChargeMigrationParams, charge_migration
from jwcal_interactive.tiles import Tiles

LOST = DQ.CHARGELOSS | DQ.DO_NOT_USE


def run(ramp, **params):
    return charge_migration(ramp, {}, ChargeMigrationParams(skip=False, **params), Tiles())


def test_from_the_group_on_and_in_the_neighbours(ramp_of, bytes_of):
    data = np.zeros((2, 4, 3, 3))
    data[1, 2:, 1, 1] = 30_000
    data[1, 3] += 100  # below
    ramp = ramp_of(data, groupdq=DQ.JUMP_DET)
    before = bytes_of(ramp)
    out = run(ramp)
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    expected = np.full(data.shape, DQ.JUMP_DET, np.uint8)
    expected[1, 2:, cross] |= np.uint8(LOST)
    np.testing.assert_array_equal(out.groupdq, expected)
    assert bytes_of(ramp) == before


def test_the_threshold_itself_is_allowed(ramp_of):
    ramp = ramp_of(np.full((1, 3, 1, 1), 25_000))
    assert not run(ramp).groupdq.any()
    assert (run(ramp, signal_threshold=24_999.9).groupdq == LOST).all()


@pytest.mark.parametrize(("flags", "counts"), [(DQ.DO_NOT_USE, False), (DQ.DO_NOT_USE | DQ.SATURATED, True)])
def test_unusable_groups_do_not_start_it(flags, counts, ramp_of):
    groupdq = np.zeros((1, 3, 1, 1), np.uint8)
    groupdq[0, 0] = flags
    data = np.array([30_000, 0, 0])[None, :, None, None]
    out = run(ramp_of(data, groupdq=groupdq))
    assert (out.groupdq[0, 1] == LOST).all() == counts


def test_nan_is_not_above(ramp_of):
    assert not run(ramp_of(np.full((1, 3, 2, 2), np.nan))).groupdq.any()


def test_too_few_groups(ramp_of):
    with pytest.raises(Skip, match="needs 3 groups, the exposure has 2"):
        run(ramp_of(np.zeros((1, 2, 2, 2))))


def test_off_by_default():
    assert ChargeMigrationParams().skip
