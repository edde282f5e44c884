"""Random ramps with all kinds of flags, and the official jump step on them in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jwcal_interactive.arrays import Exposure, Ramp, Reference
from jwcal_interactive.dq import DQ

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
