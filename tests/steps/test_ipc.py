from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.steps.ipc import IPCParams, ipc
from jwcal_interactive.tiles import Tiles

KERNEL = [[0, -0.01, 0], [-0.02, 1.06, -0.02], [0, -0.01, 0]]


def run(ramp, ref):
    return ipc(ramp, {"ipc": ref}, IPCParams(), Tiles())


def test_point_source(ramp_of, reference_of, bytes_of):
    data = np.zeros((2, 2, 5, 5))
    data[:, :, 2, 2] = 100
    ramp = ramp_of(data, xstart=1000, ystart=1000, zeroframe=data[:, 0])
    ref = reference_of("ipc", KERNEL)
    before = bytes_of(ramp, ref)
    out = run(ramp, ref)
    np.testing.assert_allclose(out.data[1, 1, 1:4, 1:4], 100 * np.array(KERNEL, np.float32))
    assert np.shares_memory(out.zeroframe, ramp.zeroframe)
    assert bytes_of(ramp, ref) == before


def test_scene_seen_through_capacitance_is_restored(ramp_of, reference_of):
    """Coupling followed by its first-order inverse gives the scene back to second order."""
    coupling = 0.005
    scene = np.random.default_rng(2).uniform(0, 1000, (60, 60))
    neighbours = sum(np.roll(scene, s, a) for s in (1, -1) for a in (0, 1)) - 4 * scene
    kernel = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]) * coupling
    kernel[1, 1] += 1
    ramp = ramp_of((scene + coupling * neighbours)[None, None], xstart=1000, ystart=1000)
    out = run(ramp, reference_of("ipc", kernel)).data[0, 0]
    inside = np.s_[2:-2, 2:-2]
    before = np.abs(coupling * neighbours[inside]).max()
    assert np.abs(out[inside] - scene[inside]).max() < 20 * coupling * before


def test_reference_pixels_neither_change_nor_count(ramp_of, reference_of):
    data = np.zeros((1, 1, 8, 8))
    data[0, 0, :4], data[0, 0, 4:, :4] = 1000, 500
    data[0, 0, 4:, 4:] = 10
    out = run(ramp_of(data), reference_of("ipc", KERNEL)).data[0, 0]
    np.testing.assert_array_equal(out[:4], data[0, 0, :4])
    np.testing.assert_array_equal(out[4:, :4], data[0, 0, 4:, :4])
    assert out[4, 4] == pytest.approx(10 * (1.06 - 0.03))
    assert out[6, 6] == pytest.approx(10)


def test_subarray_of_reference_pixels_only(ramp_of, reference_of):
    data = np.arange(32.0).reshape(1, 1, 4, 8)
    np.testing.assert_array_equal(run(ramp_of(data), reference_of("ipc", KERNEL)).data, data)


@pytest.mark.parametrize("shape", [(2, 3), (3, 4), (3,), (3, 3, 5)])
def test_unusable_kernels(shape, ramp_of, reference_of):
    ref = reference_of("ipc", np.zeros(shape))
    with pytest.raises(ReferenceError, match="odd numbers"):
        run(ramp_of(np.ones((1, 1, 4, 4))), ref)


def test_kernels_of_another_subarray(ramp_of, reference_of):
    with pytest.raises(ReferenceError, match="5 x 4 pixels, the exposure has 4 x 4"):
        run(ramp_of(np.ones((1, 1, 4, 4))), reference_of("ipc", np.zeros((3, 3, 4, 5))))


def test_without_reference_it_is_skipped(ramp_of):
    with pytest.raises(Skip, match="no ipc reference"):
        run(ramp_of(np.ones((1, 1, 4, 4))), None)
