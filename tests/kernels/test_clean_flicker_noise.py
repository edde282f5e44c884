from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.kernels.background import Background
from jwcal_interactive.kernels.clean_flicker_noise import (
    Cleaning,
    Scratch,
    clean_image,
    subtract_line_medians,
)


def go_on():
    """Never stop."""


@settings(max_examples=20, deadline=None)
@given(
    ny=st.integers(1, 9), nx=st.integers(1, 12), channels=st.sampled_from([1, 2, 4]), along_x=st.booleans(),
    used=st.sampled_from([0.0, 0.4, 1.0]), seed=st.integers(0, 99),
)  # fmt: skip
def test_line_medians(ny, nx, channels, along_x, used, seed):
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 8, (ny, nx * channels)).astype(np.float32)
    use = rng.random(image.shape) < used
    if not along_x:
        image, use = np.ascontiguousarray(image.T), np.ascontiguousarray(use.T)
    expected = image.copy()
    lines, selected = (expected, use) if along_x else (expected.T, use.T)
    for line, chosen in zip(lines, selected, strict=True):
        for c in range(channels):
            part = slice(c * nx, (c + 1) * nx)
            if chosen[part].any():
                line[part] -= np.median(line[part][chosen[part]])
    subtract_line_medians(image, use, along_x, channels, np.empty(image.size, np.float32), go_on)
    np.testing.assert_array_equal(image, expected)


def prepared(seed=0, along_x=True, shape=(48, 64)):
    """Scratch with sky and stripes of 5 DN, and the same without stripes."""
    rng = np.random.default_rng(seed)
    clean = 20 + rng.normal(0, 1, shape)
    stripes = rng.normal(0, 5, shape[0] if along_x else shape[1])
    scratch = Scratch(shape)
    scratch.image[:] = clean + (stripes[:, None] if along_x else stripes)
    scratch.use[:] = True
    return scratch, clean


@pytest.mark.parametrize("along_x", [True, False])
@pytest.mark.parametrize("method", ["median", "model"])
def test_stripes_go_and_the_sky_stays(along_x, method):
    scratch, clean = prepared(1, along_x)
    cleaned = clean_image(scratch, Cleaning(Background(method), 3.0, along_x=along_x), None, go_on)
    assert cleaned.done
    noise = scratch.image - clean
    assert noise.std() < 1.0
    assert abs(noise.mean()) < 1.5


def test_nan_stays_and_does_not_count():
    scratch, _ = prepared(2)
    scratch.image[3] = np.nan
    scratch.image[5, 7] = np.nan
    clean_image(scratch, Cleaning(Background(), 2.0), None, go_on)
    assert np.isnan(scratch.image).sum() == 64 + 1


def test_flat_divides_before_and_multiplies_after():
    scratch, clean = prepared(3)
    other = Scratch(clean.shape)
    other.use[:] = True
    flat = np.random.default_rng(0).uniform(0.5, 2, clean.shape).astype(np.float32)
    other.image[:] = scratch.image * flat
    how = Cleaning(Background(), 2.0)
    clean_image(scratch, how, None, go_on)
    clean_image(other, how, flat, go_on)
    np.testing.assert_allclose(other.image, scratch.image * flat, rtol=1e-5)


def test_without_a_pixel_to_use_nothing_is_done():
    scratch, _ = prepared(4)
    scratch.use[:] = False
    assert clean_image(scratch, Cleaning(Background(), 2.0), None, go_on) == (False, 0, "")


def test_a_fourier_fit_without_background_says_so():
    scratch, _ = prepared(5)
    scratch.use[:] = False
    scratch.use[0, 0] = True
    scratch.image[0, 0] = 1
    cleaned = clean_image(scratch, Cleaning(Background(), 2.0, "fft"), None, go_on)
    assert cleaned.done or "background" in cleaned.failure


def test_scratch_can_be_used_again():
    how = Cleaning(Background("model"), 2.0)
    first, _ = prepared(6)
    clean_image(first, how, None, go_on)
    result = first.image.copy()
    other, _ = prepared(7)
    clean_image(other, how, None, go_on)
    again, _ = prepared(6)
    other.image[:], other.use[:] = again.image, True
    clean_image(other, how, None, go_on)
    np.testing.assert_array_equal(other.image, result)
