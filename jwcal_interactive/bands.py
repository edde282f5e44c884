"""Running steps band by band: detector rows go through a chain of steps, and only what is asked for is kept.

A step that declares how far it looks (`StepDefinition.reach`) gives on a part of the frame what it gives on
the whole of it. Such steps, one after the other, make a chain: a band of rows is read from the exposure and
from the references, goes through all steps of the chain, and is put into outputs.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

import numpy as np

from jwcal_interactive.arrays import Exposure, Keyword, Ramp, Rates, Reference, References, SideProduct, State
from jwcal_interactive.cutouts import ALL, cut_ramp, cut_reference, widened
from jwcal_interactive.errors import Skip
from jwcal_interactive.io.reference_files import ReferenceFile
from jwcal_interactive.params import StepParams
from jwcal_interactive.references.book import UsedReference
from jwcal_interactive.steps.definition import Look, StepDefinition
from jwcal_interactive.tiles import Tiles

__all__ = [
    "Chain",
    "Framed",
    "Link",
    "LinkResult",
    "MemoryOutput",
    "MemorySource",
    "NeedsWholeFrame",
    "Opener",
    "Output",
    "Source",
    "WholeReferences",
]

# Rows of the first band, which runs alone, at most.
_FIRST_ROWS = 16


class NeedsWholeFrame(Exception):  # noqa: N818 - an outcome, not an error
    """What a step took for granted of the whole frame, to run on parts of it, was not so."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class Framed(Protocol):
    """A ramp of which the facts and the size are known: enough to plan a run."""

    @property
    def exposure(self) -> Exposure:
        """Facts of the exposure."""

    @property
    def frame(self) -> tuple[int, ...]:
        """Rows and columns (ny, nx)."""


class Source(Framed, Protocol):
    """Where a chain reads ramps from: a file on disk, or a state in memory."""

    def brightest_row(self) -> int:
        """Row with the highest value of the first group."""

    def cut(self, rows: slice = ALL, columns: slice = ALL) -> Ramp:
        """Give rows and columns of all integrations and groups."""


@dataclass(frozen=True)
class MemorySource:
    """A ramp in memory as the source of a chain."""

    ramp: Ramp

    @property
    def exposure(self) -> Exposure:
        """Facts of the exposure."""
        return self.ramp.exposure

    @property
    def frame(self) -> tuple[int, ...]:
        """Rows and columns (ny, nx)."""
        return self.ramp.data.shape[-2:]

    def brightest_row(self) -> int:
        """Row with the highest value of the first group."""
        return int(np.argmax(np.nan_to_num(self.ramp.data[0, 0]).max(axis=1)))

    def cut(self, rows: slice = ALL, columns: slice = ALL) -> Ramp:
        """Cut out of the ramp."""
        return cut_ramp(self.ramp, rows, columns)


class Output(Protocol):
    """Where bands of a state go."""

    def put(self, state: State, y0: int) -> None:
        """Take the rows from ``y0`` on; from any thread, in any order."""


class MemoryOutput:
    """Puts bands together to a state in memory.

    Parameters
    ----------
    first : Ramp or Rates
        A band.
    nrows : int
        Rows of the whole frame.
    """

    def __init__(self, first: State, nrows: int) -> None:
        self._arrays = {
            path: np.empty((*array.shape[:-2], nrows, array.shape[-1]), array.dtype)
            for path, array in _arrays_of(first).items()
        }

    def put(self, state: State, y0: int) -> None:
        """Copy a band to its place."""
        for path, array in _arrays_of(state).items():
            self._arrays[path][..., y0 : y0 + array.shape[-2], :] = array

    def whole(self, like: State, exposure: Exposure, keywords: Mapping[str, Keyword]) -> State:
        """Give the whole state; ``like`` is any band of it."""
        changes: dict[str, Any] = {}
        for (name, *inner), array in self._arrays.items():
            if inner:
                slopes = changes.get(name, getattr(like, name))
                changes[name] = replace(slopes, **{inner[0]: array})
            else:
                changes[name] = array
        if isinstance(like, Ramp | Rates):
            changes["tallies"] = {}
        return replace(like, exposure=exposure, keywords=keywords, side_products=(), **changes)


