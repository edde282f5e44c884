"""Sky positions of pixels: against astropy, and where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from jwcal_interactive.arrays import Card
from jwcal_widgets.orientation import orientation_text
from jwcal_widgets.readout import sky_text
from jwcal_widgets.sky import sky_frame

KEYWORDS = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 30.5,
    "CRPIX2": 20.5,
    "CRVAL1": 359.9995,
    "CRVAL2": 71.25,
    "CDELT1": 1.7e-5,
    "CDELT2": 1.8e-5,
    "PC1_1": -0.8,
    "PC1_2": 0.6,
    "PC2_1": 0.6,
    "PC2_2": 0.8,
}


def with_keywords(exposure, **changes):
    values = {**KEYWORDS, **changes}
    cards = tuple(Card(name, value, "") for name, value in values.items() if value is not None)
    return replace(exposure, sci=cards)


def astropy_wcs(**changes) -> WCS:
    header = fits.Header({**KEYWORDS, **changes, "CUNIT1": "deg", "CUNIT2": "deg"})
    return WCS(header)


@pytest.mark.parametrize("pixel", [(0, 0), (29.5, 19.5), (2047, 3), (-100, 2500)])
@pytest.mark.parametrize("dec", [71.25, -27.8, 89.99])
def test_positions_are_those_of_astropy(exposure, pixel, dec):
    frame = sky_frame(with_keywords(exposure, CRVAL2=dec))
    expected = astropy_wcs(CRVAL2=dec).wcs_pix2world([pixel], 0)[0]
    np.testing.assert_allclose(frame.position(*pixel), expected, rtol=0, atol=1e-9)


def test_cd_matrix(exposure):
    plain = dict.fromkeys(("CDELT1", "CDELT2", "PC1_1", "PC1_2", "PC2_1", "PC2_2"))
    scale = {"CD1_1": -1.36e-5, "CD1_2": 1.02e-5, "CD2_1": 1.08e-5, "CD2_2": 1.44e-5}
    one, other = sky_frame(with_keywords(exposure, **plain, **scale)), sky_frame(with_keywords(exposure))
    np.testing.assert_allclose(one.position(300, 7), other.position(300, 7), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["CRVAL1", "CRPIX2", "CDELT1", "PC2_2", "CTYPE1"])
def test_without_a_keyword_there_is_no_position(exposure, name):
    assert sky_frame(with_keywords(exposure, **{name: None})) is None


@pytest.mark.parametrize("changes", [{"CDELT1": 0.0}, {"CTYPE1": "WAVE"}, {"CRVAL1": "53"}])
def test_odd_keywords_give_no_position(exposure, changes):
    assert sky_frame(with_keywords(exposure, **changes)) is None


def test_dispersed_light_has_no_position(exposure):
    assert sky_frame(replace(with_keywords(exposure), exp_type="NRC_WFSS")) is None


def test_text_says_that_it_is_approximate(exposure):
    assert "approximate" in sky_text(sky_frame(with_keywords(exposure)), 3, 4)


def test_north_is_where_the_declination_grows(exposure):
    frame = sky_frame(with_keywords(exposure, CRVAL2=-27.8))
    angle = np.radians(frame.north)
    x, y = frame.pixel
    ra0, dec0 = frame.position(x, y)
    ra1, dec1 = frame.position(x - 50 * np.sin(angle), y + 50 * np.cos(angle))
    assert dec1 > dec0
    assert ra1 == pytest.approx(ra0, abs=1e-6)


def test_orientation_names_the_directions_of_the_read_out(exposure):
    text = orientation_text(exposure, sky_frame(with_keywords(exposure)))
    assert "fast towards −x ←, slow towards +y ↑" in text
    assert "north" in text
    assert "north" not in orientation_text(exposure, None)
