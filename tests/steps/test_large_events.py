from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Cancelled, Skip
from jwcal_interactive.steps.large_events import LargeEventsParams, large_events
from jwcal_interactive.tiles import Tiles

JUMP_DET, SATURATED, DO_NOT_USE = int(DQ.JUMP_DET), int(DQ.SATURATED), int(DQ.DO_NOT_USE)
SHAPE = (60, 70)


def disk(y, x, radius):
    yy, xx = np.indices(SHAPE)
    return np.hypot(yy - y, xx - x) <= radius


def flags(nints=1, ngroups=6):
    return np.zeros((nints, ngroups, *SHAPE), np.uint8)


@pytest.fixture
def run(ramp_of):
    def make(groupdq, tiles=None, **params):
        ramp = ramp_of(np.ones(groupdq.shape), groupdq=groupdq)
        return large_events(ramp, {}, LargeEventsParams(skip=False, **params), tiles or Tiles(threads=1))

    return make


@pytest.fixture
def snowball():
    """A core of 3 pixels radius, saturated from group 2 on, in a halo of 8 pixels with jumps."""
    groupdq = flags(nints=2)
    groupdq[0, 2, disk(30, 20, 8)] = JUMP_DET
    groupdq[0, 2:, disk(30, 20, 3)] = SATURATED
    return groupdq


@pytest.fixture
def shower():
    """A tenth of the pixels within 12 pixels has a jump in group 3."""
    groupdq = flags()
    y, x = np.indices(SHAPE)
    groupdq[0, 3, disk(30, 40, 12) & ((y + 3 * x) % 10 == 0)] = JUMP_DET
    return groupdq


def table(out):
    return out.side_products[0].tables["EVENTS"]


def test_a_snowball(run, snowball):
    out = run(snowball, grow=4)
    (row,) = table(out)
    assert row["kind"] == b"snowball"
    assert (row["label"], row["integration_number"], row["group_number"]) == (1, 1, 3)
    assert (row["xcentroid"], row["ycentroid"]) == (20, 30)
    assert row["core_area"] == disk(30, 20, 3).sum()
    assert row["jump_area"] + row["core_area"] == disk(30, 20, 8).sum()
    # The second moment of a ring from 3 to 8 is that of a disk of radius sqrt(3^2 + 8^2).
    assert row["semimajor"] == pytest.approx(np.sqrt(73), rel=0.05)
    new = (out.groupdq & JUMP_DET) != 0
    assert new[0, 2, disk(30, 20, 11) & ~disk(30, 20, 3)].all()
    assert not new[0, 2, ~disk(30, 20, 15)].any()
    assert not np.delete(new[0], 2, axis=0).any()
    assert (out.groupdq[0, 2:, disk(30, 20, 3)] == SATURATED).all()
    assert out.keywords["NSNOWBAL"].value == 1
    assert out.keywords["NSHOWERS"].value == 0


def test_a_shower(run, shower):
    out = run(shower, max_gap=4, grow=0)
    (row,) = table(out)
    assert row["kind"] == b"shower"
    assert row["core_area"] == 0
    assert row["jump_area"] == (shower != 0).sum()
    inside = disk(30, 40, 9)
    assert (out.groupdq[0, 3, inside] == JUMP_DET).all()
    assert len(table(run(shower, max_gap=1))) == 0


def test_masks_show_what_is_flagged(run, snowball):
    snowball[1, 4, disk(20, 50, 5)] = JUMP_DET
    out = run(snowball)
    label, kind = (out.side_products[0].arrays[name] for name in ("LABEL", "KIND"))
    assert label.shape == kind.shape == out.groupdq.shape
    assert set(np.unique(label[0, 2])) == {0, 1}
    assert set(np.unique(label[1, 4])) == {0, 2}
    assert (kind == (label > 0)).all()
    assert (out.groupdq[label > 0] & (JUMP_DET | SATURATED) != 0).all()
    assert run(snowball, save_masks=False).side_products == ()


def test_the_core_is_masked_in_later_integrations(run, snowball):
    core = disk(30, 20, 3)
    out = run(snowball, core_time_masked=55.0)  # groups of 10 s: three of this integration and two of the next
    masked = (out.groupdq[:, :, core] & DO_NOT_USE) != 0
    expected = np.zeros((2, 6), bool)
    expected[0, 3:] = expected[1, :2] = True
    assert (masked == expected[:, :, None]).all()
    assert not (out.groupdq[:, :, ~core] & DO_NOT_USE).any()


@pytest.mark.parametrize("angle", [0, 30, 90])
def test_tracks_and_single_hits_are_left_alone(run, angle):
    groupdq = flags()
    y, x = np.indices(SHAPE)
    across = (y - 30) * np.cos(np.radians(angle)) - (x - 35) * np.sin(np.radians(angle))
    groupdq[0, 2, np.abs(across) <= 1] = JUMP_DET
    for cy, cx in ((5, 5), (50, 60)):
        groupdq[0, 4, disk(cy, cx, 1)] = JUMP_DET
    out = run(groupdq)
    assert (out.groupdq == groupdq).all()
    assert len(table(out)) == 0
    assert out.side_products[0].arrays["LABEL"].max() == 0


def test_what_is_still_flagged_is_no_new_event(run):
    groupdq = flags()
    groupdq[0, 2:, disk(30, 20, 8)] = JUMP_DET
    assert len(table(run(groupdq))) == 1


def test_a_disturbance_of_the_whole_array_is_no_event(run):
    groupdq = flags()
    groupdq[0, 3] = JUMP_DET
    assert len(table(run(groupdq, max_radius=20.0))) == 0
    assert len(table(run(groupdq))) == 1


def test_groups_that_are_not_usable_stay_as_they_are(run, snowball):
    snowball[0, 2, 30, 31] = DO_NOT_USE
    assert run(snowball, grow=5).groupdq[0, 2, 30, 31] == DO_NOT_USE


def test_inputs_do_not_change(ramp_of, snowball, bytes_of):
    ramp = ramp_of(np.ones(snowball.shape), groupdq=snowball)
    before = bytes_of(ramp)
    out = large_events(ramp, {}, LargeEventsParams(core_time_masked=100.0), Tiles(threads=1))
    assert bytes_of(ramp) == before
    assert np.shares_memory(out.data, ramp.data)


def test_nothing_to_look_at(run):
    with pytest.raises(Skip, match="JUMP_DET"):
        run(flags())
    with pytest.raises(Skip, match="NGROUPS = 1"):
        run(flags(ngroups=1))


def test_cancel(run, snowball):
    tiles = Tiles(threads=1)
    tiles.cancel.set()
    with pytest.raises(Cancelled):
        run(snowball, tiles=tiles)
