"""jump against the official code, on random arrays with all kinds of flags."""

from __future__ import annotations

import numpy as np
import pytest
from jump_ramps import official, random_ramps

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.jump import jump
from jwcal_interactive.steps.ramp_fit import ramp_fit
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


def compare(ramp, refs, **values):
    theirs = official(ramp, refs, values)
    ours = jump(ramp, refs, jump.params.build("jump", values), Tiles(threads=2, band_rows=5))
    found = (ours.groupdq & DQ.JUMP_DET) != 0
    assert found.any()
    np.testing.assert_array_equal(ours.groupdq, theirs.groupdq)
    np.testing.assert_array_equal(ours.pixeldq, theirs.pixeldq)
    assert ours.keywords["PRIMECRS"].value == theirs.meta.exposure.primary_cosmic_rays
    assert ours.keywords["EXTNCRS"].value == theirs.meta.exposure.extended_emission_events
    return found


@pytest.mark.parametrize("nints", [1, 3])
@pytest.mark.parametrize("ngroups", [3, 4, 5, 6, 10, 11, 15])
def test_flags(ngroups, nints):
    ramp, refs = random_ramps(ngroups * 10 + nints, nints, ngroups)
    compare(ramp, refs)


@pytest.mark.parametrize(("nints", "ngroups"), [(1, 3), (1, 4), (1, 5), (1, 8), (2, 9), (1, 25), (13, 11)])
def test_unflagged_ramps(nints, ngroups):
    ramp, refs = random_ramps(ngroups, nints, ngroups, nframes=2, flags=False)
    compare(ramp, refs)
    compare(ramp, refs, flag_4_neighbors=False)


@pytest.mark.parametrize(
    "values",
    [
        {"rejection_threshold": 2.5, "four_group_rejection_threshold": 3.0},
        {"rejection_threshold": 0.0, "three_group_rejection_threshold": 0.0},
        {"flag_4_neighbors": False},
        {"min_jump_to_flag_neighbors": 4.0, "max_jump_to_flag_neighbors": 40.0},
        {"min_diffs_single_pass": 3},
        {"min_diffs_single_pass": 100},
        {"after_jump_flag_dn1": 1000.0, "after_jump_flag_time1": 25.0},
        {"after_jump_flag_dn1": 100.0, "after_jump_flag_time1": 12.0,
         "after_jump_flag_dn2": 5000.0, "after_jump_flag_time2": 50.0},
        {"after_jump_flag_time2": 500.0},
    ],
)  # fmt: skip
def test_parameters(values):
    ramp, refs = random_ramps(1, 2, 8)
    compare(ramp, refs, **values)


@pytest.mark.parametrize("flags", [True, False])
@pytest.mark.parametrize("only_use_ints", [True, False])
def test_sigma_clipping(only_use_ints, flags):
    ramp, refs = random_ramps(2, 30, 4, shape=(9, 33), flags=flags)
    compare(ramp, refs, minimum_sigclip_groups=20, only_use_ints=only_use_ints)


def test_sigma_clipping_of_a_drifting_group():
    """A group that deviates in all pixels of an integration is no cosmic ray."""
    ramp, refs = random_ramps(3, 30, 5, shape=(9, 33), flags=False)
    data = np.random.default_rng(0).normal(0, 1, ramp.data.shape).astype(np.float32)
    data[7, 2:] += 1e4
    found = compare(ramp.with_(data=data), refs, minimum_sigclip_groups=20)
    assert not found[7, 2].any()


@pytest.mark.parametrize("lost", [[0], [0, 7], [0, 1, 2, 3, 4]])
def test_groups_lost_everywhere(lost):
    """Whole groups that are DO_NOT_USE decide how jumps are found, and the rate of hits."""
    ramp, refs = random_ramps(4, 2, 12)
    groupdq = ramp.groupdq.copy()
    groupdq[1, lost] |= np.uint8(DQ.DO_NOT_USE)
    compare(ramp.with_(groupdq=groupdq), refs)


def test_pixels_without_gain_where_too_few_groups_are_usable():
    """They are flagged officially; here the step is skipped, and ramp_fit flags them in the rates."""
    ramp, refs = random_ramps(12, 1, 5)
    groupdq = ramp.groupdq & ~np.uint8(DQ.JUMP_DET)
    groupdq[:, 2:] |= np.uint8(DQ.DO_NOT_USE)
    ramp = ramp.with_(groupdq=groupdq)
    theirs = official(ramp, refs, {})
    flags = np.uint32(DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE)
    np.testing.assert_array_equal(theirs.groupdq, groupdq)
    without = ~(refs["gain"].data > 0)
    assert without.any()
    np.testing.assert_array_equal(theirs.pixeldq, ramp.pixeldq | np.where(without, flags, np.uint32(0)))
    with pytest.raises(Skip, match="2 of 5 groups are usable"):
        jump(ramp, refs, jump.params(), Tiles(threads=1))
    p, tiles = ramp_fit.params(), Tiles(threads=1)
    ours, marked = (ramp_fit(r, refs, p, tiles) for r in (ramp, ramp.with_(pixeldq=theirs.pixeldq)))
    for mine, other in ((ours.rate, marked.rate), (ours.rateints, marked.rateints)):
        np.testing.assert_array_equal(mine.dq, other.dq)
        np.testing.assert_array_equal(mine.data, other.data)
