from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.cutouts import cut_ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError, Skip
from jwcal_interactive.steps.visit_persistence import VisitPersistenceParams, visit_persistence
from jwcal_interactive.tiles import Tiles

START = 60_000.0  # MJD
FLAG = int(DQ.PERSISTENCE)


@pytest.fixture
def exposure_at(ramp_of):
    """Factory: an exposure that begins some seconds after the first one; groups of 10 s."""

    def make(seconds, data, **facts):
        return ramp_of(data, keywords={"EXPSTART": START + seconds / 86_400}, **facts)

    return make


def file_of(ramp):
    """What the step sees of an exposure on disk."""
    return SimpleNamespace(
        exposure=ramp.exposure,
        frame=ramp.data.shape[-2:],
        cut=lambda rows, columns: cut_ramp(ramp, rows, columns),
    )


def run(ramp, *earlier, saturation=None, tiles=None, **params):
    named = Reference(
        reftype="earlier", name="", data=np.empty((0, 0), np.float32),
        tree={"exposures": tuple(map(file_of, earlier))},
    )  # fmt: skip
    values = {"skip": False, "earlier": "folder", "persistence_time": 100.0} | params
    refs = {"earlier": named, "saturation": saturation}
    return visit_persistence(ramp, refs, VisitPersistenceParams(**values), tiles or Tiles())


def flagged(out):
    return (out.groupdq & FLAG != 0).sum(axis=(0, 1)).tolist()


def test_time_from_the_last_bright_group(exposure_at, bytes_of):
    first = exposure_at(0, np.array([0, 900, 900, 0])[None, :, None, None] * np.ones((1, 2)))  # last at 30 s
    first = first.with_(data=first.data * np.array([1, 0], np.float32))
    ramp = exposure_at(95, np.zeros((1, 5, 1, 2)))  # groups end at 105, 115, 125, 135, 145 s
    before = bytes_of(ramp, first_as := Reference(reftype="x", name="", data=first.data))
    out = run(ramp, first, dn_threshold=900)
    assert (out.groupdq[0, :, 0] & FLAG != 0).astype(int).tolist() == [[1, 0], [1, 0], [1, 0], [0, 0], [0, 0]]
    assert not (out.groupdq & DQ.DO_NOT_USE).any()
    assert bytes_of(ramp, first_as) == before
    assert flagged(run(ramp, first, dn_threshold=901)) == [[0, 0]]


def test_order_does_not_matter(exposure_at):
    first, second = exposure_at(0, np.full((1, 1, 1, 1), 500)), exposure_at(50, np.full((1, 1, 1, 1), 500))
    ramp = exposure_at(120, np.zeros((1, 3, 1, 1)))
    outs = [run(ramp, *files, dn_threshold=500) for files in ((first, second), (second, first))]
    assert flagged(outs[0]) == flagged(outs[1]) == [[3]]  # until 160 s
    assert outs[0].keywords["VPNEXP"].value == 2
    assert outs[0].keywords["VPNPIX"].value == 1


def test_saturation_reference(exposure_at, reference_of):
    first = exposure_at(0, np.full((1, 1, 1, 4), 60_000))
    first = first.with_(groupdq=np.array([[[[0, 0, 0, DQ.SATURATED]]]], np.uint8))
    flags = [[0, 0, DQ.NO_SAT_CHECK, 0]]
    ref = reference_of("saturation", [[60_000, 60_001, 50_000, np.nan]], dq=flags)
    out = run(exposure_at(20, np.zeros((1, 2, 1, 4))), first, saturation=ref)
    assert flagged(out) == [[2, 0, 0, 2]]
    with pytest.raises(Skip, match="saturation reference"):
        run(exposure_at(20, np.zeros((1, 2, 1, 4))), first)


def test_other_subarray(exposure_at):
    data = np.zeros((1, 1, 200, 6))
    data[..., 150, 4] = data[..., 10, 1] = 900
    first = exposure_at(0, data, xstart=101, ystart=301)
    ramp = exposure_at(20, np.zeros((1, 1, 4, 3)), xstart=104, ystart=449)
    assert flagged(run(ramp, first, dn_threshold=900)) == [[0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]]
    elsewhere = exposure_at(20, np.zeros((1, 1, 4, 3)), xstart=904, ystart=449)
    assert run(elsewhere, first, dn_threshold=900).keywords["VPNPIX"].value == 0


def test_interleaved_frames_of_irs2(exposure_at):
    facts = {"instrument": "NIRSPEC", "detector": "NRS1", "readpatt": "NRSIRS2RAPID"}
    data = np.zeros((1, 1, 3200, 2048), np.float32)
    data[0, 0, 640, 5] = 900  # the first normal pixel after the reference output
    first = exposure_at(0, data, ysize=2048, **facts)
    out = run(exposure_at(20, np.zeros((1, 1, 3, 8)), **facts), first, dn_threshold=900)
    assert np.argwhere(flagged(out)).tolist() == [[0, 5]]


def test_do_not_use(exposure_at):
    first, ramp = exposure_at(0, np.full((1, 1, 1, 1), 9)), exposure_at(20, np.zeros((1, 2, 1, 1)))
    out = run(ramp, first, dn_threshold=9, persistence_dnu=True)
    assert (out.groupdq == DQ.PERSISTENCE | DQ.DO_NOT_USE).all()


@pytest.mark.parametrize("threads", [1, 3])
def test_bands_do_not_matter(threads, exposure_at):
    rng = np.random.default_rng(7)
    first = exposure_at(0, rng.normal(0, 1, (2, 3, 300, 5)))
    ramp = exposure_at(80, np.zeros((1, 9, 300, 5)))
    whole = run(ramp, first, dn_threshold=1.5, tiles=Tiles(threads=1))
    out = run(ramp, first, dn_threshold=1.5, tiles=Tiles(threads=threads, band_rows=7))
    assert out.groupdq.tobytes() == whole.groupdq.tobytes()
    assert out.keywords["VPNPIX"] == whole.keywords["VPNPIX"]


def test_where_it_does_not_apply(exposure_at):
    ramp = exposure_at(0, np.zeros((1, 1, 1, 1)))
    with pytest.raises(Skip, match="no exposure of this detector and visit is earlier"):
        run(ramp)
    with pytest.raises(ParameterError, match="earlier is not set"):
        visit_persistence(ramp, {"earlier": None}, VisitPersistenceParams(skip=False), Tiles())


def test_off_by_default():
    assert VisitPersistenceParams().skip
