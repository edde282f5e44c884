"""What finding jumps needs to know of the whole exposure before it looks at any pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import U8, Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.jump_params import JumpParams

__all__ = ["FEWEST_GROUPS", "Survey", "find_mode", "lost_groups", "survey"]

# Fewer groups give fewer than two differences to compare.
FEWEST_GROUPS = 3


@dataclass(frozen=True, eq=False)
class Survey:
    """Facts of one exposure.

    Attributes
    ----------
    lost : bool (nints, ngroups)
        Groups that are DO_NOT_USE in all pixels.
    mode : int
        How jumps are found: a mode of `kernels.jump`.
    params : JumpParams
    sizes : (float, float)
        Jumps of at least these sizes flag groups after them, electron.
    counts : (int, int)
        How many groups they flag.
    whole : bool
        Whether this was seen in the whole frame, or in a sample that is to be confirmed.
    """

    lost: NDArray[np.bool_]
    mode: int
    params: JumpParams
    sizes: tuple[float, float] = (0.0, 0.0)
    counts: tuple[int, int] = (0, 0)
    whole: bool = True


def survey(
    groupdq: U8,
    gain: Callable[[], Reference | None],
    group_time: float,
    p: JumpParams,
    *,
    whole: bool = True,
) -> Survey:
    """Look at an exposure as a whole.

    Parameters
    ----------
    groupdq : uint8 (nints, ngroups, ny, nx)
        Of the whole frame or a sample of it.
    gain : callable
        Gives the gain reference, electron/DN; only asked for where it matters.
    whole : bool
        Whether ``groupdq`` is all.
    group_time : float
        Seconds.
    p : JumpParams

    Raises
    ------
    Skip
        With fewer than `minimum_groups`, or three, usable groups.
    """
    ngroups = groupdq.shape[1]
    if ngroups < FEWEST_GROUPS:
        raise Skip(f"NGROUPS = {ngroups}; finding jumps needs {FEWEST_GROUPS} groups")
    lost = lost_groups(groupdq)
    mode = find_mode(lost, p)
    times = (p.after_jump_flag_time1, p.after_jump_flag_time2)
    count1, count2 = (int(time // group_time) for time in times)
    reference = gain() if count1 or count2 else None
    if reference is None or np.isnan(reference.data).all():
        return Survey(lost, mode, p, whole=whole)
    typical = np.nanmedian(reference.data)
    size1, size2 = (np.float32(dn) * typical for dn in (p.after_jump_flag_dn1, p.after_jump_flag_dn2))
    return Survey(lost, mode, p, (float(size1), float(size2)), (count1, count2), whole)


def lost_groups(groupdq: U8) -> NDArray[np.bool_]:
    """Find the groups that are DO_NOT_USE in all pixels, bool (nints, ngroups)."""
    flag = np.uint8(DQ.DO_NOT_USE)
    ny, nx = groupdq.shape[-2:]
    lost: NDArray[np.bool_] = (groupdq[:, :, ny // 2, nx // 2] & flag) != 0
    for i, k in zip(*np.nonzero(lost), strict=True):
        lost[i, k] = bool((groupdq[i, k] & flag).all())
    return lost


def find_mode(lost: NDArray[np.bool_], p: JumpParams) -> int:
    """How jumps are found, given the groups that are lost; `GIVEN` after sigma clipping across integrations.

    Raises
    ------
    Skip
        With fewer than `minimum_groups`, or three, usable groups.
    """
    from jwcal_interactive.kernels import jump as kernels

    nints, ngroups = lost.shape
    available = nints if p.only_use_ints else int((~lost).sum())
    if available >= p.minimum_sigclip_groups:
        return kernels.GIVEN
    usable = ngroups - int(lost.sum(axis=1).max())
    fewest = max(p.minimum_groups, FEWEST_GROUPS)
    if usable < fewest:
        raise Skip(f"{usable} of {ngroups} groups are usable; at least {fewest} are needed")
    return kernels.ONE_PASS if usable - 1 >= p.min_diffs_single_pass else kernels.ITERATIVE
