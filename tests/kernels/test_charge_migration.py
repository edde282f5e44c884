from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.charge_migration import find_exceeding, flag_from

LOST = np.uint8(DQ.CHARGELOSS | DQ.DO_NOT_USE)

ramps = st.tuples(*(st.integers(1, n) for n in (2, 4, 4, 4))).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.float32, shape, elements=st.sampled_from([0.0, 90.0, 100.0, 100.5, np.nan, np.inf])),
        hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 3, 129])),
    )
)


def kernels(data, groupdq, band):
    nints, _, ny, nx = data.shape
    first = np.empty((nints, ny, nx), np.uint16)
    out = np.empty_like(groupdq)
    for y in range(0, ny, band):
        find_exceeding(data, groupdq, 100.0, first, y, min(y + band, ny))
    for y in range(0, ny, band):
        flag_from(groupdq, first, out, y, min(y + band, ny))
    return out


def twin(data, groupdq):
    above = (data > 100) & (groupdq != DQ.DO_NOT_USE)
    reached = np.maximum.accumulate(above, axis=1)
    padded = np.pad(reached, ((0, 0), (0, 0), (1, 1), (1, 1)))
    near = (
        padded[..., 1:-1, 1:-1] | padded[..., :-2, 1:-1] | padded[..., 2:, 1:-1]
        | padded[..., 1:-1, :-2] | padded[..., 1:-1, 2:]
    )  # fmt: skip
    return groupdq | np.where(near, LOST, np.uint8(0))


@settings(max_examples=20, deadline=None)
@given(ramps, st.integers(1, 5))
def test_equals_its_twin(ramp, band):
    data, groupdq = ramp
    before = data.tobytes(), groupdq.tobytes()
    np.testing.assert_array_equal(kernels(data, groupdq, band), twin(data, groupdq))
    assert (data.tobytes(), groupdq.tobytes()) == before
