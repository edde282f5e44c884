"""The tree of settings as a list, and what its buttons do, on a small session."""

from __future__ import annotations

import html
from collections import namedtuple

import pytest

from jwcal_interactive import open_session
from jwcal_widgets.history_panel import HistoryPanel
from jwcal_widgets.history_tree import lines_of
from jwcal_widgets.messages import Messages

Node = namedtuple("Node", "number parent")


def drawn(parents, present):
    lines = lines_of([Node(n, parent) for n, parent in enumerate(parents)], present)
    return [f"{line.graph}{line.number}" for line in lines]


class TestLines:
    def test_a_chain_stays_in_its_column(self):
        assert drawn([None, 0, 1], present=1) == ["○ 0", "▶ 1", "○ 2"]

    def test_branches_are_set_in_after_the_fork_and_before_what_follows(self):
        assert drawn([None, 0, 1, 2, 1, 4, 1], present=5) == [
            "○ 0",
            "○ 1",
            "├─○ 4",
            "│ ▶ 5",
            "├─○ 6",
            "○ 2",
            "○ 3",
        ]

    def test_a_branch_forks_in_its_own_column(self):
        assert drawn([None, 0, 0, 2, 2], present=0) == ["▶ 0", "├─○ 2", "│ ├─○ 4", "│ ○ 3", "○ 1"]

    def test_a_long_chain_takes_no_recursion(self):
        assert len(drawn([None, *range(5000)], present=0)) == 5001


class Stage:
    """A history panel whose other parts are lists of what was asked of them."""

    def __init__(self, session):
        self.session = session
        self.runs, self.shown = [], []
        self.messages = Messages()
        self.panel = HistoryPanel(
            session,
            self.travel,
            lambda: self.runs.append(session.tree.present),
            lambda a, b: self.shown.append((a, b)),
            self.messages.guarded,
        )
        self.panel.refresh()

    def travel(self, move):
        move()
        self.panel.refresh()

    def press(self, name):
        self.panel.buttons[name].click()
        assert self.messages.shown == []

    def labels(self):
        return [label for label, _ in self.panel.tree.options]


@pytest.fixture
def stage(tiny_raw, tiny_context):
    session = open_session(tiny_raw)
    session.set("jump", rejection_threshold=5.0)
    session.set("jump", rejection_threshold=6.0)
    stage = Stage(session)
    yield stage
    stage.panel.close()


def test_every_entry_says_what_was_changed_and_one_is_present(stage):
    first, second, third = stage.labels()
    assert "as CRDS and the defaults have it" in first
    assert "jump: rejection_threshold = 5.0" in second
    assert "jump: rejection_threshold = 6.0" in third
    assert third.startswith("▶ ")
    assert "[main]" in third
    assert "▶" not in first + second
    assert stage.panel.tree.value == 2, "the present entry is chosen"


def test_long_changes_keep_what_was_changed_and_its_value(stage):
    stage.session.set("jump", three_group_rejection_threshold=12.5)
    stage.panel.refresh()
    assert "▶ jump: three_group_rejec… = 12.5 [main]" in stage.labels()[3]


def test_undo_redo_and_going_to_an_entry(stage):
    stage.press("undo")
    assert (stage.session.tree.present, stage.panel.tree.value) == (1, 1)
    stage.press("redo")
    assert stage.session.tree.present == 2
    assert stage.panel.buttons["redo"].disabled
    stage.panel.tree.value = 0
    stage.press("go")
    assert stage.session.tree.present == 0
    assert stage.session.params("jump").rejection_threshold == 4.0
    assert stage.panel.buttons["go"].disabled
    assert stage.panel.buttons["undo"].disabled


