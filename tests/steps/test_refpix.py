from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError, Skip
from jwcal_interactive.steps.refpix import RefPixParams, refpix
from jwcal_interactive.tiles import Tiles

ORIENTATIONS = [(-1, 2), (1, -2), (2, 1), (-2, -1)]


def run(ramp, **params):
    return refpix(ramp, {}, RefPixParams(**params), Tiles())


@pytest.fixture
def corner(ramp_of):
    """A 20 x 20 subarray at the first detector corner, with its reference pixels flagged."""

    def make(data, **facts):
        pixeldq = np.zeros((20, 20), np.uint32)
        pixeldq[:4] = pixeldq[:, :4] = DQ.REFERENCE_PIXEL
        return ramp_of(data, pixeldq=pixeldq, **facts)

    return make


@pytest.mark.parametrize(("fast", "slow"), ORIENTATIONS)
class TestOneAmplifier:
    def pattern(self, fast, even=3.0, odd=7.0):
        """Signal of even and odd detector columns, in the science frame of a 20-pixel corner."""
        columns = np.arange(20) if fast > 0 else 2047 - np.arange(20)
        levels = np.where(columns % 2 == 0, even, odd)
        return levels[None, :] if abs(fast) == 1 else levels[:, None]

    def test_odd_and_even_columns(self, fast, slow, corner, bytes_of):
        data = np.full((2, 2, 20, 20), 50.0) + self.pattern(fast)
        data[..., :4, :] -= 50
        data[..., 4:, :4] -= 50
        ramp = corner(data, fastaxis=fast, slowaxis=slow)
        before = bytes_of(ramp)
        out = run(ramp)
        assert np.unique(out.data[..., 4:, 4:]).tolist() == [50]
        assert not out.data[..., :4, :].any()
        assert bytes_of(ramp) == before

    def test_all_columns_together(self, fast, slow, corner):
        data = np.zeros((1, 1, 20, 20)) + self.pattern(fast)
        out = run(corner(data, fastaxis=fast, slowaxis=slow), odd_even_columns=False)
        np.testing.assert_allclose(np.unique(out.data), [-2, 2], atol=1e-6)


def test_flagged_reference_pixels_do_not_count(corner):
    data = np.full((1, 1, 20, 20), 5.0)
    data[..., :2, :] = 20
    ramp = corner(data)
    pixeldq = ramp.pixeldq.copy()
    pixeldq[:2] |= np.uint32(DQ.DO_NOT_USE)
    out = run(ramp.with_(pixeldq=pixeldq))
    assert (out.data[..., 2:, :] == 0).all()
    assert run(ramp).data[0, 0, 10, 10] != 0


def test_zeros_of_the_zero_frame_stay(corner):
    zeroframe = np.full((1, 20, 20), 9.0)
    zeroframe[0, 10, 10] = 0
    out = run(corner(np.full((1, 1, 20, 20), 5.0), zeroframe=zeroframe))
    assert not out.zeroframe.any()
    zeroframe[0, 11, 11] = 10
    out = run(corner(np.full((1, 1, 20, 20), 5.0), zeroframe=zeroframe))
    assert out.zeroframe[0, 11, 11] == 1
    assert np.count_nonzero(out.zeroframe) == 1


