"""Plots of the statistics of a region; each is made when it is first looked at."""

from __future__ import annotations

import html
from collections.abc import Mapping

import bqplot as bq
import ipywidgets as ipw
import numpy as np

from jwcal_interactive.dq import DQ, names
from jwcal_interactive.region import FlagCount, Histogram, RegionRamp
from jwcal_interactive.region_noise import Noise, RegionPower, Spectrum
from jwcal_widgets.dq_overlay import color_of
from jwcal_widgets.line_colors import MAIN, SECOND
from jwcal_widgets.plotting import F64, draw_lines, draw_points, hide, plot_figure, put_ticks, span
from jwcal_widgets.ramp_marks import key

__all__ = ["FlagTable", "HistogramPlot", "NoisePlot", "PowerPlot", "RampPlot", "number"]

_BINS_OF_SPECTRUM = 32


def number(value: float, unit: str = "") -> str:
    """Write a value with its unit in a few digits."""
    text = f"{value:.4g}".replace("nan", "–")
    return f"{text} {unit}" if unit else text


def _axes(x: bq.Scale, y: bq.Scale, x_label: str, y_label: str) -> tuple[bq.Axis, bq.Axis]:
    return (
        bq.Axis(scale=x, label=x_label, label_offset="32px", grid_lines="solid"),
        bq.Axis(scale=y, label=y_label, label_offset="56px", side="left", grid_lines="solid"),
    )


def _legend(*items: str) -> str:
    return "<div class='jwcal-legend'>" + " ".join(items) + "</div>"


def _text(text: str) -> str:
    return f"<span class='jwcal-key'>{html.escape(text)}</span>"


class _Plot:
    """A figure with linear axes and a line of text below."""

    def __init__(self, size: tuple[int, int], x_label: str, y_label: str) -> None:
        self.x, self.y = (bq.LinearScale(min=0.0, max=1.0, allow_padding=False) for _ in range(2))
        self.scales = {"x": self.x, "y": self.y}
        self.x_axis, self.y_axis = _axes(self.x, self.y, x_label, y_label)
        self.figure = plot_figure([], self.x_axis, self.y_axis, size)
        self.legend = ipw.HTML()
        self.widget = ipw.VBox([self.figure, self.legend])


class RampPlot(_Plot):
    """Median ramp with the band of the central 68 % of the pixels."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size, "time since reset (s)", "signal (DN)")
        self.band = bq.Lines(
            scales=self.scales,
            colors=[MAIN],
            stroke_width=1.0,
            line_style="dotted",
            fill="between",
            fill_colors=[MAIN],
            fill_opacities=[0.15],
            visible=False,
        )
        self.line = bq.Lines(scales=self.scales, colors=[MAIN], stroke_width=1.8, visible=False)
        self.dots = bq.Scatter(scales=self.scales, colors=[MAIN], default_size=46, x=[], y=[], visible=False)
        self.figure.marks = [self.band, self.line, self.dots]

    def show(self, ramp: RegionRamp, *, from_first: bool) -> None:
        """Draw a ramp."""
        known = np.isfinite(ramp.median)
        put_ticks(self.y_axis, *span(np.concatenate([ramp.low, ramp.high])))
        put_ticks(self.x_axis, 0.0, float(ramp.time[-1]) * 1.03)
        time = ramp.time[known]
        edges = np.stack([ramp.low[known], ramp.high[known]])
        draw_lines(self.band, (np.stack([time, time]), edges))
        draw_lines(self.line, (time[None], ramp.median[known][None]))
        draw_points(self.dots, time, ramp.median[known])
        used = f"{ramp.count.min():,} to {ramp.count.max():,} usable pixels in a group"
        self.legend.value = _legend(
            key("●", MAIN, "median"),
            key("▒", MAIN, "16 to 84 % of the pixels"),
            *([_text("since the first group of each pixel")] if from_first else []),
            _text(used),
        )


class HistogramPlot(_Plot):
    """Distribution of the slopes."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size, "slope (DN/s)", "pixels")
        self.steps = bq.Lines(
            scales=self.scales,
            colors=[MAIN],
            stroke_width=1.4,
            fill="bottom",
            fill_opacities=[0.18],
            fill_colors=[MAIN],
            visible=False,
        )
        self.median = bq.Lines(
            scales=self.scales, colors=[SECOND], stroke_width=1.4, line_style="dashed", visible=False
        )
        self.figure.marks = [self.steps, self.median]

    def show(self, found: Histogram) -> None:
        """Draw a histogram."""
        x = np.repeat(found.edges, 2)
        y = np.concatenate([[0], np.repeat(found.counts, 2), [0]]).astype(float)
        top = float(found.counts.max()) * 1.08 or 1.0
        put_ticks(self.x_axis, float(found.edges[0]), float(found.edges[-1]), about=5)
        put_ticks(self.y_axis, 0.0, top)
        draw_lines(self.steps, (x[None], y[None]))
        draw_lines(self.median, (np.full((1, 2), found.median), np.array([[0.0, top]])))
        items = [
            key("╌", SECOND, f"median {number(found.median, 'DN/s')}"),
            _text(f"spread {number(found.spread, 'DN/s')} (1.48 MAD)"),
            _text(f"{found.total:,} pixels"),
        ]
        if found.below or found.above:
            items.append(_text(f"{found.below:,} below and {found.above:,} above the plot"))
        self.legend.value = _legend(*items)


