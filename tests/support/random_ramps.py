"""Random ramps with all kinds of flags, and what the official ramp_fit makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jwcal_interactive.arrays import Exposure, Ramp, Reference
from jwcal_interactive.dq import DQ

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


def official_ramp_fit(
    ramp, refs, *, suppress=True, firstgroup=None, lastgroup=None, save_opt=False, algorithm="OLS_C"
):
    from jwst.ramp_fitting.ramp_fit_step import set_groupdq
    from stcal.ramp_fitting.ramp_fit import ramp_fit as fit
    from stdatamodels.jwst.datamodels import RampModel, dqflags

    model = RampModel(data=ramp.data.copy(), groupdq=ramp.groupdq.copy(), pixeldq=ramp.pixeldq.copy())
    model.meta.instrument.name = ramp.exposure.instrument
    for name in ("nframes", "groupgap", "group_time", "frame_time", "ngroups", "nints"):
        setattr(model.meta.exposure, name, getattr(ramp.exposure, name))
    model.meta.exposure.drop_frames1 = ramp.exposure.keyword("DRPFRMS1")
    if ramp.zeroframe is not None:
        model.zeroframe = ramp.zeroframe.copy()
    if ramp.average_dark_current is not None:
        model.average_dark_current = ramp.average_dark_current.copy()
    if (firstgroup, lastgroup) != (None, None):
        set_groupdq(firstgroup, lastgroup, ramp.exposure.ngroups, model.groupdq, dqflags.group)
    with np.errstate(all="ignore"):
        return fit(
            model, save_opt, refs["readnoise"].data.copy(), refs["gain"].data.copy(), algorithm, "optimal",
            "1", dqflags.pixel, suppress_one_group=suppress,
        )  # fmt: skip
