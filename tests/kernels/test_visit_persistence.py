from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.visit_persistence import find_last_bright, flag_until

shapes = st.tuples(*(st.integers(1, n) for n in (3, 4, 3, 3)))
ramps = shapes.flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.float32, shape, elements=st.sampled_from([0.0, 99.0, 100.0, np.nan])),
        hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 1, 2, 6])),
        hnp.arrays(np.float32, shape[2:], elements=st.sampled_from([100.0, np.nan])),
        hnp.arrays(np.float64, shape[:2], elements=st.floats(0, 50)),
        hnp.arrays(np.float64, shape[2:], elements=st.sampled_from([-np.inf, 10.0, 40.0])),
    )
)


@settings(max_examples=20, deadline=None)
@given(ramps, st.integers(1, 4))
def test_last_bright(ramp, band):
    data, groupdq, threshold, times, last = ramp
    bright = (data >= threshold) | (groupdq & DQ.SATURATED != 0)
    seen = np.where(bright, times[:, :, None, None], -np.inf).max(axis=(0, 1))
    ours = last.copy()
    for y in range(0, last.shape[0], band):
        find_last_bright(data, groupdq, threshold, times, ours, y, min(y + band, last.shape[0]))
    np.testing.assert_array_equal(ours, np.maximum(last, seen))


@settings(max_examples=20, deadline=None)
@given(ramps, st.integers(1, 4))
def test_flags(ramp, band):
    _, groupdq, _, times, ends = ramp
    out = np.empty_like(groupdq)
    for y in range(0, ends.shape[0], band):
        flag_until(groupdq, times, ends, 33, out, y, min(y + band, ends.shape[0]))
    expected = groupdq | np.where(times[:, :, None, None] <= ends, np.uint8(33), np.uint8(0))
    np.testing.assert_array_equal(out, expected)
