"""Work on the images of groups, or of their differences, each by itself, on all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32
from jwcal_interactive.tiles import Tiles

__all__ = ["add_up", "over_images"]

Scratch = TypeVar("Scratch")


def over_images(
    images: Sequence[tuple[int, int]],
    scratch: Callable[[], Scratch],
    tiles: Tiles,
    work: Callable[[Scratch, int, int], None],
) -> None:
    """Call ``work(scratch, integration, group)`` for images, in any order, on all threads.

    Parameters
    ----------
    images : sequence of (int, int)
        Integration and group, counted from 0.
    scratch : callable
        Makes the working memory of one thread.
    tiles : Tiles
    work : callable
        Shall check for cancellation often, since an image is a long piece of work.

    Raises
    ------
    Cancelled
        If the user stopped the run.
    """
    own = threading.local()

    def one(n: int, _: int) -> None:
        if not hasattr(own, "scratch"):
            own.scratch = scratch()
        work(own.scratch, *images[n])

    replace(tiles, band_rows=1).over_rows(len(images), one)


def add_up(data: F32, differences: NDArray[np.bool_], tiles: Tiles) -> None:
    """Turn differences of groups into groups, in place.

    Parameters
    ----------
    data : float32 (nints, ngroups, ny, nx)
        Groups, or differences to the group before.
    differences : bool (nints, ngroups)
        Which of them are differences; never the first of an integration.
    tiles : Tiles
    """

    def add(y0: int, y1: int) -> None:
        for i, g in np.argwhere(differences):
            data[i, g, y0:y1] += data[i, g - 1, y0:y1]

    tiles.over_rows(data.shape[2], add)
