"""Pipelines as data: which steps run, in which order, on which exposures, into which products."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import NamedTuple

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.instruments import GUIDER_EXP_TYPES

__all__ = ["NOT_IN_THIS_VERSION", "RECIPES", "Missing", "Recipe", "choose_recipe", "get_recipe"]


class Missing(NamedTuple):
    """An official step that this version does not offer: its outcome keyword, and what to know."""

    keyword: str
    reason: str


_OFF = "off by default; not part of this version"

NOT_IN_THIS_VERSION: dict[str, Missing] = {
    "charge_migration": Missing("S_CHGMIG", _OFF),
    "picture_frame": Missing("S_PCTFRM", _OFF),
    "clean_flicker_noise": Missing("S_CLNFNS", _OFF),
    "persistence": Missing("S_PERSIS", _OFF),
    "flat_field": Missing("S_FLAT", "not part of this version"),
}


@dataclass(frozen=True)
class Recipe:
    """One official pipeline.

    Attributes
    ----------
    name, alias : str
        Short name (``detector1``) and official name (``calwebb_detector1``).
    title : str
        What it does, for tables and panels.
    steps : tuple of str
        In the order in which they run; the steps of `NOT_IN_THIS_VERSION` among them are skipped.
    instruments : frozenset of str
        INSTRUME values that it takes.
    """

    name: str
    alias: str
    title: str
    steps: tuple[str, ...]
    instruments: frozenset[str]
    guider: bool = False

    def refuses(self, exposure: Exposure) -> str:
        """Why the pipeline does not take this exposure; empty if it does."""
        if exposure.instrument not in self.instruments:
            takes = ", ".join(sorted(self.instruments))
            return f"INSTRUME is {exposure.instrument}; this version takes {takes}"
        if (exposure.exp_type in GUIDER_EXP_TYPES) != self.guider:
            other = "detector1" if self.guider else "guider"
            return f"EXP_TYPE is {exposure.exp_type}; use the pipeline {other}"
        return ""


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="detector1",
            alias="calwebb_detector1",
            title="Stage 1: raw ramps to count rates (near-infrared detectors)",
            steps=(
                "group_scale",
                "dq_init",
                "saturation",
                "ipc",
                "superbias",
                "refpix",
                "linearity",
                "dark_current",
                "charge_migration",
                "jump",
                "picture_frame",
                "clean_flicker_noise",
                "persistence",
                "ramp_fit",
                "gain_scale",
            ),
            instruments=frozenset({"NIRCAM", "NIRISS", "NIRSPEC", "FGS"}),
        ),
        Recipe(
            name="guider",
            alias="calwebb_guider",
            title="Guider exposures: raw groups to count rates",
            steps=("dq_init", "guider_cds", "flat_field"),
            instruments=frozenset({"FGS"}),
            guider=True,
        ),
    )
}


def get_recipe(name: str) -> Recipe:
    """Find a pipeline by its short or official name.

    Raises
    ------
    ParameterError
        If there is none of that name.
    """
    for recipe in RECIPES.values():
        if name.lower() in (recipe.name, recipe.alias):
            return recipe
    known = [n for r in RECIPES.values() for n in (r.name, r.alias)]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ParameterError(f"there is no pipeline {name!r}.{hint} Known: {', '.join(known)}.")


def choose_recipe(exposure: Exposure, name: str | None = None) -> Recipe:
    """Pipeline for an exposure: the named one if it takes the exposure, or the one that does.

    Raises
    ------
    InputError
        If the exposure is not for it, or for none.
    """
    if name is not None:
        recipe = get_recipe(name)
        reason = recipe.refuses(exposure)
        if reason:
            raise InputError(f"{exposure.filename}: not for {recipe.alias}: {reason}.")
        return recipe
    for recipe in RECIPES.values():
        if not recipe.refuses(exposure):
            return recipe
    reason = next(iter(RECIPES.values())).refuses(exposure)
    raise InputError(f"{exposure.filename}: no pipeline of this version takes it: {reason}.")
