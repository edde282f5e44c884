"""emicorr: remove periodic electromagnetic interference from MIRI ramps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from jwcal_interactive.arrays import Exposure, Ramp, References, SideProduct
from jwcal_interactive.errors import Skip
from jwcal_interactive.instruments import AMPLIFIERS
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import Look, step
from jwcal_interactive.steps.emicorr_joint import FittedWave, fit_jointly
from jwcal_interactive.steps.emicorr_sequential import MeasuredWave, Sequence, measure_in_sequence
from jwcal_interactive.steps.emicorr_waves import (
    READPATTS,
    Clocks,
    Wave,
    reference_tree,
    waves_of,
    waves_on_the_fly,
)
from jwcal_interactive.tiles import Tiles

__all__ = ["EmiCorrParams", "emicorr"]

_FEWEST_GROUPS = 3


class EmiCorrParams(StepParams):
    """Parameters of emicorr."""

    skip: bool = param(True, help="Leave this step out.")
    algorithm: Literal["sequential", "joint"] = param(
        "joint",
        help="joint: fit ramps and interference together. sequential: fit interference in what straight "
        "ramps leave; for ten or more groups.",
    )
    nints_to_phase: int | None = param(
        None,
        advanced=True,
        ge=1,
        help="Number of integrations in which the sequential algorithm measures the wave; by default as many "
        "as use_n_cycles asks for.",
    )
    nbins: int | None = param(
        None,
        advanced=True,
        ge=1,
        slider=(10, 500),
        help="Bins of phase in the sequential algorithm, at most 500; by default one per two pixel clocks.",
    )
    scale_reference: bool = param(
        True,
        advanced=True,
        help="Scale the reference wave to the one that the sequential algorithm measures; off: subtract it "
        "with the amplitude that it has in the reference.",
    )
    onthefly_corr_freq: tuple[float, ...] | None = param(
        None,
        advanced=True,
        unit="Hz",
        help="Frequencies to remove by the wave that the sequential algorithm measures, without a reference.",
    )
    use_n_cycles: int | None = param(
        3,
        advanced=True,
        ge=1,
        slider=(1, 20),
        help="Periods of the wave that nints_to_phase, if not given, must cover; none for all integrations.",
    )
    fit_ints_separately: bool = param(
        False, advanced=True, help="Give each integration its own phase and amplitude in the joint algorithm."
    )
    user_supplied_reffile: str | None = param(
        None,
        file="emicorr",
        help="Reference file to use instead of the one of CRDS; an override does the same.",
    )
    save_intermediate_results: bool = param(
        False,
        advanced=True,
        help="Write the waves that were measured for onthefly_corr_freq, as a reference file.",
    )


@dataclass(frozen=True)
class Removal:
    """What was found in the whole frame: its exposure and clocks, and the waves in order."""

    exposure: Exposure
    clocks: Clocks
    waves: tuple[FittedWave, ...] | tuple[MeasuredWave, ...]


def _takes_reference(_exposure: Exposure, p: EmiCorrParams) -> bool:
    return p.onthefly_corr_freq is None and p.user_supplied_reffile is None


def _saves_waves(p: EmiCorrParams) -> bool:
    return p.onthefly_corr_freq is not None and p.save_intermediate_results


def _reach(_exposure: Exposure, _row: References, p: EmiCorrParams) -> int | None:
    return None if _saves_waves(p) else 0


def _is_joint(p: EmiCorrParams) -> bool:
    return p.algorithm == "joint" and p.onthefly_corr_freq is None


def _kernels(_exposure: Exposure, p: EmiCorrParams) -> tuple[str, ...]:
    return ("emicorr_joint",) if _is_joint(p) else ("emicorr_sequential",)


def _survey(look: Look, refs: References, p: EmiCorrParams, tiles: Tiles) -> Removal:
    """Find the waves.

    Raises
    ------
    Skip
        If the step does not apply, or nothing can be found.
    """
    exposure = look.exposure
    if exposure.instrument != "MIRI":
        raise Skip(f"it is for MIRI, INSTRUME is {exposure.instrument}")
    if exposure.readpatt.upper() not in READPATTS:
        raise Skip(f"it is for READPATT {', '.join(READPATTS)}, not {exposure.readpatt}")
    if exposure.ngroups < _FEWEST_GROUPS or exposure.nints == 0:
        raise Skip(f"it needs {_FEWEST_GROUPS} groups, there are {exposure.ngroups}")
    nx = look.frame[-1]
    if nx % AMPLIFIERS or nx < AMPLIFIERS**2:
        raise Skip(f"the {nx} columns are not those of four amplifiers")
    clocks, waves = _clocks_and_waves(exposure, refs, p)
    if _is_joint(p):
        return Removal(exposure, clocks, fit_jointly(look(), clocks, waves, p.fit_ints_separately, tiles))
    how = Sequence(p.nints_to_phase, p.nbins, p.scale_reference, p.use_n_cycles)
    return Removal(exposure, clocks, measure_in_sequence(look().data, clocks, waves, how, tiles))


@step(
    "emicorr",
    keyword="S_MIREMI",
    references=("emicorr",),
    params=EmiCorrParams,
    only_if={"emicorr": _takes_reference},
    reach=_reach,
    survey=_survey,
    kernels=_kernels,
)
def emicorr(ramp: Ramp, refs: References, p: EmiCorrParams, tiles: Tiles, facts: Removal) -> Ramp:
    """Subtract waves of electromagnetic interference, whose frequencies are known, from MIRI ramps.

    The detector is read pixel after pixel, four at a time, so that a periodic disturbance gives each pixel
    the phase at the clock of its reading. Frequencies and shapes of the waves and the clocks of subarrays
    come from the reference; amplitude and phase are fitted. Waves are removed in the order of the reference;
    one that cannot be fitted is left.
    """
    whole, part = facts.exposure, ramp.exposure
    origin = part.ystart - whole.ystart, part.xstart - whole.xstart
    data, out = ramp.data, np.empty_like(ramp.data)
    for wave in facts.waves:
        wave.subtract(data, facts.clocks, origin, out, tiles)
        data = out
    if not _saves_waves(p):
        return ramp.with_(data=out)
    measured = tuple(
        replace(found.wave, amplitudes=found.amplitudes)
        for found in facts.waves
        if isinstance(found, MeasuredWave)
    )
    tree = reference_tree(measured, facts.clocks, whole)
    return ramp.with_(
        data=out, side_products=(SideProduct(suffix="emi_ref_waves", model="EmiModel", tree=tree),)
    )


def _clocks_and_waves(
    exposure: Exposure, refs: References, p: EmiCorrParams
) -> tuple[Clocks, tuple[Wave, ...]]:
    if p.onthefly_corr_freq is not None:
        return waves_on_the_fly(p.onthefly_corr_freq, exposure)
    reference = refs.get("user_supplied_reffile") or refs.get("emicorr")
    if reference is None:
        raise Skip("there is no emicorr reference (N/A) for this exposure")
    return waves_of(reference, exposure)
