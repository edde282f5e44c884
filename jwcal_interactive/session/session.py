"""The session: open an exposure, run steps, change a setting, go back, and leave with a record."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jwcal_interactive.arrays import Exposure, Ramp, References, State
from jwcal_interactive.errors import Cancelled, InputError, JwcalError, ParameterError
from jwcal_interactive.params import StepParams
from jwcal_interactive.pipeline import Outcome, Progress, compile_kernels, peak_memory, reporter, run_step
from jwcal_interactive.recipes import Recipe
from jwcal_interactive.references.baseline import Baseline
from jwcal_interactive.references.book import NOT_APPLICABLE, ReferenceBook, UsedReference
from jwcal_interactive.session.cache import ResultCache
from jwcal_interactive.session.history import Choice, Entry, now, versions_now
from jwcal_interactive.session.keys import file_key, result_keys
from jwcal_interactive.session.ledger import Ledger, StepStatus
from jwcal_interactive.session.timeline import Timeline
from jwcal_interactive.settings import Settings
from jwcal_interactive.steps.catalogue import STEPS, get_step, users_of
from jwcal_interactive.steps.definition import StepDefinition
from jwcal_interactive.tiles import Tiles

if TYPE_CHECKING:
    from jwcal_interactive.figures import Figure
    from jwcal_interactive.session.summary import Summary

__all__ = ["INPUT", "Session", "StepStatus"]

INPUT = "input"  # name under which the raw ramp is asked for


def _tell_of_compiling(progress: Progress) -> None:
    """Say why the first run takes a minute, where nobody watches."""
    if progress.message:
        print(progress.message, file=sys.stderr)


class Session:
    """An exposure, the pipeline it goes through, the user's choices and the history.

    Use `jwcal_interactive.open_session` to make one. Results are kept by what made them (input, parameters and
    references up to and including the step), so that undo and redo show old results at once.

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
        self._baseline = baseline
        self._book = book
        self._tiles = tiles
        self._timeline = Timeline()
        self._history: list[Entry] = []
        self._ledger = Ledger()
        self._cache = ResultCache(memory_limit)
        self._input = ramp
        self._input_key = file_key(path)
        self._busy = threading.Lock()
        self._note("open", outcome=str(path), reason="; ".join(self.notes))

    def __repr__(self) -> str:
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
        return self._timeline.present

    @property
    def history(self) -> tuple[Entry, ...]:
        """All that was done, oldest first."""
        return tuple(self._history)

    @property
    def timeline(self) -> Timeline:
        """The settings that undo and redo move over."""
        return self._timeline

    def restore(self, timeline: tuple[Settings, ...], position: int, history: tuple[Entry, ...]) -> None:
        """Take over the settings and history of a saved session; results are computed when asked for.

        Raises
        ------
        ParameterError
            If a setting is not allowed in this version.
        """
        self._timeline = Timeline([self._checked(settings) for settings in timeline], position)
        self._history = [*history, replace(self._history[0], number=len(history) + 1)]

    def definition(self, step: str) -> StepDefinition[Any, Any, Any]:
        """Definition of a step."""
        return STEPS[self._known(step)]

    def baseline(self, step: str) -> StepParams:
        """Parameters that the step would run with untouched: code defaults and CRDS."""
        return self._baseline.params[self._known(step)]

    def params(self, step: str) -> StepParams:
        """Parameters that the step will run with."""
        return self._params(step, self.settings)

    def source(self, step: str, name: str) -> Literal["default", "crds", "user"]:
        """Where the value of a parameter comes from."""
        if name in self.settings.of(step):
            return "user"
        return "crds" if (step, name) in self._baseline.origins else "default"

    def code(self, step: str) -> str:
        """Give the lines of Python that the user's choices for a step stand for; empty if there are none."""
        lines = []
        if values := self.settings.of(step):
            arguments = ", ".join(f"{k}={v!r}" for k, v in values.items())
            lines.append(f'session.set("{step}", {arguments})')
        for (name, reftype), file in self.settings.overrides.items():
            if name == step:
                lines.append(f'session.override("{reftype}", {json.dumps(file)}, step="{step}")')
        return "\n".join(lines)

    # --- changing settings ---------------------------------------------------------------------------------

    def set(self, step: str, **values: Any) -> None:
        """Change parameters of a step; what depends on them becomes stale.

        Raises
        ------
        ParameterError
            For an unknown step or parameter, or a value that is not allowed; nothing is changed then.
        """
        base = self.baseline(step)
        checked = type(base).build(step, {**base.model_dump(), **self.settings.of(step), **values})
        new = {k: getattr(checked, k) for k in values if k in type(base).model_fields}
        if all(self.source(step, k) == "user" and self.settings.of(step)[k] == v for k, v in new.items()):
            return
        self._timeline.append(self.settings.with_values(step, new))
        self._note("set", step, outcome=", ".join(f"{k} = {v}" for k, v in new.items()))

    def reset(self, step: str, *names: str) -> None:
        """Return parameters of a step (all of them if none is named) to the baseline.

        Raises
        ------
        ParameterError
            For an unknown step or parameter.
        """
        model = type(self.baseline(step))
        for name in names:
            if name not in model.model_fields:
                model.build(step, {name: None})
        settings = self.settings.without_values(step, names)
        if settings != self.settings:
            self._timeline.append(settings)
            self._note("reset", step, outcome=", ".join(names) or "all parameters")

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
        ParameterError
            If no step uses the type.
        ReferenceError
            If the file does not exist.
        """
        value = None if file is None else str(file)
        if value is not None and value.upper() != NOT_APPLICABLE:
            value = str(Path(value).resolve())
        settings = self.settings
        for name in self._takers(reftype, step):
            settings = settings.with_override((name, reftype), value)
            self._book.path(name, reftype, settings.overrides)
        if settings != self.settings:
            self._timeline.append(settings)
            self._note("override", step or "", outcome=f"{reftype} = {file or 'as CRDS says'}")

    @property
    def can_undo(self) -> bool:
        """Whether there is a change of settings to take back."""
        return self._timeline.position > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a change of settings to bring back."""
        return self._timeline.position < len(self._timeline.settings) - 1

    def undo(self) -> None:
        """Take back the last change of settings; results made before it are there again."""
        if self._timeline.move(-1):
            self._note("undo")

    def redo(self) -> None:
        """Bring back the change of settings that `undo` took back."""
        if self._timeline.move(+1):
            self._note("redo")

    # --- running -------------------------------------------------------------------------------------------

    def run(
        self,
        *,
        first: str | None = None,
        last: str | None = None,
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
        end = self._index(last) + 1 if last else len(self.steps)
        begin = self._index(first) if first else None
        if begin is not None and begin >= end:
            raise ParameterError(f"first = {first} comes after last = {last} in {self.recipe.alias}.")
        if not self._busy.acquire(blocking=False):
            raise InputError("this session is already running; wait for it or cancel it.")
        try:
            self._run(begin, end, progress or _tell_of_compiling, cancel or threading.Event())
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
        """Set parameters of a step and run it, with the steps before it that are not up to date.

        Raises
        ------
        JwcalError, Cancelled
            As `set` and `run`.
        """
        if values:
            self.set(step, **values)
        self.run(last=step, progress=progress, cancel=cancel)

    def _run(
        self,
        begin: int | None,
        end: int,
        progress: Callable[[Progress], None],
        cancel: threading.Event,
    ) -> None:
        settings = self.settings  # those of the start: they may change while this runs
        keys = self._keys(settings)
        start = self._start(keys, end) if begin is None else min(begin, self._start(keys, begin))
        state = self._before(keys, start)
        if start < end:
            compile_kernels(
                lambda text: progress(Progress(self.steps[start], 0, end - start, 0.0, text)),
                cancel,
                self.exposure,
                {name: self._params(name, settings) for name in self.steps[start:end]},
            )
        for index in range(start, end):
            step = self.steps[index]
            if state is None:
                raise AssertionError("a step has no input")
            report = reporter(progress, step, index - start, end - start)
            report(0.0)
            tiles = replace(self._tiles, progress=report, cancel=cancel)
            state = self._run_one(step, keys[step], settings, state, tiles)
            report(1.0)

    def _run_one(self, step: str, key: str, settings: Settings, state: State, tiles: Tiles) -> State:
        params = self._params(step, settings)
        try:
            result, outcome = run_step(step, state, params, self._book, settings.overrides, tiles)
        except Cancelled:
            self._note("run", step, settings, outcome="cancelled")
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, JwcalError) else f"{type(error).__name__}: {error}"
            self._ledger.failures[key] = reason
            self._note("run", step, settings, outcome="failed", reason=reason)
            raise
        self._cache.put(key, result)
        self._ledger.failures.pop(key, None)
        self._ledger.outcomes[key] = outcome
        self._ledger.latest[step] = key
        self._note(
            "run",
            step,
            settings,
            outcome=outcome.state,
            reason=outcome.reason,
            seconds=outcome.seconds,
            references=outcome.references,
        )
        return result

    def _start(self, keys: Mapping[str, str], end: int) -> int:
        """Index of the first step to run so that step ``end - 1`` is up to date."""
        for index in range(end - 1, -1, -1):
            if keys[self.steps[index]] in self._cache:
                return index + 1
        return 0

    def _before(self, keys: Mapping[str, str], index: int) -> State | None:
        return self._input if index == 0 else self._cache.get(keys[self.steps[index - 1]])

    # --- results -------------------------------------------------------------------------------------------

    def status(self, step: str) -> StepStatus:
        """Where a step stands."""
        self._index(step)
        return self._ledger.status(step, self._keys()[step])

    def result(self, step: str) -> State | None:
        """State after a step (``"input"``: the raw ramp); ``None`` if it has not run.

        Where the step is stale or has failed, this is the result of its last run. A result that was dropped
        from memory is computed again, or is ``None`` while the session runs.
        """
        if step == INPUT:
            return self._input
        self._index(step)
        key = self._keys()[step]
        if key in self._ledger.outcomes and key not in self._cache:
            if self._busy.locked():
                return None
            self.run(last=step)
        current = self._cache.get(key)
        if current is not None:
            return current
        latest = self._ledger.latest.get(step)
        return self._cache.get(latest) if latest else None

    def references(self, step: str) -> tuple[UsedReference, ...]:
        """Name the references that a step used when it last ran with the present settings."""
        outcome = self._ledger.outcomes.get(self._keys()[step])
        return outcome.references if outcome else ()

    def load_references(self, step: str) -> References:
        """Arrays of the references that a step uses with the present settings, for displays.

        Raises
        ------
        ParameterError
            For an unknown step.
        ReferenceError
            If one is missing, unreadable or does not fit.
        """
        self._index(step)
        definition = get_step(step)
        settings = self.settings
        types = definition.references_for(self.exposure, self._params(step, settings))
        return {t: self._book.load(step, t, settings.overrides, exact=t in definition.uncut) for t in types}

    def outcomes(self) -> tuple[Outcome, ...]:
        """Outcomes of the steps that are up to date, in order."""
        keys = self._keys()
        found = (self._ledger.outcomes.get(keys[s]) for s in self.steps)
        return tuple(o for o in found if o is not None)

    @property
    def is_finished(self) -> bool:
        """Whether the pipeline has run to its end with the present settings."""
        return self._keys()[self.steps[-1]] in self._ledger.outcomes

    def summary(self) -> Summary:
        """Table of the steps: outcome, time, what was changed, references."""
        from jwcal_interactive.session.summary import summarize

        return summarize(self)

    def figure(self) -> Figure:
        """Draw the result of the pipeline and the distribution of its values.

        Raises
        ------
        InputError
            If the pipeline has not run to its end.
        """
        from jwcal_interactive.figures import slope_figure

        return slope_figure(self._finished(), f"{self.exposure.filename}: {self.recipe.alias}")

    def digest(self) -> str:
        """SHA-256 of the arrays of the last step, to compare two runs bit for bit.

        Raises
        ------
        InputError
            If the pipeline has not run to its end.
        """
        from jwcal_interactive.session.digest import digest_state

        return digest_state(self._finished())

    def write(self, folder: str | Path) -> tuple[Path, ...]:
        """Write the products of the pipeline (``_rate`` and ``_rateints``, or a guider ``_cal``).

        Optional products that steps were asked for, such as masks, are written too.

        Returns
        -------
        tuple of Path

        Raises
        ------
        InputError
            If the pipeline has not run to its end with the present settings.
        OutputError
            If they cannot be written.
        """
        from jwcal_interactive.io.atomic import Together
        from jwcal_interactive.provenance import Making, write_products, write_side_products

        settings, outcomes = self.settings, self.outcomes()  # of one moment: they may change meanwhile
        state = self._finished()
        making = Making(outcomes, settings, self._baseline, self._book)
        offering = [o.step for o in outcomes if o.offers_more]
        states = [s for s in map(self.result, offering) if s is not None]
        with Together() as files:
            written = write_products(state, Path(folder), making, files, ramp_suffix=self.recipe.suffix)
            for offered in states:
                written += write_side_products(offered, Path(folder), making, files)
        return written

    def export(self, path: str | Path) -> Path:
        """Write the session as a parameterized notebook that papermill runs.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        from jwcal_interactive.session.export import export_notebook

        return export_notebook(self, Path(path))

    def save(self, path: str | Path) -> Path:
        """Save settings and history (not arrays) to one readable JSON file; `open_session` opens it.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        from jwcal_interactive.session.saved import save_session

        return save_session(self, Path(path))

    # --- inside --------------------------------------------------------------------------------------------

    def _finished(self) -> State:
        last = self.steps[-1]
        key = self._keys()[last]
        if not self.is_finished:
            raise InputError(
                f"{self.path.name}: {self.recipe.alias} has not run to its end with the present settings; "
                "run the session first."
            )
        if key not in self._cache:
            self.run()
        state = self._cache.get(key)
        assert state is not None
        return state

    def _index(self, step: str) -> int:
        if step not in self.steps:
            get_step(step)
            raise ParameterError(f"step {step} is not part of {self.recipe.alias}: {', '.join(self.steps)}.")
        return self.steps.index(step)

    def _known(self, step: str) -> str:
        self._index(step)
        return get_step(step).name

    def _params(self, step: str, settings: Settings) -> StepParams:
        return self.baseline(step).model_copy(update=dict(settings.of(step)))

    def _checked(self, settings: Settings) -> Settings:
        """Check settings from a file; values come back in the types of the parameters."""
        for step, values in settings.values.items():
            checked = type(self.baseline(step)).build(step, values)
            settings = settings.with_values(step, {name: getattr(checked, name) for name in values})
        for step, reftype in settings.overrides:
            self._takers(reftype, step)
        return settings

    def _takers(self, reftype: str, step: str | None) -> tuple[str, ...]:
        return users_of(reftype, self.steps if step is None else (self._known(step),))

    def _keys(self, settings: Settings | None = None) -> dict[str, str]:
        chosen = settings or self.settings
        return result_keys(self._input_key, self.steps, chosen, lambda s: self._params(s, chosen))

    def _note(self, action: Any, step: str = "", settings: Settings | None = None, **facts: Any) -> None:
        settings = settings or self.settings
        choices = {}
        if step in STEPS:
            for name, value in self._params(step, settings).changed().items():
                crds = self._baseline.origins.get((step, name), "default")
                choices[name] = Choice(value, "user" if name in settings.of(step) else crds)
        self._history.append(
            Entry(
                number=len(self._history) + 1,
                time=now(),
                action=action,
                step=step,
                choices=choices,
                peak_bytes=peak_memory() if action == "run" else 0,
                versions=versions_now(self._book.pmap) if action == "open" else {},
                **facts,
            )
        )
