from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jwcal_interactive.kernels.persistence import flag_windows

LENGTH = 30.0

ramps = st.tuples(*(st.integers(1, n) for n in (3, 5, 3, 3))).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.float32, shape, elements=st.sampled_from([0.0, 100.0, 101.0, np.nan])),
        hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 0, 1, 2])),
        hnp.arrays(np.float64, shape[2:], elements=st.sampled_from([0.0, 995.0, 1015.0, 1e9])),
    )
)


def times_of(nints, ngroups):
    return 1000.0 + 60.0 * np.arange(nints)[:, None] + 10.0 * np.arange(1, ngroups + 1)


def kernel(data, groupdq, windows, threshold, band):
    nints, ngroups, ny, _ = data.shape
    windows, out = windows.copy(), np.empty_like(groupdq)
    for y in range(0, ny, band):
        flag_windows(
            data, groupdq, times_of(nints, ngroups), LENGTH, threshold, 33, windows, out, y, min(y + band, ny)
        )
    return out, windows


def twin(data, groupdq, windows, threshold):
    """Pixel by pixel: when windows open, and when they end."""
    out, windows = groupdq.copy(), windows.copy()
    times = times_of(*data.shape[:2])
    for y, x in np.ndindex(windows.shape):
        end = windows[y, x]
        for i in range(data.shape[0]):
            saturated = groupdq[i, :, y, x] & 2 != 0
            for g, now in enumerate(times[i]):
                end = 0.0 if end < now else end
                first = saturated[: g + 1].sum() == 1
                bright = end == 0 and data[i, g, y, x] > threshold
                end = now + LENGTH if first or bright else end
                end = 0.0 if end > now + LENGTH else end
                out[i, g, y, x] |= 33 if end else 0
        windows[y, x] = end
    return out, windows


@settings(max_examples=20, deadline=None)
@given(ramps, st.sampled_from([np.nan, 100.0]), st.integers(1, 4))
def test_equals_its_twin(ramp, threshold, band):
    data, groupdq, windows = ramp
    before = [a.tobytes() for a in ramp]
    for ours, expected in zip(kernel(*ramp, threshold, band), twin(*ramp, threshold), strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert [a.tobytes() for a in (data, groupdq, windows)] == before
