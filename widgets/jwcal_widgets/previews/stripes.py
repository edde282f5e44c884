"""What steps that take stripes away have in common: noise image, mask, background, power before and after."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.checks.stripes import StripePower, stripe_power, subtracted
from jwcal_interactive.errors import InputError
from jwcal_interactive.instruments import RAMP_UNIT
from jwcal_interactive.region import robust_spread
from jwcal_interactive.region_noise import Spectrum
from jwcal_widgets.line_colors import MAIN, SECOND
from jwcal_widgets.plotting import F64
from jwcal_widgets.previews.report import Line, Map, Plot, Report, figure_of, image_map, muted

__all__ = ["mask_map", "product_image", "report_stripes"]

_BINS = 40


def product_image(ramp: Ramp, suffix: str) -> NDArray[np.float32] | None:
    """Image of a side product of a step, the last one if there are more; ``None`` if it was not asked for."""
    for product in ramp.side_products:
        if product.suffix == suffix:
            array = product.arrays["SCI"]
            return np.asarray(array.reshape(-1, *array.shape[-2:])[-1], np.float32)
    return None


def mask_map(mask: NDArray[np.bool_], title: str) -> Map:
    """Show a mask, white where it is set."""
    share = 100.0 * float(mask.mean())
    picture = image_map(mask.astype(np.float32), title, "")
    return Map(picture.colors, picture.shape, f"{title}: white, {share:.3g} % of the pixels")


def report_stripes(before: Ramp, after: Ramp, pictures: tuple[Map, ...], notes: str) -> Report:
    """Show the noise that was taken from the last group, and the power spectra.

    Parameters
    ----------
    before, after : Ramp
    pictures : tuple of Map
        More pictures, shown after the noise.
    notes : str
        HTML.
    """
    noise = subtracted(before, after)
    median, spread = robust_spread(noise)
    words = f"Taken from the last group: spread <b>{figure_of(spread)}</b> DN, median {figure_of(median)} DN. "
    plots: tuple[Plot, ...] = ()
    try:
        power = stripe_power(before, after)
    except InputError as error:
        words += muted(f"No power spectrum: {error}") + " "
    else:
        plots = _plots(power)
        box = power.box
        words += muted(
            f"Spectra of the differences of groups in x {box.x0} to {box.x1 - 1}, y {box.y0} to {box.y1 - 1}, "
            "integration 1. "
        )
    return Report((image_map(noise, "noise in the last group", RAMP_UNIT), *pictures, *plots), words + notes)


def _plots(power: StripePower) -> tuple[Plot, ...]:
    in_hertz = power.after.in_hertz
    y_label = "power (DN²/Hz)" if in_hertz else "power (DN² × cycle)"
    plots = []
    for name, unit, title in (
        ("between", "cycles per line", f"means of {power.after.lines} lines, one after the other"),
        ("within", "cycles per pixel", f"within lines, {power.after.samples} pixels of an amplifier"),
    ):
        curves = [getattr(p, name) for p in (power.before, power.after)]
        if None in curves:
            continue
        x_label = "frequency (Hz)" if in_hertz else f"frequency ({unit})"
        lines = (
            Line("before", *_smooth(curves[0]), SECOND, "dashed"),
            Line("after", *_smooth(curves[1]), MAIN),
        )
        plots.append(Plot(x_label, y_label, lines, log_x=True, log_y=True, caption=muted(title)))
    return tuple(plots)


def _smooth(spectrum: Spectrum) -> tuple[F64, F64]:
    """Average over steps of frequency that are equal on a logarithmic axis."""
    logs = np.log10(spectrum.frequency)
    edges = np.linspace(logs[0], logs[-1] + 1e-9, _BINS + 1)
    places = np.clip(np.searchsorted(edges, logs, side="right") - 1, 0, _BINS - 1)
    counts = np.bincount(places, minlength=_BINS)
    used = counts > 0
    frequency = np.bincount(places, spectrum.frequency, _BINS)[used] / counts[used]
    power = np.bincount(places, spectrum.power, _BINS)[used] / counts[used]
    return frequency[power > 0], power[power > 0]
