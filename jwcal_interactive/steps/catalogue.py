"""All steps of this version, by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.steps.amplifier_noise import amplifier_noise
from jwcal_interactive.steps.charge_migration import charge_migration
from jwcal_interactive.steps.clean_flicker_noise import clean_flicker_noise
from jwcal_interactive.steps.dark_current import dark_current
from jwcal_interactive.steps.definition import StepDefinition
from jwcal_interactive.steps.dq_init import dq_init
from jwcal_interactive.steps.emicorr import emicorr
from jwcal_interactive.steps.firstframe import firstframe
from jwcal_interactive.steps.flat_field import flat_field
from jwcal_interactive.steps.gain_scale import gain_scale
from jwcal_interactive.steps.group_scale import group_scale
from jwcal_interactive.steps.guider_cds import guider_cds
from jwcal_interactive.steps.ipc import ipc
from jwcal_interactive.steps.jump import jump
from jwcal_interactive.steps.large_events import large_events
from jwcal_interactive.steps.lastframe import lastframe
from jwcal_interactive.steps.linearity import linearity
from jwcal_interactive.steps.persistence import persistence
from jwcal_interactive.steps.picture_frame import picture_frame
from jwcal_interactive.steps.ramp_fit import ramp_fit
from jwcal_interactive.steps.refpix import refpix
from jwcal_interactive.steps.reset import reset
from jwcal_interactive.steps.rscd import rscd
from jwcal_interactive.steps.saturation import saturation
from jwcal_interactive.steps.superbias import superbias
from jwcal_interactive.steps.visit_persistence import visit_persistence

__all__ = ["STEPS", "get_step", "users_of"]

STEPS: Mapping[str, StepDefinition[Any, Any, Any]] = MappingProxyType(
    {
        definition.name: definition
        for definition in (
            group_scale,
            dq_init,
            emicorr,
            saturation,
            ipc,
            superbias,
            refpix,
            firstframe,
            lastframe,
            reset,
            linearity,
            rscd,
            dark_current,
            charge_migration,
            jump,
            large_events,
            picture_frame,
            clean_flicker_noise,
            amplifier_noise,
            persistence,
            visit_persistence,
            ramp_fit,
            gain_scale,
            guider_cds,
            flat_field,
        )
    }
)


def users_of(reftype: str, steps: Iterable[str]) -> tuple[str, ...]:
    """Name the steps, of those given, that use references of a type.

    Raises
    ------
    ParameterError
        If none does.
    """
    definitions = [STEPS[name] for name in steps]
    users = tuple(d.name for d in definitions if reftype in d.references)
    if not users:
        types = ", ".join(sorted({t for d in definitions for t in d.references})) or "none"
        names = ", ".join(d.name for d in definitions)
        raise ParameterError(f"no reference of type {reftype!r} is used by {names}; types that are: {types}.")
    return users


def get_step(name: str) -> StepDefinition[Any, Any, Any]:
    """Find a step by its official name.

    Raises
    ------
    ParameterError
        If there is none.
    """
    if name in STEPS:
        return STEPS[name]
    near = difflib.get_close_matches(name, STEPS, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ParameterError(f"there is no step {name!r}.{hint} Known: {', '.join(STEPS)}.")
