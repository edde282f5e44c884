"""What emicorr must know: when MIRI pixels are read, and the waves of electromagnetic interference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Exposure, Reference, as_whole_number
from jwcal_interactive.errors import ParameterError, ReferenceError, Skip
from jwcal_interactive.instruments import AMPLIFIERS, full_frame

__all__ = [
    "BAD_COLUMNS",
    "READPATTS",
    "Clocks",
    "Wave",
    "reference_tree",
    "waves_of",
    "waves_on_the_fly",
]

READPATTS = ("FAST", "FASTR1", "SLOW", "SLOWR1")
BAD_COLUMNS = (1, 2)
"""Quads of columns (read at the same time), counted from 0, whose signal follows the interference badly."""

CLOCK = 10.0e-6  # s, one pixel clock
# Of each detector row that is not read, and before the last column if it holds reference pixels.
_UNREAD_ROW_CLOCKS = 4 + 3.0
_REFERENCE_PIXEL_CLOCKS = 3

# Pixel clocks per row and per frame, for frequencies without a reference (those of the operational references).
_CASES: dict[str, tuple[int, int]] = {
    "BRIGHTSKY": (162, 86528),
    "FULL_FAST": (271, 277504),
    "FULL_SLOW": (2333, 2388992),
    "MASK1065": (82, 23968),
    "MASK1140": (82, 23968),
    "MASK1550": (82, 23968),
    "MASKLYOT": (90, 32400),
    "SLITLESSPRISM": (28, 15904),
    "SUB128": (44, 11904),
    "SUB256": (96, 29952),
    "SUB64": (28, 8512),
}


@dataclass(frozen=True)
class Wave:
    """Interference at one frequency.

    Attributes
    ----------
    name : str
        As the reference calls it, e.g. ``Hz390``.
    frequency : float
        Hz.
    amplitudes : float64 (n,)
        One period of the wave, DN; empty if it is to be taken from the data.
    """

    name: str
    frequency: float
    amplitudes: NDArray[np.float64]

    @property
    def period(self) -> float:
        """Pixel clocks."""
        return (1.0 / self.frequency) / CLOCK


@dataclass(frozen=True)
class Clocks:
    """When pixels are read, in pixel clocks of 10 microseconds.

    Attributes
    ----------
    samples : int
        From a pixel to the next of its amplifier (NSAMPLES; if missing, 9 in slow and 1 in fast read patterns).
    row : float
        From a row to the next.
    group : float
        From a group to the next.
    frame : float
        Length of a frame (``frameclocks``).
    reset : float
        Between integrations: a frame in the read patterns that reset, else 0.
    last_column : float
        Further delay of the last column, if it holds reference pixels.
    quads : int
        Pixels of each amplifier in a row.
    """

    samples: int
    row: float
    group: float
    frame: float
    reset: float
    last_column: float
    quads: int

    @classmethod
    def of(cls, exposure: Exposure, row: float, frame: float) -> Clocks:
        """Derive them from the keywords of the exposure and the clocks of its row and frame."""
        slow = "SLOW" in exposure.readpatt.upper()
        last = exposure.xstart - 1 + exposure.xsize == full_frame("MIRI")[1]
        return cls(
            samples=max(as_whole_number(exposure.keyword("NSAMPLES")) or 0, 0) or (9 if slow else 1),
            row=row,
            group=exposure.ysize * row + (1024.0 - exposure.ysize) * _UNREAD_ROW_CLOCKS,
            frame=frame,
            reset=frame if exposure.readpatt.upper().endswith("R1") else 0.0,
            last_column=float(_REFERENCE_PIXEL_CLOCKS if last else 0),
            quads=exposure.xsize // AMPLIFIERS,
        )

    def starts(self, nints: int, ngroups: int) -> NDArray[np.float64]:
        """Clock of the first pixel of each group, (nints, ngroups)."""
        integration = ngroups * self.group + self.reset
        return np.arange(nints)[:, None] * integration + np.arange(ngroups) * self.group


def _case_name(exposure: Exposure) -> str:
    """Name under which references list the subarray: that of full frames tells the speed."""
    if "FULL" not in exposure.subarray:
        return exposure.subarray
    return f"{exposure.subarray}_{_speed(exposure)}"


def _speed(exposure: Exposure) -> str:
    return "SLOW" if "SLOW" in exposure.readpatt.upper() else "FAST"


def waves_on_the_fly(frequencies: tuple[float, ...], exposure: Exposure) -> tuple[Clocks, tuple[Wave, ...]]:
    """Clocks of the exposure and waves of given frequencies (Hz), whose shape is to be found.

    Raises
    ------
    ParameterError
        For a frequency that cannot be told apart.
    Skip
        If the clocks of the subarray are not known, or no frequency is given.
    """
    waves = tuple(Wave(repr(f), f, np.empty(0)) for f in frequencies)
    for wave in waves:
        if not (wave.frequency > 0 and wave.period >= 2):
            raise ParameterError(
                f"emicorr.onthefly_corr_freq: {wave.frequency:g} Hz is not allowed: frequencies must be "
                f"above 0 and at most {0.5 / CLOCK:g} Hz, half the rate of the pixels."
            )
    case = _CASES.get(_case_name(exposure))
    if case is None or not waves:
        raise Skip(
            "onthefly_corr_freq is empty" if case else f"the clocks of {_case_name(exposure)} are not known"
        )
    return Clocks.of(exposure, *case), waves


def waves_of(reference: Reference, exposure: Exposure) -> tuple[Clocks, tuple[Wave, ...]]:
    """Clocks and waves that a reference lists for the subarray, speed and (if slow) detector of an exposure.

    Raises
    ------
    ReferenceError
        If the reference is incomplete or a value is of no use.
    Skip
        If it lists nothing for this exposure.
    """
    frequencies = _branch(reference.tree, "frequencies", reference)
    case = _branch(reference.tree, "subarray_cases", reference).get(_case_name(exposure))
    case = case if isinstance(case, Mapping) else {}
    row, frame = case.get("rowclocks"), case.get("frameclocks")
    names = _get(_get(case, "freqs"), _speed(exposure))
    if _speed(exposure) == "SLOW":
        names = _get(names, exposure.detector)
    if row is None or frame is None or not _is_list(names) or not names:
        raise Skip(
            f"the emicorr reference {reference.name} lists no frequencies for {_case_name(exposure)}, "
            f"{_speed(exposure)}, {exposure.detector}"
        )
    of_case = f"subarray_cases.{_case_name(exposure)}"
    clocks = Clocks.of(
        exposure,
        _positive(row, f"{of_case}.rowclocks", reference),
        _positive(frame, f"{of_case}.frameclocks", reference),
    )
    return clocks, tuple(_wave(str(name), frequencies, reference) for name in names)


def _is_list(node: Any) -> bool:
    return isinstance(node, Sequence) and not isinstance(node, str)


def _get(node: Any, key: str) -> Any:
    return node.get(key) if isinstance(node, Mapping) else None


def reference_tree(waves: tuple[Wave, ...], clocks: Clocks, exposure: Exposure) -> dict[str, Any]:
    """Tree of a reference file with waves that were measured in an exposure, to be used for others like it.

    It lists them under the names that are looked up when it is used; the official pipeline writes names that
    it does not find again for full frames and for the read patterns FASTR1 and SLOWR1.
    """
    names: Any = [wave.name for wave in waves]
    if _speed(exposure) == "SLOW":
        names = {exposure.detector: names}
    date, time = exposure.keyword("DATE-OBS") or "2022-01-01", exposure.keyword("TIME-OBS") or "00:00:00"
    return {
        "meta": {
            "author": "jwcal_interactive",
            "description": f"Waves of electromagnetic interference measured in {exposure.filename}",
            "instrument": {"name": exposure.instrument},
            "model_type": "EmiModel",
            "pedigree": "GROUND",
            "reftype": "emicorr",
            "telescope": "JWST",
            "useafter": f"{date}T{time}"[:19],
        },
        "frequencies": {
            wave.name: {"frequency": wave.frequency, "phase_amplitudes": wave.amplitudes} for wave in waves
        },
        "subarray_cases": {
            _case_name(exposure): {
                "rowclocks": clocks.row,
                "frameclocks": clocks.frame,
                "freqs": {_speed(exposure): names},
            }
        },
    }


def _branch(tree: Mapping[str, Any], name: str, reference: Reference) -> Mapping[str, Any]:
    branch = tree.get(name)
    if not isinstance(branch, Mapping):
        raise ReferenceError(
            f"emicorr reference {reference.name}: has no mapping {name!r} (found: "
            f"{', '.join(tree) or 'nothing'}). Give an ASDF file in the format of this type."
        )
    return branch


def _positive(value: Any, name: str, reference: Reference) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and np.isfinite(value) and value > 0):
        raise ReferenceError(
            f"emicorr reference {reference.name}: {name} is {value!r}; it must be a number above 0."
        )
    return float(value)


def _wave(name: str, frequencies: Mapping[str, Any], reference: Reference) -> Wave:
    entry = frequencies.get(name)
    if not isinstance(entry, Mapping):
        raise ReferenceError(
            f"emicorr reference {reference.name}: the subarray asks for the frequency {name}, which is not "
            f"among those listed ({', '.join(frequencies)})."
        )
    frequency = _positive(entry.get("frequency"), f"frequencies.{name}.frequency", reference)
    try:
        amplitudes = np.array(entry.get("phase_amplitudes"), np.float64)
    except (TypeError, ValueError):
        amplitudes = np.empty(0)
    if amplitudes.ndim != 1 or amplitudes.size < 2 or not np.isfinite(amplitudes).all():
        raise ReferenceError(
            f"emicorr reference {reference.name}: frequencies.{name}.phase_amplitudes must be a list of two "
            "or more finite numbers, one period of the wave."
        )
    return Wave(name, frequency, amplitudes)
