"""Chi-square and pulls of ramps whose noise is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from step_inputs import CASES, make

from jwcal_interactive.arrays import Ramp, Rates, Slopes
from jwcal_interactive.checks.fit_quality import difference_noise_of, fit_quality
from jwcal_interactive.dq import DQ

RATE, GAIN, READNOISE = 40.0, 2.0, 15.0  # DN/s, electron/DN, DN of CDS
NY, NX = 60, 50


def simulated(nframes: int, ngroups: int = 8, seed: int = 4):
    """Frames with photons and read noise one after the other, averaged to groups."""
    case = next(case for case in CASES if case.name == "ramp_fit")
    problem = make(case, frame=(NY, NX))
    exposure = replace(
        problem.state.exposure, nints=1, ngroups=ngroups, nframes=nframes, frame_time=2.0,
        groupgap=1, group_time=2.0 * (nframes + 1), xsize=NX, ysize=NY,
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    nread = ngroups * (nframes + 1)
    electrons = np.cumsum(rng.poisson(RATE * GAIN * 2.0, (nread, NY, NX)), axis=0)
    frames = electrons / GAIN + rng.normal(0, READNOISE / np.sqrt(2), electrons.shape)
    data = frames.reshape(ngroups, nframes + 1, NY, NX)[:, :nframes].mean(axis=1)
    ramp = Ramp(
        exposure=exposure,
        data=data[None].astype(np.float32),
        groupdq=np.zeros((1, ngroups, NY, NX), np.uint8),
        pixeldq=np.zeros((NY, NX), np.uint32),
    )
    references = {
        name: replace(problem.references[name], data=np.full((NY, NX), value, np.float32))
        for name, value in (("gain", GAIN), ("readnoise", READNOISE))
    }
    return ramp, references


def rates_of(ramp, slope: float) -> Rates:
    plane = np.full((1, NY, NX), slope, np.float32)
    zeros = np.zeros_like(plane)
    ints = Slopes(data=plane, err=zeros, dq=zeros.astype(np.uint32), var_poisson=zeros, var_rnoise=zeros)
    whole = Slopes(
        **{name: getattr(ints, name)[0] for name in ("data", "err", "dq", "var_poisson", "var_rnoise")}
    )
    return Rates(exposure=ramp.exposure, rate=whole, rateints=ints)


@pytest.mark.parametrize("nframes", [1, 2, 4])
def test_noise_of_differences_is_that_of_averaged_frames(nframes):
    ramp, _ = simulated(nframes, ngroups=12)
    differences = np.diff(ramp.data[0], axis=0)
    noise = difference_noise_of(ramp.exposure)
    variance = noise.poisson * RATE / GAIN + noise.read * READNOISE**2
    shared = noise.shared_poisson * RATE / GAIN + noise.shared_read * READNOISE**2
    deviation = differences - RATE * ramp.exposure.group_time
    assert (deviation**2).mean() == pytest.approx(variance, rel=0.03)
    assert (deviation[1:] * deviation[:-1]).mean() == pytest.approx(shared, abs=0.02 * variance)


@pytest.mark.parametrize("nframes", [1, 4])
def test_true_slopes_give_normal_pulls(nframes):
    ramp, references = simulated(nframes)
    groupdq = ramp.groupdq.copy()
    groupdq[0, 3, :10] = DQ.DO_NOT_USE
    groupdq[0, 5, 10:20] = DQ.JUMP_DET
    data = ramp.data.copy()
    data[0, 5:, 10:20] += 1e4
    found = fit_quality(ramp.with_(data=data, groupdq=groupdq), rates_of(ramp, RATE), references, slice(0, NY))
    assert found.pulls.mean() == pytest.approx(0, abs=0.02)
    assert found.pulls.std() == pytest.approx(1, abs=0.02)
    assert found.pulls.size == NX * (10 * 5 + 10 * 6 + 40 * 7)
    # The slope was not fitted: one more degree of freedom than is counted.
    assert (found.chi_square * found.freedom).mean() == pytest.approx((found.freedom + 1).mean(), rel=0.03)
    assert np.bincount(found.segments).tolist() == [0, 40 * NX, 20 * NX]


def test_a_wrong_slope_and_a_missed_jump_show():
    ramp, references = simulated(1)
    right = fit_quality(ramp, rates_of(ramp, RATE), references, slice(0, NY, 3))
    wrong = fit_quality(ramp, rates_of(ramp, RATE * 1.5), references, slice(0, NY, 3))
    assert np.median(wrong.chi_square) > 2 * np.median(right.chi_square)
    data = ramp.data.copy()
    data[0, 4:, 0] += 500
    missed = fit_quality(ramp.with_(data=data), rates_of(ramp, RATE), references, slice(0, 1))
    assert missed.chi_square.min() > 20


def test_a_single_group_has_a_segment_and_nothing_to_judge():
    ramp, references = simulated(1, ngroups=1)
    found = fit_quality(ramp, rates_of(ramp, RATE), references, slice(0, NY))
    assert found.chi_square.size == found.pulls.size == 0
    assert (found.segments == 1).all()
