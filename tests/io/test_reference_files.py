"""Reference files: flags in the standard bits, cut to the subarray."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
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


@pytest.mark.parametrize("value", [" NRCALONG ", "nrcalong", "Any"])
@pytest.mark.parametrize("keyword", ["DETECTOR", "INSTRUME", "REFTYPE"])
def test_spellings(keyword: str, value: str, exposure: Exposure, tmp_path: Path) -> None:
    given = {"INSTRUME": " NIRCam", "REFTYPE": " Gain "}.get(keyword, value)
    path = tiny_exposure.write_reference(tmp_path, "gain", **{keyword: given})
    assert read_reference(path, "gain", exposure).data.shape == (64, 64)


@pytest.mark.parametrize("keyword", ["DETECTOR", "INSTRUME", "REFTYPE"])
def test_what_crds_chose_is_not_checked_again(keyword: str, exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "gain", **{keyword: "OTHER"})
    assert read_reference(path, "gain", exposure, chosen_by_crds=True).data.shape == (64, 64)
    with pytest.raises(ReferenceError, match="OTHER"):
        read_reference(path, "gain", exposure)


def test_place_that_other_software_wrote_as_floats(cut: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "gain", SUBSTRT1=1.0, SUBSTRT2=1.0)
    assert read_reference(path, "gain", cut).data.shape == (24, 16)


def test_read_pattern_that_other_software_wrote_as_floats(exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "dark", NFRAMES=1.0, GROUPGAP=0.0)
    assert read_reference(path, "dark", replace(exposure, ngroups=3)).data.shape == (3, 64, 64)


def test_order_and_versions_of_extensions(exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "superbias")
    expected = read_reference(path, "superbias", exposure)
    with fits.open(path) as hdus:
        for hdu in hdus[1:]:
            hdu.ver = 3
        fits.HDUList([hdus[0], *reversed(hdus[1:])]).writeto(path, overwrite=True)
    reference = read_reference(path, "superbias", exposure)
    np.testing.assert_array_equal(reference.data, expected.data)
    np.testing.assert_array_equal(reference.dq, expected.dq)
    assert expected.dq is not None
    assert expected.dq.any()


def test_card_that_is_not_fits(exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "gain", FOO=1.0)
    tiny_exposure.replace_card(path, "FOO", "NaN")
    reference = read_reference(path, "gain", exposure)
    assert "FOO" not in reference.keywords
    assert reference.keywords["DETECTOR"] == "NRCALONG"


@pytest.mark.parametrize("more", [b"x" * 28, b"\0" * 2880, b"y" * 6000])
def test_bytes_after_the_last_hdu(more: bytes, exposure: Exposure, tmp_path: Path) -> None:
    path = tiny_exposure.write_reference(tmp_path, "superbias")
    path.write_bytes(path.read_bytes() + more)
    reference = read_reference(path, "superbias", exposure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with datamodels.SuperBiasModel(path) as model:
            np.testing.assert_array_equal(reference.dq, model.dq)


@pytest.mark.parametrize("reftype", ["gain", "superbias", "dark"])
def test_truncated_anywhere(reftype: str, exposure: Exposure, tmp_path: Path) -> None:
    """astropy leaves extensions out whose header is cut off, and reads on where padding is missing."""
    path = tiny_exposure.write_reference(tmp_path, reftype)
    content = path.read_bytes()
    for size in (*range(0, len(content), 997), len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(ReferenceError, match=r"cannot be read as a FITS|has no SCI"):
            read_reference(path, reftype, exposure)


def test_filters_of_warnings_after_reading_in_many_threads(exposure: Exposure, tmp_path: Path) -> None:
    """They belong to the process, so that threads must not set them at the same time."""
    path = tiny_exposure.write_reference(tmp_path, "gain")
    raw = tiny_exposure.write_raw(tmp_path / tiny_exposure.RAW_NAME)
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        reads = [pool.submit(read_reference, path, "gain", exposure) for _ in range(40)]
        reads += [pool.submit(read_exposure, raw) for _ in range(40)]
        for read in reads:
            read.result()
    assert warnings.filters == before


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


class TestMiriDark:
    """Darks of MIRI have axes (integration, group, y, x), and flags for each integration."""

    @pytest.fixture
    def dark(self, tmp_path: Path, exposure: Exposure) -> tuple[Path, np.ndarray]:
        shape = (3, 6, exposure.ysize, exposure.xsize)
        header = fits.Header(
            {
                "REFTYPE": "DARK", "INSTRUME": exposure.instrument, "DETECTOR": exposure.detector,
                "SUBSTRT1": 1, "SUBSTRT2": 1, "NFRAMES": 1, "GROUPGAP": 0,
            }
        )  # fmt: skip
        groups = np.random.default_rng(1).normal(0, 1, shape).astype(">f4")
        flags = np.zeros((3, 1, *shape[2:]), np.uint32)
        flags[0, 0, 2, 3], flags[2, 0, 2, 3], flags[1, 0, 5, 5] = 1, 2, 4
        path = tmp_path / "dark.fits"
        fits.HDUList(
            [
                fits.PrimaryHDU(header=header),
                fits.ImageHDU(groups, name="SCI"),
                fits.ImageHDU(flags, name="DQ"),
                tiny_exposure.dq_def({0: "HOT", 1: "DO_NOT_USE", 2: "DEAD"}),
            ]
        ).writeto(path)
        return path, groups

    def test_leading_groups_of_each_integration(self, dark: Any, exposure: Exposure) -> None:
        path, groups = dark
        ref = read_reference(path, "dark", exposure, exact=True)
        np.testing.assert_array_equal(ref.data, groups[:, : exposure.ngroups])
        assert ref.data.flags.c_contiguous

    def test_flags_of_all_integrations_count(self, dark: Any, exposure: Exposure) -> None:
        ref = read_reference(dark[0], "dark", exposure, exact=True)
        assert ref.dq.shape == ref.data.shape[2:]
        assert (ref.dq[2, 3], ref.dq[5, 5]) == (DQ.HOT | DQ.DO_NOT_USE, DQ.DEAD)
        assert (ref.dq != 0).sum() == 2
