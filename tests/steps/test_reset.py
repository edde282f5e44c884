from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.steps.reset import ResetParams, reset
from jwcal_interactive.tiles import Tiles

MIRI = {"instrument": "MIRI", "detector": "MIRIMAGE"}


def run(ramp, ref, tiles=None):
    return reset(ramp, {"reset": ref}, ResetParams(), tiles or Tiles())


@pytest.fixture
def correction(reference_of):
    """Factory: integration i, group g of the reference is 10 i + g + 1, DN."""

    def make(nints=2, ngroups=2, shape=(2, 2), **more):
        values = 10 * np.arange(nints)[:, None] + np.arange(ngroups) + 1.0
        return reference_of("reset", values[:, :, None, None] * np.ones(shape), **more)

    return make


def subtracted(out):
    assert (out.data == out.data[..., :1, :1]).all()
    return (-out.data[..., 0, 0]).tolist()


def test_each_integration_has_its_own(ramp_of, correction, bytes_of):
    ramp, ref = ramp_of(np.zeros((3, 4, 2, 2)), pixeldq=DQ.HOT, **MIRI), correction(dq=DQ.WARM)
    before = bytes_of(ramp, ref)
    out = run(ramp, ref)
    assert subtracted(out) == [[1, 2, 0, 0], [11, 12, 0, 0], [11, 12, 0, 0]]
    assert (out.pixeldq == DQ.HOT | DQ.WARM).all()
    assert bytes_of(ramp, ref) == before


def test_later_segment(ramp_of, correction):
    ramp = ramp_of(np.zeros((2, 1, 2, 2)), keywords={"INTSTART": 2, "INTEND": 3}, **MIRI)
    assert subtracted(run(ramp, correction(nints=3))) == [[11], [21]]


@pytest.mark.parametrize(
    ("keywords", "first"), [({"NGROUPS": 1}, [1, 0]), ({"NGROUPS": 9}, [1, 2]), ({}, [1, 2])]
)
def test_groups_that_the_reference_is_good_for(keywords, first, ramp_of, correction):
    assert subtracted(run(ramp_of(np.zeros((1, 2, 2, 2)), **MIRI), correction(**keywords))) == [first]


def test_integrations_that_the_reference_is_good_for(ramp_of, correction):
    assert subtracted(run(ramp_of(np.zeros((2, 1, 2, 2)), **MIRI), correction(NINTS=1))) == [[1], [1]]


def test_nan_is_no_correction(ramp_of, reference_of):
    ref = reference_of("reset", [[[[np.nan, 2.0]]]])
    assert run(ramp_of(np.zeros((1, 1, 1, 2)), **MIRI), ref).data.tolist() == [[[[0.0, -2.0]]]]


@pytest.mark.parametrize("band_rows", [1, 3])
@pytest.mark.parametrize("threads", [1, 3])
def test_bands_do_not_matter(band_rows, threads, ramp_of, reference_of):
    rng = np.random.default_rng(1)
    ramp = ramp_of(rng.normal(0, 1, (2, 3, 7, 5)), **MIRI)
    ref = reference_of("reset", rng.normal(0, 1, (2, 2, 7, 5)))
    whole = run(ramp, ref, Tiles(threads=1))
    assert run(ramp, ref, Tiles(threads=threads, band_rows=band_rows)).data.tobytes() == whole.data.tobytes()


def test_where_it_does_not_apply(ramp_of, correction, reference_of):
    with pytest.raises(Skip, match="for MIRI"):
        run(ramp_of(np.zeros((1, 2, 2, 2))), correction())
    with pytest.raises(Skip, match="N/A"):
        run(ramp_of(np.zeros((1, 2, 2, 2)), **MIRI), None)
    with pytest.raises(ReferenceError, match=r"\(2, 2, 2\).*integration, group, y, x"):
        run(ramp_of(np.zeros((1, 2, 2, 2)), **MIRI), reference_of("reset", np.zeros((2, 2, 2))))
    with pytest.raises(ReferenceError, match="3 x 3 pixels"):
        run(ramp_of(np.zeros((1, 2, 2, 2)), **MIRI), correction(shape=(3, 3)))
