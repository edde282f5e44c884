"""Which pixels of an exposure are background: from a draft of its count rates, without regions of science."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, U32, Exposure, Ramp, Rates, Reference, References
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.ramp_fit import ramp_fit
from jwcal_interactive.steps.references import shaped
from jwcal_interactive.steps.soss_traces import near_traces
from jwcal_interactive.tiles import Tiles

__all__ = ["DRAFT_KERNELS", "background_mask", "draft_rates", "not_background"]

B1 = NDArray[np.bool_]

DRAFT_KERNELS = ("ramp_fit", "ramp_fit_weights")
"""Modules with the kernels of `draft_rates`."""


def draft_rates(ramp: Ramp, refs: References, tiles: Tiles) -> Rates:
    """Fit the ramps as they are, with the default parameters of ramp_fit.

    Raises
    ------
    Skip
        If there is no gain or readnoise reference.
    """
    return ramp_fit(ramp, refs, ramp_fit.params(), tiles)  # type: ignore[no-any-return]


def background_mask(
    rates: F32,
    excluded: B1 | None,
    *,
    n_sigma: float,
    fit_histogram: bool = False,
    single_mask: bool = True,
    check: Callable[[], None],
) -> B1:
    """Pixels that show background.

    Pixels that are NaN or exactly 0 do not count; of the others, those more than 3 standard deviations below or
    `n_sigma` above the clipped median are taken out.

    Parameters
    ----------
    rates : float32 (ny, nx) or (nints, ny, nx)
        Draft of the count rates, DN/s.
    excluded : bool, as `rates` or (ny, nx), or None
        Pixels that are no background in any case.
    n_sigma : float
        0 for no clipping.
    fit_histogram : bool
        Take centre and standard deviation from a Gaussian fitted to the histogram.
    single_mask : bool
        One mask for all integrations: background in each of them.
    check : callable
        Called often; raises to stop.

    Returns
    -------
    bool (ny, nx) or (nints, ny, nx)
    """
    from jwcal_interactive.kernels.background import background_limits, keep_between, sorted_values

    mask: B1 = ~np.isnan(rates) & (rates != 0)
    if excluded is not None:
        mask &= ~excluded
    if n_sigma > 0:
        shape = rates.shape[-2:]
        scratch = np.empty(shape[0] * shape[1], np.float32)
        for plane, use in zip(rates.reshape(-1, *shape), mask.reshape(-1, *shape), strict=True):
            check()
            values = sorted_values(plane, use, scratch, check)
            limits = background_limits(values, sigma_upper=n_sigma, fit_histogram=fit_histogram)
            keep_between(plane, limits.lower, limits.upper, use)
    if single_mask and mask.ndim == 3:
        mask = np.asarray(mask.all(axis=0))
    return mask


def not_background(exposure: Exposure, rates: Rates, dq: U32, refs: References) -> B1 | None:
    """Regions of the detector that are never background, by exposure type; ``None`` if there are none.

    NIRSpec: slits, slices, the fixed slits, and what shines through failed-open shutters. MIRI imager: what the
    flags of the exposure and of its flat call DO_NOT_USE or NON_SCIENCE. NIRISS SOSS: the traces.

    Parameters
    ----------
    exposure : Exposure
    rates : Rates
        Draft of the count rates.
    dq : uint32 (..., ny, nx)
        Flags of the draft.
    refs : References
        ``flat`` (MIRI, may be N/A) and ``pastasoss`` (SOSS).

    Raises
    ------
    NothingOnDetector
        If no spectrum falls on this NIRSpec detector (`jwcal_interactive.io.official_scene`).
    Skip
        If the regions cannot be found.
    InputError
        If the official package, which knows those of NIRSpec, is not installed.
    """
    if exposure.instrument == "NIRSPEC":
        from jwcal_interactive.io.official_scene import nirspec_regions

        return nirspec_regions(rates)
    if exposure.exp_type == "MIR_IMAGE":
        flags = np.uint32(DQ.DO_NOT_USE | DQ.NON_SCIENCE)
        flat = refs.get("flat")
        bad: B1 = (dq & flags) != 0
        return bad if flat is None else bad | _not_science(flat, dq.shape[-2:], flags)
    if exposure.exp_type == "NIS_SOSS":
        reference = refs.get("pastasoss")
        if reference is None:
            raise Skip("there is no pastasoss reference (N/A) to tell where the traces are")
        return near_traces(exposure, reference, (dq.shape[-2], dq.shape[-1]))
    return None


def _not_science(flat: Reference, shape: tuple[int, ...], flags: np.uint32) -> B1:
    shaped(flat, shape)
    unusable: B1 = np.isnan(flat.data) | (flat.data == 0)
    if "ERR" in flat.arrays:
        unusable |= np.isnan(flat.arrays["ERR"])
    if flat.dq is not None:
        unusable |= (flat.dq & (flags | np.uint32(DQ.NO_FLAT_FIELD))) != 0
    return unusable
