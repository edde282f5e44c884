"""Parameter definitions, and the models of all steps against the official parameter specifications."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.recipes import BEYOND_OFFICIAL
from jwcal_interactive.steps.catalogue import STEPS


class Example(StepParams):
    """One parameter of each kind."""

    switch: bool = param(True, help="A switch.")
    count: int = param(3, ge=1, le=9, help="A count.")
    level: float = param(4.0, gt=0, unit="sigma", slider=(1, 10), help="A level.")
    name: str = param("a", help="A name.")
    mode: Literal["ONE", "TWO"] = param("ONE", help="A choice.")
    limit: float | None = param(None, ge=0, unit="DN", help="A limit.")

    without_effect: ClassVar[dict[str, str]] = {"maximum_cores": "threads are set for the whole run"}


def build(**values: Any) -> Any:
    return Example.build("example", values)


def refused(**values: Any) -> str:
    with pytest.raises(ParameterError) as caught:
        build(**values)
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"switch": "false"}, False), ({"switch": "True"}, True), ({"switch": "0"}, False),
        ({"count": "5"}, 5), ({"count": 5.0}, 5),
        ({"level": "2.5"}, 2.5), ({"level": 3}, 3.0), ({"level": "1e-3"}, 1e-3),
        ({"name": ""}, ""), ({"name": "none"}, "none"),
        ({"mode": "TWO"}, "TWO"),
        ({"limit": "None"}, None), ({"limit": ""}, None), ({"limit": "7"}, 7.0), ({"limit": None}, None),
    ],
)  # fmt: skip
def test_values_and_texts(values: dict[str, Any], expected: Any) -> None:
    got = getattr(build(**values), next(iter(values)))
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("values", "pieces"),
    [
        ({"switch": "perhaps"}, ("example.switch", "'perhaps'", "bool", "A switch.")),
        ({"count": 0}, ("example.count = 0", "int >= 1 and <= 9", "A count.")),
        ({"count": 10}, ("int >= 1 and <= 9",)),
        ({"count": 2.5}, ("2.5", "int")),
        ({"level": 0}, ("float > 0", "sigma")),
        ({"level": math.nan}, ("NaN", "float > 0")),
        ({"level": math.inf}, ("inf",)),
        ({"level": "nan"}, ("nan",)),
        ({"level": "-inf"}, ("inf",)),
        ({"level": None}, ("None",)),
        ({"mode": "THREE"}, ("'THREE'", "ONE | TWO")),
        ({"limit": -1}, ("float >= 0 or none", "DN")),
        ({"levle": 3}, ("'levle'", "Did you mean level", "switch")),
        ({"__class__": 3}, ("'__class__'",)),
    ],
)
def test_refusals_help(values: dict[str, Any], pieces: tuple[str, ...]) -> None:
    message = refused(**values)
    for piece in pieces:
        assert piece in message
    assert "\n" not in message
    assert "pydantic" not in message


def test_without_effect() -> None:
    assert build(maximum_cores="half") == Example()


def test_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        build().count = 5


def test_changed() -> None:
    assert Example().changed() == {}
    assert build(count=3, level=5).changed() == {"level": 5.0}


def test_infos() -> None:
    infos = {i.name: i for i in Example.infos()}
    assert list(infos) == ["skip", "switch", "count", "level", "name", "mode", "limit"]
    assert infos["level"].slider == (1.0, 10.0)
    assert infos["level"].exclusive_minimum
    assert (infos["count"].minimum, infos["count"].maximum) == (1, 9)
    assert infos["mode"].choices == ("ONE", "TWO")
    assert infos["limit"].optional
    assert not infos["count"].optional
    assert infos["name"].allowed == "str"


@given(st.floats() | st.integers() | st.text() | st.none() | st.booleans() | st.lists(st.integers()))
def test_any_value_is_taken_or_refused_cleanly(value: Any) -> None:
    for name in Example.model_fields:
        try:
            model = build(**{name: value})
        except ParameterError:
            continue
        got = getattr(model, name)
        assert not (isinstance(got, float) and not math.isfinite(got))


@pytest.mark.parametrize("step", STEPS)
class TestSteps:
    def test_documented(self, step: str) -> None:
        for info in STEPS[step].params.infos():
            assert info.help.endswith("."), info.name
            assert "\n" not in info.help
            if info.slider:
                assert info.slider[0] < info.slider[1]
        assert STEPS[step].summary

    def test_defaults_are_allowed(self, step: str) -> None:
        model = STEPS[step].params
        assert model.build(step, model().model_dump()) == model()

    def test_against_the_official_specification(self, step: str) -> None:
        """Names and defaults; every official parameter is offered, or told why it is not."""
        if step in BEYOND_OFFICIAL:
            assert STEPS[step].params().skip, "a step that nobody asked for is off by default"
            return
        pytest.importorskip("jwst", reason="the official pipeline is in the extra `test`")
        from stpipe import config_parser

        official = _official_class(step)
        ours = STEPS[step].params
        spec = official.load_spec_file()
        runner = set(config_parser.ConfigObj()) | _RUNNER
        names = {n for n in spec if n not in runner and not n.startswith("override_")}
        told = set(ours.model_fields) | set(ours.without_effect)
        assert names <= told
        assert set(ours.model_fields) - names <= {"skip"}
        instance = official()
        for info in ours.infos():
            if info.name != "skip":
                assert getattr(instance, info.name) == info.default, info.name


_RUNNER = {
    "pre_hooks", "post_hooks", "output_file", "output_dir", "output_ext", "output_use_model",
    "output_use_index", "save_results", "skip", "suffix", "search_output_file", "input_dir",
}  # fmt: skip


def _official_class(step: str) -> Any:
    from jwst.pipeline import Detector1Pipeline, GuiderPipeline

    return {**GuiderPipeline.step_defs, **Detector1Pipeline.step_defs}[step]


class _ListParams(StepParams):
    box: tuple[int, int] | None = param(None, help="Size of the box.", unit="pixel")
    waves: tuple[float, ...] = param((), help="Frequencies.", unit="Hz")
    mask: str | None = param(None, file=True, help="Mask to use.")


@pytest.mark.parametrize("given", ["32, 16", "[32, 16]", (32, 16), [32, 16]])
def test_lists_come_as_text_or_as_sequences(given):
    assert _ListParams.build("s", {"box": given}).box == (32, 16)


def test_lists_of_any_length():
    assert _ListParams.build("s", {"waves": "1.5,2"}).waves == (1.5, 2.0)
    assert _ListParams.build("s", {"waves": ""}).waves == ()
    assert _ListParams.build("s", {"box": "none"}).box is None


@pytest.mark.parametrize("given", ["32", "1,2,3", "a,b", [1.5, 2]])
def test_bad_lists_are_explained(given):
    with pytest.raises(ParameterError, match=r"s\.box .*2 whole numbers, with commas between them or none"):
        _ListParams.build("s", {"box": given})


def test_files_that_parameters_name():
    assert _ListParams.build("s", {"mask": "a.fits"}).files() == {"mask": "a.fits"}
    assert _ListParams().files() == {}
    assert _ListParams.info("mask").allowed == "file name or none"
