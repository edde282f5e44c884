"""How long a run will still take."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["in_words", "seconds_left", "typical_seconds"]

# Wall time in ms for a million samples (integration, group, pixel) on two cores of 2024, rounded; what counts
# is how they compare: the run itself tells how fast the machine is.
_TYPICAL = {
    "amplifier_noise": 26.0,
    "clean_flicker_noise": 39.0,
    "ramp_fit": 9.0,
    "linearity": 6.0,
    "jump": 6.0,
    "ipc": 6.0,
    "saturation": 4.0,
    "refpix": 4.0,
}
_OTHERS = 3.0
_TRUST = 0.5  # s of run time after which its own speed counts as much as the expected one


def typical_seconds(step: str, samples: int) -> float:
    """Wall time of a step that has not run yet.

    Parameters
    ----------
    step : str
    samples : int
        Integrations x groups x pixels.
    """
    return _TYPICAL.get(step, _OTHERS) * samples * 1e-9


def seconds_left(expected: Sequence[float], index: int, fraction: float, elapsed: float) -> float:
    """Estimate what is left of a run from how fast it was up to now.

    Parameters
    ----------
    expected : sequence of float
        Wall time that each step of the run was expected to take, s.
    index : int
        Step that is running, from 0.
    fraction : float
        Part of that step that is done, 0 to 1.
    elapsed : float
        Wall time of the run up to now, s.
    """
    done = sum(expected[:index]) + fraction * expected[index]
    pace = (elapsed + _TRUST) / (done + _TRUST)
    return (sum(expected) - done) * pace


def in_words(seconds: float) -> str:
    """Round a time to what an estimate deserves."""
    if seconds < 1.5:
        return "about 1 s left"
    if seconds < 90:
        return f"about {seconds:.0f} s left"
    return f"about {seconds / 60:.0f} min left"
