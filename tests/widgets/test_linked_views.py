"""Two views on one window: blink, curtain, side by side; without a browser."""

from __future__ import annotations

import io
import threading
import time

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from PIL import Image

from jwcal_interactive.dq import DQ
from jwcal_widgets.blink import Blinker
from jwcal_widgets.linked_views import LinkedViews
from jwcal_widgets.planes import Plane
from jwcal_widgets.preview_paste import Paste
from jwcal_widgets.rendering import Look
from jwcal_widgets.viewport import Box, Window, box_about, pixels_between

SHAPE = (100, 120)
LOOK = Look(stretch="linear", limits=(0.0, 1.0))


def flat(value: float, unit: str = "DN", flag: int = 0, shape: tuple[int, int] = SHAPE) -> Plane:
    return Plane(np.full(shape, value, np.float32), np.full(shape, flag, np.uint32), unit, "")


class Heard:
    def __init__(self) -> None:
        self.picks: list[tuple[int, int]] = []
        self.moves: list[tuple[int, int]] = []
        self.boxes: list[Box] = []
        self.windows = 0

    def window(self) -> None:
        self.windows += 1


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def views(heard):
    made = LinkedViews(
        (480, 400),
        lambda x, y: heard.picks.append((x, y)),
        lambda x, y: heard.moves.append((x, y)),
        heard.boxes.append,
        heard.window,
        lambda f: f,
        0,
    )
    yield made
    made.close()


def colors(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("L")).astype(int)


def test_one_scale_drives_both_and_the_kernel_echoes_nothing(views, heard):
    views.show("side by side", flat(0.2), flat(0.8), LOOK)
    first, second = views.views
    assert first.widget.axes[0].scale is second.widget.axes[0].scale
    changes = []
    for scale in (views.shared.x, views.shared.y):
        scale.observe(lambda change: changes.append(change["new"]), ["min", "max"])
    moved = {views.shared.x: (10.0, 50.0), views.shared.y: (20.0, 60.0)}
    for scale, (low, high) in moved.items():
        scale.min, scale.max = low, high
    assert changes == [10.0, 50.0, 20.0, 60.0], "what the browser sets stays as it is"
    assert heard.windows == 4, "with no delay the kernel is told of each"
    for view in (first, second):
        assert -25 < view._image.mark.x[0] - 10 <= 0


def test_every_move_of_the_window_is_told(views, heard):
    views.show("A", flat(0.2), None, LOOK)
    views.mark(10, 10)
    assert heard.windows == 0, "the pixel was in view"
    moves = (lambda: views.zoom(4.0, (100, 80)), lambda: views.mark(2, 3), views.fit)
    for number, move in enumerate(moves, start=1):
        move()
        assert heard.windows == number


def test_both_have_the_same_limits_if_they_have_the_same_unit(views):
    auto = Look(stretch="linear", limits="min to max")
    a, b = flat(0.2), flat(0.8)
    a.data[0, 0] = 5
    views.show("stacked", a, b, auto)
    assert views.second.limits == views.first.limits
    views.show("stacked", a, flat(0.8, "DN/s"), auto)
    assert views.second.limits != views.first.limits


def test_second_view_is_made_when_it_is_needed(views):
    views.show("A", flat(0.2), None, LOOK)
    assert views.second is None
    views.show("stacked", flat(0.2), flat(0.8), LOOK)
    assert len(views.widget.children) == 2
    views.show("A", flat(0.2), flat(0.8), LOOK)
    assert len(views.widget.children) == 1


def test_what_is_in_view_stays_when_the_second_view_comes(views):
    views.show("A", flat(0.2), None, LOOK)
    views.zoom(4.0, (30, 40))
    window = views.window
    views.show("side by side", flat(0.2), flat(0.8), LOOK)
    assert (views.window.x0, views.window.x1) == (window.x0, window.x1)
    views.show("A", flat(0.2), flat(0.8), LOOK)
    assert views.window == window


@pytest.mark.parametrize("arrangement", ["side by side", "stacked"])
def test_pixels_stay_square(views, arrangement):
    views.show("A", flat(0.2), None, LOOK)
    for chosen in (arrangement, "A"):
        views.show(chosen, flat(0.2), flat(0.8), LOOK)
        width, height = views.shared.plot
        assert views.window.width / width == pytest.approx(views.window.height / height)


def test_curtain_has_a_left_of_it_and_b_right_of_it(views):
    views.show("curtain", flat(0.0), flat(1.0), LOOK, curtain=0.25)
    x = views.window.x0 + 0.25 * views.window.width
    assert views.first._divider.x.tolist() == [x, x]
    picture = colors(views.first.picture)
    place = round((x + 0.5) / SHAPE[1] * picture.shape[1])
    assert picture[:, : place - 4].max() < 30
    assert picture[:, place + 4 :].min() > 225
    views.first.move_curtain(0.75)
    assert (colors(views.first.picture) < 128).mean() > 0.6


def test_curtain_divides_the_flags_too(views):
    look = Look(stretch="linear", limits=(0.0, 1.0), flags=(DQ.JUMP_DET,))
    views.show("curtain", flat(0.0, flag=DQ.JUMP_DET), flat(0.0), look, curtain=0.5)
    alpha = np.asarray(Image.open(io.BytesIO(views.first._dq.picture)).convert("RGBA"))[..., 3]
    middle = alpha.shape[1] // 2
    assert alpha[:, : middle - 3].min() > 0
    assert alpha[:, middle + 3 :].max() == 0


