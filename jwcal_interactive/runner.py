"""Running the steps of a pipeline on one exposure with little memory: in bands where steps allow it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from jwcal_interactive import bands
from jwcal_interactive.arrays import Exposure, GuiderSlopes, Keyword, Ramp, Rates, SideProduct, State
from jwcal_interactive.bands import (
    Chain,
    Framed,
    Link,
    LinkResult,
    MemoryOutput,
    MemorySource,
    NeedsWholeFrame,
    Output,
    Source,
)
from jwcal_interactive.params import StepParams
from jwcal_interactive.pipeline import (
    SKIP_IS_SET,
    Outcome,
    Progress,
    Watch,
    give_back_memory,
    peak_memory,
    reporter,
    run_step,
    user_files,
)
from jwcal_interactive.references.book import Overrides, ReferenceBook, UsedReference
from jwcal_interactive.steps.catalogue import STEPS

__all__ = ["Opener", "Ran", "Runner", "band_height", "row_bytes"]

_NoRamp: TypeAlias = Rates | GuiderSlopes

# Rows of a band where memory allows it: few enough for the caches, many enough beside the rows within reach.
_BAND_ROWS = 128
# Bytes that bands may take by default, all threads together.
_BAND_BYTES = 1_300_000_000
# Arrays of a ramp that a band has at a time: input and output of a step, and what it works with. Bands that
# threads work on side by side are not all at their largest together. Measured.
_COPIES, _COPIES_ALONE = 1.35, 1.75


@dataclass(frozen=True)
class Ran:
    """A step that has run, or was skipped.

    Attributes
    ----------
    outcome : Outcome
    outputs : tuple of Output
        Those that were asked for the state after it; all of it has been put into them.
    state : Ramp, Rates or GuiderSlopes
        That state or, if the step ran in bands, one band of it with the exposure and the keywords of the
        whole.
    """

    outcome: Outcome
    outputs: tuple[Output, ...]
    state: State | None
    side_products: tuple[SideProduct, ...] = ()


Opener: TypeAlias = Callable[[State, int | None, tuple[Outcome, ...]], Output]
"""Makes an output from the first band of a state, the rows of the frame, and the outcomes so far.

