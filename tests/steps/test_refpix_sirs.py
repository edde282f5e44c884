from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.errors import ReferenceError
from jwcal_interactive.steps.refpix import RefPixParams, refpix
from jwcal_interactive.steps.refpix_sirs import sirs_kernels, with_templates
from jwcal_interactive.tiles import Tiles


def reference(gamma, zeta=None, detector="nrcalong"):
    tree = {"meta": {}, detector: {"gamma": gamma, "zeta": gamma if zeta is None else zeta}}
    return Reference(reftype="sirskernel", name="k.asdf", data=np.empty((0, 0), np.float32), tree=tree)


@pytest.fixture
def exposure(ramp_of):
    return ramp_of(np.zeros((1, 1, 1, 1))).exposure


HALF = np.full((4, 1025), 0.5)  # half of each side, row by row


class TestKernels:
    def test_equal_weights_of_all_frequencies_are_a_peak(self, exposure):
        kernels = sirs_kernels(reference(HALF), exposure, 0.01, 5)
        assert kernels.shape == (2, 4, 11)
        np.testing.assert_allclose(kernels[1, 2], 0.5 * (np.arange(11) == 5), atol=1e-12)

    def test_smoothing_keeps_the_sum(self, exposure):
        kernels = sirs_kernels(reference(HALF), exposure, 2.0, 30)
        np.testing.assert_allclose(kernels.sum(axis=2), 0.5, rtol=1e-6)
        assert kernels[0, 0].argmax() == 30

    def test_longer_than_what_the_reference_knows(self, exposure):
        kernels = sirs_kernels(reference(np.full((4, 5), 0.5)), exposure, 0.01, 30)
        np.testing.assert_allclose(kernels[0, 0], 0.5 * (np.arange(61) == 30), atol=1e-12)

    def test_of_a_detector_that_is_not_there(self, exposure):
        assert sirs_kernels(reference(HALF, detector="nis"), exposure, 1.0, 30) is None
        assert sirs_kernels(None, exposure, 1.0, 30) is None

    def test_of_other_shapes(self, exposure):
        with pytest.raises(ReferenceError, match=r"k\.asdf.*NRCALONG.*must be \(4, frequencies\)"):
            sirs_kernels(reference(np.zeros((3, 1025))), exposure, 1.0, 30)


class TestTemplates:
    def templates(self, plane, kernels, limit=4.0):
        nothing = np.zeros(2048), np.zeros((1, 64))
        return with_templates(lambda _plane, _single: nothing, kernels, limit)(plane, False)[1]

    @pytest.fixture
    def kernels(self, exposure):
        return sirs_kernels(reference(HALF), exposure, 0.01, 5)

    def test_are_the_mean_of_both_sides(self, kernels):
        rows = np.random.default_rng(1).normal(0, 5, 64)
        plane = np.zeros((64, 2048), np.float32)
        plane[:, :4] = rows[:, None]
        plane[:, -4:] = -3 * rows[:, None]
        np.testing.assert_allclose(self.templates(plane, kernels), np.tile(-rows, (4, 1)), rtol=1e-5)

    @pytest.mark.parametrize("outlier", [1000, np.nan, np.inf])
    def test_outliers_do_not_count(self, outlier, kernels):
        expected = np.arange(64) % 5
        plane = np.repeat(expected[:, None], 2048, axis=1).astype(np.float32)
        plane[10, 1] = outlier
        np.testing.assert_allclose(self.templates(plane, kernels), np.tile(expected, (4, 1)), rtol=1e-6)

    def test_row_without_good_pixels_is_left_alone(self, kernels):
        plane = np.full((64, 2048), 2, np.float32)
        plane[10, :4] = plane[10, -4:] = 500
        expected = np.where(np.arange(64) == 10, 0, 2)
        np.testing.assert_allclose(self.templates(plane, kernels), np.tile(expected, (4, 1)), rtol=1e-6)


def test_full_frame_only(ramp_of):
    rows = np.zeros((64, 1))
    rows[32:] = 10
    strip = ramp_of(np.broadcast_to(rows, (1, 1, 64, 2048)), noutputs=4, fastaxis=1, slowaxis=2)
    sirs = RefPixParams(refpix_algorithm="sirs")
    out = refpix(strip, {"sirskernel": reference(HALF)}, sirs, Tiles())
    np.testing.assert_array_equal(out.data, refpix(strip, {}, RefPixParams(), Tiles()).data)
