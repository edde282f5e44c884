"""Reading exposures, against what stdatamodels reads from the same file."""

from __future__ import annotations

import gzip
import warnings
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


def test_whole_numbers_that_other_software_wrote_as_floats(tiny_raw: Path) -> None:
    tiny_exposure.edit(
        tiny_raw, {"NINTS": 100.0, "INTSTART": 51.0, "INTEND": 52.0, "NGROUPS": 5.0, "SUBSTRT1": 1.0}
    )
    exposure = read_exposure(tiny_raw)
    assert (exposure.nints, exposure.ngroups, exposure.xstart) == (2, 5, 1)
    assert all(type(v) is int for v in (exposure.nints, exposure.ngroups, exposure.xstart))


class TestZeroFrame:
    @pytest.fixture
    def with_zeroframe(self, tiny_raw: Path) -> Path:
        with fits.open(tiny_raw, mode="append") as hdus:
            hdus.append(fits.ImageHDU(np.full((2, 64, 64), 7, np.uint16), name="ZEROFRAME"))
        return tiny_raw

    @pytest.mark.parametrize("value", [True, "T", "True", " t", 1, 1.0])
    def test_used(self, value: object, with_zeroframe: Path) -> None:
        zeroframe = read_ramp(tiny_exposure.edit(with_zeroframe, {"ZEROFRAM": value})).zeroframe
        assert zeroframe is not None
        assert (zeroframe == 7).all()

    @pytest.mark.parametrize("value", [False, "F", "false", 0, None])
    def test_not_used(self, value: object, with_zeroframe: Path) -> None:
        assert read_ramp(tiny_exposure.edit(with_zeroframe, {"ZEROFRAM": value})).zeroframe is None

    def test_missing_keyword_as_official(self, with_zeroframe: Path) -> None:
        tiny_exposure.edit(with_zeroframe, {"ZEROFRAM": None})
        with fits.open(with_zeroframe) as hdus:  # else the official reader finds the keyword there
            del hdus["ASDF"]
            hdus.writeto(with_zeroframe, overwrite=True)
        with datamodels.RampModel(with_zeroframe) as model:
            assert not model.meta.exposure.zero_frame

    @pytest.mark.parametrize("value", ["yes", 2, 0.5, ""])
    def test_unclear(self, value: object, with_zeroframe: Path) -> None:
        with pytest.raises(InputError, match=r"ZEROFRAM is .*ZEROFRAME extension; it must be T or F"):
            read_ramp(tiny_exposure.edit(with_zeroframe, {"ZEROFRAM": value}))

    def test_unclear_but_there_is_none(self, tiny_raw: Path) -> None:
        assert read_ramp(tiny_exposure.edit(tiny_raw, {"ZEROFRAM": "yes"})).zeroframe is None


def test_bytes_after_the_last_hdu(tiny_raw: Path) -> None:
    tiny_raw.write_bytes(tiny_raw.read_bytes() + b"x" * 28)
    assert read_ramp(tiny_raw).exposure.ngroups == 5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_as_official(tiny_raw)


def test_cut_off_within_the_header_of_a_later_extension(tiny_raw: Path) -> None:
    with fits.open(tiny_raw) as hdus:
        start = hdus["ASDF"].fileinfo()["hdrLoc"]
    tiny_raw.write_bytes(tiny_raw.read_bytes()[: start + 100])
    with pytest.raises(InputError, match="header of extension 4 is damaged or cut off"):
        read_exposure(tiny_raw)


@pytest.mark.parametrize("keyword", ["TARGNAME", "DATAMODL"])
def test_card_that_is_not_fits(keyword: str, tiny_raw: Path) -> None:
    tiny_exposure.edit(tiny_raw, {keyword: "x"})
    tiny_exposure.replace_card(tiny_raw, keyword, "NaN")
    assert read_exposure(tiny_raw).keyword(keyword) is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"SSTR_NST": 3}, "SSTR_NST = 3"),
        ({"MSTR_RD1": 3.0}, "MSTR_RD1 = 3.0"),
    ],
)
def test_readouts_that_are_refused(changes: dict[str, object], told: str, tiny_raw: Path) -> None:
    with pytest.raises(InputError, match=f"{told}: .* is not supported"):
        read_exposure(tiny_exposure.edit(tiny_raw, changes))


def test_order_and_versions_of_extensions(tiny_raw: Path) -> None:
    expected = read_ramp(tiny_raw)
    with fits.open(tiny_raw) as hdus:
        for hdu in hdus[1:]:
            hdu.ver = 7
        fits.HDUList([hdus[0], *reversed(hdus[1:])]).writeto(tiny_raw, overwrite=True)
    ramp = read_ramp(tiny_raw)
    np.testing.assert_array_equal(ramp.data, expected.data)
    assert ramp.exposure.meta == expected.exposure.meta


def test_metadata_of_the_asdf_extension(tiny_raw: Path) -> None:
    meta = read_exposure(tiny_raw).meta
    assert meta["only_in_asdf"] == {"names": ["a", "b"], "number": 2.5}
    assert meta["observation"]["date"] == "2024-03-15"


def test_no_asdf_extension(tiny_raw: Path) -> None:
    with fits.open(tiny_raw) as hdus:
        del hdus["ASDF"]
        hdus.writeto(tiny_raw, overwrite=True)
    assert read_exposure(tiny_raw).meta == {}


def _with_asdf(path: Path, hdu: object) -> Path:
    with fits.open(path) as hdus:
        hdus["ASDF"] = hdu
        hdus.writeto(path, overwrite=True)
    return path


def _table(text: bytes) -> fits.BinTableHDU:
    column = fits.Column("ASDF_METADATA", f"{len(text)}B", array=np.frombuffer(text, np.uint8)[np.newaxis])
    return fits.BinTableHDU.from_columns([column], name="ASDF")


@pytest.mark.parametrize("tree", [b"{}", b"", b"meta: {}", b"meta: null", b"history: []"])
def test_tree_without_metadata(tree: bytes, tiny_raw: Path) -> None:
    text = b"#ASDF 1.0.0\n%YAML 1.1\n---\n" + tree + b"\n...\n"
    assert read_exposure(_with_asdf(tiny_raw, _table(text))).meta == {}


def test_asdf_in_an_image(tiny_raw: Path) -> None:
    """The older form of ASDF in FITS."""
    text = b"#ASDF 1.0.0\n%YAML 1.1\n---\nmeta: {only_in_asdf: 3}\n...\n"
    path = _with_asdf(tiny_raw, fits.ImageHDU(np.frombuffer(text, np.uint8), name="ASDF"))
    assert read_exposure(path).meta == {"only_in_asdf": 3}
    with datamodels.RampModel(path) as model:
        assert model.meta.only_in_asdf == 3


@pytest.mark.parametrize(
    "hdu",
    [
        fits.ImageHDU(np.zeros((4, 4)), name="ASDF"),
        fits.ImageHDU(None, name="ASDF"),
        _table(b"#ASDF 1.0.0\n---\n[1, 2]\n...\n"),
        _table(b"#ASDF 1.0.0\n---\nmeta: 5\n...\n"),
    ],
)
def test_asdf_extension_that_is_none(hdu: object, tiny_raw: Path) -> None:
    with pytest.raises(InputError, match=r"\[ASDF\]: the metadata cannot be read"):
        read_exposure(_with_asdf(tiny_raw, hdu))


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
