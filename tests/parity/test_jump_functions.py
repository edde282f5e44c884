"""jump against the official code, on random arrays with all kinds of flags."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jwcal_interactive.arrays import Exposure, Ramp, Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.jump import jump
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

EXPOSURE = Exposure(
    filename="random_uncal.fits", instrument="NIRCAM", detector="NRCALONG", exp_type="NRC_IMAGE",
    readpatt="RAPID", subarray="SUB", xstart=1, ystart=1, xsize=0, ysize=0, fastaxis=-1, slowaxis=2,
    nints=1, ngroups=1, nframes=1, groupgap=0, group_time=10.73677, frame_time=10.73677, frame_divisor=1,
    noutputs=4, zero_frame=False, gain_factor=None,
)  # fmt: skip


def random_ramps(seed, nints, ngroups, nframes=1, shape=(33, 90), flags=True):
    """Ramps of all brightnesses with hits of all sizes, saturation and every group flag."""
    rng = np.random.default_rng(seed)
    exposure = replace(EXPOSURE, nints=nints, ngroups=ngroups, nframes=nframes, ysize=shape[0], xsize=shape[1])
    rate = 10.0 ** rng.uniform(-3, 4, shape)
    gain = rng.normal(1.8, 0.1, shape).astype(np.float32)
    readnoise = rng.normal(11.0, 1.0, shape).astype(np.float32)
    steps = rng.poisson(rate * exposure.group_time, (nints, ngroups, *shape))
    data = np.cumsum(steps, axis=1) / gain
    data += rng.normal(0, 1, data.shape) * readnoise / np.sqrt(2 * nframes)
    hits = rng.random(data.shape) < 0.03
    data += np.cumsum(hits * 10.0 ** rng.uniform(0, 5, data.shape), axis=1)
    # Whole numbers make ties among the differences.
    data = np.where(rng.random(shape) < 0.5, np.round(data), data)
    data[:, :, rng.random(shape) < 0.01] = 0
    groupdq = np.zeros(data.shape, np.uint8)
    pixeldq = np.zeros(shape, np.uint32)
    if flags:
        groupdq[np.maximum.accumulate(data > 60_000, axis=1)] |= np.uint8(DQ.SATURATED)
        for flag in (DQ.DO_NOT_USE, DQ.PERSISTENCE, DQ.AD_FLOOR, DQ.JUMP_DET, DQ.SATURATED):
            groupdq[rng.random(data.shape) < 0.01] |= np.uint8(flag)
        crowded = rng.random(shape) < 0.2
        groupdq[:, :, crowded] |= rng.choice([0, 0, 1, 2, 4, 32], (nints, ngroups, crowded.sum())).astype(
            np.uint8
        )
        pixeldq[rng.random(shape) < 0.01] |= np.uint32(DQ.DO_NOT_USE)
        for bad in (np.nan, 0.0, -1.0):
            gain[rng.random(shape) < 0.01] = bad
        for bad in (np.nan, 0.0):
            readnoise[rng.random(shape) < 0.03] = bad
        data[rng.random(data.shape) < 0.002] = np.nan
    ramp = Ramp(exposure=exposure, data=data.astype(np.float32), groupdq=groupdq, pixeldq=pixeldq)
    refs = {
        "gain": Reference(reftype="gain", name="gain.fits", data=gain),
        "readnoise": Reference(reftype="readnoise", name="readnoise.fits", data=readnoise),
    }
    return ramp, refs


def official(ramp, refs, values):
    from jwst.jump import JumpStep
    from stdatamodels.jwst.datamodels import GainModel, RampModel, ReadnoiseModel

    model = RampModel(data=ramp.data.copy(), groupdq=ramp.groupdq.copy(), pixeldq=ramp.pixeldq.copy())
    for name in ("nframes", "groupgap", "group_time", "frame_time", "ngroups", "nints"):
        setattr(model.meta.exposure, name, getattr(ramp.exposure, name))
    step = JumpStep(**values)
    step.override_gain = GainModel(data=refs["gain"].data.copy())
    step.override_readnoise = ReadnoiseModel(data=refs["readnoise"].data.copy())
    for one in (model, step.override_gain, step.override_readnoise):
        one.meta.instrument.name = ramp.exposure.instrument
        one.meta.subarray.xstart = one.meta.subarray.ystart = 1
        one.meta.subarray.ysize, one.meta.subarray.xsize = ramp.data.shape[-2:]
        one.meta.subarray.fastaxis, one.meta.subarray.slowaxis = -1, 2
    with np.errstate(all="ignore"):
        return step.process(model)


def compare(ramp, refs, **values):
    theirs = official(ramp, refs, values)
    ours = jump(ramp, refs, jump.params(**values), Tiles(threads=2, band_rows=5))
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
