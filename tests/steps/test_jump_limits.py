"""The limits that are drawn are those by which the step flags."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.kernels import jump as kernels
from jwcal_interactive.steps.jump import JumpParams, jump
from jwcal_interactive.steps.jump_limits import jump_limits
from jwcal_interactive.tiles import Tiles

SIZE = 12
NEIGHBOURS_OFF = {"flag_4_neighbors": False}


@pytest.fixture
def scene(ramp_of, reference_of):
    """Ramps with noise, jumps of all sizes up and down, and groups that do not count."""

    def make(nints, ngroups, seed=3, nframes=1, slope=40.0):
        rng = np.random.default_rng(seed)
        shape = (nints, ngroups, SIZE, SIZE)
        signal = slope * rng.random((SIZE, SIZE)) * np.arange(ngroups)[:, None, None]
        data = 1000 + signal + rng.normal(0, 6, shape)
        hits = (rng.random(shape) < 0.15) * rng.normal(0, 120, shape)
        data += np.cumsum(hits, axis=1)
        flags = np.where(rng.random(shape) < 0.04, int(DQ.DO_NOT_USE), 0)
        full = rng.integers(1, 3 * ngroups, (nints, 1, SIZE, SIZE))
        flags |= np.where(np.arange(ngroups)[:, None, None] >= full, int(DQ.SATURATED), 0)
        refs = {
            "gain": reference_of("gain", 1.5 + rng.random((SIZE, SIZE))),
            "readnoise": reference_of("readnoise", 5 + 5 * rng.random((SIZE, SIZE))),
        }
        return ramp_of(data, groupdq=flags, nframes=nframes), refs

    return make


CASES = {
    "one pass": (1, 16, {}, kernels.ONE_PASS),
    "one pass, averages": (2, 14, {"rejection_threshold": 3.0}, kernels.ONE_PASS),
    "one by one": (1, 9, {}, kernels.ITERATIVE),
    "one by one, two integrations": (2, 6, {"four_group_rejection_threshold": 4.0}, kernels.ITERATIVE),
    "four groups": (1, 4, {}, kernels.ITERATIVE),
    "three groups": (1, 3, {"three_group_rejection_threshold": 4.0}, kernels.ITERATIVE),
    "across integrations": (30, 6, {"minimum_sigclip_groups": 20}, kernels.GIVEN),
    "all differences": (8, 6, {"minimum_sigclip_groups": 20, "only_use_ints": False}, kernels.GIVEN),
}


@pytest.mark.parametrize("case", CASES)
def test_jumps_are_those_of_the_step(scene, case):
    nints, ngroups, params, mode = CASES[case]
    ramp, refs = scene(nints, ngroups, nframes=4 if "averages" in case else 1)
    p = JumpParams(**NEIGHBOURS_OFF, **params)
    flagged = (jump(ramp, refs, p, Tiles(threads=1)).groupdq[:, 1:] & np.uint8(DQ.JUMP_DET)) != 0
    assert flagged.any()
    from jwcal_interactive.steps.jump_survey import survey

    facts = survey(ramp.groupdq, lambda: None, ramp.exposure.group_time, p)
    assert facts.mode == mode
    for y in range(SIZE):
        for x in range(SIZE):
            limits = jump_limits(ramp, refs, p, y, x, facts)
            np.testing.assert_array_equal(limits.found, flagged[:, :, y, x])


@pytest.mark.parametrize("case", CASES)
def test_the_band_separates_jumps_from_the_others(scene, case):
    nints, ngroups, params, _ = CASES[case]
    ramp, refs = scene(nints, ngroups)
    p = JumpParams(**params)
    compared = 0
    for y in range(SIZE):
        for x in range(SIZE):
            limits = jump_limits(ramp, refs, p, y, x)
            known = np.isfinite(limits.difference) & np.isfinite(limits.centre)
            outside = (limits.difference < limits.lower) | (limits.difference > limits.upper)
            if limits.absolute:  # the mirrored band
                outside &= (-limits.difference < limits.lower) | (-limits.difference > limits.upper)
            np.testing.assert_array_equal(outside[known], limits.found[known])
            compared += int(known.sum())
    assert compared > 50


def test_values(ramp_of, reference_of):
    """2 electron/DN and 10 DN: steps of 20 electron have a noise of sqrt(20 + 400)."""
    data = (100 + 10.0 * np.arange(12))[None, :, None, None]
    refs = {"gain": reference_of("gain", [[2.0]]), "readnoise": reference_of("readnoise", [[10.0]])}
    limits = jump_limits(ramp_of(data), refs, JumpParams(rejection_threshold=3.0), 0, 0)
    np.testing.assert_allclose(limits.upper, 20 + 3 * np.sqrt(420))
    np.testing.assert_allclose(limits.lower, 20 - 3 * np.sqrt(420))
    assert not limits.found.any()
    averaged = jump_limits(ramp_of(data, nframes=4), refs, JumpParams(rejection_threshold=3.0), 0, 0)
    np.testing.assert_allclose(averaged.upper, 20 + 3 * np.sqrt(20 + 100))


def test_pixel_without_a_usable_difference(scene):
    ramp, refs = scene(1, 12)
    groupdq = ramp.groupdq.copy()
    groupdq[:, :, 2, 3] = DQ.DO_NOT_USE
    limits = jump_limits(ramp.with_(groupdq=groupdq), refs, JumpParams(), 2, 3)
    assert np.isnan(limits.difference).all()
    assert np.isnan(limits.upper).all()
    assert not limits.found.any()


def test_too_few_groups_are_skipped_as_in_the_step(scene):
    ramp, refs = scene(1, 2)
    with pytest.raises(Skip, match="NGROUPS = 2"):
        jump_limits(ramp, refs, JumpParams(), 0, 0)
