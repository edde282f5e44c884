"""refpix: remove the drifts of the read-out electronics, which reference pixels show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Exposure, Ramp, Reference, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, Skip
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE, is_interleaved
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import Look, step
from jwcal_interactive.steps.irs2 import normal_pixels
from jwcal_interactive.steps.readout import DetectorFrame, refuse_unsupported
from jwcal_interactive.steps.refpix_irs2 import bad_reference_rows, correct_interleaved
from jwcal_interactive.steps.refpix_miri import InterlacedSignals, correct_miri, measure_miri
from jwcal_interactive.steps.refpix_pixels import ReferencePixels, gather_border, gather_flagged
from jwcal_interactive.steps.refpix_signals import (
    Measure,
    by_amplifier,
    in_interleaved,
    in_subarray,
    measure_groups,
)
from jwcal_interactive.steps.refpix_sirs import sirs_kernels, with_templates
from jwcal_interactive.tiles import Tiles

__all__ = ["RefPixParams", "refpix"]


class RefPixParams(StepParams):
    """Parameters of refpix, for all detectors and read-outs."""

    odd_even_columns: bool = param(
        True, help="Measure odd and even detector columns separately, since their offsets drift apart."
    )
    use_side_ref_pixels: bool = param(
        True,
        help="Correct each detector row by the reference pixels at its two ends, which follow the 1/f noise.",
    )
    side_smoothing_length: int = param(
        11,
        ge=1,
        le=2 * FULL_SIZE - 1,
        unit="pixel",
        slider=(1, 101),
        help="Rows in the running median of the side reference pixels; an even number is rounded up.",
    )
    side_gain: float = param(
        1.0,
        advanced=True,
        slider=(0.0, 2.0),
        help="Factor of the side reference signal before it is subtracted; 1 takes it as it is, less leaves "
        "some of it.",
    )
    odd_even_rows: bool = param(
        True, advanced=True, help="MIRI: measure odd and even rows separately, since their offsets drift apart."
    )
    ovr_corr_mitigation_ftr: float = param(
        3.0,
        advanced=True,
        gt=0,
        unit="sigma",
        slider=(1.0, 10.0),
        help="IRS2: replace interleaved reference pixels whose mean or scatter stands out from the others by "
        "more than this.",
    )
    preserve_irs2_refpix: bool = param(
        False,
        advanced=True,
        help="IRS2: keep the interleaved reference pixels (to make a superbias); no later step takes them.",
    )
    irs2_mean_subtraction: bool = param(
        False,
        advanced=True,
        help="IRS2: first subtract the mean of the reference rows at top and bottom of each output.",
    )
    refpix_algorithm: Literal["median", "sirs"] = param(
        "median",
        advanced=True,
        help="Near-infrared full frames: correct rows by running medians of the side reference pixels, or by "
        "convolving those with the kernels of the sirskernel reference.",
    )
    sigreject: float = param(
        4.0,
        advanced=True,
        gt=0,
        unit="sigma",
        slider=(1.0, 10.0),
        help="sirs: leave out values of side reference pixels that deviate by more than this.",
    )
    gaussmooth: float = param(
        1.0,
        advanced=True,
        gt=0,
        unit="pixel",
        slider=(0.1, 10.0),
        help="sirs: width of the Gaussian that smooths the kernels.",
    )
    halfwidth: int = param(
        30,
        advanced=True,
        ge=0,
        le=FULL_SIZE // 2 - 1,
        unit="pixel",
        slider=(1, 200),
        help="sirs: rows on each side of the middle that a kernel reaches.",
    )
    siglimit: float = param(
        3.0,
        advanced=True,
        gt=0,
        unit="sigma",
        slider=(1.0, 10.0),
        help="Reference pixels further than this from their mean do not count in it.",
    )


def _takes_sirs(exposure: Exposure, p: RefPixParams) -> bool:
    """Whether convolution with optimized kernels is asked for and possible."""
    full = "FULL" in exposure.subarray and "IRS2" not in exposure.readpatt and exposure.instrument != "MIRI"
    return full and p.refpix_algorithm == "sirs"


@dataclass(frozen=True, eq=False)
class _Signals:
    """What `measure_groups` measured, and how."""

    fast: NDArray[np.float64]
    slow: NDArray[np.float64]
    single: NDArray[np.bool_]

    def cut(self, frame: DetectorFrame, rows: slice, columns: slice) -> _Signals:
        """Cut out rows and columns of the science frame."""
        along_fast, along_slow = (columns, rows) if frame.fast_is_x else (rows, columns)
        fast, slow = self.fast[..., along_fast], self.slow[..., along_slow]
        return _Signals(np.ascontiguousarray(fast), np.ascontiguousarray(slow), self.single)


@dataclass(frozen=True, eq=False)
class Measured:
    """Signals of the reference pixels in all groups and in the zero frame."""

    frame: DetectorFrame
    exposure: Exposure  # of the whole frame
    groups: _Signals
    zeroframe: _Signals | None


def _reach(exposure: Exposure, _row: References, p: RefPixParams) -> int | None:
    """Signals of reference pixels are measured beforehand, or else whole frames are needed."""
    whole = "IRS2" in exposure.readpatt or _takes_sirs(exposure, p)
    return None if whole else 0


def _survey(look: Look, refs: References, p: RefPixParams, tiles: Tiles) -> Measured | InterlacedSignals | None:
    """Measure the signals of all groups and of the zero frame; ``None`` where they are not measured ahead."""
    exposure, (ny, nx) = look.exposure, look.frame
    if is_interleaved(look.frame):
        return None
    if exposure.instrument == "MIRI":
        return measure_miri(look, p.odd_even_rows, p.siglimit, tiles)
    frame = DetectorFrame.of(exposure)
    if max(exposure.xstart - 1 + nx, exposure.ystart - 1 + ny) > FULL_SIZE:
        raise Skip(f"the subarray does not fit in the {FULL_SIZE} x {FULL_SIZE} pixels of the detector")
    if not (min(ny, nx) == FULL_SIZE or exposure.noutputs == AMPLIFIERS):
        pixels = gather_flagged(look, tiles)
        use = np.zeros(look.frame, np.bool_)
        use.reshape(-1)[pixels.index] = True
        use &= pixels.pixeldq & np.uint32(DQ.DO_NOT_USE) == 0
        measure = in_subarray(use, frame, p.odd_even_columns, p.siglimit)
        return _measured(pixels, measure, frame, False, tiles)
    kernels = None
    if p.use_side_ref_pixels and _takes_sirs(exposure, p):
        kernels = sirs_kernels(refs.get("sirskernel"), exposure, p.gaussmooth, p.halfwidth)
    smoothing = p.side_smoothing_length if p.use_side_ref_pixels and kernels is None else None
    pixels = gather_border(look, tiles)
    measure = by_amplifier(pixels.pixeldq, frame, p.odd_even_columns, p.siglimit, smoothing, p.side_gain)
    if kernels is not None:
        measure = with_templates(measure, kernels, p.sigreject)
    return _measured(pixels, measure, frame, p.use_side_ref_pixels, tiles)


def _kernels(exposure: Exposure, p: RefPixParams) -> tuple[str, ...]:
    if exposure.instrument == "MIRI":
        return "refpix", "refpix_miri"
    if "IRS2" in exposure.readpatt:
        return ("refpix", "refpix_irs2") if p.irs2_mean_subtraction else ("refpix_irs2",)
    return ("refpix",)


@step(
    "refpix",
    keyword="S_REFPIX",
    references=("refpix", "sirskernel"),
    only_if={"refpix": lambda exposure, _p: "IRS2" in exposure.readpatt, "sirskernel": _takes_sirs},
    params=RefPixParams,
    reach=_reach,
    survey=_survey,
    kernels=_kernels,
)
def refpix(
    ramp: Ramp,
    refs: References,
    p: RefPixParams,
    tiles: Tiles,
    facts: Measured | InterlacedSignals | None,
) -> Ramp:
    """Subtract the signal of the reference pixels from every group and from the zero frame.

    Near-infrared full frames and subarrays read through four amplifiers: in each amplifier the
    clipped means of the reference pixels at the top and at the bottom are averaged and subtracted,
    for odd and even columns separately; then running medians of those at both sides are averaged
    and subtracted row by row, or (sirs) what kernels make of them. Subarrays read through one
    amplifier: the clipped mean of all reference pixels, for odd and even columns separately.
    IRS2: see `correct_interleaved`. MIRI: see `measure_miri`. Reference pixels with DO_NOT_USE do
    not count. Rows and columns are those of the detector. Zeros of the zero frame stay zero.
    """
    refuse_unsupported(ramp, "refpix", interleaved=True)
    if facts is None:
        return _interleaved(ramp, refs.get("refpix"), p, tiles)
    if isinstance(facts, InterlacedSignals):
        return ramp.with_(data=correct_miri(ramp, facts, tiles))
    return _corrected(ramp, facts, tiles)


def _interleaved(ramp: Ramp, reference: Reference | None, p: RefPixParams, tiles: Tiles) -> Ramp:
    """Correct frames of the IRS2 read-out, and take the reference pixels out."""
    if ramp.zeroframe is not None:
        raise InputError(
            f"{ramp.exposure.filename}: ZEROFRAM = T: there is no refpix for a zero frame of the IRS2 "
            "read-out. Set ZEROFRAM to F."
        )
    if reference is None:
        raise Skip("there is no refpix reference (N/A) for this exposure")
    bad = bad_reference_rows(ramp, p.ovr_corr_mitigation_ftr, tiles)
    pixeldq = ramp.pixeldq.copy()
    pixeldq[bad] |= np.uint32(DQ.BAD_REF_PIXEL | DQ.DO_NOT_USE)
    ramp = ramp.with_(pixeldq=pixeldq)
    if p.irs2_mean_subtraction:
        frame = DetectorFrame.of(ramp.exposure)
        measure = in_interleaved(ramp, frame, p.odd_even_columns, p.siglimit)
        data, single = ramp.data, np.ones(ramp.data.shape[:2], np.bool_)
        found = measure_groups(lambda i, g: data[i, g], measure, single, frame, tiles)
        ramp = ramp.with_(data=_subtracted(data, _Signals(*found, single), frame, tiles))
    data = correct_interleaved(ramp, reference, bad, p.preserve_irs2_refpix, tiles)
    if p.preserve_irs2_refpix:
        return ramp.with_(data=data)
    groupdq, pixeldq = (normal_pixels(flags, ramp.exposure) for flags in (ramp.groupdq, pixeldq))
    return ramp.with_(data=data, groupdq=groupdq, pixeldq=pixeldq)


def _measured(
    pixels: ReferencePixels, measure: Measure, frame: DetectorFrame, side: bool, tiles: Tiles
) -> Measured:
    """Measure the reference signals of all groups and of the zero frame.

    The official pipeline measures the very first group in single precision and, once rows have been
    corrected (``side``), all others in double.
    """

    def signals(values: F32, single: NDArray[np.bool_]) -> _Signals:
        def plane(i: int, g: int) -> F32:
            return pixels.plane(values[i, g])

        return _Signals(*measure_groups(plane, measure, single, frame, tiles), single)

    single = np.full(pixels.data.shape[:2], not side)
    single[0, 0] = True
    zero = pixels.zeroframe
    return Measured(
        frame,
        pixels.exposure,
        signals(pixels.data, single),
        None if zero is None else signals(zero, np.full(zero.shape[:2], not side)),
    )


def _corrected(ramp: Ramp, facts: Measured, tiles: Tiles) -> Ramp:
    """Subtract the signals from all groups and from the zero frame, of a whole frame or a part of it."""
    rows = slice(ramp.exposure.ystart - facts.exposure.ystart, None)
    columns = slice(ramp.exposure.xstart - facts.exposure.xstart, None)
    ny, nx = ramp.data.shape[-2:]
    part = slice(rows.start, rows.start + ny), slice(columns.start, columns.start + nx)
    data = _subtracted(ramp.data, facts.groups.cut(facts.frame, *part), facts.frame, tiles)
    zeroframe = ramp.zeroframe
    if zeroframe is not None and facts.zeroframe is not None:
        signals = facts.zeroframe.cut(facts.frame, *part)
        plane = _subtracted(zeroframe[:, None], signals, facts.frame, tiles)[:, 0]
        zeroframe = np.where(zeroframe == 0, np.float32(0), plane)
    return ramp.with_(data=data, zeroframe=zeroframe)


def _subtracted(data: F32, signals: _Signals, frame: DetectorFrame, tiles: Tiles) -> F32:
    from jwcal_interactive.kernels.refpix import subtract_signals

    out = np.empty_like(data)
    tiles.over_rows(
        data.shape[-2],
        lambda y0, y1: subtract_signals(
            data, signals.fast, signals.slow, frame.fast_is_x, signals.single, out, y0, y1
        ),
    )
    return out
