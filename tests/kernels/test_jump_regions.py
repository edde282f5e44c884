from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from jwcal_interactive.kernels import jump_regions as kernels

NO_EARLIER = np.empty((0, 0), np.uint8)
FLAG, OTHER = 4, 32


@st.composite
def images(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    shape = (draw(st.integers(1, 12)), draw(st.integers(1, 80)))
    share = draw(st.sampled_from([0.0, 0.02, 0.2, 0.5, 0.9, 1.0]))
    flags = np.where(rng.random(shape) < share, FLAG, 0) | np.where(rng.random(shape) < 0.3, OTHER, 0)
    return flags.astype(np.uint8)


def regions_of(flags, earlier=NO_EARLIER, gap=1):
    """Label image and sums, as the kernels give them."""
    runs = np.empty((flags.size, 3), np.int64)
    n = kernels.find_runs(flags, earlier, FLAG, runs)
    numbers, sums = np.empty(n, np.int64), np.empty((n, kernels.SUMS), np.int64)
    count = kernels.join_runs(runs, n, gap, numbers, sums)
    labels = np.zeros(flags.shape, int)
    for (y, x0, x1), number in zip(runs[:n], numbers, strict=True):
        assert not labels[y, x0:x1].any()
        labels[y, x0:x1] = number + 1
    return labels, sums[:count]


@settings(max_examples=20, deadline=None)
@given(images())
def test_labels(flags):
    labels, sums = regions_of(flags)
    expected, count = ndimage.label(flags & FLAG, np.ones((3, 3)))
    assert len(sums) == count
    np.testing.assert_array_equal(labels, expected)


@settings(max_examples=20, deadline=None)
@given(images(), st.integers(1, 4))
def test_pixels_near_each_other(flags, gap):
    """A gap joins what the dilation by half of it, of the image drawn twice as large, makes touch."""
    labels, sums = regions_of(flags, gap=gap)
    large = np.zeros((2 * flags.shape[0] + 8, 2 * flags.shape[1] + 8), bool)
    large[4:-4:2, 4:-4:2] = flags & FLAG
    grown = ndimage.binary_dilation(large, np.ones((2 * gap + 1, 2 * gap + 1)))
    expected, count = ndimage.label(grown)
    expected = expected[4:-4:2, 4:-4:2] * ((flags & FLAG) > 0)
    assert len(sums) == count
    pairs = np.unique(np.stack([labels.ravel(), expected.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(labels)) == len(np.unique(expected))


@settings(max_examples=20, deadline=None)
@given(images())
def test_sums(flags):
    labels, sums = regions_of(flags)
    for number, row in enumerate(sums, start=1):
        y, x = np.nonzero(labels == number)
        assert row.tolist() == [
            y.size, y.sum(), x.sum(), (y * y).sum(), (x * x).sum(), (x * y).sum(),
            y.min(), y.max() + 1, x.min(), x.max() + 1,
        ]  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(images(), st.integers(0, 10_000))
def test_only_new_flags(flags, seed):
    earlier = (np.random.default_rng(seed).random(flags.shape) < 0.3).astype(np.uint8) * np.uint8(FLAG | OTHER)
    labels, _ = regions_of(flags, earlier)
    np.testing.assert_array_equal(labels > 0, (flags & ~earlier & FLAG) != 0)


@pytest.mark.parametrize("capacity", [0, 1, 3])
def test_runs_beyond_the_capacity_are_counted(capacity):
    flags = np.zeros((3, 70), np.uint8)
    flags[:, [2, 40, 69]] = FLAG
    runs = np.full((capacity, 3), -1, np.int64)
    assert kernels.find_runs(flags, NO_EARLIER, FLAG, runs) == 9
    assert (runs >= 0).all()


def test_inputs_do_not_change():
    flags = np.random.default_rng(0).integers(0, 8, (9, 33)).astype(np.uint8)
    before = flags.copy()
    flags.flags.writeable = False
    regions_of(flags, flags)
    np.testing.assert_array_equal(flags, before)
