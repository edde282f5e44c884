"""ramp_fit with LIKELY against the official code, on random arrays with all kinds of flags."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_ramps import official_ramp_fit, random_ramps

from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.gain_scale import GainScaleParams, gain_scale
from jwcal_interactive.steps.ramp_fit import RampFitParams, ramp_fit
from jwcal_interactive.tiles import Tiles

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

NAMES = (("data", "slope"), ("err", "err"), ("var_poisson", "var_poisson"), ("var_rnoise", "var_rnoise"))


def ramps(seed, nints, ngroups, nframes=1, groupgap=0, shape=(24, 120)):
    """Ramps whose zero frames are part of their first groups, as real ones are; some are unusable."""
    ramp, refs = random_ramps(seed, nints, ngroups, nframes, groupgap, shape)
    rng = np.random.default_rng(seed)
    share = 2 / (nframes + 1)
    frames = ramp.data[:, 0] * share + rng.normal(0, 8, (nints, *shape))
    return ramp.with_(zeroframe=np.float32(frames)), refs


def chance(ramp):
    """Where rounding decides which difference is called a jump.

    Without a difference, or two, there may be only one left, which any slope fits. Then the improvement of
    chi squared is the same for several of them, but for the last bits, in which numpy's power function differs
    from one processor to the other.
    """
    good = ramp.groupdq == 0
    pairs = (good[:, 1:] & good[:, :-1]).sum(axis=1)
    zero_frame = ramp.zeroframe is not None and ramp.exposure.nframes > 1
    pairs += (good[:, 0] & zero_frame).astype(int)
    return (pairs == 2) | ((pairs == 3) & (ramp.exposure.nframes > 1))


def compare(ramp, refs, ulp=1, **options):
    p = RampFitParams(algorithm="LIKELY", save_opt=True, **options)
    ours = ramp_fit(ramp, refs, p, Tiles(threads=2, band_rows=7))
    image, cube, _ = official_ramp_fit(ramp, refs, algorithm="LIKELY", **options)
    by_chance = chance(ramp)
    assert by_chance.mean() < 0.5
    for slopes, theirs, left_out in (
        (ours.rateints, cube, by_chance),
        (ours.rate, image, by_chance.any(axis=0)),
    ):
        assert_close(slopes.dq[~left_out], theirs["dq"][~left_out], 0)
        for name, key in NAMES:
            assert_close(getattr(slopes, name)[~left_out], theirs[key][~left_out], ulp)
    (side,) = ours.side_products
    assert (side.suffix, side.model) == ("likely_chisq", "ImageModel")
    # A small difference of large numbers: what rounding leaves of it where the fit is perfect is not 0.
    keep = ~by_chance.any(axis=0)
    np.testing.assert_allclose(side.arrays["SCI"][keep], image["chisq"][keep], rtol=1e-5, atol=1e-5)
    return ours, image


def assert_close(ours, theirs, ulp):
    if ulp == 0:
        np.testing.assert_array_equal(ours, theirs)
        return
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    known = np.isfinite(theirs)
    np.testing.assert_array_equal(ours[~known], theirs[~known])
    np.testing.assert_array_max_ulp(ours[known], theirs[known], ulp)


@pytest.mark.parametrize("nints", [1, 2, 3])
@pytest.mark.parametrize("ngroups", [4, 5, 6, 10, 11, 37])
def test_single_frames(ngroups, nints):
    ramp, refs = ramps(ngroups * 10 + nints, nints, ngroups)
    compare(ramp, refs)


@pytest.mark.parametrize("zero_frame", [True, False])
@pytest.mark.parametrize(("nframes", "groupgap", "ngroups"), [(2, 0, 5), (4, 1, 8), (8, 2, 6), (8, 12, 12)])
def test_averaged_groups(nframes, groupgap, ngroups, zero_frame):
    ramp, refs = ramps(5, 2, ngroups, nframes, groupgap)
    if not zero_frame:
        ramp = ramp.with_(zeroframe=None)
    compare(ramp, refs)


@pytest.mark.parametrize("groups", [(1, None), (None, 7), (2, 6), (0, 20)])
def test_group_range(groups):
    ramp, refs = ramps(6, 2, 9)
    compare(ramp, refs, firstgroup=groups[0], lastgroup=groups[1])


def test_without_dark():
    ramp, refs = ramps(7, 2, 6)
    compare(ramp.with_(zeroframe=None, average_dark_current=None), refs)


@pytest.mark.parametrize("instrument", ["MIRI", "NIRSPEC"])
def test_other_instruments(instrument):
    ramp, refs = ramps(8, 1, 8)
    groupdq = ramp.groupdq.copy()
    groupdq[:, [0, -1]] |= np.uint8(DQ.DO_NOT_USE)
    exposure = replace(ramp.exposure, instrument=instrument)
    compare(ramp.with_(exposure=exposure, groupdq=groupdq), refs)


def test_charge_loss_and_suppression_change_nothing():
    ramp, refs = ramps(9, 2, 7)
    groupdq = ramp.groupdq.copy()
    groupdq[np.random.default_rng(0).random(groupdq.shape) < 0.05] |= np.uint8(DQ.CHARGELOSS | DQ.DO_NOT_USE)
    compare(ramp.with_(groupdq=groupdq), refs)


def test_many_integrations():
    """The median of the integrations, which the average starts from, of an even and an odd number."""
    for nints in (40, 41):
        ramp, refs = ramps(10, nints, 5, shape=(6, 40))
        compare(ramp, refs)


@pytest.mark.parametrize("ngroups", [1, 3])
def test_few_groups_are_fitted_by_least_squares(ngroups):
    ramp, refs = ramps(11, 2, ngroups)
    tiles = Tiles(threads=1)
    ours = ramp_fit(ramp, refs, RampFitParams(algorithm="LIKELY"), tiles)
    least_squares = ramp_fit(ramp, refs, RampFitParams(), tiles)
    image, _, _ = official_ramp_fit(ramp, refs, algorithm="LIKELY")
    for name, key in NAMES:
        np.testing.assert_array_equal(getattr(ours.rate, name), image[key])
        np.testing.assert_array_equal(getattr(ours.rate, name), getattr(least_squares.rate, name))


def test_an_unusable_zero_frame_is_left_out():
    """Officially it is taken for a signal of 0; then the first group, without it, is too high."""
    ramp, refs = ramps(12, 1, 8, 4, 0)
    flat = np.broadcast_to(np.arange(8, dtype=np.float32)[:, None, None] * 100 + 150, (1, 8, 24, 120))
    gain = replace(refs["gain"], data=np.full((24, 120), 1.8, np.float32))
    noise = replace(refs["readnoise"], data=np.full((24, 120), 11.0, np.float32))
    refs = {"gain": gain, "readnoise": noise}
    ramp = ramp.with_(
        data=np.ascontiguousarray(flat),
        groupdq=np.zeros(flat.shape, np.uint8),
        pixeldq=np.zeros((24, 120), np.uint32),
        zeroframe=np.zeros((1, 24, 120), np.float32),
    )
    ours = ramp_fit(ramp, refs, RampFitParams(algorithm="LIKELY"), Tiles(threads=1))
    image, _, _ = official_ramp_fit(ramp, refs, algorithm="LIKELY")
    rate = 100 / ramp.exposure.group_time
    np.testing.assert_allclose(ours.rate.data, rate, rtol=1e-5)
    assert not ours.rate.dq.any()
    assert ((image["dq"] & DQ.JUMP_DET) != 0).all() or (np.abs(image["slope"] - rate) > 0.01 * rate).all()


def test_gain_factor_of_a_single_integration():
    """Officially both products are one array, which gain_scale then multiplies twice; here, once each."""
    ramp, refs = ramps(5, 1, 6)
    image, cube, _ = official_ramp_fit(ramp, refs, algorithm="LIKELY")
    assert np.shares_memory(image["slope"], cube["slope"])
    rates = ramp_fit(ramp, refs, RampFitParams(algorithm="LIKELY"), Tiles())
    rates = rates.with_(exposure=replace(rates.exposure, gain_factor=2.0))
    scaled = gain_scale(rates, {"gain": None}, GainScaleParams(), Tiles())
    for before, after in ((rates.rate, scaled.rate), (rates.rateints, scaled.rateints)):
        np.testing.assert_array_equal(after.data, 2 * before.data)
        np.testing.assert_array_equal(after.var_rnoise, 4 * before.var_rnoise)
