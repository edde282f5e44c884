from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.kernels import clean_flicker_noise_fft as fft
from jwcal_interactive.kernels.clean_flicker_noise_fft import Band, NoFit, fit_full_frame, fit_sections


def go_on():
    """Never stop."""


def fit_by_samples(values, weights, ticks, size, terms):
    """Weighted least squares with the matrix of all samples: the definition."""
    basis = np.exp(2j * np.pi * np.outer(ticks, terms) / size)
    coefficients, *_ = np.linalg.lstsq(basis * weights[:, None], weights * values + 0j, rcond=None)
    return coefficients


def test_normal_equations_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    size, terms = 200, np.array([0, 1, 2, 5, 97, 100])
    used = np.flatnonzero(rng.random(size) < 0.4)
    values, weights = rng.normal(0, 1, used.size), rng.uniform(0.5, 2, used.size)
    all_weights, weighted = np.zeros(size), np.zeros(size)
    all_weights[used], weighted[used] = weights**2, weights**2 * values
    found = fft._solve(np.fft.rfft(all_weights), np.fft.rfft(weighted)[terms], terms)
    np.testing.assert_allclose(found, fit_by_samples(values, weights, used, size, terms), atol=1e-9)


def test_too_few_pixels_give_the_smallest_solution():
    size, terms = 64, np.arange(6)
    weights, weighted = np.zeros(size), np.zeros(size)
    weights[[3, 4]], weighted[[3, 4]] = 1, (2, 1)
    found = fft._solve(np.fft.rfft(weights), np.fft.rfft(weighted)[terms], terms)
    assert np.abs(found).sum() < 10
    basis = np.exp(2j * np.pi * np.outer([3, 4], terms) / size)
    np.testing.assert_allclose(basis @ found, [2, 1], atol=1e-5)


class TestFullFrame:
    SHAPE = (96, 512)

    def wave(self, seed=1):
        rng = np.random.default_rng(seed)
        x = np.arange(self.SHAPE[1])
        slow = np.repeat(rng.normal(0, 3, self.SHAPE[0] // 8), 8)[:, None]
        return slow * np.cos(2 * np.pi * x / self.SHAPE[1]) + 2 * slow

    def test_follows_slow_waves_where_they_are(self):
        truth = self.wave()
        image = (truth + np.random.default_rng(2).normal(0, 0.5, self.SHAPE)).astype(np.float32)
        use = np.random.default_rng(3).random(self.SHAPE) < 0.6
        use[40:60, 100:200] = False
        model = fit_full_frame(image, use, go_on)
        inner = np.s_[16:80]
        aligned = [((np.roll(model, shift, axis=0) - truth)[inner] ** 2).mean() for shift in (-2, -1, 0, 1, 2)]
        assert np.argmin(aligned) == 2
        assert aligned[2] < 0.2 * (truth[inner] ** 2).mean()

    def test_leaves_out_outliers_and_lines_without_background(self):
        image = np.ones(self.SHAPE, np.float32)
        image[20, 30] = 1e6
        use = np.ones(self.SHAPE, bool)
        use[50:80] = False
        model = fit_full_frame(image, use, go_on)
        np.testing.assert_allclose(model[10:40], 1, atol=1e-3)
        np.testing.assert_allclose(model[60:70], 0, atol=1e-3)

    def test_of_nothing_is_zero(self):
        model = fit_full_frame(np.ones(self.SHAPE, np.float32), np.zeros(self.SHAPE, bool), go_on)
        assert not model.any()


class TestSections:
    def test_have_enough_pixels_and_overlap(self):
        counts = np.array([0, 100, 300, 300, 0, 600, 10, 400, 100, 0])
        sections = fft._sections(counts)
        assert sections == [(1, 4), (3, 6), (5, 6), (6, 9)]
        assert fft._sections(np.zeros(5, int)) == []

    def test_follow_noise_of_the_clock(self):
        rng = np.random.default_rng(4)
        shape = (64, 100)
        ticks = (np.arange(shape[0]) * (shape[1] + 12))[:, None] + np.arange(shape[1])
        truth = 5 * np.sin(2 * np.pi * 300 * ticks * 1e-5)  # 300 Hz
        image = (truth + rng.normal(0, 1, shape)).astype(np.float32)
        use = rng.random(shape) < 0.8
        model = fit_sections(image, use, Band(), go_on)
        assert (model - truth).std() < 0.5
        fast = fit_sections(
            (5 * np.sin(2 * np.pi * 20_000 * ticks * 1e-5)).astype(np.float32), use, Band(), go_on
        )
        assert fast.std() < 1.0

    def test_without_background_cannot_be_fitted(self):
        with pytest.raises(NoFit, match="background"):
            fit_sections(np.ones((8, 9), np.float32), np.zeros((8, 9), bool), Band(), go_on)

    def test_sparse_background_gives_no_correction(self):
        use = np.zeros((50, 100), bool)
        use[:, 7] = True
        assert not fit_sections(np.ones(use.shape, np.float32), use, Band(), go_on).any()


def test_gain_of_the_band():
    frequency = np.array([0, 1000, 1136, 1300, 49_000, 49_950, 50_000], np.float32)
    np.testing.assert_allclose(Band().gain(frequency), [1, 1, 0.5, 0, 0, 0.5, 1], atol=1e-3)
