from __future__ import annotations

import html
import threading
import time
from pathlib import Path
from types import SimpleNamespace
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
    desk.control.slider.value = 12.2
    assert desk.value == 12.2
    assert desk.control.editor.value == "12.2"
    desk.control.editor.value = "55"
    assert desk.value == 55.0, "what the slider cannot reach can be typed"
    assert desk.control.slider.value == 20
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


class Lists(StepParams):
    sizes: tuple[int, int] | None = param(None, help="Two sizes.")
    limit: float | None = param(None, ge=0.5, slider=(1, 9), help="A limit that may be missing.")
    order: int = param(3, ge=1, slider=(1, 9), help="An order.")
    switch: bool | None = param(None, help="A switch that may be missing.")
    image: str | None = param(None, file=True, help="An image.")


class Slide:
    """A control with previews, and what it told."""

    def __init__(self, name: str, settle: float = 5.0, folders: tuple[Path, ...] = ()) -> None:
        self.params = Lists()
        self.name = name
        self.previews: list[object] = []
        self.sets: list[object] = []
        self.messages = Messages()
        self.control = ParamControl(
            Lists.info(name),
            self.set,
            lambda: None,
            self.messages.guarded,
            step="toy",
            on_preview=self.previews.append,
            settle=settle,
            folders=lambda: folders,
        )
        self.show()

    def set(self, value: object) -> None:
        self.params = Lists.build("toy", {**self.params.model_dump(), self.name: value})
        self.sets.append(getattr(self.params, self.name))
        self.show()

    def show(self) -> None:
        value = getattr(self.params, self.name)
        self.control.show(value, "user" if self.name in self.params.changed() else "default")


def test_dragging_previews_and_coming_to_rest_sets():
    slide = Slide("order", settle=0.1)
    assert slide.control.slider.continuous_update
    for value in (4, 5, 6):
        slide.control.slider.value = value
    assert slide.previews == [4, 5, 6]
    assert slide.sets == [], "not while it moves"
    assert slide.control.editor.value == "6"
    slide.show()
    assert slide.control.slider.value == 6, "a refresh does not pull it back"
    deadline = time.monotonic() + 5
    while not slide.sets and time.monotonic() < deadline:
        time.sleep(0.01)
    assert slide.sets == [6]


def test_slider_that_snaps_to_its_steps_sets_nothing():
    """In the page, a slider moves to the next of its steps when it is drawn, and tells so."""
    slide = Slide("limit")
    slide.control.editor.value = "3.54"
    assert slide.control.slider.step == 0.1
    slide.control.slider.value = 3.5
    slide.control.commit()
    assert (slide.previews, slide.sets) == ([], [3.54])
    slide.control.slider.value = 3.6
    slide.control.slider.value = 3.5
    slide.control.commit()
    assert slide.previews == [3.6, 3.5]
    assert slide.sets[-1] == 3.5, "where the user has put it"


def test_what_is_dragged_can_be_set_at_once_or_given_up():
    slide = Slide("order")
    slide.control.slider.value = 7
    slide.control.commit()
    assert slide.sets == [7]
    slide.control.commit()
    assert slide.sets == [7], "once"
    slide.control.slider.value = 2
    slide.control.editor.value = "5"
    slide.control.commit()
    assert slide.sets == [7, 5], "what was typed later counts"
    slide.control.slider.value = 9
    slide.control.close()
    slide.control.commit()
    assert slide.sets == [7, 5]


@pytest.mark.parametrize(("name", "first"), [("limit", 1.0)])
def test_none_is_a_switch(name, first):
    slide = Slide(name)
    assert slide.control.none.value
    slide.control.none.value = False
    assert slide.sets == [first], "the least that the slider shows"
    slide.control.editor.value = "3.5"
    slide.control.none.value = True
    assert slide.sets == [first, 3.5, None]
    slide.control.none.value = False
    assert slide.sets[-1] == 3.5, "the last one is there again"


@pytest.mark.parametrize(("name", "text", "value"), [("sizes", "3, 4", (3, 4)), ("image", "a.fits", "a.fits")])
def test_none_without_a_value_to_put_there_asks_for_one(name, text, value):
    slide = Slide(name)
    slide.control.none.value = False
    assert slide.sets == []
    assert f"toy.{name}: type a value" in slide.control.error
    slide.show()
    assert not slide.control.none.value
    slide.control.editor.value = text
    assert slide.sets == [value]
    assert slide.control.error == ""


def test_choices_have_none_among_them():
    control = Slide("switch").control
    assert control.none is None
    assert [value for _, value in control.editor.options] == [None, True, False]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("order", "5", 'session.set("toy", order=5)'),
        ("sizes", "3,4", 'session.set("toy", sizes=(3, 4))'),
        ("image", "a b.fits", "session.set(\"toy\", image='a b.fits')"),
    ],
)
def test_code_of_a_control(name, value, code):
    slide = Slide(name)
    assert slide.control.code == f'session.set("toy", {name}={Lists.info(name).default!r})'
    assert slide.control._code is None, "only where it was changed or is asked for"
    slide.control.show_code(True)
    assert html.unescape(slide.control._code.value).count(slide.control.code) == 1
    slide.control.show_code(False)
    assert slide.control._code.layout.display == "none"
    slide.control.editor.value = value
    assert slide.control.code == code
    assert html.unescape(slide.control._code.value).count(code) == 1
    assert slide.control._code.layout.display is None
    said = []
    exec(code, {"session": SimpleNamespace(set=lambda step, **values: said.append((step, values)))})
    assert said == [("toy", {name: getattr(slide.params, name)})]


def test_files_are_chosen_from_a_list(tmp_path):
    for name in ("mask.fits", "table.asdf", "notes.txt", "old.fits.gz"):
        (tmp_path / name).write_text("")
    slide = Slide("image", folders=(tmp_path, tmp_path / "missing", tmp_path))
    chooser = slide.control.chooser
    assert chooser.list is None, "folders are read when the list is opened"
    chooser.button.value = True
    assert [Path(path).name for _, path in chooser.list.options[1:]] == [
        "mask.fits",
        "old.fits.gz",
        "table.asdf",
    ]
    chooser.list.value = str(tmp_path / "mask.fits")
    assert slide.sets == [str(tmp_path / "mask.fits")]
    assert not chooser.button.value
    assert chooser.widget.layout.display == "none"


def test_controls_have_names_for_screen_readers():
    for name in Lists.model_fields:
        control = Slide(name).control
        inputs = [control.editor, control.slider, control.none, control.chooser and control.chooser.button]
        assert all(name in w.tooltip for w in inputs if w is not None)
