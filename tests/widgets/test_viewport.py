from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from jwcal_widgets.viewport import (
    Cut,
    Window,
    bin_flags,
    bin_mean,
    encode,
    find_cut,
    fit_window,
)


def test_fit_shows_all_pixels_and_keeps_them_square():
    window = fit_window((32, 2048), (600, 500))
    assert (window.x0, window.x1) == (-0.5, 2047.5)
    assert window.width / 600 == pytest.approx(window.height / 500)
    assert window.y0 < -0.5
    assert window.y1 > 31.5


def test_zoom_keeps_or_moves_the_center():
    window = Window(0, 10, 0, 20)
    assert window.zoomed(2) == Window(2.5, 7.5, 5, 15)
    assert window.zoomed(1, (100, 50)) == Window(95, 105, 40, 60)


def test_whole_detector_is_binned_to_the_screen():
    cut = find_cut((2048, 2048), fit_window((2048, 2048), (600, 600)), 600, 0.2)
    assert cut == Cut(0, 2048, 0, 2048, 4)
    assert cut.shape == (512, 512)
    assert not cut.pixelated


def test_window_beside_the_image_shows_nothing():
    assert find_cut((100, 100), Window(200, 300, 0, 50), 600, 0.2) is None


def test_small_window_is_sent_pixel_by_pixel():
    cut = find_cut((2048, 2048), Window(99.5, 149.5, 199.5, 249.5), 600, 0.0)
    assert cut == Cut(100, 150, 200, 250, 1)
    assert cut.pixelated
    assert cut.extent == Window(99.5, 149.5, 199.5, 249.5)


sizes = st.integers(1, 70)
edges = st.floats(-80, 150)


@given(sizes, sizes, edges, edges, st.floats(1, 200), st.integers(5, 60))
def test_cut_covers_the_window_within_the_image(ny, nx, x0, y0, size, screen):
    window = Window(x0, x0 + size, y0, y0 + size)
    cut = find_cut((ny, nx), window, screen, 0.1)
    visible_x = max(x0, -0.5) < min(x0 + size, nx - 0.5)
    visible_y = max(y0, -0.5) < min(y0 + size, ny - 0.5)
    if cut is None:
        assert not (visible_x and visible_y)
        return
    assert 0 <= cut.x0 < cut.x1 <= nx
    assert 0 <= cut.y0 < cut.y1 <= ny
    assert cut.x0 % cut.step == 0
    if visible_x:
        assert cut.extent.x0 <= max(x0, -0.5)
        assert cut.extent.x1 >= min(x0 + size, nx - 0.5)
    assert max(cut.shape) <= 1.2 * screen + 3


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 5), st.booleans())
def test_binning_equals_a_plain_loop(ny, nx, step, holes):
    rng = np.random.default_rng(ny * 31 + nx)
    data = rng.normal(size=(ny, nx)).astype(np.float32)
    if holes:
        data[rng.random((ny, nx)) < 0.4] = np.nan
    dq = rng.integers(0, 2**32, (ny, nx), dtype=np.uint32)
    cut = Cut(0, nx, 0, ny, step)
    mean, flags = bin_mean(data, cut), bin_flags(dq, cut)
    assert mean.shape == flags.shape == cut.shape
    for j in range(cut.shape[0]):
        for i in range(cut.shape[1]):
            box = (slice(j * step, (j + 1) * step), slice(i * step, (i + 1) * step))
            values = data[box][np.isfinite(data[box])]
            expected = values.mean() if values.size else np.nan
            np.testing.assert_allclose(mean[j, i], expected, rtol=1e-5, atol=1e-6)
            assert flags[j, i] == np.bitwise_or.reduce(dq[box], axis=None)


@pytest.mark.parametrize("lossless", [True, False])
def test_encoding_puts_the_first_row_at_the_bottom(lossless):
    rgb = np.zeros((20, 30, 3), np.uint8)
    rgb[:10] = 255
    kind, content = encode(rgb, lossless=lossless)
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    assert kind == ("png" if lossless else "jpeg")
    assert picture.shape == (20, 30, 3)
    assert picture[15:].min() > 250
    assert picture[:5].max() < 5
