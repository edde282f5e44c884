"""What is peculiar to MIRI's detectors stands in the raw frames, and only there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from stdatamodels.jwst import datamodels

from jwcal_interactive.simulate import ExposureSpec, Scene, simulate_exposure, write_level1b
from jwcal_interactive.simulate.detectors import DETECTORS, Detector, MidInfrared
from jwcal_interactive.simulate.pixels import full_pixel_maps
from jwcal_interactive.simulate.references import REFERENCE_KINDS, ReferenceCase, write_reference
from jwcal_interactive.simulate.response import correction_coefficients

SPEC = ExposureSpec(
    instrument="MIRI",
    detector="MIRIMAGE",
    readpatt="FASTR1",
    filter="F770W",
    pupil="",
    exp_type="MIR_IMAGE",
    ngroups=10,
    nints=3,
    scene=Scene(background=3000.0, stars=0, galaxies=0),
    cosmic_rays=False,
    emi=0.0,
)
NOTHING = MidInfrared(
    reset_anomaly=(0.0, 0.0), first_frame=0.0, last_frame_loss=0.0, rscd=0.0, dark_settling=(0.0, 0.0)
)


@pytest.fixture
def miri(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Detector]:
    """Put a MIRIMAGE of 72 x 48 pixels with chosen effects, and nothing else, in the table of detectors."""

    def put(**effects: object) -> Detector:
        full, *_ = DETECTORS["MIRIMAGE"].subarrays
        small = replace(
            DETECTORS["MIRIMAGE"],
            nx=72,
            ny=48,
            subarrays=(replace(full, xsize=72, ysize=48, dark_frames=6),),
            mid_infrared=replace(NOTHING, **effects),  # type: ignore[arg-type]
        )
        monkeypatch.setitem(DETECTORS, "MIRIMAGE", small)
        return small

    return put


def raw() -> np.ndarray:
    return simulate_exposure(SPEC).raw.astype(float)


def test_reset_anomaly_falls_over_the_first_frames(miri: Callable[..., Detector]) -> None:
    miri()
    before = raw()
    detector = miri(reset_anomaly=(60.0, 90.0), reset_frames=6)
    added = raw() - before
    maps = full_pixel_maps(detector)
    for integration, height in enumerate((60.0, 90.0, 90.0)):
        for frame in range(10):
            expected = maps.linearity * height * max(1 - frame / 6, 0) ** 2
            assert np.abs(added[integration, frame] - expected).max() <= 1  # conversion to integers


def test_first_frame(miri: Callable[..., Detector]) -> None:
    miri()
    before = raw()
    miri(first_frame=-35.0)
    added = raw() - before
    assert np.abs(added[:, 0] + 35).max() <= 1  # conversion to integers
    assert not added[:, 1:].any()


def test_last_frame_loses_signal_in_odd_rows(miri: Callable[..., Detector]) -> None:
    miri()
    before = raw()
    miri(last_frame_loss=0.1)
    lost = before - raw()
    assert not lost[:, :-1].any()
    light = np.s_[4:-4]
    assert not lost[:, -1, ::2].any()
    signal = before[:, -1, 1::2, light] - before[:, 0, 1::2, light]
    share = lost[:, -1, 1::2, light].mean() / (signal.mean() * 10 / 9)
    assert share == pytest.approx(0.1, rel=0.05)  # but for the bent response


def test_memory_spoils_the_first_groups_after_the_first_integration(miri: Callable[..., Detector]) -> None:
    miri()
    before = raw()
    detector = miri(rscd=-0.02, rscd_frames=0.6, rscd_skip=(1, 4))
    lacking = before - raw()
    assert not lacking[0].any()
    signal = SPEC.scene.background * 10 * SPEC.frame_time / detector.gain
    light = np.s_[..., 4:-4]
    assert lacking[1:, 0][light].mean() == pytest.approx(0.02 * signal, rel=0.1)
    assert np.abs(lacking[1:, 4:]).max() <= 2  # the groups that the rscd reference keeps


def test_dark_settles_beside_its_constant_rate(miri: Callable[..., Detector]) -> None:
    miri()
    before = raw()
    detector = miri(dark_settling=(40.0, -20.0), settling_frames=4)
    added = raw() - before
    light = ~full_pixel_maps(detector).reference
    for integration, height in enumerate((40.0, -20.0, -20.0)):
        rise = added[integration][:, light].mean(axis=1)
        # The bent response shows 0.8 to 1 of it.
        assert rise[:4] == pytest.approx(height * np.array([0.25, 0.5, 0.75, 1.0]), rel=0.2)
        assert rise[4:] == pytest.approx(height, rel=0.2)
    assert not added[:, :, ~light].any()


def test_response_bends_over_signal_and_bias(miri: Callable[..., Detector]) -> None:
    """The correction polynomial of the raw counts, without any superbias, gives steps proportional to light."""
    detector = replace(miri(), read_noise=0.0, ipc_edge=0.0, ipc_corner=0.0)
    DETECTORS["MIRIMAGE"] = detector  # `miri` restores the table
    exposure = simulate_exposure(replace(SPEC, ngroups=20, nints=1))
    maps = full_pixel_maps(detector)
    coefficients = correction_coefficients(detector, maps.linearity).astype(float)
    frames = exposure.raw[0].astype(float)
    linear = np.zeros_like(frames)
    for coefficient in coefficients[::-1]:
        linear = linear * frames + coefficient
    good = maps.light & (maps.population == 0)
    steps = np.diff(linear, axis=0)[:, good].mean(axis=1)
    expected = exposure.slope[good].mean() * SPEC.group_time
    assert steps == pytest.approx(expected, rel=0.01)
    assert np.diff(frames, axis=0)[:, good].mean(axis=1)[-1] < 0.95 * expected


def test_reference_columns_are_left_and_right(miri: Callable[..., Detector]) -> None:
    detector = miri()
    maps = full_pixel_maps(detector)
    expected = np.zeros((48, 72), bool)
    expected[:, :4] = expected[:, -4:] = True
    assert np.array_equal(maps.reference, expected)
    growth = np.ptp(raw()[0], axis=0)
    assert growth[:, 4:-4][maps.light[:, 4:-4]].min() > 5000
    assert growth[expected & (maps.population == 0)].max() < 60


def test_level1b_is_valid_and_says_how_it_was_read(miri: Callable[..., Detector], tmp_path: Path) -> None:
    miri()
    path = write_level1b(simulate_exposure(SPEC), tmp_path)
    header = fits.getheader(path)
    expected = {
        "INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "READPATT": "FASTR1", "NSAMPLES": 1, "NOUTPUTS": 4,
        "TFRAME": 2.77504, "NFRAMES": 1, "GROUPGAP": 0, "FASTAXIS": 1, "SLOWAXIS": 2, "CCCSTATE": "OPEN",
    }  # fmt: skip
    assert {key: header[key] for key in expected} == expected
    assert "PUPIL" not in header
    with datamodels.open(path, strict_validation=True) as model:
        model.validate()


@pytest.mark.parametrize(
    ("reftype", "model"),
    [
        ("dark", datamodels.DarkMIRIModel),
        ("reset", datamodels.ResetModel),
        ("rscd", datamodels.RSCDModel),
        ("emicorr", datamodels.EmiModel),
        ("flat", datamodels.FlatModel),
        ("saturation", datamodels.SaturationModel),
    ],
)
def test_references_are_genuine(
    reftype: str, model: type, miri: Callable[..., Detector], tmp_path: Path
) -> None:
    detector = miri()
    kind = REFERENCE_KINDS[reftype]
    (case,) = kind.cases(detector)
    path = write_reference(kind, case, tmp_path / f"jwst_miri_{reftype}_0001.{kind.extension}")
    with model(path, strict_validation=True) as reference:
        reference.validate()
        assert reference.meta.reftype.lower() == reftype
        if reftype == "dark":
            assert reference.data.shape == (2, 6, 48, 72)
            assert reference.dq.shape == (2, 1, 48, 72)
            assert reference.meta.exposure.average_dark_current > 0
        if reftype == "reset":
            assert reference.data.shape == (2, 6, 48, 72)
            assert (reference.meta.exposure.nints, reference.meta.exposure.ngroups) == (2, 6)
        if reftype == "rscd":
            assert list(reference.rscd_group_skip_table.tolist()[0]) == ["FULL", "FASTR1", 1, 4]


def test_saturation_reference_includes_the_bias(miri: Callable[..., Detector]) -> None:
    detector = miri()
    case = ReferenceCase(detector)
    with REFERENCE_KINDS["saturation"].build(case) as reference:
        threshold = np.nanmedian(reference.data)
    linear = detector.bias + 0.95 * detector.full_well / detector.gain
    coefficients = correction_coefficients(detector, np.ones((1, 1), np.float32))[:, 0, 0].astype(float)
    assert np.polynomial.polynomial.polyval(threshold, coefficients) == pytest.approx(linear, rel=0.01)
