"""The part of an image that is on the screen: which pixels, how they are binned and encoded.

Pixel coordinates are those of the array, from 0; the centre of a pixel has integer coordinates, so
that the first pixel covers -0.5 to 0.5.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Box",
    "Cut",
    "Window",
    "bin_flags",
    "bin_mean",
    "box_about",
    "encode",
    "find_cut",
    "fit_window",
    "pixels_between",
]

PIXELATED_BELOW = 400
JPEG_QUALITY = 88


@dataclass(frozen=True)
class Window:
    """A rectangle of the image plane, in pixel coordinates; it may reach beyond the array."""

    x0: float
    x1: float
    y0: float
    y1: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y1 - self.y0

    def zoomed(self, factor: float, center: tuple[float, float] | None = None) -> Window:
        """Return the window magnified by a factor, about its own centre or put onto another one."""
        cx, cy = center or ((self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2)
        half_x, half_y = self.width / factor / 2, self.height / factor / 2
        return Window(cx - half_x, cx + half_x, cy - half_y, cy + half_y)

    def contains(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


class Box(NamedTuple):
    """Pixels ``x0 <= x < x1``, ``y0 <= y < y1`` of an array."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class Cut:
    """Pixels ``y0 <= y < y1``, ``x0 <= x < x1`` of an array, to be binned ``step`` by ``step``."""

    x0: int
    x1: int
    y0: int
    y1: int
    step: int

    @property
    def shape(self) -> tuple[int, int]:
        """Size (ny, nx) after binning; the last row and column may hold incomplete bins."""
        return -(-(self.y1 - self.y0) // self.step), -(-(self.x1 - self.x0) // self.step)

    @property
    def extent(self) -> Window:
        """The area that the binned image covers."""
        ny, nx = self.shape
        return Window(
            self.x0 - 0.5,
            self.x0 - 0.5 + nx * self.step,
            self.y0 - 0.5,
            self.y0 - 0.5 + ny * self.step,
        )

    @property
    def pixelated(self) -> bool:
        """Whether single detector pixels are large enough on the screen to need sharp edges."""
        return self.step == 1 and max(self.shape) <= PIXELATED_BELOW


def fit_window(shape: tuple[int, int], plot: tuple[int, int]) -> Window:
    """Return the smallest window that shows a whole image with square pixels.

    Parameters
    ----------
    shape : (int, int)
        Image size (ny, nx).
    plot : (int, int)
        Width and height of the plot in screen pixels.
    """
    ny, nx = shape
    width, height = plot
    scale = max(nx / width, ny / height)
    cx, cy = (nx - 1) / 2, (ny - 1) / 2
    half_x, half_y = width * scale / 2, height * scale / 2
    return Window(cx - half_x, cx + half_x, cy - half_y, cy + half_y)


def pixels_between(shape: tuple[int, int], window: Window) -> Box | None:
    """Pixels of an image of size (ny, nx) whose area a window touches; None if there are none."""
    ny, nx = shape
    x0, x1 = max(0, int(np.floor(window.x0 + 0.5))), min(nx, int(np.ceil(window.x1 + 0.5)))
    y0, y1 = max(0, int(np.floor(window.y0 + 0.5))), min(ny, int(np.ceil(window.y1 + 0.5)))
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def box_about(box: Box, center: tuple[int, int], size: int) -> Box:
    """Part of a box that has at most `size` pixels on a side, as near to a pixel (x, y) as it can be."""

    def part(low: int, high: int, middle: int) -> tuple[int, int]:
        length = min(size, high - low)
        start = min(max(middle - length // 2, low), high - length)
        return start, start + length

    (x0, x1), (y0, y1) = part(box.x0, box.x1, center[0]), part(box.y0, box.y1, center[1])
    return Box(x0, y0, x1, y1)


def find_cut(shape: tuple[int, int], window: Window, max_size: int, margin: float) -> Cut | None:
    """Choose the pixels to send for a window.

    Parameters
    ----------
    shape : (int, int)
        Image size (ny, nx).
    window : Window
        What the screen shows.
    max_size : int
        Largest useful size of the window in screen pixels; the bins are as small as this allows.
    margin : float
        Part of the window to add on each side, so that a short pan does not run off the image.

    Returns
    -------
    Cut or None
        None if the window does not touch the image. Bins start at multiples of their size, so that
        they do not shimmer while panning.
    """
    ny, nx = shape
    step = max(1, int(np.ceil(max(window.width, window.height) / max_size)))
    dx, dy = margin * window.width, margin * window.height
    x0 = max(0, int(np.floor(window.x0 - dx + 0.5)) // step * step)
    y0 = max(0, int(np.floor(window.y0 - dy + 0.5)) // step * step)
    x1 = min(nx, int(np.ceil(window.x1 + dx + 0.5)))
    y1 = min(ny, int(np.ceil(window.y1 + dy + 0.5)))
    if x0 >= x1 or y0 >= y1:
        return None
    x1 = min(nx, x0 + -(-(x1 - x0) // step) * step)
    y1 = min(ny, y0 + -(-(y1 - y0) // step) * step)
    return Cut(x0, x1, y0, y1, step)


def bin_mean(data: NDArray[np.float32], cut: Cut) -> NDArray[np.float32]:
    """Cut an image and average its finite values in each bin; NaN where a bin has none.

    Returns
    -------
    float32, of shape ``cut.shape``
    """
    part = data[cut.y0 : cut.y1, cut.x0 : cut.x1]
    step = cut.step
    if step == 1:
        return part
    ny, nx = cut.shape
    heights = np.minimum(step, part.shape[0] - step * np.arange(ny)).astype(np.float32)
    widths = np.minimum(step, part.shape[1] - step * np.arange(nx)).astype(np.float32)
    mean: NDArray[np.float32] = _bin(np.add, part, cut)
    mean /= heights[:, None]
    mean /= widths
    bins = np.nonzero(~np.isfinite(mean))
    if bins[0].size:
        mean[bins] = _mean_of_finite(part, bins, step)
    return mean


def _mean_of_finite(
    part: NDArray[np.float32], bins: tuple[NDArray[np.intp], ...], step: int
) -> NDArray[np.float32]:
    """Average the finite values of some bins, which are few; NaN for those that have none."""
    total, count = np.zeros(bins[0].size, np.float32), np.zeros(bins[0].size, np.float32)
    last_y, last_x = part.shape[0] - 1, part.shape[1] - 1
    for dy in range(step):
        for dx in range(step):
            y, x = bins[0] * step + dy, bins[1] * step + dx
            values = part[np.minimum(y, last_y), np.minimum(x, last_x)]
            good = np.isfinite(values) & (y <= last_y) & (x <= last_x)
            total += np.where(good, values, np.float32(0))
            count += good
    with np.errstate(invalid="ignore"):
        return (total / np.where(count == 0, np.nan, count)).astype(np.float32)


def _bin(combine: np.ufunc, part: NDArray[Any], cut: Cut) -> NDArray[Any]:
    """Combine the values of each bin: rows first, which lie together in memory, then what is left of them."""
    ny, nx = cut.shape
    rows = np.zeros((ny, part.shape[1]), part.dtype)
    with np.errstate(invalid="ignore", over="ignore"):
        for dy in range(cut.step):
            values = part[dy :: cut.step]
            combine(rows[: len(values)], values, out=rows[: len(values)])
        binned = np.zeros((ny, nx), part.dtype)
        for dx in range(cut.step):
            values = rows[:, dx :: cut.step]
            inside = binned[:, : values.shape[1]]
            combine(inside, values, out=inside)
    return binned


def bin_flags(dq: NDArray[np.uint32], cut: Cut) -> NDArray[np.uint32]:
    """Cut a DQ image and collect in each bin the flags of all its pixels.

    Returns
    -------
    uint32, of shape ``cut.shape``
    """
    part = dq[cut.y0 : cut.y1, cut.x0 : cut.x1]
    return part if cut.step == 1 else _bin(np.bitwise_or, part, cut)


def encode(rgb: NDArray[np.uint8], *, lossless: bool) -> tuple[str, bytes]:
    """Encode an image for the browser, first row at the bottom.

    Parameters
    ----------
    rgb : uint8 (ny, nx, 3)
    lossless : bool
        PNG; otherwise JPEG, six times faster and smaller.

    Returns
    -------
    (str, bytes)
        Format (``png`` or ``jpeg``) and file content.
    """
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(rgb[::-1]))
    buffer = io.BytesIO()
    if lossless:
        picture.save(buffer, "PNG", compress_level=1)
        return "png", buffer.getvalue()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return "jpeg", buffer.getvalue()
