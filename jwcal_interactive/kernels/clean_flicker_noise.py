"""Flicker (1/f) noise of an image: medians of lines, Fourier fits, and their subtraction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numba import types

from jwcal_interactive.kernels.background import B1, F32, Background, Check, background_limits, keep_between
from jwcal_interactive.kernels.background import subtract_background as _subtract_background
from jwcal_interactive.kernels.clean_flicker_noise_fft import Band, NoFit, fit_full_frame, fit_sections
from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import b1, i64, r_b1_2, r_f32_2, void, w_f32_2

__all__ = ["Cleaned", "Cleaning", "Scratch", "clean_image", "subtract_line_medians"]

FULL_SIZE = 2048  # rows and columns that the Fourier fit line by line is made for

_w_i64_1 = types.Array(types.int64, 1, "C")


@kernel(void(r_f32_2, r_b1_2, b1, i64, i64, w_f32_2, _w_i64_1))
def _gather_lines(image, use, along_x, start, stop, out_lines, out_counts):
    """Copy the pixels to use of each line to the front of a row, and infinity behind them."""
    ny, nx = image.shape
    out_counts[:] = 0
    for y in range(0 if along_x else start, ny if along_x else stop):
        for x in range(start if along_x else 0, stop if along_x else nx):
            if use[y, x]:
                line = y if along_x else x
                out_lines[line, out_counts[line]] = image[y, x]
                out_counts[line] += 1
    for line in range(out_counts.size):
        out_lines[line, out_counts[line] :] = np.inf


def subtract_line_medians(
    image: F32, use: B1, along_x: bool, channels: int, scratch: F32, check: Check
) -> None:
    """Subtract from each line, or from the part of it that one amplifier reads, the median of its pixels.

    Parameters
    ----------
    image : float32 (ny, nx)
        Changed in place.
    use : bool (ny, nx)
        Pixels that the medians are made of. Lines without any stay.
    along_x : bool
        Lines are rows; else columns.
    channels : int
        Parts of equal length of a line, each with a median of its own.
    scratch : float32 (ny * nx,)
    check : callable
    """
    lines, length = image.shape if along_x else image.shape[::-1]
    counts = np.empty(lines, np.int64)
    part = length // channels
    for start in range(0, part * channels, part):
        values = scratch[: lines * part].reshape(lines, part)
        _gather_lines(image, use, along_x, start, start + part, values, counts)
        check()
        values.sort(axis=1)
        check()
        every = np.arange(lines)
        low, high = values[every, np.maximum(counts - 1, 0) // 2], values[every, counts // 2 % part]
        with np.errstate(over="ignore", invalid="ignore"):
            level = np.where(counts == 0, np.float32(0), (low + high) / np.float32(2))
        if along_x:
            image[:, start : start + part] -= level[:, None]
        else:
            image[start : start + part] -= level
        check()


@dataclass(frozen=True)
class Cleaning:
    """How images are cleaned.

    Attributes
    ----------
    background : Background
        Subtracted before, restored after.
    n_sigma : float
        Clipping limit of what is left after that, standard deviations; 0 for no clipping.
    method : {"median", "fft"}
    along_x : bool
        The fast read direction is along rows (used by "median").
    channels : int
        Amplifiers with medians of their own.
    flipped : bool
        The read-out runs towards lower y, as on NRS2 (used by "fft").
    band : Band
        Frequencies that belong to the noise (used by "fft", subarrays).
    """

    background: Background
    n_sigma: float
    method: Literal["median", "fft"] = "median"
    along_x: bool = True
    channels: int = 1
    flipped: bool = False
    band: Band = Band()  # noqa: RUF009 - an immutable tuple


class Scratch:
    """Working memory of one thread for images of a shape."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.image = np.empty(shape, np.float32)
        self.use = np.empty(shape, np.bool_)
        self.bad = np.empty(shape, np.bool_)
        self.values = np.empty(shape[0] * shape[1], np.float32)


class Cleaned(NamedTuple):
    """Whether an image could be cleaned, the background that was taken for it, and why it could not."""

    done: bool
    background: np.float32 | F32 = np.float32(0)
    failure: str = ""


def clean_image(scratch: Scratch, how: Cleaning, flat: F32 | None, check: Check) -> Cleaned:
    """Remove the flicker noise of ``scratch.image``, in place.

    The image is divided by the flat; its background is subtracted; what differs from it by more than
    `n_sigma` standard deviations does not count; the noise is measured and subtracted; background and flat are
    put back. NaN stays NaN.

    Parameters
    ----------
    scratch : Scratch
        ``image`` and ``use``, the pixels that may be background, are read and changed.
    how : Cleaning
    flat : float32 (ny, nx) or None
    check : callable
        Called often; raises to stop.

    Returns
    -------
    Cleaned
        Not done, and no failure, where no pixel can be used: the image shall stay as it was.
    """
    image, use, bad = scratch.image, scratch.use, scratch.bad
    if flat is not None:
        image /= flat
        check()
    np.isnan(image, out=bad)
    image[bad] = 0
    use &= ~bad
    check()
    if not use.any():
        return Cleaned(False)
    background, values = _subtract_background(image, use, scratch.values, how.background, check)
    if how.background.method is not None and how.n_sigma > 0:
        limits = background_limits(values, how.n_sigma, how.n_sigma, lower_half_only=True)
        check()
        keep_between(image, limits.lower, limits.upper, use)
    check()
    if how.method == "median":
        subtract_line_medians(image, use, how.along_x, how.channels, scratch.values, check)
    else:
        try:
            _subtract_fourier_fit(image, use, how, check)
        except NoFit as failure:
            return Cleaned(False, background, str(failure))
    image += background
    if flat is not None:
        image *= flat
    check()
    image[bad] = np.nan
    return Cleaned(True, background)


def _subtract_fourier_fit(image: F32, use: B1, how: Cleaning, check: Check) -> None:
    # In the detector's frame rows are read one after the other, from the first to the last.
    turn = np.s_[::-1] if how.flipped else np.s_[:]
    turned, its_use = image.T[turn], use.T[turn]
    if image.shape == (FULL_SIZE, FULL_SIZE):
        turned -= fit_full_frame(turned, its_use, check)
    else:
        turned -= fit_sections(turned, its_use, how.band, check)
