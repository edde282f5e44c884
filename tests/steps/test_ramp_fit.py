from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.cutouts import cut
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ParameterError, Skip
from jwcal_interactive.steps.ramp_fit import RampFitParams, ramp_fit
from jwcal_interactive.steps.ramp_segments import group_times, ramp_segments
from jwcal_interactive.tiles import Tiles

TILES = Tiles(threads=1)
GONE = DQ.DO_NOT_USE | DQ.SATURATED


@pytest.fixture
def refs_of(reference_of):
    def make(shape=(1, 1), gain=2.0, readnoise=10.0, **keywords):
        return {
            "gain": reference_of("gain", np.broadcast_to(gain, shape), **keywords),
            "readnoise": reference_of("readnoise", np.broadcast_to(readnoise, shape)),
        }

    return make


@pytest.fixture
def fit(ramp_of, refs_of):
    """Fit one pixel: values (nints, ngroups) or (ngroups,), groups of 10 s."""

    def make(values, flags=0, pixeldq=0, zeroframe=None, gain=2.0, dark=None, **params):
        values = np.atleast_2d(values)[:, :, None, None]
        flags = np.broadcast_to(flags, values.shape[:2])[:, :, None, None]
        frames = None if zeroframe is None else np.reshape(zeroframe, (-1, 1, 1))
        ramp = ramp_of(values, groupdq=flags, pixeldq=pixeldq, zeroframe=frames)
        if dark is not None:
            ramp = ramp.with_(average_dark_current=np.full((1, 1), dark, np.float32))
        return ramp_fit(ramp, refs_of(gain=gain), RampFitParams(**params), TILES)

    return make


def rising(ngroups=8, rate=5.0, start=100.0):
    return start + rate * 10.0 * np.arange(ngroups)


def test_a_straight_ramp(fit):
    out = fit(rising(), dark=0.5)
    noise = 20 / np.sqrt(2)  # of a group, electron
    read = 12 * (noise / 10) ** 2 / ((8**3 - 8) * 2**2)
    poisson = (5 + 0.5) / (10 * 2 * 7)
    for slopes in (out.rate, out.rateints):
        assert slopes.data.item() == pytest.approx(5)
        assert slopes.var_rnoise.item() == pytest.approx(read)
        assert slopes.var_poisson.item() == pytest.approx(poisson)
        assert slopes.err.item() == pytest.approx(np.sqrt(read + poisson))
        assert slopes.dq.item() == 0
    assert out.rate.data.shape == (1, 1)
    assert out.rateints.data.shape == (1, 1, 1)


def test_a_jump_starts_a_segment(fit):
    values = rising()
    values[4:] += 3000
    flags = [0, 0, 0, 0, DQ.JUMP_DET, 0, 0, 0]
    out = fit(values, flags)
    assert out.rate.data.item() == pytest.approx(5)
    assert out.rate.dq.item() == DQ.JUMP_DET
    noise = 20 / np.sqrt(2)
    assert out.rate.var_rnoise.item() == pytest.approx(12 * (noise / 10) ** 2 / (60 * 4) / 2)


def test_saturated_groups_are_left_out(fit):
    values = rising()
    values[5:] = 65535
    out = fit(values, [0] * 5 + [DQ.SATURATED] * 3)
    assert out.rate.data.item() == pytest.approx(5)
    assert out.rate.dq.item() == out.rateints.dq.item() == DQ.SATURATED


def test_saturated_from_the_start(fit):
    out = fit([rising(), rising()], [[DQ.SATURATED] * 8, [0] * 8])
    assert np.isnan(out.rateints.data[0]).all()
    assert out.rateints.dq.ravel().tolist() == [GONE, 0]
    assert out.rateints.err[0].item() == 0
    # The other integration makes the exposure usable.
    assert out.rate.data.item() == pytest.approx(5)
    assert out.rate.dq.item() == DQ.SATURATED


def test_an_exposure_without_a_usable_group_gives_a_product(fit):
    out = fit([rising(), rising()], DQ.SATURATED)
    assert np.isnan(out.rate.data).all()
    assert out.rate.dq.item() == GONE
    assert out.rate.err.item() == out.rate.var_poisson.item() == out.rate.var_rnoise.item() == 0


