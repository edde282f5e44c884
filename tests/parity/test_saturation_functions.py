"""saturation against the official functions: read patterns, growth, zero frames, missing references."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.readout import frame_numbers
from jwcal_interactive.steps.saturation import SaturationParams, saturation
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


def references(ramp, make_reference, with_bias=True):
    rng = np.random.default_rng(9)
    shape = ramp.pixeldq.shape
    refs = {
        "saturation": make_reference("saturation", rng.normal(55_000, 4000, shape), seed=1),
        "superbias": make_reference("superbias", rng.normal(12_000, 300, shape), seed=2),
    }
    return refs if with_bias else {**refs, "superbias": None}


@pytest.mark.parametrize("seed", [10, 11])
@pytest.mark.parametrize(
    ("nints", "ngroups", "nframes"), [(1, 1, 1), (1, 2, 2), (2, 3, 2), (2, 6, 1), (1, 8, 4), (2, 7, 8)]
)
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_all_read_patterns(
    seed, nints, ngroups, nframes, layers,
    make_ramp, make_reference, ramp_model, reference_model, same_ramp,
):  # fmt: skip
    from jwst.saturation.saturation import flag_saturation

    ramp = make_ramp(seed, shape=(40, 37), nints=nints, ngroups=ngroups, nframes=nframes, zero_frame=True)
    refs = references(ramp, make_reference, with_bias=seed == 10)
    bias = refs["superbias"] and reference_model(refs["superbias"], ramp)
    official = flag_saturation(
        ramp_model(ramp), reference_model(refs["saturation"], ramp), layers, True, bias_model=bias
    )
    ours = saturation(ramp, refs, SaturationParams(n_pix_grow_sat=layers), Tiles(band_rows=7))
    same_ramp(ours, official)
    assert (ours.groupdq & DQ.SATURATED).any()


def test_without_the_read_pattern(make_ramp, make_reference, ramp_model, reference_model, same_ramp):
    from jwst.saturation.saturation import flag_saturation

    ramp = make_ramp(12, nframes=4)
    refs = references(ramp, make_reference)
    official = flag_saturation(
        ramp_model(ramp), reference_model(refs["saturation"], ramp), 1, False,
        bias_model=reference_model(refs["superbias"], ramp),
    )  # fmt: skip
    same_ramp(saturation(ramp, refs, SaturationParams(use_readpatt=False), Tiles()), official)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_groups_that_come_flagged(layers, make_ramp, make_reference, ramp_model, reference_model, same_ramp):
    """Their neighbours are flagged in the same group only."""
    from jwst.saturation.saturation import flag_saturation

    ramp = make_ramp(14, shape=(40, 37), nints=2, ngroups=4)
    groupdq = ramp.groupdq.copy()
    groupdq[np.random.default_rng(3).random(groupdq.shape) < 0.02] |= np.uint8(DQ.SATURATED)
    ramp = ramp.with_(groupdq=groupdq)
    refs = references(ramp, make_reference, with_bias=False)
    official = flag_saturation(ramp_model(ramp), reference_model(refs["saturation"], ramp), layers, True)
    ours = saturation(ramp, refs, SaturationParams(n_pix_grow_sat=layers), Tiles(band_rows=7))
    same_ramp(ours, official)


def test_with_dropped_frames_only_the_frame_numbers_differ(make_ramp, make_reference, ramp_model):
    """jwst leaves GROUPGAP out of the frame numbers; with the true ones its algorithm agrees."""
    from stcal.saturation.saturation import flag_saturated_pixels
    from stdatamodels.jwst.datamodels import dqflags

    ramp = make_ramp(13, shape=(60, 60), nints=2, ngroups=6, nframes=4, groupgap=3)
    refs = references(ramp, make_reference)
    limits = refs["saturation"]

    def official(groupgap):
        numbers = [[f + 1 + g * (4 + groupgap) for f in range(4)] for g in range(ramp.exposure.ngroups)]
        return flag_saturated_pixels(
            ramp.data.copy(), ramp.groupdq.copy(), ramp.pixeldq.copy(), limits.data.copy(),
            limits.dq.copy(), 65535.0, dqflags.pixel, read_pattern=numbers,
            bias=refs["superbias"].data.copy(),
        )  # fmt: skip

    ours = saturation(ramp, refs, SaturationParams(), Tiles())
    groupdq, pixeldq, _ = official(groupgap=3)
    np.testing.assert_array_equal(ours.groupdq, groupdq)
    np.testing.assert_array_equal(ours.pixeldq, pixeldq)
    assert (official(groupgap=0)[0] != groupdq).any()
    np.testing.assert_array_equal(frame_numbers(ramp.exposure)[1], [8, 9, 10, 11])


@pytest.fixture(scope="module", params=["NRS1", "NRS2"])
def interleaved(request, make_ramp):
    """Some columns of an IRS2 frame of NIRSpec."""
    return make_ramp(
        14, shape=(3200, 64), nints=2, ngroups=4, nframes=5, zero_frame=True, instrument="NIRSPEC",
        detector=request.param, readpatt="NRSIRS2", subarray="FULL", ysize=2048,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("layers", "readpatt", "with_bias"), [(1, True, True), (0, True, False), (2, False, True)]
)
def test_interleaved_frames(
    layers, readpatt, with_bias, interleaved, make_reference, ramp_model, reference_model, same_ramp
):
    from jwst.saturation.saturation import irs2_flag_saturation

    rng = np.random.default_rng(9)
    refs = {
        "saturation": make_reference("saturation", rng.normal(45_000, 4000, (2048, 64)), seed=1),
        "superbias": make_reference("superbias", rng.normal(12_000, 300, (3200, 64)), seed=2),
    }
    bias = reference_model(refs["superbias"], interleaved) if with_bias else None
    model = ramp_model(interleaved)
    model.meta.exposure.nrs_normal, model.meta.exposure.nrs_reference = 16, 4
    limits = reference_model(refs["saturation"], interleaved)
    official = irs2_flag_saturation(model, limits, layers, readpatt, bias_model=bias)
    if not with_bias:
        refs["superbias"] = None
    p = SaturationParams(n_pix_grow_sat=layers, use_readpatt=readpatt)
    ours = saturation(interleaved, refs, p, Tiles())
    same_ramp(ours, official)
    if readpatt:
        plain = saturation(
            interleaved, refs, SaturationParams(n_pix_grow_sat=layers, use_readpatt=False), Tiles()
        )
        assert (plain.groupdq[:, 1] != ours.groupdq[:, 1]).any()
