"""Regions and ellipses against scikit-image, by which the official code finds and draws them: the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from jwcal_interactive.steps.jump_regions import enlarged, find_regions

pytestmark = pytest.mark.parity


def patches(rng):
    """Flags of single pixels, crosses, lines, disks, and what they make together."""
    shape = tuple(rng.integers(1, 70, 2))
    flags = rng.random(shape) < rng.choice([0.003, 0.01, 0.1, 0.3, 0.5])
    if rng.random() < 0.5:
        flags = binary_dilation(flags)
    y, x = np.indices(shape)
    for _ in range(rng.integers(4)):
        centre = np.round(2 * rng.uniform(0, 60, 2)) / 2
        flags |= np.hypot(y - centre[0], x - centre[1]) <= rng.integers(2, 24) / 2
    return flags.astype(np.uint8) * np.uint8(4)


@pytest.mark.parametrize("ratio", [1.1, 1.3, 2.0])
def test_ellipses_and_what_is_drawn(ratio):
    from stcal.jump.jump import _sk_filter_areas, ellipse_subim, point_inside_ellipse

    rng = np.random.default_rng(round(10 * ratio))
    for _ in range(100):
        flags = patches(rng)
        min_area = rng.integers(0, 9)
        ours, theirs = find_regions(flags, 4, min_area), _sk_filter_areas(flags, min_area)
        assert len(ours) == len(theirs)
        for i, event in enumerate(theirs):
            ellipse = ours.ellipse(i)
            assert ((ellipse.x, ellipse.y), (ellipse.minor, ellipse.major), ellipse.angle) == event
            np.testing.assert_allclose(
                [2 * axes[i] - 1 for axes in ours.semi_axes], (ellipse.minor, ellipse.major), atol=1e-5
            )
            point = event[0] + rng.normal(0, 3, 2)
            with np.errstate(all="ignore"):
                assert ellipse.contains(*point) == point_inside_ellipse(point, event)
            minor, major = ellipse.minor * ratio, ellipse.major + (ratio - 1.0) * ellipse.minor
            (top, bottom, left, right), drawn = ellipse_subim(*event[0], minor, major, event[2], 1, flags.shape)
            image, expected = np.zeros(flags.shape, np.uint8), np.zeros(flags.shape, np.uint8)
            expected[top:bottom, left:right] = drawn
            window, inside = enlarged(ellipse, ratio, 1000, flags.shape)
            image[window][inside] = 1
            np.testing.assert_array_equal(image, expected)
