from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.steps.linearity import LinearityParams, linearity
from jwcal_interactive.tiles import Tiles


def planes(*coefficients, shape=(2, 2)):
    return np.stack([np.full(shape, float(c)) for c in coefficients])


def run(ramp, ref):
    return linearity(ramp, {"linearity": ref}, LinearityParams(), Tiles())


def test_polynomial_of_each_pixel(ramp_of, reference_of, bytes_of):
    ramp = ramp_of(np.full((2, 3, 2, 2), 100))
    coefficients = planes(1, 1, 0.001)
    coefficients[2, 0, 1] = 0.002
    ref = reference_of("linearity", coefficients, dq=[[0, 0], [0, DQ.NONLINEAR]])
    before = bytes_of(ramp, ref)
    out = run(ramp, ref)
    np.testing.assert_allclose(out.data, np.broadcast_to([[111, 121], [111, 111]], out.data.shape))
    assert out.pixeldq.tolist() == [[0, 0], [0, DQ.NONLINEAR]]
    assert bytes_of(ramp, ref) == before


def test_saturated_groups_stay(ramp_of, reference_of):
    groupdq = np.zeros((1, 3, 2, 2))
    groupdq[0, 1:] = DQ.SATURATED
    groupdq[0, 0] = DQ.JUMP_DET | DQ.DO_NOT_USE
    out = run(ramp_of(np.full((1, 3, 2, 2), 100), groupdq=groupdq), reference_of("linearity", planes(0, 2)))
    assert out.data[0, :, 0, 0].tolist() == [200, 100, 100]


def test_pixels_without_a_polynomial(ramp_of, reference_of):
    coefficients = planes(5, 2, 0)
    coefficients[0, 0, 1] = np.nan
    coefficients[1, 1, 0] = 0
    ref = reference_of("linearity", coefficients, dq=[[0, 0], [0, DQ.NO_LIN_CORR]])
    out = run(ramp_of(np.full((1, 1, 2, 2), 100)), ref)
    assert out.data[0, 0].tolist() == [[205, 100], [100, 100]]
    assert out.pixeldq.tolist() == [[0, DQ.NO_LIN_CORR], [DQ.NO_LIN_CORR, DQ.NO_LIN_CORR]]


def test_zeros_of_the_zero_frame_stay(ramp_of, reference_of):
    ramp = ramp_of(np.ones((1, 1, 2, 2)), groupdq=DQ.SATURATED, zeroframe=[[[0, 10], [20, 0]]])
    out = run(ramp, reference_of("linearity", planes(5, 2)))
    assert out.zeroframe.tolist() == [[[0, 25], [45, 0]]]


class TestInversePolynomials:
    DATA = np.array([1000.0, 3000, 5000, 7000]).reshape(1, 4, 1, 1)

    def correct(self, ramp_of, reference_of, inverse, **facts):
        ref = reference_of(
            "linearity", planes(0, 1, 1e-5, shape=(1, 1)),
            arrays={"INV_COEFFS": planes(*inverse, shape=(1, 1))},
        )  # fmt: skip
        return run(ramp_of(self.DATA, **facts), ref)

    def test_they_matter_for_averaged_frames(self, ramp_of, reference_of):
        single = self.correct(ramp_of, reference_of, (0, 1, -1e-5))
        averaged = self.correct(ramp_of, reference_of, (0, 1, -1e-5), nframes=4)
        assert (averaged.data > single.data).all()

    def test_dropped_frames_slow_the_rate(self, ramp_of, reference_of):
        near = self.correct(ramp_of, reference_of, (0, 1, -1e-5), nframes=4)
        far = self.correct(ramp_of, reference_of, (0, 1, -1e-5), nframes=4, groupgap=20)
        assert (far.data < near.data).all()

    def test_one_group_has_no_rate(self, ramp_of, reference_of, monkeypatch):
        monkeypatch.setattr(type(self), "DATA", self.DATA[:, :1])
        averaged = self.correct(ramp_of, reference_of, (0, 1, -1e-5), nframes=4)
        assert averaged.data.item() == pytest.approx(1010)

    def test_pixels_without_one_are_flagged(self, ramp_of, reference_of):
        out = self.correct(ramp_of, reference_of, (0, np.nan, 0), nframes=4)
        assert out.pixeldq.item() == DQ.NO_LIN_CORR


def test_one_coefficient_is_no_polynomial(ramp_of, reference_of):
    with pytest.raises(ReferenceError, match=r"COEFFS of shape \(1, 2, 2\)"):
        run(ramp_of(np.ones((1, 1, 2, 2))), reference_of("linearity", planes(1)))


def test_without_reference_it_is_skipped(ramp_of):
    with pytest.raises(Skip, match="no linearity reference"):
        run(ramp_of(np.ones((1, 1, 2, 2))), None)
