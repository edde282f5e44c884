"""Panels of all steps: made from the parameter definitions alone."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import pytest
from ipywidgets.widgets.widget import _instances

from jwcal_interactive import StepStatus, open_session
from jwcal_interactive.params import StepParams
from jwcal_interactive.settings import Settings
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.messages import Messages
from jwcal_widgets.param_control import as_text
from jwcal_widgets.step_panel import StepPanel


class Panel:
    """A panel of a session of any pipeline, and what it told."""

    def __init__(self, session: Any, settle: float = 60.0) -> None:
        self.session = session
        self.messages = Messages()
        self.previews: list[tuple[str, dict[str, Any]]] = []
        self.changes = 0
        self.panel = StepPanel(
            session,
            self.changed,
            self.messages.guarded,
            300,
            on_preview=lambda step, values: self.previews.append((step, dict(values))),
            settle=settle,
        )

    def changed(self) -> None:
        self.changes += 1
        self.panel.refresh()


@pytest.fixture
def desk(raw_sub640: Path) -> Panel:
    made = Panel(open_session(raw_sub640, context="demo"))
    yield made
    assert made.messages.shown == []
    made.panel.close()


class Registry:
    """Stands in for a session whose pipeline has every step there is."""

    path = Path("raw/exposure_uncal.fits")
    steps = tuple(STEPS)

    def __init__(self) -> None:
        self.settings = Settings()

    def definition(self, step: str) -> Any:
        return STEPS[step]

    def params(self, step: str) -> StepParams:
        return STEPS[step].params(**self.settings.of(step))

    def source(self, step: str, name: str) -> str:
        return "user" if name in self.settings.of(step) else "default"

    def status(self, _step: str) -> StepStatus:
        return StepStatus("pending")

    def references(self, _step: str) -> tuple[()]:
        return ()

    def code(self, step: str) -> str:
        return str(self.settings.of(step))

    def set(self, step: str, **values: Any) -> None:
        checked = STEPS[step].params.build(step, {**self.params(step).model_dump(), **values})
        self.settings = self.settings.with_values(step, {name: getattr(checked, name) for name in values})

    def reset(self, step: str, *names: str) -> None:
        self.settings = self.settings.without_values(step, names)


WRONG = {
    "int": ["many", "1.5", "1e999"],
    "float": ["many", "nan", "inf"],
    "ints": ["1, x", "1.5"],
    "floats": ["a", "1, nan"],
}
RIGHT = {"int": "12", "float": "2.75", "floats": "1.5, 2", "str": "some words"}


@pytest.mark.parametrize("step", STEPS)
def test_every_parameter_shows_its_default_and_refuses_what_is_wrong(step):
    session = Registry()
    desk = Panel(session)
    desk.panel.choose(step)
    assert list(desk.panel.controls) == [info.name for info in STEPS[step].params.infos()]
    for info in STEPS[step].params.infos():
        control = desk.panel.controls[info.name]
        default = as_text(info.default) if isinstance(control.editor, ipw.Text) else info.default
        assert control.editor.value == default
        assert info.help.split()[0] in html.unescape(control._help.value)
        texts = WRONG.get(info.kind, [])
        if info.minimum is not None:
            texts = [*texts, str(int(info.minimum) - 1)]
        for text in texts:
            control.editor.value = text
            assert f"{step}.{info.name} = " in control.error
            assert "is not allowed: it must be" in control.error
            assert control.editor.value == text, "it stays, to be corrected"
            assert "jwcal-invalid" in control.editor._dom_classes
            control.reset_button.click()
            assert control.error == ""
            assert control.editor.value == default
        assert not session.settings.of(step)
    assert desk.messages.shown == []
    desk.panel.close()


@pytest.mark.parametrize("step", STEPS)
def test_every_parameter_can_be_set_and_reset(step):
    session = Registry()
    desk = Panel(session)
    desk.panel.choose(step)
    for info in STEPS[step].params.infos():
        control = desk.panel.controls[info.name]
        if isinstance(control.editor, ipw.Text):
            if info.file:
                continue  # wants a file that is there
            if info.kind == "ints":
                control.editor.value = ", ".join("7" * (info.length or 3))
            else:
                control.editor.value = RIGHT[info.kind]
        else:
            options = [value for _, value in getattr(control.editor, "options", [("", True), ("", False)])]
            control.editor.value = next(value for value in options if value != info.default)
        assert control.error == ""
        value = getattr(session.params(step), info.name)
        assert session.settings.of(step) == {info.name: value}
        assert control.code == f'session.set("{step}", {info.name}={value!r})'
        assert "user" in control._source.value
        assert "jwcal-changed" in control.widget._dom_classes
        control.reset_button.click()
        assert not session.settings.of(step)
        if control.slider is not None:
            ends = control.slider.min, control.slider.max
            control.slider.value = max(ends, key=lambda end: abs(end - control.slider.value))
            assert desk.previews[-1][0] == step
            assert list(desk.previews[-1][1]) == [info.name]
            control.reset_button.click()
            desk.panel.commit()
            assert not session.settings.of(step), "what was reset is not set later"
    desk.panel.close()


def test_rarely_changed_parameters_are_apart(desk):
    desk.panel.choose("jump")
    controls, form = desk.panel.controls, desk.panel._forms["jump"]
    shown = {n for n, c in controls.items() if c.widget.layout.display != "none"}
    assert shown == {n for n, c in controls.items() if not c.info.advanced}
    assert "rejection_threshold" in shown
    assert f"({len(controls) - len(shown)})" in form.advanced.description
    controls["edge_size"].editor.value = "10"
    assert controls["edge_size"].widget.layout.display is None, "what was changed is shown"
    form.advanced.value = True
    assert all(c.widget.layout.display is None for c in controls.values())
    form.advanced.value = False
    desk.panel.filter.value = "min_sat_radius"
    shown = [n for n, c in controls.items() if c.widget.layout.display != "none"]
    assert shown == ["min_sat_radius_extend"], "a search finds all"


def test_optional_products_are_advanced():
    for step, definition in STEPS.items():
        for info in definition.params.infos():
            if info.name.startswith("save_"):
                assert info.advanced, (step, info.name)


def test_dragging_is_a_preview_and_one_change(desk):
    desk.panel.choose("jump")
    slider = desk.panel.controls["rejection_threshold"].slider
    for value in (4.4, 5.0, 6.2):
        slider.value = value
    assert desk.previews == [("jump", {"rejection_threshold": v}) for v in (4.4, 5.0, 6.2)]
    assert not desk.session.can_undo
    assert desk.changes == 0
    desk.panel.commit()
    assert desk.session.params("jump").rejection_threshold == 6.2
    assert desk.changes == 1
    desk.session.undo()
    assert not desk.session.can_undo


def test_reset_all(desk):
    desk.panel.choose("jump")
    assert desk.panel.reset_all.disabled
    desk.panel.controls["rejection_threshold"].editor.value = "5"
    desk.panel.controls["flag_4_neighbors"].editor.value = False
    desk.panel.controls["sat_expand"].editor.value = "x"
    assert not desk.panel.reset_all.disabled
    desk.panel.reset_all.click()
    assert not desk.session.settings.of("jump")
    assert desk.panel.controls["rejection_threshold"].editor.value == "4.0"
    assert desk.panel.controls["sat_expand"].error == ""
    assert desk.panel.reset_all.disabled


def test_code_of_all_controls(desk):
    desk.panel.choose("jump")
    desk.panel.code.value = True
    for name, control in desk.panel.controls.items():
        assert f'session.set("jump", {name}=' in html.unescape(control._code.value)
        assert control._code.layout.display is None
    desk.panel.choose("refpix")
    assert desk.panel.controls["skip"]._code.layout.display is None
    desk.panel.code.value = False
    assert desk.panel.controls["skip"]._code.layout.display == "none"


def test_reference_is_chosen_from_the_folder_of_the_exposure(desk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_gain.fits").write_text("")
    desk.panel.choose("jump")
    gain = desk.panel.references["gain"]
    gain.chooser.button.value = True
    paths = [path for _, path in gain.chooser.list.options]
    assert str(desk.session.path.resolve()) in paths
    gain.chooser.list.value = str(tmp_path / "my_gain.fits")
    assert desk.session.settings.overrides[("jump", "gain")] == str(tmp_path / "my_gain.fits")
    assert gain.field.value == str(tmp_path / "my_gain.fits")


def test_close_leaves_nothing(desk):
    before = set(_instances)
    made = Panel(desk.session)
    made.panel.choose("jump")
    made.panel.choose("refpix")
    made.panel.controls["side_smoothing_length"].slider.value = 5
    assert set(_instances) > before
    made.panel.close()
    close_widgets(made.messages.widget)
    assert [type(_instances[i]).__name__ for i in set(_instances) - before] == []
    assert not desk.session.settings.of("refpix")
