"""ramp_fit: from ramps to count rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import (
    F32,
    U32,
    Exposure,
    Keyword,
    Ramp,
    Rates,
    References,
    SideProduct,
    Slopes,
)
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError, Skip
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import Look, step
from jwcal_interactive.steps.ramp_fit_likely import MIN_GROUPS, fit_ramps_likely, readouts_of
from jwcal_interactive.steps.ramp_fit_ols import SEGMENT_VALUES, OlsFit, OlsSetup, fit_ramps_ols, fit_segments
from jwcal_interactive.steps.readout import frame_time, refuse_unsupported
from jwcal_interactive.steps.references import needed
from jwcal_interactive.tiles import Tiles

__all__ = [
    "RampFitParams",
    "find_groups",
    "groups_to_use",
    "ols_setup",
    "ramp_fit",
    "uses_likelihood",
]


class RampFitParams(StepParams):
    """Parameters of ramp_fit."""

    algorithm: Literal["OLS_C", "LIKELY"] = param(
        "OLS_C",
        help="OLS_C: least squares for each segment between jumps, with weights for its signal-to-noise "
        "ratio. LIKELY: maximum likelihood of the differences between groups, which finds further jumps "
        "by itself; exposures with fewer than four groups are fitted by OLS_C.",
    )
    suppress_one_group: bool = param(
        True,
        help="Give no slope for ramps with a single good group; ignored if NGROUPS = 1, and by LIKELY, "
        "which needs two.",
    )
    firstgroup: int | None = param(None, ge=0, help="Leave out the groups before this one, counted from 0.")
    lastgroup: int | None = param(None, ge=0, help="Leave out the groups after this one, counted from 0.")
    save_opt: bool = param(
        False,
        advanced=True,
        help="Also write what the fit found on the way: slopes and intercepts of segments, pedestals and "
        "heights of jumps (fitopt), or chi squared with LIKELY (likely_chisq).",
    )
    opt_name: str = param(
        "",
        advanced=True,
        help="Name of the optional product, to which its suffix is added; by default that of the input.",
    )

    without_effect: ClassVar[Mapping[str, str]] = {
        "int_name": "products are named by the pipeline",
        "maximum_cores": "threads are set for the whole run",
    }


def find_groups(look: Look, refs: References, p: RampFitParams, tiles: Tiles) -> tuple[int, int]:
    """Half-open range of the groups that ramps are made of.

    These are all, but for least squares of MIRI exposures, where groups that are DO_NOT_USE in all ramps at
    the start, and one at the end, do not count: otherwise no ramp could be said to be saturated from the
    first group that is read well.

    Raises
    ------
    Skip
        If fewer than two groups are left of a MIRI exposure with more than one.
    """
    exposure = look.exposure
    ngroups = exposure.ngroups
    if exposure.instrument != "MIRI" or ngroups == 1 or uses_likelihood(p, ngroups):
        return 0, ngroups
    lost = np.ones(ngroups, bool)
    for y in {look.frame[0] // 2} | ({look.brightest()} if look.brightest is not None else set()):
        lost &= _lost_groups(look(slice(y, y + 1)), p, lost)
    if look.whole or _used(lost)[1] - _used(lost)[0] < 2:  # else `_confirm` asks the other rows
        for y in range(0, look.frame[0], tiles.band_rows):
            tiles.check()
            if not lost.any():
                break
            lost &= _lost_groups(look(slice(y, y + tiles.band_rows)), p, lost)
    start, stop = _used(lost)
    if stop - start < 2:
        raise Skip("fewer than two groups are good in any ramp of this MIRI exposure; a slope needs two")
    return start, stop


def _used(lost: NDArray[np.bool_]) -> tuple[int, int]:
    """Range of groups without lost ones at the start, and one at the end."""
    return (lost.size if lost.all() else int(np.argmin(lost))), lost.size - int(lost[-1])


def _lost_groups(ramp: Ramp, p: RampFitParams, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which groups, among some, are DO_NOT_USE in all ramps, (ngroups,)."""
    groupdq, ngroups = ramp.groupdq, ramp.data.shape[1]
    flag = np.uint8(DQ.DO_NOT_USE)
    if all((groupdq[i, k] & flag).all() for k in np.flatnonzero(among) for i in range(groupdq.shape[0])):
        return among
    lost = (groupdq & flag) != 0
    first, last = groups_to_use(p, ngroups)
    lost[:, :first] = lost[:, last + 1 :] = True
    if p.suppress_one_group:
        good = ~lost & ((groupdq & np.uint8(0xFF & ~DQ.PERSISTENCE)) == 0)
        lost |= good.sum(axis=1, keepdims=True) == 1
    return among & lost.all(axis=(0, 2, 3))  # type: ignore[no-any-return]


