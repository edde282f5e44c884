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
@pytest.mark.parametrize("flags", [True, False])
def test_snowballs(flags, values):
    ramp, refs = random_ramps(5, 3, 6, shape=(80, 80), flags=flags)
    ramp = with_snowballs(ramp, 6)
    values = {"min_jump_area": 12.0, **values}
    found = compare(ramp, refs, expand_large_events=True, **values)
    without = jump(ramp, refs, jump.params.build("jump", values), Tiles())
    assert (found != ((without.groupdq & DQ.JUMP_DET) != 0)).any()


@pytest.mark.parametrize("seed", range(6))
def test_many_snowballs(seed):
    """Overlapping events of all shapes, and groups that are lost everywhere."""
    ramp, refs = random_ramps(seed, 2, 8, shape=(96, 96), flags=seed % 2 == 0)
    ramp = with_snowballs(ramp, seed, number=120)
    groupdq = ramp.groupdq.copy()
    groupdq[:, -1] |= np.uint8(DQ.DO_NOT_USE)
    compare(ramp.with_(groupdq=groupdq), refs, expand_large_events=True, min_jump_area=8.0)


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
    compare(ramp, refs, **values)


def with_showers(ramp, seed, number=8):
    """Add faint smooth patches to single differences, of about one sigma."""
    rng = np.random.default_rng(seed)
    nints, ngroups, ny, nx = ramp.data.shape
    data = ramp.data.copy()
    y, x = np.indices((ny, nx))
    for _ in range(number):
        i, k = rng.integers(nints), rng.integers(1, ngroups)
        cy, cx, width = rng.uniform(0, ny), rng.uniform(0, nx), rng.uniform(4, 12)
        patch = rng.uniform(10, 60) * np.exp(-((y - cy) ** 2 + ((x - cx) * 1.5) ** 2) / (2 * width**2))
        data[i, k:] += patch.astype(np.float32)
    return ramp.with_(data=data)


SHOWERS = [
    {},
    {"extend_snr_threshold": 1.4},
    {"extend_min_area": 20, "extend_ellipse_expand_ratio": 1.5},
    {"extend_inner_radius": 0.0, "extend_outer_radius": 2.0},
    {"extend_inner_radius": 2.5, "extend_outer_radius": 4.0},
    {"time_masked_after_shower": 0.0},
    {"time_masked_after_shower": 45.0},
    {"max_extended_radius": 6},
    {"expand_large_events": True, "min_jump_area": 12.0},
]


@pytest.mark.parametrize("values", SHOWERS, ids=str)
@pytest.mark.parametrize("flags", [True, False])
def test_showers(flags, values):
    """With a limit that stands for the official one: 6 electron/s."""
    ramp, refs = random_ramps(9, 2, 8, shape=(84, 84), flags=flags)
    gain = np.where(refs["gain"].data > 0, np.float32(2.0), refs["gain"].data)
    refs["gain"] = replace(refs["gain"], data=gain)
    ramp = with_showers(ramp, 10)
    pixeldq = ramp.pixeldq.copy()
    pixeldq[:3] |= np.uint32(DQ.REFERENCE_PIXEL)
    ramp = ramp.with_(pixeldq=pixeldq)
    theirs = official(ramp, refs, {"find_showers": True, **values})
    ours = jump(
        ramp, refs, jump.params(find_showers=True, max_shower_amplitude=3.0, **values), Tiles(band_rows=9)
    )
    assert theirs.meta.exposure.extended_emission_events > 0
    np.testing.assert_array_equal(ours.groupdq, theirs.groupdq)
    np.testing.assert_array_equal(ours.pixeldq, theirs.pixeldq)
    assert ours.keywords["EXTNCRS"].value == theirs.meta.exposure.extended_emission_events
    without = jump(ramp, refs, jump.params(), Tiles())
    assert (ours.groupdq != without.groupdq).any()
