"""The tree of settings: what was changed and what came of it; going back, branches, two places compared."""

from __future__ import annotations

import datetime
import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.errors import JwcalError, ParameterError
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.history_tree import lines_of
from jwcal_widgets.latest import Latest

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_interactive.session.comparison import Comparison
    from jwcal_interactive.session.tree import Node

__all__ = ["HistoryPanel"]

WORDS_WIDTH = 40  # characters
BEFORE = -1  # in place of a number: the entry before the chosen one
LIST_HEIGHT = "184px"
NOT_UP_TO_DATE = {"pending", "stale", "failed"}
FIRST = "as CRDS and the defaults have it"


def _local(time: str) -> str:
    """Time of day where the user is, of a time in UTC."""
    return datetime.datetime.fromisoformat(time).astimezone().strftime("%H:%M:%S") if time else ""


def _shortened(words: str, room: int) -> str:
    """Leave out of the middle what is too long: what was changed stands first, its value last."""
    if len(words) <= room:
        return words
    end = len(words) - words.rfind(" = ")
    end = min(end if end < len(words) else 0, room // 2)
    return f"{words[: max(room - 1 - end, 4)]}…{words[len(words) - end :]}"


class _Past:
    """What was run with each node's settings, from the history of the session."""

    def __init__(self, session: Session) -> None:
        self.seconds: dict[int, float] = {}
        self.memory: dict[int, int] = {}
        self.failed: dict[int, str] = {}
        for entry in session.history:
            if entry.action != "run" or entry.node is None:
                continue
            node = entry.node
            self.seconds[node] = self.seconds.get(node, 0.0) + entry.seconds
            self.memory[node] = self.memory.get(node, 0) + entry.memory
            if entry.outcome in {"failed", "cancelled"}:
                self.failed[node] = f"{entry.step} {entry.outcome}"
            else:
                self.failed.pop(node, None)


class HistoryPanel:
    """A list of all settings that were tried, in a tree, and what can be done with them.

    Parameters
    ----------
    session : Session
    travel : callable
        Called with a function that moves in the tree; does it, and shows the session as it is then.
    run : callable
        Runs what is not up to date.
    show_both : callable
        Called with two places in the tree, to show them as A and B in the image.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    tree : ipywidgets.Select
        Its value is the number of the chosen node.
    branch : ipywidgets.Dropdown
    name : ipywidgets.Text
        Name for a new branch, or another one for the present branch.
    other : ipywidgets.Dropdown
        What the chosen node is compared with: a branch or a node.
    buttons : dict of str to ipywidgets.Button
    error : str
        Why the last action was refused; empty if it was not.
    """

    def __init__(
        self,
        session: Session,
        travel: Callable[[Callable[[], None]], None],
        run: Callable[[], None],
        show_both: Callable[[str | int, str | int], None],
        guard: Callable[..., Any],
    ) -> None:
        self.error = ""
        self._session = session
        self._travel = travel
        self._run = run
        self._show_both = show_both
        self._showing = False
        self._asked = ""  # the branch that is to be deleted, if the user says so
        self._present = -1
        self._latest = Latest(guard, "jwcal-compare")
        self.branch = ipw.Dropdown(
            options=[session.tree.branch],
            description="branch",
            tooltip="The branch that changes go to; choose another one to go to its end",
            layout={"width": "172px"},
            style={"description_width": "50px"},
        )
        self.name = ipw.Text(placeholder="name of a branch", layout={"width": "120px"}, tooltip="Name")
        self.tree = ipw.Select(
            options=[("", 0)], layout={"width": "100%", "height": LIST_HEIGHT}, tooltip="Settings, oldest first"
        )
        self.tree.add_class("jwcal-tree")
        self.other = ipw.Dropdown(
            options=[("", 0)], layout={"width": "150px"}, tooltip="What the chosen entry is compared with"
        )
        looks: tuple[tuple[str, str, str, str, Callable[[], None]], ...] = (
            ("branch", "Branch", "code-fork", "Begin a branch of this name at the chosen entry", self._start),
            ("rename", "Rename", "pencil", "Give the present branch this name", self._rename),
            ("delete", "Delete…", "trash", "Delete the branch that ends at the chosen entry", self._ask),
            ("undo", "Undo", "undo", "Go to the entry before the present one", lambda: travel(session.undo)),
            ("redo", "Redo", "repeat", "Go to the entry after the present one", lambda: travel(session.redo)),
            ("go", "Go there", "map-marker", "Make the chosen entry the present one", self._go),
            ("run", "Go and run", "play", "Go there and run what is not up to date", self._go_and_run),
            ("compare", "Compare", "columns", "What differs in settings and results", self._compare),
            ("show", "Show A/B", "image", "Show both in the image, as A and B", self._show_in_image),
            ("yes", "Delete it", "trash", "Delete the branch; there is no way back", self._delete),
            ("no", "Keep it", "times", "Delete nothing", self._keep),
        )
        self.buttons: dict[str, ipw.Button] = {}
        for name, label, icon, tooltip, action in looks:
            button = ipw.Button(description=label, icon=icon, tooltip=tooltip, layout={"width": "auto"})
            button.on_click(guard(lambda _button, action=action: self._try(action)))
            self.buttons[name] = button
        self.buttons["yes"].button_style = "danger"
        self._facts = ipw.HTML(layout={"margin": "2px 0"})
        self._message = ipw.HTML(layout={"margin": "0"})
        self._question = ipw.HTML(layout={"margin": "0 8px 0 0"})
        self._confirm = self._row(self._question, self.buttons["yes"], self.buttons["no"])
        self._table = ipw.HTML(layout={"margin": "4px 0 0"})
        self._table.add_class("jwcal-compare")
        self.widget = ipw.VBox(
            [
                self._row(self.branch, self.name, *(self.buttons[n] for n in ("branch", "rename", "delete"))),
                self._confirm,
                self._message,
                self.tree,
                self._facts,
                self._row(*(self.buttons[n] for n in ("undo", "redo", "go", "run"))),
                self._row(ipw.Label("with"), self.other, self.buttons["compare"], self.buttons["show"]),
                self._table,
            ]
        )
        self._keep()
        self.tree.observe(guard(lambda _change: self._chosen()), "value")
        self.branch.observe(guard(self._branch_chosen), "value")

    def refresh(self) -> None:
        """Show the tree as it is; the chosen entry stays, but follows the present one."""
        tree, past = self._session.tree, _Past(self._session)
        nodes = {node.number: node for node in tree.nodes}
        lines = lines_of(tree.nodes, tree.present)
        tips: dict[int, list[str]] = {}
        for name, tip in tree.branches.items():
            tips.setdefault(tip, []).append(name)
        options = [
            (self._label(nodes[line.number], line.graph, tips.get(line.number, []), past), line.number)
            for line in lines
        ]
        follow = tree.present != self._present or self.tree.value not in nodes
        chosen = tree.present if follow else self.tree.value
        self._present = tree.present
        places: list[tuple[str, str | int]] = [
            ("the entry before it", BEFORE),
            ("the present one", tree.present),
        ]
        places += [(f"branch {name}", name) for name in tree.branches]
        places += [(f"entry {number}", number) for number in sorted(nodes)]
        self._showing = True
        try:
            if list(self.tree.options) != options:
                self.tree.options = options
            self.tree.value = chosen
            self.branch.options = list(tree.branches)
            self.branch.value = tree.branch
            # Two options may stand for the same node: choose by words, not by value.
            words = [label for label, _ in places]
            index = words.index(self.other.label) if self.other.label in words else 0
            self.other.options, self.other.index = places, index
        finally:
            self._showing = False
        self._chosen()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing is left to compare."""
        self._latest.wait(timeout)

    def close(self) -> None:
        """Close the widgets."""
        self._latest.close()
        close_widgets(self.widget)

    @staticmethod
    def _row(*parts: ipw.Widget) -> ipw.HBox:
        return ipw.HBox(parts, layout={"align_items": "center", "flex_flow": "row wrap"})

    def _label(self, node: Node, graph: str, tips: list[str], past: _Past) -> str:
        names = f" [{', '.join(tips)}]" if tips else ""
        words = _shortened(node.change or FIRST, WORDS_WIDTH - len(graph) - len(names))
        number = node.number
        seconds = f"{past.seconds[number]:.1f} s" if number in past.seconds else ""
        memory = f"{past.memory[number] / 1e6:.0f} MB" if number in past.memory else ""
        left = f"{graph}{words}{names}"
        return f"{left:<{WORDS_WIDTH + 1}}{self._sign(number, past)} {seconds:>7} {memory:>7}"

    def _sign(self, number: int, past: _Past) -> str:
        if number in past.failed:
            return "✕"
        last = self._session.steps[-1]
        if self._session.status(last, at=number).state not in NOT_UP_TO_DATE:
            return "✓"
        return "◐" if number in past.seconds else " "

    def _chosen(self) -> None:
        if self._showing:
            return
        session, number = self._session, self.tree.value
        tree, past = session.tree, _Past(session)
        node = tree.node(number)
        to_do = [s for s in session.steps if self._waits(s, number)]
        here = number == tree.present
        facts = [
            f"entry {number}, the present one" if here else f"entry {number}",
            f"branch {tree.branch_of(number)}",
            _local(node.time),
        ]
        if number in past.seconds:
            facts.append(f"ran {past.seconds[number]:.2f} s, {past.memory[number] / 1e6:.1f} MB of new results")
        if number in past.failed:
            facts.append(past.failed[number])
        state = f"↻ to be run: {', '.join(to_do)}" if to_do else "✓ all steps up to date"
        self._facts.value = (
            f"<div><b>{html.escape(node.change or FIRST)}</b></div>"
            f"<div class='jwcal-muted'>{html.escape(' · '.join(filter(None, facts)))}</div>"
            f"<div class='jwcal-{'stale' if to_do else 'done'}'>{html.escape(state)}</div>"
        )
        self.buttons["go"].disabled = here
        self.buttons["run"].disabled = not to_do
        self.buttons["undo"].disabled = not session.can_undo
        self.buttons["redo"].disabled = not session.can_redo
        self.buttons["delete"].disabled = self._deletable() is None

    def _waits(self, step: str, number: int) -> bool:
        if self._session.params(step, at=number).skip:
            return False
        return self._session.status(step, at=number).state in NOT_UP_TO_DATE

    def _deletable(self) -> str | None:
        """Name the branch that ends at the chosen entry and can be deleted."""
        tree = self._session.tree
        names = [name for name, tip in tree.branches.items() if tip == self.tree.value and name != tree.branch]
        return names[-1] if names else None

    def _try(self, action: Callable[[], None]) -> None:
        """Do what a button stands for; what is refused is said beside the list."""
        try:
            self._complain("")
            action()
        except JwcalError as error:
            self._complain(str(error))

    def _complain(self, text: str) -> None:
        self.error = text
        self._message.value = f"<div class='jwcal-error'>{html.escape(text)}</div>" if text else ""

    def _branch_chosen(self, change: dict[str, Any]) -> None:
        if not self._showing:
            self._try(lambda: self._travel(lambda: self._session.switch(change["new"])))

    def _start(self) -> None:
        number, name = self.tree.value, self.name.value.strip()
        self._travel(lambda: self._session.branch(name, at=number))
        self.name.value = ""

    def _rename(self) -> None:
        self._session.rename_branch(self._session.tree.branch, self.name.value.strip())
        self.name.value = ""
        self.refresh()

    def _go(self) -> None:
        number = self.tree.value
        self._travel(lambda: self._session.switch(number))

    def _go_and_run(self) -> None:
        if self.tree.value != self._session.tree.present:
            self._go()
        self._run()

    def _ask(self) -> None:
        name = self._asked = self._deletable() or ""
        self._question.value = f"Delete branch <b>{html.escape(name)}</b> and what only it has?"
        self._confirm.layout.display = None

    def _keep(self) -> None:
        self._asked = ""
        self._confirm.layout.display = "none"

    def _delete(self) -> None:
        name = self._asked
        self._keep()
        if name:
            self._travel(lambda: self._session.delete_branch(name))

    def _places(self) -> tuple[str | int, str | int]:
        """Give what is compared: the earlier entry first, if it is the one before."""
        chosen: int = self.tree.value
        if self.other.value != BEFORE:
            return chosen, self.other.value
        before = self._session.tree.node(chosen).parent
        if before is None:
            raise ParameterError(
                "The first entry has none before it: choose another one, or what it is compared with."
            )
        return before, chosen

    def _compare(self) -> None:
        a, b = self._places()
        self._table.value = "<span class='jwcal-muted'>comparing…</span>"
        self._latest.request(lambda: self._session.compare(a, b), self._show_table)

    def _show_table(self, found: Comparison) -> None:
        self._table.value = found._repr_html_()

    def _show_in_image(self) -> None:
        self._show_both(*self._places())