def _tallies(ramp: Ramp, p: RampFitParams, groups: tuple[int, int]) -> dict[str, NDArray[np.int64]]:
    """Tell in which rows of a band the groups that were taken for lost everywhere are found."""
    outside = np.ones(ramp.data.shape[1], bool)
    outside[slice(*groups)] = False
    if not outside.any():
        return {}
    wrong = outside & ~_lost_groups(ramp, p, outside)
    counts = np.zeros((ramp.data.shape[2], wrong.size), np.int64)
    counts[0] = wrong
    return {"found": counts}


def _confirm(totals: Mapping[str, Any], _groups: tuple[int, int]) -> bool:
    """Whether the groups that seemed lost are, in all rows."""
    return not totals or not totals["found"].any()


def _revise(totals: Mapping[str, Any], groups: tuple[int, int]) -> tuple[int, int]:
    """Range of groups without those that are lost in all rows."""
    lost = totals["found"] == 0
    lost[slice(*groups)] = False
    return _used(lost)


def _reach(exposure: Exposure, row: References, p: RampFitParams) -> int | None:
    """Ask for the whole frame if it has to be known how many segments the ramp with most of them has."""
    return None if p.save_opt and not uses_likelihood(p, exposure.ngroups) else 0


def _kernels(exposure: Exposure, p: RampFitParams) -> tuple[str, ...]:
    if not uses_likelihood(p, exposure.ngroups):
        return "ramp_fit", "ramp_fit_weights"
    return ("ramp_fit_likely",) if exposure.nints == 1 else ("ramp_fit_likely", "ramp_fit_average")


@step(
    "ramp_fit",
    keyword="S_RAMP",
    references=("readnoise", "gain"),
    params=RampFitParams,
    reach=_reach,
    survey=find_groups,
    confirm=_confirm,
    revise=_revise,
    kernels=_kernels,
)
def ramp_fit(ramp: Ramp, refs: References, p: RampFitParams, tiles: Tiles, groups: tuple[int, int]) -> Rates:
    """Fit count rates to ramps, for each integration and for the exposure.

    OLS_C: Each run of good groups between jumps is fitted by least squares with weights
    ``|(i - m) / m|^P / R^2`` about its middle m, where P = 0, 0.4, 1, 3, 6, 10 for a
    signal-to-noise ratio below 5, 10, 20, 50, 100, and above (Fixsen et al. 2000, PASP 112, 1350;
    Robberto, JWST-STScI-001490). Slopes of segments and integrations are averaged with
    1 / variance of read noise. Variances: Poisson ``(r + d) / (t g (L - 1))`` with the median rate
    r, read noise ``12 (R / t)^2 / ((L^3 - L) g^2)`` with ``R = N g / sqrt(2 NFRAMES)``, where L is
    the number of groups, t the group time, s, g the gain, electron/DN, N the CDS read noise, DN, d
    the average dark current. Pixels and integrations without a usable group are NaN with zero errors
    and DO_NOT_USE.

    LIKELY: The differences between groups without any flag are fitted by maximum likelihood with their
    full covariance matrix (Brandt 2024, PASP 136, 045004); differences, or pairs of them where groups
    are averages, are dropped as jumps while that lowers chi squared by 20.25, or 23.8 for a pair (PASP
    136, 045005). Integrations are averaged with 1 / variance. A zero frame is a group of its own if
    groups are averages; not like the official step, it is left out where it is unusable.

    Not like the official step, an exposure whose first groups are all saturated gives a product that says
    so instead of none, and a group range that leaves no ramp is an error instead of being ignored.

    Raises
    ------
    ParameterError
        If firstgroup and lastgroup leave fewer than two groups.
    """
    refuse_unsupported(ramp, "ramp_fit")
    ngroups, ny, nx = ramp.data.shape[1:]
    readnoise = needed(refs, "readnoise", (ny, nx)).data
    gain = needed(refs, "gain", (ny, nx))
    used = groups_to_use(p, ngroups)
    sides: tuple[SideProduct, ...] = ()
    if uses_likelihood(p, ngroups):
        readouts = readouts_of(
            ramp.exposure, ngroups, frame_time(ramp.exposure), zero_frame=ramp.zeroframe is not None
        )
        likely = fit_ramps_likely(ramp, gain.data, readnoise, used, readouts, tiles, chisq=p.save_opt)
        rate, rateints = _slopes(likely.rate, likely.dq), _slopes(likely.rateints, likely.dqints)
        if p.save_opt:
            sides = (_optional(p, "likely_chisq", "ImageModel", {"SCI": likely.chisq}),)
    else:
        fit = fit_segments if p.save_opt else fit_ramps_ols
        ols = fit(ramp, gain.data, readnoise, ols_setup(ramp.exposure, p, ngroups, groups), tiles)
        rate, rateints = _slopes(ols.rate, ols.dq), _slopes(ols.rateints, ols.dqints)
        if p.save_opt:
            sides = (_optional(p, "fitopt", "RampFitOutputModel", _fitopt(ols)),)
    exposure, keywords = ramp.exposure, dict(ramp.keywords)
    factor = gain.keywords.get("GAINFACT")
    if isinstance(factor, int | float):
        exposure = replace(exposure, gain_factor=float(factor))
        keywords["GAINFACT"] = Keyword(float(factor), "Gain scale factor")
    return Rates(
        exposure=exposure,
        rate=rate,
        rateints=rateints,
        keywords=keywords,
        side_products=sides,
        tallies=_tallies(ramp, p, groups),
    )


