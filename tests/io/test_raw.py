"""Reading exposures, against what stdatamodels reads from the same file."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_exposure
from astropy.io import fits
from stdatamodels.jwst import datamodels

from jwcal_interactive.errors import InputError
from jwcal_interactive.io.raw import read_arrays, read_exposure, read_ramp


def same_as_official(path: Path) -> None:
    ramp = read_ramp(path)
    with datamodels.RampModel(path) as model:
        assert ramp.data.dtype == np.float32
        assert ramp.data.flags.c_contiguous
        assert ramp.data.dtype.isnative
        np.testing.assert_array_equal(ramp.data, model.data.astype(np.float32))
        np.testing.assert_array_equal(ramp.groupdq, model.groupdq)
        np.testing.assert_array_equal(ramp.pixeldq, model.pixeldq)
        if model.meta.exposure.zero_frame:
            np.testing.assert_array_equal(ramp.zeroframe, model.zeroframe)
        facts, meta = ramp.exposure, model.meta
        assert facts.instrument == meta.instrument.name
        assert facts.detector == meta.instrument.detector
        assert facts.exp_type == meta.exposure.type
        assert facts.nints == ramp.data.shape[0]
        assert facts.ngroups == ramp.data.shape[1]
        assert (facts.nframes, facts.groupgap) == (meta.exposure.nframes, meta.exposure.groupgap)
        assert (facts.group_time, facts.frame_time) == (meta.exposure.group_time, meta.exposure.frame_time)
        assert (facts.xstart, facts.ystart) == (meta.subarray.xstart, meta.subarray.ystart)
        assert (facts.xsize, facts.ysize) == (meta.subarray.xsize, meta.subarray.ysize)
        assert (facts.fastaxis, facts.slowaxis) == (meta.subarray.fastaxis, meta.subarray.slowaxis)


def test_small(tiny_raw: Path) -> None:
    same_as_official(tiny_raw)


def test_gzip(tiny_raw: Path) -> None:
    packed = tiny_raw.with_name(tiny_raw.name + ".gz")
    packed.write_bytes(gzip.compress(tiny_raw.read_bytes(), 1))
    same_as_official(packed)


def test_simulated(raw_sub640: Path) -> None:
    same_as_official(raw_sub640)


@pytest.mark.parametrize("kind", ["uint16", "int16", "float32", "float64", "int32"])
def test_stored_types(kind: str, tiny_raw: Path) -> None:
    with fits.open(tiny_raw) as hdus:
        values = hdus["SCI"].data.astype(np.int64) // 2
        hdus["SCI"] = fits.ImageHDU(values.astype(kind), hdus["SCI"].header, name="SCI")
        hdus.writeto(tiny_raw, overwrite=True, output_verify="silentfix")
    np.testing.assert_array_equal(read_ramp(tiny_raw).data, values.astype(np.float32))


def test_scaled(tiny_raw: Path) -> None:
    expected = read_ramp(tiny_raw).data * 2 + 5
    tiny_exposure.edit(tiny_raw, {})
    with fits.open(tiny_raw, do_not_scale_image_data=True, mode="update") as hdus:
        hdus["SCI"].header["BSCALE"] = 2
        hdus["SCI"].header["BZERO"] = 2 * 32768 + 5
    np.testing.assert_array_equal(read_ramp(tiny_raw).data, expected)


def test_input_is_not_kept_open(tiny_raw: Path) -> None:
    ramp = read_ramp(tiny_raw)
    before = ramp.data.copy()
    tiny_raw.write_bytes(b"")
    np.testing.assert_array_equal(ramp.data, before)


def test_header_alone(tiny_raw: Path) -> None:
    assert read_exposure(tiny_raw) is not None
    assert read_exposure(tiny_raw).ngroups == 5


def test_segment_of_a_long_exposure(tiny_raw: Path) -> None:
    """NINTS counts those of the exposure; INTSTART and INTEND tell which are in this file."""
    tiny_exposure.edit(tiny_raw, {"NINTS": 100, "INTSTART": 51, "INTEND": 52})
    assert read_ramp(tiny_raw).exposure.nints == 2
    tiny_exposure.edit(tiny_raw, {"INTEND": 53})
    with pytest.raises(InputError, match="INTSTART, INTEND gives 3"):
        read_ramp(tiny_raw)


def test_metadata_of_the_asdf_extension(tiny_raw: Path) -> None:
    meta = read_exposure(tiny_raw).meta
    assert meta["only_in_asdf"] == {"names": ["a", "b"], "number": 2.5}
    assert meta["observation"]["date"] == "2024-03-15"


def test_no_asdf_extension(tiny_raw: Path) -> None:
    with fits.open(tiny_raw) as hdus:
        del hdus["ASDF"]
        hdus.writeto(tiny_raw, overwrite=True)
    assert read_exposure(tiny_raw).meta == {}


def test_damaged_asdf_extension(tiny_raw: Path) -> None:
    content = tiny_raw.read_bytes()
    tiny_raw.write_bytes(content.replace(b"--- !core/asdf", b"--- [!core/asd"))
    with pytest.raises(InputError, match=r"\[ASDF\]"):
        read_exposure(tiny_raw)


def test_keywords(tiny_raw: Path) -> None:
    exposure = read_exposure(tiny_raw)
    assert exposure.keyword("TARG_RA") == 53.1
    assert exposure.keyword("S_REGION") == "POLYGON ICRS  1 2 3 4 5 6 7 8"
    assert exposure.keyword("NOTHERE") is None


def test_flight(flight_acq1: Path) -> None:
    ramp = read_ramp(flight_acq1)
    with datamodels.GuiderRawModel(flight_acq1) as model:
        np.testing.assert_array_equal(ramp.data, model.data.astype(np.float32))
    assert ramp.exposure.exp_type == "FGS_ACQ1"


def test_read_arrays(tiny_raw: Path, tmp_path: Path, simulated: Callable[[str], object]) -> None:
    arrays = read_arrays(tiny_raw)
    assert set(arrays) == {"SCI"}
    assert arrays["SCI"].dtype == np.uint16
    with pytest.raises(InputError, match="cannot be read"):
        read_arrays(tmp_path / "no.fits")
