"""A session on the small exposure: settings, running, results, history."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_exposure

from jwcal_interactive import (
    Cancelled,
    InputError,
    ParameterError,
    Progress,
    Ramp,
    Rates,
    ReferenceError,
    Session,
    open_session,
)
from jwcal_interactive.session import running

pytestmark = pytest.mark.usefixtures("tiny_context")


@pytest.fixture
def session(tiny_raw: Path) -> Session:
    return open_session(tiny_raw)


def states(session: Session) -> list[str]:
    return [session.status(step).state for step in session.steps]


class TestSettings:
    def test_untouched(self, session: Session) -> None:
        assert session.params("jump") == session.baseline("jump")
        assert session.source("jump", "rejection_threshold") == "default"
        assert session.code("jump") == ""
        assert not session.can_undo
        assert not session.can_redo

    def test_set_and_reset(self, session: Session) -> None:
        session.set("jump", rejection_threshold="5.5", flag_4_neighbors=False)
        assert session.params("jump").rejection_threshold == 5.5
        assert session.source("jump", "rejection_threshold") == "user"
        assert session.code("jump") == 'session.set("jump", rejection_threshold=5.5, flag_4_neighbors=False)'
        session.reset("jump", "rejection_threshold")
        assert session.params("jump").rejection_threshold == 4.0
        assert session.params("jump").flag_4_neighbors is False
        session.reset("jump")
        assert session.params("jump") == session.baseline("jump")
        assert session.settings.values == {}

    def test_code_repeats_the_settings(self, session: Session, tiny_raw: Path) -> None:
        session.set("jump", rejection_threshold=5.5, minimum_groups=4)
        again = open_session(tiny_raw)
        exec(session.code("jump"), {"session": again})
        assert again.settings == session.settings

    @pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "x", None, [1]])
    def test_refused_value_changes_nothing(self, value: Any, session: Session) -> None:
        with pytest.raises(ParameterError, match="rejection_threshold"):
            session.set("jump", minimum_groups=4, rejection_threshold=value)
        assert session.settings.values == {}
        assert not session.can_undo

    @pytest.mark.parametrize("step", ["jmup", "guider_cds"])
    def test_refused_step(self, step: str, session: Session) -> None:
        with pytest.raises(ParameterError, match=step):
            session.set(step, skip=True)
        with pytest.raises(ParameterError, match=step):
            session.reset(step)

    def test_reset_of_an_unknown_parameter(self, session: Session) -> None:
        with pytest.raises(ParameterError, match="nonsense"):
            session.reset("jump", "nonsense")

    def test_setting_the_same_again_is_no_change(self, session: Session) -> None:
        session.set("jump", rejection_threshold=5)
        length = len(session.history)
        session.set("jump", rejection_threshold=5.0)
        assert len(session.history) == length
        session.reset("ipc")
        assert len(session.history) == length

    def test_undo_redo(self, session: Session) -> None:
        for value in (5, 6, 7):
            session.set("jump", rejection_threshold=value)
        session.undo()
        session.undo()
        assert session.params("jump").rejection_threshold == 5
        session.redo()
        assert session.params("jump").rejection_threshold == 6
        session.set("jump", minimum_groups=4)
        assert not session.can_redo  # a new branch
        session.redo()
        assert session.params("jump").rejection_threshold == 6
        for _ in range(10):
            session.undo()
        assert session.params("jump") == session.baseline("jump")

    def test_values_from_crds(self, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pars = {"pars-jumpstep": {"parameters": {"rejection_threshold": 7.0}}}
        cache = tiny_exposure.build_crds_cache(tmp_path / "crds", pars=pars)
        monkeypatch.setenv("CRDS_PATH", str(cache))
        session = open_session(tiny_raw)
        assert session.params("jump").rejection_threshold == 7.0
        assert session.source("jump", "rejection_threshold") == "crds"
        session.set("jump", rejection_threshold=4)
        assert session.source("jump", "rejection_threshold") == "user"
        session.run(last="jump")
        choice = session.history[-1].choices
        assert "rejection_threshold" not in choice  # it is the default again
        session.reset("jump")
        session.run(last="jump")
        assert (
            session.history[-1].choices["rejection_threshold"].source == "jwst_nircam_pars-jumpstep_0001.asdf"
        )


class TestRunning:
    def test_whole(self, session: Session) -> None:
        assert set(states(session)) == {"pending"}
        assert not session.is_finished
        session.run()
        assert set(states(session)) == {"done", "skipped"}
        assert session.is_finished
        assert session.status("persistence").reason == "parameter skip is set"
        result = session.result("gain_scale")
        assert isinstance(result, Rates)
        raw = session.result("input")
        assert isinstance(raw, Ramp)
        assert raw.data.max() == 65535
        assert session.result("jump").groupdq[1, 3, 20, 30] & 4  # the cosmic ray

    def test_raw_is_never_changed(self, session: Session) -> None:
        before = session.result("input").data.tobytes()
        session.run()
        assert session.result("input").data.tobytes() == before

    def test_nothing_is_done_twice(self, session: Session, ran: list[str]) -> None:
        session.run()
        assert ran == list(session.steps)
        ran.clear()
        session.run()
        assert ran == []

    def test_first_and_last(self, session: Session, ran: list[str]) -> None:
        session.run(last="superbias")
        assert ran == list(session.steps[: session.steps.index("superbias") + 1])
        assert session.status("refpix").state == "pending"
        ran.clear()
        session.run(first="ipc", last="superbias")
        assert ran == ["ipc", "superbias"]
        ran.clear()
        session.run(first="jump", last="jump")
        assert ran == list(session.steps[session.steps.index("refpix") : session.steps.index("jump") + 1])
        with pytest.raises(ParameterError, match="after"):
            session.run(first="jump", last="ipc")
        with pytest.raises(ParameterError, match="jmup"):
            session.run(last="jmup")

    def test_change_makes_stale_what_follows(self, session: Session, ran: list[str]) -> None:
        session.run()
        session.set("jump", rejection_threshold=50)
        where = session.steps.index("jump")
        assert "stale" not in states(session)[:where]
        assert set(states(session)[where:]) == {"stale"}
        assert not session.is_finished
        assert isinstance(session.result("gain_scale"), Rates)  # the one of the last run
        ran.clear()
        session.run()
        assert ran == list(session.steps[where:])

    def test_undo_brings_results_back_without_computing(self, session: Session, ran: list[str]) -> None:
        session.run()
        before = session.result("ramp_fit")
        digest = session.digest()
        session.set("jump", rejection_threshold=1)
        session.run()
        other = session.digest()
        assert other != digest
        ran.clear()
        session.undo()
        assert session.is_finished
        assert session.result("ramp_fit") is before
        assert session.digest() == digest
        session.redo()
        assert session.digest() == other
        assert ran == []

    def test_the_same_settings_by_another_way(self, session: Session, ran: list[str]) -> None:
        session.run()
        session.set("jump", rejection_threshold=1)
        session.set("jump", rejection_threshold=4)  # the default
        ran.clear()
        session.run()
        assert ran == []

    def test_skip(self, session: Session) -> None:
        session.run()
        digest = session.digest()
        session.set("ipc", skip=True)
        session.run()
        assert session.status("ipc").state == "skipped"
        assert session.result("ipc") is session.result("saturation")
        assert session.digest() != digest

    def test_run_step(self, session: Session) -> None:
        session.run_step("jump", rejection_threshold=6)
        assert session.params("jump").rejection_threshold == 6
        assert session.status("jump").state == "done"
        assert session.status("ramp_fit").state == "pending"

    def test_progress(self, session: Session) -> None:
        seen: list[Progress] = []
        session.run(progress=seen.append)
        marks = [p.index + p.fraction for p in seen]
        assert marks == sorted(marks)
        assert marks[0] == 0
        assert marks[-1] == len(session.steps)
        assert {p.nsteps for p in seen} == {len(session.steps)}

    def test_failure(self, session: Session, tmp_path: Path) -> None:
        wrong = tiny_exposure.write_reference(tmp_path, "gain", DETECTOR="NRCBLONG")
        session.override("gain", wrong, step="jump")
        with pytest.raises(ReferenceError, match="NRCBLONG"):
            session.run()
        assert session.status("jump").state == "failed"
        assert "NRCBLONG" in session.status("jump").reason
        assert session.status("dark_current").state == "done"
        assert session.history[-1].outcome == "failed"
        session.override("gain", None, step="jump")
        assert session.status("jump").state == "pending"
        session.run()
        assert session.is_finished

    def test_failure_that_nobody_foresaw(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_arguments: Any) -> Any:
            raise MemoryError("no room")

        monkeypatch.setattr(running, "run_step", broken)
        with pytest.raises(MemoryError):
            session.run()
        assert session.status("group_scale").state == "failed"
        assert "no room" in session.status("group_scale").reason
        monkeypatch.undo()

    def test_second_run_at_the_same_time(self, session: Session) -> None:
        refusals: list[str] = []

        def again(_progress: Progress) -> None:
            try:
                session.run()
            except InputError as error:
                refusals.append(str(error))

        session.run(progress=again)
        assert refusals
        assert "already running" in refusals[0]
        session.run()  # free again

    def test_setting_changed_while_it_runs(self, session: Session, tiny_raw: Path) -> None:
        """The result belongs to the settings at the start, under which it is kept."""

        def change(progress: Progress) -> None:
            if progress.step == "superbias" and not session.can_undo:
                session.set("jump", rejection_threshold=1)

        session.run(progress=change)
        assert session.status("jump").state != "done"
        session.run()
        other = open_session(tiny_raw)
        other.set("jump", rejection_threshold=1)
        other.run()
        assert session.digest() == other.digest()
        session.undo()
        other.undo()
        other.run()
        assert session.digest() == other.digest()


class TestCancel:
    def test_before(self, session: Session) -> None:
        cancel = threading.Event()
        cancel.set()
        with pytest.raises(Cancelled):
            session.run(cancel=cancel)
        assert set(states(session)) == {"pending"}

    def test_between_steps(self, session: Session) -> None:
        cancel = threading.Event()

        def stop(progress: Progress) -> None:
            if progress.step == "superbias":
                cancel.set()

        with pytest.raises(Cancelled):
            session.run(progress=stop, cancel=cancel)
        assert session.status("ipc").state == "done"
        assert session.status("superbias").state == "pending"
        assert session.history[-1].outcome == "cancelled"
        session.run()
        assert session.is_finished

    def test_answer_while_a_step_runs(
        self, raw_sub640: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[..., None]
    ) -> None:
        """On the demonstration exposure (3 integrations of 640 x 640 x 8); the promise is 0.2 s."""
        session = open_session(raw_sub640, context="demo", threads=2)
        session.run(last="dark_current")
        started, cancel, ended = threading.Event(), threading.Event(), []

        def work() -> None:
            try:
                session.run(progress=lambda p: started.set() if p.fraction > 0 else None, cancel=cancel)
            except Cancelled:
                ended.append(time.perf_counter())

        thread = threading.Thread(target=work)
        thread.start()
        assert started.wait(30)
        asked = time.perf_counter()
        cancel.set()
        thread.join(30)
        record_property("seconds", ended[0] - asked)
        assert ended[0] - asked < 1.0


class TestReferences:
    def test_override(self, session: Session, tmp_path: Path) -> None:
        session.run()
        digest = session.digest()
        other = tiny_exposure.write_reference(tmp_path, "gain", name="other.fits")
        session.override("gain", other)
        assert session.status("jump").state == "stale"
        assert session.status("superbias").state == "done"
        session.run()
        assert {r.name for r in session.references("jump")} == {
            "other.fits",
            "jwst_nircam_readnoise_0001.fits",
        }
        assert {r.origin for r in session.references("ramp_fit")} == {"override", "crds"}
        assert session.digest() == digest  # the same numbers
        session.override("gain", None)
        assert session.is_finished

    def test_file_that_changes_on_disk(self, session: Session, tmp_path: Path) -> None:
        from astropy.io import fits

        other = tiny_exposure.write_reference(tmp_path, "gain", name="other.fits")
        session.override("gain", other)
        session.run()
        digest, used = session.digest(), session.references("jump")
        with fits.open(other, mode="update") as hdus:
            hdus["SCI"].data[:] = 5
        assert session.status("jump").state == "stale"
        session.run()
        assert session.digest() != digest
        assert session.references("jump") != used

    def test_not_applicable(self, session: Session) -> None:
        session.override("dark", "n/a")
        session.run()
        assert session.status("dark_current").state == "skipped"
        assert session.result("dark_current") is session.result("linearity")
        assert session.references("dark_current")[0].origin == "N/A"

    def test_refused(self, session: Session, tmp_path: Path) -> None:
        with pytest.raises(ReferenceError, match="no such file"):
            session.override("gain", tmp_path / "no.fits")
        with pytest.raises(ParameterError, match="reset"):
            session.override("reset", tmp_path / "no.fits")
        with pytest.raises(ParameterError, match="superbias"):
            session.override("gain", "N/A", step="superbias")
        assert not session.can_undo

    def test_file_that_is_removed(self, session: Session, tmp_path: Path) -> None:
        other = tiny_exposure.write_reference(tmp_path, "gain", name="other.fits")
        session.override("gain", other)
        other.unlink()
        with pytest.raises(ReferenceError, match=r"other\.fits"):
            session.run()
        assert session.status("jump").state == "failed"

    def test_for_displays(self, session: Session) -> None:
        references = session.load_references("jump")
        assert references["gain"].data.shape == (64, 64)
        assert session.load_references("persistence") == {}
        with pytest.raises(ParameterError):
            session.load_references("rscd")


class TestMemory:
    def test_limit(self, tiny_raw: Path, ran: list[str]) -> None:
        free = open_session(tiny_raw)
        free.run()
        session = open_session(tiny_raw, memory_limit=1)
        session.run()
        assert session.status("superbias").state == "done"  # what came of it is still known
        assert session.digest() == free.digest()
        ran.clear()
        superbias = session.result("superbias")  # was dropped, and is computed again
        assert ran == list(session.steps[: session.steps.index("superbias") + 1])
        superbias, expected = session.result("superbias"), free.result("superbias")
        np.testing.assert_array_equal(superbias.data, expected.data)
        assert session.digest() == free.digest()  # computed again
        assert session.write(tiny_raw.parent)

    def test_shared_arrays_count_once(self, session: Session) -> None:
        session.run(last="dq_init")
        one = session._results.cache.nbytes
        session.run(last="saturation")
        assert session._results.cache.nbytes < 2 * one


class TestSeveral:
    def test_two_contexts_in_one_process(
        self, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Mappings of the same name in another cache, then the first again."""
        pars = {"pars-jumpstep": {"parameters": {"rejection_threshold": 1.0}}}
        second = tiny_exposure.build_crds_cache(tmp_path / "crds", pars=pars)
        a = open_session(tiny_raw)
        with monkeypatch.context() as patch:
            patch.setenv("CRDS_PATH", str(second))
            b = open_session(tiny_raw)
        assert (a.params("jump").rejection_threshold, b.params("jump").rejection_threshold) == (4.0, 1.0)
        a.run()
        b.run()  # the environment is that of a again; b keeps its own
        assert {Path(r.path).parents[3] for r in b.references("jump")} == {second}
        assert second not in {Path(r.path).parents[3] for r in a.references("jump")}
        assert a.digest() != b.digest()

    def test_demo_beside_a_crds_context(self, tiny_raw: Path, raw_sub640: Path) -> None:
        a = open_session(tiny_raw)
        demo = open_session(raw_sub640, context="demo")
        demo.run(last="dq_init")
        a.run()
        assert demo.crds_context != a.crds_context
        assert open_session(tiny_raw).crds_context == tiny_exposure.CONTEXT

    def test_the_environment_is_left_as_it_was(self, tiny_raw: Path, raw_sub640: Path) -> None:
        import os

        before = dict(os.environ)
        open_session(tiny_raw).run()
        open_session(raw_sub640, context="demo").run(last="dq_init")
        assert dict(os.environ) == before

    def test_threads(self, tiny_raw: Path) -> None:
        digests = set()
        for threads in (1, 2, 7):
            session = open_session(tiny_raw, threads=threads)
            session.run()
            digests.add(session.digest())
        assert len(digests) == 1

    def test_at_the_same_time(self, tiny_raw: Path) -> None:
        sessions = [open_session(tiny_raw) for _ in range(3)]
        problems: list[BaseException] = []

        def work(session: Session) -> None:
            try:
                session.run()
            except BaseException as error:  # noqa: BLE001 - it is shown below
                problems.append(error)

        threads = [threading.Thread(target=work, args=(s,)) for s in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not problems
        assert len({s.digest() for s in sessions}) == 1


class TestHistory:
    def test_entries(self, session: Session) -> None:
        session.set("jump", rejection_threshold=5)
        session.run(last="jump")
        session.undo()
        actions = [e.action for e in session.history]
        assert actions[:2] == ["open", "set"]
        assert actions[-1] == "undo"
        assert [e.number for e in session.history] == list(range(1, len(actions) + 1))
        run = session.history[-2]
        assert (run.step, run.outcome) == ("jump", "done")
        assert run.choices["rejection_threshold"].value == 5
        assert run.choices["rejection_threshold"].source == "user"
        assert all(len(r.sha256) == 64 for r in run.references)
        assert run.seconds > 0
        assert run.peak_bytes > 1e6
        assert session.history[0].versions["crds_context"] == tiny_exposure.CONTEXT

    def test_write_needs_a_finished_run(self, session: Session, tmp_path: Path) -> None:
        for act in (lambda: session.write(tmp_path / "out"), session.digest, session.figure):
            with pytest.raises(InputError, match="has not run"):
                act()
        assert not (tmp_path / "out").exists()
        session.run()
        session.set("jump", rejection_threshold=5)
        with pytest.raises(InputError, match="present settings"):
            session.write(tmp_path / "out")

    def test_summary_and_figure(self, session: Session) -> None:
        session.run_step("jump", rejection_threshold=5)
        text = str(session.summary())
        assert "rejection_threshold = 5.0" in text
        assert "<table>" in session.summary()._repr_html_()
        session.run()
        assert session.figure()._repr_png_().startswith(b"\x89PNG")
        assert re.fullmatch(r"<Figure: PNG, \d+ kB>", repr(session.figure()))
