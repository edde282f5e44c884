"""MIRI's electromagnetic interference: clocks, continuity, and what the official correction makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.simulate.detectors import DETECTORS, Subarray
from jwcal_interactive.simulate.emi import CLOCK, Interference, emi_case, frequencies_of, frequency, wave

IMAGER = DETECTORS["MIRIMAGE"]
SUBARRAYS = [pytest.param(s, id=f"{s.name} {s.readpatts[0]}") for s in IMAGER.subarrays]


@pytest.mark.parametrize("subarray", SUBARRAYS)
def test_clocks_are_those_of_flight(subarray: Subarray) -> None:
    official = pytest.importorskip("jwst.emicorr.emicorr")
    clocks = official.subarray_clocks[emi_case(subarray)]
    assert clocks["rowclocks"] == subarray.row_clocks
    assert clocks["frameclocks"] == round(subarray.frame_time / CLOCK)


@pytest.mark.parametrize("subarray", SUBARRAYS)
def test_waves_run_on_through_rows_and_frames(subarray: Subarray) -> None:
    """Each sample is the wave at the time when its pixel is read."""
    waves = Interference(IMAGER, subarray, strength=1.0, seed=7)
    amplitudes = dict(IMAGER.mid_infrared.emi)  # type: ignore[union-attr]
    phases = {n: np.random.default_rng([7, 4, round(frequency(n))]).random() for n in ("Hz390", "Hz10")}
    for number, row, column in ((0, 0, 0), (0, 3, 21), (5, 17, 40), (40, subarray.ysize - 1, 60)):
        seconds = number * subarray.frame_time + CLOCK * (
            row * subarray.row_clocks + column // 4 * subarray.nsamples
        )
        expected = sum(
            amplitudes[name.partition("_")[0]]
            * wave(np.array(phases[name.partition("_")[0]] + seconds * frequency(name)))
            for name in frequencies_of(IMAGER, subarray)
        )
        assert waves.frame(number)[row, column] == pytest.approx(expected, abs=1e-4)


def test_four_columns_are_read_together() -> None:
    frame = Interference(IMAGER, IMAGER.subarrays[0], strength=1.0, seed=1).frame(0)
    assert frame.shape == (1024, 1032)
    columns = frame.reshape(1024, 258, 4)
    assert (columns == columns[:, :, :1]).all()
    assert (columns[:, 1:, 0] != columns[:, :-1, 0]).mean() > 0.9


def test_waves_in_step_with_the_frames_are_left_out() -> None:
    fast = {s.name: frequencies_of(IMAGER, s) for s in IMAGER.subarrays if s.nsamples == 1}
    both = ("Hz390", "Hz10")
    assert fast == {"FULL": ("Hz10",), "SUB256": ("Hz10",), "SUB64": both, "SLITLESSPRISM": both}


def test_strength() -> None:
    small = IMAGER.subarray("SUB64", "FASTR1")
    one, two = (Interference(IMAGER, small, strength, seed=1).frame(3) for strength in (1.0, 2.0))
    assert two == pytest.approx(2 * one, abs=1e-5)
    assert np.abs(one).max() > 1


@pytest.mark.parity
@pytest.mark.parametrize("name", ["SUB64", "SUB256", "SLITLESSPRISM"])
def test_official_correction_removes_it(name: str) -> None:
    """The official joint fit, frequency by frequency, leaves little of waves ten times as strong as usual."""
    official = pytest.importorskip("jwst.emicorr.emicorr")
    subarray = IMAGER.subarray(name, "FASTR1")
    waves = Interference(IMAGER, subarray, strength=10.0, seed=3)
    ngroups, nints = 8, 2
    frames = [[waves.frame(i * (ngroups + 1) + g) for g in range(ngroups)] for i in range(nints)]
    noise = np.random.default_rng(1).normal(0, 1.0, (nints, ngroups, *subarray.shape))
    ramps = 20.0 * np.arange(ngroups)[None, :, None, None]
    data = np.array(frames) + noise + ramps
    for frequency_name in frequencies_of(IMAGER, subarray):
        bins = 128
        form = wave((np.arange(bins) + 0.5) / bins)
        data = official.emicorr_refwave(
            data,
            np.zeros(subarray.shape, np.uint32),
            form,
            subarray.nsamples,
            subarray.row_clocks,
            round(subarray.frame_time / CLOCK),
            1 / frequency(frequency_name) / CLOCK,
        )
    left = np.std(data - noise - ramps)
    assert np.std(frames) > 6
    assert left < 0.1 * np.std(frames)
