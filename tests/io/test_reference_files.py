"""Reference files: flags in the standard bits, cut to the subarray."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_exposure
from astropy.io import fits
from stdatamodels.jwst import datamodels

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Cancelled, ReferenceError
from jwcal_interactive.io.raw import read_exposure
from jwcal_interactive.io.reference_files import read_reference


@pytest.fixture(scope="module")
def exposure(tiny_template: Path) -> Exposure:
    return read_exposure(tiny_template)


@pytest.fixture
def cut(exposure: Exposure) -> Exposure:
    """An exposure of a part of the references' subarray."""
    return replace(exposure, xstart=9, ystart=5, xsize=16, ysize=24)


@pytest.mark.parametrize("reftype", tiny_exposure.REFTYPES)
def test_as_stdatamodels_reads_it(reftype: str, exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, reftype)
    ours = read_reference(path, reftype, exposure)
    with datamodels.open(path) as model:
        main = {"mask": "dq", "linearity": "coeffs"}.get(reftype, "data")
        np.testing.assert_array_equal(ours.data, getattr(model, main))
        if reftype in ("mask", "saturation", "superbias", "dark", "linearity"):
            np.testing.assert_array_equal(ours.dq, model.dq)
    assert ours.data.flags.c_contiguous
    assert ours.data.dtype.isnative
    assert not ours.data.flags.writeable
    assert ours.name == path.name


def test_flags_are_translated(exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "mask")
    dq = read_reference(path, "mask", exposure).dq
    assert dq is not None
    assert dq[10, 10] == DQ.HOT
    assert dq[10, 11] == DQ.DO_NOT_USE
    assert dq[0, 0] == DQ.REFERENCE_PIXEL


@pytest.mark.parametrize("empty", [False, True])
def test_flags_without_definitions_are_standard(empty: bool, exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "mask")
    with fits.open(path) as hdus:
        if empty:
            hdus["DQ_DEF"].data = hdus["DQ_DEF"].data[:0]
        else:
            del hdus["DQ_DEF"]
        hdus.writeto(path, overwrite=True)
    dq = read_reference(path, "mask", exposure).dq
    assert dq is not None
    assert set(np.unique(dq)) == {0, 1, 2, 4}


def test_high_bits_and_unknown_names(exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "mask")
    with fits.open(path) as hdus:
        hdus["DQ"].data[20, 20:23] = (1 << 31, 1 << 3, (1 << 31) | 1)
        hdus["DQ_DEF"] = tiny_exposure.dq_def({0: "HOT", 3: "NO_SUCH_FLAG", 31: "DEAD"})
        hdus.writeto(path, overwrite=True)
    dq = read_reference(path, "mask", exposure).dq
    assert dq is not None
    assert list(dq[20, 20:23]) == [DQ.DEAD, 0, DQ.DEAD | DQ.HOT]


@pytest.mark.parametrize("reftype", [t for t in tiny_exposure.REFTYPES if t != "ipc"])
def test_cut(reftype: str, exposure: Exposure, cut: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, reftype)
    whole, part = read_reference(path, reftype, exposure), read_reference(path, reftype, cut)
    window = np.s_[..., 4:28, 8:24]
    np.testing.assert_array_equal(part.data, whole.data[window])
    if whole.dq is not None:
        np.testing.assert_array_equal(part.dq, whole.dq[window])
    assert part.data.flags.c_contiguous


def test_exact(cut: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "dark")
    with pytest.raises(ReferenceError, match="must be of the same subarray as"):
        read_reference(path, "dark", cut, exact=True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"xstart": 50}, "does not fit"),
        ({"ystart": 50}, "does not fit"),
        ({"xsize": 60}, "does not fit"),
        ({"xstart": 1, "xsize": 65}, "does not fit"),
    ],
)
def test_not_covered(changes: dict[str, Any], reason: str, cut: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "gain")
    with pytest.raises(ReferenceError, match=reason) as caught:
        read_reference(path, "gain", replace(cut, **changes))
    assert "SUBSTRT1" in str(caught.value)


def test_ipc_kernel_is_for_all_pixels(cut: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "ipc", SUBSTRT1=None)
    assert read_reference(path, "ipc", cut).data.shape == (3, 3)


@pytest.mark.parametrize("value", ["ANY", "N/A", "nrcalong"])
def test_detector_values_that_fit(value: str, exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "gain", DETECTOR=value)
    assert read_reference(path, "gain", exposure).keywords["DETECTOR"] == value


def test_reading_can_be_stopped(exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "dark")
    planes: list[int] = []

    def stop() -> None:
        planes.append(1)
        if len(planes) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        read_reference(path, "dark", exposure, check=stop)
    assert len(planes) == 3
