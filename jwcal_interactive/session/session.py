"""The session: open an exposure, run steps, change a setting, go back, and leave with a record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, References, State
from jwcal_interactive.dq import DQ
from jwcal_interactive.edits import Box
from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.params import StepParams
from jwcal_interactive.pipeline import Outcome, Progress, peak_memory
from jwcal_interactive.recipes import Recipe
from jwcal_interactive.references.baseline import Baseline
from jwcal_interactive.references.book import ReferenceBook, UsedReference
from jwcal_interactive.session.choices import Choices
from jwcal_interactive.session.editing import new_edit, read_edits, save_edits
from jwcal_interactive.session.history import Action, Entry, History, Log, versions_now
from jwcal_interactive.session.ledger import StepStatus
from jwcal_interactive.session.results import Results
from jwcal_interactive.session.running import Run, tell_of_compiling
from jwcal_interactive.session.tree import SettingsTree
from jwcal_interactive.session.windowed import WindowRunner
from jwcal_interactive.settings import Settings
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_interactive.steps.definition import StepDefinition
from jwcal_interactive.tiles import Tiles

if TYPE_CHECKING:
    from jwcal_interactive.figures import Figure
    from jwcal_interactive.session.comparison import Comparison
    from jwcal_interactive.session.preview import Preview, Window
    from jwcal_interactive.session.summary import Summary
    from jwcal_interactive.session.sweep import Sweep

__all__ = ["INPUT", "Session", "StepStatus"]

INPUT = "input"  # name under which the raw ramp is asked for


class Session:
    """An exposure, the pipeline it goes through, the user's choices and the history.

    Use `jwcal_interactive.open_session` to make one. Results are kept by what made them (input, parameters and
    references up to and including the step), so that undo and redo show old results at once.

    Where a method takes ``at``, it is the name of a branch of the settings or the number of a node of `tree`;
    by default it is about the settings that hold.

    Besides what they name themselves, methods raise `ParameterError` for a step, parameter, branch or node that
    does not exist and for a value or name that is not allowed (nothing is changed then); `InputError` if they
    need the end of the pipeline and it has not run, or if the session is closed; and `OutputError` for a file
    that cannot be written, of which nothing is left then.

    Attributes
    ----------
    path : Path
        The raw exposure.
    exposure : Exposure
    recipe : Recipe
        Pipeline.
    context : str
        Name given for the references: ``demo``, a CRDS context, or empty for the one in operation.
    notes : tuple of str
        What parameter references ask for and this version cannot do.
    """

    def __init__(
        self,
        path: Path,
        ramp: Ramp,
        recipe: Recipe,
        book: ReferenceBook,
        baseline: Baseline,
        *,
        memory_limit: int,
        tiles: Tiles,
    ) -> None:
        self.path = path
        self.exposure: Exposure = ramp.exposure
        self.recipe = recipe
        self.context = book.context.name
        self.notes = baseline.notes
        self._book = book
        self._windows = WindowRunner(book)
        self._tiles = tiles
        self._choices = Choices(recipe, baseline)
        self._open: Results | None = Results(path, ramp, self._choices, memory_limit)
        self._tree = SettingsTree()
        self._log = Log()
        self._busy = threading.Lock()
        self._note("open", outcome=str(path), reason="; ".join(self.notes), versions=versions_now(book.pmap))

    def __repr__(self) -> str:
        if self._open is None:
            return f"<Session of {self.path.name}: closed>"
        states = [self.status(step).state for step in self.steps]
        counts = ", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states))
        return f"<Session of {self.path.name}: {self.recipe.alias}, steps: {counts}>"

    # --- what there is -------------------------------------------------------------------------------------

    @property
    def pipeline(self) -> str:
        """Name of the pipeline, e.g. ``detector1``."""
        return self.recipe.name

    @property
    def steps(self) -> tuple[str, ...]:
        """Step names in order, with the official steps that this version skips."""
        return self.recipe.steps

    @property
    def crds_context(self) -> str:
        """Name of the CRDS context that answered, e.g. ``jwst_1364.pmap``."""
        return self._book.pmap

    @property
    def settings(self) -> Settings:
        """The user's choices as they stand."""
        return self.tree.node().settings

    @property
    def history(self) -> History:
        """All that was done, oldest first."""
        return self._log.entries

    @property
    def tree(self) -> SettingsTree:
        """The settings that there were, which of them hold, and the branches; for looking."""
        _ = self._results  # raises once the session is closed
        return self._tree

    def restore(self, tree: SettingsTree, history: Sequence[Entry]) -> None:
        """Take over the settings and history of a saved session; results are computed when asked for."""
        self._results.check_edits(Settings(edits=tree.edits))
        self._tree = tree.copy(self._choices.checked)
        opened = replace(self.history[0], node=tree.present, branch=tree.branch)
        self._log = Log(history)
        self._log.add(opened)

    def close(self) -> None:
        """Drop all arrays; the session cannot be used any more. Leaving a ``with`` block does it too.

        Raises
        ------
        InputError
            If the session is running.
        """
        if not self._busy.acquire(blocking=False):
            raise InputError(f"{self.path.name}: this session is running; cancel it before it is closed.")
        try:
            self._open = None
            self._book.close()
            self._windows = WindowRunner(self._book)
        finally:
            self._busy.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def definition(self, step: str) -> StepDefinition[Any, Any, Any]:
        """Definition of a step."""
        return STEPS[self._choices.known(step)]

    def baseline(self, step: str) -> StepParams:
        """Parameters that the step would run with untouched: code defaults and CRDS."""
        return self._choices.baseline(step)

    def params(self, step: str, at: str | int | None = None) -> StepParams:
        """Parameters that the step will run with."""
        return self._choices.params(step, self._at(at))

    def source(self, step: str, name: str) -> Literal["default", "crds", "user"]:
        """Where the value of a parameter comes from."""
        return self._choices.source(step, name, self.settings)

    def code(self, step: str) -> str:
        """Give the lines of Python that the user's choices for a step stand for; empty if there are none."""
        return self._choices.code(step, self.settings)

    # --- changing settings ---------------------------------------------------------------------------------

    def set(self, step: str, **values: Any) -> None:
        """Change parameters of a step; what depends on them becomes stale."""
        self._choose("set", self._choices.with_values(self.settings, step, values), step)

    def reset(self, step: str, *names: str) -> None:
        """Return parameters of a step (all of them if none is named) to the baseline."""
        self._choose("reset", self._choices.without_values(self.settings, step, names), step)

    def override(self, reftype: str, file: str | Path | None, *, step: str | None = None) -> None:
        """Use another reference file.

        Parameters
        ----------
        reftype : str
            Reference type, e.g. ``"gain"``.
        file : str, Path or None
            File, ``"N/A"`` to run without one, or ``None`` to return to CRDS.
        step : str, optional
            Only in this step; by default in all that use the type.

        Raises
        ------
        ReferenceError
            If the file does not exist.
        """
        settings = self._choices.with_override(self.settings, reftype, file, step, self._book)
        self._choose("override", settings, step or "")

    # --- editing flags by hand -----------------------------------------------------------------------------

    def edit_flags(
        self,
        after: str,
        flag: str | DQ,
        *,
        boxes: Sequence[Box] | None = None,
        mask: NDArray[np.bool_] | None = None,
        clear: bool = False,
        integrations: tuple[int, int] | None = None,
        groups: tuple[int, int] | None = None,
    ) -> None:
        """Set or clear a flag by hand in the result of a step; what depends on it becomes stale.

        Parameters
        ----------
        after : str
            Step whose result is edited.
        flag : str or DQ
            Official name, e.g. ``"DO_NOT_USE"``.
        boxes : sequence of (x0, y0, x1, y1), optional
            Pixels of the arrays, from 0; x1 and y1 are excluded.
        mask : bool (ny, nx), optional
            Pixels to edit, in place of ``boxes``.
        clear : bool
            Clear the flag instead.
        integrations, groups : (first, last), optional
            From 0, the last one excluded. Of a ramp, without ``groups`` PIXELDQ is edited, with them GROUPDQ.
            Rates have no groups.
        """
        layout = self._results.layout(self._choices.known(after), self.settings)
        edit = new_edit(
            after, flag, layout, boxes=boxes, mask=mask, clear=clear, integrations=integrations, groups=groups
        )
        self._choose("edit", self.settings.with_edits(edit), after)

    def remove_edit(self, index: int) -> None:
        """Take back one edit of flags: its index in ``settings.edits``."""
        edits = self.settings.edits
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(edits):
            raise ParameterError(f"there is no edit of flags with index {index!r}; there are {len(edits)}.")
        self._choose("remove_edit", self.settings.without_edit(index), edits[index].after)

    def save_edits(self, path: str | Path) -> Path:
        """Write the edits of flags to a JSON file, for `load_edits`; folders are created if needed."""
        return save_edits(self.settings.edits, Path(path))

    def load_edits(self, path: str | Path, only: Sequence[int] | None = None) -> None:
        """Add the edits of flags that a file holds (`save_edits`, `export`), as one change.

        Parameters
        ----------
        path : str or Path
        only : sequence of int, optional
            Which of them, from 0, in order; all by default.

        Raises
        ------
        InputError
            If it is not such a file.
        """
        settings = self.settings.with_edits(*read_edits(Path(path), only))
        self._results.check_edits(settings)
        self._choose("edit", settings)

    # --- going back, and branches --------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is a change of settings to take back."""
        return self.tree.undo_target is not None

    @property
    def can_redo(self) -> bool:
        """Whether there is a change of settings to bring back."""
        return self.tree.redo_target is not None

    def undo(self) -> None:
        """Take back the last change of settings, on this branch; results made before it are there again."""
        if self.tree.undo():
            self._note("undo")

    def redo(self) -> None:
        """Bring back the change of settings that `undo` took back."""
        if self.tree.redo():
            self._note("redo")

    def branch(self, name: str, at: str | int | None = None) -> None:
        """Start a named branch of the settings, and go on there.

        Parameters
        ----------
        name : str
        at : str or int, optional
            Where it starts.
        """
        self.tree.start(name, at)
        self._note("branch", outcome=f"{name}, from node {self.tree.present}")

    def switch(self, at: str | int) -> None:
        """Go to the last settings of a branch, or to any node of `tree` by its number."""
        self.tree.switch(at)
        self._note("switch", outcome=f"{at}" if isinstance(at, str) else f"node {at}")

    def rename_branch(self, old: str, new: str) -> None:
        """Give a branch another name, which must not be taken."""
        self.tree.rename(old, new)
        self._note("rename_branch", outcome=f"{old} is now {new}")

    def delete_branch(self, name: str) -> None:
        """Delete a branch, with the settings that belong to no other; not the current one, nor ``main``."""
        self.tree.delete(name)
        self._note("delete_branch", outcome=name)

    def compare(self, a: str | int, b: str | int) -> Comparison:
        """Compare two branches or nodes: settings, and those results of both that are in memory."""
        from jwcal_interactive.session.comparison import compare

        now = self._now()
        return compare(now, a, b, *(self._results.keys(now._at(at)) for at in (a, b)))

    # --- running -------------------------------------------------------------------------------------------

    def run(
        self,
        *,
        first: str | None = None,
        last: str | None = None,
        at: str | int | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        """Run what is not up to date.

        Parameters
        ----------
        first : str, optional
            Run again from this step on, also where it is up to date.
        last : str, optional
            Stop after this step; by default after the last.
        at : str or int, optional
            Run with other settings without going there.
        progress : callable, optional
            Told how far it is; from worker threads.
        cancel : threading.Event, optional
            Set it from another thread to stop; finished steps are kept.

        Raises
        ------
        JwcalError
            If a step fails; the steps before it are kept.
        Cancelled
            If `cancel` was set.
        """
        end = self._choices.index(last) + 1 if last else len(self.steps)
        begin = self._choices.index(first) if first else None
        if begin is not None and begin >= end:
            raise ParameterError(f"first = {first} comes after last = {last} in {self.recipe.alias}.")
        if not self._busy.acquire(blocking=False):
            raise InputError("this session is already running; wait for it or cancel it.")
        try:
            run = self._prepared(at)
            run(begin, end, progress or tell_of_compiling, cancel or threading.Event(), self._tiles)
        finally:
            self._busy.release()

    def run_step(
        self,
        step: str,
        *,
        progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
        **values: Any,
    ) -> None:
        """Set parameters of a step and run it, with those before it that are not up to date; see `run`."""
        if values:
            self.set(step, **values)
        self.run(last=step, progress=progress, cancel=cancel)

    def _prepared(self, at: str | int | None) -> Run:
        node, branch = self.tree.node(at), self.tree.branch_of(at)

        def note(step: str, **facts: Any) -> None:
            choices = self._choices.unlike_defaults(step, node.settings)
            facts = {"choices": choices, "peak_bytes": peak_memory(), **facts}
            self._log.add(Entry("run", step, node=node.number, branch=branch, **facts))

        return self._results.prepared(
            node.settings, self._book, note, is_present=node.number == self.tree.present
        )

    # --- previews ------------------------------------------------------------------------------------------

    def preview(
        self,
        window: Window | Box,
        step: str,
        values: Mapping[str, Any] | None = None,
        *,
        last: str | None = None,
        cancel: threading.Event | None = None,
    ) -> Preview:
        """Try values of a step on a window (x0, y0, x1, y1), to the last step; see `session.preview`."""
        from jwcal_interactive.session.preview import preview

        step, last = self._choices.known(step), self._choices.known(last or self.steps[-1])
        tiles = replace(self._tiles, cancel=cancel or threading.Event())
        return preview(self._windows, self._prepared(None), window, step, values, last, tiles)

    def sweep(
        self,
        step: str,
        name: str,
        values: Sequence[Any],
        window: Window | Box,
        truth: str | Path | None = None,
        progress: Callable[[int, int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Sweep:
        """Try several values of a parameter on a window (x0, y0, x1, y1); see `session.sweep`."""
        from jwcal_interactive.session.sweep import sweep

        return sweep(self._now(), self._choices.known(step), name, values, window, truth, progress, cancel)

    # --- results -------------------------------------------------------------------------------------------

    def status(self, step: str, at: str | int | None = None) -> StepStatus:
        """Where a step stands."""
        return self._results.status(step, self._at(at))

    def result(self, step: str, at: str | int | None = None) -> State | None:
        """State after a step (``"input"``: the raw ramp); ``None`` if it has not run.

        Where the step is stale or has failed, this is the result of its last run. A result that was dropped
        from memory is computed again, or is ``None`` while the session runs.

        With ``at``, it is the result with exactly those settings if it is in memory, else ``None``.
        """
        settings = self._at(at)
        if step == INPUT:
            return self._results.source
        if at is not None:
            return self._results.exact(step, settings)
        if self._results.was_dropped(step, settings):
            if self._busy.locked():
                return None
            self.run(last=step)
        return self._results.latest(step, settings)

    def kept(self, step: str) -> State | None:
        """As `result`, but ``None`` for what was dropped from memory; it takes no time."""
        return self._results.source if step == INPUT else self._results.kept(step, self.settings)

    def references(self, step: str, at: str | int | None = None) -> tuple[UsedReference, ...]:
        """Name the references that a step used when it last ran with these settings."""
        outcome = self._results.outcome(step, self._at(at))
        return outcome.references if outcome else ()

    def load_references(self, step: str, at: str | int | None = None) -> References:
        """Arrays of the references that a step uses, for displays.

        Raises
        ------
        ReferenceError
            If one is missing, unreadable or does not fit.
        """
        definition, settings = self.definition(step), self._at(at)
        types = definition.references_for(self.exposure, self._choices.params(step, settings))
        return {t: self._book.load(step, t, settings.overrides, exact=t in definition.uncut) for t in types}

    def outcomes(self) -> tuple[Outcome, ...]:
        """Outcomes of the steps that are up to date, in order."""
        return self._results.outcomes(self.settings)

    @property
    def is_finished(self) -> bool:
        """Whether the pipeline has run to its end with the present settings."""
        return self._results.outcome(self.steps[-1], self.settings) is not None

    def summary(self) -> Summary:
        """Table of the steps: outcome, time, what was changed, references."""
        from jwcal_interactive.session.summary import summarize

        return summarize(self)

    def figure(self) -> Figure:
        """Draw the result of the pipeline and the distribution of its values."""
        from jwcal_interactive.figures import slope_figure

        return slope_figure(self._finished(), f"{self.exposure.filename}: {self.recipe.alias}")

    def digest(self) -> str:
        """SHA-256 of the arrays of the last step, to compare two runs bit for bit."""
        from jwcal_interactive.session.digest import digest_state

        return digest_state(self._finished())

    def write(self, folder: str | Path) -> tuple[Path, ...]:
        """Write the products (``_rate`` and ``_rateints``, or a guider ``_cal``), and those asked of steps.

        Parameters
        ----------
        folder : str or Path
            Created if needed.
        """
        from jwcal_interactive.provenance import Making, write_all

        now = self._now()
        state, outcomes = now._finished(), now.outcomes()
        making = Making(outcomes, now.settings, self._choices.base, self._book)
        offered = [s for o in outcomes if o.offers_more and (s := now.result(o.step)) is not None]
        return write_all(state, offered, Path(folder), making, ramp_suffix=self.recipe.suffix)

    def export(self, path: str | Path) -> Path:
        """Write the session as a parameterized notebook that papermill runs.

        Parameters
        ----------
        path : str or Path
            ``.ipynb``; its folder is created if needed. Many edits of flags go into ``NAME.edits.json`` there.
        """
        from jwcal_interactive.session.export import export_notebook

        return export_notebook(self._now(), Path(path))

    def save(self, path: str | Path) -> Path:
        """Save settings and history (not arrays) to one readable JSON file; `open_session` opens it.

        Parameters
        ----------
        path : str or Path
            ``.json``; its folder is created if needed, as by `write`.
        """
        from jwcal_interactive.session.saved import save_session

        return save_session(self._now(), Path(path))

    # --- inside --------------------------------------------------------------------------------------------

    @property
    def _results(self) -> Results:
        if self._open is None:
            raise InputError(f"{self.path.name}: this session is closed. Open the exposure again.")
        return self._open

    def _now(self) -> Session:
        """Give this session with the settings of this moment, for work during which they may change."""
        now = copy(self)
        now._tree = self.tree.copy()
        return now

    def _finished(self) -> State:
        last, settings = self.steps[-1], self.settings
        if not self.is_finished:
            raise InputError(
                f"{self.path.name}: {self.recipe.alias} has not run to its end with the present settings; "
                "run the session first."
            )
        if self._results.was_dropped(last, settings):
            self.run()
        state = self._results.exact(last, settings)
        assert state is not None
        return state

    def _at(self, at: str | int | None) -> Settings:
        return self.tree.node(at).settings

    def _choose(self, action: Action, settings: Settings, step: str = "") -> None:
        """Take new settings, unless they are those that hold."""
        if settings != self.settings:
            node = self.tree.append(settings)
            self._note(action, step, outcome=node.change.removeprefix(f"{step}: "))

    def _note(self, action: Action, step: str = "", **facts: Any) -> None:
        if step:
            facts["choices"] = self._choices.unlike_defaults(step, self.settings)
        self._log.add(Entry(action, step, node=self._tree.present, branch=self._tree.branch, **facts))
