"""What the runner does with what a session does."""

from __future__ import annotations

import threading
import time

import pytest

from jwcal_interactive import Cancelled, InputError, Progress
from jwcal_widgets.runner import Runner


class TestRunner:
    class Talkative:
        def __init__(self, act):
            self.act = act

        def run(self, *, first, last, progress, cancel):
            self.act(progress, cancel)

    def outcome(self, act, seen):
        ends = []
        runner = Runner(self.Talkative(act), seen.append, ends.append, interval=0.05)
        runner.start()
        runner.wait(5)
        return ends

    def test_every_message_is_told(self):
        """One that is passed over would leave the one before it on the screen for its whole time."""
        seen = []

        def act(progress, _cancel):
            for k in (1, 2, 3):
                progress(Progress("jump", 0, 1, 0.0, f"compiling ({k}/3)"))

        assert self.outcome(act, seen) == [None]
        assert [p.message for p in seen] == [f"compiling ({k}/3)" for k in (1, 2, 3)]

    def test_progress_is_thinned_but_every_step_is_told(self):
        seen = []

        def act(progress, _cancel):
            for index, step in enumerate(("a", "b")):
                for k in range(1000):
                    progress(Progress(step, index, 2, k / 1000))

        ends = self.outcome(act, seen)
        assert ends == [None]
        assert [p.step for p in seen][:1] == ["a"]
        assert {p.step for p in seen} == {"a", "b"}
        assert len(seen) < 50

    def test_cancelled_run_is_over_at_once_and_the_next_waits_for_its_thread(self):
        """While a step reads a large file it cannot stop; the user is not kept waiting."""
        log, ends, release = [], [], threading.Event()

        def act(_progress, cancel):
            log.append("begin")
            if len(log) == 1:
                release.wait(5)
                log.append("late end" if cancel.is_set() else "end")
                raise Cancelled
            log.append("second end")

        runner = Runner(self.Talkative(act), print, ends.append)
        runner.start()
        runner.cancel()
        assert [type(end) for end in ends] == [Cancelled]
        runner.cancel()
        runner.start()
        assert runner.running
        release.set()
        runner.wait(5)
        assert log == ["begin", "late end", "begin", "second end"]
        assert [type(end) for end in ends] == [Cancelled, type(None)], "each run ends once"

    def test_superseded_runs_are_not_told_and_those_that_wait_never_begin(self):
        log, ends, release = [], [], threading.Event()

        class Session:
            def run(self, *, first, last, progress, cancel):
                log.append(last)
                release.wait(5)
                log.append(cancel.is_set())
                if cancel.is_set():
                    raise Cancelled

        runner = Runner(Session(), print, ends.append)
        runner.start(last="first")
        while not log:
            time.sleep(0.001)
        for last in ("second", "third"):
            runner.start(last=last, supersede=True)
        runner.start(last="not asked for")
        release.set()
        runner.wait(5)
        assert log == ["first", True, "third", False]
        assert ends == [None]
        assert not runner.running

    @pytest.mark.parametrize("error", [Cancelled(), InputError("bad"), ZeroDivisionError("odd")])
    def test_every_end_is_told(self, error):
        def act(_progress, _cancel):
            raise error

        assert self.outcome(act, []) == [error]
