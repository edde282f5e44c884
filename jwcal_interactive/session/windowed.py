"""Running steps on a part of the frame only, with the results of a run on all of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from jwcal_interactive.arrays import Exposure, Ramp, Rates, References, State
from jwcal_interactive.bands import Link
from jwcal_interactive.cutouts import ALL, cut_state, frame_of, is_all, widened
from jwcal_interactive.edits import FlagEdit, apply_edits
from jwcal_interactive.errors import InputError, Skip
from jwcal_interactive.params import StepParams
from jwcal_interactive.pipeline import SKIP_IS_SET, run_step, user_files
from jwcal_interactive.references.book import ReferenceBook
from jwcal_interactive.session.keys import file_key
from jwcal_interactive.session.surveys import ASK_FOR_FLAGS, Asking, Facts, Kept, Surveys, spaced_rows
from jwcal_interactive.settings import Settings
from jwcal_interactive.steps.catalogue import STEPS
from jwcal_interactive.steps.definition import Look
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_interactive.steps.jump_survey import Survey
from jwcal_interactive.tiles import Tiles

__all__ = ["Job", "Region", "WindowRunner"]

Region: TypeAlias = tuple[slice, slice]
"""Rows and columns, in the arrays of the frame."""

# Name of the state before the first wanted step, among those after steps.
_BEFORE = ""
# Pixels around the window that a search for large events sees, on each side.
_MARGIN = 64
# Steps that need the whole frame and are shown by what a part of it gives: the pixels around the window, or
# whole lines along the fast direction of the read-out. All others of the kind run on the whole frame.
_APPROXIMATED: Mapping[str, Literal["around", "lines"]] = {
    "jump": "around",
    "large_events": "around",
    "clean_flicker_noise": "lines",
    "amplifier_noise": "lines",
}


@dataclass(frozen=True)
class Job:
    """What is to be run, and on what.

    Attributes
    ----------
    steps : tuple of str
    before : Ramp, Rates or GuiderSlopes
        The state before the first of them, of the whole frame.
    key : str
        What made it.
    params : mapping of str to StepParams
    settings : Settings
        For references and edits of flags.
    window : (slice, slice)
    wanted : int
        Index of the first step whose state is wanted.
    tiles : Tiles
    """

    steps: tuple[str, ...]
    before: State
    key: str
    params: Mapping[str, StepParams]
    settings: Settings
    window: Region
    wanted: int
    tiles: Tiles

    def edited(self, step: str, state: State, region: Region) -> State:
        """Apply the user's edits of flags to what a step gives in a region."""
        edits = self.settings.edits_after(step)
        if not edits:
            return state
        ny, nx = frame_of(self.before)
        (y0, y1), (x0, x1) = (part.indices(n)[:2] for part, n in zip(region, (ny, nx), strict=True))
        cuts = (edit.cut((x0, y0, x1, y1)) for edit in edits)
        return apply_edits(state, [edit for edit in cuts if edit is not None])

    @property
    def edits(self) -> tuple[FlagEdit, ...]:
        """Edits of flags after its steps."""
        return tuple(edit for edit in self.settings.edits if edit.after in self.steps)


@dataclass(frozen=True, eq=False)
class _Leg:
    """A step with how it runs: with its reach, on a part of the frame all the same, or on the whole.

    Equal to itself only: in keys it stands for a choice of parameters and references.
    """

    link: Link
    how: Literal["off", "reach", "around", "lines", "whole"]

    def needs(self, region: Region, frame: tuple[int, ...], exposure: Exposure) -> Region:
        """Part of the frame that it needs for a region of its result."""
        if self.how == "lines":
            return (region[0], ALL) if abs(exposure.fastaxis) == 1 else (ALL, region[1])
        margin = _MARGIN if self.how == "around" else self.link.reach
        rows, columns = (widened(part, margin, n)[0] for part, n in zip(region, frame, strict=True))
        return rows, columns

    def note(self, region: Region, frame: tuple[int, ...]) -> str:
        """Why its result in a region may differ from that of the whole frame; empty if it does not."""
        if self.how not in ("around", "lines") or _is_whole(region, frame):
            return ""
        if self.how == "around":
            return (
                f"{self.link.name} looks for large events in the whole frame; here it saw the window and "
                f"{_MARGIN} pixels around it."
            )
        return f"{self.link.name} measures in the whole frame; here it saw the lines through the window."