def test_only_jumps(fit):
    out = fit(rising(), DQ.JUMP_DET)
    assert (out.rate.data.item(), out.rate.err.item(), out.rate.dq.item()) == (0, 0, DQ.JUMP_DET)


@pytest.mark.parametrize("pixeldq", [DQ.DO_NOT_USE, DQ.SATURATED, DQ.HOT])
def test_flags_of_the_pixel(fit, pixeldq):
    out = fit(rising(), pixeldq=pixeldq)
    for slopes in (out.rate, out.rateints):
        assert slopes.dq.item() == pixeldq
        assert np.isnan(slopes.data.item()) == (pixeldq != DQ.HOT)


@pytest.mark.parametrize("gain", [np.nan, 0.0, -1.0])
def test_pixels_without_gain(fit, gain):
    out = fit(rising(), gain=gain)
    assert out.rate.dq.item() == DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE
    assert np.isnan(out.rate.data.item())
    assert out.rate.err.item() == 0


def test_one_good_group(fit):
    values, flags = rising(start=50), [0] + [DQ.SATURATED] * 7
    suppressed = fit(values, flags)
    assert suppressed.rate.dq.item() == GONE
    assert np.isnan(suppressed.rate.data.item())
    kept = fit(values, flags, suppress_one_group=False)
    assert kept.rate.data.item() == pytest.approx(50 / 10)
    assert kept.rate.dq.item() == DQ.SATURATED


@pytest.mark.parametrize("nints", [1, 3])
def test_charge_loss_changes_the_slope_but_not_the_read_noise(fit, nints):
    values, flags = np.tile(rising(), (nints, 1)), np.zeros((nints, 8), int)
    values[:, 5:] -= 20
    flags[0, 5:] = DQ.CHARGELOSS | DQ.DO_NOT_USE
    values[1:] = rising()
    out, complete = fit(values, flags), fit(np.tile(rising(), (nints, 1)))
    for ours, expected in ((out.rate, complete.rate), (out.rateints, complete.rateints)):
        np.testing.assert_allclose(ours.data, 5, rtol=1e-6)
        np.testing.assert_allclose(ours.var_rnoise, expected.var_rnoise, rtol=1e-6)
    assert out.rateints.var_poisson[0].item() > complete.rateints.var_poisson[0].item()


@pytest.mark.parametrize("frame", [30.0, 0.0])
def test_zero_frame(fit, frame):
    out = fit(rising(), DQ.SATURATED, zeroframe=frame, suppress_one_group=False)
    if frame:
        assert out.rate.data.item() == pytest.approx(frame / 10)
        assert out.rate.dq.item() == DQ.SATURATED
    else:
        assert out.rate.dq.item() == GONE


def test_single_group_integrations(fit):
    out = fit([[40.0], [60.0]])
    assert out.rateints.data.ravel().tolist() == pytest.approx([4, 6])
    assert out.rate.data.item() == pytest.approx(5)


def test_two_groups(fit):
    assert fit([[40.0, 90.0]]).rate.data.item() == pytest.approx(5)


@pytest.mark.parametrize(("params", "slope"), [({"firstgroup": 4}, 20), ({"lastgroup": 3}, 5)])
def test_range_of_groups(fit, params, slope):
    values = np.concatenate([rising(4), 1000 + rising(4, rate=20)])
    assert fit(values, **params).rate.data.item() == pytest.approx(slope)


@pytest.mark.parametrize("groups", [(4, 4), (5, 2), (7, None), (None, 0), (12, None)])
def test_range_that_leaves_nothing(fit, groups):
    with pytest.raises(ParameterError, match=r"fewer than two of the 8 groups"):
        fit(rising(), firstgroup=groups[0], lastgroup=groups[1])


@pytest.mark.parametrize("groups", [(0, 7), (0, 30), (None, 30)])
def test_range_that_leaves_all(fit, groups):
    out = fit(rising(), firstgroup=groups[0], lastgroup=groups[1])
    np.testing.assert_array_equal(out.rate.err, fit(rising()).rate.err)


