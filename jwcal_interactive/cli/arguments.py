"""The official spelling of settings on the command line: ``--steps.STEP.PARAM=VALUE``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from jwcal_interactive.errors import ParameterError

__all__ = ["Assignments", "parse_assignments"]

_OVERRIDE = "override_"
_SAVE_RAMP = "save_calibrated_ramp"
_SAVE_RESULTS = "save_results"
_SWITCHES = {_SAVE_RAMP, _SAVE_RESULTS}


@dataclass(frozen=True)
class Assignments:
    """Settings from the command line."""

    params: dict[str, dict[str, str]] = field(default_factory=dict)
    overrides: dict[str, dict[str, str]] = field(default_factory=dict)
    save_results: set[str] = field(default_factory=set)
    save_calibrated_ramp: bool = False


def parse_assignments(words: tuple[str, ...], alone: str | None) -> Assignments:
    """Read ``--steps.jump.rejection_threshold=5`` and ``--steps.jump.override_gain=FILE``.

    Parameters
    ----------
    words : tuple of str
        What the command line has beyond the declared options; ``--name value`` is accepted too, and a switch
        without a value is on.
    alone : str or None
        Name of the step if one runs alone: ``--rejection_threshold=5`` is then enough, as in ``strun``.

    Raises
    ------
    ParameterError
        If a word is none of these.
    """
    found = Assignments()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, sign, value = word.partition("=")
        if not name.startswith("--"):
            raise ParameterError(
                f"unexpected argument {word!r}; settings are written --steps.STEP.PARAM=VALUE."
            )
        path = name.removeprefix("--").replace("-", "_").split(".")
        if not sign:
            if rest and not rest[0].startswith("--"):
                value = rest.pop(0)
            elif path[-1] in _SWITCHES:
                value = "true"
            else:
                raise ParameterError(f"option {name} needs a value: {name}=VALUE.")
        if path == [_SAVE_RAMP] and alone is None:
            found = replace(found, save_calibrated_ramp=_switch(name, value))
        elif path == [_SAVE_RESULTS]:
            _switch(name, value)  # the result of what runs is always written
        elif path[0] == "steps" and len(path) == 3:
            _assign(found, name, path[1], path[2], value)
        elif len(path) == 1 and alone is not None:
            _assign(found, name, alone, path[0], value)
        else:
            raise ParameterError(
                f"there is no option {name}; settings are written --steps.STEP.PARAM=VALUE or "
                "--steps.STEP.override_REFTYPE=FILE (see jwcal run --help)."
            )
    return found


def _assign(found: Assignments, option: str, step: str, name: str, value: str) -> None:
    if name == _SAVE_RESULTS:
        if _switch(option, value):
            found.save_results.add(step)
    elif name.startswith(_OVERRIDE):
        found.overrides.setdefault(step, {})[name.removeprefix(_OVERRIDE)] = value
    else:
        found.params.setdefault(step, {})[name] = value


def _switch(name: str, value: str) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    if value.lower() not in words:
        raise ParameterError(f"{name} = {value!r} is not allowed: it must be true or false.")
    return words[value.lower()]