class WindowRunner:
    """Runs steps on parts of the frame, and keeps what is needed again for other values of a parameter.

    These are references cut to the window, what surveys found in the whole frame, and the state of the
    window before the step that changes.

    Parameters
    ----------
    book : ReferenceBook
    """

    def __init__(self, book: ReferenceBook) -> None:
        self.book = book
        self.surveys = Surveys()
        self.states = Kept(2)
        self._legs = Kept(64)
        self._references = Kept(64)
        self._wholes = Kept(1)

    def run(self, job: Job) -> tuple[State | None, dict[str, State], tuple[str, ...]]:
        """Run the steps.

        Returns
        -------
        before : State or None
            The state before the first wanted step, cut to the window. It is ``None``, and states are left
            out, where the frame is not that of the exposure (interleaved reference pixels).
        states : dict of str to State
            After each wanted step, likewise.
        notes : tuple of str
            Where a run on the whole frame may give something else, and why; empty if it gives the same, bit
            for bit.

        Raises
        ------
        InputError
            If frames still hold interleaved reference pixels at the end.
        JwcalError
            If a step fails.
        Cancelled
            Between two steps.
        """
        exposure = self.book.exposure
        frame = exposure.ysize, exposure.xsize
        interleaved = frame_of(job.before) != frame
        last = job.steps.index("refpix") if interleaved and "refpix" in job.steps else -1
        legs = [self._leg(job, step, frame, whole=index <= last) for index, step in enumerate(job.steps)]
        first = max((index + 1 for index, leg in enumerate(legs) if leg.how == "whole"), default=0)
        start, states = self._run_whole(job, legs[:first])
        if frame_of(start) != frame:
            raise InputError(
                f"preview: the frames of {exposure.filename} still hold interleaved reference pixels (READPATT "
                "with IRS2). Preview refpix or a later step, and let refpix take them out."
            )
        passage = _Passage(self, job, legs[first:], start, (job.key, job.edits, *legs[:first]), first)
        notes = passage.run(max(job.wanted - first, 0), states)
        return states.pop(_BEFORE, None), states, tuple(notes.values())

    def references(self, link: Link, frame: tuple[int, ...], region: Region) -> References:
        """Cut the references of a step to a region; they are read once."""
        key = (*link.files.values(), frame, _numbers(region, frame))
        cut = self._references.get(key, lambda: tuple(link.references(frame, *region).values()))
        return dict(zip(link.files, cut, strict=True))

    def _leg(self, job: Job, step: str, frame: tuple[int, ...], *, whole: bool) -> _Leg:
        params = _without_products(job.params[step])
        if params.skip:
            return self._legs.get((step, "off"), lambda: _Leg(Link(step, skipped=SKIP_IS_SET), "off"))
        definition, exposure = STEPS[step], self.book.exposure
        files: dict[str, Any] = {
            t: self.book.open(step, t, job.settings.overrides, exact=t in definition.uncut)
            for t in definition.references_for(exposure, params)
        }

        def make() -> _Leg:
            named, _used = user_files(step, params, self.book, job.tiles)
            link = Link(step, definition, params, files | named)
            if whole:
                return _Leg(link, "whole")
            reach = definition.reach_for(exposure, self.references(link, frame, (slice(0, 1), ALL)), params)
            if reach is not None:
                return _Leg(replace(link, reach=reach), "reach")
            if getattr(params, "fit_method", "") == "fft":  # the transform is of the whole frame
                return _Leg(link, "whole")
            return _Leg(link, _APPROXIMATED.get(step, "whole"))

        own = tuple(tuple(file_key(path)) for path in params.files().values())
        return self._legs.get((step, params, tuple(files.values()), own, whole), make)

    def _run_whole(self, job: Job, legs: Sequence[_Leg]) -> tuple[State, dict[str, State]]:
        """Run the first steps on the whole frame; what came of them is kept for the next parameters."""
        if not legs:
            return job.before, {}

        def make() -> tuple[State, dict[str, State]]:
            state, states = job.before, dict[str, State]()
            for index, leg in enumerate(legs):
                if index == job.wanted:
                    keep(states, _BEFORE, state)
                step = leg.link.name
                state, _ = run_step(step, state, job.params[step], self.book, job.settings.overrides, job.tiles)
                state = apply_edits(state.with_(side_products=()), job.settings.edits_after(step))
                if index >= job.wanted:
                    keep(states, step, state)
            return state, states

        def keep(states: dict[str, State], name: str, state: State) -> None:
            if frame_of(state) == frame:
                states[name] = cut_state(state, *job.window)

        frame = self.book.exposure.ysize, self.book.exposure.xsize
        shown = _numbers(job.window, frame) if job.wanted < len(legs) else ()
        state, states = self._wholes.get((job.key, job.edits, *legs, job.wanted, shown), make)
        return state, dict(states)