class TestSkips:
    def test_subarray_without_reference_pixels(self, ramp_of):
        with pytest.raises(Skip, match="no reference pixels"):
            run(ramp_of(np.ones((1, 1, 8, 8)), xstart=500, ystart=500))

    def test_all_reference_pixels_are_bad(self, ramp_of):
        flags = DQ.REFERENCE_PIXEL | DQ.DO_NOT_USE
        with pytest.raises(Skip, match="DO_NOT_USE"):
            run(ramp_of(np.ones((1, 1, 8, 8)), pixeldq=flags))
        with pytest.raises(Skip, match="DO_NOT_USE"):
            run(ramp_of(np.ones((1, 1, 8, 2048)), pixeldq=flags, noutputs=4))

    def test_only_odd_or_even_columns_have_reference_pixels(self, ramp_of):
        pixeldq = np.zeros((8, 8), np.uint32)
        pixeldq[:, ::2] = DQ.REFERENCE_PIXEL
        ramp = ramp_of(np.ones((1, 1, 8, 8)), pixeldq=pixeldq)
        with pytest.raises(Skip, match="odd_even_columns=False"):
            run(ramp)
        assert not run(ramp, odd_even_columns=False).data.any()

    def test_subarray_beyond_the_detector(self, ramp_of):
        with pytest.raises(Skip, match="does not fit"):
            run(ramp_of(np.ones((1, 1, 8, 8)), xstart=2045))


class TestFourAmplifiers:
    """A strip of the first 32 rows over the whole width, read through four amplifiers."""

    @pytest.fixture
    def strip(self, ramp_of):
        def make(data, **facts):
            return ramp_of(np.broadcast_to(data, (1, 2, 32, 2048)), noutputs=4, fastaxis=1, slowaxis=2, **facts)

        return make

    def test_amplifiers_have_their_own_level(self, strip):
        levels = np.repeat([3.0, 5, 7, 11], 512) + np.where(np.arange(2048) % 2, 1, -1)
        out = run(strip(levels), use_side_ref_pixels=False)
        assert not out.data.any()

    def test_rows_are_corrected_by_the_smoothed_side_pixels(self, strip):
        rows = np.zeros((32, 1))
        rows[16:] = 10
        out = run(strip(rows), side_smoothing_length=11).data[0, 0, :, 1000]
        np.testing.assert_array_equal(out, np.zeros(32))

    def test_gain_of_the_side_pixels(self, strip):
        rows = np.zeros((32, 1))
        rows[16:] = 10
        out = run(strip(rows), side_gain=0.5).data[0, 1, :, 1000]
        np.testing.assert_array_equal(out, rows[:, 0] / 2)

    @pytest.mark.parametrize(("length", "as_long_as"), [(1, None), (4, 5), (10, 11)])
    def test_length_of_smoothing(self, strip, length, as_long_as):
        rows = np.random.default_rng(4).normal(0, 5, (32, 1))
        rows[:4] = 0
        out = run(strip(rows), side_smoothing_length=length).data
        if as_long_as is None:
            np.testing.assert_allclose(out, 0, atol=1e-6)
        else:
            np.testing.assert_array_equal(out, run(strip(rows), side_smoothing_length=as_long_as).data)

    def test_clipping_limit(self, strip):
        data = np.zeros((32, 2048))
        data[0, :512:32] = 100
        assert run(strip(data), use_side_ref_pixels=False).data[0, 0, 20, 6] == 0
        assert run(strip(data), use_side_ref_pixels=False, siglimit=1e3).data[0, 0, 20, 6] < -1


def test_full_frame_averages_top_and_bottom_and_both_sides(ramp_of):
    data = np.zeros((1, 1, 2048, 2048))
    data[..., -4:, :] = 8  # the top edge drifted: 4 DN on average
    data[..., 4:-4, :4] = 2  # the left side drifted: 1 DN on average
    ramp = ramp_of(data, noutputs=4)
    out = run(ramp)
    assert out.data[0, 0, 1000, 1000] == -4 - (2 - 4 - 4) / 2
    assert run(ramp, use_side_ref_pixels=False).data[0, 0, 1000, 1000] == -4


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("side_smoothing_length", 0, "int >= 1"), ("siglimit", 0, "float > 0"),
        ("refpix_algorithm", "mean", "median | sirs"), ("halfwidth", 1024, "int >= 0 and <= 1023"),
    ],
)  # fmt: skip
def test_parameters_that_are_not_allowed(name, value, allowed):
    with pytest.raises(ParameterError, match=f"refpix.{name}.*{allowed}"):
        RefPixParams.build("refpix", {name: value})
