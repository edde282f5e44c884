"""Simulated exposures: repeatable, laid out as the instrument does it, with the noise that is described."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from stdatamodels.jwst import datamodels

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.simulate import ExposureSpec, Scene, SimulatedExposure, simulate_exposure
from jwcal_interactive.simulate.detectors import DETECTORS, Detector
from jwcal_interactive.simulate.optics import OPTICS
from jwcal_interactive.simulate.pixels import full_pixel_maps, picture_frame
from jwcal_interactive.simulate.readpatterns import READ_PATTERNS

DARK_SKY = Scene(background=0.0, stars=0, galaxies=0)


def test_same_seed_same_bits(small_detector: Detector) -> None:
    spec = ExposureSpec(ngroups=3, nints=2)
    first, second = simulate_exposure(spec), simulate_exposure(spec)
    assert np.array_equal(first.raw, second.raw)
    assert np.array_equal(first.slope, second.slope)
    assert np.array_equal(first.hits.amplitude, second.hits.amplitude)


def test_another_seed_changes_sky_noise_and_hits(small_detector: Detector) -> None:
    first = simulate_exposure(ExposureSpec(ngroups=3, seed=1))
    second = simulate_exposure(ExposureSpec(ngroups=3, seed=2))
    assert np.mean(first.raw != second.raw) > 0.9
    assert not np.array_equal(first.slope, second.slope)
    assert first.hits.amplitude.tolist() != second.hits.amplitude.tolist()


def test_integrations_are_independent(small_detector: Detector) -> None:
    raw = simulate_exposure(ExposureSpec(ngroups=2, nints=2)).raw.astype(float)
    assert np.mean(raw[0] != raw[1]) > 0.9


@pytest.mark.parametrize(("readpatt", "shape"), [("RAPID", (2, 3)), ("BRIGHT1", (2, 3)), ("SHALLOW4", (2, 3))])
def test_shapes_and_zeroframe(small_detector: Detector, readpatt: str, shape: tuple[int, int]) -> None:
    exposure = simulate_exposure(ExposureSpec(subarray="SUB640", readpatt=readpatt, ngroups=3, nints=2))
    assert exposure.raw.dtype == np.uint16
    assert exposure.raw.shape == (*shape, 48, 64)
    assert exposure.slope.shape == (48, 64)
    if readpatt == "SHALLOW4":
        assert exposure.zeroframe is not None
        assert exposure.zeroframe.shape == (2, 48, 64)
    else:
        assert exposure.zeroframe is None


@pytest.mark.parametrize("readpatt", ["RAPID", "BRIGHT1", "BRIGHT2", "SHALLOW4"])
def test_signal_grows_with_the_time_between_groups(small_detector: Detector, readpatt: str) -> None:
    """Averaged and dropped frames: the mean difference of groups is slope times TGROUP."""
    spec = ExposureSpec(
        subarray="SUB640",
        readpatt=readpatt,
        ngroups=4,
        scene=Scene(background=100.0, stars=0, galaxies=0),
        cosmic_rays=False,
    )
    exposure = simulate_exposure(spec)
    ordinary = full_pixel_maps(small_detector).cut(spec.subarray_description.window).population == 0
    steps = np.diff(exposure.raw[0].astype(float), axis=0)[:, ordinary].mean()
    expected = exposure.slope[ordinary].mean() * spec.group_time
    # The sky's photon noise, and the non-linearity of at most 1 % at this level.
    assert steps == pytest.approx(expected, rel=0.015)


def test_reference_pixels_see_no_light(small_detector: Detector) -> None:
    spec = ExposureSpec(ngroups=5, scene=Scene(background=500.0), cosmic_rays=False)
    exposure = simulate_exposure(spec)
    maps = full_pixel_maps(small_detector)
    good = maps.reference & (maps.population == 0)
    growth = exposure.raw[0, -1].astype(float) - exposure.raw[0, 0]
    assert abs(growth[good].mean()) < 5 * 10 / np.sqrt(good.sum()) + 6
    assert growth[maps.light].mean() > 5000
    assert not exposure.slope[maps.reference].any()


def test_noise_of_a_difference_is_as_described(small_detector: Detector) -> None:
    """White read noise, 1/f noise and rounding of two frames add up in a dark exposure."""
    spec = ExposureSpec(subarray="SUB640", ngroups=40, scene=DARK_SKY, cosmic_rays=False)
    raw = simulate_exposure(spec).raw[0].astype(float)
    maps = full_pixel_maps(small_detector).cut(spec.subarray_description.window)
    quiet = maps.population == 0
    dark = maps.dark[quiet].mean() * spec.frame_time / small_detector.gain**2
    noise = spec.subarray_description.noise
    white = np.mean(maps.read_noise[quiet] ** 2)
    expected = 2 * (white + noise.one_over_f**2 + 1 / 12) + dark
    measured = np.var(np.diff(raw, axis=0)[:, quiet])
    assert measured == pytest.approx(expected, rel=0.03)


def test_photon_noise_is_poisson(small_detector: Detector) -> None:
    """Variance over mean of the differences of a bright flat sky is one over gain."""
    scene = Scene(background=400.0, stars=0, galaxies=0)
    detector = replace(small_detector, ipc_edge=0.0, ipc_corner=0.0, linearity=(0.0, 0.0, 0.0))
    DETECTORS["NRCALONG"] = detector  # `small_detector` restores the table
    spec = ExposureSpec(subarray="SUB640", ngroups=30, scene=scene, cosmic_rays=False)
    exposure = simulate_exposure(spec)
    quiet = full_pixel_maps(detector).cut(spec.subarray_description.window).population == 0
    steps = np.diff(exposure.raw[0].astype(float), axis=0)[:, quiet]
    read = 2 * (detector.read_noise**2 + spec.subarray_description.noise.one_over_f**2)
    photon = steps.var(axis=0, ddof=1).mean() - read
    assert photon / steps.mean() == pytest.approx(1 / detector.gain, rel=0.03)


def test_saturated_pixels_stop_at_the_full_well(small_detector: Detector) -> None:
    scene = Scene(background=30_000.0, stars=0, galaxies=0)
    spec = ExposureSpec(subarray="SUB640", ngroups=4, scene=scene, cosmic_rays=False)
    raw = simulate_exposure(spec).raw[0].astype(float)
    assert np.abs(np.diff(raw[1:], axis=0)).max() < 60
    assert raw[-1].max() <= 65535


class TestHits:
    def test_map_holds_every_hit_that_is_seen(self, small_detector: Detector) -> None:
        exposure = simulate_exposure(ExposureSpec(readpatt="BRIGHT2", ngroups=6, nints=2))
        assert exposure.hits.amplitude.size > 50
        assert exposure.hit_map().sum() == pytest.approx(exposure.hits.amplitude.sum(), rel=1e-5)

    def test_hits_stand_where_the_ramp_jumps(self, small_detector: Detector) -> None:
        """A strong hit is the largest difference of its pixel, in the plane of the map."""
        exposure = simulate_exposure(ExposureSpec(ngroups=10, scene=DARK_SKY))
        hits = exposure.hit_map()[0]
        strong = (hits > 300) & (hits < 20_000)
        alone = (hits > 0).sum(axis=0) == 1
        planes, rows, columns = np.nonzero(strong & alone & (np.arange(10)[:, None, None] > 0))
        assert planes.size > 20
        differences = np.diff(exposure.raw[0].astype(float), axis=0)[:, rows, columns]
        assert np.array_equal(differences.argmax(axis=0) + 1, planes)
        measured = differences.max(axis=0)
        # Inter-pixel capacitance gives 2.4 % to the neighbours and takes from them.
        assert np.median(measured / hits[planes, rows, columns]) == pytest.approx(0.98, abs=0.02)

    def test_none_without_cosmic_rays(self, small_detector: Detector) -> None:
        exposure = simulate_exposure(ExposureSpec(ngroups=2, cosmic_rays=False))
        assert exposure.hits.amplitude.size == 0
        assert not exposure.hit_map().any()

    def test_late_hit_in_the_first_group_touches_the_first_difference(self, small_detector: Detector) -> None:
        hits = simulate_exposure(ExposureSpec(readpatt="BRIGHT2", ngroups=2, nints=20)).hits
        late = (hits.group == 0) & (hits.frame > 0)
        assert late.any()
        assert set(hits.first_difference[late]) == {1}
        assert set(hits.first_difference[(hits.group == 0) & (hits.frame == 0)]) == {0}


def test_sum_of_frames_divided_by_another_number(small_detector: Detector) -> None:
    usual = ExposureSpec(subarray="SUB640", readpatt="SHALLOW4", ngroups=2, scene=DARK_SKY)
    mean, half = (simulate_exposure(replace(usual, frame_divisor=n)).raw.astype(int) for n in (None, 8))
    assert np.abs(mean - 2 * half).max() <= 2


class TestLargeEvents:
    def events(self, **rates: float) -> SimulatedExposure:
        spec = ExposureSpec(subarray="SUB640", ngroups=6, scene=DARK_SKY, **rates)  # type: ignore[arg-type]
        return simulate_exposure(spec)

    def test_rates_can_be_chosen(self, small_detector: Detector) -> None:
        pixel_seconds = 64 * 48 * 6 * 4.18584
        none = self.events(snowball_rate=0.0, shower_rate=0.0)
        assert none.events == ()
        many = self.events(snowball_rate=20 / pixel_seconds, shower_rate=60 / pixel_seconds)
        kinds = [event.kind for event in many.events]
        assert 8 < kinds.count("snowball") < 36
        assert 35 < kinds.count("shower") < 90

    def test_snowballs_fill_their_core(self, small_detector: Detector) -> None:
        exposure = self.events(snowball_rate=2e-4, shower_rate=0.0)
        maps = full_pixel_maps(small_detector).cut(exposure.spec.subarray_description.window)
        last = exposure.raw[0, -1].astype(float)
        rows, columns = np.mgrid[:48, :64]
        event = exposure.events[0]
        core = np.hypot(rows - event.y, columns - event.x) <= event.semi_major
        core &= maps.light & (maps.population == 0)
        assert core.any()
        assert (last[core] - maps.bias[core] > 0.9 * small_detector.full_well / small_detector.gain).all()

    def test_showers_are_faint_and_wide(self, small_detector: Detector) -> None:
        """Their charge stands within the ellipse that the truth tells of, and fills nothing."""
        exposure = self.events(snowball_rate=0.0, shower_rate=2e-4)
        quiet = self.events(snowball_rate=0.0, shower_rate=0.0)
        event = max(exposure.events, key=lambda e: e.semi_major)
        hits = exposure.hits
        assert hits.amplitude.size > quiet.hits.amplitude.size + 300
        dy, dx = hits.y - event.y, hits.x - event.x
        cos, sin = np.cos(event.angle), np.sin(event.angle)
        inside = (
            np.hypot((dx * cos + dy * sin) / event.semi_major, (dy * cos - dx * sin) / event.semi_minor) <= 1
        )
        then = (hits.integration == event.integration) & (hits.group == event.group)
        assert (then & inside).sum() > 50
        assert np.median(hits.amplitude[then & inside]) < 600 / small_detector.gain

    def test_cosmic_rays_of_before_stay(self, small_detector: Detector) -> None:
        """Showers are drawn after all else: without them the same rays hit."""
        assert self.events().hits.amplitude.tolist() == self.events(shower_rate=0.0).hits.amplitude.tolist()


def test_spectra_lie_on_a_dark_ground(small_detector: Detector) -> None:
    spec = ExposureSpec(ngroups=1, scene=Scene.spectra(3), cosmic_rays=False)
    slope = simulate_exposure(spec).slope
    bright = np.median(slope[:, 4:-4], axis=1)
    ridges = np.array([128 * (i + 0.5) / 3 for i in range(3)])
    rows = np.arange(128)
    distance = np.abs(rows[:, None] - ridges).min(axis=1)
    assert (bright[distance < 1.5] > 0.5).all()
    assert not slope[distance > 13].any()


def test_flat_is_in_the_slope(small_detector: Detector) -> None:
    DETECTORS["NRCALONG"] = replace(small_detector, flat_scatter=0.1)  # `small_detector` restores the table
    flat_sky = Scene(background=100.0, stars=0, galaxies=0)
    spec = ExposureSpec(ngroups=1, scene=flat_sky, cosmic_rays=False)
    maps = full_pixel_maps(spec.detector_description)
    electrons = simulate_exposure(spec).slope * maps.gain
    light = maps.light
    assert (electrons / maps.flat)[light].std() / electrons[light].std() < 0.3


def test_picture_frame_glows_beside_the_sky(small_detector: Detector) -> None:
    quiet = ExposureSpec(ngroups=2, scene=DARK_SKY, cosmic_rays=False)
    dark, glowing = (simulate_exposure(replace(quiet, picture_frame=f)) for f in (0.0, 2000.0))
    grown = np.diff(glowing.raw[0].astype(float), axis=0)[0] - np.diff(dark.raw[0].astype(float), axis=0)[0]
    maps = full_pixel_maps(small_detector)
    good = maps.light & (maps.population == 0)
    expected = 2000 * picture_frame(small_detector)[good] * quiet.group_time
    assert grown[good].mean() == pytest.approx(expected.mean(), rel=0.02)
    assert np.array_equal(dark.slope, glowing.slope)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subarray": "SUB1"}, r"subarray='SUB1'.*FULL, SUB640"),
        ({"readpatt": "FAST"}, r"readpatt='FAST'.*RAPID"),
        ({"detector": "NRCX"}, r"detector='NRCX'.*NRCALONG"),
        ({"ngroups": 0}, r"ngroups=0: must be at least 1"),
        ({"nints": -1}, r"nints=-1"),
        ({"frame_divisor": 0}, r"frame_divisor=0: must be at least 1"),
        ({"dec": 91.0}, r"dec=91"),
        ({"date": "yesterday"}, r"date='yesterday'.*ISO 8601"),
        ({"program": "1"}, r"program='1'.*5"),
        ({"instrument": "HST"}, r"instrument='HST': must be one of NIRCAM, .*MIRI"),
        ({"instrument": "MIRI", "detector": "NRCALONG"}, r"detector='NRCALONG'.*MIRI.*MIRIMAGE"),
        ({"instrument": "MIRI", "subarray": "SUB640"}, r"subarray='SUB640'.*MIRIMAGE.*SUB256"),
        ({"instrument": "NIRISS", "readpatt": "RAPID"}, r"readpatt='RAPID'.*NIRISS.*NISRAPID"),
        ({"instrument": "MIRI", "filter": "F356W"}, r"filter='F356W': MIRI has no such filter.*F770W"),
        ({"instrument": "FGS", "pupil": "CLEAR"}, r"pupil='CLEAR': FGS has no such pupil; allowed: none"),
        ({"grating": "PRISM"}, r"grating='PRISM': NIRCAM has no such grating"),
        ({"instrument": "NIRSPEC", "exp_type": "NRC_IMAGE"}, r"exp_type='NRC_IMAGE'.*NIRSPEC begin with NRS_"),
    ],
)
def test_impossible_specification(change: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        ExposureSpec(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=lambda detector: detector.name)
def test_defaults_follow_the_instrument_and_the_detector(detector: Detector) -> None:
    spec = ExposureSpec(instrument=detector.instrument, detector=detector.name, ngroups=1)
    assert spec.subarray == "FULL"
    assert spec.readpatt in READ_PATTERNS[detector.instrument]
    assert spec.exp_type == ("MIR_MRS" if detector.name.startswith("MIRIFU") else spec.exp_type)
    assert ExposureSpec(instrument=spec.instrument).detector in DETECTORS
    assert replace(spec, ngroups=2).filter == spec.filter


def test_values_belong_to_the_keywords_of_the_official_schema() -> None:
    """Every value that is allowed can be written; the schema of stdatamodels lists those of its keyword."""
    model = datamodels.JwstDataModel()
    for optics in OPTICS.values():
        for name, values in optics.allowed.items():
            for value in values:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    setattr(model.meta.instrument, name, value)
