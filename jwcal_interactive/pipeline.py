"""Running steps: references are loaded, the outcome is recorded, the pure step functions do the rest."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal

from jwcal_interactive.arrays import Exposure, Keyword, Reference, State
from jwcal_interactive.errors import Cancelled, Skip
from jwcal_interactive.kernels.warmup import is_warm, warm_up
from jwcal_interactive.params import StepParams
from jwcal_interactive.recipes import Recipe
from jwcal_interactive.references.book import Overrides, ReferenceBook, UsedReference
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_interactive.tiles import Tiles

__all__ = [
    "SKIP_IS_SET",
    "Outcome",
    "Progress",
    "Watch",
    "compile_kernels",
    "peak_memory",
    "reporter",
    "run_recipe",
    "run_step",
    "user_files",
]


SKIP_IS_SET = "parameter skip is set"
"""Why a step that is turned off was skipped."""


@dataclass(frozen=True)
class Outcome:
    """What became of one step.

    Attributes
    ----------
    step : str
        Step name.
    state : {"done", "skipped"}
    reason : str
        Why it was skipped; else empty.
    seconds : float
        Wall time, with loading the references.
    references : tuple of UsedReference
    peak_bytes : int
        Peak memory of the process so far, bytes.
    offers_more : bool
        Whether the step made optional products.
    found : mapping of str to Keyword
        What the step found in the whole frame, as the keywords of the product tell it: rates of cosmic rays,
        numbers of events, of flagged pixels.
    """

    step: str
    state: Literal["done", "skipped"]
    reason: str = ""
    seconds: float = 0.0
    references: tuple[UsedReference, ...] = ()
    peak_bytes: int = 0
    offers_more: bool = False
    found: Mapping[str, Keyword] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How far a run is: ``fraction`` (0 to 1) of step ``step``, the ``index``-th (from 0) of ``nsteps``."""

    step: str
    index: int
    nsteps: int
    fraction: float
    message: str = ""


@dataclass(frozen=True)
class Watch:
    """Who watches a run, and how it is spread: passed down to the tile runner."""

    progress: Callable[[Progress], None] = field(default=lambda _p: None)
    tiles: Tiles = field(default_factory=Tiles)


def reporter(
    progress: Callable[[Progress], None], step: str, index: int, nsteps: int
) -> Callable[[float], None]:
    """Report the fractions of one step, never going back where the step passes over the rows again."""
    reached = -1.0

    def report(fraction: float) -> None:
        nonlocal reached
        if fraction > reached:
            reached = fraction
            progress(Progress(step, index, nsteps, fraction))

    return report


def compile_kernels(
    say: Callable[[str], None],
    cancel: threading.Event,
    exposure: Exposure,
    params: Mapping[str, StepParams],
) -> None:
    """Compile the kernels that steps need before the first of them runs, if need be, telling how far it is.

    Parameters
    ----------
    say : callable
        Told which kernels are being compiled; an empty text at the end.
    cancel : threading.Event
    exposure : Exposure
    params : mapping of str to StepParams
        Parameters of the steps to run, by name; those with `skip` need nothing.

    Raises
    ------
    Cancelled
        Between two kernels, if `cancel` is set.
    """

    def report(done: int, total: int, name: str) -> None:
        if cancel.is_set():
            raise Cancelled
        say(f"compiling kernels, once: {name} ({done}/{total})" if name else "")

    needed = (STEPS[name].kernels_for(exposure, p) for name, p in params.items() if not p.skip)
    modules = tuple(dict.fromkeys(chain.from_iterable(needed)))
    if not is_warm(modules):
        warm_up(report, modules)


def give_back_memory() -> None:
    """Give freed memory back to the system where the C library would keep it for later (glibc)."""
    if sys.platform == "linux":
        import ctypes

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def peak_memory() -> int:
    """Peak resident memory of this process, bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def user_files(
    name: str, params: StepParams, book: ReferenceBook, tiles: Tiles
) -> tuple[dict[str, Reference | None], tuple[UsedReference, ...]]:
    """Content of the files that parameters of a step name (``None`` without one), and how they are recorded.

    Raises
    ------
    InputError, ReferenceError
        If a file is missing or unreadable.
    """
    content: dict[str, Reference | None] = dict.fromkeys(info.name for info in params.infos() if info.file)
    used: tuple[UsedReference, ...] = ()
    for parameter, path in params.files().items():
        kind = params.info(parameter).file
        content[parameter], files = book.file(name, parameter, path, kind, tiles.check)
        used += files
    return content, used


def run_step(
    name: str,
    state: State,
    params: StepParams,
    book: ReferenceBook,
    overrides: Overrides,
    tiles: Tiles,
) -> tuple[State, Outcome]:
    """Run one step on the state before it.

    Parameters
    ----------
    name : str
        Official step name.
    state : Ramp, Rates or GuiderSlopes
        Input; it is not changed.
    params : StepParams
    book : ReferenceBook
        References of the exposure.
    overrides : mapping
        The user's references.
    tiles : Tiles
        Threads, progress, cancellation.

    Returns
    -------
    state : Ramp, Rates or GuiderSlopes
        The input itself if the step was skipped; with the optional products of this step.
    outcome : Outcome

    Raises
    ------
    JwcalError
        If a reference or the input does not fit.
    Cancelled
        If the user stopped the run.
    """
    if state.side_products:  # they are those of the step before
        state = state.with_(side_products=())
    if params.skip:
        return state, Outcome(name, "skipped", SKIP_IS_SET)
    definition = STEPS[name]
    start = time.perf_counter()
    tiles.check()
    types = definition.references_for(state.exposure, params)
    references: dict[str, Reference | None] = {
        t: book.load(name, t, overrides, exact=t in definition.uncut, check=tiles.check) for t in types
    }
    used = tuple(book.used(name, t, overrides, tiles.check) for t in types)
    own, used_own = user_files(name, params, book, tiles)
    references |= own
    outcome = Outcome(name, "done", references=used + used_own)
    try:
        before = state.keywords
        state = definition(state, references, params, tiles)
        found = {key: word for key, word in state.keywords.items() if before.get(key) != word}
        outcome = replace(outcome, offers_more=bool(state.side_products), found=found)
    except Skip as skip:
        outcome = replace(outcome, state="skipped", reason=str(skip))
    return state, replace(outcome, seconds=time.perf_counter() - start, peak_bytes=peak_memory())


def run_recipe(
    recipe: Recipe,
    state: State,
    params: Mapping[str, StepParams],
    book: ReferenceBook,
    overrides: Overrides,
    watch: Watch,
    *,
    steps: tuple[str, ...] | None = None,
) -> Iterator[tuple[State, Outcome]]:
    """Run steps one after the other, giving the state and outcome after each.

    Nothing but the current state is kept, so that memory stays bounded in a long batch.

    Parameters
    ----------
    steps : tuple of str, optional
        The steps to run; by default all of the recipe.

    Raises
    ------
    JwcalError, Cancelled
        As `run_step`.
    """
    chosen = steps or recipe.steps
    for index, name in enumerate(chosen):
        report = reporter(watch.progress, name, index, len(chosen))
        report(0.0)
        tiles = replace(watch.tiles, progress=report)
        state, outcome = run_step(name, state, params[name], book, overrides, tiles)
        report(1.0)
        yield state, outcome
