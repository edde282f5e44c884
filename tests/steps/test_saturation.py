from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError, Skip
from jwcal_interactive.steps.saturation import SaturationParams, saturation
from jwcal_interactive.tiles import Tiles

FLOOR = DQ.AD_FLOOR | DQ.DO_NOT_USE


def centre(values, size=5, background=100.0):
    """One integration whose central pixel has these group values."""
    data = np.full((1, len(values), size, size), background)
    data[0, :, size // 2, size // 2] = values
    return data


@pytest.fixture
def run(ramp_of, reference_of):
    """Flags of a pixel that saturates at 1000 DN, and the whole result."""

    def make(data, limit=1000.0, limit_dq=0, bias=None, zeroframe=None, readout=(1, 0), **params):
        ramp = ramp_of(data, zeroframe=zeroframe, nframes=readout[0], groupgap=readout[1])
        shape = ramp.pixeldq.shape
        refs = {
            "saturation": reference_of("saturation", np.full(shape, limit), dq=limit_dq),
            "superbias": None if bias is None else reference_of("superbias", np.full(shape, bias)),
        }
        return saturation(ramp, refs, SaturationParams(**params), Tiles(threads=1))

    return make


def test_all_groups_from_the_first_full_one_on(run):
    out = run(centre([100, 1000, 900]), n_pix_grow_sat=0)
    assert out.groupdq[0, :, 2, 2].tolist() == [0, DQ.SATURATED, DQ.SATURATED]
    assert np.count_nonzero(out.groupdq) == 2


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_neighbours(run, layers):
    out = run(centre([100, 1500]), n_pix_grow_sat=layers)
    width = 2 * layers + 1
    assert np.count_nonzero(out.groupdq[0, 1]) == width**2
    assert not out.groupdq[0, 0].any()


def test_groups_at_the_floor_do_not_spread(run):
    out = run(centre([0, 100, -1]))
    assert out.groupdq[0, :, 2, 2].tolist() == [FLOOR, 0, FLOOR]
    assert np.count_nonzero(out.groupdq) == 2


@pytest.mark.parametrize("limit_dq", [0, DQ.NO_SAT_CHECK])
def test_pixels_without_threshold(run, limit_dq):
    limit = np.nan if not limit_dq else 1000.0
    out = run(centre([65535, 65535]), limit=limit, limit_dq=limit_dq)
    assert not out.groupdq.any()
    assert (out.pixeldq == DQ.NO_SAT_CHECK).all()


def test_flags_of_the_reference_go_to_pixeldq(run):
    assert (run(centre([1, 1]), limit_dq=DQ.HOT).pixeldq == DQ.HOT).all()


class TestAveragedGroups:
    # Two frames per group: frames 1 2 | 3 4 | 5 6, means over last frames 3/4, 7/8, 11/12.
    def test_group_that_saturated_in_its_last_frames(self, run):
        out = run(centre([300, 880, 1000, 1000]), readout=(2, 0), n_pix_grow_sat=0)
        expected = [0, DQ.DO_NOT_USE, DQ.SATURATED, DQ.SATURATED]
        assert out.groupdq[0, :, 2, 2].tolist() == expected

    def test_its_neighbours_are_not_used_either(self, run):
        out = run(centre([300, 880, 1000]), readout=(2, 0))
        assert (out.groupdq[0, 1, 1:4, 1:4] & DQ.DO_NOT_USE != 0).all()
        assert np.count_nonzero(out.groupdq[0, 1] & DQ.DO_NOT_USE) == 9

    def test_dropped_frames_count(self, run):
        # Frames 1 2 | 9 10: mean over last is 0.95, not 7/8; the third group follows at frame 17.
        values = [300, 880, 1000, 1000]
        assert run(centre(values), readout=(2, 6)).groupdq[0, 1, 2, 2] == 0
        assert run(centre(values), readout=(2, 0)).groupdq[0, 1, 2, 2] == DQ.DO_NOT_USE

    def test_a_cosmic_ray_at_the_end_of_the_second_group(self, run):
        # Far from 7/8 of the threshold, but its last frame alone could have been full.
        values = [100, 700, 1000, 1000]
        out = run(centre(values), readout=(2, 0), n_pix_grow_sat=0)
        assert out.groupdq[0, 1, 2, 2] == DQ.DO_NOT_USE

    def test_the_superbias_does_not_collect_with_time(self, run):
        # 300 DN at frame 1.5 would be 1200 DN at frame 6, were they not bias.
        values = [300, 700, 1000, 1000]
        assert run(centre(values), readout=(2, 0)).groupdq[0, 1, 2, 2] == 0
        assert run(centre(values), readout=(2, 0), bias=280).groupdq[0, 1, 2, 2] == DQ.DO_NOT_USE

    def test_none_of_it_without_the_read_pattern(self, run):
        out = run(centre([300, 880, 1000]), readout=(2, 0), use_readpatt=False)
        assert not (out.groupdq & DQ.DO_NOT_USE).any()


def test_zero_frame_pixels_become_zero(run):
    zeroframe = centre([1500])[0]
    zeroframe[0, 0, 0] = -3
    out = run(centre([100, 100]), zeroframe=zeroframe)
    expected = np.full((1, 5, 5), 100.0)
    expected[0, 1:4, 1:4] = expected[0, 0, 0] = 0
    np.testing.assert_array_equal(out.zeroframe, expected)


def test_inputs_do_not_change_and_threads_do_not_matter(ramp_of, reference_of, bytes_of):
    rng = np.random.default_rng(3)
    ramp = ramp_of(rng.uniform(0, 1100, (2, 4, 50, 9)), zeroframe=rng.uniform(0, 1100, (2, 50, 9)), nframes=4)
    ref = reference_of("saturation", np.where(rng.random((50, 9)) < 0.1, np.nan, 1000))
    refs = {"saturation": ref, "superbias": None}
    before = bytes_of(ramp, ref)
    one = saturation(ramp, refs, SaturationParams(), Tiles(threads=1, band_rows=50))
    many = saturation(ramp, refs, SaturationParams(), Tiles(threads=2, band_rows=1))
    assert bytes_of(one) == bytes_of(many)
    assert bytes_of(ramp, ref) == before


def test_without_reference_it_is_skipped(ramp_of):
    with pytest.raises(Skip, match="no saturation reference"):
        saturation(ramp_of(np.ones((1, 1, 2, 2))), {}, SaturationParams(), Tiles())


def test_layers_cannot_be_negative():
    with pytest.raises(ParameterError, match="n_pix_grow_sat = -1 is not allowed: it must be int >= 0"):
        SaturationParams.build("saturation", {"n_pix_grow_sat": -1})
