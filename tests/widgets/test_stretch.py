from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwcal_interactive.dq import DQ
from jwcal_widgets.colormaps import COLORMAPS, INVALID_COLOR, color_ramp
from jwcal_widgets.stretch import (
    LEVELS,
    LIMITS,
    STRETCHES,
    find_limits,
    lookup_table,
    sample,
    stretched,
    to_rgb,
    unstretched,
)

GRAY = lookup_table("linear", "gray")


@pytest.mark.parametrize("stretch", STRETCHES)
def test_stretch_is_monotonic_and_keeps_the_ends(stretch):
    curve = stretched(np.linspace(0, 1, 1000), stretch)
    assert curve[0] == 0
    assert curve[-1] == pytest.approx(1)
    assert (np.diff(curve) > 0).all()


def test_stretches_lift_faint_values_in_their_usual_order():
    at = np.array([0.05])
    lifted = [float(stretched(at, name)[0]) for name in ("linear", "asinh", "sqrt", "log")]
    assert lifted == sorted(lifted)
    assert lifted[3] == pytest.approx(np.log10(51) / np.log10(1001))


@pytest.mark.parametrize("stretch", STRETCHES)
def test_unstretched_is_the_inverse(stretch):
    fraction = np.linspace(0, 1, 50)
    np.testing.assert_allclose(unstretched(stretched(fraction, stretch), stretch), fraction, atol=1e-12)


@pytest.mark.parametrize("name", COLORMAPS)
def test_color_ramp_ends_at_its_anchors(name):
    first, *_, last = COLORMAPS[name].split()
    ramp = color_ramp(name, np.array([0.0, 1.0]))
    assert [bytes(row).hex() for row in ramp] == [first, last]


def test_values_become_colors():
    data = np.array([[0.0, 5.0, 10.0], [-3.0, 99.0, np.nan]], np.float32)
    rgb = to_rgb(data, (0.0, 10.0), GRAY)
    assert rgb[0, 0].tolist() == [0, 0, 0]
    assert abs(int(rgb[0, 1, 0]) - 127) <= 1
    assert rgb[0, 2].tolist() == [255, 255, 255]
    assert rgb[1, 0].tolist() == [0, 0, 0]
    assert rgb[1, 1].tolist() == [255, 255, 255]
    assert tuple(rgb[1, 2]) == INVALID_COLOR


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
def test_limits_map_to_first_and_last_color(low, relative_width):
    data = np.array([[low, low + relative_width * (1 + abs(low))]], np.float32)
    index_table = np.repeat(np.arange(LEVELS + 1)[:, None], 3, axis=1)
    rgb = to_rgb(data, (float(data[0, 0]), float(data[0, 1])), index_table)
    assert rgb[0, 0, 0] == 0
    assert rgb[0, 1, 0] in (LEVELS - 2, LEVELS - 1)


def test_percentile_limits():
    values = np.arange(1001, dtype=np.float32)
    assert find_limits(values, "90 %") == pytest.approx((50, 950))
    assert find_limits(values, "min to max") == (0, 1000)


@pytest.mark.parametrize("method", LIMITS)
@pytest.mark.parametrize("values", [[], [7.0], [0.0, 0.0], [-2.0] * 100])
def test_limits_of_degenerate_values_still_have_a_width(method, values):
    low, high = find_limits(np.array(values, np.float32), method)
    assert low < high


def test_zscale_ignores_a_bright_source():
    rng = np.random.default_rng(2)
    values = rng.normal(100, 5, 20_000).astype(np.float32)
    values[:50] = 1e5
    low, high = find_limits(values, "zscale")
    assert 60 < low < 100 < high < 200


@pytest.mark.parametrize("flag", [DQ.DO_NOT_USE, DQ.REFERENCE_PIXEL, DQ.NON_SCIENCE])
def test_sample_leaves_out_dark_and_invalid_pixels(flag):
    data = np.ones((50, 50), np.float32)
    data[:, :10] = np.nan
    data[:, 10:20] = 99
    dq = np.full((50, 50), DQ.JUMP_DET, np.uint32)
    dq[:, 10:20] |= np.uint32(flag)
    assert sample(data, dq).tolist() == [1.0] * 1500


def test_sample_of_an_image_that_is_all_bad_uses_it_anyway():
    assert sample(np.ones((5, 5), np.float32), np.ones((5, 5), np.uint32)).size == 25


def test_sample_size_is_bounded():
    assert 50_000 < sample(np.ones((2048, 2048), np.float32)).size < 130_000
