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

from jwcal_interactive.arrays import Ramp, Rates, References
from jwcal_interactive.checks.fit_quality import fit_quality
from jwcal_interactive.cutouts import cut_reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ParameterError, Skip
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
    chi_square : float or None
        Median reduced chi-square of the ramps about their slopes (see `fit_quality`); ``None`` without a fit.
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
    chi_square: float | None = None
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
    def has_fit(self) -> bool:
        """Whether the steps that were tried fit ramps, so that there is a chi-square."""
        return any(row.chi_square is not None for row in self.rows)

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
        if self.has_fit:
            head = (*head, "reduced chi-square")
        if self.has_truth:
            head = (*head, "bias / DN/s", "false jumps", "missed jumps")
        return head, [self._cells(row) for row in self.rows]

    def _cells(self, row: SweepRow) -> tuple[str, ...]:
        numbers = (f"{number:.6g}" for number in (row.slope, row.spread, row.error))
        cells = (str(row.value), *(str(row.groups.get(name, 0)) for name in self.flags), *numbers)
        if self.has_fit:
            cells = (*cells, "" if row.chi_square is None else f"{row.chi_square:.4g}")
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
    near : bool (nints, ngroups, ny, nx)
        Whether a particle has hit the pixel, or one beside it (in the window or not), in a difference so far.
    sigma : float64 (ny, nx)
        Noise of one difference, linear DN.
    """

    slope: NDArray[np.float32]
    hits: NDArray[np.float32]
    near: NDArray[np.bool_]
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
            # One pixel around the window is seen as well: the neighbours of a hit are flagged, too.
            (ny, nx), origin = window.shape, np.array([[0], [0], [window.y0 - 1], [window.x0 - 1]])
            hits = np.zeros((exposure.nints, exposure.ngroups, ny + 2, nx + 2), np.float32)
            place = np.stack((found.integration, found.first_difference, found.y, found.x)) - origin
            shape = np.array(hits.shape)[:, None]
            if (place[0] >= exposure.nints).any():
                raise ValueError(f"it has hits in integration {place[0].max() + 1}")
            seen = ((place >= 0) & (place < shape)).all(axis=0)
            np.add.at(hits, tuple(place[:, seen]), found.amplitude[seen])
        except (OSError, KeyError, IndexError, ValueError) as error:
            raise InputError(
                f"truth {path}: not the truth of {exposure.filename} ({type(error).__name__}: {error}). Give "
                "the file *_truth.fits that the simulator wrote beside the exposure."
            ) from error
        hits[:, 0] = 0  # those change no difference
        slope = slope[region]
        refs = session.load_references("jump")
        gain, readnoise = refs["gain"], refs["readnoise"]
        if gain is None or readnoise is None:
            raise InputError("a sweep against the truth needs the references gain and readnoise of jump.")
        with np.errstate(invalid="ignore", divide="ignore"):
            photons = np.maximum(slope, 0).astype(np.float64) * exposure.group_time / gain.data[region]
            sigma = np.sqrt(photons + readnoise.data[region].astype(np.float64) ** 2 / exposure.nframes)
        return cls(slope, np.ascontiguousarray(hits[..., 1:-1, 1:-1]), _touched(hits), sigma)

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
        flagged = (ramp.groupdq & np.uint8(DQ.JUMP_DET)) != 0
        return int(np.count_nonzero(flagged & self.good(ramp) & ~self.near))


def _touched(hits: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell the pixels that were hit so far, or one of whose four neighbours was; without the rim."""
    touched: NDArray[np.bool_] = np.logical_or.accumulate(hits > 0, axis=1)
    here, rows, columns = touched[..., 1:-1, 1:-1], touched[..., 1:-1], touched[..., 1:-1, :]
    near: NDArray[np.bool_] = here | rows[..., :-2, :] | rows[..., 2:, :] | columns[..., :-2] | columns[..., 2:]
    return near


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
    window: Window | Sequence[int],
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
    window : Window or (x0, y0, x1, y1)
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
    tried, window = _checked(session, step, name, values), Window.of(window)
    known = None if truth is None else Truth.read(truth, window, session)
    references = _fit_references(session, window)
    rows: list[SweepRow] = []
    notes: dict[str, None] = {}
    for number, value in enumerate(tried):
        if progress is not None:
            progress(number, len(tried))
        made = session.preview(window, step, {name: value}, cancel=cancel)
        notes |= dict.fromkeys(made.notes)
        rows.append(_row(value, made, known, references))
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


def _fit_references(session: Session, window: Window) -> References:
    """Cut the references of ramp_fit to the window; there are none where the pipeline does not fit."""
    if "ramp_fit" not in session.steps:
        return {}
    frame, whole = (session.exposure.ysize, session.exposure.xsize), session.load_references("ramp_fit")
    return {t: None if r is None else cut_reference(r, frame, *window.region) for t, r in whole.items()}


def _chi_square(made: Preview, references: References) -> float | None:
    ramp, fitted = made.ramp, made.states.get("ramp_fit")
    if ramp is None or not isinstance(fitted, Rates):
        return None
    try:
        found = fit_quality(ramp, fitted, references, slice(None))
    except Skip:  # without gain or readnoise
        return None
    return float(np.median(found.chi_square)) if found.chi_square.size else None


def _row(value: Any, made: Preview, truth: Truth | None, references: References) -> SweepRow:
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
        chi_square=_chi_square(made, references),
        **against,
    )
