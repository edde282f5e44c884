from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.kernels.refpix_miri import subtract_interlaced


@pytest.mark.parametrize("band", [1, 3, 6])
def test_subtract_interlaced(band):
    rng = np.random.default_rng(1)
    data = rng.normal(1e4, 1e3, (2, 3, 6, 8)).astype(np.float32)
    signals = rng.normal(0, 10, (2, 3, 2, 4))
    before = data.copy()
    out = np.empty_like(data)
    for y in range(0, 6, band):
        subtract_interlaced(data, signals, out, y, min(y + band, 6))
    level = np.tile(signals, (3, 2))
    rise = (data - data[:, :1] - level).astype(np.float32)
    twin = rise + data[:, :1]
    twin[:, 0] = data[:, 0]
    np.testing.assert_array_equal(out, twin)
    np.testing.assert_array_equal(data, before)
