"""Branches of a session: other settings beside each other, their results, and how they compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from jwcal_interactive import InputError, ParameterError, Rates, Session, open_session
from jwcal_interactive.session import running
from jwcal_interactive.session.comparison import slope_difference
from jwcal_interactive.session.history import History

pytestmark = pytest.mark.usefixtures("tiny_context")


@pytest.fixture
def session(tiny_raw: Path) -> Session:
    """Run twice: with the defaults (main), and with many jumps (strict)."""
    session = open_session(tiny_raw)
    session.run()
    session.branch("strict")
    session.run_step("jump", rejection_threshold=1)
    session.run()
    return session


def test_another_branch_does_not_stand_in_for_what_was_dropped(tiny_raw: Path) -> None:
    session = open_session(tiny_raw, memory_limit=1)
    session.run(last="ramp_fit")
    session.branch("strict")
    session.set("jump", rejection_threshold=1)
    session.run(last="ramp_fit")
    assert session.kept("ramp_fit") is not None
    session.switch("main")
    assert session.status("ramp_fit").state == "done"
    assert session.kept("ramp_fit") is None, "the result in memory is that of the other branch"


class TestBranches:
    def test_switch_brings_results_back(self, session: Session, ran: list[str]) -> None:
        strict = session.digest()
        session.switch("main")
        assert session.params("jump").rejection_threshold == 4
        assert session.is_finished
        assert session.digest() != strict
        session.switch("strict")
        assert session.digest() == strict
        assert ran == []

    def test_at(self, session: Session) -> None:
        assert session.params("jump", at="main").rejection_threshold == 4
        assert session.params("jump", at=1).rejection_threshold == 1
        assert session.params("jump").rejection_threshold == 1
        main = session.result("ramp_fit", at="main")
        assert isinstance(main, Rates)
        assert main is session.result("ramp_fit", at=0)
        assert main is not session.result("ramp_fit")
        assert session.status("ramp_fit", at="main").state == "done"
        assert session.references("jump", at="main") == session.references("jump")
        assert session.result("input", at="main") is session.result("input")

    @pytest.mark.parametrize("at", ["nowhere", 99])
    def test_at_nowhere(self, at: Any, session: Session) -> None:
        for act in (session.result, session.status, session.params, session.references):
            with pytest.raises(ParameterError, match="there is no"):
                act("jump", at=at)
        for act in (session.switch, lambda at: session.run(at=at), lambda at: session.compare("main", at)):
            with pytest.raises(ParameterError, match="there is no"):
                act(at)
        with pytest.raises(ParameterError, match="there is no"):
            session.result("input", at=at)
        with pytest.raises(ParameterError, match="there is no"):
            session.branch("new", at=at)

    def test_result_at_is_never_computed(self, tiny_raw: Path, ran: list[str]) -> None:
        session = open_session(tiny_raw, memory_limit=1)
        session.run(last="jump")
        ran.clear()
        assert session.result("superbias", at="main") is None
        assert session.result("ramp_fit", at="main") is None
        assert ran == []

    def test_run_at(self, session: Session, ran: list[str]) -> None:
        session.switch("main")
        session.branch("loose")
        session.set("jump", rejection_threshold=50)
        session.switch("main")
        main = session.digest()
        session.run(at="loose")
        assert ran == list(session.steps[session.steps.index("jump") :])
        assert session.tree.branch == "main"
        assert session.params("jump").rejection_threshold == 4
        assert session.digest() == main
        assert session.status("gain_scale", at="loose").state in {"done", "skipped"}
        assert {(e.branch, e.node) for e in session.history if e.action == "run"} == {
            ("main", 0), ("strict", 1), ("loose", 2),
        }  # fmt: skip
        session.switch("loose")
        ran.clear()
        session.run()
        assert ran == []
        assert session.digest() != main

    def test_run_at_does_not_change_what_is_shown_of_a_stale_step(self, session: Session) -> None:
        session.switch("main")
        session.run(first="jump")
        before = session.result("gain_scale")
        session.set("jump", rejection_threshold=7)
        session.run(at="strict", first="jump")
        assert session.status("gain_scale").state == "stale"
        assert session.result("gain_scale") is before

    def test_results_that_were_dropped_are_computed_again(self, tiny_raw: Path) -> None:
        session = open_session(tiny_raw, memory_limit=1)
        session.run()
        main = session.digest()
        session.branch("other")
        session.set("jump", rejection_threshold=1)
        session.run()
        assert session.digest() != main
        session.switch("main")
        assert session.digest() == main

    def test_entries(self, session: Session) -> None:
        session.switch(0)
        session.switch("main")
        session.rename_branch("strict", "very strict")
        session.delete_branch("very strict")
        told = [(e.action, e.outcome) for e in session.history if e.action not in {"run", "open"}]
        assert told == [
            ("branch", "strict, from node 0"),
            ("set", "rejection_threshold = 1.0"),
            ("switch", "node 0"),
            ("switch", "main"),
            ("rename_branch", "strict is now very strict"),
            ("delete_branch", "very strict"),
        ]
        assert [n.number for n in session.tree.nodes] == [0]

    def test_refused(self, session: Session) -> None:
        length = len(session.history)
        for act in (
            lambda: session.branch("main"),
            lambda: session.delete_branch("strict"),
            lambda: session.delete_branch("main"),
            lambda: session.delete_branch("x"),
            lambda: session.rename_branch("x", "y"),
            lambda: session.rename_branch("main", "strict"),
        ):
            with pytest.raises(ParameterError):
                act()
        assert len(session.history) == length


@pytest.mark.parametrize("memory_limit", [None, 1])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_results_are_those_of_the_settings(seed: int, memory_limit: int | None, tiny_raw: Path) -> None:
    """Whatever was done on the way, and whatever is still in memory: a new session comes to the same."""
    random = Random(seed)
    session = open_session(tiny_raw, memory_limit=memory_limit)

    def edit() -> None:
        x, y, first = random.randrange(60), random.randrange(60), random.randrange(4)
        groups = random.choice([None, (first, first + 2)])
        after, clear = random.choice(["dq_init", "jump"]), random.random() < 0.3
        flag = random.choice(["DO_NOT_USE", "JUMP_DET"])
        session.edit_flags(after, flag, boxes=[(x, y, x + 4, y + 4)], groups=groups, clear=clear)

    actions: list[Callable[[], None]] = [
        edit,
        lambda: session.set("jump", rejection_threshold=random.choice([2, 4, 8])),
        lambda: session.set("ipc", skip=random.random() < 0.5),
        session.undo,
        session.redo,
        lambda: session.switch(random.choice([n.number for n in session.tree.nodes])),
        lambda: session.branch(f"b{len(session.tree.branches)}", random.choice(list(session.tree.branches))),
        lambda: session.run(last=random.choice(session.steps)),
        lambda: session.run(at=random.choice(list(session.tree.branches))),
    ]
    for _ in range(30):
        random.choice(actions)()
    session.run()
    new = open_session(tiny_raw)
    for step, values in session.settings.values.items():
        new.set(step, **values)
    for one in session.settings.edits:
        exec(one.call(), {"session": new})
    new.run()
    assert new.digest() == session.digest()


class TestCompare:
    def test_settings_and_results(self, session: Session, tmp_path: Path) -> None:
        session.edit_flags("jump", "JUMP_DET", boxes=[(20, 30, 21, 31)], groups=(2, 3), clear=True)
        found = session.compare("main", "strict")
        [parameter] = found.parameters
        assert (parameter.step, parameter.name) == ("jump", "rejection_threshold")
        assert (parameter.value_a, parameter.value_b) == (4.0, 1.0)
        assert found.edits_a == ()
        assert found.edits_b == session.settings.edits
        assert found.steps == ()  # not run with the edit
        behind = session.steps[session.steps.index("jump") :]
        assert found.not_compared == behind
        assert "not compared, since results are not in memory: jump, " in repr(found)
        assert "not compared" in found._repr_html_()
        session.run()
        found = session.compare("main", "strict")
        jump = next(s for s in found.steps if s.step == "jump")
        a, b = session.result("jump", at="main"), session.result("jump", at="strict")
        assert jump.group_flags["JUMP_DET"] == np.count_nonzero((a.groupdq ^ b.groupdq) & 4)
        assert jump.slope_median is None
        assert found.not_compared == ()
        assert found.steps[0].step == "jump"  # before it, results are the same ones
        rates = next(s for s in found.steps if s.step == "ramp_fit")
        one, other = (session.result("ramp_fit", at=at).rate for at in ("main", "strict"))
        good = np.isfinite(one.data) & np.isfinite(other.data) & (((one.dq | other.dq) & 1) == 0)
        difference = (other.data.astype(float) - one.data)[good]
        assert rates.slope_median == pytest.approx(np.median(difference))
        spread = 1.4826 * np.median(np.abs(difference - np.median(difference)))
        assert rates.slope_spread == pytest.approx(spread)
        assert rates.pixel_flags.get("JUMP_DET", 0) == np.count_nonzero((one.dq ^ other.dq) & 4)

    def test_the_other_way_round(self, session: Session) -> None:
        one, other = session.compare("main", 1), session.compare(1, "main")
        assert (one.a, one.b) == ("main", "node 1")
        assert [s.group_flags for s in one.steps] == [s.group_flags for s in other.steps]
        assert other.steps[-1].slope_median == pytest.approx(-one.steps[-1].slope_median)

    def test_overrides(self, session: Session) -> None:
        session.override("dark", "N/A")
        [override] = session.compare("main", "strict").overrides
        assert (override.step, override.reftype, override.file_a, override.file_b) == (
            "dark_current", "dark", None, "N/A",
        )  # fmt: skip

    def test_pixels_that_are_not_used_do_not_count(self) -> None:
        slopes = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
        other = slopes + np.array([[1, 2, 3], [900, 900, np.nan]], np.float32)
        bad_a, bad_b = np.zeros((2, 2, 3), np.uint32)
        bad_a[1, 0] = bad_b[1, 1] = 1
        median, spread = slope_difference((slopes, bad_a), (other, bad_b))
        assert (median, spread) == (2.0, pytest.approx(1.4826))
        assert np.isnan(slope_difference((slopes, bad_a | 1), (other, bad_b))).all()

    def test_with_itself(self, session: Session) -> None:
        found = session.compare("main", 0)
        assert (found.parameters, found.overrides, found.edits_a, found.edits_b, found.steps) == (
            (),
            (),
            (),
            (),
            (),
        )
        assert repr(found) == "main and node 0: the same settings"
        assert "the same settings" in found._repr_html_()

    def test_a_step_left_out(self, session: Session) -> None:
        """After gain_scale one branch has rates, the other a ramp."""
        session.branch("no fit")
        session.set("ramp_fit", skip=True)
        session.run()
        found = session.compare("main", "no fit")
        assert next(s for s in found.steps if s.step == "ramp_fit").pixel_flags == {}

    def test_shown(self, session: Session) -> None:
        session.rename_branch("strict", "a<b")
        session.edit_flags("jump", "JUMP_DET", boxes=[(20, 30, 21, 31)], groups=(2, 3), clear=True)
        session.run()
        found = session.compare("main", "a<b")
        text = repr(found)
        assert "rejection_threshold" in text
        assert "jump to visit_persistence  JUMP_DET in" in text  # those that differ likewise share a line
        assert "edit of flags" in text
        assert "JUMP_DET in" in text
        assert "DN/s" in text
        assert "a&lt;b" in found._repr_html_()


class TestClose:
    def test_later_use(self, session: Session, tmp_path: Path) -> None:
        session.close()
        assert "closed" in repr(session)
        for act in (
            session.run,
            session.undo,
            session.digest,
            lambda: session.settings,
            lambda: session.tree,
            lambda: session.can_undo,
            lambda: session.is_finished,
            lambda: session.set("jump", skip=True),
            lambda: session.reset("jump"),
            lambda: session.override("gain", "N/A"),
            lambda: session.edit_flags("jump", "JUMP_DET", boxes=[(0, 0, 1, 1)]),
            lambda: session.result("jump"),
            lambda: session.result("input"),
            lambda: session.kept("input"),
            lambda: session.status("jump"),
            lambda: session.params("jump"),
            lambda: session.code("jump"),
            lambda: session.load_references("jump"),
            lambda: session.write(tmp_path / "out"),
            lambda: session.export(tmp_path / "n.ipynb"),
            lambda: session.save(tmp_path / "s.json"),
            session.summary,
            session.figure,
        ):
            with pytest.raises(InputError, match="this session is closed"):
                act()
        assert len(session.history) > 1
        session.close()  # once more does no harm
        assert [p.name for p in tmp_path.iterdir()] == ["input"]

    def test_arrays_are_dropped(self, session: Session) -> None:
        import gc
        import weakref

        gone = [weakref.ref(session.result(step)) for step in ("input", "jump", "ramp_fit")]
        session.load_references("jump")
        session.close()
        gc.collect()
        assert [ref() for ref in gone] == [None, None, None]
        assert session._book._loaded == {}

    def test_with(self, tiny_raw: Path) -> None:
        with open_session(tiny_raw) as session:
            session.run(last="dq_init")
        with pytest.raises(InputError, match="closed"):
            session.run()

    def test_not_while_it_runs(self, tiny_raw: Path) -> None:
        session = open_session(tiny_raw)
        refusals: list[str] = []

        def close(_progress: Any) -> None:
            with pytest.raises(InputError, match="is running") as caught:
                session.close()
            refusals.append(str(caught.value))

        session.run(last="dq_init", progress=close)
        assert refusals
        assert session.status("dq_init").state == "done"


class TestHistory:
    def test_short_and_readable(self, session: Session) -> None:
        session.edit_flags("jump", "JUMP_DET", boxes=[(20, 30, 21, 31)], groups=(2, 3))
        session.run()
        lines = repr(session.history).splitlines()
        assert len(lines) < 12
        assert max(map(len, lines)) < 180
        assert "run group_scale to gain_scale" in lines[2]
        assert "JUMP_DET set in groups 2:3" in repr(session.history)
        assert "<table>" in session.history._repr_html_()
        assert repr(session.history[-3:]).count("\n") <= 3
        assert session.history[-3:][0] == session.history[-3]

    def test_each_run_is_told(self, session: Session) -> None:
        before = len(session.history.rows())
        session.run(first="jump")
        session.run(first="ramp_fit", last="ramp_fit")
        assert [row[4] for row in session.history.rows()[before:]] == ["run jump to gain_scale", "run ramp_fit"]

    def test_of_several_days(self, session: Session) -> None:
        first, *others = session.history
        assert first.time[:10] not in repr(session.history)
        days = History([replace(first, time="2026-01-02T03:04:05+00:00"), *others])
        assert "2026-01-02 03:04:05" in repr(days)

    def test_memory_of_results(self, session: Session) -> None:
        runs = {e.step: e for e in session.history if e.branch == "main" and e.action == "run"}
        raw = session.result("input")
        assert runs["persistence"].memory == 0  # skipped: the arrays of the step before
        assert runs["superbias"].memory >= raw.data.nbytes
        assert runs["jump"].memory < raw.data.nbytes  # flags only
        assert all(e.time for e in session.history)

    def test_failure_stands_alone(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_arguments: Any) -> Any:
            raise MemoryError("no room")

        session.set("jump", rejection_threshold=3)
        monkeypatch.setattr(running, "run_step", broken)
        with pytest.raises(MemoryError):
            session.run()
        assert "failed: MemoryError: no room" in repr(session.history).splitlines()[-1]
        monkeypatch.undo()
