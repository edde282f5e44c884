"""Exposures of a visit on disk: which files, which of them are earlier, and when they began."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_exposure
from astropy.io import fits

from jwcal_interactive.errors import InputError
from jwcal_interactive.io.earlier import exposure_files, in_time_order, read_earlier
from jwcal_interactive.io.exposure_times import integration_starts
from jwcal_interactive.io.raw import read_exposure

START = tiny_exposure.METADATA["exposure.start_time"]
HOUR = 1 / 24  # d


@pytest.fixture
def folder(tmp_path: Path, tiny_template: Path) -> Path:
    """Exposures one hour apart, named in another order; some of other detectors and visits."""
    for name, hours, changes in (
        ("c", 0, {}),
        ("a", 1, {}),
        ("b", 2, {}),
        ("other", 0, {"DETECTOR": "NRCBLONG"}),
        ("visit", 0, {"VISIT": "002"}),
        ("guider", 0, {"INSTRUME": "FGS", "DETECTOR": "GUIDER1", "EXP_TYPE": "FGS_TRACK"}),
    ):
        path = tmp_path / f"{name}_uncal.fits"
        path.write_bytes(tiny_template.read_bytes())
        tiny_exposure.edit(path, {"EXPSTART": START + hours * HOUR, **changes})
    (tmp_path / "c_ramp.fits").write_bytes(b"not looked at: there are raw exposures")
    return tmp_path


class TestFiles:
    def test_of_a_folder(self, folder: Path) -> None:
        names = [path.name for path in exposure_files(str(folder), "x")]
        assert names == [f"{n}_uncal.fits" for n in ("a", "b", "c", "guider", "other", "visit")]

    def test_listed(self, folder: Path) -> None:
        a, b = folder / "a_uncal.fits", folder / "b_uncal.fits"
        assert exposure_files(f"{b}, {a},{b}", "x") == (b, a)

    def test_ramps_where_there_is_nothing_raw(self, tmp_path: Path) -> None:
        (tmp_path / "a_ramp.fits").touch()
        assert exposure_files(str(tmp_path), "x") == (tmp_path / "a_ramp.fits",)

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"step.earlier = .*no file or folder 'no\.fits'"):
            exposure_files("no.fits", "step.earlier")
        with pytest.raises(InputError, match=r"has no \*_uncal\.fits and no \*_ramp\.fits"):
            exposure_files(str(tmp_path), "step.earlier")


def test_time_order(folder: Path) -> None:
    files = in_time_order(exposure_files(",".join(str(folder / f"{n}_uncal.fits") for n in "abc"), "x"))
    assert [file.path.name[0] for file in files] == ["c", "a", "b"]


@pytest.mark.parametrize(("name", "earlier"), [("c", ""), ("a", "c"), ("b", "ca")])
def test_earlier_ones_of_detector_and_visit(name: str, earlier: str, folder: Path) -> None:
    exposure = read_exposure(folder / f"{name}_uncal.fits")
    found = read_earlier(exposure_files(str(folder), "x"), exposure, "visit_persistence.earlier")
    files = found.tree["exposures"]
    assert "".join(file.path.name[0] for file in files) == earlier
    assert found.reftype == "earlier"
    for file in files:
        np.testing.assert_array_equal(file.cut(slice(3, 5)).data, fits.getdata(file.path, "SCI")[..., 3:5, :])


def test_segments_of_an_exposure(folder: Path) -> None:
    """They have one EXPSTART; INTSTART tells them apart."""
    later = folder / "a_uncal.fits"
    tiny_exposure.edit(later, {"EXPSTART": START, "INTSTART": 3, "INTEND": 4})
    found = read_earlier((folder / "c_uncal.fits", later), read_exposure(later), "x")
    assert [file.path.name for file in found.tree["exposures"]] == ["c_uncal.fits"]


class TestStarts:
    EPOCH = (START - 40_587) * 86_400

    def test_without_dates_in_the_table(self, tiny_raw: Path) -> None:
        tiny_exposure.edit(tiny_raw, {"EFFINTTM": 7.5})
        np.testing.assert_allclose(
            integration_starts(read_exposure(tiny_raw)) - self.EPOCH, [0, 7.5], atol=1e-5
        )

    def test_without_time_of_an_integration(self, tiny_raw: Path) -> None:
        told = integration_starts(read_exposure(tiny_raw)) - self.EPOCH
        np.testing.assert_allclose(told, [0, tiny_exposure.NGROUPS * tiny_exposure.GROUP_TIME], atol=1e-5)

    @pytest.mark.parametrize(("first", "seconds"), [(1, [10, 20]), (2, [20, 30]), (3, [30, None])])
    def test_rows_of_the_table_by_number(self, first: int, seconds: list[float | None], tiny_raw: Path) -> None:
        with fits.open(tiny_raw) as hdus:
            rows = np.zeros(3, hdus["INT_TIMES"].data.dtype.newbyteorder("="))
            rows["integration_number"] = [3, 1, 2]
            rows["int_start_MJD_UTC"] = START + np.array([30, 10, 20]) / 86_400
            hdus["INT_TIMES"].data = rows
            hdus[0].header["INTSTART"], hdus[0].header["INTEND"] = first, first + 1
            hdus[0].header["EFFINTTM"] = 1000.0
            hdus.writeto(tiny_raw, overwrite=True)
        expected = [3000.0 if s is None else s for s in seconds]
        np.testing.assert_allclose(
            integration_starts(read_exposure(tiny_raw)) - self.EPOCH, expected, atol=1e-5
        )

    @pytest.mark.parametrize("value", [None, "2024-03-15", 0.0])
    def test_no_date(self, value: object, tiny_raw: Path) -> None:
        tiny_exposure.edit(tiny_raw, {"EXPSTART": value})
        with pytest.raises(InputError, match="keyword EXPSTART is"):
            integration_starts(read_exposure(tiny_raw))
