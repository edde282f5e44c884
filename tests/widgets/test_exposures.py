"""Several exposures in one place."""

from __future__ import annotations

import gc
import shutil
import threading
import weakref

import pytest
from ipywidgets.widgets.widget import _instances

from jwcal_interactive import InputError, Session, open_session
from jwcal_widgets import Exposures
from jwcal_widgets.step_choices import StepChoices


@pytest.fixture
def paths(tiny_raw, tiny_context):
    other = tiny_raw.with_name("jw00042001001_02101_00002_nrcalong_uncal.fits")
    shutil.copy(tiny_raw, other)
    return [tiny_raw, other]


@pytest.fixture
def of_others():
    """Widgets that other tests have left."""
    return set(_instances)


@pytest.fixture
def two(paths, of_others):
    exposures = Exposures(paths, delay=0)
    exposures.wait(20)
    yield exposures
    exposures.close()


def look_at(exposures, place):
    exposures.chooser.value = place
    exposures.wait(20)


def lines(exposures):
    return [label.split(None, 1)[1] for label, _ in exposures.chooser.options]


def test_the_first_is_open_the_others_when_they_are_looked_at(two, paths):
    assert two.bench is not None
    assert two.bench.session.path == paths[0].resolve()
    assert two._stage.children == (two.bench,)
    assert lines(two)[1] == "· not opened yet"
    first = two.bench
    look_at(two, 1)
    assert two.bench.session.path == paths[1].resolve()
    assert two._stage.children == (two.bench,)
    look_at(two, 0)
    assert two.bench is first, "it is as it was left"
    assert two.messages.shown == []


def test_settings_of_a_step_are_applied_to_all(two):
    """Open or not: what was chosen there for the step before gives way."""
    two.bench.choose("jump")
    two.bench.panel.controls["rejection_threshold"].editor.value = "6.5"
    (button,) = two.bench._parameters.offers.children
    button.click()
    assert "applied to 1 of 1" in two._say.value
    look_at(two, 1)
    assert two.bench.session.params("jump").rejection_threshold == 6.5
    two.bench.session.set("jump", flag_4_neighbors=False)
    look_at(two, 0)
    two.bench.panel.controls["rejection_threshold"].editor.value = "7.5"
    button.click()
    look_at(two, 1)
    assert dict(two.bench.session.settings.of("jump")) == {"rejection_threshold": 7.5}
    two.bench.choose("jump")
    assert two.bench.panel.controls["rejection_threshold"].editor.value == "7.5"
    assert two.messages.shown == []


def test_all_are_run_one_after_the_other(two):
    two.buttons["run"].click()
    two.wait(60)
    assert lines(two) == ["✓ up to date", "✓ up to date"]
    assert not two.running
    assert not two.buttons["run"].disabled
    assert two.buttons["cancel"].disabled
    assert two.bench.image.source.step.value != "input", "its workbench shows the result"
    assert two.messages.shown == []


def test_one_that_fails_does_not_keep_the_others_from_running(two, paths):
    two.bench.session.override("gain", paths[0], step="jump")
    two.buttons["run"].click()
    two.wait(60)
    assert lines(two) == ["✕ a step has failed", "✓ up to date"]


def test_cancel_leaves_the_rest(two):
    two._thread, running = None, two._run_one

    def one_that_is_cancelled(item, over):
        two.cancel()
        running(item, over)

    two._run_one = one_that_is_cancelled
    two.buttons["run"].click()
    two.wait(60)
    assert lines(two)[1] == "· not opened yet"
    assert not two.running
    assert "cancelled" in two._say.value


@pytest.fixture
def long_run(paths, monkeypatch):
    """The second exposure runs, once it has begun, until it is asked to stop; at most 20 s."""
    begun, run = threading.Event(), Session.run

    def go_on(session, **options):
        if session.path != paths[1].resolve():
            return run(session, **options)

        def progress(_progress):
            begun.set()
            options["cancel"].wait(20)

        return run(session, **{**options, "progress": progress})

    monkeypatch.setattr(Session, "run", go_on)
    return begun