def test_gain_factor_of_the_gain_reference_goes_into_the_product(ramp_of, refs_of):
    ramp = ramp_of(rising()[None, :, None, None])
    out = ramp_fit(ramp, refs_of(GAINFACT=1.5), RampFitParams(), TILES)
    assert out.exposure.gain_factor == out.keywords["GAINFACT"].value == 1.5
    without = ramp_fit(ramp, refs_of(), RampFitParams(), TILES)
    assert without.exposure.gain_factor is None
    assert "GAINFACT" not in without.keywords


def test_missing_frame_time_follows_from_the_group_time(ramp_of, refs_of):
    facts = {"nframes": 4, "groupgap": 1}
    results = [
        ramp_fit(ramp_of([[[[40.0]]]], frame_time=time, **facts), refs_of(), RampFitParams(), TILES)
        for time in (2.0, None)
    ]
    assert results[0].rate.data.item() == results[1].rate.data.item() == pytest.approx(40 / (2.5 * 2))


def test_inputs_do_not_change(ramp_of, refs_of, bytes_of):
    ramp = ramp_of(rising()[None, :, None, None], groupdq=DQ.CHARGELOSS, zeroframe=np.ones((1, 1, 1)))
    refs = refs_of(gain=-1.0)
    before = bytes_of(ramp, *refs.values())
    ramp_fit(ramp, refs, RampFitParams(firstgroup=2, suppress_one_group=False), TILES)
    assert bytes_of(ramp, *refs.values()) == before


@pytest.mark.parametrize(("threads", "rows"), [(1, 1), (2, 3), (3, 64)])
def test_tiles(ramp_of, refs_of, threads, rows):
    rng = np.random.default_rng(0)
    data = np.cumsum(rng.poisson(50, (2, 5, 10, 300)), axis=1)
    ramp = ramp_of(data, groupdq=rng.choice([0, 0, 0, 4, 2], data.shape))
    refs = refs_of((10, 300))
    expected = ramp_fit(ramp, refs, RampFitParams(), TILES)
    out = ramp_fit(ramp, refs, RampFitParams(), Tiles(threads=threads, band_rows=rows))
    for a, b in ((out.rate, expected.rate), (out.rateints, expected.rateints)):
        for name in ("data", "err", "dq", "var_poisson", "var_rnoise"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_no_reference(ramp_of, refs_of):
    ramp = ramp_of(rising()[None, :, None, None])
    with pytest.raises(Skip, match="readnoise"):
        ramp_fit(ramp, refs_of() | {"readnoise": None}, RampFitParams(), TILES)


def test_stripes_are_refused(ramp_of, refs_of):
    ramp = ramp_of(rising()[None, :, None, None], keywords={"SSTR_NST": 4})
    with pytest.raises(InputError, match="SSTR_NST"):
        ramp_fit(ramp, refs_of(), RampFitParams(), TILES)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"firstgroup": -1}, ">= 0"),
    ],
)
def test_refused_parameters(values, text):
    with pytest.raises(ParameterError, match=text):
        RampFitParams.build("ramp_fit", values)


def test_all_official_parameters_are_known():
    from jwst.ramp_fitting import RampFitStep

    ours = {*RampFitParams.model_fields, *RampFitParams.without_effect}
    official = {line.split("=")[0].strip() for line in RampFitStep.spec.strip().splitlines()}
    assert official <= ours
    for name in official & set(RampFitParams.model_fields):
        assert getattr(RampFitParams(), name) == getattr(RampFitStep(), name)


