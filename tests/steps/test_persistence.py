from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.steps.persistence import PersistenceParams, group_ends, persistence
from jwcal_interactive.tiles import Tiles

START = 60_000.0  # MJD
EPOCH = (START - 40_587) * 86_400  # the same as Unix time, s
FLAG = int(DQ.PERSISTENCE)


@pytest.fixture
def ramp(ramp_of):
    """Groups of 10 s; integrations of 50 s. Pixel (0, 1) is saturated from the third group of the first on."""
    groupdq = np.zeros((3, 4, 1, 2), np.uint8)
    groupdq[0, 2:, 0, 1] = DQ.SATURATED
    return ramp_of(np.zeros((3, 4, 1, 2)), groupdq=groupdq, keywords={"EXPSTART": START, "EFFINTTM": 50.0})


def run(ramp, file=None, tiles=None, **params):
    values = {"skip": False, "persistence_time": 35} | params
    return persistence(ramp, {"persistence_array_file": file}, PersistenceParams(**values), tiles or Tiles())


def saved(**entries):
    none = np.empty((0, 0), np.float32)
    return Reference(reftype="persistence_array_file", name="before.asdf", data=none, tree=entries)


def entry(row, column, end, seconds=35):
    return {"rows": np.array([row]), "cols": np.array([column]), "vals": np.array([end]), "pers_time": seconds}


def flagged(out):
    return (out.groupdq[:, :, 0] & FLAG != 0).astype(int).tolist()


def test_times_of_groups(ramp):
    np.testing.assert_array_equal(
        group_ends(ramp.exposure) - EPOCH, [[10, 20, 30, 40], [60, 70, 80, 90], [110, 120, 130, 140]]
    )


def test_window_goes_on_in_the_next_integration(ramp, bytes_of):
    before = bytes_of(ramp)
    out = run(ramp)  # the window is from 30 to 65 s
    assert flagged(out) == [[[0, 0], [0, 0], [0, 1], [0, 1]], [[0, 1], [0, 0], [0, 0], [0, 0]], [[0, 0]] * 4]
    assert not (out.groupdq & DQ.DO_NOT_USE).any()
    assert bytes_of(ramp) == before


def test_do_not_use(ramp):
    out = run(ramp, persistence_dnu=True)
    np.testing.assert_array_equal(out.groupdq & FLAG != 0, out.groupdq & DQ.DO_NOT_USE != 0)


def test_threshold(ramp):
    data = np.zeros(ramp.data.shape, np.float32)
    data[1, 1:, 0, 0] = 500
    ramp = ramp.with_(data=data)
    assert flagged(run(ramp, dn_threshold=500))[1] == [[0, 1], [0, 0], [0, 0], [0, 0]]
    assert flagged(run(ramp, dn_threshold=499))[1] == [[0, 1], [1, 0], [1, 0], [1, 0]]


def test_from_one_exposure_to_the_next(ramp, ramp_of):
    (product,) = run(ramp, saved(OTHER="kept"), persistence_time=200, save_persistence="mine").side_products
    assert product.file == "mine.asdf"
    assert product.tree["OTHER"] == "kept"
    found = product.tree["NRCALONG"]
    assert (found["rows"].tolist(), found["cols"].tolist(), found["pers_time"]) == ([0], [1], 200)
    np.testing.assert_allclose(found["vals"] - EPOCH, [230], atol=1e-6)
    later = ramp_of(np.zeros((1, 3, 1, 2)), keywords={"EXPSTART": START + 205 / 86_400})
    out = run(later, saved(**product.tree), persistence_time=200)
    assert flagged(out) == [[[0, 1], [0, 1], [0, 0]]]


def test_windows_of_the_future_are_dropped(ramp):
    file = saved(NRCALONG=entry(0, 0, EPOCH + 1e6))
    assert np.array(flagged(run(ramp, file)))[..., 0].sum() == 0


def test_file_without_this_detector(ramp):
    assert flagged(run(ramp, saved(NRCA1=entry(0, 0, EPOCH + 40)))) == flagged(run(ramp))


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        (entry(0, 0, 1.0, seconds=99), ParameterError, "was made with 99 s"),
        (entry(1, 0, 1.0), InputError, "pixels outside of the 2 x 1"),
        (entry(0, -1, 1.0), InputError, "pixels outside"),
        ({"rows": [0]}, InputError, "is not an entry with rows, cols, vals"),
        ("text", InputError, "is not an entry"),
        (entry(0, 0, 1.0) | {"vals": np.zeros(2)}, InputError, "differ in number"),
    ],
)
def test_unfit_file(content, error, told, ramp):
    with pytest.raises(error, match=told):
        run(ramp, saved(NRCALONG=content))


def test_what_must_be_given(ramp, ramp_of):
    with pytest.raises(ParameterError, match="persistence_time is not set"):
        run(ramp, persistence_time=None)
    with pytest.raises(ParameterError, match="int > 0 or none"):
        PersistenceParams.build("persistence", {"persistence_time": 0})
    with pytest.raises(InputError, match="EXPSTART is None"):
        run(ramp_of(np.zeros((1, 2, 2, 2))))


@pytest.mark.parametrize("threads", [1, 3])
def test_bands_do_not_matter(threads, ramp_of):
    rng = np.random.default_rng(5)
    groupdq = np.where(np.arange(6)[:, None, None] >= rng.integers(0, 9, (2, 1, 9, 4)), 2, 0)
    ramp = ramp_of(rng.normal(0, 99, groupdq.shape), groupdq=groupdq, keywords={"EXPSTART": START})
    whole = run(ramp, tiles=Tiles(threads=1), dn_threshold=99)
    out = run(ramp, tiles=Tiles(threads=threads, band_rows=2), dn_threshold=99)
    assert out.groupdq.tobytes() == whole.groupdq.tobytes()


def test_off_by_default():
    assert PersistenceParams().skip