def uses_likelihood(p: RampFitParams, ngroups: int) -> bool:
    """Whether ramps of so many groups are fitted by LIKELY with these parameters."""
    return p.algorithm == "LIKELY" and ngroups >= MIN_GROUPS


def groups_to_use(p: RampFitParams, ngroups: int) -> tuple[int, int]:
    """First and last group to be used.

    Raises
    ------
    ParameterError
        If these are fewer than two of several.
    """
    first, last = p.firstgroup or 0, ngroups - 1
    if p.lastgroup is not None:
        last = min(p.lastgroup, last)
    if first >= last and (first, last) != (0, ngroups - 1):
        raise ParameterError(
            f"ramp_fit.firstgroup = {p.firstgroup} and ramp_fit.lastgroup = {p.lastgroup} leave "
            f"fewer than two of the {ngroups} groups (0 to {ngroups - 1}); a slope needs two."
        )
    return first, last


def ols_setup(exposure: Exposure, p: RampFitParams, ngroups: int, groups: tuple[int, int]) -> OlsSetup:
    """Collect what least squares need; ``groups`` are those of `find_groups`."""
    first, last = groups_to_use(p, ngroups)
    suppress = p.suppress_one_group and ngroups > 1
    return OlsSetup(first, last, *groups, suppress, frame_time(exposure))


def _fitopt(fit: OlsFit) -> dict[str, NDArray[Any]]:
    """Image extensions of the optional product, in the official order."""
    of_segments = {name.upper(): fit.segments[k] for k, name in enumerate(SEGMENT_VALUES) if k > 1}
    weights = of_segments.pop("WEIGHTS")
    return {**of_segments, "PEDESTAL": fit.pedestal, "WEIGHTS": weights, "CRMAG": fit.jumps}


def _optional(p: RampFitParams, suffix: str, model: str, arrays: Mapping[str, NDArray[Any]]) -> SideProduct:
    name = PurePath(p.opt_name)
    file = str(name.with_name(f"{name.name.removesuffix('.fits')}_{suffix}.fits")) if p.opt_name else ""
    return SideProduct(suffix=suffix, model=model, arrays=arrays, file=file)


def _slopes(arrays: tuple[F32, F32, F32, F32], dq: U32) -> Slopes:
    data, err, var_poisson, var_rnoise = arrays
    return Slopes(data=data, err=err, dq=dq, var_poisson=var_poisson, var_rnoise=var_rnoise)
