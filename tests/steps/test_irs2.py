from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.steps.irs2 import (
    normal_pixels,
    normal_reads,
    normal_rows,
    normal_shape,
    read_parity,
)


@pytest.fixture
def exposure_of(ramp_of):
    def make(detector):
        return ramp_of(np.zeros((1, 1, 3200, 1)), instrument="NIRSPEC", detector=detector).exposure

    return make


def test_four_reference_reads_after_8_and_then_after_every_16_normal_ones():
    reads = normal_reads()
    assert reads.size == 640
    assert reads.sum() == 512
    assert "".join("r-"[r] for r in reads[:36].astype(int)) == "-" * 8 + "rrrr" + "-" * 16 + "rrrr" + "-" * 4
    np.testing.assert_array_equal(reads, reads[::-1])


def test_the_reference_output_is_first_on_nrs1_and_last_on_nrs2(exposure_of):
    rows = normal_rows(exposure_of("NRS1"))
    assert rows.sum() == 2048
    assert not rows[:640].any()
    np.testing.assert_array_equal(rows[::-1], normal_rows(exposure_of("NRS2")))


def test_normal_pixels_are_those_of_a_traditional_frame(exposure_of):
    exposure = exposure_of("NRS2")
    array = np.zeros((2, 3200, 3), np.uint8)
    array[:, normal_rows(exposure)] = 1
    normal = normal_pixels(array, exposure)
    assert normal.shape == normal_shape(array.shape) == (2, 2048, 3)
    assert normal.flags.c_contiguous
    assert (normal == 1).all()
    assert normal_shape((5, 2048, 2048)) == (5, 2048, 2048)


def test_parity_of_interleaved_reads_is_that_of_their_pixels():
    parity = read_parity()
    assert "".join("eo"[p] for p in parity[:20].astype(int)) == "oeoeoeoe" + "ooee" + "oeoeoeoe"
