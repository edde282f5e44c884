"""Flags edited by hand in a session: what they do to results, and that they go everywhere the session goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import tiny_exposure
from astropy.io import fits

from jwcal_interactive import InputError, OutputError, ParameterError, Session, open_session
from jwcal_interactive.dq import DQ
from jwcal_interactive.edits import mask_of
from jwcal_interactive.session.editing import layout_after

pytestmark = pytest.mark.usefixtures("tiny_context")

RAY = (1, 3, 20, 30)  # integration, group, y, x of the cosmic ray of the small exposure
HIT = [(30, 20, 31, 21)]


@pytest.fixture
def session(tiny_raw: Path) -> Session:
    return open_session(tiny_raw)


def many() -> np.ndarray:
    """A mask of more boxes than are written into a notebook."""
    mask = np.zeros((64, 64), bool)
    mask[10:50:2, 10:50:4] = True
    return mask


class TestResults:
    def test_the_fit_sees_them(self, session: Session) -> None:
        session.run()
        before = session.result("ramp_fit").rateints
        assert before.dq[1, 20, 30] & DQ.JUMP_DET
        session.edit_flags("jump", "JUMP_DET", boxes=HIT, groups=(0, 5), clear=True)
        assert session.status("jump").state == "stale"
        assert session.status("dark_current").state == "done"
        session.run()
        after = session.result("ramp_fit").rateints
        assert not session.result("jump").groupdq[RAY] & DQ.JUMP_DET
        assert not after.dq[1, 20, 30] & DQ.JUMP_DET
        assert after.data[1, 20, 30] != before.data[1, 20, 30]
        changed = np.argwhere((after.data != before.data) & np.isfinite(before.data))
        assert changed.tolist() == [[1, 20, 30]]

    def test_a_bad_column(self, session: Session) -> None:
        mask = np.zeros((64, 64), bool)
        mask[:, 40] = True
        session.edit_flags("dq_init", "DO_NOT_USE", mask=mask)
        session.run()
        assert (session.result("dq_init").pixeldq[:, 40] & 1).all()
        assert (session.result("gain_scale").rate.dq[:, 40] & 1).all()

    def test_only_what_is_behind_is_computed(self, session: Session, ran: list[str]) -> None:
        session.run()
        ran.clear()
        session.edit_flags("jump", "JUMP_DET", boxes=HIT, groups=(0, 5), clear=True)
        session.run()
        after_jump = list(session.steps[session.steps.index("jump") + 1 :])
        assert ran == after_jump  # the step itself was computed before
        ran.clear()
        session.edit_flags("jump", "DO_NOT_USE", boxes=[(0, 0, 2, 2)], groups=(0, 1))
        session.run()
        assert ran == after_jump
        ran.clear()
        session.run(first="jump")
        assert ran == ["jump", *after_jump]
        assert not session.result("jump").groupdq[RAY] & DQ.JUMP_DET

    def test_input_of_the_step_is_gone(self, tiny_raw: Path, ran: list[str]) -> None:
        """The least memory: everything is computed again, to the same."""
        free, small = open_session(tiny_raw), open_session(tiny_raw, memory_limit=1)
        for session in (free, small):
            session.run()
            session.edit_flags("jump", "JUMP_DET", boxes=HIT, groups=(0, 5), clear=True)
            session.run()
        assert small.digest() == free.digest()

    def test_only_the_result_itself_is_left(self, tiny_raw: Path, ran: list[str]) -> None:
        session = open_session(tiny_raw, memory_limit=1)
        session.run(last="jump")
        ran.clear()
        session.edit_flags("jump", "JUMP_DET", boxes=HIT, groups=(0, 5), clear=True)
        session.run(last="jump")
        assert ran == []
        assert not session.result("jump").groupdq[RAY] & DQ.JUMP_DET

    def test_undo(self, session: Session, ran: list[str]) -> None:
        session.run()
        digest = session.digest()
        session.edit_flags("jump", "JUMP_DET", boxes=HIT, groups=(0, 5), clear=True)
        session.run()
        edited = session.digest()
        assert edited != digest
        ran.clear()
        session.undo()
        assert session.digest() == digest
        session.redo()
        assert session.digest() == edited
        session.remove_edit(0)
        assert session.settings.edits == ()
        assert session.digest() == digest
        assert ran == []

    def test_after_a_step_that_was_left_out(self, session: Session) -> None:
        session.edit_flags("persistence", "PERSISTENCE", boxes=[(0, 0, 4, 4)], groups=(4, 5))
        session.run(last="persistence")
        assert session.status("persistence").state == "skipped"
        assert (session.result("persistence").groupdq[:, 4, :4, :4] & DQ.PERSISTENCE).all()

    def test_rates(self, session: Session) -> None:
        session.edit_flags("gain_scale", DQ.DO_NOT_USE, boxes=[(5, 6, 7, 8)])
        session.run()
        assert (session.result("gain_scale").rate.dq[6:8, 5:7] & 1).all()
        assert (session.result("gain_scale").rateints.dq[:, 6:8, 5:7] & 1).all()

    def test_where_the_kind_turns_out_differently(self, session: Session) -> None:
        """Without the fit the result is a ramp; the run says so."""
        session.set("ramp_fit", skip=True)
        session.edit_flags("ramp_fit", "DO_NOT_USE", boxes=[(5, 6, 7, 8)], integrations=(0, 1))
        with pytest.raises(ParameterError, match="PIXELDQ has one value for all integrations"):
            session.run()
        assert session.status("ramp_fit").state == "failed"
        session.remove_edit(0)
        session.run()
        assert session.is_finished


class TestKinds:
    def test_guider(self, flight_acq1: Path) -> None:
        session = open_session(flight_acq1, context="demo")
        session.edit_flags("dq_init", "DEAD", boxes=[(0, 0, 2, 2)])
        with pytest.raises(
            ParameterError, match="the result of guider_cds is guider slopes, which have no groups"
        ):
            session.edit_flags("guider_cds", "HOT", boxes=[(4, 4, 6, 6)], groups=(0, 1))
        with pytest.raises(ParameterError, match="Leave integrations out"):
            session.edit_flags("guider_cds", "HOT", boxes=[(4, 4, 6, 6)], integrations=(0, 1))
        session.edit_flags("guider_cds", "HOT", boxes=[(4, 4, 6, 6)])
        session.run()
        dq = session.result(session.steps[-1]).dq
        assert (dq[:2, :2] & DQ.DEAD).all()
        assert (dq[4:6, 4:6] & DQ.HOT).all()

    def test_interleaved_reference_pixels(self, session: Session) -> None:
        """Before refpix an IRS2 frame has more rows than the exposure; a result in memory is asked first."""
        raw = session.result("input")
        tall = raw.with_(data=np.zeros((2, 5, 100, 64), np.float32))
        heights = {step: layout_after(step, session.steps, tall, None).ny for step in session.steps}
        assert set(list(heights.values())[: session.steps.index("refpix")]) == {100}
        assert set(list(heights.values())[session.steps.index("refpix") :]) == {64}
        assert layout_after("refpix", session.steps, tall, tall).ny == 100


class TestRecord:
    def test_history_and_code(self, session: Session, tiny_raw: Path) -> None:
        session.set("jump", rejection_threshold=5)
        session.edit_flags("jump", "JUMP_DET", boxes=HIT, integrations=(1, 2), groups=(3, 4), clear=True)
        entry = session.history[-1]
        assert (entry.action, entry.step) == ("edit", "jump")
        assert entry.outcome == "JUMP_DET cleared in integrations 1:2, groups 3:4, 1 pixel in x 30:31, y 20:21"
        assert session.code("jump").splitlines() == [
            'session.set("jump", rejection_threshold=5.0)',
            "session.edit_flags('jump', 'JUMP_DET', boxes=[(30, 20, 31, 21)], clear=True, integrations=(1, 2), "
            "groups=(3, 4))",
        ]
        again = open_session(tiny_raw)
        exec(session.code("jump"), {"session": again})
        assert again.settings == session.settings
        session.remove_edit(0)
        assert session.history[-1].action == "remove_edit"
        assert "edit_flags" not in session.code("jump")
        assert "1 edit of flags" not in str(session.summary())

    def test_summary(self, session: Session) -> None:
        session.set("jump", rejection_threshold=5)
        session.edit_flags("jump", "JUMP_DET", boxes=HIT, groups=(3, 4))
        assert "rejection_threshold = 5.0, 1 edit of flags" in str(session.summary())

    def test_code_of_many(self, session: Session, tmp_path: Path, tiny_raw: Path) -> None:
        session.edit_flags("jump", "DO_NOT_USE", mask=many())
        assert len(session.code("jump")) < 200
        again = open_session(tiny_raw)
        code = session.code("jump").replace("FILE.json", str(session.save_edits(tmp_path / "new" / "e.json")))
        exec(code, {"session": again})
        assert again.settings == session.settings

    def test_products(self, session: Session, tmp_path: Path) -> None:
        session.edit_flags("jump", "JUMP_DET", boxes=HIT, groups=(0, 5), clear=True)
        session.edit_flags("jump", "DO_NOT_USE", mask=many(), groups=(0, 1))
        session.run()
        for path in session.write(tmp_path):
            history = "".join(str(line) for line in fits.getheader(path)["HISTORY"])
            assert "flags edited by hand" in history
            assert "after jump: JUMP_DET cleared in groups 0:5, 1 pixel in x 30:31, y 20:21" in history
            assert f"200 pixels in 200 boxes, SHA-256 {session.settings.edits[1].sha256[:16]}" in history

    def test_products_without_edits_say_nothing(self, session: Session, tmp_path: Path) -> None:
        session.run()
        for path in session.write(tmp_path):
            assert "by hand" not in str(fits.getheader(path)["HISTORY"])

    @pytest.mark.parametrize("ending", ["json", "ipynb"])
    @pytest.mark.parametrize("mask", [many(), mask_of(HIT, (64, 64))], ids=["many", "few"])
    def test_round_trip(self, ending: str, mask: np.ndarray, session: Session, tmp_path: Path) -> None:
        session.edit_flags("jump", "DO_NOT_USE", mask=mask, groups=(0, 1))
        session.branch("other")
        session.edit_flags("jump", "JUMP_DET", mask=mask, integrations=(0, 1), groups=(2, 3))
        session.switch("main")
        session.run()
        file = tmp_path / f"s.{ending}"
        again = open_session(session.save(file) if ending == "json" else session.export(file))
        assert again.tree.nodes == session.tree.nodes
        assert (again.tree.branch, dict(again.tree.branches)) == ("main", {"main": 1, "other": 2})
        assert again.history[:-1] == session.history
        again.run()
        assert again.digest() == session.digest()
        again.switch("other")
        assert again.settings.edits == session.tree.node("other").settings.edits

    def test_each_is_saved_once(self, session: Session, tmp_path: Path) -> None:
        session.edit_flags("jump", "DO_NOT_USE", mask=many())
        for threshold in range(5, 15):
            session.set("jump", rejection_threshold=threshold)
        text = session.save(tmp_path / "s.json").read_text()
        assert text.count('"boxes"') == 1
        assert [node["edits"] for node in json.loads(text)["nodes"]] == [[], *[[0]] * 11]


class TestNotebook:
    def test_few_are_inside(self, session: Session, tmp_path: Path) -> None:
        session.edit_flags("jump", "JUMP_DET", boxes=HIT, groups=(0, 5), clear=True)
        session.run()
        notebook = nbformat.read(session.export(tmp_path / "n.ipynb"), as_version=4)
        assert [p.name for p in tmp_path.iterdir() if p.suffix in {".json", ".ipynb"}] == ["n.ipynb"]
        assert "flag_edits: bool = True" in notebook.cells[1].source
        [cell] = [c.source for c in notebook.cells if "edit_flags" in c.source]
        assert cell == f"if flag_edits:\n    {session.settings.edits[0].call()}"
        assert "JUMP_DET cleared in groups 0:5" in str(notebook.cells)
        assert self.executed(notebook)["session"].digest() == session.digest()

    def test_many_are_beside(self, session: Session, tmp_path: Path) -> None:
        session.edit_flags("jump", "JUMP_DET", boxes=HIT, groups=(0, 5))
        session.undo()
        session.edit_flags("jump", "DO_NOT_USE", mask=many(), groups=(0, 5))
        session.run()
        path = session.export(tmp_path / "new" / "n.ipynb")
        assert sorted(p.name for p in path.parent.iterdir()) == ["n.edits.json", "n.ipynb"]
        assert path.stat().st_size < 40_000
        notebook = nbformat.read(path, as_version=4)
        assert f"flag_edits: str = {str(path.parent / 'n.edits.json')!r}" in notebook.cells[1].source
        [cell] = [c.source for c in notebook.cells if "load_edits" in c.source]
        assert cell.endswith("session.load_edits(flag_edits, only=[1])")  # the other was taken back
        names = self.executed(notebook)
        assert names["session"].settings == session.settings
        assert names["session"].digest() == session.digest() == names["exported"]

    @pytest.mark.parametrize("mask", [many(), mask_of(HIT, (64, 64))], ids=["many", "few"])
    def test_left_out(self, mask: np.ndarray, session: Session, tmp_path: Path) -> None:
        session.run()
        plain = session.digest()
        session.edit_flags("jump", "DO_NOT_USE", mask=mask, groups=(0, 5))
        session.run()
        notebook = nbformat.read(session.export(tmp_path / "n.ipynb"), as_version=4)
        names = self.executed(notebook, 'flag_edits = ""')
        assert names["session"].digest() == plain != session.digest()

    @staticmethod
    def executed(notebook: Any, more: str = "") -> dict[str, Any]:
        """Names after the cells were run here, but for figure and products; ``more`` after the parameters."""
        names: dict[str, Any] = {}
        cells = [c.source for c in notebook.cells if c.cell_type == "code"]
        for cell in (cells[0], more, *cells[1:]):
            if "figure" not in cell and "session.write" not in cell:
                exec(cell, names)
        return names

    def test_both_files_or_none(
        self, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session.edit_flags("jump", "DO_NOT_USE", mask=many())

        def full(*_arguments: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(nbformat, "write", full)
        with pytest.raises(OutputError, match="No space left"):
            session.export(tmp_path / "n.ipynb")
        assert [p.name for p in tmp_path.iterdir()] == ["input"]

    def test_without_its_file(self, session: Session, tmp_path: Path) -> None:
        session.edit_flags("jump", "DO_NOT_USE", mask=many())
        path = session.export(tmp_path / "n.ipynb")
        (tmp_path / "n.edits.json").unlink()
        with pytest.raises(InputError, match=r"n\.edits\.json: no such file of flag edits"):
            open_session(path)


class TestFiles:
    def test_for_another_exposure(self, session: Session, tiny_raw: Path, tmp_path: Path) -> None:
        session.edit_flags("jump", "DO_NOT_USE", boxes=[(0, 0, 9, 9)])
        session.edit_flags("dq_init", "HOT", boxes=[(3, 3, 9, 9)])
        file = session.save_edits(tmp_path / "edits.json")
        other = open_session(tiny_raw)
        other.load_edits(file, only=[1])
        assert other.settings.edits == session.settings.edits[1:]
        other.load_edits(file)
        assert len(other.settings.edits) == 3
        other.undo()
        other.undo()
        assert other.settings.edits == ()
        added = other.history[2].outcome
        assert "jump: DO_NOT_USE set in 81 pixels" in added
        assert "dq_init: HOT set in 36 pixels" in added  # a second time

    @pytest.mark.parametrize(
        "content",
        [
            b"", b"{}", b"[]", b"null", b"\xff\xfe",
            b'{"format": "jwcal flag edits", "version": 2, "edits": []}',
            b'{"format": "jwcal flag edits", "version": 1, "edits": [{}]}',
            b'{"format": "jwcal flag edits", "version": 1, "edits": [3]}',
        ],
    )  # fmt: skip
    def test_garbage(self, content: bytes, session: Session, tmp_path: Path) -> None:
        file = tmp_path / "edits.json"
        file.write_bytes(content)
        with pytest.raises(InputError, match="not a file of flag edits") as caught:
            session.load_edits(file)
        assert str(file) in str(caught.value)

    def test_not_there(self, session: Session, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"x\.json: no such file of flag edits"):
            session.load_edits(tmp_path / "x.json")
        session.save_edits(tmp_path / "none.json")
        session.load_edits(tmp_path / "none.json")
        assert not session.can_undo
        with pytest.raises(InputError, match="there is no flag edit 0"):
            session.load_edits(tmp_path / "none.json", only=[0])

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"flag": "NOPE"}, "no flag 'NOPE'"),
            ({"boxes": [[0, 0, 65, 1]]}, "x1 <= 64"),
            ({"after": "guider_cds"}, "guider_cds is not part of"),
            ({"groups": [0, 6]}, "last <= 5"),
        ],
    )
    def test_that_does_not_fit(
        self, change: dict[str, Any], words: str, session: Session, tmp_path: Path
    ) -> None:
        session.edit_flags("jump", "DO_NOT_USE", boxes=[(0, 0, 9, 9)])
        session.edit_flags("jump", "DO_NOT_USE", boxes=[(0, 0, 9, 9)], groups=(0, 1))
        edits, saved = session.save_edits(tmp_path / "edits.json"), session.save(tmp_path / "s.json")
        for file in (edits, saved):
            document = json.loads(file.read_text())
            document["edits"][1].update(change)
            file.write_text(json.dumps(document))
        length = len(session.settings.edits)
        with pytest.raises(ParameterError, match=words):
            session.load_edits(edits)
        assert len(session.settings.edits) == length
        with pytest.raises(ParameterError, match=words):
            open_session(saved)


@pytest.fixture(scope="module")
def untouched(tiny_template: Path, tiny_cache: Path) -> Iterator[dict[bool, Session]]:
    """A session that has not run, and one that ran to dq_init, for what must not change them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRDS_PATH", str(tiny_cache))
        patch.setenv("CRDS_CONTEXT", tiny_exposure.CONTEXT)
        patch.setenv("CRDS_SERVER_URL", "http://127.0.0.1:9")
        sessions = {done: open_session(tiny_template) for done in (False, True)}
        sessions[True].run(last="dq_init")
        yield sessions


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"after": "jmup"}, "jmup"),
            ({"after": "guider_cds"}, "step guider_cds is not part of calwebb_detector1"),
            ({"after": "input"}, "input"),
            ({"flag": "BAD"}, "there is no flag 'BAD'"),
            ({"flag": "HOT"}, "HOT cannot be in GROUPDQ"),
            ({"flag": DQ.HOT}, "HOT cannot be in GROUPDQ"),
            ({"flag": DQ.HOT | DQ.DEAD}, r"there is no flag '(HOT\|DEAD|DEAD\|HOT)'"),
            ({"flag": 4}, "there is no flag '4'"),
            ({"after": "ramp_fit"}, "the result of ramp_fit is rates, which have no groups"),
            ({"groups": (0, 6)}, "last <= 5"),
            ({"groups": 3}, r"integrations and groups are \(first, last\)"),
            ({"groups": (0, 1.5)}, "whole numbers"),
            ({"groups": (0, 1, 2)}, "whole numbers"),
            ({"integrations": (0, 3)}, "last <= 2"),
            ({"boxes": [(0, 0, 65, 1)]}, "x1 <= 64"),
            ({"boxes": [(0, 0, 1)]}, r"boxes are a list of \(x0, y0, x1, y1\)"),
            ({"boxes": (0, 0, 1, 1)}, "boxes are a list"),
            ({"boxes": 3}, "boxes are a list"),
            ({"boxes": [("0", "0", "1", "1")]}, "whole numbers"),
            ({"boxes": []}, "no pixel is chosen"),
            ({"boxes": None}, "give either boxes or a mask"),
            ({"mask": np.zeros((64, 64), bool)}, "give either boxes or a mask"),
            ({"boxes": None, "mask": np.zeros((64, 64), bool)}, "no pixel is chosen"),
            ({"boxes": None, "mask": np.ones((64, 65), bool)}, r"shape \(64, 65\).*\(64, 64\)"),
            ({"boxes": None, "mask": np.ones((2, 64, 64), bool)}, r"shape \(2, 64, 64\)"),
            ({"boxes": None, "mask": np.ones((64, 64), int)}, "a mask of int64"),
            ({"boxes": None, "mask": "x"}, "a mask of"),
        ],
    )
    @pytest.mark.parametrize("done", [False, True])
    def test_edit(
        self, done: bool, arguments: dict[str, Any], words: str, untouched: dict[bool, Session]
    ) -> None:
        session = untouched[done]
        given = {"after": "jump", "flag": "JUMP_DET", "boxes": [(0, 0, 1, 1)], "groups": (0, 1)} | arguments
        length = len(session.history)
        with pytest.raises(ParameterError, match=words):
            session.edit_flags(given.pop("after"), given.pop("flag"), **given)
        assert session.settings.edits == ()
        assert len(session.history) == length
        assert not session.can_undo

    @pytest.mark.parametrize("index", [0, -1, 1, True, None, "0"])
    def test_remove(self, index: Any, untouched: dict[bool, Session]) -> None:
        session = untouched[False]
        with pytest.raises(ParameterError, match="there is no edit of flags with index"):
            session.remove_edit(index)

    @pytest.mark.parametrize("name", ["n.txt", "n", "n.json", "n.ipynb.gz"])
    def test_endings(self, name: str, untouched: dict[bool, Session], tmp_path: Path) -> None:
        session = untouched[False]
        with pytest.raises(ParameterError, match=r"must end in \.ipynb"):
            session.export(tmp_path / "new" / name)
        name = name.replace("json", "ipynb")
        with pytest.raises(ParameterError, match=r"must end in \.json"):
            session.save(tmp_path / "new" / name)
        assert not (tmp_path / "new").exists()
