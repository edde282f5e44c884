"""emicorr: remove periodic electromagnetic interference from MIRI ramps."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from jwcal_interactive.arrays import Exposure, Ramp, References, SideProduct
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams, param
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.emicorr_joint import remove_jointly
from jwcal_interactive.steps.emicorr_sequential import Sequence, remove_in_sequence
from jwcal_interactive.steps.emicorr_waves import (
    AMPLIFIERS,
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
        help="Fit ramps and interference together, or interference in what ramps leave; the latter is for ten "
        "or more groups.",
    )
    nints_to_phase: int | None = param(
        None,
        ge=1,
        help="Number of integrations in which the sequential algorithm measures the wave.",
    )
    nbins: int | None = param(
        None,
        ge=1,
        slider=(10, 500),
        help="Bins of phase in the sequential algorithm, at most 500; by default one per two pixel clocks.",
    )
    scale_reference: bool = param(
        True, help="Scale the reference wave to the one that the sequential algorithm measures."
    )
    onthefly_corr_freq: tuple[float, ...] | None = param(
        None,
        unit="Hz",
        help="Frequencies to remove by the wave that the sequential algorithm measures, without a reference.",
    )
    use_n_cycles: int | None = param(
        3,
        ge=1,
        slider=(1, 20),
        help="Periods of the wave that nints_to_phase, if not given, must cover; none for all integrations.",
    )
    fit_ints_separately: bool = param(
        False, help="Give each integration its own phase and amplitude in the joint algorithm."
    )
    user_supplied_reffile: str | None = param(
        None,
        file="emicorr",
        help="Reference file to use instead of the one of CRDS; an override does the same.",
    )
    save_intermediate_results: bool = param(
        False, help="Write the waves that were measured for onthefly_corr_freq, as a reference file."
    )


def _takes_reference(_exposure: Exposure, p: EmiCorrParams) -> bool:
    return p.onthefly_corr_freq is None and p.user_supplied_reffile is None


@step(
    "emicorr",
    keyword="S_MIREMI",
    references=("emicorr",),
    params=EmiCorrParams,
    only_if={"emicorr": _takes_reference},
)
def emicorr(ramp: Ramp, refs: References, p: EmiCorrParams, tiles: Tiles) -> Ramp:
    """Subtract waves of electromagnetic interference, whose frequencies are known, from MIRI ramps.

    The detector is read pixel after pixel, four at a time, so that a periodic disturbance gives each pixel
    the phase at the clock of its reading. Frequencies and shapes of the waves and the clocks of subarrays
    come from the reference; amplitude and phase are fitted. Waves are removed in the order of the reference;
    one that cannot be fitted is left.
    """
    exposure, (nints, ngroups, _, nx) = ramp.exposure, ramp.data.shape
    if exposure.instrument != "MIRI":
        raise Skip(f"it is for MIRI, INSTRUME is {exposure.instrument}")
    if exposure.readpatt.upper() not in READPATTS:
        raise Skip(f"it is for READPATT {', '.join(READPATTS)}, not {exposure.readpatt}")
    if ngroups < _FEWEST_GROUPS or nints == 0:
        raise Skip(f"it needs {_FEWEST_GROUPS} groups, there are {ngroups}")
    if nx % AMPLIFIERS or nx < AMPLIFIERS**2:
        raise Skip(f"the {nx} columns are not those of four amplifiers")

    clocks, waves = _clocks_and_waves(ramp, refs, p)
    if p.algorithm == "joint" and p.onthefly_corr_freq is None:
        return ramp.with_(data=remove_jointly(ramp, clocks, waves, p.fit_ints_separately, tiles))
    how = Sequence(p.nints_to_phase, p.nbins, p.scale_reference, p.use_n_cycles)
    data, measured = remove_in_sequence(ramp.data, clocks, waves, how, tiles)
    ramp = ramp.with_(data=data)
    if p.onthefly_corr_freq is None or not p.save_intermediate_results:
        return ramp
    found = tuple(replace(wave, amplitudes=measured[wave.name]) for wave in waves if wave.name in measured)
    side = SideProduct(suffix="emi_ref_waves", model="EmiModel", tree=reference_tree(found, clocks, exposure))
    return ramp.with_(side_products=(side,))


def _clocks_and_waves(ramp: Ramp, refs: References, p: EmiCorrParams) -> tuple[Clocks, tuple[Wave, ...]]:
    if p.onthefly_corr_freq is not None:
        return waves_on_the_fly(p.onthefly_corr_freq, ramp.exposure)
    reference = refs.get("user_supplied_reffile") or refs.get("emicorr")
    if reference is None:
        raise Skip("there is no emicorr reference (N/A) for this exposure")
    return waves_of(reference, ramp.exposure)
