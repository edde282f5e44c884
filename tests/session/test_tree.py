"""The tree of settings: walking it, naming branches, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwcal_interactive.edits import FlagEdit
from jwcal_interactive.errors import ParameterError
from jwcal_interactive.session.tree import Node, SettingsTree
from jwcal_interactive.settings import Settings, changes_in_words


def value(number: float) -> Settings:
    return Settings({"jump": {"rejection_threshold": number}})


@pytest.fixture
def tree() -> SettingsTree:
    """0 - 1 - 2 (main), and 1 - 3 (other, current)."""
    tree = SettingsTree()
    tree.append(value(1))
    tree.append(value(2))
    tree.start("other", 1)
    tree.append(value(3))
    return tree


class TestWalking:
    def test_at_first(self) -> None:
        tree = SettingsTree()
        assert tree.node() == Node(0, None, Settings())
        assert (tree.present, tree.branch, dict(tree.branches)) == (0, "main", {"main": 0})
        assert tree.undo_target is None
        assert tree.redo_target is None
        assert not tree.undo()
        assert not tree.redo()

    def test_shape(self, tree: SettingsTree) -> None:
        assert [(n.number, n.parent) for n in tree.nodes] == [(0, None), (1, 0), (2, 1), (3, 1)]
        assert dict(tree.branches) == {"main": 2, "other": 3}
        assert tree.path() == (0, 1, 3)
        assert tree.path("main") == (0, 1, 2)
        assert tree.children(1) == (2, 3)
        assert tree.node("main").settings == value(2)
        assert tree.node(3).change == "jump: rejection_threshold = 3"
        assert tree.node(3).time

    def test_undo_and_redo(self, tree: SettingsTree) -> None:
        assert tree.undo()
        assert tree.undo()
        assert tree.present == 0
        assert tree.branch == "other"
        assert tree.redo()
        assert tree.redo()
        assert tree.present == 3
        assert not tree.redo()

    def test_undo_and_redo_take_the_tip_along(self, tree: SettingsTree) -> None:
        """A branch is where one left it: what was taken back does not come again with its name."""
        tree.undo()
        assert dict(tree.branches) == {"main": 2, "other": 1}
        tree.switch("main")
        tree.switch("other")
        assert (tree.present, tree.redo_target) == (1, 3)
        tree.redo()
        assert dict(tree.branches) == {"main": 2, "other": 3}

    def test_the_tip_stays_while_one_looks_at_earlier_nodes(self, tree: SettingsTree) -> None:
        tree.switch(1)
        tree.undo()
        assert (tree.present, dict(tree.branches)) == (0, {"main": 2, "other": 3})
        tree.redo()
        tree.redo()
        assert (tree.present, dict(tree.branches)) == (3, {"main": 2, "other": 3})

    def test_redo_brings_back_only_what_this_branch_took_back(self, tree: SettingsTree) -> None:
        tree.undo()  # of node 3, on the branch `other`
        tree.start("third", 1)
        assert tree.redo_target is None
        tree.rename("other", "renamed")
        tree.switch("renamed")
        assert tree.redo_target == 3

    def test_redo_follows_the_branch_after_a_change(self) -> None:
        tree = SettingsTree()
        tree.append(value(1))
        tree.undo()
        tree.append(value(2))
        tree.switch(0)
        assert tree.redo_target == 2

    def test_a_copy_does_not_change(self, tree: SettingsTree) -> None:
        tree.undo()
        copy = tree.copy()
        text = repr(copy)
        assert (text, copy.redo_target, copy.next_number) == (repr(tree), 3, 4)
        tree.redo()
        tree.append(value(4))
        tree.start("new")
        assert repr(copy) == text

    def test_redo_goes_to_the_child_last_left(self, tree: SettingsTree) -> None:
        tree.switch("main")
        tree.undo()
        assert tree.redo_target == 2
        tree.switch("other")
        tree.undo()
        assert tree.redo_target == 3

    def test_redo_goes_back_to_where_no_branch_is(self) -> None:
        tree = SettingsTree()
        tree.append(value(1))
        tree.undo()
        tree.append(value(2))
        tree.switch(1)
        tree.undo()
        assert (tree.present, tree.redo_target) == (0, 1)

    def test_redo_without_undo_follows_the_branch(self, tree: SettingsTree) -> None:
        tree.switch(0)
        assert (tree.branch, tree.redo_target) == ("other", 1)
        tree.redo()
        assert tree.redo_target == 3

    def test_a_change_after_undo_keeps_what_was_there(self) -> None:
        tree = SettingsTree()
        tree.append(value(1))
        tree.undo()
        tree.append(value(2))
        assert tree.redo_target is None
        assert dict(tree.branches) == {"main": 2}
        assert tree.node(1).settings == value(1)
        tree.switch(1)  # on no branch any more, but there
        assert tree.branch == "main"
        tree.append(value(3))
        assert tree.path() == (0, 1, 3)
        assert dict(tree.branches) == {"main": 3}

    def test_switch(self, tree: SettingsTree) -> None:
        tree.switch("main")
        assert (tree.branch, tree.present) == ("main", 2)
        tree.switch(3)
        assert (tree.branch, tree.present) == ("other", 3)
        tree.switch(1)  # on both: it stays on the current one
        assert (tree.branch, tree.present) == ("other", 1)

    @pytest.mark.parametrize("at", ["nowhere", "", 4, -1, True, 1.5, 1.0, None, (1,), [1]])
    def test_nowhere(self, at: Any, tree: SettingsTree) -> None:
        if at is None:
            assert tree.number(at) == tree.present
            return
        with pytest.raises(ParameterError, match=r"there is no (branch|node)"):
            tree.switch(at)
        assert (tree.branch, tree.present) == ("other", 3)


class TestBranches:
    def test_start_at_a_branch_or_node_or_here(self, tree: SettingsTree) -> None:
        tree.start("a", "main")
        assert (tree.present, tree.branch) == (2, "a")
        tree.start("b", 0)
        assert tree.present == 0
        tree.start("c")
        assert (tree.present, tree.branch) == (0, "c")
        assert dict(tree.branches) == {"main": 2, "other": 3, "a": 2, "b": 0, "c": 0}

    @pytest.mark.parametrize("name", ["main", "other"])
    def test_taken(self, name: str, tree: SettingsTree) -> None:
        with pytest.raises(ParameterError, match=f"there is a branch {name!r} already"):
            tree.start(name)
        with pytest.raises(ParameterError, match="already"):
            tree.rename({"main": "other", "other": "main"}[name], name)

    @pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 61, 3, None])
    def test_no_name(self, name: Any, tree: SettingsTree) -> None:
        with pytest.raises(ParameterError, match="no name for a branch"):
            tree.start(name)
        with pytest.raises(ParameterError, match="no name for a branch"):
            tree.rename("other", name)
        assert dict(tree.branches) == {"main": 2, "other": 3}

    def test_start_nowhere(self, tree: SettingsTree) -> None:
        with pytest.raises(ParameterError, match="no branch 'x'"):
            tree.start("new", "x")
        assert "new" not in tree.branches
        assert tree.branch == "other"

    def test_rename(self, tree: SettingsTree) -> None:
        tree.rename("other", "another")
        tree.rename("main", "first")
        tree.rename("first", "first")
        assert (tree.branch, dict(tree.branches)) == ("another", {"first": 2, "another": 3})
        with pytest.raises(ParameterError, match="no branch 'other'; the branches: first, another"):
            tree.rename("other", "x")

    def test_delete(self, tree: SettingsTree) -> None:
        tree.switch("main")
        tree.delete("other")
        assert [n.number for n in tree.nodes] == [0, 1, 2]
        assert dict(tree.branches) == {"main": 2}
        assert tree.append(value(9)).number == 4  # numbers are not used again

    def test_delete_takes_what_was_left_on_the_way(self, tree: SettingsTree) -> None:
        tree.undo()
        tree.append(value(4))
        tree.append(value(5))
        tree.undo()
        tree.append(value(6))  # 1 - 3; 1 - 4 - 5; 4 - 6 (other)
        tree.switch("main")
        tree.delete("other")
        assert [n.number for n in tree.nodes] == [0, 1, 2, 3]  # 3 is not below what only `other` has

    def test_delete_keeps_what_others_have(self, tree: SettingsTree) -> None:
        tree.start("further")
        tree.append(value(4))
        tree.delete("other")
        assert [n.number for n in tree.nodes] == [0, 1, 2, 3, 4]
        tree.start("same", "further")
        tree.delete("further")
        assert tree.path() == (0, 1, 3, 4)

    def test_delete_keeps_where_one_is(self, tree: SettingsTree) -> None:
        """The present node may be on no branch, and its parent only on the one that is deleted."""
        tree.append(value(4))
        tree.undo()
        tree.append(value(5))  # 3 - 4; 3 - 5 (other)
        tree.start("x", 0)
        tree.switch(4)
        assert tree.branch == "x"
        tree.delete("other")
        assert [n.number for n in tree.nodes] == [0, 1, 2, 3, 4]
        assert tree.path() == (0, 1, 3, 4)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("other", "cannot be deleted while the session is on it; go to another first: main"),
            ("main", "main cannot be deleted: the session began with it"),
            ("nowhere", "no branch 'nowhere'; the branches: main, other"),
        ],
    )
    def test_not_deleted(self, name: str, words: str, tree: SettingsTree) -> None:
        with pytest.raises(ParameterError, match=words):
            tree.delete(name)
        assert len(tree.nodes) == 4

    def test_branches_are_for_looking(self, tree: SettingsTree) -> None:
        with pytest.raises(TypeError):
            tree.branches["x"] = 0  # type: ignore[index]


class TestShown:
    def test_text(self, tree: SettingsTree) -> None:
        assert repr(tree).splitlines() == [
            "0: as CRDS and the defaults have it",
            "1: jump: rejection_threshold = 1",
            "├─ 2: jump: rejection_threshold = 2  [main]",
            "└─ * 3: jump: rejection_threshold = 3  [other]",
        ]
        tree.start("third", "main")
        tree.append(value(4))
        assert repr(tree).splitlines()[2:] == [
            "├─ 2: jump: rejection_threshold = 2  [main]",
            "│  * 4: jump: rejection_threshold = 4  [third]",
            "└─ 3: jump: rejection_threshold = 3  [other]",
        ]

    def test_long(self) -> None:
        tree = SettingsTree()
        for number in range(3000):
            tree.append(value(number))
        assert len(repr(tree).splitlines()) == 3001

    def test_changes_in_words(self) -> None:
        edit = FlagEdit("jump", "JUMP_DET", "set", ((0, 0, 1, 1),), None, (0, 1))
        a = Settings({"jump": {"skip": True}, "ipc": {"skip": True}}, {("jump", "gain"): "N/A"})
        b = Settings({"jump": {"skip": False}}, {("ipc", "ipc"): "x.fits"}, (edit,))
        words = "jump: skip = False; ipc: skip reset; jump: gain reference = as CRDS says; "
        assert changes_in_words(a, b) == words + f"ipc: ipc reference = x.fits; jump: {edit.in_words()}"
        assert changes_in_words(a, a) == ""
        assert "edit removed" in changes_in_words(b, a)


class TestSaved:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"nodes": []},
            {"nodes": [Node(1, 0, Settings())]},
            {"nodes": [Node(0, None, Settings()), Node(1, 2, Settings()), Node(2, 1, Settings())]},
            {"nodes": [Node(0, None, Settings()), Node(1, None, Settings())]},
            {"nodes": [Node(0, 0, Settings())]},
            {"present": 3},
            {"branches": {"main": 7}},
            {"branches": {}},
            {"branch": "x"},
            {"taken_back": {("x", 0): 0}},
            {"taken_back": {("main", 0): 1}},
            {"taken_back": {("main", 0): 0}},
        ],
    )
    def test_contradictions(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError):
            SettingsTree(**wrong)


@given(
    st.lists(
        st.tuples(st.sampled_from(["set", "undo", "redo", "start", "switch", "delete"]), st.integers(0, 9))
    )
)
def test_whatever_is_done(actions: list[tuple[str, int]]) -> None:
    """The tree stays one: every node is reached from the first, and every branch ends at a node."""
    tree = SettingsTree()
    for action, number in actions:
        try:
            if action == "set":
                tree.append(value(number))
            elif action == "start":
                tree.start(f"b{number}", number)
            elif action == "switch":
                tree.switch(number)
            elif action == "delete":
                tree.delete(f"b{number}")
            else:
                getattr(tree, action)()
        except ParameterError:
            continue
    again = tree.copy()  # raises where it contradicts itself
    assert repr(again) == repr(tree)
    assert (again.redo_target, again.undo_target) == (tree.redo_target, tree.undo_target)
    for node in tree.nodes:
        assert tree.path(node.number)[0] == 0
    assert len(repr(tree).splitlines()) == len(tree.nodes)
