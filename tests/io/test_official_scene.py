"""What official_scene asks of the official package: its steps are replaced, the data models are real."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Exposure, Rates, Slopes
from jwcal_interactive.errors import Skip

SHAPE = (12, 16)
pytest.importorskip("jwst", reason="needs the official package (extra `test`)")


def rates_of(exp_type="NRS_IFU", instrument="NIRSPEC", detector="NRS1", nints=3):
    from jwcal_interactive.arrays import Card

    facts = {
        "filename": "jw1_uncal.fits", "instrument": instrument, "detector": detector, "exp_type": exp_type,
        "readpatt": "NRSRAPID", "subarray": "FULL", "xstart": 1, "ystart": 1, "xsize": 16, "ysize": 12,
        "fastaxis": 2, "slowaxis": 1, "nints": nints, "ngroups": 4, "nframes": 1, "groupgap": 0,
        "group_time": 10.0, "frame_time": 10.0, "frame_divisor": 1, "noutputs": 4, "zero_frame": False,
        "gain_factor": None,
    }  # fmt: skip
    cards = tuple(
        Card(name, value, "")
        for name, value in (
            ("INSTRUME", instrument),
            ("DETECTOR", detector),
            ("EXP_TYPE", exp_type),
            ("NINTS", nints),
        )
    )

    def slopes(shape):
        values = np.random.default_rng(0).normal(5, 1, shape).astype(np.float32)
        values[..., 3, 3] = np.nan
        return Slopes(
            data=values, err=values, dq=np.zeros(shape, np.uint32), var_poisson=values, var_rnoise=values
        )

    return Rates(
        exposure=Exposure(**facts, primary=cards), rate=slopes(SHAPE), rateints=slopes((nints, *SHAPE))
    )


@pytest.fixture
def scene():
    from jwst.clean_flicker_noise import clean_flicker_noise

    return clean_flicker_noise


def test_regions_are_those_of_the_official_mask(scene, monkeypatch):
    from jwcal_interactive.io.official_scene import nirspec_regions

    seen = {}

    def processed(model, **wanted):
        seen.update(wanted, exp_type=model.meta.exposure.type, model=type(model).__name__)
        model.dq[2, 5] |= 1 << 29  # MSA_FAILED_OPEN
        return model

    def slices(_model, mask):
        mask[6:8] = False
        return mask

    monkeypatch.setattr(scene, "post_process_rate", processed)
    monkeypatch.setattr(scene, "mask_ifu_slices", slices)
    regions = nirspec_regions(rates_of())
    expected = np.zeros(SHAPE, bool)
    expected[6:8] = expected[2, 5] = True
    np.testing.assert_array_equal(regions, expected)
    assert seen == {"assign_wcs": True, "msaflagopen": True, "exp_type": "NRS_IFU", "model": "IFUImageModel"}


@pytest.mark.parametrize("error", ["NoDataOnDetectorError", "MSAFileError"])
def test_official_failures_are_skips(scene, monkeypatch, error):
    from jwst.assign_wcs import util

    from jwcal_interactive.io.official_scene import NothingOnDetector, nirspec_regions

    def fails(*_given, **_named):
        raise getattr(util, error)("no luck")

    monkeypatch.setattr(scene, "post_process_rate", fails)
    with pytest.raises(Skip, match="no luck") as caught:
        nirspec_regions(rates_of("NRS_MSASPEC"))
    assert isinstance(caught.value, NothingOnDetector) == (error == "NoDataOnDetectorError")


class TestTimeSeries:
    def test_flux_is_what_the_median_image_is_scaled_by(self, scene, monkeypatch):
        from jwst.clean_flicker_noise import tso_median_image

        from jwcal_interactive.io.official_scene import time_series_flux

        rates = rates_of("NRC_TSIMAGE", "NIRCAM", "NRCB1")
        apertures = np.array([99.0, 100.0, 103.0])

        class Photometry:
            @staticmethod
            def call(model):
                np.testing.assert_array_equal(model.data, 2 * rates.rateints.data)
                from astropy.table import QTable

                return QTable({"aperture_sum": apertures * tso_median_image_unit()})

        monkeypatch.setattr(scene, "post_process_rate", lambda model, **_: model)
        monkeypatch.setattr(tso_median_image, "TSOPhotometryStep", Photometry)
        flux, sky = time_series_flux(rates, 2 * rates.rateints.data)
        np.testing.assert_allclose(flux, apertures / 100)
        assert sky is None

    def test_without_flux_it_is_skipped(self, scene, monkeypatch):
        from jwst.clean_flicker_noise import tso_median_image

        from jwcal_interactive.io.official_scene import time_series_flux

        def fails(*_given):
            raise ValueError("No valid flux for scaling")

        monkeypatch.setattr(scene, "post_process_rate", lambda model, **_: model)
        monkeypatch.setattr(tso_median_image, "make_median_image", fails)
        rates = rates_of("NRC_TSGRISM", "NIRCAM", "NRCALONG")
        with pytest.raises(Skip, match="No valid flux"):
            time_series_flux(rates, rates.rateints.data)

    def test_sky_of_soss_is_what_the_background_step_takes_away(self, monkeypatch):
        from jwst.clean_flicker_noise import tso_median_image

        from jwcal_interactive.io.official_scene import time_series_flux

        class Subtract:
            def run(self, model):
                model = model.copy()
                model.data = model.data - np.float32(2)
                return model

        class WhiteLight:
            def run(self, _spectra):
                from astropy.table import QTable

                return QTable({"whitelight_flux": np.array([9.0, 10.0, 12.0]) * tso_median_image_unit()})

        monkeypatch.setattr(tso_median_image, "BackgroundStep", Subtract)
        monkeypatch.setattr(tso_median_image, "WhiteLightStep", WhiteLight)
        monkeypatch.setattr(tso_median_image, "_soss_box_extract", lambda model: model)
        rates = rates_of("NIS_SOSS", "NIRISS", "NIS")
        flux, sky = time_series_flux(rates, rates.rateints.data)
        np.testing.assert_allclose(flux, [0.9, 1.0, 1.2])
        np.testing.assert_allclose(sky[~np.isnan(sky)], 2, rtol=1e-5)


def tso_median_image_unit():
    from astropy.units import adu

    return adu
