"""refpix in the IRS2 read-out of NIRSpec: bad reference pixels, and the correction of each group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Exposure, Ramp, Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError, ReferenceError
from jwcal_interactive.instruments import AMPLIFIERS, FULL_SIZE, IRS2_FRAME, IRS2_RUNS
from jwcal_interactive.steps.irs2 import OUTPUTS, READS, is_reversed, normal_reads, normal_rows
from jwcal_interactive.tiles import Tiles

__all__ = ["bad_reference_rows", "correct_interleaved", "replacements"]

PERIOD = sum(IRS2_RUNS.values())
"""Reads from one run of reference pixels to the next."""

JUMP = 1
"""Samples that a jump to or from the reference pixels takes."""

LINE_PAUSE = 8
"""Samples between two lines."""

LINE = READS + 2 * JUMP * READS // PERIOD + LINE_PAUSE
"""Samples of a line: 712 of 10 microseconds."""

PASS_BAND, ROLL_OFF = 30_268, 5_000
"""Frequencies at either end that the filter for gaps in the reference output passes, and those of its fall."""


@dataclass(frozen=True)
class _Layout:
    """Where the reads of a frame are in the science frame, and when they are made.

    Attributes
    ----------
    rows : int64 (OUTPUTS, READS)
        Row of each read in the order of time.
    out_rows : int64 (OUTPUTS, READS)
        Row of each read in the corrected frame; -1 for those that it does not have.
    times : int64 (READS,)
        Sample of the line at which it is read.
    is_normal : bool (OUTPUTS, READS)
    keeps_mean : float64 (OUTPUTS, READS)
        1 where the corrected frame has the mean of the groups, 0 where not.
    backwards : bool
        The science frame runs against the lines of the detector.
    """

    rows: NDArray[np.int64]
    out_rows: NDArray[np.int64]
    times: NDArray[np.int64]
    is_normal: NDArray[np.bool_]
    keeps_mean: NDArray[np.float64]
    backwards: bool

    @classmethod
    def of(cls, exposure: Exposure, preserve: bool) -> _Layout:
        reads = np.arange(READS)
        place = np.arange(OUTPUTS * READS).reshape(OUTPUTS, READS)
        place[::2] = place[::2, ::-1]  # neighbouring amplifiers read towards each other
        backwards = is_reversed(exposure)
        rows = OUTPUTS * READS - 1 - place if backwards else place
        kept = normal_rows(exposure)
        is_normal = kept[rows]
        out_rows = rows if preserve else np.where(is_normal, np.cumsum(kept)[rows] - 1, -1)
        keeps_mean = is_normal.astype(np.float64)
        keeps_mean[0] = 1  # the reference output keeps its level, the interleaved pixels do not
        run, references = IRS2_RUNS["NRS_NORM"], IRS2_RUNS["NRS_REF"]
        jumps = (reads + run // 2 + references) // PERIOD + (reads + run // 2) // PERIOD
        return cls(rows, out_rows, reads + JUMP * jumps, is_normal, keeps_mean, backwards)

    @property
    def reference_sources(self) -> NDArray[np.int64]:
        """Which sample of a line stands for each in the reference sequence, (LINE,); -1 for none.

        The two reads of each of two reference pixels are repeated so that they fill twice their time.
        """
        sources = np.full(LINE, -1)
        starts = self.times[~normal_reads()][:: IRS2_RUNS["NRS_REF"]]
        for sample, read in zip(range(-2, 6), (0, 2, 0, 2, 1, 3, 1, 3), strict=True):
            sources[starts + sample] = starts + read
        return sources


def _ignore(_fraction: float) -> None:
    """Progress of a pass that takes next to no time."""


def bad_reference_rows(ramp: Ramp, factor: float, tiles: Tiles) -> NDArray[np.bool_]:
    """Find rows of reference pixels that are flagged BAD_REF_PIXEL, or that stand out in an integration.

    A reference pixel is read twice. The mean difference of the two reads, their mean and their standard
    deviation, over all groups and columns, are compared with those of all others of the same output.

    Parameters
    ----------
    ramp : Ramp
        With interleaved reference pixels.
    factor : float
        Allowed excess over the clipped mean, and limit of that clipping, sigma.

    Returns
    -------
    ndarray
        bool (3200,), rows of the science frame. Rows of normal pixels are never among them.
    """
    flagged = (ramp.pixeldq & np.uint32(DQ.BAD_REF_PIXEL) != 0).any(axis=1) & ~normal_rows(ramp.exposure)
    found = flagged.copy()
    references = np.flatnonzero(~normal_reads())
    for group_values in ramp.data:
        for output in range(OUTPUTS):
            tiles.check()
            first = output * READS + references[::2]
            first = first[~(flagged[first] | flagged[first + 1])]
            for values in _pair_statistics(group_values, first):
                centre, spread = _clipped(values, factor)
                high = first[values - centre > factor * spread]
                found[high] = found[high + 1] = True
    return np.asarray(found)


def _pair_statistics(data: F32, first: NDArray[np.intp]) -> tuple[F32, F32, F32]:
    """Mean absolute difference, mean and standard deviation of rows ``first`` and ``first + 1``."""
    with np.errstate(invalid="ignore", over="ignore"):
        return (
            np.array([np.mean(np.abs(data[:, y + 1] - data[:, y])) for y in first], np.float32),
            np.array([np.mean(data[:, y : y + 2]) for y in first], np.float32),
            np.array([np.std(data[:, y : y + 2]) for y in first], np.float32),
        )


def _clipped(values: F32, limit: float) -> tuple[np.float32, np.float32]:
    """Mean and standard deviation after at most five clippings about the median; NaN without values.

    Clipping is in double precision, the result in that of the values, as in ``astropy.stats``.
    """
    kept = values[np.isfinite(values)].astype(np.float64)
    if not kept.size:
        return np.float32(np.nan), np.float32(np.nan)
    low, high = -np.inf, np.inf
    for _ in range(5):
        centre, reach = np.median(kept), limit * kept.std()
        low, high = centre - reach, centre + reach
        inside = kept[(kept >= low) & (kept <= high)]
        if inside.size in (0, kept.size):
            break
        kept = inside
    inside = np.where((values >= low) & (values <= high), values, np.float32(np.nan))
    if np.isnan(inside).all():
        return np.float32(np.nan), np.float32(np.nan)
    return np.nanmean(inside), np.nanstd(inside)


def replacements(bad: NDArray[np.bool_], backwards: bool, reference: Reference) -> NDArray[np.int64]:
    """Choose the rows that stand for bad reference rows.

    Those are the mean of the reads one run before and after, in the same output; the good one of them;
    else the neighbouring pair of reads in the same run; else none, which leaves a gap in the sequence.

    Parameters
    ----------
    bad : bool (3200,)
        Rows of the science frame.
    backwards : bool
        The science frame runs against the detector.
    reference : Reference
        Its table DQ, if there is one, names further bad reference pixels.

    Returns
    -------
    ndarray
        int64 (3200, 2): rows whose mean stands for each row; twice itself, or -1 for none.

    Raises
    ------
    ReferenceError
        If the table names an amplifier or parity that does not exist.
    """
    bad = bad.copy()
    sources = np.repeat(np.arange(bad.size)[:, None], 2, axis=1)
    interleaved = np.tile(~normal_reads(), OUTPUTS)
    for row in np.flatnonzero(bad):
        sources[row] = _stand_in(int(row), bad, interleaved)
    # The table counts along the read directions of the detector.
    view, last = (bad[::-1], bad.size - 1) if backwards else (bad, 0)
    for reads in _bad_by_table(reference):
        new = reads[~view[reads]]
        view[new] = True
        for read in new:
            stand_in = _stand_in(int(read), view, interleaved)
            row = abs(last - read)
            sources[row] = [abs(last - s) if s >= 0 else -1 for s in stand_in]
    return sources


def _stand_in(row: int, bad: NDArray[np.bool_], interleaved: NDArray[np.bool_]) -> tuple[int, int]:
    low = row // READS * READS
    inside = range(low, low + READS)
    runs = [r for r in (row - PERIOD, row + PERIOD) if r in inside and not bad[r]]
    if runs:
        return runs[0], runs[-1]
    for pair in (row - 2, row + 2):
        if pair in inside and interleaved[pair] and not bad[pair]:
            return pair, pair
    return -1, -1


def _bad_by_table(reference: Reference) -> list[NDArray[np.intp]]:
    """Bad reads of each row of the table DQ: OUTPUT 1 to 4, ODD_EVEN 1 or 2, MASK with a bit for each run."""
    table = reference.tables.get("DQ")
    if table is None or not len(table):
        return []
    output, parity, mask = (_column(reference, "DQ", name) for name in ("OUTPUT", "ODD_EVEN", "MASK"))
    if not (np.isin(output, range(1, OUTPUTS)).all() and np.isin(parity, (1, 2)).all()):
        raise ReferenceError(
            f"refpix reference {reference.name}: table DQ has OUTPUT {sorted(set(output.tolist()))} and "
            f"ODD_EVEN {sorted(set(parity.tolist()))}; allowed are 1 to 4, and 1 or 2. Give another reference."
        )
    found = []
    for amplifier, odd_even, bits in zip(output.tolist(), parity.tolist(), mask.tolist(), strict=True):
        second = (odd_even == 2) != (amplifier % 2 == 0)  # amplifiers 2 and 4 read from right to left
        runs = np.array([k for k in range(READS // PERIOD) if int(bits) >> k & 1], np.intp)
        start = amplifier * READS + IRS2_RUNS["NRS_NORM"] // 2 + runs * PERIOD + 2 * second
        found.append(np.sort(np.concatenate((start, start + 1))))
    return found


def _column(reference: Reference, table: str, name: str) -> NDArray[np.generic]:
    """Column of a table, by its name in any case."""
    columns = reference.tables[table]
    for found in columns.dtype.names or ():
        if found.upper() == name.upper():
            return np.asarray(columns[found])
    raise ReferenceError(
        f"refpix reference {reference.name}: table {table} has no column {name} (found: "
        f"{', '.join(columns.dtype.names or ())}). Give a refpix reference for the IRS2 read-out."
    )


def _weights(reference: Reference) -> Iterator[NDArray[np.complex64]]:
    """Weights of the reference output (alpha) for each amplifier, then those of the reference pixels (beta)."""
    from jwcal_interactive.kernels.refpix_irs2 import real_filter

    samples = FULL_SIZE * LINE
    if "IRS2" not in reference.tables or len(reference.tables["IRS2"]) != 2 * samples:
        rows = {name: len(table) for name, table in reference.tables.items()}
        raise ReferenceError(
            f"refpix reference {reference.name}: must have a table IRS2 of {2 * samples} rows, real and "
            f"imaginary parts in turn; it has the tables (and rows) {rows}. Give a refpix reference for the "
            "IRS2 read-out."
        )

    for name in ("alpha", "beta"):
        for k in range(AMPLIFIERS):
            parts = np.ascontiguousarray(_column(reference, "IRS2", f"{name}_{k}"), np.float32)
            yield real_filter(parts.view(np.complex64))


def correct_interleaved(
    ramp: Ramp, reference: Reference, bad: NDArray[np.bool_], preserve: bool, tiles: Tiles
) -> F32:
    """Subtract what the reference output and the interleaved reference pixels show from all groups.

    From each pixel the mean of the groups is taken off first, and added again at the end; from each
    output of each group, a straight line in time through its eight lines of reference pixels.

    Parameters
    ----------
    ramp : Ramp
        data of (nints, ngroups, 3200, 2048) in the science frame, DN.
    reference : Reference
        Of type refpix.
    bad : bool (3200,)
        Rows of bad reference pixels.
    preserve : bool
        Keep the reference pixels in the result.
    tiles : Tiles

    Returns
    -------
    ndarray
        float32 (nints, ngroups, 2048 or 3200, 2048), DN.

    Raises
    ------
    InputError
        If the frames are not whole.
    ReferenceError
        If the reference does not have the tables of this read-out.
    """
    from jwcal_interactive.kernels.refpix_irs2 import mean_of_groups

    nints, ngroups, *frame = ramp.data.shape
    if tuple(frame) != IRS2_FRAME:
        raise InputError(
            f"{ramp.exposure.filename}: the frame has {frame[1]} x {frame[0]} pixels; refpix in the IRS2 "
            f"read-out needs all {IRS2_FRAME[1]} x {IRS2_FRAME[0]}, which were read one after the other."
        )
    layout = _Layout.of(ramp.exposure, preserve)
    sources = replacements(bad, layout.backwards, reference)
    correct = _group_corrector(layout, sources, _weights(reference), tiles.check)
    out = np.empty((nints, ngroups, IRS2_FRAME[0] if preserve else FULL_SIZE, FULL_SIZE), np.float32)
    mean = np.empty(IRS2_FRAME)
    for i in range(nints):
        groups = ramp.data[i]

        def average(y0: int, y1: int, groups: F32 = groups) -> None:
            mean_of_groups(groups, sources, mean, y0, y1)

        def work(start: int, stop: int, groups: F32 = groups, corrected: F32 = out[i]) -> None:
            for g in range(start, stop):
                correct(groups[g], mean, corrected[g])

        def progress(fraction: float, before: int = i) -> None:
            tiles.progress((before + fraction) / nints)

        replace(tiles, progress=_ignore).over_rows(IRS2_FRAME[0], average)
        replace(tiles, progress=progress, band_rows=1).over_rows(ngroups, work)
    return out


def _group_corrector(
    layout: _Layout,
    sources: NDArray[np.int64],
    factors: Iterator[NDArray[np.complex64]],
    check: Callable[[], None],
) -> Callable[[F32, NDArray[np.float64], F32], None]:
    """Give the function that corrects a group: (plane, mean of the groups, place of the result)."""
    from scipy.fft import irfft2, rfft2

    from jwcal_interactive.kernels.refpix_irs2 import (
        Folding,
        fill_gaps,
        fold,
        from_sequence,
        low_and_high_pass,
        subtract_lines,
        to_sequences,
        trend,
        unfold,
    )

    samples = FULL_SIZE * LINE
    middle = (samples - 1) / 2
    edges = np.r_[0:4, FULL_SIZE - 4 : FULL_SIZE]
    times = (np.arange(samples).reshape(FULL_SIZE, LINE)[edges] - middle).astype(np.float32)
    around = np.sin(np.arange(1, 32, dtype=np.float32) / 32 * np.pi)
    reference_sources = layout.reference_sources
    folding = Folding.of(FULL_SIZE, LINE)
    places, step = folding.places, folding.step
    shape = folding.rows, folding.columns
    frequencies = folding.frequencies
    passes = np.take(low_and_high_pass(samples, PASS_BAND, ROLL_OFF), frequencies)
    weights = [np.take(factor, frequencies) for factor in factors]
    measured = np.zeros((FULL_SIZE, LINE), np.float32)
    measured[:, layout.times[normal_reads()]] = 1
    known = np.empty(shape, np.float32)
    fold(measured, np.arange(LINE), places, step, known)
    is_known = known != 0

    def reference_output(sequence: F32) -> F32:
        """Fill the gaps of the reference output, and its reads at the times of reference pixels; as a table."""
        filled = np.empty(samples, np.float32)
        fill_gaps(sequence.ravel(), around, filled)
        values = np.empty(shape, np.float32)
        fold(filled.reshape(FULL_SIZE, LINE), np.arange(LINE), places, step, values)
        table = values
        for _ in range(3):
            check()
            spectrum = rfft2(table)
            spectrum *= passes
            table = irfft2(spectrum, shape)
            np.copyto(table, values, where=is_known)
        return table

    def correct(plane: F32, mean: NDArray[np.float64], out: F32) -> None:
        sequences = np.empty((1, FULL_SIZE, LINE), np.float32)
        sequence = sequences[0]
        correction = np.zeros(shape, np.float32)
        for k in range(OUTPUTS):
            own = slice(k, k + 1)
            to_sequences(
                plane, mean, sources, layout.rows[own], layout.times, layout.is_normal[own], layout.backwards,
                sequences,
            )  # fmt: skip
            trends = np.array([trend(sequence[edges], times)], np.float32)
            subtract_lines(trends, middle, sequences)
            check()
            if k == 0:
                table = reference_output(sequence)
                unfold(table, places, step, sequence)
                check()
                output_spectrum = rfft2(table)
                del table
            else:
                references = np.empty(shape, np.float32)
                fold(sequence, reference_sources, places, step, references)
                check()
                spectrum = rfft2(references)
                spectrum *= weights[AMPLIFIERS + k - 1]
                spectrum += weights[k - 1] * output_spectrum
                correction = irfft2(spectrum, shape)
                check()
            from_sequence(
                sequence, correction, places, step, mean, layout.keeps_mean[k], layout.rows[k],
                layout.out_rows[k], layout.times, layout.backwards, out,
            )  # fmt: skip

    return correct
