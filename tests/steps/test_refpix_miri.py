from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.cutouts import cut_ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.definition import Look
from jwcal_interactive.steps.refpix import RefPixParams, refpix
from jwcal_interactive.tiles import Tiles


@pytest.fixture
def miri(ramp_of):
    def make(data, **facts):
        return ramp_of(data, instrument="MIRI", detector="MIRIMAGE", fastaxis=1, slowaxis=2, **facts)

    return make


def run(ramp, **params):
    return refpix(ramp, {}, RefPixParams(**params), Tiles())


def levels(odd_even=True):
    """Drift of each amplifier and row parity over the frame."""
    pattern = np.arange(1.0, 9).reshape(2, 4)
    return np.tile(pattern if odd_even else pattern[:1].repeat(2, axis=0), (512, 258))


def test_rise_of_the_reference_pixels_is_removed(miri, bytes_of):
    rng = np.random.default_rng(1)
    first = np.rint(rng.normal(10_000, 100, (1024, 1032)))
    ramp = miri(np.array([[first, first + levels(), first - levels()]]))
    before = bytes_of(ramp)
    out = run(ramp)
    np.testing.assert_array_equal(out.data[0], [first] * 3)
    assert bytes_of(ramp) == before


def test_a_part_of_the_frame_is_corrected_like_the_whole(miri):
    rng = np.random.default_rng(2)
    first = np.rint(rng.normal(10_000, 100, (1024, 1032)))
    ramp = miri(np.array([[first, first + levels() + rng.normal(0, 3, first.shape)]]))
    p = RefPixParams()
    facts = refpix.survey(Look.at(ramp), {}, p, Tiles())
    rows, columns = slice(511, 520), slice(1, 1030)
    part = refpix.apply(cut_ramp(ramp, rows, columns), {}, p, Tiles(), facts)
    np.testing.assert_array_equal(part.data, run(ramp).data[..., rows, columns])


def test_all_rows_together(miri):
    first = np.full((1024, 1032), 100.0)
    ramp = miri(np.array([[first, first + levels(odd_even=False)]]))
    np.testing.assert_array_equal(run(ramp, odd_even_rows=False).data[0, 1], first)
    mixed = miri(np.array([[first, first + levels()]]))
    assert np.unique(run(mixed, odd_even_rows=False).data[0, 1]).tolist() == [98, 102]


def test_flagged_reference_pixels_do_not_count(miri):
    data = np.zeros((1, 2, 1024, 1032))
    data[0, 1, :100, :4] = 50
    pixeldq = np.zeros((1024, 1032), np.uint32)
    pixeldq[:100, :4] = DQ.DO_NOT_USE
    assert not run(miri(data, pixeldq=pixeldq)).data[0, 1, 200:].any()


class TestSkips:
    def test_subarrays(self, miri):
        with pytest.raises(Skip, match="MIRI subarrays"):
            run(miri(np.zeros((1, 2, 256, 1032))))

    def test_amplifier_without_reference_pixels(self, miri):
        pixeldq = np.zeros((1024, 1032), np.uint32)
        pixeldq[1::2, 1030] = DQ.DO_NOT_USE
        ramp = miri(np.zeros((1, 2, 1024, 1032)), pixeldq=pixeldq)
        with pytest.raises(Skip, match="DO_NOT_USE"):
            run(ramp)
        run(ramp, odd_even_rows=False)
