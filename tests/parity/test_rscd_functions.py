"""rscd against the official function: numbers of groups, saturation, segments."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.rscd import RscdParams, rscd
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

MIRI = {"instrument": "MIRI", "detector": "MIRIMAGE", "subarray": "FULL", "readpatt": "FASTR1"}
COLUMNS = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]


def both(make_ramp, ramp_model, ngroups, nints, skips, start=None, total=None, **facts):
    from jwst.rscd.rscd_sub import do_correction
    from stdatamodels.jwst.datamodels import RSCDModel

    keywords = [("NINTS", total or nints)] + ([] if start is None else [("INTSTART", start)])
    ramp = make_ramp(76, nints=nints, ngroups=ngroups, keywords=keywords, **(MIRI | facts))
    first = np.random.default_rng(77).integers(0, ngroups + 3, (nints, 1, *ramp.pixeldq.shape))
    saturated = np.where(np.arange(ngroups)[:, None, None] >= first, np.uint8(2), np.uint8(0))
    ramp = ramp.with_(groupdq=ramp.groupdq | saturated)
    table = np.array([("SUB64", "FASTR1", 7, 7), ("FULL", "SLOWR1", 7, 7), ("FULL", "FASTR1", *skips)], COLUMNS)
    model = ramp_model(ramp)
    model.meta.exposure.readpatt, model.meta.exposure.nints = ramp.exposure.readpatt, total or nints
    model.meta.exposure.integration_start = start
    official = do_correction(model, RSCDModel(rscd_group_skip_table=table))
    ref = Reference(
        reftype="rscd", name="rscd.fits", data=np.empty((0, 0), np.float32), tables={"RSCD_GROUP_SKIP": table}
    )
    return lambda: rscd(ramp, {"rscd": ref}, RscdParams(), Tiles(band_rows=5)), official


def same_keywords(ours, model):
    told = model.meta.rscd.instance
    for number, part in (("1", "int1"), ("2", "int2p")):
        for name, keyword in (("ngroups_skip", "SKIP"), ("keep_groups_saturation", "BORS")):
            found = ours.keywords.get(f"INT{number}{keyword}")
            assert (None if found is None else found.value) == told.get(f"{name}_{part}")
        skip = told.get(f"ngroups_skip_{part}")
        if skip:  # jwst counts all pixels where none of the groups is to be left out
            assert ours.keywords[f"INT{number}UGP1"].value == told[f"keep_bright_firstgroup_{part}"]


@pytest.mark.parametrize("ngroups", [3, 4, 5, 6, 7, 12])
@pytest.mark.parametrize("nints", [1, 3])
@pytest.mark.parametrize("skips", [(1, 4), (5, 2), (0, 1), (-5, 3), (4, 0)])
def test_rscd(ngroups, nints, skips, make_ramp, ramp_model, same_ramp):
    run, model = both(make_ramp, ramp_model, ngroups, nints, skips)
    ours = run()
    assert model.meta.cal_step.rscd == "COMPLETE"
    same_ramp(ours, model)
    same_keywords(ours, model)


@pytest.mark.parametrize(("start", "total"), [(1, 7), (3, 7), (1, None)])
def test_segments(start, total, make_ramp, ramp_model, same_ramp):
    run, model = both(make_ramp, ramp_model, 9, 2, (2, 4), start, total)
    ours = run()
    same_ramp(ours, model)
    same_keywords(ours, model)


@pytest.mark.parametrize(("ngroups", "readpatt"), [(2, "FASTR1"), (9, "SLOW")])
def test_where_it_is_skipped(ngroups, readpatt, make_ramp, ramp_model):
    run, model = both(make_ramp, ramp_model, ngroups, 1, (1, 1), readpatt=readpatt)
    assert model.meta.cal_step.rscd == "SKIPPED"
    with pytest.raises(Skip):
        run()
