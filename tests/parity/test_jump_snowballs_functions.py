"""Snowballs against the official code, on random arrays with events of all shapes."""

from __future__ import annotations

import numpy as np
import pytest
from jump_ramps import official, random_ramps

from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.jump import jump
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


def assert_same_flags(ramp, refs, **values):
    theirs = official(ramp, refs, values)
    ours = jump(ramp, refs, jump.params.build("jump", values), Tiles(threads=2, band_rows=5))
    np.testing.assert_array_equal(ours.groupdq, theirs.groupdq)
    np.testing.assert_array_equal(ours.pixeldq, theirs.pixeldq)
    assert ours.keywords["PRIMECRS"].value == theirs.meta.exposure.primary_cosmic_rays
    assert ours.keywords["EXTNCRS"].value == theirs.meta.exposure.extended_emission_events
    return (ours.groupdq & DQ.JUMP_DET) != 0


def with_snowballs(ramp, seed, number=25):
    """Add large events: bright disks and ellipses, most with a core that saturates."""
    rng = np.random.default_rng(seed)
    nints, ngroups, ny, nx = ramp.data.shape
    data, groupdq = ramp.data.copy(), ramp.groupdq.copy()
    y, x = np.indices((ny, nx))
    for _ in range(number):
        i, k = rng.integers(nints), rng.integers(1, ngroups)
        centre, radius, angle = rng.uniform(-3, (ny + 3, nx + 3)), rng.uniform(1, 9), rng.uniform(0, np.pi)
        if rng.random() < 0.4:
            centre, angle = np.round(2 * centre) / 2, 0.0
        dy, dx = y - centre[0], x - centre[1]
        along, across = dy * np.cos(angle) + dx * np.sin(angle), dy * np.sin(angle) - dx * np.cos(angle)
        distance = np.hypot(along, across * rng.choice([1.0, 1.0, 1.5, 4.0]))
        data[i, k:, distance <= radius] += np.float32(10 ** rng.uniform(2.5, 4))
        core = distance <= radius * rng.uniform(0, 0.8)
        late = int(rng.random() < 0.3)
        if rng.random() < 0.8:
            groupdq[i, min(k + late, ngroups - 1) :, core] |= np.uint8(DQ.SATURATED)
    return ramp.with_(data=data, groupdq=groupdq)


SNOWBALLS = [
    {},
    {"min_jump_area": 15.0, "min_sat_area": 5.0, "expand_factor": 6.5},
    {"sat_required_snowball": False},
    {"sat_required_snowball": False, "min_jump_area": 1.0, "expand_factor": 1.2},
    {"min_sat_radius_extend": 0.5, "sat_expand": 5},
    {"min_sat_radius_extend": 0.0, "sat_expand": 0, "edge_size": 0},
    {"min_sat_area": 0.0, "min_jump_area": 0.0, "edge_size": 3},
    {"edge_size": 200},
    {"mask_snowball_core_next_int": False},
    {"snowball_time_masked_next_int": 30},
    {"snowball_time_masked_next_int": 5},
    {"max_extended_radius": 4, "expand_factor": 11.0},
    {"use_ellipses": True, "after_jump_flag_time1": 25.0},
]


@pytest.mark.parametrize("values", SNOWBALLS, ids=str)
def test_snowballs(values):
    ramp, refs = random_ramps(5, 3, 6, shape=(64, 64), flags="edge_size" in values)
    ramp = with_snowballs(ramp, 6)
    values = {"min_jump_area": 12.0, **values}
    found = assert_same_flags(ramp, refs, expand_large_events=True, **values)
    without = jump(ramp, refs, jump.params.build("jump", values), Tiles())
    assert (found != ((without.groupdq & DQ.JUMP_DET) != 0)).any()


@pytest.mark.parametrize("seed", range(3))
def test_many_snowballs(seed):
    """Overlapping events of all shapes, and groups that are lost everywhere."""
    ramp, refs = random_ramps(seed, 2, 8, shape=(80, 80), flags=seed == 0)
    ramp = with_snowballs(ramp, seed, number=90)
    groupdq = ramp.groupdq.copy()
    groupdq[:, -1] |= np.uint8(DQ.DO_NOT_USE)
    assert_same_flags(ramp.with_(groupdq=groupdq), refs, expand_large_events=True, min_jump_area=8.0)


def test_snowballs_beside_the_edges_of_a_strip(monkeypatch):
    """The official code takes the number of rows for the number of columns, too."""
    from stcal.jump import jump as stcal

    ramp, refs = random_ramps(7, 2, 6, shape=(40, 300), flags=False)
    ramp = with_snowballs(ramp, 8, number=60)
    values = {"expand_large_events": True, "edge_size": 5, "min_jump_area": 12.0}
    assert (
        official(ramp, refs, values).groupdq != jump(ramp, refs, jump.params(**values), Tiles()).groupdq
    ).any()

    def near_edge(event, low, high):
        (x, y) = event[0]
        return x < low or y < low or y > high or x > 300 - low

    monkeypatch.setattr(stcal, "near_edge", near_edge)
    assert_same_flags(ramp, refs, **values)