def test_branch_rename_switch_and_delete(stage):
    panel, tree = stage.panel, stage.session.tree
    panel.tree.value = 1
    panel.name.value = "try"
    stage.press("branch")
    assert (tree.branch, tree.present) == ("try", 1)
    assert panel.branch.value == "try"
    stage.session.set("jump", rejection_threshold=9.0)
    panel.refresh()
    assert any(label.startswith("├─▶ jump: rejection_t") for label in stage.labels())
    panel.name.value = "high"
    stage.press("rename")
    assert list(tree.branches) == ["main", "high"]
    assert panel.buttons["delete"].disabled, "the present branch is not deleted"
    panel.branch.value = "main"
    assert tree.present == 2
    panel.tree.value = tree.branches["high"]
    stage.press("delete")
    assert "high" in panel._question.value
    stage.press("no")
    assert "high" in tree.branches
    assert panel._confirm.layout.display == "none"
    stage.press("delete")
    stage.press("yes")
    assert list(tree.branches) == ["main"]
    assert len(stage.labels()) == 3
    assert panel.tree.value == 2


def test_the_branch_that_was_asked_about_is_deleted(stage):
    """Also if another entry was chosen between question and answer."""
    panel, tree = stage.panel, stage.session.tree
    for name in ("one", "two"):
        panel.tree.value = 1
        panel.name.value = name
        stage.press("branch")
        stage.session.set("jump", rejection_threshold=9.0, minimum_groups=len(tree.nodes))
        panel.refresh()
    panel.branch.value = "main"
    panel.tree.value = tree.branches["one"]
    stage.press("delete")
    assert "one" in panel._question.value
    panel.tree.value = tree.branches["two"]
    stage.press("yes")
    assert list(tree.branches) == ["main", "two"]
    stage.press("yes")
    assert list(tree.branches) == ["main", "two"], "the question was answered"


def test_a_name_that_is_not_possible_is_refused_beside_the_list(stage):
    stage.panel.name.value = "main"
    stage.press("branch")
    assert "already" in stage.panel.error
    assert "already" in html.unescape(stage.panel._message.value)
    stage.panel.name.value = " "
    stage.press("rename")
    assert "no name for a branch" in stage.panel.error
    stage.panel.name.value = "other"
    stage.press("branch")
    assert stage.panel.error == ""
    assert stage.panel._message.value == ""


def test_outcome_time_memory_and_what_is_stale(stage):
    assert "↻ to be run: " in stage.panel._facts.value
    stage.session.run()
    stage.panel.refresh()
    present, older = stage.labels()[2], stage.labels()[1]
    assert "✓" in present
    assert " s " in present
    assert present.endswith("MB")
    assert "MB" not in older
    assert "all steps up to date" in stage.panel._facts.value
    stage.panel.tree.value = 1
    assert "to be run: jump, " in stage.panel._facts.value, "what comes before jump is shared"
    stage.press("run")
    assert stage.runs == [1]
    assert stage.session.tree.present == 1


def test_a_failed_run_is_marked(stage, tiny_raw):
    stage.session.override("gain", tiny_raw, step="jump")
    with pytest.raises(Exception, match="gain"):
        stage.session.run()
    stage.panel.refresh()
    assert "✕" in stage.labels()[3]
    assert "jump failed" in stage.panel._facts.value


def test_two_places_are_compared_in_a_table_and_in_the_image(stage):
    stage.session.run()
    panel = stage.panel
    panel.refresh()
    panel.tree.value = 1
    panel.other.value = "main"
    stage.press("compare")
    panel.wait(10)
    table = html.unescape(panel._table.value)
    assert "rejection_threshold" in table
    assert "5.0" in table
    assert "6.0" in table
    stage.press("show")
    assert stage.shown == [(1, "main")]
    panel.other.index = 0
    stage.press("show")
    assert stage.shown[1] == (0, 1), "by default with the entry before it"
    panel.tree.value = 0
    stage.press("show")
    assert "first entry has none before it" in panel.error


def test_the_chosen_entry_stays_while_others_are_made(stage):
    stage.panel.tree.value = 0
    stage.panel.other.value = "main"
    stage.panel.refresh()
    assert stage.panel.tree.value == 0
    assert stage.panel.other.value == "main"
    stage.session.set("jump", rejection_threshold=7.0)
    stage.panel.refresh()
    assert stage.panel.tree.value == 3, "the present one has moved"
