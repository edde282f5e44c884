"""The ramps that the panel draws: of the picked pixel, after other steps, of pins, a branch and a preview."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates
from jwcal_widgets.line_colors import BRANCH, MAIN, PREVIEW, SERIES
from jwcal_widgets.pins import Pin
from jwcal_widgets.preview_data import PreviewPixel
from jwcal_widgets.ramp import Fit, Trace, pixel_fit, pixel_ramp
from jwcal_widgets.ramp_controls import Choice
from jwcal_widgets.ramp_data import Pixel, RampData

__all__ = ["Scene", "fit_of", "traces_of"]

_MOST_LABELS = 6


@dataclass(frozen=True, eq=False)
class Scene:
    """What is to be drawn.

    Attributes
    ----------
    data : RampData
    choice : Choice
    pixel : Pixel
        Picked, or under the cursor.
    pins : sequence of Pin
    preview : PreviewPixel or None
        The same pixel in a live preview, if it is in its window.
    fitted : bool
        Whether the chosen ramps are those that were fitted, with the present settings.
    """

    data: RampData
    choice: Choice
    pixel: Pixel
    pins: Sequence[Pin]
    preview: PreviewPixel | None
    fitted: bool

    @property
    def first(self) -> int:
        """The integration that is compared."""
        return self.choice.integrations[0]


def traces_of(scene: Scene, ramp: Ramp) -> tuple[list[tuple[Trace, Pixel]], list[str]]:
    """Collect all traces of a scene with their pixels, the picked one first, and remarks on what is missing.

    Parameters
    ----------
    scene : Scene
    ramp : Ramp
        After the chosen step; it has the picked pixel.
    """
    remarks: list[str] = []
    choice = scene.choice
    here = [*_picked_traces(scene, ramp), *_state_traces(scene)]
    here += [*_branch_traces(scene, remarks), *_preview_traces(scene)]
    found = [(trace, scene.pixel) for trace in here]
    for pin in scene.pins:
        look: dict[str, Any] = {"color": pin.color, "marker": pin.marker, "label": pin.letter, "picked": False}
        trace = _trace(scene, ramp, scene.first, pin.pixel, fitted=scene.fitted, **look)
        found.append((trace, pin.pixel))
    if choice.left_out:
        remarks.append(f"{len(choice.integrations)} of {len(choice.integrations) + choice.left_out} drawn")
    return [(trace, pixel) for trace, pixel in found if trace is not None], remarks


def fit_of(data: RampData, rates: Rates | GuiderSlopes | None, k: int, pixel: Pixel) -> Fit | None:
    """Slope of a pixel in integration k, 0 for the whole exposure; None if it has none."""
    if not isinstance(rates, Rates):
        return None
    y = data.row(pixel, rates.rate.dq.shape[0])
    return None if y is None else pixel_fit(rates, k, pixel.x, y)


def _trace(
    scene: Scene, ramp: Ramp, k: int, pixel: Pixel, *, fitted: bool = False, **look: Any
) -> Trace | None:
    """Ramp of a pixel in integration k; None if the frame does not have the pixel."""
    data = scene.data
    y = data.row(pixel, ramp.data.shape[2])
    if y is None:
        return None
    trace = Trace(pixel_ramp(ramp, k, pixel.x, y), **look)
    if not fitted:
        return trace
    fit = fit_of(data, data.rates()[1], k, pixel)
    slope = math.nan if fit is None else fit.slope
    return replace(trace, segments=data.segments(k, pixel), slope=slope, noise=data.noise(pixel))


def _picked_traces(scene: Scene, ramp: Ramp) -> list[Trace | None]:
    numbers = scene.choice.integrations
    several = len(numbers) > 1
    traces = []
    for place, k in enumerate(numbers):
        color = SERIES[place % len(SERIES)] if several else MAIN
        label = f"int {k}" if several and len(numbers) <= _MOST_LABELS else ""
        traces.append(_trace(scene, ramp, k, scene.pixel, fitted=scene.fitted, color=color, label=label))
    return traces


def _state_traces(scene: Scene) -> list[Trace | None]:
    """Ramps of the same pixel after other steps."""
    traces = []
    for place, step in enumerate(scene.choice.others):
        ramp = scene.data.ramp(step)
        if ramp is not None:
            color = SERIES[1 + place % (len(SERIES) - 1)]
            look: dict[str, Any] = {"color": color, "label": step, "picked": False}
            traces.append(_trace(scene, ramp, scene.first, scene.pixel, **look))
    return traces


def _branch_traces(scene: Scene, remarks: list[str]) -> list[Trace | None]:
    data, pixel, name, step = scene.data, scene.pixel, scene.choice.branch, scene.choice.step
    if name is None:
        return []
    ramp = data.ramp(step, name)
    if ramp is None:
        remarks.append(f"branch {name}: no ramp after {step} in memory; run that branch")
        return []
    k = scene.first
    trace = _trace(scene, ramp, k, pixel, label=name, color=BRANCH, dashed=True, picked=False)
    fit = fit_of(data, data.rates(name)[1], k, pixel)
    if trace is None or fit is None or step != data.steps[-1]:
        return [trace]
    segments, noise = data.segments(k, pixel, name), data.noise(pixel)
    return [replace(trace, segments=segments, slope=fit.slope, noise=noise)]


def _preview_traces(scene: Scene) -> list[Trace | None]:
    found, step = scene.preview, scene.choice.step
    ramp = None if found is None else found.ramp(step, scene.first)
    if found is None or ramp is None:
        return []
    segments = found.segments(scene.first, scene.data) if step == scene.data.steps[-1] else ()
    noise = scene.data.noise(scene.pixel) if segments else math.nan
    trace = Trace(ramp, segments, noise=noise, label="preview", color=PREVIEW, dashed=True, picked=False)
    return [trace]
