from __future__ import annotations

import threading

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Cancelled, InputError, Skip
from jwcal_interactive.steps.amplifier_noise import AmplifierNoiseParams, amplifier_noise
from jwcal_interactive.tiles import Tiles

SHAPE = (64, 80)


@pytest.fixture
def noisy(ramp_of, reference_of):
    """Ramps on an inclined sky with two sources and 1/f noise; references; and the ramps without noise."""

    def make(nints=1, ngroups=6, along_x=True, channels=1, shape=SHAPE, seed=0, **facts):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[: shape[0], : shape[1]]
        rate = 3 + 0.002 * x + 0.004 * y
        for place in ((20, 30), (45, 60)):
            rate = rate + 40 * np.exp(-((y - place[0]) ** 2 + (x - place[1]) ** 2) / 8.0)
        clean = (
            1000 + 10 * np.arange(ngroups)[:, None, None] * rate + rng.normal(0, 2, (nints, ngroups, *shape))
        )
        lines, length = shape if along_x else shape[::-1]
        noise = rng.normal(0, 8, (nints, ngroups, lines, channels)).repeat(length // channels, axis=-1)
        data = clean + (noise if along_x else noise.swapaxes(2, 3))
        ramp = ramp_of(data, slowaxis=2 if along_x else -1, fastaxis=-1 if along_x else 2, **facts)
        refs = {
            "gain": reference_of("gain", np.full(shape, 2)),
            "readnoise": reference_of("readnoise", np.full(shape, 9)),
        }
        return ramp, refs, clean

    return make


def run(ramp, refs, tiles=None, **values):
    return amplifier_noise(ramp, refs, AmplifierNoiseParams(**values), tiles or Tiles(threads=1))


def noise_of(ramp, clean):
    """Standard deviation of what differs from the truth in differences of groups, DN."""
    return np.diff(ramp.data - clean, axis=1).std()


@pytest.mark.parametrize("along_x", [True, False])
def test_noise_goes(noisy, along_x):
    ramp, refs, clean = noisy(along_x=along_x)
    assert noise_of(run(ramp, refs), clean) < 0.15 * noise_of(ramp, clean)


@pytest.mark.parametrize("along_x", [True, False])
def test_each_amplifier_has_noise_of_its_own(noisy, along_x):
    shape = (12, 2048) if along_x else (2048, 12)
    facts = {"shape": shape, "along_x": along_x, "channels": 4, "subarray": "FULL", "ngroups": 3}
    ramp, refs, clean = noisy(**facts)
    apart = noise_of(run(ramp, refs), clean)
    together = noise_of(run(ramp, refs, by_amplifier=False), clean)
    assert apart < 0.2 * noise_of(ramp, clean) < together
    small, small_refs, _ = noisy()
    np.testing.assert_array_equal(run(small, small_refs).data, run(small, small_refs, by_amplifier=False).data)


def test_sources_are_found_and_not_touched(noisy):
    ramp, refs, clean = noisy(seed=1)
    cleaned = run(ramp, refs, save_mask=True, save_noise=True)
    mask, noise = cleaned.side_products
    assert (mask.suffix, noise.suffix) == ("source_mask", "amplifier_noise")
    found = mask.arrays["SCI"]
    assert found[18:23, 28:33].all()
    assert found[43:48, 58:63].all()
    assert found.mean() < 0.3
    np.testing.assert_array_equal(noise.arrays["SCI"], ramp.data - cleaned.data)
    bias = (cleaned.data[0, -1] - cleaned.data[0, 0]) - (clean[0, -1] - clean[0, 0])
    assert abs(bias[18:23, 28:33].mean()) < 2


class TestSourceMask:
    def given(self, mask):
        return {
            "source_mask": Reference(reftype="source_mask", name="m.fits", data=np.asarray(mask, np.float32))
        }

    def test_saved_and_used_again_gives_the_same(self, noisy):
        ramp, refs, _ = noisy()
        first = run(ramp, refs, save_mask=True)
        mask = first.side_products[0].arrays["SCI"]
        again = run(ramp, refs | self.given(mask), find_sources=False)
        np.testing.assert_array_equal(again.data, first.data)

    def test_adds_to_what_is_found(self, noisy):
        ramp, refs, _ = noisy()
        mine = np.zeros(SHAPE)
        mine[:, :40] = 7
        both = run(ramp, refs | self.given(mine), save_mask=True).side_products[0].arrays["SCI"]
        assert both[:, :40].all()
        assert both[43:48, 58:63].all()

    def test_alone_is_used_as_it_is(self, noisy):
        ramp, refs, _ = noisy(nints=2)
        mine = np.zeros((2, *SHAPE))
        mine[1, 5:9] = 1
        cleaned = run(ramp, refs | self.given(mine), find_sources=False, save_mask=True)
        np.testing.assert_array_equal(cleaned.side_products[0].arrays["SCI"], mine)
        changed = np.abs(np.diff(cleaned.data - ramp.data, axis=1)) > 1e-2
        assert changed[0, :, 5:9].any()
        assert not changed[1, :, 5:9].any()

    def test_of_another_shape_is_refused(self, noisy):
        ramp, refs, _ = noisy()
        with pytest.raises(InputError, match=r"source_mask.*\(64, 80\)"):
            run(ramp, refs | self.given(np.ones((3, 3))))

    def test_of_everything_leaves_no_sky(self, noisy):
        ramp, refs, _ = noisy()
        with pytest.raises(Skip, match="sky"):
            run(ramp, refs | self.given(np.ones(SHAPE)))


def test_grow_widens_the_mask(noisy):
    ramp, refs, _ = noisy()
    narrow, wide = (run(ramp, refs, save_mask=True, grow=n).side_products[0].arrays["SCI"] > 0 for n in (0, 2))
    expected = np.zeros_like(narrow)
    for y, x in np.argwhere(narrow):
        expected[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = True
    np.testing.assert_array_equal(wide, expected)


def test_jumps_bad_pixels_and_nan_do_not_count(noisy):
    ramp, refs, clean = noisy(seed=2)
    data, groupdq, pixeldq = ramp.data.copy(), ramp.groupdq.copy(), ramp.pixeldq.copy()
    data[0, 3:, :, 10:45] += 500
    groupdq[0, 3, :, 10:45] = DQ.JUMP_DET
    data[:, :, :, 70] = 1e6 * np.arange(6)[:, None]
    pixeldq[:, 70] = DQ.DO_NOT_USE
    data[0, 2, 5, 5] = np.nan
    cleaned = run(ramp.with_(data=data, groupdq=groupdq, pixeldq=pixeldq), refs)
    rest = np.s_[:, :, 10:, 45:70]
    left = np.diff((cleaned.data - clean)[rest], axis=1)
    assert left.std() < 0.25 * np.diff((ramp.data - clean)[rest], axis=1).std()
    assert np.isnan(cleaned.data).sum() == 1


def test_inputs_threads_and_shared_arrays(noisy, bytes_of):
    ramp, refs, _ = noisy(nints=2)
    before = bytes_of(ramp, *refs.values())
    one, three = run(ramp, refs), run(ramp, refs, Tiles(threads=3, band_rows=5))
    assert bytes_of(ramp, *refs.values()) == before
    assert bytes_of(one) == bytes_of(three)
    np.testing.assert_array_equal(one.data[:, 0], ramp.data[:, 0])


@pytest.mark.parametrize(
    ("facts", "reason"), [({"ngroups": 1}, "NGROUPS = 1"), ({"instrument": "MIRI"}, "MIRI")]
)
def test_skips_tell_why(noisy, facts, reason):
    ramp, refs, _ = noisy(**facts)
    with pytest.raises(Skip, match=reason):
        run(ramp, refs)


def test_is_off_and_can_be_cancelled(noisy):
    assert AmplifierNoiseParams().skip
    cancel = threading.Event()
    cancel.set()
    ramp, refs, _ = noisy()
    with pytest.raises(Cancelled):
        run(ramp, refs, Tiles(cancel=cancel))
