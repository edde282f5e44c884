"""Attitude and WCS keywords against those of a flight header."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits

from jwcal_interactive.simulate.detectors import Aperture
from jwcal_interactive.simulate.pointing import Pointing
from jwcal_interactive.simulate.timeline import Ephemeris


@pytest.fixture
def flight(flight_headers: list[Path]) -> fits.Header:
    return fits.getheader(flight_headers[0], "SCI")


@pytest.fixture
def pointing(flight: fits.Header) -> Pointing:
    aperture = Aperture(
        "flight",
        v2_ref=flight["V2_REF"],
        v3_ref=flight["V3_REF"],
        v3_ideal_y_angle=flight["V3I_YANG"],
        x_sci_ref=flight["CRPIX1"],
        y_sci_ref=flight["CRPIX2"],
        x_sci_scale=flight["CDELT1"] * 3600,
        y_sci_scale=flight["CDELT2"] * 3600,
    )
    return Pointing(aperture, flight["RA_REF"], flight["DEC_REF"], flight["ROLL_REF"])


def test_boresight(pointing: Pointing, flight: fits.Header) -> None:
    expected = (flight["RA_V1"], flight["DEC_V1"], flight["PA_V3"])
    assert pointing.boresight() == pytest.approx(expected, abs=1e-9)


def test_rotation(pointing: Pointing, flight: fits.Header) -> None:
    expected = [flight[f"PC{i}_{j}"] for i in (1, 2) for j in (1, 2)]
    assert pointing.rotation() == pytest.approx(expected, abs=1e-12)
    assert pointing.aperture_pa == pytest.approx(flight["PA_APER"])


def test_footprint_lies_on_that_of_flight(pointing: Pointing, flight: fits.Header) -> None:
    """The flight corners hold the distortion, 0.3 arcsec in the corners of this detector."""

    def corners(text: str) -> list[tuple[float, ...]]:
        numbers = [float(word) for word in text.split()[2:]]
        return sorted(zip(numbers[::2], numbers[1::2], strict=True))

    expected = corners(flight["S_REGION"])
    for ours, theirs in zip(corners(pointing.footprint(2048, 2048)), expected, strict=True):
        assert ours == pytest.approx(theirs, abs=0.5 / 3600)


def test_observatory_is_near_l2(flight: fits.Header) -> None:
    ephemeris = Ephemeris.at(flight["EPH_TIME"])
    position = [flight[f"JWST_{axis}"] for axis in "XYZ"]
    velocity = [flight[f"JWST_D{axis}"] for axis in "XYZ"]
    assert ephemeris.position == pytest.approx(position, abs=1e6)  # km; the halo orbit's size
    assert ephemeris.velocity == pytest.approx(velocity, abs=1.0)  # km/s
