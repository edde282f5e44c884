"""persistence against the official class: windows, thresholds, and what is carried to the next exposure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jwcal_interactive.arrays import ExtraHDU, Reference
from jwcal_interactive.steps.persistence import PersistenceParams, persistence
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

START = 60_384.3  # MJD
GROUP_TIME, INTEGRATION_TIME = 10.7, 61.3  # s


@pytest.fixture
def make_exposure(make_ramp):
    def make(table, seed=90, start=START):
        from astropy.io import fits
        from stdatamodels.jwst.datamodels import RampModel

        keywords = [("EXPSTART", start), ("EFFINTTM", INTEGRATION_TIME), ("TGROUP", GROUP_TIME)]
        ramp = make_ramp(seed, nints=3, keywords=keywords, group_time=GROUP_TIME)
        saturated = np.where(ramp.data > 45_000, np.uint8(2), np.uint8(0))
        ramp = ramp.with_(groupdq=ramp.groupdq | np.maximum.accumulate(saturated, axis=1))
        times = np.zeros(3, RampModel().get_dtype("int_times"))
        times["integration_number"] = [1, 2, 3]
        times["int_start_MJD_UTC"] = start + np.array([0, 70.1, 140.2]) / 86_400
        if table:
            hdu = fits.BinTableHDU(times, name="INT_TIMES")
            content = hdu.header.tostring().encode() + times.astype(times.dtype.newbyteorder(">")).tobytes()
            content += bytes(-len(content) % 2880)
            ramp = ramp.with_(exposure=replace(ramp.exposure, extra=(ExtraHDU("INT_TIMES", content),)))
        return ramp, times

    return make


def official(ramp, times, model, windows, **params):
    from jwst.persistence.persistence import DataSet

    exposure = model.meta.exposure
    exposure.start_time = ramp.exposure.keyword("EXPSTART")
    exposure.integration_time, exposure.group_time = INTEGRATION_TIME, GROUP_TIME
    if ramp.exposure.extra:
        model.int_times = times
    data = DataSet(
        model, None, params["persistence_time"], params["dn_threshold"], windows, params["persistence_dnu"]
    )
    result, skipped = data.do_all()
    assert not skipped
    return result, data.persistence_array


@pytest.mark.parametrize("table", [False, True])
@pytest.mark.parametrize("threshold", [None, 30_000.0])
@pytest.mark.parametrize("seconds", [5, 40, 100, 10_000])
@pytest.mark.parametrize("dnu", [False, True])
def test_two_exposures(table, threshold, seconds, dnu, make_exposure, ramp_model, same_ramp):
    ramp, times = make_exposure(table)
    params = {"persistence_time": seconds, "dn_threshold": threshold, "persistence_dnu": dnu}
    model, windows = official(ramp, times, ramp_model(ramp), np.zeros(ramp.pixeldq.shape), **params)
    ours = persistence(ramp, {}, PersistenceParams(**params, save_persistence="v.asdf"), Tiles(band_rows=5))
    same_ramp(ours, model)
    (product,) = ours.side_products
    entry = product.tree["NRCALONG"]
    np.testing.assert_array_equal(
        np.transpose(np.nonzero(windows)), np.transpose((entry["rows"], entry["cols"]))
    )
    np.testing.assert_array_equal(windows[entry["rows"], entry["cols"]], entry["vals"])

    later, times = make_exposure(table, seed=91, start=START + 230 / 86_400)
    model, _ = official(later, times, ramp_model(later), windows, **params)
    none = np.empty((0, 0), np.float32)
    file = Reference(reftype="persistence_array_file", name="v.asdf", data=none, tree=product.tree)
    ours = persistence(later, {"persistence_array_file": file}, PersistenceParams(**params), Tiles(band_rows=5))
    same_ramp(ours, model)
    assert (ours.groupdq & 32).any()
