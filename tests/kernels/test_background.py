from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import zoom

from jwcal_interactive.kernels.background import (
    Background,
    background_limits,
    background_model,
    clipped_statistics,
    keep_between,
    middle,
    subtract_background,
)


def go_on():
    """Never stop."""


def sky(seed=0, shape=(64, 96), outliers=0.03):
    rng = np.random.default_rng(seed)
    image = rng.normal(rng.normal(0, 100), 3, shape)
    image[rng.random(shape) < outliers] += 1000
    image[rng.random(shape) < outliers / 3] -= 500
    return image.astype(np.float32)


def clipped(values, rounds=5):
    for _ in range(rounds):
        reach = 3 * values.std()
        kept = values[np.abs(values - np.median(values)) <= reach]
        if kept.size == values.size:
            break
        values = kept
    return values


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 500), seed=st.integers(0, 99), whole=st.booleans(), big=st.sampled_from([0, 1e9]))
def test_clipped_statistics(n, seed, whole, big):
    values = np.sort(sky(seed, (n,), 0.1))
    values[-1] += big
    if whole:
        values = np.round(values)
    out = np.empty(3)
    clipped_statistics(values, 3.0, 5, False, out)
    kept = clipped(values.astype(np.float64))
    np.testing.assert_allclose(out, [kept.mean(), np.median(kept), kept.std()], rtol=1e-9, atol=1e-9)
    half = values[values <= out[1]]
    both = np.concatenate([half - out[1], out[1] - half]) + out[1]
    kept = clipped(both)
    mirrored = np.array([out[1], 0, 0])
    clipped_statistics(half, 3.0, 5, True, mirrored)
    np.testing.assert_allclose(mirrored[1:], [np.median(kept), kept.std()], rtol=1e-9, atol=1e-9)


class TestLimits:
    def test_are_about_the_sky(self):
        values = np.sort(sky(1, (100_000,)))
        sky_level = np.median(values)
        lower, upper = background_limits(values, 3.0, 2.0)
        assert lower == pytest.approx(sky_level - 3 * 3, abs=0.3)
        assert upper == pytest.approx(sky_level + 2 * 3, abs=0.3)

    def test_of_the_lower_half_do_not_see_emission(self):
        rng = np.random.default_rng(2)
        values = rng.normal(0, 3, 50_000)
        values[:15_000] += rng.exponential(8, 15_000)
        values = np.sort(values.astype(np.float32))
        both, lower = (background_limits(values, lower_half_only=half) for half in (False, True))
        assert lower.upper < both.upper

    def test_of_a_histogram_are_those_of_its_gaussian(self):
        values = np.sort(np.random.default_rng(3).normal(10, 2, 100_000).astype(np.float32))
        lower, upper = background_limits(values, 1.0, 1.0, fit_histogram=True)
        assert (lower, upper) == (pytest.approx(8, abs=0.1), pytest.approx(12, abs=0.1))

    def test_of_equal_values_keep_them(self):
        values = np.full(9, 7, np.float32)
        for fit in (False, True):
            assert background_limits(values, fit_histogram=fit) == (7, 7)

    def test_of_nothing_are_infinite(self):
        assert background_limits(np.empty(0, np.float32)) == (-np.inf, np.inf)


def test_pixels_between_limits_are_kept_with_nan():
    use = np.ones((1, 5), bool)
    use[0, 1] = False
    keep_between(np.array([[1, 2, 3, 4, np.nan]], np.float32), 2.0, 3.0, use)
    assert use.tolist() == [[False, False, True, False, True]]


def test_middle_of_sorted_values():
    assert middle(np.array([1, 2, 9], np.float32)) == 2
    assert middle(np.array([1, 2, 4, 9], np.float32)) == 3


class TestModel:
    @pytest.mark.parametrize("box", [None, (16, 12), (25, 40), (1000, 1000)])
    def test_follows_the_sky(self, box):
        y, x = np.mgrid[:320, :384]
        truth = 10 + 0.001 * x + 0.002 * y
        image = (truth + np.random.default_rng(4).normal(0, 0.1, truth.shape)).astype(np.float32)
        image[20:24, 30:34] += 500
        model = background_model(image, np.ones(image.shape, bool), box, go_on)
        assert model.dtype == np.float32
        if box == (1000, 1000):
            np.testing.assert_allclose(model, np.median(truth), atol=0.01)
        else:
            assert np.abs(model - truth).max() < 0.2

    def test_is_a_spline_through_medians(self):
        """Against the same with scipy for whole images; 3 x 4 boxes, one of them bad."""
        image = np.random.default_rng(5).normal(0, 1, (48, 64)).astype(np.float32)
        use = np.ones(image.shape, bool)
        use[:16, :16] = False
        mesh = np.array([[np.median(clipped(image[y : y + 16, x : x + 16].astype(float)))
                          for x in range(0, 64, 16)] for y in range(0, 48, 16)])  # fmt: skip
        others = [(y, x) for y in range(3) for x in range(4) if (y, x) != (0, 0)]
        near = sorted(others, key=lambda place: np.hypot(*place))[:10]
        weights = [1 / np.hypot(*place) for place in near]
        mesh[0, 0] = np.average([mesh[place] for place in near], weights=weights)
        smooth = np.array([[np.median(mesh[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3])
                            for x in range(4)] for y in range(3)])  # fmt: skip
        expected = zoom(smooth, 16, order=3, mode="reflect", grid_mode=True).clip(smooth.min(), smooth.max())
        model = background_model(image, use, (16, 16), go_on)
        np.testing.assert_allclose(model, expected, atol=1e-6)

    def test_of_a_level_sky_is_level(self):
        image = np.full((64, 64), 3, np.float32)
        model = background_model(image, np.ones(image.shape, bool), None, go_on)
        np.testing.assert_array_equal(model, image)

    def test_needs_a_box_with_nine_tenths_of_its_pixels(self):
        image, use = np.zeros((32, 32), np.float32), np.ones((32, 32), bool)
        use.ravel()[:103] = False
        assert background_model(image, use, None, go_on) is None
        use.ravel()[:102] = True
        use.ravel()[:102] = False
        use.ravel()[102] = True
        assert background_model(image, use, None, go_on) is not None


@pytest.mark.parametrize("method", ["median", "model", None])
def test_background_is_subtracted_in_place(method):
    original, use = sky(6), np.ones((64, 96), bool)
    image, scratch = original.copy(), np.empty(original.size, np.float32)
    background, values = subtract_background(image, use, scratch, Background(method), go_on)
    np.testing.assert_array_equal(image, original - background)
    if method is None:
        assert background == 0
        assert use.all()
    else:
        assert not use[np.abs(original - np.median(original)) > 100].any()
        np.testing.assert_array_equal(values, np.sort(image[use]))
        assert abs(np.median(values)) < 0.3


def test_model_falls_back_on_the_median():
    image, use = sky(7, outliers=0.3), np.ones((64, 96), bool)
    scratch = np.empty(image.size, np.float32)
    background, _ = subtract_background(image, use, scratch, Background("model"), go_on)
    assert np.ndim(background) == 0
