"""saturation: which pixels are full, and from which group on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.dq import DQ
from jwcal_widgets.colormaps import color_ramp
from jwcal_widgets.previews.board import Look, Reporter
from jwcal_widgets.previews.report import BACKGROUND, MAP_BINS, Bars, Map, Plot, Report

__all__ = ["PREVIEW", "Saturated", "find_saturated", "first_saturated_group"]

NEVER = 0
FEW = 0.01  # of the map


@dataclass(frozen=True, eq=False)
class Saturated:
    """What the step flagged.

    Attributes
    ----------
    first : uint16 (ny, nx)
        Number, from 1, of the first saturated group in any integration; 0 for pixels that never saturate.
        Binned: the earliest of the pixels in a bin; where they are few, also in the bins around it.
    shape : (int, int)
        Size (ny, nx) of the frame.
    counts : int (ngroups,)
        Detector pixels by the group that is the first saturated one.
    floor : int
        Samples (integration, group, pixel) at or below 0 DN.
    hidden : int
        Samples that are not saturated, but left out because the average of their frames hides saturation.
    """

    first: NDArray[np.uint16]
    shape: tuple[int, int]
    counts: NDArray[np.int64]
    floor: int
    hidden: int


def first_saturated_group(groupdq: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Find the number of the first saturated group of each pixel, over all integrations.

    Parameters
    ----------
    groupdq : uint8 (nints, ngroups, ny, nx)

    Returns
    -------
    uint16 (ny, nx)
        Counted from 1; 0 where no group is saturated.
    """
    first = np.zeros(groupdq.shape[2:], np.uint16)
    for n in range(groupdq.shape[1]):
        hit = np.zeros(first.shape, bool)
        for integration in groupdq[:, n]:
            hit |= (integration & np.uint8(DQ.SATURATED)) != 0
        first[hit & (first == NEVER)] = n + 1
    return first


def find_saturated(ramp: Ramp, before: Ramp, bins: int = 2 * MAP_BINS) -> Saturated:
    """Compare the ramp after saturation with the one before it.

    Parameters
    ----------
    ramp, before : Ramp
        After and before the step.
    bins : int
        The map is at most so many bins wide and high.
    """
    from scipy.ndimage import minimum_filter

    first = first_saturated_group(ramp.groupdq)
    step = -(-max(first.shape) // bins)
    ny, nx = (-(-n // step) for n in first.shape)
    late = np.uint16(np.iinfo(np.uint16).max)
    padded = np.full((ny * step, nx * step), late, np.uint16)
    padded[: first.shape[0], : first.shape[1]] = np.where(first == NEVER, late, first)
    binned = padded.reshape(ny, step, nx, step).min(axis=(1, 3))
    if np.count_nonzero(binned != late) < FEW * binned.size:
        binned = minimum_filter(binned, 3)
    floor = hidden = 0
    for after, earlier in zip(ramp.groupdq, before.groupdq, strict=True):
        new = after & ~earlier
        floor += int(np.count_nonzero(new & np.uint8(DQ.AD_FLOOR)))
        unused = (new & np.uint8(DQ.DO_NOT_USE)) != 0
        hidden += int(np.count_nonzero(unused & ((after & np.uint8(DQ.AD_FLOOR | DQ.SATURATED)) == 0)))
    return Saturated(
        first=np.where(binned == late, np.uint16(NEVER), binned),
        shape=(first.shape[0], first.shape[1]),
        counts=np.bincount(first.ravel(), minlength=ramp.groupdq.shape[1] + 1)[1:],
        floor=floor,
        hidden=hidden,
    )


def _report(look: Look) -> Report | None:
    if not (isinstance(look.after, Ramp) and isinstance(look.before, Ramp)):
        return None
    found = find_saturated(look.after, look.before)
    ngroups = len(found.counts)
    # From yellow (full at once) to dark blue (in the last group): early saturation stands out.
    colors = color_ramp("viridis", np.linspace(1.0, 0.0, ngroups) if ngroups > 1 else np.ones(1))
    table = np.vstack([np.array([BACKGROUND], np.uint8), colors])
    bars = Bars(np.arange(1, ngroups + 1), found.counts, tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colors))
    total, early = int(found.counts.sum()), int(found.counts[:2].sum())
    share = 100.0 * total / (found.shape[0] * found.shape[1])
    return Report(
        (
            Map(table[found.first], found.shape, "in the colours of the bars; never in gray"),
            Plot("first saturated group", "detector pixels", bars=bars),
        ),
        f"<b>{total:,}</b> pixels saturate ({share:.2g} %), <b>{early:,}</b> of them in group 1 or 2 "
        "(one good group or none). "
        f"<span class='jwcal-muted'>At or below 0 DN: {found.floor:,} groups of pixels; left out because "
        f"an average hides saturation: {found.hidden:,}.</span>",
    )


PREVIEW = Reporter(
    "Are stars' cores, and only those, full? Pixels that are full at once have no slope.", _report
)
