"""The official pipeline and its functions, to compare with: on files, and on random arrays in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jwcal_interactive.arrays import Card, Exposure, Ramp, Reference
from tests.support.comparison import compare
from tests.support.official import run_official


@pytest.fixture(scope="session")
def official_run() -> Callable[..., Any]:
    """Run an official pipeline; ``watch(step, model)`` sees the model (or models) after each step."""

    def run(pipeline: str, path: Path, watch: Callable[[str, Any], None], **steps: dict[str, Any]) -> Any:
        return run_official(pipeline, path, watch, steps)

    return run


def assert_same(label: str, ours: np.ndarray, theirs: np.ndarray, ulp: int = 0) -> None:
    """Equal shape and values; floats to a number of float32 ulp, NaN where the other has NaN."""
    found = compare(label, ours, theirs)
    assert not found.problem, f"{label}: {found.problem}"
    assert not found.nan, f"{label}: {found.nan} values are NaN in one of both only"
    if ours.dtype.kind != "f":
        assert not found.differing, f"{label}: {found.differing} of {found.values} differ"
    assert found.ulp <= ulp, f"{label}: {found.differing} values differ, by up to {found.ulp} ulp"


@pytest.fixture(scope="session")
def same() -> Callable[..., None]:
    return assert_same


@pytest.fixture(autouse=True)
def _keep_cwd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The official pipeline may write into the working folder."""
    monkeypatch.chdir(tmp_path)


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
        hits = rng.exponential(15_000, (nints, ngroups, *shape)) * (rng.random((nints, ngroups, *shape)) < 0.03)
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
def ramp_model():
    def make(ramp):
        from stdatamodels.jwst.datamodels import RampModel

        e = ramp.exposure
        model = RampModel(data=ramp.data.copy(), groupdq=ramp.groupdq.copy(), pixeldq=ramp.pixeldq.copy())
        if ramp.zeroframe is not None:
            model.zeroframe = ramp.zeroframe.copy()
        instrument, exposure, subarray = model.meta.instrument, model.meta.exposure, model.meta.subarray
        instrument.name, instrument.detector = e.instrument, e.detector
        exposure.type, exposure.nints, exposure.ngroups = e.exp_type, e.nints, e.ngroups
        exposure.nframes, exposure.groupgap = e.nframes, e.groupgap
        exposure.noutputs, exposure.zero_frame = e.noutputs, e.zero_frame
        subarray.name, subarray.fastaxis, subarray.slowaxis = e.subarray, e.fastaxis, e.slowaxis
        subarray.xstart, subarray.ystart = e.xstart, e.ystart
        subarray.xsize, subarray.ysize = e.xsize, e.ysize
        return model

    return make


@pytest.fixture(scope="session")
def reference_model():
    def make(ref, ramp):
        from stdatamodels.jwst import datamodels

        kind = {
            "mask": datamodels.MaskModel, "saturation": datamodels.SaturationModel,
            "superbias": datamodels.SuperBiasModel, "linearity": datamodels.LinearityModel,
            "dark": datamodels.DarkMIRIModel if ref.data.ndim == 4 else datamodels.DarkModel,
            "ipc": datamodels.IPCModel, "reset": datamodels.ResetModel,
        }[ref.reftype]  # fmt: skip
        model = kind()
        if ref.reftype == "linearity":
            model.coeffs = ref.data.copy()
            if "INV_COEFFS" in ref.arrays:
                model.inv_coeffs = ref.arrays["INV_COEFFS"].copy()
        elif ref.reftype != "mask":
            model.data = ref.data.copy()
        if ref.reftype == "ipc":
            return model
        per_integration = ref.reftype == "dark" and ref.data.ndim == 4
        model.dq = np.tile(ref.dq, (len(ref.data), 1, 1, 1)) if per_integration else ref.dq.copy()
        if ref.reftype == "reset":
            model.meta.exposure.nints, model.meta.exposure.ngroups = ref.data.shape[:2]
        if "AVDRKCUR" in ref.arrays:
            model.average_dark_current = ref.arrays["AVDRKCUR"].copy()
        if ref.reftype == "dark":
            model.meta.exposure.nframes = ref.keywords["NFRAMES"]
            model.meta.exposure.groupgap = ref.keywords["GROUPGAP"]
            model.meta.exposure.ngroups = ref.data.shape[-3]
            model.meta.exposure.average_dark_current = ref.keywords.get("AVDRKCUR")
        e = ramp.exposure
        model.meta.instrument.name, model.meta.instrument.detector = e.instrument, e.detector
        subarray = model.meta.subarray
        subarray.xstart, subarray.ystart, subarray.xsize, subarray.ysize = (
            e.xstart, e.ystart, e.xsize, e.ysize,
        )  # fmt: skip
        return model

    return make


@pytest.fixture(scope="session")
def same_ramp():
    """Every array of a ramp equals the official one, bit for bit."""

    def check(ramp, model):
        np.testing.assert_array_equal(ramp.pixeldq, model.pixeldq)
        np.testing.assert_array_equal(ramp.groupdq, model.groupdq)
        assert model.data.dtype == ramp.data.dtype == np.float32
        np.testing.assert_array_equal(ramp.data, model.data)
        if ramp.zeroframe is not None:
            np.testing.assert_array_equal(ramp.zeroframe, model.zeroframe)

    return check
