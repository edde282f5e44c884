"""Statistics of regions, against noise whose properties are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jwcal_interactive.arrays import Card
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError
from jwcal_interactive.region import Box, count_region_flags, region_histogram, region_ramp, robust_spread
from jwcal_interactive.region_noise import (
    amplifier_image,
    clipped_deviation,
    difference_noise,
    line_noise,
    noise_power,
)

NY, NX, NGROUPS = 64, 2048, 6
SIGMA = 5.0


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(8)


@pytest.fixture
def noisy(ramp_of, rng):
    """Full-width lines of four amplifiers, the third with twice the noise, on a scene and with a bad row."""
    noise = rng.normal(0, SIGMA, (1, NGROUPS, NY, NX))
    noise[..., 1024:1536] *= 2
    noise[:, :, 40] *= 3
    scene = rng.gamma(1.0, 100.0, (NY, NX)) * np.arange(1, NGROUPS + 1)[:, None, None]
    return ramp_of(1000 + scene + noise, xsize=NX, ysize=NY, noutputs=4, fastaxis=-1, slowaxis=2, xstart=1)


WHOLE = Box(0, 0, NX, NY)


def test_noise_of_a_difference_without_the_scene(noisy):
    images = difference_noise(noisy, 1, Box(0, 0, 512, 32))
    assert images.shape == (NGROUPS - 3, 32, 512)
    assert robust_spread(images)[1] == pytest.approx(np.sqrt(2) * SIGMA, rel=0.02)
    assert abs(np.mean(images)) < 0.05 * SIGMA


def test_noise_by_row_column_and_amplifier(noisy):
    amplifiers = amplifier_image(noisy.exposure, (NY, NX))
    noise = line_noise(difference_noise(noisy, 1, WHOLE), amplifiers)
    expected = np.sqrt(2) * SIGMA
    # FASTAXIS = -1: the line is read from the right, where amplifier 1 is.
    assert noise.amplifiers == pytest.approx({1: expected, 2: 2 * expected, 3: expected, 4: expected}, rel=0.05)
    assert noise.rows[40] == pytest.approx(3 * np.median(noise.rows), rel=0.1)
    assert noise.columns[1300] > 1.6 * noise.columns[100]


def test_deviation_of_whole_numbers_with_outliers(rng):
    values = rng.normal(0, 1.3, 100_000).round()
    values[:50], values[50] = 1e5, np.nan
    assert clipped_deviation(values) == pytest.approx(np.hypot(1.3, 1 / np.sqrt(12)), rel=0.01)
    assert clipped_deviation(np.full(4, 3.0)) == 0
    assert np.isnan(clipped_deviation(np.full(3, np.nan)))


def test_flagged_groups_are_no_noise(noisy):
    groupdq = noisy.groupdq.copy()
    data = noisy.data.copy()
    data[0, 3:, 5, 7] += 1e5
    groupdq[0, 3, 5, 7] = DQ.JUMP_DET
    groupdq[0, 4, 6, 8] = DQ.SATURATED
    images = difference_noise(noisy.with_(data=data, groupdq=groupdq), 1, Box(0, 0, 20, 20))
    assert np.nanmax(np.abs(images[:, 5, 7])) < 100 * SIGMA
    # The jump is in the second of the differences of image 0, in the middle of image 1, in the first of 2.
    assert np.isnan(images[:, 5, 7]).tolist() == [True, False, True]
    assert np.isnan(images[:, 6, 8]).tolist() == [False, True, True]


def test_noise_takes_four_groups(ramp_of):
    with pytest.raises(InputError, match="NGROUPS = 3"):
        difference_noise(ramp_of(np.zeros((1, 3, 4, 4))), 1, Box(0, 0, 4, 4))


def test_noise_without_a_usable_pixel(ramp_of):
    with pytest.raises(InputError, match="four usable groups"):
        difference_noise(ramp_of(np.zeros((1, 5, 4, 4)), pixeldq=DQ.DO_NOT_USE), 1, Box(0, 0, 4, 4))


def timed(exposure, **cards):
    primary = (*exposure.primary, *(Card(name, value, "") for name, value in cards.items()))
    return replace(exposure, primary=primary, frame_time=10.73676)


def test_power_integrates_to_the_variance(noisy):
    exposure = timed(noisy.exposure, TSAMPLE=10)
    amplifiers = amplifier_image(exposure, (NY, NX))
    box = Box(0, 0, 512, 32)
    images = difference_noise(noisy, 1, box)
    power = noise_power(images, exposure, amplifiers[box.rows, box.columns])
    assert power.in_hertz
    assert (power.samples, power.lines) == (512, 32)
    spectrum = power.within
    step = spectrum.frequency[0]
    assert step == pytest.approx(1 / (512 * 1e-5))
    assert spectrum.frequency[-1] == pytest.approx(50_000)
    assert np.sum(spectrum.power) * step == pytest.approx(2 * SIGMA**2, rel=0.03)
    between = power.between
    assert between.frequency[-1] == pytest.approx(1 / (2 * 10.73676 / NY))
    assert np.sum(between.power) * between.frequency[0] == pytest.approx(2 * SIGMA**2 / 512, rel=0.5)


def test_power_shows_a_wave_and_its_frequency(noisy):
    exposure = timed(noisy.exposure, TSAMPLE=10)
    wave = 20 * np.sin(2 * np.pi * np.arange(512) * 64 / 512)
    images = np.zeros((1, 32, 512), np.float32) + wave[::-1].astype(np.float32)
    power = noise_power(images, exposure, np.ones((32, 512), int)).within
    assert power.frequency[np.argmax(power.power)] == pytest.approx(64 / (512 * 1e-5))
    assert power.power.max() * power.frequency[0] == pytest.approx(20**2 / 2)


def test_power_without_a_timing_is_per_pixel(noisy):
    images = np.ones((1, 32, 64), np.float32) * np.sin(np.arange(64)).astype(np.float32)
    power = noise_power(images, noisy.exposure, np.ones((32, 64), int))
    assert not power.in_hertz
    assert power.within.frequency[-1] == 0.5


def test_lines_too_short_have_no_spectrum(noisy):
    power = noise_power(np.zeros((1, 30, 8), np.float32), noisy.exposure, np.ones((30, 8), int))
    assert power.within is None
    assert power.between is not None


def test_amplifiers_of_other_read_outs(ramp_of):
    one = ramp_of(np.zeros((1, 1, 8, 64)), noutputs=1, xsize=64, ysize=8).exposure
    assert (amplifier_image(one, (8, 64)) == 1).all()
    miri = replace(one, instrument="MIRI", fastaxis=1, slowaxis=2, xstart=1, noutputs=4)
    assert amplifier_image(miri, (8, 64))[0, :6].tolist() == [1, 2, 3, 4, 1, 2]
    turned = replace(one, instrument="NIRSPEC", fastaxis=2, slowaxis=1, noutputs=4, ystart=1)
    image = amplifier_image(turned, (2048, 8))
    assert image[:, 3].tolist() == [1] * 512 + [2] * 512 + [3] * 512 + [4] * 512
    interleaved = amplifier_image(turned, (3200, 2048))
    assert interleaved[::640, 0].tolist() == [0, 1, 2, 3, 4]


def test_region_ramp(ramp_of):
    values = np.arange(100.0).reshape(10, 10)
    data = np.stack([values, values + 50, values + 100])[None]
    flags = np.zeros(data.shape, np.uint8)
    flags[0, 2, :5] = DQ.SATURATED
    pixeldq = np.zeros((10, 10), np.uint32)
    pixeldq[9] = DQ.DO_NOT_USE
    ramp = ramp_of(data, groupdq=flags, pixeldq=pixeldq)
    found = region_ramp(ramp, 1, Box(0, 0, 10, 10))
    assert found.count.tolist() == [90, 90, 40]
    assert found.median.tolist() == [44.5, 94.5, 169.5]
    np.testing.assert_allclose(found.high[:2] - found.low[:2], 0.68 * 89)
    shifted = region_ramp(ramp, 1, Box(0, 0, 10, 10), from_first=True)
    assert shifted.median.tolist() == [0, 50, 100]
    assert shifted.high.tolist() == [0, 50, 100]
    chosen = np.zeros((10, 10), bool)
    chosen[1, 2] = True
    assert region_ramp(ramp, 1, Box(0, 0, 10, 10), chosen).median[0] == 12


def test_region_without_a_usable_pixel(ramp_of):
    ramp = ramp_of(np.zeros((1, 3, 4, 4)), pixeldq=DQ.DO_NOT_USE)
    found = region_ramp(ramp, 1, Box(0, 0, 4, 4), from_first=True)
    assert np.isnan(found.median).all()
    assert found.count.tolist() == [0, 0, 0]
    with pytest.raises(InputError, match="no pixel of the region"):
        region_histogram(ramp.data[0, 0], ramp.pixeldq, Box(0, 0, 4, 4))


def test_histogram_tells_what_is_outside(rng):
    data = rng.normal(10, 2, (100, 100)).astype(np.float32)
    data[0, :3], data[1, :2], data[2, 0] = 1e6, -1e6, np.nan
    dq = np.zeros(data.shape, np.uint32)
    dq[50:] = DQ.DO_NOT_USE
    found = region_histogram(data, dq, Box(0, 0, 100, 100))
    assert found.total == 50 * 100 - 1
    assert (found.below, found.above) == (2, 3)
    assert found.median == pytest.approx(10, abs=0.15)
    assert found.spread == pytest.approx(2, rel=0.05)
    assert np.diff(found.edges) == pytest.approx(np.full(60, 20 / 60), rel=0.1)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_histogram_of_equal_values(value):
    data = np.full((5, 5), value, np.float32)
    found = region_histogram(data, np.zeros((5, 5), np.uint32), Box(0, 0, 5, 5))
    assert found.counts.sum() == 25


def test_flags():
    pixeldq = np.zeros((4, 4), np.uint32)
    pixeldq[0, 0] = DQ.HOT
    groupdq = np.zeros((3, 4, 4), np.uint8)
    groupdq[1:, 1, 1] = DQ.JUMP_DET
    groupdq[2, 3, 3] = DQ.JUMP_DET
    found = count_region_flags(pixeldq, groupdq, Box(0, 0, 3, 3))
    assert found == {DQ.JUMP_DET: (1, 2), DQ.HOT: (1, 0)}
    chosen = np.zeros((4, 4), bool)
    chosen[3, 3] = True
    assert count_region_flags(pixeldq, groupdq, Box(0, 0, 4, 4), chosen) == {DQ.JUMP_DET: (1, 1)}
    assert count_region_flags(pixeldq, None, Box(0, 0, 4, 4)) == {DQ.HOT: (1, 0)}


@pytest.mark.parametrize("box", [Box(0, 0, 0, 3), Box(-1, 0, 2, 2), Box(2, 2, 5, 3), Box(0, 3, 2, 9)])
def test_boxes_outside_are_refused(box):
    with pytest.raises(InputError, match="frame of 4 x 4"):
        box.check((4, 4))


def test_box_of_a_selection():
    chosen = np.zeros((6, 7), bool)
    chosen[2, 3] = chosen[4, 5] = True
    assert Box.of(chosen) == (3, 2, 6, 5)
    with pytest.raises(InputError, match="no pixel"):
        Box.of(np.zeros((3, 3), bool))