class TestLikelihood:
    """The algorithm LIKELY."""

    def test_a_straight_ramp(self, fit):
        out = fit(rising(), algorithm="LIKELY", save_opt=True)
        for slopes in (out.rate, out.rateints):
            assert slopes.data.item() == pytest.approx(5)
            assert slopes.err.item() ** 2 == pytest.approx(
                slopes.var_poisson.item() + slopes.var_rnoise.item(), rel=1e-5
            )
            assert slopes.dq.item() == 0
        (side,) = out.side_products
        assert (side.suffix, side.file) == ("likely_chisq", "")
        assert side.arrays["SCI"].item() == pytest.approx(0, abs=1e-6)

    def test_finds_jumps_that_nobody_flagged(self, fit):
        values = rising()
        values[4:] += 3000
        out = fit([values, rising()], algorithm="LIKELY")
        assert out.rateints.dq.ravel().tolist() == [DQ.JUMP_DET, 0]
        assert out.rate.dq.item() == DQ.JUMP_DET
        np.testing.assert_allclose(out.rateints.data.ravel(), 5, rtol=1e-5)
        assert out.rateints.err[0].item() > out.rateints.err[1].item()

    def test_nothing_usable(self, fit):
        out = fit([rising(), rising()], [[0] + [DQ.SATURATED] * 7, [0] * 8], algorithm="LIKELY")
        assert np.isnan(out.rateints.data[0]).all()
        assert out.rateints.dq.ravel().tolist() == [DQ.SATURATED, 0]
        assert out.rate.data.item() == pytest.approx(5)
        assert fit(rising(), DQ.DO_NOT_USE, algorithm="LIKELY").rate.dq.item() == DQ.DO_NOT_USE

    def test_few_groups_are_fitted_by_least_squares(self, fit):
        values = [3.0, 50.0, 71.0]
        ours, theirs = fit(values, algorithm="LIKELY", save_opt=True), fit(values, save_opt=True)
        assert ours.rate.data.item() == theirs.rate.data.item()
        assert [side.suffix for side in ours.side_products] == ["fitopt"]

    @pytest.mark.parametrize(("params", "slope"), [({"firstgroup": 4}, 20), ({"lastgroup": 3}, 5)])
    def test_range_of_groups(self, fit, params, slope):
        values = np.concatenate([rising(4), 1000 + rising(4, rate=20)])
        assert fit(values, algorithm="LIKELY", **params).rate.data.item() == pytest.approx(slope)

    def test_a_zero_frame_of_averaged_groups(self, ramp_of, refs_of):
        facts = {"nframes": 4, "frame_time": 2.5}
        values = rising(6, rate=5, start=31.25)[None, :, None, None]  # 12.5 DN per frame, from 0
        p = RampFitParams(algorithm="LIKELY")
        errors = {}
        for frame in (12.5, 0.0, None):
            frames = None if frame is None else np.full((1, 1, 1), frame)
            out = ramp_fit(ramp_of(values, zeroframe=frames, **facts), refs_of(), p, TILES)
            assert out.rate.data.item() == pytest.approx(5)
            errors[frame] = out.rate.err.item()
        assert errors[12.5] < errors[None] < errors[0.0]

    @pytest.mark.parametrize(("threads", "rows"), [(1, 1), (2, 3)])
    def test_tiles(self, ramp_of, refs_of, bytes_of, threads, rows):
        rng = np.random.default_rng(0)
        data = np.cumsum(rng.poisson(50, (2, 5, 10, 150)), axis=1)
        ramp, refs = ramp_of(data, groupdq=rng.choice([0, 0, 0, 4, 2], data.shape)), refs_of((10, 150))
        before = bytes_of(ramp, *refs.values())
        p = RampFitParams(algorithm="LIKELY", save_opt=True)
        expected = ramp_fit(ramp, refs, p, TILES)
        out = ramp_fit(ramp, refs, p, Tiles(threads=threads, band_rows=rows))
        for a, b in ((out.rate, expected.rate), (out.rateints, expected.rateints)):
            for name in ("data", "err", "dq", "var_poisson", "var_rnoise"):
                np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert bytes_of(ramp, *refs.values()) == before