def _arrays_of(state: State) -> dict[tuple[str, ...], np.ndarray[Any, Any]]:
    """Arrays of a state by the names that lead to them."""
    if isinstance(state, Rates):
        parts = {"rate": state.rate, "rateints": state.rateints}
        return {(part, name): array for part, slopes in parts.items() for name, array in vars(slopes).items()}
    return {(name,): value for name, value in vars(state).items() if isinstance(value, np.ndarray)}


@dataclass(frozen=True)
class Link:
    """One step of a chain, with all that it needs.

    Attributes
    ----------
    name : str
    definition : StepDefinition or None
        ``None`` for a step that does not run (``skipped`` says why).
    params : StepParams or None
    files : mapping of str to ReferenceFile or Reference or None
        References by type.
    used : tuple of UsedReference
    reach : int
        Rows and columns that it looks beyond its own.
    skipped : str
    """

    name: str
    definition: StepDefinition[Any, Any, Any] | None = None
    params: StepParams | None = None
    files: Mapping[str, ReferenceFile | Reference | None] = field(default_factory=dict)
    used: tuple[UsedReference, ...] = ()
    reach: int = 0
    skipped: str = ""

    def references(self, frame: tuple[int, ...], rows: slice = ALL, columns: slice = ALL) -> References:
        """Read or cut the references for a part of the frame."""
        return {name: _cut_file(file, frame, rows, columns) for name, file in self.files.items()}

    def row_bytes(self) -> int:
        """Bytes in memory of one row of the references."""
        files = [file for file in self.files.values() if isinstance(file, ReferenceFile)]
        return sum(file.row_bytes() for file in files)


def _cut_file(
    file: ReferenceFile | Reference | None, frame: tuple[int, ...], rows: slice, columns: slice
) -> Reference | None:
    if isinstance(file, ReferenceFile):
        return file.cut(rows, columns)
    return None if file is None else cut_reference(file, frame, rows, columns)


class WholeReferences(Mapping[str, "Reference | None"]):
    """References of the whole frame, read when a survey asks for them."""

    def __init__(self, link: Link, frame: tuple[int, ...]) -> None:
        self._link, self._frame = link, frame

    def __getitem__(self, name: str) -> Reference | None:
        return _cut_file(self._link.files[name], self._frame, ALL, ALL)

    def __iter__(self) -> Any:
        return iter(self._link.files)

    def __len__(self) -> int:
        return len(self._link.files)


@dataclass
class _Progress:
    """What is known of a link while a chain runs; guarded by the lock of the chain."""

    skipped: str | None = None  # reason, empty if it ran; None until it was tried
    facts: Any = None
    seconds: float = 0.0
    totals: dict[str, Any] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    like: State | None = None  # any band of the state after the link
    sides: dict[int, tuple[SideProduct, ...]] = field(default_factory=dict)  # by first row


Opener: TypeAlias = "Callable[[State, int, tuple[LinkResult, ...]], Output]"
"""Makes an output from the first band of a state, the rows of the frame, and what is known of the links."""


def margin(links: Sequence[Link]) -> int:
    """Rows that a band has beyond its own, on each side, to go through all links."""
    return sum(link.reach for link in links)


