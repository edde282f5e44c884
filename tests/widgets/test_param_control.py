from __future__ import annotations

import threading
from typing import Literal

import ipywidgets as ipw
import pytest

from jwcal_interactive.params import StepParams, param
from jwcal_widgets.messages import Messages
from jwcal_widgets.param_control import ParamControl


class Params(StepParams):
    threshold: float = param(4.0, ge=0, unit="sigma", slider=(0, 20), help="A threshold.")
    count: int | None = param(None, ge=1, help="A number that may be missing.")
    method: Literal["fast", "slow"] = param("fast", help="A choice.")
    note: str = param("", help="Words.")


class Desk:
    """A stand-in for the session: holds validated values and what was asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.params = Params()
        self.asked: list[object] = []
        self.messages = Messages()
        self.control = ParamControl(Params.info(name), self.set, self.reset, self.messages.guarded)
        self.show()

    def set(self, value: object) -> None:
        self.asked.append(value)
        self.params = Params.build("toy", {**self.params.model_dump(), self.name: value})
        self.show()

    def reset(self) -> None:
        self.params = Params()
        self.show()

    def show(self) -> None:
        value = getattr(self.params, self.name)
        self.control.show(value, "user" if self.name in self.params.changed() else "default")

    @property
    def value(self) -> object:
        return getattr(self.params, self.name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("skip", ipw.Checkbox),
        ("threshold", ipw.Text),
        ("count", ipw.Text),
        ("method", ipw.Dropdown),
        ("note", ipw.Text),
    ],
)
def test_editor_follows_the_definition(name, kind):
    assert isinstance(Desk(name).control.editor, kind)


def test_typed_number_is_set_and_marked():
    desk = Desk("threshold")
    assert desk.control.editor.value == "4.0"
    desk.control.editor.value = "5.5"
    assert desk.value == 5.5
    assert "jwcal-changed" in desk.control.widget._dom_classes
    assert not desk.control.reset_button.disabled


@pytest.mark.parametrize("text", ["-1", "many", "", "nan", "inf"])
def test_refused_value_is_explained_beside_the_control_and_changes_nothing(text):
    desk = Desk("threshold")
    desk.control.editor.value = text
    assert desk.value == 4.0
    assert "toy.threshold" in desk.control.error
    assert "float >= 0" in desk.control.error
    assert desk.control.editor.value == text, "the entry stays, to be corrected"
    desk.show()
    assert desk.control.editor.value == text, "also when the panel is refreshed"


def test_refused_value_can_be_corrected_or_reset():
    desk = Desk("threshold")
    desk.control.editor.value = "-1"
    desk.control.editor.value = "7"
    assert (desk.control.error, desk.value) == ("", 7.0)
    desk.control.editor.value = "x"
    desk.control.reset_button.click()
    assert (desk.control.error, desk.value, desk.control.editor.value) == ("", 4.0, "4.0")


def test_slider_and_text_agree():
    desk = Desk("threshold")
    desk.control._slider.value = 12.2
    assert desk.value == 12.2
    assert desk.control.editor.value == "12.2"
    desk.control.editor.value = "55"
    assert desk.value == 55.0, "what the slider cannot reach can be typed"
    assert desk.control._slider.value == 20
    assert desk.asked == [12.2, "55"], "programmatic changes do not echo"


@pytest.mark.parametrize(("text", "value"), [("3", 3), ("none", None), ("", None)])
def test_optional_number(text, value):
    desk = Desk("count")
    assert desk.control.editor.value == "none"
    desk.control.editor.value = "9"
    desk.control.editor.value = text
    assert desk.value == value


def test_choice_and_switch():
    method, skip = Desk("method"), Desk("skip")
    method.control.editor.value = "slow"
    skip.control.editor.value = True
    assert method.value == "slow"
    assert skip.value is True


def test_help_tells_range_and_default_and_is_escaped():
    class Odd(StepParams):
        size: float = param(1.0, gt=0, le=9, help="Less than <b>ten</b>.")

    control = ParamControl(Odd.info("size"), lambda _v: None, lambda: None, Messages().guarded)
    assert "float > 0 and <= 9" in control._help.value.replace("&gt;", ">").replace("&lt;", "<")
    assert "default 1.0" in control._help.value
    assert "<b>ten" not in control._help.value


def test_filter_words_are_looked_up_in_name_and_help():
    control = Desk("threshold").control
    assert control.matches("THRESH")
    assert control.matches("a thre")
    assert not control.matches("jump")


def test_unexpected_error_is_shown_and_handlers_take_turns():
    """An edit waits for the handler that is at work in another thread."""
    desk = Desk("threshold")
    held, release, edited = threading.Event(), threading.Event(), threading.Event()

    def broken(_value):
        edited.set()
        raise ZeroDivisionError("odd")

    desk.control._on_set = broken

    @desk.messages.guarded
    def work():
        held.set()
        release.wait(5)

    def edit():
        desk.control.editor.value = "6"

    threads = [threading.Thread(target=work), threading.Thread(target=edit)]
    threads[0].start()
    assert held.wait(5)
    threads[1].start()
    assert not edited.wait(0.1), "the other handler has the turn"
    release.set()
    for thread in threads:
        thread.join(5)
    assert edited.is_set()
    assert desk.messages.shown == ["ZeroDivisionError: odd"]
    assert desk.control.error == ""