class TestOptionalProduct:
    def test_layout(self, fit):
        values = rising()
        values[4:] += 3000
        out = fit([values, rising()], [[0, 0, 0, 0, DQ.JUMP_DET, 0, 0, 0], [0] * 8], save_opt=True)
        (side,) = out.side_products
        assert (side.suffix, side.model, side.file) == ("fitopt", "RampFitOutputModel", "")
        assert [*side.arrays] == [
            "SLOPE", "SIGSLOPE", "VAR_POISSON", "VAR_RNOISE", "YINT", "SIGYINT", "PEDESTAL", "WEIGHTS", "CRMAG",
        ]  # fmt: skip
        assert side.arrays["SLOPE"].shape == (2, 2, 1, 1)
        assert side.arrays["SLOPE"].ravel().tolist() == pytest.approx([5, 5, 5, 0])
        assert side.arrays["PEDESTAL"].shape == (2, 1, 1)
        assert side.arrays["CRMAG"].ravel().tolist() == pytest.approx([3050, 0])
        np.testing.assert_array_equal(
            out.rate.data, fit([values, rising()], [[0] * 4 + [4] + [0] * 3, [0] * 8]).rate.data
        )

    @pytest.mark.parametrize("name", ["mine", "mine.fits"])
    def test_name(self, fit, name):
        (side,) = fit(rising(), save_opt=True, opt_name=name).side_products
        assert side.file == "mine_fitopt.fits"

    def test_not_asked_for(self, fit):
        assert fit(rising()).side_products == ()


class TestMidInfrared:
    @pytest.fixture
    def miri(self, ramp_of, refs_of):
        def make(flags, **params):
            ramp = ramp_of(rising()[None, :, None, None], instrument="MIRI", detector="MIRIMAGE")
            flags = np.array(flags, np.uint8)[None, :, None, None]
            return ramp_fit(ramp.with_(groupdq=flags), refs_of(), RampFitParams(**params), TILES)

        return make

    def test_groups_that_are_flagged_everywhere_do_not_count(self, miri):
        """A ramp that is saturated in all other groups is saturated in full."""
        out = miri([1] + [DQ.SATURATED] * 6 + [1])
        assert out.rate.dq.item() == GONE
        out = miri([1, DQ.JUMP_DET, 0, 0, 0, 0, 0, DQ.JUMP_DET | 1])
        assert out.rate.dq.item() == 0
        assert out.rate.data.item() == pytest.approx(5)

    @pytest.mark.parametrize("flags", [[1] * 8, [1] * 6 + [0, 1]])
    def test_too_few_groups(self, miri, flags):
        with pytest.raises(Skip, match="fewer than two groups"):
            miri(flags)

    def test_the_likelihood_takes_all_groups(self, miri):
        assert miri([1] * 8, algorithm="LIKELY").rate.dq.item() == DQ.DO_NOT_USE


def test_bands_of_the_frame_are_fitted_as_in_the_whole(ramp_of, refs_of):
    rng = np.random.default_rng(1)
    data = np.cumsum(rng.poisson(50, (2, 6, 12, 20)), axis=1)
    ramp, refs = ramp_of(data, groupdq=rng.choice([0, 0, 0, 4, 2], data.shape)), refs_of((12, 20))
    for p in (RampFitParams(), RampFitParams(algorithm="LIKELY")):
        whole = ramp_fit(ramp, refs, p, TILES)
        assert ramp_fit.reach_for(ramp.exposure, refs, p) == 0
        for y0, y1 in ((0, 5), (5, 12)):
            band, cut_refs = cut(ramp, refs, slice(y0, y1))
            part = ramp_fit(band, cut_refs, p, TILES)
            np.testing.assert_array_equal(part.rateints.data, whole.rateints.data[:, y0:y1])
            np.testing.assert_array_equal(part.rate.err, whole.rate.err[y0:y1])
    assert ramp_fit.reach_for(ramp.exposure, refs, RampFitParams(save_opt=True)) is None


