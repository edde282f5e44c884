"""What other values of parameters would do, on a window of the detector: fast enough to follow a slider."""

from __future__ import annotations

import operator
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Ramp, Rates, State
from jwcal_interactive.cutouts import cut_state, frame_of
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.session.windowed import Job, Region, WindowRunner
from jwcal_interactive.tiles import Tiles

if TYPE_CHECKING:
    from jwcal_interactive.session.running import Run
    from jwcal_interactive.session.session import Session

__all__ = ["LARGEST_WINDOW", "Change", "Counters", "Preview", "Window", "preview"]

LARGEST_WINDOW = 256
"""Pixels that a window may have on a side."""

# Kinds of groups that are counted.
_COUNTED = (DQ.JUMP_DET, DQ.SATURATED, DQ.DO_NOT_USE, DQ.CHARGELOSS, DQ.PERSISTENCE)


@dataclass(frozen=True, order=True)
class Window:
    """A part of the detector, in array coordinates of the frame: columns x0 to x1 - 1 and rows y0 to y1 - 1.

    Raises
    ------
    InputError
        If it is empty, begins before 0, or has more than 256 pixels on a side.
    """

    x0: int
    y0: int
    x1: int
    y1: int

    def __post_init__(self) -> None:
        for axis, low, high in (("x", self.x0, self.x1), ("y", self.y0, self.y1)):
            if not 0 <= low < high:
                raise InputError(
                    f"window: {axis}0 = {low}, {axis}1 = {high}: it must be 0 <= {axis}0 < {axis}1, in "
                    "pixels counted from 0, the last excluded."
                )
            if high - low > LARGEST_WINDOW:
                raise InputError(
                    f"window: {axis}1 - {axis}0 = {high - low} pixels: at most {LARGEST_WINDOW} are previewed. "
                    "Choose a smaller window, or run the step to see the whole frame."
                )

    @classmethod
    def of(cls, window: Window | Sequence[int]) -> Window:
        """Give the window itself, or that of ``(x0, y0, x1, y1)``.

        Raises
        ------
        InputError
            If it is neither.
        """
        if isinstance(window, cls):
            return window
        try:
            x0, y0, x1, y1 = (operator.index(number) for number in window)  # type: ignore[union-attr]
        except (TypeError, ValueError):
            raise InputError(
                f"window: {window!r} is not possible: give (x0, y0, x1, y1), whole pixels from 0, the "
                "last ones excluded."
            ) from None
        return cls(x0, y0, x1, y1)

    @classmethod
    def around(cls, x: int, y: int, size: int, frame: tuple[int, ...]) -> Window:
        """Window of a size (pixels on a side) about a pixel, moved to lie in the frame (ny, nx)."""
        ny, nx = frame[-2:]
        x0, y0 = (max(min(c - size // 2, n - size), 0) for c, n in ((x, nx), (y, ny)))
        return cls(x0, y0, min(x0 + size, nx), min(y0 + size, ny))

    @property
    def region(self) -> Region:
        """Rows and columns."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, pixels."""
        return self.y1 - self.y0, self.x1 - self.x0


class Change(NamedTuple):
    """A number in the results in memory, and in the preview; ``None`` without a result to compare with."""

    before: float | None
    after: float


@dataclass(frozen=True)
class Counters:
    """What a preview changes, in the pixels of the window.

    Attributes
    ----------
    groups : mapping of str to Change
        Groups that have a flag, by its name, in the ramps before the fit (or the last ones).
    slope : Change or None
        Median slope of the usable pixels, DN/s; ``None`` without slopes.
    spread : Change or None
        Their spread, DN/s: 1.4826 times the median absolute deviation, which of a Gaussian is its standard
        deviation. Sources count like noise.
    error : Change or None
        Median of the errors of the slopes, DN/s.
    pixels_changed : int or None
        Pixels whose slope or flags differ (whose ramp differs, if there is no slope); ``None`` without a result
        to compare with.
    """

    groups: Mapping[str, Change]
    slope: Change | None
    spread: Change | None
    error: Change | None
    pixels_changed: int | None


@dataclass(frozen=True, eq=False, repr=False)
class Preview:
    """Results of steps on a window.

    Attributes
    ----------
    window : Window
    step : str
        The step whose parameters were tried.
    values : mapping
        Those that differ from the present settings.
    states : mapping of str to State
        After each step, from ``step`` to the last one; arrays have the rows and columns of the window. States
        whose frames hold interleaved reference pixels (READPATT with IRS2, before refpix) are left out.
    before : State or None
        The state before ``step``, likewise.
    seconds : float
        Time that it took, s.
    exact : bool
        Whether a run on the whole frame gives the same in the window, bit for bit.
    notes : tuple of str
        Where not, and why.
    """

    window: Window
    step: str
    values: Mapping[str, Any]
    states: Mapping[str, State]
    before: State | None
    seconds: float
    exact: bool
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Tell what was tried and where, without the arrays."""
        values = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        exact = "exact" if self.exact else f"approximate: {'; '.join(self.notes)}"
        states = ", ".join(self.states)
        return f"<Preview of {self.step}({values}) in {self.window}: states after {states}; {exact}>"

    @property
    def ramp(self) -> Ramp | None:
        """The last ramps on the way."""
        ramps = [state for state in (self.before, *self.states.values()) if isinstance(state, Ramp)]
        return ramps[-1] if ramps else None

    @property
    def rates(self) -> Rates | None:
        """The slopes, if the steps lead to them."""
        rates = [state for state in self.states.values() if isinstance(state, Rates)]
        return rates[-1] if rates else None

    def _last(self, kind: type[State]) -> str:
        """Name the last step that gives a state of a kind; empty if none does."""
        return next((s for s in reversed(list(self.states)) if isinstance(self.states[s], kind)), "")

    def counters(self, session: Session) -> Counters:
        """Compare with the results that the session has in memory, of the last run."""
        ramp_step, rates_step = self._last(Ramp), self._last(Rates)
        old = {
            step: cut_state(state, *self.window.region)
            for step in (ramp_step, rates_step)
            if step and (state := session.kept(step)) is not None
        }
        slope, spread, error = _numbers(old.get(rates_step), self.rates)
        return Counters(
            groups=_groups(old.get(ramp_step), self.ramp),
            slope=slope,
            spread=spread,
            error=error,
            pixels_changed=_changed_pixels(old.get(rates_step or ramp_step), self.rates or self.ramp),
        )


def preview(
    runner: WindowRunner,
    run: Run,
    window: Window | Sequence[int],
    step: str,
    values: Mapping[str, Any] | None,
    last: str,
    tiles: Tiles,
) -> Preview:
    """Run from a step to the last one on a window (`Session.preview`).

    It begins with the last state before the step that is in memory for the present settings.

    Parameters
    ----------
    runner : WindowRunner
    run : Run
        What a run with the present settings needs.
    window : Window
    step : str
    values : mapping or None
        Parameters of the step, on top of the present settings.
    last : str
        Last step to run (`Session.preview`: by default the last of the pipeline).
    tiles : Tiles
        Threads and cancellation.

    Raises
    ------
    InputError
        If the window is not in the frame, or frames hold interleaved reference pixels after the last step.
    ParameterError
        If a value is not allowed, or the last step comes before the first.
    JwcalError
        If a step fails.
    Cancelled
        If the user stopped it.
    """
    start, window = time.perf_counter(), Window.of(window)
    first, end = run.steps.index(step), run.steps.index(last) + 1
    if end <= first:
        raise ParameterError(f"preview: last = {last} comes before the step {step}.")
    _check_inside(window, runner.book.exposure)
    begin, key, before = _latest(run, first)
    params = {**run.params}
    if values:
        model = params[step]
        params[step] = type(model).build(step, {**model.model_dump(), **values})
    job = Job(
        steps=run.steps[begin:end],
        before=before,
        key=key,
        params=params,
        settings=run.settings,
        window=window.region,
        wanted=first - begin,
        tiles=tiles,
    )
    own, states, notes = runner.run(job)
    return Preview(
        window=window,
        step=step,
        values=dict(values or {}),
        states=states,
        before=own,
        seconds=time.perf_counter() - start,
        exact=not notes,
        notes=notes,
    )


def _latest(run: Run, first: int) -> tuple[int, str, State]:
    """Index of the step to begin with, the last one up to ``first`` whose input is in memory; key and input."""
    for index in range(first, 0, -1):
        key = run.keys[run.steps[index - 1]].final
        if (state := run.cache.get(key)) is not None:
            return index, key, state
    return 0, "", run.source


def _check_inside(window: Window, exposure: Exposure) -> None:
    if window.x1 > exposure.xsize or window.y1 > exposure.ysize:
        raise InputError(
            f"window: x1 = {window.x1}, y1 = {window.y1}: the frame of {exposure.filename} has "
            f"{exposure.xsize} columns and {exposure.ysize} rows."
        )


# --- counting ------------------------------------------------------------------------------------------------


def flagged_groups(ramp: Ramp) -> dict[str, int]:
    """Count the groups with each flag that some group has, by its name."""
    counts = {f.name or "": int(np.count_nonzero(ramp.groupdq & np.uint8(f))) for f in _COUNTED}
    return {name: count for name, count in counts.items() if count}


def usable(rates: Rates) -> NDArray[np.bool_]:
    """Tell the pixels whose slope is a number that may be used, (ny, nx)."""
    good: NDArray[np.bool_] = np.isfinite(rates.rate.data)
    good &= rates.rate.dq & np.uint32(DQ.DO_NOT_USE | DQ.REFERENCE_PIXEL) == 0
    return good


def rate_numbers(rates: Rates) -> tuple[float, float, float]:
    """Median slope of the usable pixels, its spread and the median error, DN/s (see `Counters`)."""
    good = usable(rates)
    slopes = rates.rate.data[good]
    middle = median(slopes)
    return middle, 1.4826 * median(np.abs(slopes - np.float32(middle))), median(rates.rate.err[good])


def median(values: NDArray[np.float32]) -> float:
    """Median; NaN if there are no values."""
    return float(np.median(values)) if values.size else float("nan")


def _groups(old: State | None, new: Ramp | None) -> dict[str, Change]:
    if new is None:
        return {}
    before = flagged_groups(old) if isinstance(old, Ramp) else None
    after = flagged_groups(new)
    names = [f.name for f in _COUNTED if f.name in after or f.name in (before or {})]
    return {n: Change(None if before is None else before.get(n, 0), after.get(n, 0)) for n in names if n}


def _numbers(old: State | None, new: Rates | None) -> tuple[Change | None, ...]:
    if new is None:
        return None, None, None
    before = rate_numbers(old) if isinstance(old, Rates) else (None, None, None)
    return tuple(Change(was, now) for was, now in zip(before, rate_numbers(new), strict=True))


def _changed_pixels(old: State | None, new: State | None) -> int | None:
    pairs: tuple[tuple[NDArray[Any], NDArray[Any]], ...]
    if isinstance(old, Rates) and isinstance(new, Rates):
        pairs = ((old.rate.data, new.rate.data), (old.rate.dq, new.rate.dq), (old.rateints.dq, new.rateints.dq))
    elif isinstance(old, Ramp) and isinstance(new, Ramp):
        pairs = ((old.data, new.data), (old.groupdq, new.groupdq), (old.pixeldq, new.pixeldq))
    else:
        return None
    changed = np.zeros(frame_of(new), np.bool_)
    for one, other in pairs:
        differs = (one != other) & ~((one != one) & (other != other))  # NaN in both is no difference
        changed |= differs.reshape(-1, *changed.shape).any(axis=0)
    return int(np.count_nonzero(changed))
