"""gain_scale: undo a non-standard detector gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jwcal_interactive.arrays import Keyword, Rates, References, Slopes
from jwcal_interactive.errors import Skip
from jwcal_interactive.params import StepParams
from jwcal_interactive.steps.definition import step
from jwcal_interactive.tiles import Tiles

__all__ = ["GainScaleParams", "gain_scale"]


class GainScaleParams(StepParams):
    """gain_scale has no parameters of its own."""


@step("gain_scale", keyword="S_GANSCL", references=("gain",), params=GainScaleParams, reach=0)
def gain_scale(rates: Rates, refs: References, p: GainScaleParams, tiles: Tiles) -> Rates:
    """Multiply rates and errors by GAINFACT, and variances by its square.

    The factor is that of the exposure, or else of the gain reference (JWST documentation, "Gain
    scale"); it is 1 or missing in the standard gain.

    Raises
    ------
    Skip
        If there is no GAINFACT.
    """
    factor = rates.exposure.gain_factor
    gain = refs.get("gain")
    if factor is None and gain is not None:
        value = gain.keywords.get("GAINFACT")
        factor = float(value) if isinstance(value, int | float) else None
    if factor is None:
        raise Skip("GAINFACT is neither in the exposure nor in the gain reference")
    return rates.with_(
        exposure=replace(rates.exposure, gain_factor=factor),
        rate=_scaled(rates.rate, factor),
        rateints=_scaled(rates.rateints, factor),
        keywords={"GAINFACT": Keyword(factor, "Gain scale factor")},
    )


def _scaled(slopes: Slopes, factor: float) -> Slopes:
    linear, square = np.float32(factor), np.float32(factor**2)
    return slopes.with_(
        data=slopes.data * linear,
        err=slopes.err * linear,
        var_poisson=slopes.var_poisson * square,
        var_rnoise=slopes.var_rnoise * square,
    )
