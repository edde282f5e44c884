from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.steps.rscd import RscdParams, rscd
from jwcal_interactive.tiles import Tiles

MIRI = {"instrument": "MIRI", "detector": "MIRIMAGE", "subarray": "FULL", "readpatt": "FASTR1"}
COLUMNS = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]


def reference(*rows, columns=COLUMNS, name="RSCD_GROUP_SKIP"):
    table = np.array(list(rows), columns)
    return Reference(reftype="rscd", name="rscd.fits", data=np.empty((0, 0), np.float32), tables={name: table})


FULL = reference(("SUB64", "FASTR1", 9, 9), ("FULL", "SLOWR1", 8, 8), ("FULL", "FASTR1", 1, 4))


def run(ramp, ref=FULL, tiles=None):
    return rscd(ramp, {"rscd": ref}, RscdParams(), tiles or Tiles())


def flagged(out):
    """Number of first groups with DO_NOT_USE, by integration and pixel."""
    left_out = out.groupdq & DQ.DO_NOT_USE != 0
    number = left_out.sum(axis=1)
    assert (left_out == (np.arange(left_out.shape[1])[:, None, None] < number[:, None])).all()
    return number


def test_first_and_later_integrations(ramp_of, bytes_of):
    ramp = ramp_of(np.zeros((3, 10, 2, 2)), groupdq=DQ.JUMP_DET, **MIRI)
    before = bytes_of(ramp)
    out = run(ramp)
    assert flagged(out)[:, 0, 0].tolist() == [1, 4, 4]
    assert (out.groupdq & DQ.JUMP_DET != 0).all()
    assert out.keywords["INT1SKIP"].value == 1
    assert out.keywords["INT2SKIP"].value == 4
    assert out.keywords["INT2BORS"].value == 0
    assert not out.pixeldq.any()
    assert bytes_of(ramp) == before


def test_later_segment_has_no_first_integration(ramp_of):
    ramp = ramp_of(np.zeros((2, 10, 1, 1)), keywords={"INTSTART": 3, "NINTS": 4}, **MIRI)
    out = run(ramp)
    assert flagged(out).ravel().tolist() == [4, 4]
    assert "INT1SKIP" not in out.keywords


@pytest.mark.parametrize(("ngroups", "later"), [(3, 0), (4, 1), (5, 1), (6, 3), (7, 4), (8, 4)])
def test_three_groups_are_kept(ngroups, later, ramp_of):
    out = run(ramp_of(np.zeros((2, ngroups, 1, 1)), **MIRI))
    assert flagged(out)[1, 0, 0] == later


def test_early_saturation_lowers_the_number(ramp_of):
    first_saturated = [0, 1, 2, 3, 4, 5, 6, 10]
    groups = np.arange(10)[:, None, None]
    saturated = np.where(groups >= np.array(first_saturated), DQ.SATURATED, 0)
    groupdq = np.stack([np.zeros_like(saturated), saturated])
    out = run(ramp_of(np.zeros((2, 10, 1, 8)), groupdq=groupdq, **MIRI))
    assert flagged(out)[1, 0].tolist() == [4, 0, 0, 1, 2, 3, 4, 4]
    assert flagged(out)[0, 0].tolist() == [1] * 8
    estimated = out.pixeldq[0] & DQ.FLUX_ESTIMATED != 0
    assert estimated.tolist() == [False, True, True, True, True, True, False, False]
    assert out.keywords["INT2BORS"].value == 5
    assert out.keywords["INT2UGP1"].value == 2
    assert out.keywords["INT1BORS"].value == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_bands_do_not_matter(threads, ramp_of):
    rng = np.random.default_rng(3)
    start = rng.integers(0, 14, (2, 1, 7, 5))
    groupdq = np.where(np.arange(12)[:, None, None] >= start, DQ.SATURATED, 0)
    ramp = ramp_of(np.zeros(groupdq.shape), groupdq=groupdq, **MIRI)
    whole = run(ramp, tiles=Tiles(threads=1))
    out = run(ramp, tiles=Tiles(threads=threads, band_rows=2))
    assert out.groupdq.tobytes() == whole.groupdq.tobytes()
    assert out.pixeldq.tobytes() == whole.pixeldq.tobytes()
    assert dict(out.keywords) == dict(whole.keywords)


def test_names_of_old_files(ramp_of):
    old = reference(("SLITLESSPRISM", "FASTR1", 2, 3))
    ramp = ramp_of(np.zeros((1, 9, 1, 1)), **(MIRI | {"subarray": "SUBPRISM"}))
    assert flagged(run(ramp, old)).ravel().tolist() == [2]
    without_first = reference(("FULL      ", "FASTR1", 3), columns=[COLUMNS[0], COLUMNS[1], COLUMNS[3]])
    assert flagged(run(ramp_of(np.zeros((2, 9, 1, 1)), **MIRI), without_first)).ravel().tolist() == [1, 3]
    negative = reference(("FULL", "FASTR1", -999, 3))
    assert flagged(run(ramp_of(np.zeros((2, 9, 1, 1)), **MIRI), negative)).ravel().tolist() == [1, 3]


def test_where_it_does_not_apply(ramp_of):
    ramp = ramp_of(np.zeros((1, 9, 1, 1)), **MIRI)
    with pytest.raises(Skip, match="for MIRI"):
        run(ramp_of(np.zeros((1, 9, 1, 1))))
    with pytest.raises(Skip, match="N/A"):
        run(ramp, None)
    with pytest.raises(Skip, match="no entry for SUBARRAY = BRIGHTSKY, READPATT = FASTR1"):
        run(ramp_of(np.zeros((1, 9, 1, 1)), **(MIRI | {"subarray": "BRIGHTSKY"})))
    with pytest.raises(Skip, match="needs 3 groups"):
        run(ramp_of(np.zeros((1, 2, 1, 1)), **MIRI))
    with pytest.raises(ReferenceError, match="lacks the table RSCD_GROUP_SKIP"):
        run(ramp, reference(("FULL", "FASTR1", 1, 1), name="OTHER"))
    with pytest.raises(ReferenceError, match="lacks the columns group_skip in"):
        run(ramp, reference(("FULL", "FASTR1", 1), columns=COLUMNS[:3]))
