"""ramp_fit against the official C code, on random arrays with all kinds of flags."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jwcal_interactive.arrays import Exposure, Ramp, Reference, Slopes
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.ramp_fit import ramp_fit, ramp_segments
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

EXPOSURE = Exposure(
    filename="random_uncal.fits", instrument="NIRCAM", detector="NRCALONG", exp_type="NRC_IMAGE",
    readpatt="BRIGHT2", subarray="SUB", xstart=1, ystart=1, xsize=0, ysize=0, fastaxis=-1, slowaxis=2,
    nints=1, ngroups=1, nframes=1, groupgap=0, group_time=10.73677, frame_time=10.73677, frame_divisor=1,
    noutputs=4, zero_frame=False, gain_factor=None,
)  # fmt: skip


def random_ramps(seed, nints, ngroups, nframes=1, groupgap=0, shape=(24, 90), charge=False):
    """Ramps of all brightnesses with cosmic rays, saturation and every group flag, and references."""
    rng = np.random.default_rng(seed)
    exposure = replace(
        EXPOSURE, nints=nints, ngroups=ngroups, nframes=nframes, groupgap=groupgap,
        frame_time=EXPOSURE.group_time / (nframes + groupgap), ysize=shape[0], xsize=shape[1],
    )  # fmt: skip
    rate = 10.0 ** rng.uniform(-3, 4.5, shape)
    gain = rng.normal(1.8, 0.1, shape).astype(np.float32)
    readnoise = rng.normal(11.0, 1.0, shape).astype(np.float32)
    steps = rng.poisson(rate * exposure.group_time, (nints, ngroups, *shape))
    data = np.cumsum(steps, axis=1) / gain
    data += rng.normal(0, 1, data.shape) * readnoise / np.sqrt(2 * nframes)
    groupdq = np.zeros(data.shape, np.uint8)
    hits = (rng.random(data.shape) < 0.05) & (np.arange(ngroups)[:, None, None] > 0)
    data += np.cumsum(hits * rng.exponential(500, data.shape), axis=1)
    groupdq[hits] |= np.uint8(DQ.JUMP_DET)
    groupdq[np.maximum.accumulate(data > 50_000, axis=1)] |= np.uint8(DQ.SATURATED)
    for flag in (DQ.DO_NOT_USE, DQ.PERSISTENCE, DQ.DROPOUT, DQ.AD_FLOOR, DQ.JUMP_DET, DQ.SATURATED):
        groupdq[rng.random(data.shape) < 0.01] |= np.uint8(flag)
    everywhere = rng.random((nints, 1, *shape))
    groupdq |= np.where(everywhere < 0.03, DQ.DO_NOT_USE, 0).astype(np.uint8)
    groupdq |= np.where(everywhere > 0.97, DQ.JUMP_DET, 0).astype(np.uint8)
    crowded = rng.random(shape) < 0.2
    groupdq[:, :, crowded] |= rng.choice([0, 0, 1, 2, 4, 32], (nints, ngroups, crowded.sum())).astype(np.uint8)
    if charge:
        groupdq[(rng.random(data.shape) < 0.05)] |= np.uint8(DQ.CHARGELOSS | DQ.DO_NOT_USE)
    pixeldq = np.zeros(shape, np.uint32)
    for flag in (DQ.DO_NOT_USE, DQ.SATURATED, DQ.HOT, DQ.REFERENCE_PIXEL, DQ.JUMP_DET):
        pixeldq[rng.random(shape) < 0.01] |= np.uint32(flag)
    for bad in (np.nan, 0.0, -1.0):
        gain[rng.random(shape) < 0.01] = bad
    # With charge loss, where the read noise is unknown, the official variances of integrations are 0.
    for bad in (0.0,) if charge else (np.nan, 0.0):
        readnoise[rng.random(shape) < 0.01] = bad
    data[rng.random(data.shape) < 0.002] = np.nan
    # Nor do the official integrations have a read-noise variance where the zero frame was used.
    zeroframe = (data[:, 0] * 0.5).astype(np.float32)
    zeroframe[rng.random(zeroframe.shape) < (1.0 if charge else 0.3)] = 0
    ramp = Ramp(
        exposure=exposure, data=data.astype(np.float32), groupdq=groupdq, pixeldq=pixeldq,
        zeroframe=zeroframe, average_dark_current=rng.exponential(0.02, shape).astype(np.float32),
    )  # fmt: skip
    refs = {
        "gain": Reference(reftype="gain", name="gain.fits", data=gain),
        "readnoise": Reference(reftype="readnoise", name="readnoise.fits", data=readnoise),
    }
    return ramp, refs


def official(ramp, refs, *, suppress=True, firstgroup=None, lastgroup=None, save_opt=False):
    from jwst.ramp_fitting.ramp_fit_step import set_groupdq
    from stcal.ramp_fitting.ramp_fit import ramp_fit as fit
    from stdatamodels.jwst.datamodels import RampModel, dqflags

    model = RampModel(data=ramp.data.copy(), groupdq=ramp.groupdq.copy(), pixeldq=ramp.pixeldq.copy())
    model.meta.instrument.name = ramp.exposure.instrument
    for name in ("nframes", "groupgap", "group_time", "frame_time", "ngroups", "nints"):
        setattr(model.meta.exposure, name, getattr(ramp.exposure, name))
    if ramp.zeroframe is not None:
        model.zeroframe = ramp.zeroframe.copy()
    if ramp.average_dark_current is not None:
        model.average_dark_current = ramp.average_dark_current.copy()
    if (firstgroup, lastgroup) != (None, None):
        set_groupdq(firstgroup, lastgroup, ramp.exposure.ngroups, model.groupdq, dqflags.group)
    with np.errstate(all="ignore"):
        return fit(
            model, save_opt, refs["readnoise"].data.copy(), refs["gain"].data.copy(), "OLS_C", "optimal",
            "1", dqflags.pixel, suppress_one_group=suppress,
        )  # fmt: skip


def assert_same(ours: Slopes, theirs: dict) -> None:
    for name, key in (
        ("dq", "dq"), ("data", "slope"), ("var_poisson", "var_poisson"), ("var_rnoise", "var_rnoise"),
        ("err", "err"),
    ):  # fmt: skip
        np.testing.assert_array_equal(getattr(ours, name), theirs[key], err_msg=name)


def compare(ramp, refs, **options):
    suppress = options.get("suppress", True)
    p = ramp_fit.params(
        suppress_one_group=suppress,
        firstgroup=options.get("firstgroup"),
        lastgroup=options.get("lastgroup"),
    )
    ours = ramp_fit(ramp, refs, p, Tiles(threads=2, band_rows=7))
    image, cube, _ = official(ramp, refs, **options)
    assert_same(ours.rateints, cube)
    assert_same(ours.rate, image)


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize("nints", [1, 3])
@pytest.mark.parametrize("ngroups", [1, 2, 3, 4, 5, 10, 37])
def test_bit_identical(ngroups, nints, suppress):
    ramp, refs = random_ramps(ngroups * 10 + nints, nints, ngroups)
    compare(ramp, refs, suppress=suppress)


@pytest.mark.parametrize(("nframes", "groupgap"), [(2, 0), (4, 1), (8, 2)])
def test_averaged_groups(nframes, groupgap):
    ramp, refs = random_ramps(5, 2, 6, nframes, groupgap)
    compare(ramp, refs)
    compare(ramp, refs, suppress=False)


@pytest.mark.parametrize("groups", [(1, None), (None, 6), (2, 5), (0, 8), (3, 20)])
def test_group_range(groups):
    ramp, refs = random_ramps(6, 2, 9)
    compare(ramp, refs, firstgroup=groups[0], lastgroup=groups[1])


def test_without_dark_and_zero_frame():
    ramp, refs = random_ramps(7, 2, 5)
    ramp = ramp.with_(zeroframe=None, average_dark_current=None)
    compare(ramp, refs)
    compare(ramp, refs, suppress=False)


@pytest.mark.parametrize("nints", [1, 3])
@pytest.mark.parametrize("suppress", [True, False])
def test_charge_loss(suppress, nints):
    ramp, refs = random_ramps(8, nints, 8, charge=True)
    compare(ramp, refs, suppress=suppress)


def test_unflagged_ramps():
    """The code path of ramps without any flag, on all brightnesses."""
    ramp, refs = random_ramps(9, 2, 10, shape=(64, 130))
    good = Reference(reftype="gain", name="g", data=np.full((64, 130), 1.9, np.float32))
    ramp = ramp.with_(
        data=np.nan_to_num(ramp.data),
        groupdq=np.zeros_like(ramp.groupdq),
        pixeldq=np.zeros_like(ramp.pixeldq),
    )
    compare(ramp, {**refs, "gain": good})


def test_segments_are_those_of_the_optional_product():
    """Lines for display against fitopt's segment slopes and intercepts."""
    ramp, refs = random_ramps(11, 2, 9, shape=(12, 40))
    _, _, optional = official(ramp, refs, save_opt=True)
    p = ramp_fit.params()
    rates = ramp_fit(ramp, refs, p, Tiles(threads=1))
    group_time = np.float64(np.float32(ramp.exposure.group_time))
    checked = 0
    for i, y, x in np.ndindex(2, 12, 40):
        lines = ramp_segments(ramp, refs, p, i, y, x)
        if not np.isfinite(rates.rateints.data[i, y, x]):
            continue
        theirs = optional["slope"][i, :, y, x]
        np.testing.assert_array_equal(np.float32([line.slope for line in lines]), theirs[: len(lines)])
        assert not theirs[len(lines) :].any()
        for s, line in enumerate(lines):
            if line.last - line.first >= 2:
                at_group_0 = line.intercept + line.slope * group_time
                np.testing.assert_allclose(at_group_0, optional["yint"][i, s, y, x], rtol=1e-5, atol=1e-3)
                checked += 1
    assert checked > 300
