"""Level-1b files: complete as flight files are, consistent, valid, whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from stdatamodels.jwst import datamodels

from jwcal_interactive.errors import OutputError, ParameterError
from jwcal_interactive.simulate import (
    ExposureSpec,
    SimulatedExposure,
    read_events,
    read_truth,
    simulate_exposure,
    write_level1b,
    write_truth,
)
from jwcal_interactive.simulate.detectors import Detector


@pytest.fixture
def exposure(small_detector: Detector) -> SimulatedExposure:
    return simulate_exposure(ExposureSpec(subarray="SUB640", readpatt="SHALLOW4", ngroups=4, nints=3))


@pytest.fixture
def path(exposure: SimulatedExposure, tmp_path: Path) -> Path:
    return write_level1b(exposure, tmp_path)


def test_official_name(path: Path) -> None:
    assert path.name == "jw99001001001_02101_00001_nrcalong_uncal.fits"
    assert fits.getval(path, "FILENAME") == path.name


def test_stdatamodels_opens_and_validates_it(path: Path, exposure: SimulatedExposure) -> None:
    with datamodels.open(path, strict_validation=True) as model:
        assert isinstance(model, datamodels.Level1bModel)
        model.validate()
        assert np.array_equal(model.data, exposure.raw)
        assert np.array_equal(model.zeroframe, exposure.zeroframe)


def test_no_keyword_of_a_flight_header_is_missing(path: Path, flight_headers: list[Path]) -> None:
    assert flight_headers
    for flight in flight_headers:
        for hdu in ("PRIMARY", "SCI"):
            missing = set(fits.getheader(flight, hdu)) - set(fits.getheader(path, hdu))
            assert not missing, f"{hdu} lacks {sorted(missing)} of {flight.name}"


def test_readout_keywords(path: Path) -> None:
    header = fits.getheader(path)
    expected = {
        "NFRAMES": 4, "GROUPGAP": 1, "FRMDIVSR": 4, "NGROUPS": 4, "NINTS": 3, "ZEROFRAM": True,
        "TFRAME": 4.18584, "NOUTPUTS": 1, "TSAMPLE": 10.0, "FASTAXIS": -1, "SLOWAXIS": 2,
        "SUBSIZE1": 64, "SUBSIZE2": 48,
    }  # fmt: skip
    assert {key: header[key] for key in expected} == expected
    assert header["TGROUP"] == pytest.approx(5 * 4.18584)
    frames = 4 * 4 + 3 * 1
    assert header["EFFINTTM"] == pytest.approx(frames * 4.18584)
    assert header["EFFEXPTM"] == pytest.approx(3 * frames * 4.18584, abs=1e-3)
    assert header["DURATION"] == pytest.approx((3 * frames + 2) * 4.18584, abs=1e-3)


def test_times_agree_with_each_other(path: Path) -> None:
    header = fits.getheader(path)
    with fits.open(path) as hdus:
        times, groups = hdus["INT_TIMES"].data, hdus["GROUP"].data
        sci = hdus["SCI"].header
    day = 86400
    reset = header["TFRAME"]
    span = (header["EXPEND"] - header["EXPSTART"]) * day
    assert span == pytest.approx(header["DURATION"] + reset, abs=2e-3)
    start, end = times["int_start_MJD_UTC"], times["int_end_MJD_UTC"]
    assert (end - start) * day == pytest.approx(header["EFFINTTM"], abs=1e-4)
    assert (start[1:] - end[:-1]) * day == pytest.approx(reset, abs=1e-4)
    assert (sci["MJD-BEG"], sci["MJD-AVG"], sci["MJD-END"]) == (
        header["EXPSTART"],
        header["EXPMID"],
        header["EXPEND"],
    )
    assert f"{header['DATE-OBS']}T{header['TIME-OBS']}" == header["DATE-BEG"]
    assert groups["integration_number"].tolist() == [1] * 4 + [2] * 4 + [3] * 4
    assert groups["group_number"].tolist() == [1, 2, 3, 4] * 3
    barycentric = groups["bary_end_time"].reshape(3, 4)
    delay = header["BARTDELT"] / day
    assert barycentric[:, -1] - delay == pytest.approx(end, abs=1e-8)
    assert np.diff(barycentric, axis=1) * day == pytest.approx(header["TGROUP"], abs=1e-3)
    assert abs(header["BARTDELT"]) < 600


def test_full_frame_times_are_those_of_flight(small_detector: Detector, flight_headers: list[Path]) -> None:
    """RAPID, 10 groups, full frame: the same numbers as the flight exposure."""
    from jwcal_interactive.simulate.timeline import Timeline

    flight = fits.getheader(flight_headers[0])
    assert (flight["READPATT"], flight["NGROUPS"], flight["NINTS"]) == ("RAPID", 10, 1)
    timeline = Timeline(ExposureSpec())
    assert timeline.integration_time == pytest.approx(flight["EFFINTTM"])
    assert timeline.exposure_time == flight["EFFEXPTM"]
    assert timeline.duration == flight["DURATION"]
    span = flight["EXPEND"] - flight["EXPSTART"]
    assert timeline.end - timeline.start == pytest.approx(span, abs=0.01 / 86400)


def test_truth_file_holds_slope_and_hits(exposure: SimulatedExposure, tmp_path: Path) -> None:
    path = write_truth(exposure, tmp_path)
    assert path.name.endswith("_nrcalong_truth.fits")
    slope, hits = read_truth(path)
    assert np.array_equal(slope, exposure.slope)
    for name, values in vars(exposure.hits).items():
        assert np.array_equal(getattr(hits, name), values), name


def test_truth_file_holds_the_large_events(small_detector: Detector, tmp_path: Path) -> None:
    spec = ExposureSpec(subarray="SUB640", ngroups=4, snowball_rate=1e-4, shower_rate=1e-4)
    exposure = simulate_exposure(spec)
    assert {event.kind for event in exposure.events} == {"snowball", "shower"}
    assert read_events(write_truth(exposure, tmp_path)) == exposure.events


def test_truth_file_without_events(exposure: SimulatedExposure, tmp_path: Path) -> None:
    assert read_events(write_truth(exposure, tmp_path)) == ()


def test_unknown_exposure_type_is_refused_and_leaves_nothing(small_detector: Detector, tmp_path: Path) -> None:
    exposure = simulate_exposure(ExposureSpec(subarray="SUB640", ngroups=1, exp_type="NRC_NONSENSE"))
    with pytest.raises(ParameterError, match="NRC_NONSENSE"):
        write_level1b(exposure, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_unwritable_place(exposure: SimulatedExposure, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be written"):
        write_level1b(exposure, blocked / "x")
    with pytest.raises(OutputError, match="cannot be written"):
        write_truth(exposure, blocked / "x")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_failure_while_writing_leaves_nothing(
    exposure: SimulatedExposure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(self: datamodels.Level1bModel, path: Path) -> None:
        path.write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(datamodels.Level1bModel, "save", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        write_level1b(exposure, tmp_path)
    assert list(tmp_path.iterdir()) == []
