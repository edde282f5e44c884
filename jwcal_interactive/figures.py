"""Static figures for notebooks that run without a browser."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, State
from jwcal_interactive.dq import DQ
from jwcal_interactive.instruments import RAMP_UNIT, RATE_UNIT

__all__ = ["Figure", "slope_figure"]


@dataclass(frozen=True)
class Figure:
    """A picture that notebooks display."""

    png: bytes

    def __repr__(self) -> str:
        return f"<Figure: PNG, {len(self.png) / 1e3:.0f} kB>"

    def _repr_png_(self) -> bytes:
        return self.png


def slope_figure(state: State, title: str) -> Figure:
    """Draw the image of a state beside the distribution of its values.

    Parameters
    ----------
    state : Rates, GuiderSlopes or Ramp
        Count rates in DN/s (the first integration of a guider exposure); of a ramp, the last group in DN.
    title : str
        Heading.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    image, bad, unit = _plane(state)
    good = image[~bad & np.isfinite(image)]
    low, high = np.percentile(good, [1, 99]) if good.size else (0.0, 1.0)
    figure = Canvas(figsize=(10, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    shown = left.imshow(image, origin="lower", vmin=low, vmax=high, cmap="gray", interpolation="nearest")
    left.set(xlabel="x / pixel", ylabel="y / pixel")
    figure.colorbar(shown, ax=left, label=unit)
    right.hist(good, bins=200, range=(low - (high - low), high + (high - low)), histtype="step")
    right.set(xlabel=unit, ylabel="pixels", yscale="log" if good.size else "linear")
    flagged = 100 * float(bad.mean())
    right.set_title(f"median {np.median(good) if good.size else np.nan:.4g} {unit}, {flagged:.2f} % not usable")
    figure.suptitle(title)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return Figure(buffer.getvalue())


def _plane(state: State) -> tuple[np.ndarray, np.ndarray, str]:
    if isinstance(state, Rates):
        return state.rate.data, (state.rate.dq & DQ.DO_NOT_USE) != 0, RATE_UNIT
    if isinstance(state, GuiderSlopes):
        return state.data[0], (state.dq & DQ.DO_NOT_USE) != 0, RATE_UNIT
    assert isinstance(state, Ramp)
    return state.data[0, -1], (state.groupdq[0, -1] & DQ.DO_NOT_USE) != 0, RAMP_UNIT
