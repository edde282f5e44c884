"""Faint showers: differences that are high on average over a ring of pixels."""

from __future__ import annotations

import math

import numpy as np

from jwcal_interactive.dq import DQ
from jwcal_interactive.kernels.compiling import kernel
from jwcal_interactive.kernels.signatures import (
    f64,
    i64,
    r_f32_2,
    r_f32_3,
    r_f32_4,
    r_i64_2,
    r_u8_4,
    r_u32_2,
    void,
    w_u8_2,
    w_u8_4,
)

__all__ = ["keep_rates", "smooth_deviations"]

_JUMP_DET = np.uint8(DQ.JUMP_DET)
_INVALID = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED)
_BAD = np.uint8(DQ.DO_NOT_USE | DQ.SATURATED | DQ.JUMP_DET)


@kernel(
    void(
        r_f32_4, r_u8_4, r_u32_2, r_f32_2, r_f32_3, r_f32_3, i64, i64, r_i64_2, i64, f64, w_u8_2, i64, i64,
    ),
    error_model="numpy",
)  # fmt: skip
def smooth_deviations(
    data, groupdq, pixeldq, gain, centre, sigma, integration, group, intervals, reach, threshold,
    out_high, y0, y1,
):  # fmt: skip
    """Mark the pixels of a group around which differences deviate on average, in rows y0 to y1.

    The mean of |difference - centre| / sigma is taken over the usable pixels of a ring; 0 is assumed beyond the
    array. Nothing is marked where the pixel itself is not usable.

    Parameters
    ----------
    data, groupdq : (nints, ngroups, ny, nx)
        Group values, DN, and their flags.
    pixeldq, gain : (ny, nx)
    centre, sigma : (1 or ngroups - 1, ny, nx)
        As of `jump.typical_differences`.
    integration, group : int
        Which group; its difference from the one before is looked at.
    intervals : (n, 4)
        The ring as runs: row offset, first and last column offset, and 1, or -1 to take a run away again.
    reach : int
        Largest offset of the ring.
    threshold : float
        Mark means above this.
    out_high : (ny, nx)
        1 where marked, else 0.
    """
    ny, nx = gain.shape
    plane = min(group - 1, centre.shape[0] - 1)
    bottom = y0 - reach
    # Sums along rows from the left, one more than pixels, so that a run costs two look-ups.
    totals = np.zeros((y1 - y0 + 2 * reach, nx + 2 * reach + 1), dtype=np.float64)
    weights = np.zeros(totals.shape, dtype=np.int32)
    for r in range(totals.shape[0]):
        y = bottom + r
        total, weight = 0.0, np.int32(0)
        for c in range(totals.shape[1] - 1):
            x = c - reach
            if 0 <= y < ny and 0 <= x < nx:
                flags = groupdq[integration, group, y, x]
                before = groupdq[integration, group - 1, y, x]
                good = not (flags | np.uint8(pixeldq[y, x] & _BAD)) & _BAD
                if good and not before & _INVALID and before != _JUMP_DET:
                    difference = np.float32(
                        np.float32(data[integration, group, y, x] * gain[y, x])
                        - np.float32(data[integration, group - 1, y, x] * gain[y, x])
                    )
                    deviation = np.float32(
                        abs(np.float32(difference - centre[plane, y, x])) / sigma[plane, y, x]
                    )
                    if math.isfinite(deviation):
                        total += deviation
                        weight += np.int32(1)
            else:
                weight += np.int32(1)
            totals[r, c + 1] = total
            weights[r, c + 1] = weight
    ring_total = np.empty(nx, dtype=np.float64)
    ring_weight = np.empty(nx, dtype=np.int32)
    for y in range(y0, y1):
        ring_total[:] = 0.0
        ring_weight[:] = 0
        for j in range(intervals.shape[0]):
            r = y + intervals[j, 0] - bottom
            first, last = intervals[j, 1] + reach, intervals[j, 2] + reach + 1
            sign = np.int32(intervals[j, 3])
            for x in range(nx):
                ring_total[x] += sign * (totals[r, x + last] - totals[r, x + first])
                ring_weight[x] += sign * (weights[r, x + last] - weights[r, x + first])
        r = y - bottom
        for x in range(nx):
            good = weights[r, x + reach + 1] > weights[r, x + reach] and ring_weight[x] > 0
            out_high[y, x] = 1 if good and ring_total[x] / ring_weight[x] > threshold else 0


@kernel(void(r_f32_4, r_u8_4, r_f32_2, f64, w_u8_4, i64, i64), error_model="numpy")
def keep_rates(data, earlier, gain, limit, out_groupdq, y0, y1):
    """Take new flags back where they change the mean difference by more than a limit, in rows y0 to y1.

    They are also taken back where no difference is left. All groups of the integration get their earlier flags.

    Parameters
    ----------
    data : (nints, ngroups, ny, nx)
        Group values, DN.
    earlier : (nints, ngroups, ny, nx)
        Flags before.
    gain : (ny, nx)
        electron/DN.
    limit : float
        DN per group.
    out_groupdq : (nints, ngroups, ny, nx)
        Flags with the new ones; changed.
    """
    nints, ngroups, _, nx = data.shape
    for i in range(nints):
        for y in range(y0, y1):
            for x in range(nx):
                changed = False
                for k in range(ngroups):
                    changed |= earlier[i, k, y, x] != out_groupdq[i, k, y, x]
                if not changed:
                    continue
                # Single precision in the order of the groups, as in the official code.
                sums = np.zeros(2, dtype=np.float32)
                counts = np.zeros(2, dtype=np.int64)
                for k in range(1, ngroups):
                    step = np.float32(
                        np.float32(data[i, k, y, x] * gain[y, x])
                        - np.float32(data[i, k - 1, y, x] * gain[y, x])
                    )
                    if math.isnan(step):
                        continue
                    if not (earlier[i, k, y, x] | earlier[i, k - 1, y, x]) & _BAD:
                        sums[0] = np.float32(sums[0] + step)
                        counts[0] += 1
                    if not (out_groupdq[i, k, y, x] | out_groupdq[i, k - 1, y, x]) & _BAD:
                        sums[1] = np.float32(sums[1] + step)
                        counts[1] += 1
                before, after = np.float32(sums[0] / counts[0]), np.float32(sums[1] / counts[1])
                difference = np.float32(abs(before - after))
                if not difference <= np.float32(limit * abs(gain[y, x])) or not math.isfinite(difference):
                    for k in range(ngroups):
                        out_groupdq[i, k, y, x] = earlier[i, k, y, x]
