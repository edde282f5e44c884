from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from jwcal_interactive.kernels.saturation import (
    find_saturated,
    grow_saturated,
    partly_saturated,
    saturated_in_second_group,
)


def flags_by_planes(data, groupdq, threshold, layers):
    """Twin: running or of saturated planes, each grown by a binary dilation of its own."""
    flags = groupdq.copy()
    box = np.ones((2 * layers + 1, 2 * layers + 1), bool)
    for i in range(data.shape[0]):
        full = np.zeros(data.shape[2:], bool)
        for g in range(data.shape[1]):
            full |= data[i, g] >= threshold
            flags[i, g][data[i, g] <= 0] |= 64 | 1
            flags[i, g][ndimage.binary_dilation(full, box)] |= 2
    return flags


@settings(max_examples=20, deadline=None)
@given(
    nints=st.integers(1, 2), ngroups=st.integers(1, 6), ny=st.integers(1, 12), nx=st.integers(1, 12),
    layers=st.integers(0, 3), band=st.integers(1, 12), density=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_saturation_spreads_over_bands(nints, ngroups, ny, nx, layers, band, density, seed):
    rng = np.random.default_rng(seed)
    shape = (nints, ngroups, ny, nx)
    data = np.where(rng.random(shape) < density, 200, 100).astype(np.float32)
    data[rng.random(shape) < 0.1] = 0
    data[rng.random(shape) < 0.1] = np.nan
    groupdq = rng.choice(np.array([0, 1, 4], np.uint8), shape)
    threshold = rng.choice(np.array([150, 200, 250], np.float32), (ny, nx))
    flags, first = np.empty_like(groupdq), np.empty((nints, ny, nx), np.uint16)
    grown = np.empty_like(first)
    for y in range(0, ny, band):
        find_saturated(data, groupdq, threshold, flags, first, y, min(y + band, ny))
    for y in range(0, ny, band):
        grow_saturated(first, layers, flags, grown, y, min(y + band, ny))
    expected = flags_by_planes(data, groupdq, threshold, layers)
    np.testing.assert_array_equal(flags, expected)
    saturated = expected & 2 != 0
    index = np.where(saturated.any(axis=1), saturated.argmax(axis=1), ngroups)
    np.testing.assert_array_equal(grown, index)


def partly(values, dilution=(0.6, 0.8, 0.9), flags=0, layers=0, unchecked=False):
    """Groups found partly saturated in a 3 x 3 image whose centre has these values, saturated at 100."""
    data = np.full((1, len(values), 3, 3), 10, np.float32)
    data[0, :, 1, 1] = values
    grown = np.full((1, 3, 3), len(values), np.uint16)
    full = np.asarray(values) >= 100
    if full.any():
        grown[0, 1, 1] = full.argmax()
    found = partly_saturated(
        data, np.full(data.shape, flags, np.uint8), grown, np.full((3, 3), 100, np.float32),
        np.full((3, 3), unchecked), np.array(dilution), layers,
    )  # fmt: skip
    return sorted(zip(*(axis.tolist() for axis in found), strict=True))


class TestPartlySaturated:
    def test_group_before_a_saturated_one_above_the_diluted_threshold(self):
        assert partly([10, 85, 100]) == [(0, 1, 1, 1)]

    def test_the_diluted_threshold_itself_counts(self):
        assert partly([10, 80, 100], dilution=(0.5, 0.8, 0.9)) == [(0, 1, 1, 1)]

    @pytest.mark.parametrize("values", [[10, 79, 100], [10, 85, 90], [100, 100, 100]])
    def test_not_below_it_nor_without_a_saturated_group_after(self, values):
        assert partly(values) == []

    def test_single_frames_are_not_averaged(self):
        assert partly([10, 99.9, 100], dilution=(1, 1, 1)) == []

    def test_unusable_groups_are_left(self):
        assert partly([10, 85, 100], flags=1) == []
        assert partly([10, 85, 100], flags=4) == [(0, 1, 1, 1)]

    def test_pixels_without_threshold_are_not_diluted(self):
        assert partly([10, 85, 100], unchecked=True) == []

    def test_it_spreads_within_the_image(self):
        found = partly([10, 85, 100], layers=2)
        assert set(found) == {(0, 1, y, x) for y in range(3) for x in range(3)}


class TestSecondGroup:
    FRAMES = np.array([[1.0, 2], [3, 4], [5, 6]])

    def found(self, first, second, grown=2, bias=0.0):
        data = np.array([first, second, 120], np.float32).reshape(1, 3, 1, 1)
        i, _, _ = saturated_in_second_group(
            data, np.full((1, 1, 1), grown, np.uint16), np.full((1, 1), 100, np.float32),
            np.full((1, 1), bias, np.float32), self.FRAMES,
        )  # fmt: skip
        return bool(i.size)

    def test_a_hit_at_the_end_of_the_second_group(self):
        assert self.found(10, 60)

    @pytest.mark.parametrize("second", [20, 55])
    def test_a_step_too_small_to_hide_saturation(self, second):
        assert not self.found(10, second)

    def test_a_source_that_saturates_the_third_group_anyway(self):
        # 26 DN in 1.5 frames is 104 DN at frame 6.
        assert not self.found(26, 80)

    def test_the_bias_does_not_collect_with_time(self):
        assert self.found(26, 80, bias=20)

    def test_only_where_the_third_group_is_the_first_saturated_one(self):
        assert not self.found(10, 60, grown=1)
        assert not self.found(10, 60, grown=3)
