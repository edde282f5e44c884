"""How long a run will still take."""

from __future__ import annotations

import pytest

from jwcal_widgets.remaining import in_words, seconds_left, typical_seconds


def test_a_run_at_the_expected_pace():
    assert seconds_left([1.0, 2.0, 1.0], 1, 0.5, 2.0) == pytest.approx(2.0)


def test_a_machine_of_half_the_speed_takes_twice_as_long():
    assert seconds_left([10.0, 10.0], 1, 0.0, 20.0) == pytest.approx(20.0, rel=0.05)


def test_the_first_moments_say_little_of_the_speed():
    assert seconds_left([10.0, 10.0], 0, 0.0, 0.05) == pytest.approx(22.0)


def test_steps_that_take_nothing_do_no_harm():
    assert seconds_left([0.0, 0.0], 0, 0.0, 1.0) == 0.0


def test_noise_takes_longer_than_flags_and_time_goes_with_size():
    assert typical_seconds("clean_flicker_noise", 1000) > 5 * typical_seconds("jump", 1000)
    assert typical_seconds("jump", 4000) == pytest.approx(4 * typical_seconds("jump", 1000))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "about 1 s left"), (42.4, "about 42 s left"), (200.0, "about 3 min left")],
)
def test_words(seconds, words):
    assert in_words(seconds) == words
