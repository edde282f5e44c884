from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d

from jwcal_interactive.kernels.ipc import convolve

shapes = {
    "nints": st.integers(1, 2), "ngroups": st.integers(1, 3), "ny": st.integers(1, 12),
    "nx": st.integers(1, 12), "kny": st.sampled_from([1, 3, 5]), "knx": st.sampled_from([1, 3, 5]),
    "border": st.tuples(*[st.integers(0, 4)] * 4), "band": st.integers(1, 12),
    "seed": st.integers(0, 99),
}  # fmt: skip


def case(nints, ngroups, ny, nx, kny, knx, border, seed):
    rng = np.random.default_rng(seed)
    data = rng.normal(20_000, 5000, (nints, ngroups, ny, nx)).astype(np.float32)
    kernel = rng.normal(0, 0.02, (kny, knx)).astype(np.float32)
    low, left = min(border[0], ny), min(border[2], nx)
    high, right = max(low, ny - border[1]), max(left, nx - border[3])
    return data, kernel, (low, high, left, right)


def twin(data, kernel, science):
    low, high, left, right = science
    out = data.astype(np.float64)
    if high > low and right > left:
        for plane in out.reshape(-1, *data.shape[2:]):
            inside = plane[low:high, left:right].copy()
            full = convolve2d(inside, kernel.astype(np.float64), mode="full")
            j, i = kernel.shape[0] // 2, kernel.shape[1] // 2
            plane[low:high, left:right] = full[j : j + high - low, i : i + right - left]
    return out


def expand(kernel, ny, nx):
    return np.ascontiguousarray(np.broadcast_to(kernel[:, :, None, None], (*kernel.shape, ny, nx)))


@settings(max_examples=20, deadline=None)
@given(**shapes)
def test_one_kernel(nints, ngroups, ny, nx, kny, knx, border, band, seed):
    data, kernel, science = case(nints, ngroups, ny, nx, kny, knx, border, seed)
    out = np.full_like(data, np.nan)
    for y in range(0, ny, band):
        convolve(data, expand(kernel, 1, nx), *science, out, y, min(y + band, ny))
    np.testing.assert_allclose(out, twin(data, kernel, science), rtol=1e-5, atol=0.05)


@settings(max_examples=20, deadline=None)
@given(**shapes)
def test_same_kernel_for_each_pixel_is_one_kernel(nints, ngroups, ny, nx, kny, knx, border, band, seed):
    data, kernel, science = case(nints, ngroups, ny, nx, kny, knx, border, seed)
    one, each = np.empty_like(data), np.full_like(data, np.nan)
    convolve(data, expand(kernel, 1, nx), *science, one, 0, ny)
    for y in range(0, ny, band):
        convolve(data, expand(kernel, ny, nx), *science, each, y, min(y + band, ny))
    np.testing.assert_array_equal(each, one)


def test_the_kernel_of_the_corrected_pixel_counts():
    data = np.zeros((1, 1, 3, 3), np.float32)
    data[0, 0, 1, 1] = 100
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[1, 1] = 1
    kernel[1, 2, 1, 2] = -0.01  # what pixel (1, 2) takes from its left neighbour
    out = np.empty_like(data)
    convolve(data, kernel, 0, 3, 0, 3, out, 0, 3)
    expected = data.copy()
    expected[0, 0, 1, 2] = -1
    np.testing.assert_allclose(out, expected)
