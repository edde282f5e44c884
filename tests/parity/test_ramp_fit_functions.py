"""ramp_fit against the official C code, on random arrays with all kinds of flags."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_ramps import official_ramp_fit, random_ramps

from jwcal_interactive.arrays import Card, Reference, Slopes
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.ramp_fit import ramp_fit
from jwcal_interactive.steps.ramp_segments import ramp_segments
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


def assert_same(ours: Slopes, theirs: dict) -> None:
    for name, key in (
        ("dq", "dq"), ("data", "slope"), ("var_poisson", "var_poisson"), ("var_rnoise", "var_rnoise"),
        ("err", "err"),
    ):  # fmt: skip
        np.testing.assert_array_equal(getattr(ours, name), theirs[key], err_msg=name)


def compare(ramp, refs, **options):
    suppress = options.get("suppress", True)
    p = ramp_fit.params(
        suppress_one_group=suppress,
        firstgroup=options.get("firstgroup"),
        lastgroup=options.get("lastgroup"),
        save_opt=options.get("save_opt", False),
    )
    ours = ramp_fit(ramp, refs, p, Tiles(threads=2, band_rows=7))
    image, cube, optional = official_ramp_fit(ramp, refs, **options)
    assert_same(ours.rateints, cube)
    assert_same(ours.rate, image)
    if p.save_opt:
        (side,) = ours.side_products
        assert (side.suffix, side.model) == ("fitopt", "RampFitOutputModel")
        assert set(side.arrays) == {name.upper() for name in optional}
        for name, theirs in optional.items():
            np.testing.assert_array_equal(side.arrays[name.upper()], theirs, err_msg=name)


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize("nints", [1, 3])
@pytest.mark.parametrize("ngroups", [1, 2, 3, 4, 5, 10, 37])
def test_bit_identical(ngroups, nints, suppress):
    ramp, refs = random_ramps(ngroups * 10 + nints, nints, ngroups)
    compare(ramp, refs, suppress=suppress)


@pytest.mark.parametrize(("nframes", "groupgap"), [(2, 0), (4, 1), (8, 2)])
def test_averaged_groups(nframes, groupgap):
    ramp, refs = random_ramps(5, 2, 6, nframes, groupgap)
    compare(ramp, refs)
    compare(ramp, refs, suppress=False)


@pytest.mark.parametrize("share", [0.01, 0.2])
@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize(
    ("nints", "ngroups", "nframes"), [(1, 1, 1), (3, 2, 1), (3, 3, 1), (3, 5, 4), (2, 12, 1)]
)
def test_infinite_values(nints, ngroups, nframes, suppress, share):
    ramp, refs = random_ramps(30, nints, ngroups, nframes)
    rng = np.random.default_rng(31)
    infinite = rng.choice(np.float32([np.inf, -np.inf]), ramp.data.shape)
    ramp = ramp.with_(data=np.where(rng.random(ramp.data.shape) < share, infinite, ramp.data))
    compare(ramp, refs, suppress=suppress)


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize("nints", [1, 3])
def test_jumps_in_single_groups(nints, suppress):
    """No step flags them; they come with the raw exposure. The zero frame stands in.

    The official code does not see that a zero frame is still in the byte order of its file.
    """
    ramp, refs = random_ramps(32, nints, 1)
    flagged = np.random.default_rng(33).random(ramp.data.shape) < 0.2
    ramp = ramp.with_(groupdq=ramp.groupdq | np.where(flagged, DQ.JUMP_DET, 0).astype(np.uint8))
    compare(ramp, refs, suppress=suppress)
    as_in_file = ramp.with_(zeroframe=ramp.zeroframe.astype(">f4"))
    _, theirs, _ = official_ramp_fit(as_in_file, refs, suppress=suppress)
    ours = ramp_fit(ramp, refs, ramp_fit.params(suppress_one_group=suppress), Tiles(threads=1)).rateints
    different = (theirs["slope"] != ours.data) & np.isfinite(ours.data)
    assert different.any()
    assert (ramp.groupdq[:, 0][different] != 0).all()


@pytest.mark.parametrize("groups", [(1, None), (None, 6), (2, 5), (0, 8), (3, 20)])
def test_group_range(groups):
    ramp, refs = random_ramps(6, 2, 9)
    compare(ramp, refs, firstgroup=groups[0], lastgroup=groups[1])


def test_without_dark_and_zero_frame():
    ramp, refs = random_ramps(7, 2, 5)
    ramp = ramp.with_(zeroframe=None, average_dark_current=None)
    compare(ramp, refs)
    compare(ramp, refs, suppress=False)


@pytest.mark.parametrize("nints", [1, 3])
@pytest.mark.parametrize("suppress", [True, False])
def test_charge_loss(suppress, nints):
    ramp, refs = random_ramps(8, nints, 8, charge=True)
    compare(ramp, refs, suppress=suppress)


def test_unflagged_ramps():
    """The code path of ramps without any flag, on all brightnesses."""
    ramp, refs = random_ramps(9, 2, 10, shape=(64, 130))
    good = Reference(reftype="gain", name="g", data=np.full((64, 130), 1.9, np.float32))
    ramp = ramp.with_(
        data=np.nan_to_num(ramp.data),
        groupdq=np.zeros_like(ramp.groupdq),
        pixeldq=np.zeros_like(ramp.pixeldq),
    )
    compare(ramp, {**refs, "gain": good})


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize(
    ("nints", "ngroups", "nframes", "groupgap"), [(1, 2, 1, 0), (3, 9, 1, 0), (2, 6, 4, 1)]
)
def test_optional_product(nints, ngroups, nframes, groupgap, suppress):
    ramp, refs = random_ramps(20, nints, ngroups, nframes, groupgap)
    dropped = (Card("DRPFRMS1", 2, ""),)
    ramp = ramp.with_(exposure=replace(ramp.exposure, primary=dropped))
    compare(ramp, refs, save_opt=True, suppress=suppress)


def test_optional_product_without_jumps():
    ramp, refs = random_ramps(21, 1, 5)
    ramp = ramp.with_(groupdq=ramp.groupdq & np.uint8(DQ.SATURATED))
    compare(ramp, refs, save_opt=True)


def mid_infrared(ramp, start, stop):
    """The same ramps from MIRI, with groups before start and from stop on DO_NOT_USE everywhere."""
    groupdq = ramp.groupdq.copy()
    groupdq[:, :start] |= np.uint8(DQ.DO_NOT_USE)
    groupdq[:, stop:] |= np.uint8(DQ.DO_NOT_USE)
    exposure = replace(ramp.exposure, instrument="MIRI", detector="MIRIMAGE")
    return ramp.with_(exposure=exposure, groupdq=groupdq, zeroframe=None)


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize(("start", "stop"), [(0, 8), (1, 8), (4, 7), (0, 7), (2, 5), (6, 8)])
def test_mid_infrared(start, stop, suppress):
    """Groups that are flagged for all pixels, at the start and one at the end, do not count."""
    ramp, refs = random_ramps(22, 2, 8)
    compare(mid_infrared(ramp, start, stop), refs, suppress=suppress, save_opt=True)


@pytest.mark.parametrize(("start", "stop", "ngroups"), [(3, 3, 5), (3, 4, 5), (1, 2, 3)])
def test_mid_infrared_with_too_few_groups(start, stop, ngroups):
    ramp, refs = random_ramps(23, 1, ngroups)
    ramp = mid_infrared(ramp, start, stop)
    assert official_ramp_fit(ramp, refs)[0] is None
    with pytest.raises(Skip, match="fewer than two groups"):
        ramp_fit(ramp, refs, ramp_fit.params(), Tiles(threads=1))


@pytest.mark.parametrize("instrument", ["NIRISS", "NIRSPEC", "FGS"])
def test_other_instruments(instrument):
    ramp, refs = random_ramps(24, 2, 6)
    compare(ramp.with_(exposure=replace(ramp.exposure, instrument=instrument)), refs)


def test_segments_are_those_of_the_optional_product():
    """Lines for display against fitopt's segment slopes and intercepts."""
    ramp, refs = random_ramps(11, 2, 9, shape=(12, 40))
    _, _, optional = official_ramp_fit(ramp, refs, save_opt=True)
    p = ramp_fit.params()
    rates = ramp_fit(ramp, refs, p, Tiles(threads=1))
    group_time = np.float64(np.float32(ramp.exposure.group_time))
    checked = 0
    for i, y, x in np.ndindex(2, 12, 40):
        lines = ramp_segments(ramp, refs, p, i, y, x)
        if not np.isfinite(rates.rateints.data[i, y, x]):
            continue
        theirs = optional["slope"][i, :, y, x]
        np.testing.assert_array_equal(np.float32([line.slope for line in lines]), theirs[: len(lines)])
        assert not theirs[len(lines) :].any()
        for s, line in enumerate(lines):
            if line.last - line.first >= 2:
                at_group_0 = line.intercept + line.slope * group_time
                np.testing.assert_allclose(at_group_0, optional["yint"][i, s, y, x], rtol=1e-5, atol=1e-3)
                checked += 1
    assert checked > 300
