"""The official spelling of settings on the command line: ``--steps.STEP.PARAM=VALUE``."""

from __future__ import annotations

from dataclasses import dataclass, field

from jwcal_interactive.errors import ParameterError

__all__ = ["Assignments", "parse_assignments"]

_OVERRIDE = "override_"
_PIPELINE_SWITCH = "save_calibrated_ramp"


@dataclass(frozen=True)
class Assignments:
    """Settings from the command line."""

    params: dict[str, dict[str, str]] = field(default_factory=dict)
    overrides: dict[str, dict[str, str]] = field(default_factory=dict)
    save_calibrated_ramp: bool = False


def parse_assignments(words: tuple[str, ...], alone: str | None) -> Assignments:
    """Read ``--steps.jump.rejection_threshold=5`` and ``--steps.jump.override_gain=FILE``.

    Parameters
    ----------
    words : tuple of str
        What the command line has beyond the declared options; ``--name value`` is accepted too.
    alone : str or None
        Name of the step if one runs alone: ``--rejection_threshold=5`` is then enough, as in ``strun``.

    Raises
    ------
    ParameterError
        If a word is none of these.
    """
    found = Assignments()
    save_ramp = False
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, sign, value = word.partition("=")
        if not name.startswith("--"):
            raise ParameterError(
                f"unexpected argument {word!r}; settings are written --steps.STEP.PARAM=VALUE."
            )
        if not sign:
            if not rest or rest[0].startswith("--"):
                raise ParameterError(f"option {name} needs a value: {name}=VALUE.")
            value = rest.pop(0)
        path = name.removeprefix("--").split(".")
        if path == [_PIPELINE_SWITCH] and alone is None:
            save_ramp = _switch(name, value)
        elif path[0] == "steps" and len(path) == 3:
            _assign(found, path[1], path[2], value)
        elif len(path) == 1 and alone is not None:
            _assign(found, alone, path[0], value)
        else:
            raise ParameterError(
                f"there is no option {name}; settings are written --steps.STEP.PARAM=VALUE or "
                "--steps.STEP.override_REFTYPE=FILE (see jwcal run --help)."
            )
    return Assignments(found.params, found.overrides, save_ramp)


def _assign(found: Assignments, step: str, name: str, value: str) -> None:
    if name.startswith(_OVERRIDE):
        found.overrides.setdefault(step, {})[name.removeprefix(_OVERRIDE)] = value
    else:
        found.params.setdefault(step, {})[name] = value


def _switch(name: str, value: str) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    if value.lower() not in words:
        raise ParameterError(f"{name} = {value!r} is not allowed: it must be true or false.")
    return words[value.lower()]
