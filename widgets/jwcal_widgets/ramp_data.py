"""What a session knows of the ramp of one pixel: groups, fit, limits of jump, saturation level, gain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, Reference, References, State
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import Look
from jwcal_interactive.steps.jump_limits import JumpLimits, jump_limits
from jwcal_interactive.steps.jump_params import JumpParams
from jwcal_interactive.steps.jump_survey import Survey, survey
from jwcal_interactive.steps.ramp_fit import RampFitParams, find_groups
from jwcal_interactive.steps.ramp_segments import Segment, ramp_segments
from jwcal_interactive.tiles import Tiles
from jwcal_widgets.frame_rows import row_in_frame
from jwcal_widgets.results import INPUT, steps_with_result

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["Pixel", "RampData"]

T = TypeVar("T")


@dataclass(frozen=True)
class Pixel:
    """A pixel of a frame that is so many rows high, from 0."""

    x: int
    y: int
    rows: int


class _Facts(Generic[T]):
    """What was found about whole frames, for as long as they are in memory."""

    def __init__(self) -> None:
        self._found: WeakKeyDictionary[Ramp, tuple[StepParams, T]] = WeakKeyDictionary()

    def get(self, ramp: Ramp, p: StepParams, find: Callable[[], T]) -> T:
        found = self._found.get(ramp)
        if found is None or found[0] != p:
            found = self._found[ramp] = (p, find())
        return found[1]


class RampData:
    """Looks up pixels in the results of a session.

    Parameters
    ----------
    session : Session

    Attributes
    ----------
    steps : list of str
        ``input`` and the steps that changed ramps, in order.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.steps = [INPUT]
        self._fit_step = ""
        self._rescaling: list[str] = []
        self._looking = False
        self._seen: dict[tuple[str, str | None], State | None] = {}
        self._groups: _Facts[tuple[int, int] | None] = _Facts()
        self._facts: _Facts[Survey | str] = _Facts()

    def refresh(self) -> None:
        """Look at the session again."""
        self.steps = steps_with_result(self._session, Ramp)
        self._fit_step, *self._rescaling = steps_with_result(self._session, Rates, GuiderSlopes) or [""]

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """Ask the session for each state only once, within this context; none is held beyond it."""
        self._looking = True
        try:
            yield
        finally:
            self._looking = False
            self._seen.clear()

    def row(self, pixel: Pixel, rows: int) -> int | None:
        """Row of a pixel in a frame that is so many rows high; None if it is not there."""
        return row_in_frame(self._session.exposure, pixel.y, pixel.rows, rows)

    def rates(self, at: str | None = None) -> tuple[str, Rates | GuiderSlopes | None]:
        """Return the rates as fitted, before later steps rescale them, and the step that fitted them."""
        for step in (self._fit_step,) if self._fit_step else self._session.steps:
            state = self._kept(step, at)
            if isinstance(state, Rates | GuiderSlopes):
                return step, state
        return INPUT, None

    @property
    def rescaled_by(self) -> tuple[str, ...]:
        """Steps that changed the rates after they were fitted."""
        return tuple(self._rescaling)

    def ramp(self, step: str, at: str | None = None) -> Ramp | None:
        """Ramps after a step, or what that step handed on, if they are in memory."""
        state = self._kept(step, at)
        return state if isinstance(state, Ramp) else None

    def segments(self, integration: int, pixel: Pixel, at: str | None = None) -> tuple[Segment, ...]:
        """Lines that ramp_fit fits to one pixel (integrations from 1); none if it was fitted otherwise.

        The fit is made again for this pixel, from the last ramps; those of another branch only if its fit uses
        the same references.
        """
        ramp = self.ramp(self._last_ramp(at), at)
        y = None if ramp is None else self.row(pixel, ramp.data.shape[2])
        if ramp is None or y is None or "ramp_fit" not in self._session.steps:
            return ()
        if at is not None and self._session.references("ramp_fit", at=at) != self._session.references(
            "ramp_fit"
        ):
            return ()
        p = self._session.params("ramp_fit", at=at)
        assert isinstance(p, RampFitParams)
        refs = self._session.load_references("ramp_fit")
        groups = self._groups.get(ramp, p, lambda: _groups_of(ramp, refs, p))
        return () if groups is None else ramp_segments(ramp, refs, p, integration - 1, y, pixel.x, groups)

    def groups(self, p: RampFitParams) -> tuple[int, int] | None:
        """Half-open range of the groups that ramps are made of (`find_groups`); None without a fit."""
        ramp = self.ramp(self.steps[-1])
        if ramp is None:
            return None
        refs = self._session.load_references("ramp_fit")
        return self._groups.get(ramp, p, lambda: _groups_of(ramp, refs, p))

    def _last_ramp(self, at: str | None) -> str:
        """Step that left the ramps which are fitted."""
        if at is None:
            return self.steps[-1]
        order = [INPUT, *self._session.steps]
        return next((s for s in reversed(order) if isinstance(self._kept(s, at), Ramp)), INPUT)

    def gain(self, pixel: Pixel) -> float:
        """Gain, electron/DN; NaN if there is no gain reference, or none for this pixel."""
        gain = self._at(self._reference("gain"), pixel)
        return gain if gain > 0 else math.nan

    def noise(self, pixel: Pixel) -> float:
        """Read noise of one group, DN: that of correlated double sampling by ``sqrt(2 NFRAMES)``."""
        cds = self._at(self._reference("readnoise"), pixel)
        return cds / math.sqrt(2 * self._session.exposure.nframes)

    def saturation(self, pixel: Pixel) -> float:
        """Saturation level of the reference, DN; NaN until saturation has run, and where there is none."""
        if "saturation" not in self._session.steps or not self._session.references("saturation"):
            return math.nan
        reference = self._session.load_references("saturation").get("saturation")
        if reference is not None and reference.dq is not None:
            y = self.row(pixel, reference.dq.shape[-2])
            if y is not None and int(reference.dq[y, pixel.x]) & DQ.NO_SAT_CHECK:
                return math.nan
        return self._at(reference, pixel)

    def counts_to_saturation(self, step: str, integration: int, pixel: Pixel) -> bool:
        """Whether the values after a step are those that saturation compares with its level."""
        return self._same_values(step, self._before("saturation"), integration, pixel)

    def counts_to_jump(self, step: str, integration: int, pixel: Pixel) -> bool:
        """Whether the values after a step are those in which jump looks for jumps."""
        return self._same_values(step, self._before("jump"), integration, pixel)

    def _before(self, step: str) -> str:
        """Step that left the ramps which another one starts from; empty if there are none."""
        order = [INPUT, *self._session.steps]
        before = order[: order.index(step)] if step in order else []
        return next((s for s in reversed(self.steps) if s in before), "")

    def _same_values(self, step: str, other: str, integration: int, pixel: Pixel) -> bool:
        a, b = (self._values(s, integration, pixel) for s in (step, other))
        return a is not None and b is not None and np.array_equal(a, b, equal_nan=True)

    def limits(self, pixel: Pixel) -> JumpLimits | str:
        """Limits of jump with the present settings, or why there are none."""
        if "jump" not in self._session.steps:
            return "this pipeline does not look for jumps"
        p = self._session.params("jump")
        assert isinstance(p, JumpParams)
        if p.skip:
            return "jump is off"
        ramp = self.ramp(self._before("jump"))
        y = None if ramp is None else self.row(pixel, ramp.data.shape[2])
        if ramp is None or y is None:
            return "what jump starts from is not in memory: run again"
        refs = self._session.load_references("jump")
        for reftype in ("gain", "readnoise"):
            reference = refs.get(reftype)
            if reference is None or reference.data.shape != ramp.data.shape[-2:]:
                return f"no {reftype} reference for what jump would start from"
        facts = self._facts.get(ramp, p, lambda: _facts_of(ramp, p))
        return facts if isinstance(facts, str) else jump_limits(ramp, refs, p, y, pixel.x, facts)

    def _values(self, step: str, integration: int, pixel: Pixel) -> Any:
        ramp = self.ramp(step) if step else None
        y = None if ramp is None else self.row(pixel, ramp.data.shape[2])
        return None if ramp is None or y is None else ramp.data[integration - 1, :, y, pixel.x]

    def _kept(self, step: str, at: str | None) -> State | None:
        if (step, at) not in self._seen:
            found = self._session.kept(step) if at is None else self._session.result(step, at=at)
            if not self._looking:
                return found
            self._seen[step, at] = found
        return self._seen[step, at]

    def _reference(self, reftype: str) -> Reference | None:
        """Load the reference that the last step which uses a type has with the present settings."""
        for step in reversed(self._session.steps):
            if reftype in self._session.definition(step).references:
                return self._session.load_references(step).get(reftype)
        return None

    def _at(self, reference: Reference | None, pixel: Pixel) -> float:
        if reference is None:
            return math.nan
        y = self.row(pixel, reference.data.shape[-2])
        return math.nan if y is None else float(reference.data[y, pixel.x])


def _groups_of(ramp: Ramp, refs: References, p: RampFitParams) -> tuple[int, int] | None:
    try:
        return find_groups(Look.at(ramp), refs, p, Tiles(threads=1))
    except Skip:
        return None


def _facts_of(ramp: Ramp, p: JumpParams) -> Survey | str:
    try:
        return survey(ramp.groupdq, lambda: None, ramp.exposure.group_time, p)
    except Skip as why:
        return str(why)