class TestLines:
    """Segments for display."""

    @pytest.fixture
    def lines(self, ramp_of, refs_of):
        def make(values, flags=0, pixeldq=0, zeroframe=None, nframes=1, groupgap=0, gain=2.0, **params):
            values = np.asarray(values, float)[None, :, None, None]
            flags = np.broadcast_to(flags, values.shape[1])[None, :, None, None]
            frames = None if zeroframe is None else np.full((1, 1, 1), zeroframe)
            ramp = ramp_of(
                values, groupdq=flags, pixeldq=pixeldq, zeroframe=frames, nframes=nframes,
                groupgap=groupgap, frame_time=10 / (nframes + groupgap),
            )  # fmt: skip
            times = group_times(ramp.exposure)
            return ramp_segments(ramp, refs_of(gain=gain), RampFitParams(**params), 0, 0, 0), times

        return make

    @pytest.mark.parametrize(("nframes", "groupgap"), [(1, 0), (4, 1), (8, 12)])
    def test_run_through_the_groups_at_their_times(self, lines, nframes, groupgap):
        values = rising()
        values[3:] += 777
        flags = [0, 0, 0, DQ.JUMP_DET, 0, 0, DQ.SATURATED, DQ.SATURATED]
        found, times = lines(values, flags, nframes=nframes, groupgap=groupgap)
        assert [(line.first, line.last) for line in found] == [(0, 2), (3, 5)]
        for line in found:
            stretch = slice(line.first, line.last + 1)
            expected = values[stretch]
            np.testing.assert_allclose(line.intercept + line.slope * times[stretch], expected, rtol=1e-6)

    def test_group_times(self, lines):
        # Four frames of 2 s and a dropped one: the first group's mean is at 2.5 frames.
        assert lines(rising(3), nframes=4, groupgap=1)[1].tolist() == [5.0, 15.0, 25.0]

    def test_two_groups_and_one(self, lines):
        found, times = lines(rising(), [0, 0, 1, 1, 0, 1, 1, 1])
        assert [(line.first, line.last) for line in found] == [(0, 1)]
        found, times = lines(rising(), [1, 1, 1, 0, 1, 1, 1, 1], suppress_one_group=False)
        (line,) = found
        assert (line.first, line.last) == (3, 3)
        assert line.slope == pytest.approx(250 / 10)
        assert line.intercept + line.slope * times[3] == pytest.approx(250)

    def test_first_group_and_zero_frame_start_at_zero(self, lines):
        (line,), _ = lines(rising(), [0] + [DQ.SATURATED] * 7, suppress_one_group=False)
        assert (line.slope, line.intercept) == (pytest.approx(10), pytest.approx(0))
        (line,), _ = lines(rising(), DQ.SATURATED, zeroframe=30.0, suppress_one_group=False)
        assert (line.slope, line.intercept) == (pytest.approx(3), pytest.approx(0))

    @pytest.mark.parametrize(
        "facts",
        [{"flags": DQ.SATURATED}, {"flags": [0] + [1] * 7}, {"pixeldq": DQ.DO_NOT_USE}, {"gain": np.nan}],
    )
    def test_none_where_there_is_no_slope(self, lines, facts):
        assert lines(rising(), **facts)[0] == ()

    def test_likelihood(self, lines):
        """One slope, drawn through each run of groups between jumps, found or flagged, at their means."""
        values = rising(10)
        values[4:] += 3000
        flags = [0] * 7 + [DQ.DO_NOT_USE] + [0] * 2
        found, times = lines(values, flags, algorithm="LIKELY")
        assert [(line.first, line.last) for line in found] == [(0, 3), (4, 6), (8, 9)]
        for line in found:
            stretch = slice(line.first, line.last + 1)
            np.testing.assert_allclose(line.intercept + line.slope * times[stretch], values[stretch], rtol=1e-5)

    def test_likelihood_with_a_zero_frame(self, lines):
        values = rising(6, start=31.25)
        found, times = lines(values, algorithm="LIKELY", nframes=4, zeroframe=12.5)
        assert [(line.first, line.last) for line in found] == [(0, 5)]
        found, times = lines(values, [0, 1, 0, 0, 0, 0], algorithm="LIKELY", nframes=4, zeroframe=12.5)
        assert [(line.first, line.last) for line in found] == [(0, 0), (2, 5)]
        assert found[0].intercept + found[0].slope * times[0] == pytest.approx(31.25)

    def test_no_likelihood_without_a_difference(self, lines):
        assert lines(rising(), [0, 1] * 4, algorithm="LIKELY")[0] == ()
