"""Pipelines as data, against the official pipelines."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.instruments import DARK_EXP_TYPES, GUIDER_EXP_TYPES
from jwcal_interactive.io.raw import read_exposure
from jwcal_interactive.recipes import (
    BEYOND_OFFICIAL,
    RECIPES,
    choose_recipe,
    get_recipe,
)
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
def test_steps_are_offered(recipe: Any) -> None:
    assert len(set(recipe.steps)) == len(recipe.steps)
    assert set(recipe.steps) <= set(STEPS)


def test_official_steps() -> None:
    """The variants of a pipeline have, together, the official steps and those of this project."""
    official = pytest.importorskip("jwst.pipeline", reason="the official pipeline is in the extra `test`")
    names = {
        "detector1": official.Detector1Pipeline,
        "dark": official.DarkPipeline,
        "guider": official.GuiderPipeline,
    }
    for name, pipeline in names.items():
        ours = {step for r in RECIPES.values() if r.name == name for step in r.steps}
        assert ours - BEYOND_OFFICIAL == set(pipeline.step_defs)


@pytest.mark.parametrize("instrument", ["NIRCAM", "MIRI"])
@pytest.mark.parametrize(("name", "pipeline"), [("detector1", "Detector1Pipeline"), ("dark", "DarkPipeline")])
def test_official_order(
    name: str, pipeline: str, instrument: str, exposure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The official pipeline calls its steps in the order of the recipe."""
    official = pytest.importorskip("jwst.pipeline", reason="the official pipeline is in the extra `test`")
    from stdatamodels.jwst.datamodels import RampModel

    called: list[str] = []
    runner = getattr(official, pipeline)()
    runner.ramp_fit = runner.gain_scale = None
    for step in runner.step_defs:
        double = SimpleNamespace(skip=False)
        double.run = lambda model, s=step: called.append(s) or ((model, None) if s == "ramp_fit" else model)
        setattr(runner, step, double)
    model = RampModel((1, 1, 2, 2))
    model.meta.instrument.name = instrument
    monkeypatch.setattr(runner, "prepare_output", lambda data, **_: data)
    runner.process(model)
    ours = get_recipe(name, replace(exposure, instrument=instrument)).steps
    assert tuple(called) == tuple(s for s in ours if s not in BEYOND_OFFICIAL)


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
    ours = {s: d.keyword for s, d in STEPS.items() if s not in BEYOND_OFFICIAL}
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

    def test_variants_share_their_names(self, exposure: Any) -> None:
        miri = replace(exposure, instrument="MIRI")
        assert choose_recipe(miri).key == choose_recipe(miri, "calwebb_detector1").key == "detector1-miri"
        assert choose_recipe(miri).name == "detector1"
        assert get_recipe("detector1", miri) is RECIPES["detector1-miri"]

    @pytest.mark.parametrize("exp_type", sorted(DARK_EXP_TYPES))
    def test_darks(self, exp_type: str, exposure: Any) -> None:
        instrument = {"NIS": "NIRISS", "NRC": "NIRCAM", "NRS": "NIRSPEC", "MIR": "MIRI", "FGS": "FGS"}[
            exp_type[:3]
        ]
        dark = replace(exposure, instrument=instrument, exp_type=exp_type)
        assert choose_recipe(dark).name == "dark"
        assert choose_recipe(dark, "detector1").name == "detector1"
        assert choose_recipe(exposure, "calwebb_dark").name == "dark"

    def test_refusals(self, exposure: Any) -> None:
        with pytest.raises(InputError, match="not for calwebb_guider"):
            choose_recipe(exposure, "calwebb_guider")
        with pytest.raises(InputError, match=r"INSTRUME is NIRCAM; it takes FGS"):
            choose_recipe(replace(exposure, exp_type="FGS_ACQ1"))


def test_step_names() -> None:
    assert get_step("jump").name == "jump"
    with pytest.raises(ParameterError, match="Did you mean linearity"):
        get_step("linarity")
