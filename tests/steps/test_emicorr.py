"""emicorr: known waves are removed without harm to slopes; when it is skipped; references of no use."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.errors import Cancelled, ParameterError, ReferenceError, Skip
from jwcal_interactive.steps import emicorr_joint as joint
from jwcal_interactive.steps.emicorr import EmiCorrParams, emicorr
from jwcal_interactive.steps.emicorr_joint import lowest, median_of_positive, vertex
from jwcal_interactive.steps.emicorr_sequential import Sequence, clipped_mean_of_sorted
from jwcal_interactive.steps.emicorr_waves import Clocks, Wave
from jwcal_interactive.tiles import Tiles

ROW, FRAME = 28, 8512  # pixel clocks, SUB64
FREQUENCY = 218.52055  # Hz
AMPLITUDE = 5.0  # DN
SHAPE = (2, 12, 64, 72)
FACTS = {
    "instrument": "MIRI", "detector": "MIRIMAGE", "exp_type": "MIR_IMAGE", "subarray": "SUB64", "noutputs": 4,
    "fastaxis": 1, "readpatt": "FASTR1",
}  # fmt: skip
LINE = np.arange(SHAPE[1])[:, None, None]


def shape_of_wave(phase):
    return np.sin(2 * np.pi * phase) + 0.3 * np.cos(4 * np.pi * phase)


def interference(frequency=FREQUENCY, phase=0.37, amplitude=AMPLITUDE, shape=SHAPE, reset=FRAME, xstart=1):
    """A wave of known amplitude and phase in every pixel, DN, by the definition of the read-out."""
    nints, ngroups, ny, nx = shape
    i, g, y, x = np.ogrid[:nints, :ngroups, :ny, :nx]
    group = ny * ROW + (1024 - ny) * 7
    clock = i * (ngroups * group + reset) + g * group + y * ROW + x // 4
    clock = clock + np.where(x + xstart > 1028, 3, 0)
    return amplitude * shape_of_wave(clock * 1e-5 * frequency + phase)


def reference(*frequencies, amplitudes=None, **case):
    phase = (np.arange(200) + 0.5) / 200
    names = [f"Hz{f:.0f}" for f in frequencies or (FREQUENCY,)]
    wave = shape_of_wave(phase) if amplitudes is None else amplitudes
    entries = {
        name: {"frequency": f, "phase_amplitudes": wave}
        for name, f in zip(names, frequencies or (FREQUENCY,), strict=True)
    }
    cases = {"SUB64": {"rowclocks": ROW, "frameclocks": FRAME, "freqs": {"FAST": names}, **case}}
    return of_tree({"frequencies": entries, "subarray_cases": cases})


def of_tree(tree):
    none = np.empty((0, 0), np.float32)
    return Reference(reftype="emicorr", name="jwst_miri_emicorr_0001.asdf", data=none, tree=tree)


@pytest.fixture
def quiet(ramp_of):
    """Linear ramps with read noise of 4 DN, without interference."""

    def make(seed=0, shape=SHAPE, **facts):
        rng = np.random.default_rng(seed)
        data = 10_000 + rng.uniform(0, 30, shape[2:]) * np.arange(shape[1])[:, None, None]
        return ramp_of(data + rng.normal(0, 4, shape), **(FACTS | facts))

    return make


def run(ramp, ref=None, tiles=None, **params):
    refs = {"emicorr": ref, "user_supplied_reffile": None}
    return emicorr(
        ramp, refs, EmiCorrParams.build("emicorr", {"skip": False, **params}), tiles or Tiles(threads=1)
    )


def with_wave(ramp, wave):
    return ramp.with_(data=(ramp.data + wave).astype(np.float32))


def amplitude_left(left, wave):
    """Amplitude, in units of that of the wave, of a residual that changes from group to group."""
    left, wave = (a - a.mean(axis=1, keepdims=True) for a in (left.astype(np.float64), wave))
    return (left * wave).sum() / (wave**2).sum()


def slopes(data):
    time = np.arange(data.shape[1]) - (data.shape[1] - 1) / 2
    return np.einsum("g,ig...->i...", time, data.astype(np.float64)) / (time @ time)


METHODS = [
    {}, {"fit_ints_separately": True}, {"algorithm": "sequential"},
    {"algorithm": "sequential", "scale_reference": False}, {"onthefly_corr_freq": [FREQUENCY]},
]  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1001])
@pytest.mark.parametrize("scale", [1e-40, 1.0, 1e37])
def test_median_in_pieces(n, scale, monkeypatch):
    monkeypatch.setattr(joint, "_PIECE", 7)
    rng = np.random.default_rng(n)
    values = np.round(np.abs(rng.normal(size=n)), 2).astype(np.float32) * np.float32(scale)
    spoiled = rng.permutation(np.concatenate([values, np.float32([np.nan, -np.nan, np.inf] * 9)]))
    assert median_of_positive(spoiled.reshape(-1, 1), lambda: None) == np.median(values)
    looks = []
    median_of_positive(spoiled, lambda: looks.append(1))
    assert len(looks) > n // 7
    assert median_of_positive(np.full((2, 3), np.nan, np.float32), lambda: None) == 0


class TestTruth:
    @pytest.mark.parametrize("params", METHODS)
    @pytest.mark.parametrize("phase", [0.0, 0.371, 0.9])
    def test_a_known_wave_is_removed(self, params, phase, quiet):
        clean = quiet()
        scale = 1 if params.get("scale_reference") is False else AMPLITUDE
        wave = interference(phase=phase, amplitude=scale)
        out = run(with_wave(clean, wave), reference(), **params)
        left = out.data - clean.data
        # What is left is a small fraction of the wave, and its scatter that of the fit.
        assert abs(amplitude_left(left, wave)) < 0.03
        assert (left - left.mean(axis=1, keepdims=True)).std() < 0.06 * AMPLITUDE

    @pytest.mark.parametrize("params", METHODS[:3])
    def test_slopes_are_those_without_interference(self, params, quiet):
        clean = quiet()
        disturbed = with_wave(clean, interference())
        without, before, after = (
            slopes(r.data) for r in (clean, disturbed, run(disturbed, reference(), **params))
        )
        error = np.abs(before - without).max()
        # The sequential algorithm knows the phase to one of its bins only.
        assert np.abs(after - without).max() < (0.1 if params.get("algorithm") else 0.05) * error
        assert abs((after - without).mean()) < 0.01 * error

    def test_two_waves(self, quiet):
        clean, second = quiet(), 390.625
        wave = interference() + interference(second, phase=0.1, amplitude=3.0)
        out = run(with_wave(clean, wave), reference(FREQUENCY, second))
        left = out.data - clean.data
        assert abs(amplitude_left(left, interference())) < 0.02
        assert abs(amplitude_left(left, interference(second, phase=0.1, amplitude=3.0))) < 0.02

    def test_no_wave(self, quiet):
        clean = quiet()
        assert np.abs(run(clean, reference()).data - clean.data).max() < 0.05 * AMPLITUDE

    def test_integrations_with_waves_of_their_own(self, quiet):
        """Waves without a fixed phase between integrations need ``fit_ints_separately``."""
        clean = quiet()
        wave = interference()
        wave[1] = interference(phase=0.8, amplitude=2.0)[1]
        disturbed = with_wave(clean, wave)
        left = run(disturbed, reference(), fit_ints_separately=True).data - clean.data
        for i in range(2):
            assert abs(amplitude_left(left[i : i + 1], wave[i : i + 1])) < 0.03
        together = run(disturbed, reference()).data - clean.data
        assert abs(amplitude_left(together[1:], wave[1:])) > 0.3

    def test_last_columns_of_full_frames(self, quiet):
        """Reference pixels at the right are read three clocks late, as the sequential algorithm knows."""
        shape = (1, 14, 48, 1032)
        clean = quiet(shape=shape, subarray="FULL")
        wave = interference(shape=shape)
        tree = reference(rowclocks=ROW).tree
        full = of_tree({**tree, "subarray_cases": {"FULL_FAST": tree["subarray_cases"]["SUB64"]}})
        left = run(with_wave(clean, wave), full, algorithm="sequential", nbins=40).data - clean.data
        assert abs(amplitude_left(left[..., -4:], wave[..., -4:])) < 0.1

    @pytest.mark.parametrize("readpatt", ["FAST", "FASTR1"])
    def test_the_frame_of_the_reset(self, readpatt, quiet):
        clean = quiet(readpatt=readpatt)
        wave = interference(reset=FRAME if readpatt == "FASTR1" else 0)
        left = run(with_wave(clean, wave), reference()).data - clean.data
        assert abs(amplitude_left(left, wave)) < 0.02


class TestRuns:
    @pytest.mark.parametrize("params", METHODS[:3])
    def test_bands_and_threads_do_not_matter(self, params, quiet, bytes_of):
        ramp = with_wave(quiet(), interference())
        before = bytes_of(ramp)
        one = run(ramp, reference(), **params)
        for tiles in (
            Tiles(threads=1, band_rows=5),
            Tiles(threads=4, band_rows=1),
            Tiles(threads=2, band_rows=64),
        ):
            assert run(ramp, reference(), tiles, **params).data.tobytes() == one.data.tobytes()
        assert bytes_of(ramp) == before
        assert one.groupdq.base is ramp.groupdq.base
        assert one.pixeldq.base is ramp.pixeldq.base

    def test_integrations_summed_one_by_one(self, quiet, monkeypatch):
        ramp = with_wave(quiet(), interference())
        together = run(ramp, reference())
        monkeypatch.setattr(joint, "_SUMS_BYTES", 1)
        assert run(ramp, reference()).data.tobytes() == together.data.tobytes()

    @pytest.mark.parametrize("params", METHODS[:3])
    def test_cancel(self, params, quiet):
        cancel = threading.Event()
        seen = []

        def progress(fraction):
            seen.append(fraction)
            if len(seen) == 3:
                cancel.set()

        with pytest.raises(Cancelled):
            run(quiet(), reference(), Tiles(threads=1, band_rows=8, progress=progress, cancel=cancel), **params)
        assert len(seen) == 3

    @pytest.mark.parametrize("params", METHODS[:3])
    def test_pixels_without_values_do_not_spoil_the_others(self, params, quiet):
        clean = quiet()
        wave = interference()
        data = clean.data + wave
        data[0, 4, 10:12, 30] = np.nan
        data[1, :, 20, 20] = np.inf
        out = run(clean.with_(data=data.astype(np.float32)), reference(), **params).data
        assert np.isnan(out[0, 4, 10:12, 30]).all()
        assert np.isinf(out[1, :, 20, 20]).all()
        good = np.isfinite(data)
        left = np.where(good, out - clean.data, 0)
        assert abs(amplitude_left(left, np.where(good, wave, 0))) < 0.03

    def test_flagged_pixels_do_not_count_in_the_joint_fit(self, quiet):
        clean = quiet()
        pixeldq = np.zeros(SHAPE[2:], np.uint32)
        pixeldq[::2] = 1
        wave = interference()
        data = clean.data + wave
        data[:, :, ::2] += interference(phase=0.9, amplitude=20.0)[:, :, ::2]
        out = run(clean.with_(data=data.astype(np.float32), pixeldq=pixeldq), reference())
        left = (out.data - clean.data)[:, :, 1::2]
        assert abs(amplitude_left(left, wave[:, :, 1::2])) < 0.03

    @pytest.mark.parametrize(("readpatt", "samples"), [("FASTR1", 1), ("SLOWR1", 9)])
    def test_samples_of_a_pixel_follow_from_the_read_pattern(self, readpatt, samples, quiet):
        ramp = with_wave(quiet(readpatt=readpatt), interference())
        ref = reference(freqs={"FAST": ["Hz219"], "SLOW": {"MIRIMAGE": ["Hz219"]}})
        told = with_wave(quiet(readpatt=readpatt, keywords={"NSAMPLES": samples}), interference())
        assert run(ramp, ref).data.tobytes() == run(told, ref).data.tobytes()

    def test_the_users_reference_comes_first(self, quiet):
        ramp = with_wave(quiet(), interference())
        p = EmiCorrParams(skip=False, user_supplied_reffile="mine.asdf")
        refs = {"user_supplied_reffile": reference(), "emicorr": reference(10.039216)}
        assert emicorr(ramp, refs, p, Tiles()).data.tobytes() == run(ramp, reference()).data.tobytes()
        assert emicorr.references_for(ramp.exposure, p) == ()
        assert emicorr.references_for(ramp.exposure, EmiCorrParams()) == ("emicorr",)

    def test_measured_waves_as_a_reference(self, quiet):
        clean = quiet()
        ramp = with_wave(clean, interference())
        params = {"onthefly_corr_freq": [FREQUENCY], "nbins": 50}
        assert run(ramp, **params).side_products == ()
        (side,) = run(ramp, **params, save_intermediate_results=True).side_products
        assert (side.suffix, side.model) == ("emi_ref_waves", "EmiModel")
        left = run(ramp, of_tree(side.tree)).data - clean.data
        assert abs(amplitude_left(left, interference())) < 0.05


class TestSkips:
    @pytest.mark.parametrize(
        ("facts", "why"),
        [({"instrument": "NIRCAM"}, "for MIRI"), ({"readpatt": "FASTR100"}, "READPATT"),
         ({"subarray": "SUB128"}, "frequencies for SUB128"), ({"readpatt": "SLOWR1"}, "no frequencies")],
    )  # fmt: skip
    def test_exposures(self, facts, why, quiet):
        with pytest.raises(Skip, match=why):
            run(quiet(**facts), reference())

    def test_few_groups(self, quiet):
        with pytest.raises(Skip, match="needs 3 groups, there are 2"):
            run(quiet(shape=(1, 2, 8, 24)), reference())
        ramp = quiet(shape=(1, 3, 64, 72))
        assert run(ramp, reference()).data.shape == (1, 3, 64, 72)
        with pytest.raises(Skip, match="needs 4 groups, there are 3"):
            run(ramp, reference(), algorithm="sequential")

    @pytest.mark.parametrize("columns", [12, 22])
    def test_columns(self, columns, quiet):
        with pytest.raises(Skip, match=f"{columns} columns"):
            run(quiet(shape=(1, 5, 8, columns)), reference())

    def test_no_reference(self, quiet):
        with pytest.raises(Skip, match="no emicorr reference"):
            run(quiet(), None)

    def test_unknown_clocks(self, quiet):
        with pytest.raises(Skip, match="clocks of SUB999"):
            run(quiet(subarray="SUB999"), None, onthefly_corr_freq=[10.0])
        with pytest.raises(Skip, match="is empty"):
            run(quiet(), None, onthefly_corr_freq=[])

    @pytest.mark.parametrize("missing", ["rowclocks", "frameclocks", "freqs"])
    def test_incomplete_subarrays(self, missing, quiet):
        with pytest.raises(Skip, match="lists no frequencies"):
            run(quiet(), reference(**{missing: None}))

    def test_nothing_to_fit(self, quiet):
        ramp = quiet()
        flagged = ramp.with_(pixeldq=np.ones(SHAPE[2:], np.uint32))
        with pytest.raises(Skip, match="no good pixels"):
            run(flagged, reference())
        with pytest.raises(Skip, match="no wave can be fitted"):
            run(ramp, reference(amplitudes=np.full(20, 1.5)))
        with pytest.raises(Skip, match="phases have no pixels"):
            run(quiet(shape=(1, 5, 2, 16)), reference(), algorithm="sequential", nbins=500)


class TestBadReferences:
    @pytest.mark.parametrize(
        ("change", "why"),
        [(lambda t: t.pop("frequencies"), "no mapping 'frequencies'"),
         (lambda t: t.update(subarray_cases=None), "no mapping 'subarray_cases'"),
         (lambda t: t["frequencies"].clear(), "Hz219, which is not among"),
         (lambda t: t["frequencies"]["Hz219"].update(frequency=0.0), r"Hz219\.frequency is 0\.0"),
         (lambda t: t["frequencies"]["Hz219"].update(phase_amplitudes=[1.0, np.nan]), "phase_amplitudes"),
         (lambda t: t["frequencies"]["Hz219"].update(phase_amplitudes="sine"), "phase_amplitudes"),
         (lambda t: t["frequencies"]["Hz219"].update(phase_amplitudes=[1.0]), "two or more"),
         (lambda t: t["subarray_cases"]["SUB64"].update(rowclocks="many"), r"rowclocks is 'many'")],
    )  # fmt: skip
    def test_message(self, change, why, quiet):
        tree = copy.deepcopy(dict(reference().tree))
        change(tree)
        with pytest.raises(ReferenceError, match=why):
            run(quiet(), of_tree(tree))

    @pytest.mark.parametrize("frequency", [0.0, -3.0, 60_000.0])
    def test_frequencies_of_the_user(self, frequency, quiet):
        with pytest.raises(ParameterError, match="onthefly_corr_freq"):
            run(quiet(), None, onthefly_corr_freq=[frequency])


class TestParts:
    def test_phase_between_trials(self):
        phases = np.arange(500) / 500
        for truth in (0.0003, 0.4321, 0.9996):
            distance = (phases - truth + 0.5) % 1 - 0.5
            chisq = distance**2 - 3
            found = vertex(chisq, lowest(chisq, np.ones(500)))
            assert abs((found - truth + 0.5) % 1 - 0.5) < 1e-9

    def test_phase_where_neighbours_do_not_help(self):
        assert vertex(np.full(10, -1.0), 4) == 0.4
        chisq = -np.ones(10)
        chisq[4], chisq[5] = -2, np.nan
        assert vertex(chisq, lowest(chisq, np.ones(10))) == 0.4

    def test_of_equal_fits_the_upright_one(self):
        chisq = -np.array([1.0, 2.0, 1.0, 2.0 * (1 + 1e-14)])
        assert lowest(chisq, np.array([1.0, 1.0, -1.0, -1.0])) == 1
        assert lowest(chisq, np.full(4, -1.0)) == 3

    @pytest.mark.parametrize("n", [1, 2, 3, 10, 501, 2000])
    def test_clipped_mean(self, n):
        from astropy.stats import sigma_clipped_stats

        rng = np.random.default_rng(n)
        values = rng.standard_t(2, n).astype(np.float32)
        mean, _, _ = sigma_clipped_stats(values.astype(np.float64))
        assert clipped_mean_of_sorted(np.sort(values)) == pytest.approx(mean, abs=1e-12)

    def test_number_of_integrations_and_bins(self):
        wave = Wave("Hz1", 1.0, np.empty(0))
        clocks = Clocks(samples=1, row=28, group=8512, frame=8512, reset=0, last_column=0, quads=18)
        assert Sequence(None, None, True, 3).integrations(clocks, wave, 50, 10) == 4
        assert Sequence(None, None, True, 3).integrations(clocks, wave, 2, 10) == 2
        assert Sequence(None, None, True, None).integrations(clocks, wave, 50, 10) == 50
        assert Sequence(7, None, True, 5).integrations(clocks, wave, 50, 10) == 7
        assert [Sequence(None, n, True, 3).bins(wave) for n in (None, 20, 501, 502)] == [500, 20, 501, 500]
