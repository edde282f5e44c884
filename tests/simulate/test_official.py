"""Proof of genuineness: the unmodified official pipeline runs on the simulated files and cache."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from jwcal_interactive.simulate import (
    DemoCache,
    ExposureSpec,
    Scene,
    read_truth,
    simulate_exposure,
    write_level1b,
    write_truth,
)
from jwcal_interactive.simulate.parameter_references import JUMP_PARAMETERS, PARS_TYPES

pytestmark = pytest.mark.parity

# Against a bright sky the measured rate that the official ERR is made of is hardly noisy; against a
# faint one ERR follows the slope's own noise, which pulls the mean of slope over ERR below zero.
BRIGHT_SKY = Scene(background=30.0)
FAINT_SKY = Scene()

SPECS = {
    "full-rapid": ExposureSpec(seed=5),
    "full-bright2": ExposureSpec(readpatt="BRIGHT2", ngroups=6, seed=6),
    "sub640-rapid": ExposureSpec(subarray="SUB640", ngroups=8, seed=1),
    "sub640-bright2-3": ExposureSpec(subarray="SUB640", readpatt="BRIGHT2", ngroups=8, nints=3, seed=4),
}

# One exposure of each of the other kinds of readout, and references that only they have.
OTHERS = {
    "miri": ExposureSpec(
        instrument="MIRI", detector="MIRIMAGE", readpatt="FASTR1", filter="F770W", pupil="",
        exp_type="MIR_IMAGE", ngroups=10, nints=2, scene=BRIGHT_SKY,
    ),
    "miri-subarray": ExposureSpec(
        instrument="MIRI", detector="MIRIMAGE", subarray="SLITLESSPRISM", readpatt="FASTR1", filter="P750L",
        pupil="", exp_type="MIR_LRS-SLITLESS", ngroups=15, nints=3, scene=Scene(background=500.0),
    ),
    "irs2": ExposureSpec(
        instrument="NIRSPEC", detector="NRS2", readpatt="NRSIRS2RAPID", filter="F290LP", grating="G395H",
        pupil="", exp_type="NRS_IFU", ngroups=5, scene=BRIGHT_SKY,
    ),
    "niriss-averaged": ExposureSpec(
        instrument="NIRISS", detector="NIS", readpatt="NIS", filter="CLEAR", pupil="F200W",
        exp_type="NIS_IMAGE", ngroups=4, scene=BRIGHT_SKY,
    ),
}  # fmt: skip

Run = Callable[[str, Path], str]


@pytest.fixture
def strun(demo_cache: DemoCache, tmp_path: Path) -> Run:
    """Run an official pipeline by its command line; its products go to tmp_path, its log is returned."""
    pytest.importorskip("jwst", reason="the official pipeline is the extra `official`")

    strun_command = Path(sys.executable).parent / "strun"

    def run(pipeline: str, path: Path) -> str:
        header = fits.getheader(path)
        if pipeline != "calwebb_guider":
            demo_cache.make_for(header["DETECTOR"], header["SUBARRAY"], header["READPATT"], optional=True)
        unwanted = ("CRDS_SERVER_URL", "CRDS_MODE")
        environment = {k: v for k, v in os.environ.items() if k not in unwanted}
        done = subprocess.run(
            [str(strun_command), pipeline, str(path), "--output_dir", str(tmp_path)],
            env=environment | demo_cache.environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    return run


def pulls(rate: Path, truth: np.ndarray) -> np.ndarray:
    """(slope - truth) / ERR of the unflagged pixels."""
    with fits.open(rate) as hdus:
        good = hdus["DQ"].data == 0
        return (hdus["SCI"].data[good] - truth[good]) / hdus["ERR"].data[good]


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("scene", [BRIGHT_SKY, FAINT_SKY], ids=["bright sky", "faint sky"])
def test_slopes_are_recovered(
    name: str, scene: Scene, strun: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exposure = simulate_exposure(replace(SPECS[name], scene=scene))
    raw = write_level1b(exposure, tmp_path)
    truth, _ = read_truth(write_truth(exposure, tmp_path))
    strun("calwebb_detector1", raw)
    rate = tmp_path / raw.name.replace("_uncal", "_rate")
    found = pulls(rate, truth)
    low, high = np.percentile(found, [15.8655, 84.1345])
    mean, median, width = found.mean(), np.median(found), (high - low) / 2
    with capsys.disabled():
        print(f"\nofficial, {name}: mean {mean:+.4f}, median {median:+.4f}, width {width:.4f}")
    assert found.size > 0.9 * truth.size
    assert abs(mean if scene is BRIGHT_SKY else median) < 0.02
    assert abs(width - 1) < 0.05
    header = fits.getheader(rate)
    assert header["R_DARK"].startswith("crds://jwst_nircam_dark")
    assert header["CRDS_CTX"] == "jwst_0001.pmap"


@pytest.mark.parametrize("name", OTHERS)
def test_slopes_of_other_readouts_are_recovered(
    name: str, strun: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The references undo what the readout did; ERR of few or unequal integrations is not exact."""
    exposure = simulate_exposure(OTHERS[name])
    raw = write_level1b(exposure, tmp_path)
    strun("calwebb_detector1", raw)
    found = pulls(tmp_path / raw.name.replace("_uncal", "_rate"), exposure.slope)
    low, high = np.percentile(found, [15.8655, 84.1345])
    with capsys.disabled():
        print(f"\nofficial, {name}: median {np.median(found):+.4f}, width {(high - low) / 2:.4f}")
    assert found.size > 0.9 * exposure.slope.size
    assert abs(np.median(found)) < 0.05
    assert abs((high - low) / 2 - 1) < 0.1


def test_jump_parameters_come_from_the_context(strun: Run, tmp_path: Path) -> None:
    """The pipeline logs the thresholds that it runs with."""
    raw = write_level1b(simulate_exposure(ExposureSpec(subarray="SUB640", ngroups=3)), tmp_path)
    log = strun("calwebb_detector1", raw)
    for name, value in JUMP_PARAMETERS.items():
        assert f"{name}: {value}" in log


def test_flight_guider_exposure(flight_acq1: Path, strun: Run, tmp_path: Path) -> None:
    strun("calwebb_guider", flight_acq1)
    (product,) = tmp_path.glob("*_cal.fits")
    assert fits.getval(product, "S_GUICDS") == "COMPLETE"


def test_every_parameter_reference_type_of_stage_1_resolves() -> None:
    from jwst import pipeline

    for cls in (pipeline.Detector1Pipeline, pipeline.DarkPipeline, pipeline.GuiderPipeline):
        asked = {cls.get_config_reftype()} | {step.get_config_reftype() for step in cls.step_defs.values()}
        assert asked <= set(PARS_TYPES)
