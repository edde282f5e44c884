"""Signals of reference pixels: clipped means, running medians, and their subtraction."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    b1,
    i64,
    r_b1_2,
    r_f32_4,
    r_f64_2,
    r_f64_3,
    r_f64_4,
    void,
    w_f32_4,
    w_f64_1,
)

__all__ = ["clipped_mean", "running_median", "subtract_signals"]


def clipped_mean(values: NDArray[np.floating], limit: float) -> np.float32 | np.float64 | None:
    """Mean after iterative sigma clipping about the mean, in the precision of the values.

    Values further than ``limit`` standard deviations from the mean are removed until none is.

    Parameters
    ----------
    values : ndarray
        float32 or float64, DN. NaN and infinite values are left out.
    limit : float
        Clipping limit, sigma.

    Returns
    -------
    float32 or float64 or None
        DN; ``None`` if no value is left.
    """
    values = values[np.isfinite(values)]
    if values.size and values.std(dtype=np.float64) == 0:
        return np.float64(values.mean(dtype=np.float64))
    while values.size:
        spread, centre = values.std(), values.mean()
        inside = (values >= centre - spread * limit) & (values <= centre + spread * limit)
        if inside.all():
            return centre  # type: ignore[no-any-return]
        values = values[inside]
    return None


@njit(inline="always")
def _insert(ordered, count, value):
    at = count
    while at > 0 and ordered[at - 1] > value:
        ordered[at] = ordered[at - 1]
        at -= 1
    ordered[at] = value


@njit(inline="always")
def _remove(ordered, count, value):
    at = np.searchsorted(ordered[:count], value)
    for k in range(at, count - 1):
        ordered[k] = ordered[k + 1]


@kernel(void(r_f64_2, r_b1_2, i64, b1, w_f64_1))
def running_median(values, good, half, single, out_median):
    """Median of the good pixels of ``2 half + 1`` rows around each row.

    Rows are mirrored at both ends, without repeating the end row.

    Parameters
    ----------
    values : float64 (nrows, ncolumns)
        DN.
    good : bool (nrows, ncolumns)
        Pixels to use; others, and NaN, are left out.
    half : int
        Rows on each side, less than nrows.
    single : bool
        The values have the precision of float32, and so has the mean of the middle two.
    out_median : float64 (nrows,)
        DN; NaN where no pixel is good.
    """
    nrows, ncolumns = values.shape
    ordered = np.empty((2 * half + 1) * ncolumns)
    count = 0
    for entering in range(-half, nrows + half):
        row = abs(entering)
        if row >= nrows:
            row = 2 * (nrows - 1) - row
        for x in range(ncolumns):
            if good[row, x] and not np.isnan(values[row, x]):
                _insert(ordered, count, values[row, x])
                count += 1
        centre = entering - half
        if centre < 0:
            continue
        if count == 0:
            out_median[centre] = np.nan
        elif count % 2:
            out_median[centre] = ordered[count // 2]
        else:
            total = ordered[count // 2 - 1] + ordered[count // 2]
            out_median[centre] = (np.float64(np.float32(total)) if single else total) / 2
        leaving = abs(centre - half)
        for x in range(ncolumns):
            if good[leaving, x] and not np.isnan(values[leaving, x]):
                _remove(ordered, count, values[leaving, x])
                count -= 1


@kernel(void(r_f32_4, r_f64_3, r_f64_4, b1, r_b1_2, w_f32_4, i64, i64))
def subtract_signals(data, along_fast, along_slow, fast_is_x, single, out_data, y0, y1):
    """Subtract the signal of each detector column, then that of each detector row.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        DN.
    along_fast : float64 (nints, ngroups, nx or ny)
        Signal of each column, DN.
    along_slow : float64 (nints, ngroups, noutputs, ny or nx)
        Signal of each row, DN, in each of ``noutputs`` equal parts of the columns.
    fast_is_x : bool
        Detector columns lie along x.
    single : bool (nints, ngroups)
        Round to float32 after the first subtraction too.
    out_data : float32 (nints, ngroups, ny, nx)
    y0, y1 : int
        Band of rows.
    """
    nints, ngroups, ny, nx = data.shape
    noutputs = along_slow.shape[2]
    for i in range(nints):
        for g in range(ngroups):
            for y in range(y0, y1):
                for part in range(noutputs if fast_is_x else 1):
                    output = part if fast_is_x else y * noutputs // ny
                    x0, x1 = (part * nx // noutputs, (part + 1) * nx // noutputs) if fast_is_x else (0, nx)
                    for x in range(x0, x1):
                        value = data[i, g, y, x] - along_fast[i, g, x if fast_is_x else y]
                        if single[i, g]:
                            value = np.float64(np.float32(value))
                        out_data[i, g, y, x] = value - along_slow[i, g, output, y if fast_is_x else x]