class NoisePlot(_Plot):
    """Noise along rows or columns, and that of the amplifiers as text."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size, "row (y, pixel)", "noise (DN)")
        self.line = bq.Lines(scales=self.scales, colors=[MAIN], stroke_width=1.2, visible=False)
        self.whole = bq.Lines(
            scales=self.scales, colors=[SECOND], stroke_width=1.4, line_style="dashed", visible=False
        )
        self.figure.marks = [self.line, self.whole]

    def show(self, noise: Noise, first: int, *, by_rows: bool) -> None:
        """Draw the noise of rows or columns, counted from ``first``."""
        values = noise.rows if by_rows else noise.columns
        places = first + np.arange(values.size, dtype=float)
        self.x_axis.label = "row (y, pixel from 0)" if by_rows else "column (x, pixel from 0)"
        put_ticks(self.x_axis, places[0] - 0.5, places[-1] + 0.5)
        put_ticks(self.y_axis, *span(np.append(values, noise.whole)))
        draw_lines(self.line, (places[None], values[None]))
        draw_lines(self.whole, (places[None, [0, -1]], np.full((1, 2), noise.whole)))
        named = {n: f"amplifier {n}" if n else "reference output" for n in noise.amplifiers}
        self.legend.value = _legend(
            _text("noise of a difference of adjacent groups"),
            key("╌", SECOND, f"whole region {number(noise.whole, 'DN')}"),
            *(_text(f"{named[n]}: {number(value, 'DN')}") for n, value in noise.amplifiers.items()),
        )


class PowerPlot:
    """Power spectra on logarithmic axes."""

    def __init__(self, size: tuple[int, int]) -> None:
        x, y = bq.LogScale(), bq.LogScale()
        scales = {"x": x, "y": y}
        self.within = bq.Lines(scales=scales, colors=[MAIN], stroke_width=1.6, visible=False)
        self.between = bq.Lines(
            scales=scales, colors=[SECOND], stroke_width=1.6, line_style="dashed", visible=False
        )
        self.x_axis, self.y_axis = _axes(x, y, "frequency (Hz)", "power (DN²/Hz)")
        for axis in (self.x_axis, self.y_axis):
            axis.tick_format = ".0e"
        self.figure = plot_figure([self.between, self.within], self.x_axis, self.y_axis, size)
        self.legend = ipw.HTML()
        self.widget = ipw.VBox([self.figure, self.legend])

    def show(self, power: RegionPower) -> None:
        """Draw the spectra, averaged over steps of frequency that are equal on the axis."""
        self.x_axis.label = "frequency (Hz)" if power.in_hertz else "frequency (cycles per pixel)"
        self.y_axis.label = "power (DN²/Hz)" if power.in_hertz else "power (DN² × pixels)"
        items, curves = [], []
        slow = power.between if power.in_hertz else None
        for mark, spectrum, text in (
            (self.within, power.within, key("━", MAIN, f"within lines of {power.samples} pixels")),
            (self.between, slow, key("╌", SECOND, f"from line to line ({power.lines} lines)")),
        ):
            if spectrum is None:
                hide([mark])
                continue
            frequency, values = _smoothed(spectrum)
            draw_lines(mark, (frequency[None], values[None]))
            curves.append((frequency, values))
            items.append(text)
        if not curves:
            self.legend.value = _legend(_text("The region is too small for a spectrum: it takes 16 pixels."))
            return
        for axis, place in ((self.x_axis, 0), (self.y_axis, 1)):
            values = np.concatenate([curve[place] for curve in curves])
            values = values[values > 0]
            if values.size:
                low, high = np.floor(np.log10(values.min())), np.ceil(np.log10(values.max()))
                with axis.scale.hold_sync():
                    axis.scale.min, axis.scale.max = 10.0**low, 10.0 ** max(high, low + 1)
                axis.tick_values = 10.0 ** np.arange(low, max(high, low + 1) + 1)
        if not power.in_hertz:
            items.append(_text("the file does not tell the time per pixel (TSAMPLE)"))
        self.legend.value = _legend(*items)


def _smoothed(spectrum: Spectrum) -> tuple[F64, F64]:
    logs = np.log10(spectrum.frequency)
    edges = np.linspace(logs[0], logs[-1] + 1e-9, _BINS_OF_SPECTRUM + 1)
    places = np.clip(np.searchsorted(edges, logs, side="right") - 1, 0, _BINS_OF_SPECTRUM - 1)
    counts = np.bincount(places, minlength=_BINS_OF_SPECTRUM)
    used = counts > 0
    frequency = np.bincount(places, spectrum.frequency, _BINS_OF_SPECTRUM)[used] / counts[used]
    power = np.bincount(places, spectrum.power, _BINS_OF_SPECTRUM)[used] / counts[used]
    keep = power > 0
    return frequency[keep], power[keep]


class FlagTable:
    """Flags of the region, as a table."""

    def __init__(self) -> None:
        self.widget = ipw.HTML()

    def show(self, counts: Mapping[DQ, FlagCount], pixels: int, groups: int) -> None:
        """List the flags, the most frequent first; ``groups`` is 0 for rates, which have none."""
        if not counts:
            self.widget.value = "<span class='jwcal-muted'>No flags in this region.</span>"
            return
        rows = ""
        for flag, count in sorted(counts.items(), key=lambda item: -item[1].pixels):
            chip = f"<span class='jwcal-chip' style='background:{color_of(flag)}'></span>"
            in_groups = f"{count.groups:,}" if groups and flag < DQ.RESERVED else "–"
            rows += (
                f"<tr><td>{chip}<span class='jwcal-flag-name'>{names(flag)[0]}</span></td>"
                f"<td class='jwcal-number'>{count.pixels:,}</td>"
                f"<td class='jwcal-number'>{count.pixels / pixels:.2%}</td>"
                f"<td class='jwcal-number'>{in_groups}</td></tr>"
            )
        total = f" (of {groups * pixels:,})" if groups else ""
        self.widget.value = (
            "<table class='jwcal-table'><tr><th>flag</th><th>pixels</th><th>of all</th>"
            f"<th>groups{total}</th></tr>{rows}</table>"
        )
