"""The IRS2 reference correction of a frame: time sequences, gaps, filters in frequency, and back.

Moseley, S. H. et al. 2010, Proc. SPIE 7742, 77421B; Rauscher, B. J. et al. 2017, PASP 129, 105003.
All outputs are read at the same moments, so that each is a regular sequence in time once the pauses
are filled in: jumps to and from the reference pixels, and the ends of lines. What the reference
output and the interleaved reference pixels show at a frequency is subtracted from the normal pixels
with the weights alpha and beta of that frequency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    b1,
    f64,
    i64,
    r_b1_2,
    r_f32_1,
    r_f32_2,
    r_f32_3,
    r_f64_1,
    r_f64_2,
    r_i64_1,
    r_i64_2,
    void,
    w_f32_1,
    w_f32_2,
    w_f32_3,
    w_f64_2,
)

__all__ = [
    "Folding",
    "fill_gaps",
    "fold",
    "from_sequence",
    "low_and_high_pass",
    "mean_of_groups",
    "real_filter",
    "subtract_lines",
    "to_sequences",
    "trend",
    "unfold",
]


@kernel(void(r_f32_3, r_i64_2, w_f64_2, i64, i64))
def mean_of_groups(data, sources, out_mean, y0, y1):
    """Mean of the groups of an integration, with bad reference pixels replaced.

    Parameters
    ----------
    data : float32 (ngroups, ny, nx)
        DN.
    sources : int64 (ny, 2)
        Rows whose mean stands for a row: twice itself for a good one, -1 for 0 DN.
    out_mean : float64 (ny, nx)
        DN.
    y0, y1 : int
        Band of rows.
    """
    ngroups, _, nx = data.shape
    for y in range(y0, y1):
        a, b = sources[y, 0], sources[y, 1]
        for x in range(nx):
            out_mean[y, x] = 0.0
        if a < 0:
            continue
        for g in range(ngroups):
            for x in range(nx):
                value = data[g, a, x]
                if a != b:
                    value = (value + data[g, b, x]) / np.float32(2)
                out_mean[y, x] += value
        for x in range(nx):
            out_mean[y, x] /= ngroups


@kernel(void(r_f32_2, r_f64_2, r_i64_2, r_i64_2, r_i64_1, r_b1_2, b1, w_f32_3))
def to_sequences(plane, mean, sources, rows, times, is_normal, backwards, out_sequences):
    """Bring a group, less the mean of the groups, into the order in which it was read.

    Parameters
    ----------
    plane : float32 (ny, nx)
        A group in the science frame, DN.
    mean : float64 (ny, nx)
        Mean of the groups, DN.
    sources : int64 (ny, 2)
        As for `mean_of_groups`.
    rows : int64 (noutputs, nreads)
        Row of each read.
    times : int64 (nreads,)
        When in its line each read is made.
    is_normal : bool (noutputs, nreads)
        Reads of normal pixels; of the others, values that are not finite count as gaps.
    backwards : bool
        Lines are read from the last column to the first.
    out_sequences : float32 (noutputs, nx, ntimes)
        DN; 0 in the gaps between reads.
    """
    noutputs, nreads = rows.shape
    _, nlines, ntimes = out_sequences.shape
    band = 32  # lines that are turned together, so that both arrays are used in whole cache lines
    for o in range(noutputs):
        for l0 in range(0, nlines, band):
            l1 = min(l0 + band, nlines)
            for line in range(l0, l1):
                for t in range(ntimes):
                    out_sequences[o, line, t] = 0
            for c in range(nreads):
                row, t = rows[o, c], times[c]
                a, b = sources[row, 0], sources[row, 1]
                if a < 0:
                    continue
                for line in range(l0, l1):
                    x = nlines - 1 - line if backwards else line
                    value = plane[a, x]
                    if a != b:
                        value = (value + plane[b, x]) / np.float32(2)
                    centred = np.float32(value - mean[row, x])
                    if is_normal[o, c] or np.isfinite(centred):
                        out_sequences[o, line, t] = centred


def trend(edges: NDArray[np.float32], times: NDArray[np.float32]) -> tuple[np.float32, np.float32]:
    """Fit a straight line by least squares to the values that are not 0.

    Parameters
    ----------
    edges : float32 (n, ntimes)
        Lines of reference pixels, DN.
    times : float32 (n, ntimes)
        Centred on the middle of the frame, samples.

    Returns
    -------
    intercept, slope : float32
        DN, DN per sample; 0 without values. In single precision throughout, like the official fit.
    """
    use = (edges != 0) & np.isfinite(edges)
    x, y = times[use], edges[use]
    if not x.size:
        return np.float32(0), np.float32(0)
    n, mean_x, mean_y = float(x.size), x.mean(), y.mean()
    spread = (x**2).sum() - n * mean_x**2
    if spread == 0:
        return np.float32(mean_y), np.float32(0)
    slope = ((x * y).sum() - n * mean_x * mean_y) / spread
    return np.float32(mean_y - slope * mean_x), np.float32(slope)


@kernel(void(r_f32_2, f64, w_f32_3))
def subtract_lines(trends, middle, out_sequences):
    """Subtract a straight line from the values of each sequence that are not 0.

    Parameters
    ----------
    trends : float32 (noutputs, 2)
        Intercepts, DN, and slopes, DN per sample.
    middle : float
        Time of the intercept, samples.
    out_sequences : float32 (noutputs, nlines, ntimes)
        DN; changed in place.
    """
    noutputs, nlines, ntimes = out_sequences.shape
    for o in range(noutputs):
        intercept, slope = trends[o, 0], trends[o, 1]
        for line in range(nlines):
            values = out_sequences[o, line]
            for t in range(ntimes):
                time = np.float32(line * ntimes + t - middle)
                if values[t] != 0:
                    values[t] -= intercept + time * slope


@kernel(void(r_f32_1, r_f32_1, w_f32_1))
def fill_gaps(sequence, weights, out):
    """Fill values that are 0 with the weighted mean of those around that are not.

    Parameters
    ----------
    sequence : float32 (n,)
        DN; it is taken to go on at its beginning.
    weights : float32 (odd,)
        Of the neighbours, the value itself in the middle.
    out : float32 (n,)
        DN; 0 where there is no neighbour.
    """
    n, half = sequence.size, weights.size // 2
    for i in range(n):
        out[i] = sequence[i]
        if sequence[i] != 0:
            continue
        total, weight = 0.0, 0.0
        for j in range(-half, half + 1):
            k = (i - j) % n
            if sequence[k] != 0:
                total += np.float64(weights[half + j]) * sequence[k]
                weight += weights[half + j]
        if weight != 0:
            out[i] = np.float32(total) / np.float32(weight)


@kernel(void(r_f32_2, r_i64_1, r_i64_2, i64, w_f32_2))
def fold(sequence, sources, places, step, out_table):
    """Arrange a sequence in the table of `Folding`, taking some samples of a line for others.

    Parameters
    ----------
    sequence : float32 (nlines, ntimes)
        DN.
    sources : int64 (ntimes,)
        Which sample of its line stands for each; -1 for none, which gives 0.
    places, step
        As in `Folding`.
    out_table : float32 (rows, columns)
        DN.
    """
    nlines, ntimes = sequence.shape
    columns = out_table.shape[1]
    for t in range(ntimes):
        row, column = places[t, 0], places[t, 1]
        for line in range(nlines):
            out_table[row, column] = sequence[line, sources[t]] if sources[t] >= 0 else np.float32(0)
            column += step
            if column >= columns:
                column -= columns


@kernel(void(r_f32_2, r_i64_2, i64, w_f32_2))
def unfold(table, places, step, out_sequence):
    """Bring a table of `Folding` into the order of time: the inverse of `fold`."""
    nlines, ntimes = out_sequence.shape
    columns = table.shape[1]
    for t in range(ntimes):
        for line in range(nlines):
            out_sequence[line, t] = table[places[t, 0], (places[t, 1] + step * line) % columns]


@kernel(
    void(r_f32_2, r_f32_2, r_i64_2, i64, r_f64_2, r_f64_1, r_i64_1, r_i64_1, r_i64_1, b1, w_f32_2),
)
def from_sequence(
    sequence, correction, places, step, mean, keep_mean, rows, out_rows, times, backwards, out_plane
):
    """Subtract the correction from an output and bring it back to its place, with the mean of the groups.

    Parameters
    ----------
    sequence : float32 (nlines, ntimes)
        DN.
    correction : float32 table
        DN, in the arrangement of `Folding`.
    places, step
        As in `Folding`.
    mean : float64 (ny, nx)
        Mean of the groups, DN.
    keep_mean : float64 (nreads,)
        1 if the mean is added again, 0 if not.
    rows, out_rows : int64 (nreads,)
        Row of each read in the input and in the output; -1 where there is none in the output.
    times : int64 (nreads,)
        When in its line each read is made.
    backwards : bool
        Lines are read from the last column to the first.
    out_plane : float32 (ny or fewer, nx)
        Group in the science frame, DN.
    """
    nlines = sequence.shape[0]
    columns = correction.shape[1]
    band = 32
    for l0 in range(0, nlines, band):
        for c in range(rows.size):
            row, out_row, t = rows[c], out_rows[c], times[c]
            if out_row < 0:
                continue
            for line in range(l0, min(l0 + band, nlines)):
                x = nlines - 1 - line if backwards else line
                place = (places[t, 1] + step * line) % columns
                value = sequence[line, t] - correction[places[t, 0], place]
                if keep_mean[c] != 0:
                    value = np.float32(value + mean[row, x])
                out_plane[out_row, x] = value


@dataclass(frozen=True)
class Folding:
    """A sequence as a table whose two-dimensional Fourier transform is that of the sequence.

    With coprime factors, sample n goes to row n / columns (mod rows) and column n / rows (mod columns);
    frequency k is then at row k (mod rows), column k (mod columns), without twiddle factors (Good, I. J.
    1958, J. R. Stat. Soc. B 20, 361). 712 x 2048 samples have the factor 89, which makes transforms in
    one dimension slow.

    Attributes
    ----------
    rows, columns : int
        Coprime; their product is the number of samples, and ``rows`` divides the samples of a line.
    places : int64 (ntimes, 2)
        Row and column of each sample of the first line.
    step : int
        Columns from a sample to the same one of the next line, in the same row.
    """

    rows: int
    columns: int
    places: NDArray[np.int64]
    step: int

    @classmethod
    def of(cls, nlines: int, ntimes: int) -> Folding:
        """Split off the powers of two of the number of samples.

        Parameters
        ----------
        nlines : int
            A power of two.
        ntimes : int
            Samples of a line.
        """
        samples = nlines * ntimes
        columns = samples & -samples
        rows = samples // columns
        times = np.arange(ntimes)
        by_row, by_column = pow(columns, -1, rows), pow(rows, -1, columns)
        places = np.stack((times * by_row % rows, times * by_column % columns), axis=1)
        return cls(rows, columns, places, ntimes * by_column % columns)

    @property
    def frequencies(self) -> NDArray[np.int64]:
        """Frequency of each element of the transform of a real table, (rows, columns // 2 + 1)."""
        samples = self.rows * self.columns
        row, column = np.ogrid[: self.rows, : self.columns // 2 + 1]
        by_row = self.columns * pow(self.columns, -1, self.rows)
        by_column = self.rows * pow(self.rows, -1, self.columns)
        return np.asarray((row * by_row + column * by_column) % samples)


def low_and_high_pass(samples: int, pass_band: int, roll_off: int) -> NDArray[np.float32]:
    """Filter that passes the lowest frequencies and the highest.

    Parameters
    ----------
    samples : int
        Length of the sequence, even.
    pass_band, roll_off : int
        Frequencies that pass wholly at either end, and those over which a cosine falls to 0 there.

    Returns
    -------
    ndarray
        float32 (samples,): factors in the order of a discrete Fourier transform.
    """
    half = samples // 2
    fall = (np.cos(np.arange(roll_off) * np.pi / roll_off) + 1) / 2
    factors = np.zeros(half + 1)
    factors[:pass_band] = 1
    factors[pass_band : pass_band + roll_off] = fall
    factors[half - pass_band : half] = 1
    factors[half - pass_band - roll_off : half - pass_band] = fall[::-1]
    factors[half] = 1
    return np.concatenate((factors, factors[half - 1 : 0 : -1])).astype(np.float32)


def real_filter(factors: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """Part of a filter that turns real sequences into real ones.

    Its result on a real sequence is the real part of that of the whole filter.

    Parameters
    ----------
    factors : complex64 (n,)
        In the order of a discrete Fourier transform.

    Returns
    -------
    ndarray
        complex64 (n,)
    """
    mirrored = np.concatenate((factors[:1], factors[:0:-1]))
    return ((factors + mirrored.conj()) / 2).astype(np.complex64)