Where the rows are ``None``, the state is the whole.
"""


@dataclass
class Runner:
    """Runs steps one after the other.

    Parameters
    ----------
    source : Source
        The exposure: a `RampFile`, or a ramp in memory.
    steps : sequence of str
    params : mapping of str to StepParams
    book : ReferenceBook
    overrides : mapping
    watch : Watch
        Progress, threads, cancellation.
    outputs : mapping of str to tuple of callable
        Openers of outputs for the states after steps.
    band_bytes : int
        Memory for bands.
    """

    source: Source
    steps: Sequence[str]
    params: Mapping[str, StepParams]
    book: ReferenceBook
    overrides: Overrides
    watch: Watch
    outputs: Mapping[str, tuple[Opener, ...]]
    band_bytes: int = _BAND_BYTES
    whole: set[str] = field(default_factory=set)  # steps that turned out to need the whole frame
    done: list[Outcome] = field(default_factory=list)

    def run(self) -> Iterator[Ran]:
        """Run all steps, telling of each one when its state is complete.

        Raises
        ------
        JwcalError
            If a step fails.
        Cancelled
            If the user stopped the run.
        """
        state: Source | _NoRamp = self.source
        position = 0
        while position < len(self.steps):
            if not isinstance(state, Rates | GuiderSlopes):
                links = self.links(state, position)
                if any(link.definition for link in links):
                    try:
                        state, results = self._chain(state, links, position)
                    except NeedsWholeFrame as need:
                        if need.step in self.whole:
                            raise AssertionError(f"{need.step} has run on the whole frame") from need
                        self.whole.add(need.step)
                        continue
                    yield from results
                    position += len(links)
                    continue
            state, ran = self._whole(state, position)
            yield ran
            position += 1

    def links(self, source: Framed, position: int) -> list[Link]:
        """Find the steps from a position on that can run in bands, up to the first that cannot."""
        links = []
        for name in self.steps[position:]:
            link = self._link(source, name)
            if link is None:
                break
            links.append(link)
        return links

    def _link(self, source: Framed, name: str) -> Link | None:
        params = self.params[name]
        if params.skip:
            return Link(name, skipped=SKIP_IS_SET)
        definition, exposure = STEPS[name], source.exposure
        in_frame = source.frame == (exposure.ysize, exposure.xsize)
        if definition.reach is None or name in self.whole or not in_frame:
            return None
        types = definition.references_for(exposure, params)
        files: dict[str, Any] = {
            t: self.book.open(name, t, self.overrides, exact=t in definition.uncut) for t in types
        }
        used: tuple[UsedReference, ...] = tuple(
            self.book.used(name, t, self.overrides, self.watch.tiles.check) for t in types
        )
        own, used_own = user_files(name, params, self.book, self.watch.tiles)
        link = Link(name, definition, params, files | own, used + used_own)
        row = link.references(source.frame, slice(0, 1))
        reach = definition.reach_for(exposure, row, params)
        return None if reach is None else replace(link, reach=reach)

    def _chain(self, source: Source, links: list[Link], position: int) -> tuple[Source | _NoRamp, list[Ran]]:
        stop = position + len(links)
        openers: dict[str, tuple[bands.Opener, ...]] = {
            name: tuple(map(self._adapted, self.outputs[name]))
            for name in self.steps[position:stop]
            if name in self.outputs
        }
        if stop < len(self.steps):
            last = links[-1].name
            openers[last] = (*openers.get(last, ()), lambda first, nrows, _known: MemoryOutput(first, nrows))
        chain = Chain(source, links, openers)
        tiles = self.watch.tiles
        rows, one_by_one = band_height(source, links, tiles.threads, self.band_bytes)
        start = time.perf_counter()
        chain.run(replace(tiles, progress=self._reporter(position, stop)), rows, one_by_one=one_by_one)
        wall = time.perf_counter() - start
        results = [chain.ran(index) for index in range(len(links))]
        total = sum(result.seconds for result in results) or 1.0
        ran: list[Ran] = []
        state: Source | _NoRamp = source
        before: Mapping[str, Keyword] = {}
        for result in results:
            found = {key: word for key, word in result.keywords.items() if key not in before}
            before = result.keywords
            outcome = replace(_outcome(result), seconds=wall * result.seconds / total, found=found)
            self.done.append(outcome)
            like = None if result.like is None else _of_frame(result.like, source, result.keywords)
            for output in result.outputs:
                if isinstance(output, MemoryOutput):
                    assert like is not None
                    whole = output.whole(like, like.exposure, like.keywords)
                    state = _source(whole)
                    give_back_memory()
            outputs = tuple(o for o in result.outputs if not isinstance(o, MemoryOutput))
            ran.append(Ran(outcome, outputs, like, result.side_products))
        return state, ran

    def _whole(self, state: Source | _NoRamp, position: int) -> tuple[Source | _NoRamp, Ran]:
        """Run one step on a whole frame."""
        name = self.steps[position]
        before: State = state if isinstance(state, Rates | GuiderSlopes) else state.cut()
        report = reporter(self.watch.progress, name, position, len(self.steps))
        report(0.0)
        tiles = replace(self.watch.tiles, progress=report)
        after, outcome = run_step(name, before, self.params[name], self.book, self.overrides, tiles)
        del before
        self.book.forget()
        give_back_memory()
        report(1.0)
        self.done.append(outcome)
        so_far = tuple(self.done)
        outputs = tuple(opener(after, None, so_far) for opener in self.outputs.get(name, ()))
        for output in outputs:
            output.put(after, 0)
        return _source(after), Ran(outcome, outputs, after, after.side_products)

    def _adapted(self, opener: Opener) -> bands.Opener:
        """Tell an opener the outcomes of the steps before the chain, too."""

        def open_output(first: State, nrows: int, known: tuple[LinkResult, ...]) -> Output:
            return opener(first, nrows, (*self.done, *map(_outcome, known)))

        return open_output

    def _reporter(self, position: int, stop: int) -> Any:
        """Progress of steps that advance together: shown as if they went one after the other."""

        def report(fraction: float) -> None:
            done = fraction * (stop - position)
            index = min(int(done), stop - position - 1)
            step = self.steps[position + index]
            self.watch.progress(Progress(step, position + index, len(self.steps), done - index))

        return report


def _outcome(result: LinkResult) -> Outcome:
    return Outcome(
        result.link.name,
        "skipped" if result.skipped else "done",
        result.skipped,
        references=result.link.used,
        peak_bytes=peak_memory(),
        offers_more=bool(result.side_products),
    )


def _source(state: State) -> Source | _NoRamp:
    """Give what the next steps start from: without what the last one offered beside it."""
    state = state.with_(side_products=())
    return MemorySource(state) if isinstance(state, Ramp) else state


def _of_frame(band: State, source: Source, keywords: Mapping[str, Keyword]) -> State:
    """Give a band the exposure of the whole frame, and the keywords about it."""
    exposure: Exposure = replace(
        band.exposure,
        xstart=source.exposure.xstart,
        ystart=source.exposure.ystart,
        xsize=source.exposure.xsize,
        ysize=source.exposure.ysize,
    )
    return band.with_(exposure=exposure, keywords=keywords)


def band_height(source: Framed, links: Sequence[Link], threads: int, limit: int) -> tuple[int, bool]:
    """Rows of a band, and whether there is memory for one band at a time only.

    Where there is memory for bands of all threads, each thread gets as many bands as the others.

    Parameters
    ----------
    source : Framed
    links : sequence of Link
    threads : int
    limit : int
        Bytes for the bands of all threads.
    """
    row, around = row_bytes(source, links, alone=False), 2 * bands.margin(links)
    together = int(limit / threads / row) - around
    if together >= min(_BAND_ROWS, 4 * around + 1):
        rounds = -(-source.frame[0] // (threads * min(together, _BAND_ROWS)))
        return -(-source.frame[0] // (threads * rounds)), False
    alone = int(limit / row_bytes(source, links, alone=True)) - around
    return max(min(alone, _BAND_ROWS), 1), True


def row_bytes(source: Framed, links: Sequence[Link], *, alone: bool) -> int:
    """Bytes that one row takes in a band, at most; ``alone`` if there is one band at a time."""
    exposure, nx = source.exposure, source.frame[1]
    samples = exposure.nints * exposure.ngroups * nx
    slopes = 24 * (exposure.nints + 1) * nx if any(link.name == "ramp_fit" for link in links) else 0
    references = max((link.row_bytes() for link in links), default=0)
    ramps = 5 * (_COPIES_ALONE if alone else _COPIES) * samples
    return int(ramps) + slopes + references + 64 * nx
