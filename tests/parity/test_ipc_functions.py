"""ipc against the official function: kernel sizes, kernels per pixel, reference-pixel borders."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.steps.ipc import IPCParams, ipc
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

PLACES = {
    "no border": {"xstart": 900, "ystart": 900},
    "low corner": {"xstart": 1, "ystart": 1},
    "high corner": {"xstart": 2048 - 40 + 1, "ystart": 2048 - 24 + 1},
    "part of the border": {"xstart": 3, "ystart": 2048 - 24 - 1},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("size", [(3, 3), (5, 3), (1, 1), (7, 7)])
@pytest.mark.parametrize("varying", [False, True])
def test_ipc(
    place, size, varying, make_ramp, make_reference, ramp_model, reference_model, same_ramp, monkeypatch
):
    from jwst.ipc import ipc_corr

    ramp = make_ramp(60, nints=2, zero_frame=True, **PLACES[place])
    rng = np.random.default_rng(61)
    kernel = rng.normal(0, 0.01, (*size, *(ramp.pixeldq.shape if varying else ())))
    kernel[size[0] // 2, size[1] // 2] += 1.03
    ref = make_reference("ipc", kernel, nan=0)
    model = reference_model(ref, ramp)
    # The loader has cut the kernels to the subarray, which the official function does itself.
    monkeypatch.setattr(ipc_corr, "get_ipc_slice", lambda _sci, _ref: model.data)
    official = ipc_corr.do_correction(ramp_model(ramp), model)
    ours = ipc(ramp, {"ipc": ref}, IPCParams(), Tiles(band_rows=5))
    same_ramp(ours, official)
    assert (ours.data != ramp.data).any()


@pytest.mark.parametrize(
    ("xstart", "ystart"), [(1, 1), (300, 500), (1032 - 40 + 1, 1024 - 24 + 1), (2, 1), (1032 - 40 - 1, 7)]
)
def test_miri(xstart, ystart, make_ramp, make_reference, ramp_model, reference_model, same_ramp):
    from jwst.ipc import ipc_corr

    ramp = make_ramp(63, instrument="MIRI", detector="MIRIMAGE", xstart=xstart, ystart=ystart)
    kernel = np.random.default_rng(64).normal(0, 0.01, (3, 3))
    kernel[1, 1] += 1.03
    ref = make_reference("ipc", kernel, nan=0)
    official = ipc_corr.do_correction(ramp_model(ramp), reference_model(ref, ramp))
    same_ramp(ipc(ramp, {"ipc": ref}, IPCParams(), Tiles(band_rows=5)), official)


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_interleaved_frames(
    detector, make_ramp, make_reference, ramp_model, reference_model, same_ramp, monkeypatch
):
    from jwst.ipc import ipc_corr

    ramp = make_ramp(
        62, shape=(3200, 24), nints=2, ngroups=2, instrument="NIRSPEC", detector=detector, ysize=2048
    )
    rng = np.random.default_rng(61)
    kernel = rng.normal(0, 0.01, (3, 3))
    kernel[1, 1] += 1.03
    ref = make_reference("ipc", kernel, nan=0)
    model = reference_model(ref, ramp)
    monkeypatch.setattr(ipc_corr, "get_ipc_slice", lambda _sci, _ref: model.data)
    science = ramp_model(ramp)
    science.meta.exposure.nrs_normal, science.meta.exposure.nrs_reference = 16, 4
    official = ipc_corr.do_correction(science, model)
    same_ramp(ipc(ramp, {"ipc": ref}, IPCParams(), Tiles()), official)
