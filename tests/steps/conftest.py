"""Small made-up ramps and references for the tests of steps, and the check that inputs do not change."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Card, Exposure, Ramp, Reference


@pytest.fixture(scope="session")
def ramp_of():
    """Factory: a ramp of given group values; other facts are those of a small NIRCam subarray."""

    def make(data, pixeldq=0, groupdq=0, zeroframe=None, keywords=None, **changes):
        data = np.array(data, np.float32, order="C")
        nints, ngroups, ny, nx = data.shape
        facts = {
            "filename": "jw00001001001_01101_00001_nrcalong_uncal.fits", "instrument": "NIRCAM",
            "detector": "NRCALONG", "exp_type": "NRC_IMAGE", "readpatt": "RAPID", "subarray": "SUB64P",
            "xstart": 1, "ystart": 1, "xsize": nx, "ysize": ny, "fastaxis": -1, "slowaxis": 2,
            "nints": nints, "ngroups": ngroups, "nframes": 1, "groupgap": 0, "group_time": 10.0,
            "frame_time": 10.0, "frame_divisor": 1, "noutputs": 1, "zero_frame": zeroframe is not None,
            "gain_factor": None,
        }  # fmt: skip
        cards = tuple(Card(name, value, "") for name, value in (keywords or {}).items())
        return Ramp(
            exposure=Exposure(**(facts | changes), primary=cards),
            data=data,
            groupdq=np.broadcast_to(np.asarray(groupdq, np.uint8), data.shape).copy(),
            pixeldq=np.broadcast_to(np.asarray(pixeldq, np.uint32), (ny, nx)).copy(),
            zeroframe=None if zeroframe is None else np.array(zeroframe, np.float32),
        )

    return make


@pytest.fixture(scope="session")
def reference_of():
    """Factory: a reference of given data and flags."""

    def make(reftype, data, dq=0, arrays=None, **keywords):
        data = np.array(data, np.float32, order="C")
        return Reference(
            reftype=reftype, name=f"jwst_nircam_{reftype}_0001.fits", data=data,
            dq=np.broadcast_to(np.asarray(dq, np.uint32), data.shape[-2:]).copy(),
            arrays={k: np.array(v, np.float32) for k, v in (arrays or {}).items()}, keywords=keywords,
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def bytes_of():
    """All arrays of a ramp and of references, to compare before and after a step."""

    def content(ramp, *references):
        arrays = [ramp.data, ramp.groupdq, ramp.pixeldq, ramp.zeroframe, ramp.average_dark_current]
        for ref in references:
            arrays += [ref.data, ref.dq, *ref.arrays.values()]
        return [None if a is None else a.tobytes() for a in arrays]

    return content
