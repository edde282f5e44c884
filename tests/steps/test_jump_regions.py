from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.steps.jump_regions import Ellipse, enlarged, find_regions, stamp


def ellipse_image(shape, y, x, a, b, angle):
    """Pixels inside an ellipse with the major semi-axis a at an angle from +y towards +x, degrees."""
    yy, xx = np.indices(shape)
    turn = np.radians(angle)
    along = (yy - y) * np.cos(turn) + (xx - x) * np.sin(turn)
    across = (yy - y) * np.sin(turn) - (xx - x) * np.cos(turn)
    return (along / a) ** 2 + (across / b) ** 2 < 1


@settings(max_examples=20, deadline=None)
@given(st.integers(14, 48), st.integers(14, 56), st.floats(8, 13), st.floats(0.5, 0.8), st.floats(-89, 89))
def test_the_ellipse_of_an_ellipse(y, x, a, flattening, angle):
    flags = ellipse_image((64, 72), y, x, a, a * flattening, angle).astype(np.uint8)
    regions = find_regions(flags, 1, 10)
    assert len(regions) == 1
    found = regions.ellipse(0)
    assert (found.x, found.y) == pytest.approx((x, y), abs=0.1)
    assert found.major == pytest.approx(2 * a - 1, abs=1.2)
    assert found.minor == pytest.approx(2 * a * flattening - 1, abs=1.2)
    assert abs((found.angle - angle + 90) % 180 - 90) < 10


@pytest.mark.parametrize(("min_area", "number"), [(0, 2), (4, 2), (5, 1), (9, 1), (10, 0)])
def test_holes_count_for_the_area(min_area, number):
    flags = np.zeros((9, 12), np.uint8)
    flags[1:4, 1:4] = 1
    flags[2, 2] = 0
    flags[6:8, 8:10] = 1
    assert len(find_regions(flags, 1, min_area)) == number


def test_no_flag():
    assert len(find_regions(np.zeros((5, 7), np.uint8), 4, 0)) == 0


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 30),
    st.integers(0, 40),
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from([0, 30, -72.5]),
)
def test_what_is_drawn(y, x, a, b, angle):
    shape = (31, 41)
    image = np.zeros(shape, bool)
    window, inside = stamp(Ellipse(x, y, 0, 0, angle), 2 * b, 2 * a, shape)
    image[window] |= inside
    differ = image != ellipse_image(shape, y, x, a, b, angle)
    # Only pixels on the ellipse itself are a matter of rounding.
    assert not (differ & ellipse_image(shape, y, x, a - 1e-6, b - 1e-6, angle)).any()
    assert not (differ & ~ellipse_image(shape, y, x, a + 1e-6, b + 1e-6, angle)).any()


def test_enlarged_by_as_many_pixels_on_both_axes():
    shape = (60, 60)
    small = Ellipse(30, 30, 10, 20, 0)
    assert enlarged(small, 2.0, 1000, shape).inside.sum() == stamp(small, 20, 30, shape).inside.sum()
    assert enlarged(small, 2.0, 12, shape).inside.sum() == stamp(small, 12, 12, shape).inside.sum()
