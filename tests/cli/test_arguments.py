"""The official spelling of settings."""

from __future__ import annotations

import pytest

from jwcal_interactive.cli.arguments import parse_assignments
from jwcal_interactive.errors import ParameterError


def test_settings() -> None:
    found = parse_assignments(
        (
            "--steps.jump.rejection_threshold=5", "--steps.jump.skip", "true", "--steps.ipc.skip=False",
            "--steps.jump.override_gain=a=b.fits", "--save_calibrated_ramp=true",
        ),
        None,
    )  # fmt: skip
    assert found.params == {"jump": {"rejection_threshold": "5", "skip": "true"}, "ipc": {"skip": "False"}}
    assert found.overrides == {"jump": {"gain": "a=b.fits"}}
    assert found.save_calibrated_ramp


def test_step_alone() -> None:
    found = parse_assignments(
        ("--rejection_threshold=5", "--override_gain", "x.fits", "--steps.jump.skip=1"), "jump"
    )
    assert found.params == {"jump": {"rejection_threshold": "5", "skip": "1"}}
    assert found.overrides == {"jump": {"gain": "x.fits"}}


def test_negative_value() -> None:
    assert parse_assignments(("--steps.jump.min_x", "-1"), None).params == {"jump": {"min_x": "-1"}}


def test_last_one_wins() -> None:
    words = ("--steps.jump.rejection_threshold=5", "--steps.jump.rejection_threshold=6")
    assert parse_assignments(words, None).params == {"jump": {"rejection_threshold": "6"}}


@pytest.mark.parametrize(
    "words",
    [
        ("word",), ("-x",), ("--steps.jump",), ("--steps.jump=5",), ("--steps.jump.a.b=5",), ("--jump.a=5",),
        ("--rejection_threshold=5",), ("--steps.jump.a",), ("--steps.jump.a", "--steps.jump.b=3"),
        ("--save_calibrated_ramp=2",), ("--",), ("--=5",),
    ],
)  # fmt: skip
def test_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ParameterError):
        parse_assignments(words, None)
