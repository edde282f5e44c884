"""guider_cds: count rates of guider exposures by correlated double sampling."""

from __future__ import annotations

import numpy as np

from jwcal_interactive.arrays import F32, GuiderSlopes, Ramp, Reference, References
from jwcal_interactive.errors import InputError, Skip
from jwcal_interactive.instruments import GUIDER_EXP_TYPES
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.steps.references import shaped
from jwcal_interactive.tiles import Tiles

__all__ = ["GuiderCdsParams", "guider_cds"]

# Groups averaged at each end of a FINEGUIDE integration.
_FINEGUIDE_GROUPS = 4


class GuiderCdsParams(StepParams):
    """guider_cds has no parameters of its own."""


@step("guider_cds", keyword="S_GUICDS", references=("gain", "readnoise"), params=GuiderCdsParams)
def guider_cds(ramp: Ramp, refs: References, p: GuiderCdsParams, tiles: Tiles) -> GuiderSlopes:
    """Difference of late and early groups over the group time, DN/s.

    - ACQ1, ACQ2, TRACK: second minus first group of each integration.
    - FINEGUIDE: mean of the last four minus mean of the first four groups of each integration.
    - ID-STACK, ID-IMAGE: for each pixel, the smaller difference of the first two integrations, which
      leaves out cosmic rays; one image.

    ERR is the official one: ``sqrt(2 (N / t)^2 + max(S, 0) / (g t))`` with the read noise N, DN, the
    group time t, s, the difference S, DN, and the gain g, electron/DN. (For a variance in DN^2/s^2 the
    second term should have t^2.)

    Raises
    ------
    Skip
        Without a gain or readnoise reference (N/A).
    InputError
        If EXP_TYPE is not of a guider, or there are too few groups or integrations for it.
    """
    exposure = ramp.exposure
    mode = exposure.exp_type
    _check(ramp)
    gain = _values(refs, "gain", ramp)
    readnoise = _values(refs, "readnoise", ramp)
    time = np.float32(exposure.group_time)
    if mode == "FGS_FINEGUIDE":
        late = ramp.data[:, -_FINEGUIDE_GROUPS:].mean(axis=1)
        signal = late - ramp.data[:, :_FINEGUIDE_GROUPS].mean(axis=1)
    else:
        signal = ramp.data[:, 1] - ramp.data[:, 0]
        if mode.startswith("FGS_ID"):
            signal = np.minimum(signal[1], signal[0])[np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):
        poisson = signal / (gain * time)
    poisson[poisson < 0] = 0.0
    err = np.sqrt(2 * (readnoise / time) ** 2 + poisson)
    return GuiderSlopes(
        exposure=exposure,
        data=signal / time,
        err=err,
        dq=ramp.pixeldq,
        keywords=ramp.keywords,
    )


def _check(ramp: Ramp) -> None:
    exposure, (nints, ngroups) = ramp.exposure, ramp.data.shape[:2]
    mode = exposure.exp_type
    if mode not in GUIDER_EXP_TYPES:
        raise InputError(
            f"{exposure.filename}: EXP_TYPE = {mode} is not a guider exposure; guider_cds takes "
            f"{', '.join(sorted(GUIDER_EXP_TYPES))}."
        )
    if ngroups < 2:
        raise InputError(f"{exposure.filename}: NGROUPS = {ngroups}; a difference needs 2 groups.")
    if mode.startswith("FGS_ID") and nints < 2:
        raise InputError(f"{exposure.filename}: NINTS = {nints}; {mode} compares 2 integrations.")


def _values(refs: References, reftype: str, ramp: Ramp) -> F32:
    ref: Reference | None = refs.get(reftype)
    if ref is None:
        raise Skip(f"there is no {reftype} reference (N/A) for this exposure")
    shape = ramp.data.shape[-2:]
    values: F32 = ref.data
    if ref.data.shape != shape and "STACK" in ramp.exposure.exp_type:
        # A stack is put together from strips of the detector: no pixel of the reference belongs to it.
        return np.full(shape, values.mean(), np.float32)
    shaped(ref, shape)
    return values
