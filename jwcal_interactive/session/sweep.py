"""A parameter over a range of values, on a window of the detector: what depends on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ParameterError
from jwcal_interactive.session.preview import Preview, Window, flagged_groups, median, rate_numbers, usable
from jwcal_interactive.session.tables import html_table, text_table

if TYPE_CHECKING:
    from jwcal_interactive.session.session import Session

__all__ = ["Sweep", "SweepRow", "Truth", "sweep", "truth_beside"]

# Size of the hits that ought to be found, in sigma of one difference of groups.
_CLEAR = 6.0


@dataclass(frozen=True)
class SweepRow:
    """What came of one value.

    Attributes
    ----------
    value : object
        Of the parameter.
    groups : dict of str to int
        Groups with each flag, in the ramps before the fit.
    slope, spread, error : float
        Median slope of the usable pixels of the window, its spread (1.4826 times the median absolute deviation)
        and the median of the errors, DN/s; NaN without slopes.
    pixels : int
        Usable pixels.
    seconds : float
        Time that it took, s.
    exact : bool
        Whether a run on the whole frame gives the same, see `Preview`.
    bias : float or None
        Median difference of slope and truth, DN/s; ``None`` without a truth.
    false_jumps : int or None
        Good groups with JUMP_DET where no particle had hit the pixel or one beside it in that integration.
    missed_jumps, hits : int or None
        Of the hits of more than 6 sigma of a difference, in good groups, those without JUMP_DET, and all.
    """

    value: Any
    groups: dict[str, int]
    slope: float
    spread: float
    error: float
    pixels: int
    seconds: float
    exact: bool
    bias: float | None = None
    false_jumps: int | None = None
    missed_jumps: int | None = None
    hits: int | None = None


@dataclass(frozen=True)
class Sweep:
    """A parameter of a step at several values, on a window; shown as a table.

    Attributes
    ----------
    step, name, unit : str
        Parameter, and its unit.
    window : Window
    rows : tuple of SweepRow
        One for each value, in the order given.
    notes : tuple of str
        Where a run on the whole frame may give something else, and why.
    """

    step: str
    name: str
    unit: str
    window: Window
    rows: tuple[SweepRow, ...]
    notes: tuple[str, ...]

    @property
    def has_truth(self) -> bool:
        """Whether it was compared with what the simulator put in."""
        return any(row.bias is not None for row in self.rows)

    @property
    def flags(self) -> tuple[str, ...]:
        """Names of the flags that are counted in any row."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.groups))

    def __repr__(self) -> str:
        return "\n".join([text_table(*self._table()), *(f"note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        return html_table(*self._table())

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        unit = f" / {self.unit}" if self.unit else ""
        head = (f"{self.name}{unit}", *self.flags, "slope / DN/s", "spread / DN/s", "error / DN/s")
        if self.has_truth:
            head = (*head, "bias / DN/s", "false jumps", "missed jumps")
        return head, [self._cells(row) for row in self.rows]

    def _cells(self, row: SweepRow) -> tuple[str, ...]:
        numbers = (f"{number:.6g}" for number in (row.slope, row.spread, row.error))
        cells = (str(row.value), *(str(row.groups.get(name, 0)) for name in self.flags), *numbers)
        if not self.has_truth:
            return cells
        return (*cells, f"{row.bias:.6g}", str(row.false_jumps), f"{row.missed_jumps} of {row.hits}")


@dataclass(frozen=True, eq=False)
class Truth:
    """What a simulated exposure holds, in a window.

    Attributes
    ----------
    slope : float32 (ny, nx)
        DN/s.
    hits : float32 (nints, ngroups, ny, nx)
        What particles add to the difference of each group to the one before, linear DN.
    sigma : float64 (ny, nx)
        Noise of one difference, linear DN.
    """

    slope: NDArray[np.float32]
    hits: NDArray[np.float32]
    sigma: NDArray[np.float64]

    @classmethod
    def read(cls, path: str | Path, window: Window, session: Session) -> Truth:
        """Read the truth of a window from a file of the simulator.

        Raises
        ------
        InputError
            If the file is missing, or not the truth of this exposure.
        """
        from jwcal_interactive.simulate.truth import read_truth

        exposure, region = session.exposure, window.region
        try:
            slope, found = read_truth(path)
            if slope.shape != (exposure.ysize, exposure.xsize):
                raise ValueError(f"its frame is {slope.shape}")
            hits = np.zeros((exposure.nints, exposure.ngroups, *slope.shape), np.float32)
            place = np.stack((found.integration, found.first_difference, found.y, found.x))
            seen = place[1] < exposure.ngroups
            np.add.at(hits, tuple(place[:, seen]), found.amplitude[seen])
        except (OSError, KeyError, IndexError, ValueError) as error:
            raise InputError(
                f"truth {path}: not the truth of {exposure.filename} ({type(error).__name__}: {error}). Give "
                "the file *_truth.fits that the simulator wrote beside the exposure."
            ) from error
        hits[:, 0] = 0  # those change no difference
        slope, hits = slope[region], np.ascontiguousarray(hits[..., *region])
        refs = session.load_references("jump")
        gain, readnoise = refs["gain"], refs["readnoise"]
        if gain is None or readnoise is None:
            raise InputError("a sweep against the truth needs the references gain and readnoise of jump.")
        with np.errstate(invalid="ignore", divide="ignore"):
            photons = np.maximum(slope, 0).astype(np.float64) * exposure.group_time / gain.data[region]
            sigma = np.sqrt(photons + readnoise.data[region].astype(np.float64) ** 2 / exposure.nframes)
        return cls(slope, hits, sigma)

    def good(self, ramp: Ramp) -> NDArray[np.bool_]:
        """Tell the differences of usable groups, (nints, ngroups, ny, nx)."""
        bad = (ramp.groupdq & np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)) != 0
        bad[:, 1:] |= bad[:, :-1].copy()
        bad[:, 0] = True
        bad |= (ramp.pixeldq & np.uint32(DQ.DO_NOT_USE | DQ.REFERENCE_PIXEL)) != 0
        good: NDArray[np.bool_] = ~bad & np.isfinite(self.sigma)
        return good

    def clear(self, ramp: Ramp) -> NDArray[np.bool_]:
        """Tell the hits that ought to be found, (nints, ngroups, ny, nx)."""
        clear: NDArray[np.bool_] = self.good(ramp) & (self.hits > _CLEAR * self.sigma)
        return clear

    def missed(self, ramp: Ramp) -> int:
        """Count the hits that ought to be found and have no JUMP_DET."""
        return int(np.count_nonzero(self.clear(ramp) & (ramp.groupdq & np.uint8(DQ.JUMP_DET) == 0)))

    def false(self, ramp: Ramp) -> int:
        """Count the groups with JUMP_DET that no hit of the pixel, or of one beside it, came before."""
        touched = np.logical_or.accumulate(self.hits > 0, axis=1)
        near = touched.copy()
        near[..., 1:, :] |= touched[..., :-1, :]
        near[..., :-1, :] |= touched[..., 1:, :]
        near[..., 1:] |= touched[..., :-1]
        near[..., :-1] |= touched[..., 1:]
        flagged = (ramp.groupdq & np.uint8(DQ.JUMP_DET)) != 0
        return int(np.count_nonzero(flagged & self.good(ramp) & ~near))


def truth_beside(path: Path) -> Path | None:
    """Find the file with the truth of a simulated exposure, beside it."""
    root = path.name.removesuffix(".gz").removesuffix(".fits").removesuffix("_uncal")
    beside = path.with_name(f"{root}_truth.fits")
    return beside if beside.is_file() else None


def sweep(
    session: Session,
    step: str,
    name: str,
    values: Sequence[Any],
    window: Window,
    truth: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> Sweep:
    """Preview several values of a parameter, from its step to the end of the pipeline (`Session.sweep`).

    Parameters
    ----------
    session : Session
    step, name : str
        Parameter.
    values : sequence
    window : Window
    truth : str or Path, optional
        File of the simulator with the truth of the exposure, see `truth_beside`.
    progress : callable, optional
        Told how many values are done, of how many.
    cancel : threading.Event, optional
        Set it from another thread to stop.

    Raises
    ------
    ParameterError
        If a value is not allowed; before the first is tried.
    InputError
        If the window is not in the frame, or the truth is not that of the exposure.
    JwcalError
        If a step fails.
    Cancelled
        If `cancel` was set.
    """
    tried = _checked(session, step, name, values)
    known = None if truth is None else Truth.read(truth, window, session)
    rows: list[SweepRow] = []
    notes: dict[str, None] = {}
    for number, value in enumerate(tried):
        if progress is not None:
            progress(number, len(tried))
        made = session.preview(window, step, {name: value}, cancel=cancel)
        notes |= dict.fromkeys(made.notes)
        rows.append(_row(value, made, known))
    if progress is not None:
        progress(len(tried), len(tried))
    unit = session.params(step).info(name).unit
    return Sweep(step, name, unit, window, tuple(rows), tuple(notes))


def _checked(session: Session, step: str, name: str, values: Sequence[Any]) -> list[Any]:
    """Give the values as the step gets them; all are checked before the first is tried."""
    if not values:
        raise ParameterError(f"sweep of {step}.{name}: there are no values. Give at least one.")
    params = session.params(step)
    present = params.model_dump()
    return [getattr(type(params).build(step, {**present, name: value}), name) for value in values]


def _row(value: Any, made: Preview, truth: Truth | None) -> SweepRow:
    rates, ramp = made.rates, made.ramp
    slope, spread, error = rate_numbers(rates) if rates else (nan, nan, nan)
    against: dict[str, Any] = {}
    if truth is not None:
        good = usable(rates) if rates else np.zeros(truth.slope.shape, np.bool_)
        against["bias"] = median((rates.rate.data - truth.slope)[good]) if rates else nan
        if ramp is not None:
            against["hits"] = int(np.count_nonzero(truth.clear(ramp)))
            against["missed_jumps"], against["false_jumps"] = truth.missed(ramp), truth.false(ramp)
    return SweepRow(
        value=value,
        groups=flagged_groups(ramp) if ramp else {},
        slope=slope,
        spread=spread,
        error=error,
        pixels=int(np.count_nonzero(usable(rates))) if rates else 0,
        seconds=made.seconds,
        exact=made.exact,
        **against,
    )
