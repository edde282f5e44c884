from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import sigmaclip

from jwcal_interactive.kernels.refpix import clipped_mean, running_median, subtract_signals


@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(2, 600), limit=st.sampled_from([1.5, 3.0, 4.0]), seed=st.integers(0, 99),
    dtype=st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_clipped_mean(n, limit, seed, dtype):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 10, n).astype(dtype)
    values[rng.random(n) < 0.05] += 500
    mean = clipped_mean(values, limit)
    assert mean.dtype == dtype
    assert mean == sigmaclip(values, limit, limit).clipped.mean()


class TestClippedMeanOf:
    def test_equal_values(self):
        assert clipped_mean(np.full(9, 7, np.float32), 3.0) == 7

    def test_no_value(self):
        assert clipped_mean(np.empty(0, np.float32), 3.0) is None

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_values_of_which_some_are_not_finite(self, bad):
        assert clipped_mean(np.array([1, bad, 3], np.float32), 3.0) == 2

    def test_values_that_are_all_clipped(self):
        assert clipped_mean(np.array([-1, 1], np.float64), 0.5) is None


@settings(max_examples=20, deadline=None)
@given(
    nrows=st.integers(2, 40), ncolumns=st.integers(1, 4), half=st.integers(0, 12),
    bad=st.sampled_from([0.0, 0.3, 0.9, 1.0]), single=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_running_median(nrows, ncolumns, half, bad, single, seed):
    half = min(half, nrows - 1)
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(0, 8, (nrows, ncolumns)), 1)  # with ties
    values[rng.random(values.shape) < 0.05] = np.nan
    if single:
        values = values.astype(np.float32).astype(np.float64)
    good = rng.random(values.shape) >= bad
    out = np.empty(nrows)
    running_median(values, good, half, single, out)
    masked = np.where(good, values, np.nan)
    mirrored = np.pad(masked, ((half, half), (0, 0)), mode="reflect")
    for row in range(nrows):
        window = mirrored[row : row + 2 * half + 1]
        window = window[~np.isnan(window)]
        if single:
            window = window.astype(np.float32)
        assert out[row] == np.median(window) if window.size else np.isnan(out[row])


@pytest.mark.parametrize("fast_is_x", [True, False])
@pytest.mark.parametrize("noutputs", [1, 4])
@pytest.mark.parametrize("band", [1, 3, 8])
def test_subtract_signals(fast_is_x, noutputs, band):
    rng = np.random.default_rng(1)
    data = rng.normal(0, 1e4, (2, 3, 8, 8)).astype(np.float32)
    fast, slow = rng.normal(0, 10, (2, 3, 8)), rng.normal(0, 10, (2, 3, noutputs, 8))
    single = rng.random((2, 3)) < 0.5
    out = np.empty_like(data)
    for y in range(0, 8, band):
        subtract_signals(data, fast, slow, fast_is_x, single, out, y, min(y + band, 8))
    columns, rows = fast[:, :, None, :], np.repeat(slow, 8 // noutputs, axis=2).swapaxes(-2, -1)
    if not fast_is_x:
        columns, rows = columns.swapaxes(-2, -1), rows.swapaxes(-2, -1)
    once = data - columns
    rounded = once.astype(np.float32).astype(np.float64)
    twin = np.where(single[:, :, None, None], rounded, once) - rows
    np.testing.assert_array_equal(out, twin.astype(np.float32))
