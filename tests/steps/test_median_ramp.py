from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Rates, Slopes
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.median_ramp import median_ramp
from jwcal_interactive.tiles import Tiles


@pytest.fixture
def series(ramp_of):
    """Ramps of three integrations whose flux differs, and rates."""

    def make(flux=(0.9, 1.0, 1.2), **facts):
        shape, ngroups = (6, 8), 3
        base = np.random.default_rng(0).uniform(50, 100, shape)
        data = np.array(flux)[:, None, None, None] * base * np.arange(1, ngroups + 1)[:, None, None]
        data[0, 1, 2, 3] = np.nan
        ramp = ramp_of(data, **facts)
        rates = (np.array(flux)[:, None, None] * base / 10).astype(np.float32)
        slopes = Slopes(
            data=rates, err=rates, dq=np.zeros(rates.shape, np.uint32), var_poisson=rates, var_rnoise=rates
        )
        return ramp, Rates(exposure=ramp.exposure, rate=slopes, rateints=slopes), data

    return make


def test_median_scaled_to_each_integration(series):
    ramp, rates, data = series()
    median = median_ramp(ramp, rates, None, Tiles())
    np.testing.assert_allclose(median.flux, [0.9, 1.0, 1.2], rtol=1e-6)
    for i in range(3):
        for g in range(3):
            model = median.of(i, g)
            np.testing.assert_allclose(np.delete(model, 19), np.delete(data[i, g], 19), rtol=1e-6)
    np.testing.assert_array_equal(median.groups, np.nanmedian(ramp.data, axis=0))


def test_integration_without_flux_is_scaled_by_that_of_the_others(series):
    ramp, rates, _ = series()
    data = rates.rateints.data.copy()
    data[2] = np.nan
    slopes = rates.rateints
    lost = Slopes(data=data, err=slopes.err, dq=slopes.dq, var_poisson=slopes.err, var_rnoise=slopes.err)
    median = median_ramp(ramp, Rates(exposure=ramp.exposure, rate=lost, rateints=lost), None, Tiles())
    assert median.flux[2] == np.median(median.flux[:2])
    data[:] = np.nan
    with pytest.raises(Skip, match="flux"):
        median_ramp(ramp, Rates(exposure=ramp.exposure, rate=lost, rateints=lost), None, Tiles())


def test_sky_of_a_time_series_does_not_follow_the_flux(series, monkeypatch):
    from jwcal_interactive.io import official_scene

    ramp, rates, data = series(exp_type="NIS_SOSS", nframes=2, groupgap=1, frame_time=5.0, group_time=15.0)
    sky = np.full((3, 6, 8), 4, np.float32)
    sky[1, 2, 2] = np.nan
    flux = np.array([0.9, 1.0, 1.2])
    monkeypatch.setattr(official_scene, "time_series_flux", lambda _rates, _draft: (flux, sky))
    times = (2 + 3 * np.arange(3)) * 5.0  # end of the last frame of each group
    with_sky = ramp.with_(data=(ramp.data + 4 * times[:, None, None]).astype(np.float32))
    median = median_ramp(with_sky, rates, None, Tiles())
    np.testing.assert_allclose(median.times, times)
    expected = flux[1] * np.nanmedian(data, axis=0)[2] + 4 * times[2]
    np.testing.assert_allclose(median.of(1, 2), expected, rtol=1e-5)
