"""Pipelines as data, against the official pipelines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.instruments import GUIDER_EXP_TYPES
from jwcal_interactive.io.raw import read_exposure
from jwcal_interactive.recipes import NOT_IN_THIS_VERSION, RECIPES, choose_recipe, get_recipe
from jwcal_interactive.steps.catalogue import STEPS, get_step


@pytest.fixture(scope="module")
def exposure(tiny_template: Any) -> Any:
    return read_exposure(tiny_template)


@pytest.mark.parametrize("name", ["detector1", "calwebb_detector1", "Calwebb_Detector1", "DETECTOR1"])
def test_names(name: str) -> None:
    assert get_recipe(name) is RECIPES["detector1"]


def test_unknown_name() -> None:
    with pytest.raises(ParameterError, match="Did you mean calwebb_detector1"):
        get_recipe("calweb_detector1")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: r.name)
def test_steps_are_offered_or_named_as_missing(recipe: Any) -> None:
    assert len(set(recipe.steps)) == len(recipe.steps)
    for step in recipe.steps:
        assert (step in STEPS) != (step in NOT_IN_THIS_VERSION)


def test_official_steps() -> None:
    """The official list also has the steps for MIRI alone; the near-infrared ones must all be here."""
    official = pytest.importorskip("jwst.pipeline", reason="the official pipeline is in the extra `test`")
    only_miri = {"emicorr", "firstframe", "lastframe", "reset", "rscd"}
    names = {"detector1": official.Detector1Pipeline, "guider": official.GuiderPipeline}
    for name, pipeline in names.items():
        assert set(RECIPES[name].steps) == set(pipeline.step_defs) - only_miri


def test_keywords_of_steps() -> None:
    """Product keyword of each step as in the schemas."""
    import yaml
    from stdatamodels.jwst import datamodels

    text = (datamodels.__file__.rsplit("/", 1)[0]) + "/schemas/core.schema.yaml"
    with open(text) as stream:
        schema = yaml.safe_load(stream)
    found: dict[str, str] = {}

    def walk(node: Any, path: tuple[str, ...]) -> None:
        if isinstance(node, dict):
            if "fits_keyword" in node:
                found[path[-1]] = node["fits_keyword"]
            for key, value in node.items():
                walk(value, path if key in ("properties", "allOf") else (*path, key))
        elif isinstance(node, list):
            for value in node:
                walk(value, path)

    walk(schema, ())
    ours = {s: d.keyword for s, d in {**STEPS, **NOT_IN_THIS_VERSION}.items()}
    official = {n.removesuffix("_step"): k for n, k in found.items() if k.startswith("S_")}
    for step, keyword in ours.items():
        same = [k for k in official.values() if k == keyword]
        assert same, f"{step}: {keyword} is not a keyword of the schemas"
        if step in official:
            assert official[step] == keyword


class TestChoice:
    def test_by_exposure(self, exposure: Any) -> None:
        assert choose_recipe(exposure).name == "detector1"
        guider = replace(exposure, instrument="FGS", exp_type="FGS_ACQ1")
        assert choose_recipe(guider).name == "guider"
        assert choose_recipe(replace(guider, exp_type="FGS_IMAGE")).name == "detector1"

    @pytest.mark.parametrize("exp_type", sorted(GUIDER_EXP_TYPES))
    def test_guider_types(self, exp_type: str, exposure: Any) -> None:
        guider = replace(exposure, instrument="FGS", exp_type=exp_type)
        assert choose_recipe(guider).name == "guider"
        with pytest.raises(InputError, match="use the pipeline guider"):
            choose_recipe(guider, "detector1")

    def test_refusals(self, exposure: Any) -> None:
        with pytest.raises(InputError, match=r"MIRI.*FGS, NIRCAM, NIRISS, NIRSPEC"):
            choose_recipe(replace(exposure, instrument="MIRI"))
        with pytest.raises(InputError, match="not for calwebb_guider"):
            choose_recipe(exposure, "calwebb_guider")


def test_step_names() -> None:
    assert get_step("jump").name == "jump"
    with pytest.raises(ParameterError, match="does not offer"):
        get_step("persistence")
    with pytest.raises(ParameterError, match="Did you mean linearity"):
        get_step("linarity")
