"""Small random exposures and references that the tests of steps share."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Card, Exposure, Ramp, Reference


def _make_exposure(shape, nints, ngroups, **changes):
    facts = {
        "filename": "jw00001001001_01101_00001_nrcalong_uncal.fits", "instrument": "NIRCAM",
        "detector": "NRCALONG", "exp_type": "NRC_IMAGE", "readpatt": "RAPID", "subarray": "SUB64P",
        "xstart": 1, "ystart": 1, "xsize": shape[1], "ysize": shape[0], "fastaxis": -1, "slowaxis": 2,
        "nints": nints, "ngroups": ngroups, "nframes": 1, "groupgap": 0, "group_time": 10.73677,
        "frame_time": 10.73677, "frame_divisor": 1, "noutputs": 1, "zero_frame": False,
        "gain_factor": None,
    }  # fmt: skip
    return Exposure(**(facts | changes))


@pytest.fixture(scope="session")
def make_ramp():
    """Factory of raw ramps: all brightnesses, cosmic rays, saturation, groups at the A/D floor, flags."""

    def make(seed=0, shape=(24, 40), nints=1, ngroups=5, keywords=(), **changes):
        rng = np.random.default_rng(seed)
        exposure = _make_exposure(
            shape, nints, ngroups, primary=tuple(Card(*k, "") for k in keywords), **changes
        )
        rate = 10.0 ** rng.uniform(1, 4.7, shape)
        hits = rng.exponential(15_000, (nints, ngroups, *shape)) * (
            rng.random((nints, ngroups, *shape)) < 0.03
        )
        signal = np.cumsum(rng.poisson(rate, hits.shape) + hits, axis=1)
        data = np.minimum(rng.normal(12_000, 300, shape) + np.minimum(signal, 52_000), 65_535)
        data += rng.normal(0, 8, data.shape)
        data[rng.random(data.shape) < 0.01] = 0
        data = np.rint(np.clip(data, 0, 65_535)).astype(np.float32)
        zeroframe = None
        if exposure.zero_frame:
            zeroframe = np.rint(data[:, 0] * rng.uniform(0.8, 1.0, shape)).astype(np.float32)
            zeroframe[rng.random(zeroframe.shape) < 0.05] = 0
        pixeldq = np.zeros(shape, np.uint32)
        for flag in (1, 1 << 9, 1 << 11, 1 << 31):
            pixeldq[rng.random(shape) < 0.03] |= np.uint32(flag)
        groupdq = np.zeros(data.shape, np.uint8)
        groupdq[:] = (pixeldq & 1).astype(np.uint8)
        groupdq[rng.random(data.shape) < 0.01] |= np.uint8(8)
        return Ramp(exposure=exposure, data=data, groupdq=groupdq, pixeldq=pixeldq, zeroframe=zeroframe)

    return make


@pytest.fixture(scope="session")
def make_reference():
    """Factory of references with some NaN in the data and flags in all standard bits."""

    def make(reftype, data, seed=0, nan=0.03, flags=True, arrays=None, **keywords):
        rng = np.random.default_rng(seed)
        data = np.array(data, np.float32)
        data[rng.random(data.shape) < nan] = np.nan
        dq = np.zeros(data.shape[-2:], np.uint32)
        for bit in range(32 if flags else 0):
            dq[rng.random(dq.shape) < 0.01] |= np.uint32(1 << bit)
        return Reference(
            reftype=reftype, name=f"jwst_nircam_{reftype}_0001.fits", data=data, dq=dq,
            arrays={k: np.asarray(v, np.float32) for k, v in (arrays or {}).items()},
            keywords=keywords,
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def content():
    """Bytes of all arrays, to compare before and after a step: inputs must not change."""

    def snapshot(ramp, *references):
        arrays = [ramp.data, ramp.groupdq, ramp.pixeldq, ramp.zeroframe, ramp.average_dark_current]
        for ref in references:
            arrays += [ref.data, ref.dq, *ref.arrays.values()]
        return [None if a is None else a.tobytes() for a in arrays]

    return snapshot
