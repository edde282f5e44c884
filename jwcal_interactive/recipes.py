"""Pipelines as data: which steps run, in which order, on which exposures, into which products."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.instruments import ExposureKind, exposure_kind

__all__ = [
    "BEYOND_OFFICIAL",
    "RECIPES",
    "Recipe",
    "choose_recipe",
    "get_recipe",
    "recipe_names",
]


BEYOND_OFFICIAL: frozenset[str] = frozenset({"amplifier_noise", "large_events", "visit_persistence"})
"""Steps of this project that no official pipeline has: off by default, and CRDS has no parameters for them."""


@dataclass(frozen=True)
class Recipe:
    """One official pipeline, for one kind of detector.

    Attributes
    ----------
    name, alias : str
        Short name (``detector1``) and official name (``calwebb_detector1``); variants share them.
    title : str
        What it does, for tables and panels.
    steps : tuple of str
        In the order in which they run.
    instruments : frozenset of str
        INSTRUME values that it takes.
    kind : {"science", "dark", "guider"}
        Exposures that it is for. Science and dark pipelines take each other's exposures if asked to.
    suffix : str
        Of a product that is still a ramp.
    variant : str
        What tells it from the others of its name; empty for the first.
    """

    name: str
    alias: str
    title: str
    steps: tuple[str, ...]
    instruments: frozenset[str]
    kind: ExposureKind = "science"
    suffix: str = "ramp"
    variant: str = ""

    @property
    def key(self) -> str:
        """The name that no other recipe has."""
        return f"{self.name}-{self.variant}" if self.variant else self.name

    def refuses(self, exposure: Exposure) -> str:
        """Why the pipeline does not take this exposure; empty if it does."""
        guider = exposure_kind(exposure) == "guider"
        if guider != (self.kind == "guider"):
            return f"EXP_TYPE is {exposure.exp_type}; use the pipeline {'guider' if guider else 'detector1'}"
        if exposure.instrument not in self.instruments:
            return f"INSTRUME is {exposure.instrument}; it takes {', '.join(sorted(self.instruments))}"
        return ""


_NEAR_INFRARED = frozenset({"NIRCAM", "NIRISS", "NIRSPEC", "FGS"})
_MID_INFRARED = frozenset({"MIRI"})

# To linear ramps.
_NEAR_INFRARED_RAMPS = (
    "group_scale",
    "dq_init",
    "saturation",
    "ipc",
    "superbias",
    "refpix",
    "linearity",
)
_MID_INFRARED_RAMPS = (
    "group_scale",
    "dq_init",
    "emicorr",
    "saturation",
    "ipc",
    "firstframe",
    "lastframe",
    "reset",
    "linearity",
    "rscd",
)
# From ramps without dark current to count rates.
_RATES = (
    "charge_migration",
    "jump",
    "large_events",
    "picture_frame",
    "clean_flicker_noise",
    "amplifier_noise",
    "persistence",
    "visit_persistence",
    "ramp_fit",
    "gain_scale",
)

RECIPES: dict[str, Recipe] = {
    recipe.key: recipe
    for recipe in (
        Recipe(
            name="detector1",
            alias="calwebb_detector1",
            title="Stage 1: raw ramps to count rates (near-infrared detectors)",
            steps=(*_NEAR_INFRARED_RAMPS, "dark_current", *_RATES),
            instruments=_NEAR_INFRARED,
        ),
        Recipe(
            name="detector1",
            alias="calwebb_detector1",
            title="Stage 1: raw ramps to count rates (MIRI)",
            steps=(*_MID_INFRARED_RAMPS, "dark_current", "refpix", *_RATES),
            instruments=_MID_INFRARED,
            variant="miri",
        ),
        Recipe(
            name="dark",
            alias="calwebb_dark",
            title="Dark exposures: raw to corrected ramps (near-infrared detectors)",
            steps=_NEAR_INFRARED_RAMPS,
            instruments=_NEAR_INFRARED,
            kind="dark",
            suffix="dark",
        ),
        Recipe(
            name="dark",
            alias="calwebb_dark",
            title="Dark exposures: raw to corrected ramps (MIRI)",
            steps=_MID_INFRARED_RAMPS,
            instruments=_MID_INFRARED,
            kind="dark",
            suffix="dark",
            variant="miri",
        ),
        Recipe(
            name="guider",
            alias="calwebb_guider",
            title="Guider exposures: raw groups to count rates",
            steps=("dq_init", "guider_cds", "flat_field"),
            instruments=frozenset({"FGS"}),
            kind="guider",
        ),
    )
}


def recipe_names() -> tuple[str, ...]:
    """Short and official names of the pipelines, in order."""
    return tuple(dict.fromkeys(name for r in RECIPES.values() for name in (r.name, r.alias)))


def get_recipe(name: str, exposure: Exposure | None = None) -> Recipe:
    """Find a pipeline by its short or official name.

    Parameters
    ----------
    name : str
        In any case.
    exposure : Exposure, optional
        Chooses among the variants of that name; the first one if none takes it.

    Raises
    ------
    ParameterError
        If there is none of that name.
    """
    found = [recipe for recipe in RECIPES.values() if name.lower() in (recipe.name, recipe.alias)]
    if not found:
        near = difflib.get_close_matches(name, recipe_names(), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ParameterError(f"there is no pipeline {name!r}.{hint} Known: {', '.join(recipe_names())}.")
    if exposure is None:
        return found[0]
    return next((recipe for recipe in found if not recipe.refuses(exposure)), found[0])


def choose_recipe(exposure: Exposure, name: str | None = None) -> Recipe:
    """Pipeline for an exposure: the named one if it takes the exposure, or the one for its kind.

    Raises
    ------
    InputError
        If the exposure is not for it, or for none.
    """
    if name is None:
        kind = exposure_kind(exposure)
        name = next(recipe.name for recipe in RECIPES.values() if recipe.kind == kind)
    recipe = get_recipe(name, exposure)
    reason = recipe.refuses(exposure)
    if reason:
        raise InputError(f"{exposure.filename}: not for {recipe.alias}: {reason}.")
    return recipe
