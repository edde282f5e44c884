"""emicorr against the official function: both algorithms, read patterns, subarrays, all parameters."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.steps import emicorr_joint as joint
from jwcal_interactive.steps.emicorr import EmiCorrParams, emicorr
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

# Rows and columns (few, to be quick), clocks per row and per frame.
SUBARRAYS = {
    "SUB64": ((64, 72), 28, 8512), "MASK1550": ((30, 288), 82, 23968), "SUB256": ((40, 256), 96, 29952),
    "FULL": ((24, 1032), 271, 277504), "SUB128": ((50, 136), 44, 11904),
}  # fmt: skip
WAVES = {"Hz218": 218.52055, "Hz390": 390.625, "Hz10": 10.039216}

# Sums are in float64, but in another order: the waves differ by 1e-9 DN, and a value where they matter little
# rounds to the same float32 or to the next. Close to 0 the difference itself is the limit.
ATOL = 1e-6  # DN
RTOL = 2.0**-23


@pytest.fixture
def disturbed(make_ramp):
    """Ramps with waves of several DN at all frequencies."""

    def make(
        seed, subarray, readpatt, nints, ngroups, detector="MIRIMAGE", amplitude=6.0, phase=None, faint=False
    ):
        shape, row, frame = SUBARRAYS[subarray]
        samples = 9 if "SLOW" in readpatt else 1
        ramp = make_ramp(
            seed, shape=shape, nints=nints, ngroups=ngroups, keywords=(("NSAMPLES", samples),),
            instrument="MIRI", detector=detector, readpatt=readpatt, subarray=subarray, fastaxis=1, noutputs=4,
        )  # fmt: skip
        ny, nx = shape
        group = ny * row + (1024 - ny) * 7
        reset = frame if readpatt.endswith("R1") else 0
        i, g, y, x = np.ogrid[:nints, :ngroups, :ny, :nx]
        clock = i * (ngroups * group + reset) + g * group + y * row + x // 4 * samples
        rng = np.random.default_rng(seed)
        data = ramp.data.astype(np.float64)
        if faint:
            data = 10_000 + rng.uniform(0, 50, shape) * g + rng.normal(0, 8, ramp.data.shape)
        for frequency in WAVES.values():
            start = rng.random() if phase is None else phase
            data += amplitude * np.sin(2 * np.pi * (clock * 1e-5 * frequency + start))
        return ramp.with_(data=np.rint(data).astype(np.float32))

    return make


def reference_for(subarray, readpatt, detector="MIRIMAGE", names=tuple(WAVES), size=96):
    _, row, frame = SUBARRAYS[subarray]
    speed = "SLOW" if "SLOW" in readpatt else "FAST"
    phase = (np.arange(size) + 0.5) / size
    shape = np.sin(2 * np.pi * phase) + 0.2 * np.cos(4 * np.pi * phase + 1)
    case = f"FULL_{speed}" if subarray == "FULL" else subarray
    freqs = list(names) if speed == "FAST" else {detector: list(names)}
    tree = {
        "frequencies": {n: {"frequency": f, "phase_amplitudes": shape.copy()} for n, f in WAVES.items()},
        "subarray_cases": {case: {"rowclocks": row, "frameclocks": frame, "freqs": {speed: freqs}}},
    }
    return Reference(
        reftype="emicorr", name="jwst_miri_emicorr_0001.asdf", data=np.empty((0, 0), np.float32), tree=tree
    )


@pytest.fixture
def official(ramp_model):
    def run(ramp, reference, emi=None, **params):
        from jwst.emicorr.emicorr import apply_emicorr
        from stdatamodels.jwst.datamodels import EmiModel

        model = ramp_model(ramp)
        model.meta.exposure.readpatt = ramp.exposure.readpatt
        model.meta.exposure.nsamples = ramp.exposure.keyword("NSAMPLES")
        if reference is not None:
            emi = EmiModel()
            emi.frequencies = reference.tree["frequencies"]
            emi.subarray_cases = reference.tree["subarray_cases"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return apply_emicorr(model, emi, **{"algorithm": "joint", **params})

    return run


@pytest.fixture
def agree(same):
    def check(ours, theirs):
        assert ours.data.dtype == theirs.data.dtype == np.float32
        np.testing.assert_allclose(ours.data, theirs.data, RTOL, ATOL)
        same("GROUPDQ", ours.groupdq, theirs.groupdq)
        same("PIXELDQ", ours.pixeldq, theirs.pixeldq)

    return check


def run(ramp, reference, **params):
    p = EmiCorrParams.build("emicorr", {"skip": False, **params})
    return emicorr(ramp, {"emicorr": reference}, p, Tiles(band_rows=7))


READOUTS = [
    ("SUB64", "FAST", 1, 10), ("SUB64", "FASTR1", 3, 6), ("MASK1550", "SLOWR1", 2, 12),
    ("SUB256", "SLOW", 2, 5), ("FULL", "FASTR1", 2, 5),
]  # fmt: skip


@pytest.mark.parametrize(("subarray", "readpatt", "nints", "ngroups"), [*READOUTS, ("MASK1550", "FAST", 2, 3)])
@pytest.mark.parametrize("separately", [False, True])
def test_joint(subarray, readpatt, nints, ngroups, separately, disturbed, official, agree):
    ramp = disturbed(ngroups, subarray, readpatt, nints, ngroups)
    reference = reference_for(subarray, readpatt, names=("Hz218", "Hz10"))
    ours = run(ramp, reference, fit_ints_separately=separately)
    assert np.abs(ours.data - ramp.data).max() > 1
    agree(ours, official(ramp, reference, fit_ints_separately=separately))


@pytest.mark.parametrize(("subarray", "readpatt", "nints", "ngroups"), READOUTS[1:3])
@pytest.mark.parametrize(
    "params",
    [{}, {"scale_reference": False}, {"nbins": 20}, {"nbins": 2000}, {"use_n_cycles": None},
     {"use_n_cycles": 40}, {"nints_to_phase": 2}, {"nints_to_phase": 9, "use_n_cycles": 5}],
)  # fmt: skip
def test_sequential(subarray, readpatt, nints, ngroups, params, disturbed, official, agree):
    ramp = disturbed(ngroups + 1, subarray, readpatt, nints, ngroups)
    reference = reference_for(subarray, readpatt, names=("Hz218", "Hz390"))
    params = {"algorithm": "sequential", **params}
    ours = run(ramp, reference, **params)
    agree(ours, official(ramp, reference, **params))


@pytest.mark.parametrize(
    ("subarray", "readpatt", "nints", "ngroups", "algorithm"),
    [*((*readout, "sequential") for readout in READOUTS[:4]), (*READOUTS[0], "joint")],
)
def test_on_the_fly(subarray, readpatt, nints, ngroups, algorithm, disturbed, official, agree):
    ramp = disturbed(30, subarray, readpatt, nints, ngroups)
    params = {"algorithm": algorithm, "onthefly_corr_freq": [218.52055, 390.625]}
    ours = run(ramp, None, **params)
    assert np.abs(ours.data - ramp.data).max() > 1
    agree(ours, official(ramp, None, **params))


@pytest.mark.parametrize("detector", ["MIRIFUSHORT", "MIRIFULONG"])
def test_detectors_of_the_spectrometer(detector, disturbed, official, agree):
    ramp = disturbed(40, "FULL", "SLOWR1", 1, 4, detector=detector)
    reference = reference_for("FULL", "SLOWR1", detector=detector, names=("Hz10",))
    agree(run(ramp, reference), official(ramp, reference))


def test_best_phase_at_the_end_of_a_period(disturbed, official, agree, monkeypatch):
    """Officially the neighbours of the lowest chi squared are then taken to be a period away from it."""
    from jwst.emicorr import emicorr as module

    reference = reference_for("SUB64", "FAST", names=("Hz218",))
    found, vertex = [], joint.vertex
    monkeypatch.setattr(joint, "vertex", lambda chisq, at: found.append(at) or vertex(chisq, at))
    run(disturbed(50, "SUB64", "FAST", 1, 4, amplitude=30.0, phase=0.0, faint=True), reference)
    ramp = disturbed(50, "SUB64", "FAST", 1, 4, amplitude=30.0, phase=-found[0] / 500, faint=True)
    ours = run(ramp, reference)
    assert found[1] in (0, 499)
    assert np.abs(official(ramp, reference).data - ours.data).max() > 0.5
    plain = module.get_best_phase
    half = 250
    monkeypatch.setattr(module, "get_best_phase", lambda p, chisq: plain(p, np.roll(chisq, half)) - half / 500)
    agree(ours, official(ramp, reference))


def test_wave_that_fits_upside_down(disturbed, official):
    """In SUB128 the wave of 390.625 Hz changes its sign from group to group: rounding decides officially.

    What differs is the part of the wave that is the same in all groups; slopes do not see it.
    """
    ramp = disturbed(51, "SUB128", "FAST", 2, 6)
    reference = reference_for("SUB128", "FAST", names=("Hz390",))
    ours, theirs = run(ramp, reference).data, official(ramp, reference).data
    np.testing.assert_allclose(np.diff(ours, axis=1), np.diff(theirs, axis=1), atol=0.01)
    static = (ours - theirs).mean(axis=1)
    np.testing.assert_allclose(static.mean(), 0, atol=0.01)


class TestLastColumnsOfFullFrames:
    """Officially they are taken to be read 2**32 pixel clocks, 12 hours, later than they are."""

    def test_frequency_for_which_this_is_whole_periods(self, disturbed, official, agree):
        ramp = disturbed(60, "FULL", "FASTR1", 2, 6)
        reference = reference_for("FULL", "FASTR1", names=("Hz390",))
        params = {"algorithm": "sequential"}
        agree(run(ramp, reference, **params), official(ramp, reference, **params))

    def test_other_frequencies(self, disturbed, official):
        ramp = disturbed(61, "FULL", "FASTR1", 2, 8, faint=True)
        params = {"onthefly_corr_freq": [218.52055], "nbins": 40}
        difference = np.abs(run(ramp, None, **params).data - official(ramp, None, **params).data)
        assert difference[..., :-4].max() < 0.1
        assert difference[..., -4:].max() > 5


def test_integrations_for_each_frequency(disturbed, official, agree):
    """Officially the first frequency decides how many integrations all others are measured in."""
    ramp = disturbed(70, "SUB64", "FASTR1", 4, 4)
    params = {"use_n_cycles": 6, "nbins": 4}
    both = run(ramp, None, onthefly_corr_freq=[218.52055, 3.0], **params)
    first = official(ramp, None, onthefly_corr_freq=[218.52055], **params).data
    then = official(ramp.with_(data=first), None, onthefly_corr_freq=[3.0], **params)
    agree(both, then)
    together = official(ramp, None, onthefly_corr_freq=[218.52055, 3.0], **params)
    assert np.abs(both.data - together.data).max() > 0.1


def test_reference_written_on_the_fly(disturbed, official, agree, tmp_path):
    """The waves that are saved are the official ones, and the official function can use the file."""
    from stdatamodels.jwst.datamodels import EmiModel

    from jwcal_interactive.io.atomic import Together
    from jwcal_interactive.io.products import write_tree

    ramp = disturbed(80, "SUB64", "FASTR1", 2, 8)
    frequencies = [218.52055, 390.625]
    out = run(ramp, None, onthefly_corr_freq=frequencies, save_intermediate_results=True)
    (side,) = out.side_products
    theirs = tmp_path / "official.asdf"
    official(ramp, None, onthefly_corr_freq=frequencies, save_onthefly_reffile=str(theirs))
    with Together() as files:
        write_tree(side.tree, tmp_path / "ours.asdf", files)
    with EmiModel(tmp_path / "ours.asdf") as one, EmiModel(theirs) as other:
        one.validate()
        for frequency in map(repr, frequencies):
            wave, expected = getattr(one.frequencies, frequency), getattr(other.frequencies, frequency)
            assert wave.frequency == expected.frequency
            np.testing.assert_allclose(wave.phase_amplitudes, expected.phase_amplitudes, atol=1e-9)
        again = official(ramp, None, emi=one)
    reference = Reference(reftype="emicorr", name="e.asdf", data=np.empty((0, 0), np.float32), tree=side.tree)
    agree(run(ramp, reference), again)