def test_one_that_is_running_is_stopped_before_it_is_closed(paths, long_run):
    """It was not looked at before it ran: its workbench does not know of the run. The others go on."""
    third = paths[0].with_name("jw00042001001_02101_00003_nrcalong_uncal.fits")
    shutil.copy(paths[0], third)
    exposures = Exposures([*paths, third], delay=0)
    exposures.wait(20)
    exposures.buttons["run"].click()
    assert long_run.wait(60)
    exposures.chooser.value = 1
    exposures._latest.wait(20)
    session = exposures.bench.session
    exposures.buttons["close"].click()
    exposures.buttons["yes"].click()
    with pytest.raises(InputError, match="this session is closed"):
        session.result("input")
    exposures.wait(60)
    assert exposures.messages.shown == []
    assert lines(exposures) == ["✓ up to date", "✓ up to date"]
    exposures.close()


def test_close_ends_a_run_of_one_that_was_not_looked_at(paths, long_run):
    exposures = Exposures(paths, delay=0)
    exposures.wait(20)
    exposures.buttons["run"].click()
    assert long_run.wait(60)
    session, bench = exposures._items[1].session, exposures._items[1].bench
    assert bench is None
    exposures.close()
    exposures.wait(20)
    assert not exposures._thread.is_alive()
    with pytest.raises(InputError, match="this session is closed"):
        session.result("input")


def test_what_keeps_a_workbench_from_running_is_shown_in_it(two, monkeypatch):
    def broken():
        raise InputError("no run today")

    monkeypatch.setattr(two.bench, "run", broken)
    two.buttons["run"].click()
    two.wait(60)
    assert two.bench.messages.shown == ["no run today"]
    assert two.messages.shown == []
    assert lines(two)[1] == "✓ up to date"


def test_closing_one_frees_it_and_shows_the_next(of_others, two):
    before = set(_instances) - of_others
    bench, session = weakref.ref(two.bench), weakref.ref(two.bench.session)
    two.buttons["close"].click()
    assert "Its settings are lost" in two._say.value
    two.buttons["no"].click()
    assert len(two.chooser.options) == 2
    two.buttons["close"].click()
    two.buttons["yes"].click()
    two.wait(20)
    gc.collect()
    assert bench() is None
    assert session() is None
    assert len(two.chooser.options) == 1
    assert two.bench.session.path.name.startswith("jw00042001001_02101_00002")
    assert len(before & set(_instances)) < 40, "only the list and its buttons are from before"
    two.buttons["close"].click()
    two.buttons["yes"].click()
    assert two.bench is None
    assert two.chooser.options == ()


def test_a_session_that_was_given_stays_open(paths):
    session = open_session(paths[0])
    before = set(_instances)
    exposures = Exposures([session, paths[1]], delay=0)
    exposures.wait(20)
    exposures.close()
    assert set(_instances) == before
    assert session.status("jump").state == "pending"


def test_a_file_that_cannot_be_used_is_said_where_it_is_chosen(two, paths, tmp_path):
    broken = tmp_path / "broken_uncal.fits"
    broken.write_bytes(b"nothing")
    exposures = Exposures([paths[0], broken], delay=0)
    exposures.wait(20)
    look_at(exposures, 1)
    assert exposures.bench is None
    assert "broken_uncal.fits" in exposures.messages.shown[-1]
    assert lines(exposures)[1].startswith("✕ ")
    exposures.close()


def test_nothing_to_show_is_refused(paths, tmp_path):
    with pytest.raises(InputError, match="the list is empty"):
        Exposures([])
    with pytest.raises(InputError, match=r"no_such_uncal\.fits: no such file"):
        Exposures([tmp_path / "no_such_uncal.fits"])


def test_choices_are_taken_back_where_they_were_not_made(paths):
    source, target = (open_session(path) for path in paths)
    source.override("gain", "N/A", step="jump")
    target.override("readnoise", "N/A", step="jump")
    target.set("ramp_fit", firstgroup=1)
    StepChoices.of(source, "jump").make(target)
    assert dict(target.settings.overrides) == {("jump", "gain"): "N/A"}
    assert target.params("ramp_fit").firstgroup == 1, "other steps stay as they are"