def test_blink_shows_both_in_turns_and_ends(views):
    views.blinker.rate = 100.0
    views.show("blink", flat(0.1), flat(0.9), LOOK, titles=("first", "second"))
    seen = set()
    deadline = time.monotonic() + 5
    while len(seen) < 2 and time.monotonic() < deadline:
        seen.add((views.first._back.mark.visible, views._names[0].value))
        time.sleep(0.002)
    assert {(False, "<b>A</b> first"), (True, "<b>B</b> second")} <= seen
    views.show("A", flat(0.1), flat(0.9), LOOK)
    assert not views.blinker.running
    assert not views.first._back.mark.visible
    assert "jwcal-blink" not in {thread.name for thread in threading.enumerate()}


def test_each_side_of_a_blink_has_its_own_flags(views):
    look = Look(limits=(0.0, 1.0), flags=(DQ.JUMP_DET,))
    view = views.first
    view.show(flat(0.1, flag=DQ.JUMP_DET), look, other=flat(0.9))
    assert (view._dq.mark.visible, view._back_dq.mark.visible) == (True, False)
    view.flip(False)
    assert (view._dq.mark.visible, view._back_dq.mark.visible) == (False, True)
    view.flip(True)
    assert (view._back.mark.visible, view._dq.mark.visible) == (False, True)


def test_blinker_stops_when_it_never_ran():
    Blinker(lambda _front: None).stop()


def test_rectangle_gives_the_pixels_that_it_touches(views, heard):
    views.show("A", flat(0.1), None, LOOK)
    views.set_mode("box")
    brush = views.first.widget.interaction
    brush.selected_x, brush.selected_y = np.array([9.6, 12.2]), np.array([-8.0, 3.4])
    brush.brushing = True
    brush.brushing = False
    assert heard.boxes == [Box(10, 0, 13, 4)]
    assert brush.selected_x is None, "the outline stays, the brush goes"
    brush.brushing = True
    brush.brushing = False
    assert len(heard.boxes) == 1, "a click draws no rectangle"


def test_mouse_tells_pixels_inside_the_image(views, heard):
    views.show("A", flat(0.1), None, LOOK)
    views.first._hovered(0.5, 0.5)
    views.first._hovered(0.999, 0.001)
    assert heard.moves == [(60, 50), (119, 0)]
    views.first._clicked_at(0.0, 0.5)
    assert heard.picks == [(0, 50)]


def test_nothing_is_left_after_close():
    before = set(_instances)
    made = LinkedViews(
        (300, 300), lambda *_: None, lambda *_: None, lambda *_: None, lambda: None, lambda f: f, 0.01
    )
    made.show("side by side", flat(0.2), flat(0.8), LOOK)
    made.show("blink", flat(0.2), flat(0.8), LOOK)
    made.shared.x.min = 3.0
    assert len(_instances) > len(before) + 50
    made.close()
    time.sleep(0.05)  # a timer that was waiting would draw now, and raise
    assert set(_instances) == before
    assert "jwcal-blink" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("window", "box"),
    [
        (Window(-5, 10.2, 3.6, 200), Box(0, 4, 11, 100)),
        (Window(9.6, 12.2, 0, 1), Box(10, 0, 13, 2)),
        (Window(130, 140, 0, 10), None),
    ],
)
def test_pixels_of_a_window(window, box):
    assert pixels_between(SHAPE, window) == box


@pytest.mark.parametrize(
    ("center", "box"),
    [
        ((1000, 300), Box(872, 172, 1128, 428)),
        ((0, 0), Box(0, 0, 256, 256)),
        ((2047, 500), Box(1792, 372, 2048, 628)),
    ],
)
def test_box_about_a_pixel(center, box):
    assert box_about(Box(0, 0, 2048, 2048), center, 256) == box
    assert box_about(Box(5, 6, 30, 40), (10, 10), 256) == Box(5, 6, 30, 40)


class TestPaste:
    BOX, ELSEWHERE = Box(10, 20, 13, 22), Box(50, 60, 53, 62)

    def part(self, value: float) -> Plane:
        return flat(value, flag=DQ.JUMP_DET, shape=(2, 3))

    def test_the_window_is_new_and_the_rest_as_it_was(self):
        base = flat(1.0)
        shown = Paste().over(base, self.part(7.0), self.BOX)
        expected = np.array(base.data)
        expected[20:22, 10:13] = 7.0
        np.testing.assert_array_equal(shown.data, expected)
        assert (shown.dq != 0).sum() == 6
        assert (base.data == 1.0).all(), "the frame itself is not touched"

    def test_a_window_elsewhere_gives_back_the_former_one(self):
        paste, base = Paste(), flat(1.0)
        paste.over(base, self.part(7.0), self.BOX)
        shown = paste.over(base, self.part(8.0), self.ELSEWHERE)
        assert (shown.data == 7.0).sum() == 0
        assert (shown.data == 8.0).sum() == 6

    def test_each_call_gives_another_plane_so_that_limits_are_found_anew(self):
        paste, base = Paste(), flat(1.0)
        assert paste.over(base, self.part(7.0), self.BOX) is not paste.over(base, self.part(8.0), self.BOX)