class Chain:
    """Steps that run one after the other on bands of rows.

    Parameters
    ----------
    source : Source
    links : sequence of Link
    outputs : mapping of str to tuple of callable
        Openers of outputs for the state after a step.
    """

    def __init__(
        self, source: Source, links: Sequence[Link], outputs: Mapping[str, tuple[Opener, ...]]
    ) -> None:
        self.source, self.links, self._openers = source, tuple(links), outputs
        self._known = [_Progress() for _ in self.links]
        self._lock = threading.Lock()

    @property
    def margin(self) -> int:
        """Rows that a band has beyond its own, on each side."""
        return margin(self.links)

    def run(self, tiles: Tiles, band_rows: int, *, one_by_one: bool = False) -> None:
        """Send all bands through the chain.

        Parameters
        ----------
        tiles : Tiles
            Threads, progress, cancellation.
        band_rows : int
            Rows of a band that are kept; those within reach come on top.
        one_by_one : bool
            The threads work on one band together, instead of on one band each: bands are large then.

        Raises
        ------
        JwcalError
            If a step fails.
        Cancelled
            Between two steps on a band.
        NeedsWholeFrame
            If a step of the chain turns out to need it.
        """
        nrows, _ = self.source.frame
        within = replace(tiles, threads=1, band_rows=1 << 30, progress=_unseen)
        if one_by_one:
            rows = -(-(band_rows + 2 * self.margin) // (4 * tiles.threads))
            within = replace(tiles, band_rows=rows, progress=_unseen)
        looking = replace(tiles, progress=_unseen, band_rows=band_rows)
        self._survey(replace(looking, threads=1) if one_by_one else looking, within)
        rest = replace(tiles, band_rows=band_rows, threads=1 if one_by_one else tiles.threads)
        first = min(band_rows, _FIRST_ROWS, nrows)
        while True:
            self._band(0, first, within)  # decides what is skipped, and opens the outputs
            rest.over_rows(nrows - first, lambda y0, y1: self._band(first + y0, first + y1, within))
            if self._confirmed():
                return
            for known in self._known:
                known.totals, known.sides = {}, {}

    def _confirmed(self) -> bool:
        """Whether the bands were worked on with the facts that hold; if not, these are known now."""
        confirmed = True
        for link, known in zip(self.links, self._known, strict=True):
            definition = link.definition
            if definition is None or definition.confirm is None or known.skipped != "":
                continue
            if not definition.confirm(known.totals, known.facts):
                if definition.revise is None:
                    raise NeedsWholeFrame(link.name)
                known.facts, confirmed = definition.revise(known.totals, known.facts), False
        return confirmed

    def ran(self, index: int) -> LinkResult:
        """Tell what became of a link, after `run`."""
        link, known = self.links[index], self._known[index]
        return LinkResult(
            link=link,
            skipped=link.skipped or known.skipped or "",
            seconds=known.seconds,
            outputs=known.outputs,
            like=known.like,
            side_products=_joined(link.name, known.sides),
            keywords=self._keywords(index),
        )

    def _keywords(self, index: int) -> dict[str, Keyword]:
        """Keywords about the whole frame that the links up to this one found."""
        found: dict[str, Keyword] = {}
        for link, known in zip(self.links[: index + 1], self._known, strict=False):
            if link.definition is not None and link.definition.finish is not None and known.skipped == "":
                found |= link.definition.finish(self.source.exposure, known.totals, known.facts, link.params)
        return found

    def _survey(self, tiles: Tiles, within: Tiles) -> None:
        frame = self.source.frame
        for index, (link, known) in enumerate(zip(self.links, self._known, strict=True)):
            if link.definition is None or link.definition.survey is None:
                continue
            start = time.perf_counter()
            part = functools.partial(self._part, index, within)
            look = Look(self.source.exposure, frame, part, brightest=self.source.brightest_row)
            try:
                known.facts = link.definition.survey(look, WholeReferences(link, frame), link.params, tiles)
            except Skip as skip:
                known.skipped = str(skip)
            known.seconds += time.perf_counter() - start

    def _part(self, upto: int, tiles: Tiles, rows: slice, columns: slice) -> Ramp:
        """State before a link in a part of the frame."""
        frame = self.source.frame
        margin = sum(link.reach for link in self.links[:upto])
        (wide_rows, own_rows), (wide_columns, own_columns) = (
            widened(part, margin, size) for part, size in zip((rows, columns), frame, strict=True)
        )
        state: State = self.source.cut(wide_rows, wide_columns)
        for index in range(upto):
            state = self._apply(index, state, wide_rows, wide_columns, tiles)
        assert isinstance(state, Ramp)
        return cut_ramp(state, own_rows, own_columns)

    def _band(self, y0: int, y1: int, tiles: Tiles) -> None:
        rows, own = widened(slice(y0, y1), self.margin, self.source.frame[0])
        state: State = self.source.cut(rows, ALL)
        for index, link in enumerate(self.links):
            tiles.check()
            state = self._apply(index, state, rows, ALL, tiles)
            self._count(index, state, own, y0)
            if state.side_products:
                state = state.with_(side_products=())
            if isinstance(state, Ramp | Rates) and state.tallies:
                state = state.with_(tallies={})
            last = link.reach and not any(following.reach for following in self.links[index + 1 :])
            if last and isinstance(state, Ramp):
                # Nothing that follows looks at the rows around any more.
                state, rows, own = cut_ramp(state, own), slice(y0, y1), slice(0, y1 - y0)
            if link.name in self._openers:
                self._put(index, state, own, y0)

    def _apply(self, index: int, state: State, rows: slice, columns: slice, tiles: Tiles) -> State:
        link, known = self.links[index], self._known[index]
        if link.definition is None or known.skipped:
            return state
        start = time.perf_counter()
        refs = link.references(self.source.frame, rows, columns)
        if state.side_products:
            state = state.with_(side_products=())
        reason = ""
        try:
            state = link.definition.apply(state, refs, link.params, tiles, known.facts)
        except Skip as skip:
            reason = str(skip) or "it does not apply"
        with self._lock:
            known.seconds += time.perf_counter() - start
            if known.skipped is None:
                known.skipped = reason
            elif bool(known.skipped) != bool(reason):
                raise NeedsWholeFrame(link.name)
        return state

    def _count(self, index: int, state: State, own: slice, y0: int) -> None:
        known = self._known[index]
        if state.side_products:
            height = own.stop - own.start
            sides = tuple(_own_rows(side, own, self.links[index].name) for side in state.side_products)
            assert all(a.shape[-2] == height for side in sides for a in side.arrays.values())
            with self._lock:
                known.sides[y0] = sides
                known.like = known.like or state.with_(side_products=())
        if isinstance(state, Ramp | Rates):
            for name, counts in state.tallies.items():
                with self._lock:
                    known.totals[name] = known.totals.get(name, 0) + counts[own].sum(axis=0)

    def _put(self, index: int, state: State, own: slice, y0: int) -> None:
        link, known = self.links[index], self._known[index]
        if isinstance(state, Ramp):
            state = cut_ramp(state, own)
        with self._lock:
            known.like = known.like or state
        if not known.outputs:  # for the first band, which comes alone
            openers = self._openers[link.name]
            results = tuple(self.ran(i) for i in range(index + 1))
            first = state.with_(keywords=results[-1].keywords)
            known.outputs = tuple(opener(first, self.source.frame[0], results) for opener in openers)
        for output in known.outputs:
            output.put(state, y0)


@dataclass(frozen=True)
class LinkResult:
    """What became of a link of a chain.

    Attributes
    ----------
    link : Link
    skipped : str
        Why it did not run; empty if it did.
    seconds : float
        Time that it took, summed over threads, s.
    outputs : tuple of Output
        Those opened for the state after it.
    like : Ramp or Rates or None
        A band of that state, if there are outputs or optional products.
    side_products : tuple of SideProduct
        Optional products, of the whole frame.
    keywords : mapping
        About the whole frame, from this link and those before it in the chain.
    """

    link: Link
    skipped: str
    seconds: float
    outputs: tuple[Output, ...]
    like: State | None
    side_products: tuple[SideProduct, ...]
    keywords: Mapping[str, Keyword]


def _unseen(_fraction: float) -> None:
    """Progress within a band, which nobody watches."""


def _own_rows(side: SideProduct, own: slice, step: str) -> SideProduct:
    """Cut the margin off the arrays of an optional product."""
    if side.tables or side.tree or any(array.ndim < 2 for array in side.arrays.values()):
        raise NeedsWholeFrame(step)
    return replace(side, arrays={name: array[..., own, :].copy() for name, array in side.arrays.items()})


def _joined(step: str, sides: Mapping[int, tuple[SideProduct, ...]]) -> tuple[SideProduct, ...]:
    """Put bands of optional products together."""
    bands = [sides[y0] for y0 in sorted(sides)]
    if not bands:
        return ()
    joined = []
    for parts in zip(*bands, strict=True):
        leading = {n: {p.arrays[n].shape[:-2] for p in parts} for n in parts[0].arrays}
        if any(len(shapes) > 1 for shapes in leading.values()):
            raise NeedsWholeFrame(step)
        arrays = {n: np.concatenate([p.arrays[n] for p in parts], axis=-2) for n in parts[0].arrays}
        joined.append(replace(parts[0], arrays=arrays))
    return tuple(joined)
