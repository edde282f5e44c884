"""What a pipeline would do untouched: code defaults, then the ``pars-*`` references of CRDS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.io.reference_files import read_parameters
from jwcal_interactive.params import StepParams
from jwcal_interactive.recipes import BEYOND_OFFICIAL, Recipe
from jwcal_interactive.references.book import ReferenceBook
from jwcal_interactive.steps.catalogue import STEPS

__all__ = ["Baseline", "find_baseline"]

# Entries of parameter files that configure the official runner (files, hooks, logs), not the algorithm.
_RUNNER_ENTRIES = frozenset(
    [
        "class",
        "name",
        "pre_hooks",
        "post_hooks",
        "output_file",
        "output_dir",
        "output_ext",
        "output_use_model",
        "output_use_index",
        "save_results",
        "suffix",
        "search_output_file",
        "input_dir",
        "save_calibrated_ramp",
        "steps",
    ]
)


@dataclass(frozen=True)
class Baseline:
    """Parameters before the user changes any.

    Attributes
    ----------
    params : mapping of step to StepParams
        Defaults with the values of CRDS on top.
    origins : mapping of (step, parameter) to str
        Name of the ``pars-*`` file for each value that came from one.
    notes : tuple of str
        What the parameter files ask for and this version cannot do; to be shown, never dropped silently.
    """

    params: Mapping[str, StepParams]
    origins: Mapping[tuple[str, str], str]
    notes: tuple[str, ...]


def _class_name(name: str, kind: str) -> str:
    """Type of the parameter reference: ``pars-`` and the official class name in lower case."""
    return f"pars-{name.replace('_', '')}{kind}"


def find_baseline(recipe: Recipe, book: ReferenceBook, *, with_pipeline: bool = True) -> Baseline:
    """Look up and read the parameter references of a pipeline and of its steps.

    The official order is kept: parameters of the step's own file first, those that the pipeline's file gives
    for the step on top.

    Parameters
    ----------
    recipe : Recipe
        Pipeline.
    book : ReferenceBook
        Source of the files.
    with_pipeline : bool
        Also honour the pipeline's own file; not when a step runs alone.

    Raises
    ------
    ReferenceError
        If CRDS cannot be asked, or a file cannot be read.
    """
    per_step = {name: _class_name(name, "step") for name in recipe.steps if name not in BEYOND_OFFICIAL}
    whole = _class_name(recipe.name, "pipeline")
    paths = book.look_up((*per_step.values(), whole))
    layers: list[tuple[str, str, dict[str, Any]]] = []
    for name, reftype in per_step.items():
        if (path := paths[reftype]) is not None:
            layers.append((name, path, read_parameters(path).parameters))
    if with_pipeline and (path := paths[whole]) is not None:
        for name, values in read_parameters(path).steps.items():
            if name in recipe.steps:
                layers.append((name, path, values))
    return _merge(recipe, layers)


def _merge(recipe: Recipe, layers: list[tuple[str, str, dict[str, Any]]]) -> Baseline:
    from pathlib import Path

    values: dict[str, dict[str, Any]] = {name: {} for name in recipe.steps}
    origins: dict[tuple[str, str], str] = {}
    notes: list[str] = []
    for name, path, layer in layers:
        source = Path(path).name
        model = STEPS[name].params
        for key, value in layer.items():
            if key in _RUNNER_ENTRIES or key in model.without_effect:
                continue
            if key.startswith("override_") and value is None:
                continue
            try:
                checked = model.build(name, {key: value})
            except ParameterError as error:
                notes.append(f"{source} asks for {name}.{key} = {value}, which is not done here: {error}")
                continue
            if key in model.model_fields:
                values[name][key] = getattr(checked, key)
                origins[name, key] = source
    params = {n: STEPS[n].params.build(n, v) for n, v in values.items()}
    kept = {
        (step, key): source
        for (step, key), source in origins.items()
        if getattr(params[step], key) != STEPS[step].params.model_fields[key].default
    }
    return Baseline(params, kept, tuple(notes))
