from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import GuiderSlopes
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.steps.flat_field import FlatFieldParams, flat_field
from jwcal_interactive.tiles import Tiles


@pytest.fixture
def rates_of(ramp_of):
    def make(data, err=3.0, exp_type="FGS_TRACK"):
        data = np.array(data, np.float32)
        exposure = ramp_of(np.zeros((1, 1, *data.shape[1:])), instrument="FGS", exp_type=exp_type).exposure
        dq = np.full(data.shape[1:], DQ.HOT, np.uint32)
        return GuiderSlopes(exposure=exposure, data=data, err=np.full_like(data, err), dq=dq)

    return make


def run(rates, flat, own=None, **params):
    refs = {"flat": flat, "user_supplied_flat": own}
    return flat_field(rates, refs, FlatFieldParams(**params), Tiles())


def test_rates_and_errors(rates_of, reference_of):
    flat = reference_of("flat", [[2.0, 0.5]], arrays={"ERR": [[0.4, 0.0]]}, dq=DQ.LOW_QE)
    rates = rates_of([[[20, 10]], [[40, 20]]])
    before = rates.data.tobytes(), flat.data.tobytes(), flat.dq.tobytes()
    out = run(rates, flat)
    assert out.data.tolist() == [[[10, 20]], [[20, 40]]]
    np.testing.assert_allclose(
        out.err[:, 0], [[np.hypot(3, 10 * 0.4 / 2), 3], [np.hypot(3, 20 * 0.4 / 2), 3]], 1e-6
    )
    assert (out.dq == DQ.HOT | DQ.LOW_QE).all()
    assert (rates.data.tobytes(), flat.data.tobytes(), flat.dq.tobytes()) == before


def test_unknown_flat(rates_of, reference_of):
    flags = [[0, 0, DQ.NO_FLAT_FIELD, DQ.DO_NOT_USE, DQ.UNRELIABLE_FLAT]]
    out = run(rates_of(np.full((1, 1, 5), 8)), reference_of("flat", [[np.nan, 0, 2, 2, 2]], dq=flags))
    assert out.data.tolist() == [[[8, 8, 8, 8, 4]]]
    unknown = DQ.HOT | DQ.DO_NOT_USE | DQ.NO_FLAT_FIELD
    assert out.dq.tolist() == [[unknown, unknown, unknown, DQ.HOT | DQ.DO_NOT_USE, DQ.HOT | DQ.UNRELIABLE_FLAT]]


def test_nan_of_one_is_nan_of_both(rates_of, reference_of):
    flat = reference_of("flat", [[2.0, 2.0, 2.0]], arrays={"ERR": [[0.0, np.nan, 0.0]]})
    out = run(rates_of([[[np.nan, 1, 1]]]), flat)
    for array in (out.data, out.err):
        np.testing.assert_array_equal(np.isnan(array), [[[True, True, False]]])


def test_inverse_undoes_the_division(rates_of, reference_of):
    flat = reference_of("flat", [[2.0, 0.5]], arrays={"ERR": [[0.4, 0.1]]})
    out = run(rates_of([[[20, 10]]]), flat, inverse=True)
    assert out.data.tolist() == [[[40, 5]]]
    assert out.err.tolist() == [[[3, 3]]]


def test_own_flat_is_used_instead(rates_of, reference_of):
    own = reference_of("flat", [[4.0, 4.0]])
    assert run(rates_of([[[20, 10]]]), None, own).data.tolist() == [[[5, 2.5]]]
    params = FlatFieldParams(user_supplied_flat="mine.fits")
    assert flat_field.references_for(rates_of([[[1]]]).exposure, params) == ()
    assert flat_field.references_for(rates_of([[[1]]]).exposure, FlatFieldParams()) == ("flat",)


def test_the_flat_as_a_product(rates_of, reference_of):
    flat = reference_of("flat", [[2.0, 0.0]], arrays={"ERR": [[0.4, 0.1]]})
    (product,) = run(rates_of([[[20, 10]]]), flat, save_interpolated_flat=True).side_products
    assert (product.suffix, product.model) == ("interpolatedflat", "FlatModel")
    assert product.arrays["SCI"].tolist() == [[2, 1]]
    assert run(rates_of([[[20, 10]]]), flat).side_products == ()


def test_where_it_does_not_apply(rates_of, reference_of):
    with pytest.raises(Skip, match="N/A"):
        run(rates_of([[[1, 1]]]), None)
    with pytest.raises(Skip, match="smaller than the images"):
        run(rates_of(np.ones((1, 4, 4)), exp_type="FGS_ID-STACK"), reference_of("flat", np.ones((4, 3))))
    with pytest.raises(ReferenceError, match="5 x 4 pixels"):
        run(rates_of(np.ones((1, 4, 4)), exp_type="FGS_ID-STACK"), reference_of("flat", np.ones((4, 5))))