@dataclass(frozen=True)
class _Passage:
    """One job on its way through steps, from a state of the whole frame to one of the window."""

    runner: WindowRunner
    job: Job
    legs: Sequence[_Leg]
    start: State
    key: tuple[Hashable, ...]
    whole_before: int  # number of steps that ran on the whole frame before

    def run(self, wanted: int, states: dict[str, State]) -> dict[str, str]:
        """Add the states of the window from a leg on; give notes by step."""
        frame = frame_of(self.start)
        regions = self._regions(len(self.legs), self.job.window)
        key = (*self.key, *self.legs[:wanted], _numbers(regions[wanted], frame))
        if wanted:
            state, notes = self.runner.states.get(key, lambda: self._through(wanted, regions[wanted]))
        else:
            state, notes = cut_state(self.start, *regions[0]), {}
        notes = dict(notes)
        if self.whole_before <= self.job.wanted:
            states[_BEFORE] = _trimmed(state, regions[wanted], self.job.window, frame)
        for index in range(wanted, len(self.legs)):
            state = self._apply(index, state, regions[index], notes)
            state = _trimmed(state, regions[index], regions[index + 1], frame)
            states[self.legs[index].link.name] = _trimmed(state, regions[index + 1], self.job.window, frame)
        return notes

    def _through(self, upto: int, region: Region) -> tuple[State, dict[str, str]]:
        """State before a leg in a region, and notes by step."""
        notes: dict[str, str] = {}
        regions = self._regions(upto, region)
        frame, state = frame_of(self.start), cut_state(self.start, *regions[0])
        for index in range(upto):
            state = self._apply(index, state, regions[index], notes)
            state = _trimmed(state, regions[index], regions[index + 1], frame)
        return state, notes

    def _regions(self, upto: int, region: Region) -> list[Region]:
        """Regions before each leg, and at last the region itself."""
        regions = [region]
        for leg in reversed(self.legs[:upto]):
            regions.insert(0, leg.needs(regions[0], frame_of(self.start), self.start.exposure))
        return regions

    def _apply(self, index: int, state: State, region: Region, notes: dict[str, str]) -> State:
        """Run one step on a region."""
        leg, tiles = self.legs[index], self.job.tiles
        tiles.check()
        name, definition = leg.link.name, leg.link.definition
        if definition is not None:
            found = self._facts(index)
            if found.note:
                notes[name] = found.note
            if not found.skipped:
                state = self._changed(leg, state, region, found.facts, notes)
        return self.job.edited(name, state, region)

    def _changed(self, leg: _Leg, state: State, region: Region, facts: Any, notes: dict[str, str]) -> State:
        definition, frame = leg.link.definition, frame_of(self.start)
        assert definition is not None
        refs = self.runner.references(leg.link, frame, region)
        if isinstance(facts, Survey):
            assert isinstance(leg.link.params, JumpParams)
            facts = replace(facts, params=leg.link.params, whole=_is_whole(region, frame))
        try:
            result: State = definition.apply(state, refs, leg.link.params, self.job.tiles, facts)
        except Skip:
            return state
        if note := leg.note(region, frame):
            notes[leg.link.name] = note
        if isinstance(result, Ramp | Rates) and result.tallies:
            totals = {name: counts.sum(axis=0) for name, counts in result.tallies.items()}
            if definition.confirm is not None and not definition.confirm(totals, facts):
                notes[leg.link.name] = (
                    f"{leg.link.name} treats groups that are bad in all pixels of the frame by themselves; "
                    "which those are cannot be told from this window."
                )
            result = result.with_(tallies={})
        return result.with_(side_products=()) if result.side_products else result

    def _facts(self, index: int) -> Facts:
        """Find what the step has to know of the whole frame."""
        leg = self.legs[index]
        if leg.link.definition is None or leg.link.definition.survey is None:
            return Facts()
        return self._known(leg, self.legs[:index], lambda params: self._survey(index, params))

    def _known(self, leg: _Leg, before: Sequence[_Leg], ask: Callable[[Any], Facts]) -> Facts:
        """Give what a survey found after some legs; it is asked if that is not known."""
        params = leg.link.params
        assert params is not None
        key = (*self.key, *before, leg.link.name, *leg.link.files.values())
        return self.runner.surveys.get(key, params, ask)

    def _survey(self, index: int, params: Any) -> Facts:
        link, start = self.legs[index].link, self.start
        assert isinstance(start, Ramp)
        frame, tiles = frame_of(start), self.job.tiles
        asking = Asking(link, start.exposure, frame, params, tiles)
        if index == 0:
            return asking(Look.at(start))
        notes: dict[str, str] = {}
        asked: list[slice] = []

        def part(rows: slice, columns: slice = ALL) -> Ramp:
            state, found = self._through(index, (rows, columns))
            notes.update(found)
            asked.append(rows)
            assert isinstance(state, Ramp)
            return state

        if link.name not in ASK_FOR_FLAGS:
            return replace(asking(Look(start.exposure, frame, part)), note=" ".join(notes.values()))
        earlier = self._known(
            self.legs[index], (), lambda again: replace(asking, params=again).with_witnesses(start)
        )
        looked = earlier.rows
        seen = asking.of_rows(lambda y: part(slice(y, y + 1)), looked)
        if seen.agrees(earlier) and not notes and not (asked and self._clears_flags(index)):
            return seen
        looked = tuple(sorted({*looked, *spaced_rows(frame[0])}))
        seen = asking.of_rows(lambda y: part(slice(y, y + 1)), looked)
        note = f"{link.name}: which groups are bad in all pixels of the frame was told by {len(looked)} rows."
        return replace(seen, note=note)

    def _clears_flags(self, index: int) -> bool:
        """Whether the user clears flags of groups by hand before a leg."""
        names = {leg.link.name for leg in self.legs[:index]}
        return any(
            edit.action == "clear" and edit.groups is not None and edit.after in names
            for edit in self.job.edits
        )


def _without_products(params: StepParams) -> StepParams:
    """Parameters without those that ask for optional products, which some steps make of whole frames."""
    wanted = {
        name: type(params).model_fields[name].default if name != "save_masks" else False
        for name, value in params
        if value and (name.startswith("save_") or name == "dark_output")
    }
    return params.model_copy(update=wanted) if wanted else params


def _numbers(region: Region, frame: tuple[int, ...]) -> tuple[int, ...]:
    """Give a region as numbers, since slices have no hash."""
    return tuple(n for part, size in zip(region, frame, strict=True) for n in part.indices(size)[:2])


def _is_whole(region: Region, frame: tuple[int, ...]) -> bool:
    return all(is_all(part, size) for part, size in zip(region, frame, strict=True))


def _trimmed(state: State, region: Region, inner: Region, frame: tuple[int, ...]) -> State:
    """Cut an inner region, of the frame, out of the state of a region."""
    starts = [part.indices(size)[0] for part, size in zip(region, frame, strict=True)]
    bounds = [part.indices(size)[:2] for part, size in zip(inner, frame, strict=True)]
    rows, columns = (slice(a - s, b - s) for (a, b), s in zip(bounds, starts, strict=True))
    return cut_state(state, rows, columns)
