"""The image, on arrays, without a browser."""

from __future__ import annotations

import base64
import io
import re
import time

import numpy as np
import pytest
from PIL import Image

from jwcal_interactive.dq import DQ
from jwcal_widgets.compare import difference
from jwcal_widgets.display_controls import color_bar, in_range
from jwcal_widgets.image_view import ImageView, Look
from jwcal_widgets.planes import Plane, take_plane
from jwcal_widgets.readout import readout


@pytest.fixture
def picked() -> list[tuple[int, int]]:
    return []


@pytest.fixture
def view(picked) -> ImageView:
    return ImageView((400, 300), lambda x, y: picked.append((x, y)), lambda f: f, delay=0)


def shown(view: ImageView) -> bytes:
    return view.picture


def test_a_new_picture_is_another_widget(view, ramp):
    """bqplot does not repaint when only the bytes of a picture change."""
    view.show(take_plane(ramp, "group", 1, 2), Look())
    first = view._image.mark.image
    view.show(take_plane(ramp, "group", 1, 5), Look())
    assert view._image.mark.image is not first
    assert view._image.mark.image.value != first.value


def test_fit_keeps_pixels_square(view, ramp):
    view.show(take_plane(ramp, "group", 1, 2), Look())
    window = view.window
    assert window.width / 400 == pytest.approx(window.height / 300)
    assert (window.x0, window.x1) == pytest.approx((-0.5, 55.5))


def test_browser_zoom_redraws_only_the_part_on_the_screen(view):
    rng = np.random.default_rng(3)
    data = rng.random((1000, 1000)).astype(np.float32)
    view.show(Plane(data, np.zeros(data.shape, np.uint32), "DN", ""), Look())
    whole = shown(view)
    view._x.min, view._x.max, view._y.min, view._y.max = 400.0, 440.0, 500.0, 530.0
    assert shown(view) != whole
    x0, x1 = view._image.mark.x
    assert -10 < x0 - 400 < 0 < x1 - 440 < 10
    assert view._image.mark.pixelated
    assert view._image.mark.image.format == "png"


def test_window_stays_for_another_plane_of_the_same_size(view, ramp):
    view.show(take_plane(ramp, "group", 1, 2), Look())
    view.zoom(4.0, (10, 10))
    window = view.window
    view.show(take_plane(ramp, "difference", 1, 2), Look())
    assert view.window == window


def test_panning_off_the_image_hides_it(view, ramp):
    view.show(take_plane(ramp, "group", 1, 2), Look())
    view.zoom(1.0, (5000, 5000))
    assert not view._image.mark.visible
    view.fit()
    assert view._image.mark.visible


def test_click_gives_the_pixel_under_it(view, ramp, picked):
    view.show(take_plane(ramp, "group", 1, 2), Look())
    for x, y in ((2.4, 3.6), (-0.5, 39.4), (99.0, -7.0)):
        view._clicked(None, {"data": {"click_x": x, "click_y": y}})
    assert picked == [(2, 4), (0, 39), (55, 0)]


def test_cursor_keeps_its_size_on_the_screen(view, ramp):
    view.show(take_plane(ramp, "group", 1, 2), Look())
    view.mark(20, 10)
    wide = np.ptp(view._cursor.x)
    view.zoom(4.0, (20, 10))
    assert np.ptp(view._cursor.x) < 0.7 * wide
    view.mark(50, 38)
    assert view.window.contains(50, 38), "a pixel outside the window is brought into it"


def test_flags_are_a_layer_of_their_own(view, ramp):
    plane = take_plane(ramp, "group", 1, 4)
    view.show(plane, Look())
    assert not view._dq.mark.visible
    picture = shown(view)
    view.show(plane, Look(flags=(DQ.JUMP_DET,)))
    assert view._dq.mark.visible
    assert shown(view) == picture


def test_limits_leave_reference_pixels_out(view, ramp):
    data = np.array(ramp.data[0, 2])
    data[:, :4] = 60000
    view.show(Plane(data, np.array(ramp.pixeldq), "DN", ""), Look(limits="min to max"))
    assert view.limits[1] < 1000


def test_difference_is_symmetric_about_zero(view):
    data = np.zeros((30, 30), np.float32)
    data[3, 3], data[4, 4] = -2, 8
    view.show(Plane(data, np.zeros((30, 30), np.uint32), "DN", ""), Look(change=True))
    low, high = view.limits
    assert low == -high
    assert 7 < high <= 8


def test_full_frame_redraws_fast(view):
    """The limit is ten times what a quiet machine takes, a quarter of what pixel loops would."""
    rng = np.random.default_rng(1)
    data = rng.normal(size=(2048, 2048)).astype(np.float32)
    dq = np.where(rng.random(data.shape) < 0.02, np.uint32(DQ.JUMP_DET), np.uint32(0))
    look = Look(flags=(DQ.JUMP_DET,))
    view.show(Plane(data, dq, "DN", ""), look)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        view.redraw()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.25


def test_readout_names_value_unit_and_flags(ramp):
    plane = take_plane(ramp, "group", 1, 4)
    assert readout(plane, 20, 10) == f"x 20, y 10: {plane.data[10, 20]:.6g} DN  JUMP_DET"
    assert readout(plane, 30, 10).endswith("DN  no flags")


def test_difference_of_planes(ramp):
    now, before = take_plane(ramp, "group", 1, 4), take_plane(ramp, "group", 1, 2)
    change = difference(now, before)
    np.testing.assert_array_equal(change.data, now.data - before.data)
    assert change.dq[10, 20] == DQ.JUMP_DET
    assert change.dq[20, 1] == 0, "flags that both have are no change"


@pytest.mark.parametrize(
    ("value", "span", "text"),
    [(11657.3, 1100, "11657"), (2.7412, 6.3, "2.74"), (0.0123, 0.1, "0.012"), (3e9, 1e9, "3e+09")],
)
def test_values_have_the_digits_of_their_range(value, span, text):
    assert in_range(value, span) == text


@pytest.mark.parametrize("stretch", ["linear", "sqrt", "asinh", "log"])
def test_color_bar_is_even_in_color_and_labelled_in_values(stretch):
    bar = color_bar(stretch, "gray", (-10.0, 90.0), "DN")
    picture = base64.b64decode(re.search(r"base64,([^']+)'", bar).group(1))
    gray = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))[0].astype(int)
    assert np.abs(gray - np.linspace(0, 255, 256)).max() <= 4
    labels = [float(text) for text in re.findall(r"<span>(-?[\d.]+)</span>", bar)]
    assert labels == sorted(labels)
    assert (labels[0], labels[-1]) == (-10, 90)
    assert "DN" in bar
