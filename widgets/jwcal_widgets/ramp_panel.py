"""The ramp of the picked pixel, of pinned ones, of a branch and a preview, with the table of their slopes."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates
from jwcal_interactive.dq import names
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.line_colors import BRANCH, MAIN, PREVIEW, SERIES
from jwcal_widgets.pins import Pins
from jwcal_widgets.preview_data import PreviewPixel
from jwcal_widgets.ramp import Band, Fit, Trace, guider_fit, pixel_fit, pixel_ramp, threshold_band
from jwcal_widgets.ramp_controls import Choice, RampControls
from jwcal_widgets.ramp_data import Pixel, RampData
from jwcal_widgets.ramp_view import RampView
from jwcal_widgets.results import out_of_date

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_interactive.session.preview import Preview

__all__ = ["RampPanel", "slope_table"]

REFERENCE_PIXEL = "A reference pixel: it has no ramp from refpix on, and no slope."
_MOST_LABELS = 6


def slope_table(fits: Sequence[tuple[str, Fit]], warning: str = "", unit: str = "DN") -> str:
    """Tabulate slopes with their errors and flags, as HTML; a warning goes into the corner."""
    corner = f"<span class='jwcal-stale'>fit {warning}</span>" if warning else ""
    rows = "".join(
        f"<tr><td>{html.escape(label)}</td><td class='jwcal-number'>{fit.slope:.5g}</td>"
        f"<td class='jwcal-number'>± {fit.error:.2g}</td>"
        f"<td class='jwcal-flag-name'>{' '.join(names(fit.dq)) or '–'}</td></tr>"
        for label, fit in fits
    )
    return (
        f"<table class='jwcal-table'><tr><th>{corner}</th>"
        f"<th>slope ({unit}/s)</th><th>error</th>"
        f"<th>flags</th></tr>{rows}</table>"
    )


class RampPanel:
    """Shows pixels in one or several integrations.

    Parameters
    ----------
    session : Session
    size : (int, int)
        Width and height of the plot in screen pixels.
    guard : callable
        Wraps handlers, see `Messages.guarded`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    """

    def __init__(self, session: Session, size: tuple[int, int], guard: Callable[..., Any]) -> None:
        self._session = session
        self._data = RampData(session)
        self._picked = Pixel(0, 0, session.exposure.ysize)
        self._pixel = self._picked
        self._preview: Preview | None = None
        self.view = RampView(size)
        self.pins = Pins(self.update, guard)
        self._title = ipw.HTML(layout={"margin": "0"})
        self.controls = RampControls(self.update, guard, self._title, self.pins.pin)
        self._table = ipw.HTML(layout={"margin": "0", "max_height": "120px"})
        self._table.add_class("jwcal-scroll")
        self.widget = ipw.VBox(
            [
                self.controls.widget,
                self.pins.widget,
                self.view.figure,
                self.view.lower,
                self.view.legend,
                self._table,
            ]
        )
        self.step, self.integration, self.kind = (
            self.controls.step,
            self.controls.integration,
            self.controls.kind,
        )
        self.usable = self.controls.usable

    def show(self, x: int, y: int, rows: int) -> None:
        """Show a pixel of a frame that is so many rows high, until another is picked."""
        self._picked = self._pixel = self.pins.pixel = Pixel(x, y, rows)
        self.pins.refresh()
        self.update()

    def hover(self, x: int, y: int, rows: int) -> None:
        """Show the pixel under the cursor, without picking it."""
        pixel = Pixel(x, y, rows)
        if pixel != self._pixel:
            self._pixel = pixel
            self.update()

    def leave(self) -> None:
        """Show the picked pixel again: the cursor has left the image."""
        if self._pixel != self._picked:
            self._pixel = self._picked
            self.update()

    def show_preview(self, preview: Preview | None) -> None:
        """Draw what a live preview makes of the pixel, dashed, or no longer."""
        self._preview = preview
        self.update()

    def refresh(self) -> None:
        """Look at the session again."""
        self._data.refresh()
        tree = self._session.tree
        branches = [name for name in tree.branches if name != tree.branch]
        self.controls.offer(self._data.steps, self._session.exposure.nints, branches)
        self.update()

    def close(self) -> None:
        """Close the widgets, and forget the session's arrays."""
        self._preview = None
        close_widgets(self.widget)

    def update(self) -> None:
        """Draw what the controls say."""
        choice, pixel = self.controls.choice, self._pixel
        hovering = "" if pixel == self._picked else " <span class='jwcal-muted'>under the cursor</span>"
        self._title.value = f"<b>x {pixel.x}, y {pixel.y}</b>{hovering}&nbsp;"
        ramp = self._data.ramp(choice.step)
        if ramp is None:
            self.view.clear()
            self._table.value = self._slopes(choice, "")
            return
        if self._data.row(pixel, ramp.data.shape[2]) is None:
            self.view.clear(REFERENCE_PIXEL)
            self._table.value = ""
            return
        rates_step, rates = self._data.rates()
        ramp_note, fit_note = (out_of_date(self._session, step) for step in (choice.step, rates_step))
        on_fit = isinstance(rates, Rates) and choice.step == self._data.steps[-1]
        notes = [f"ramp {ramp_note}"] if ramp_note else []
        notes += [f"fit {fit_note}"] if fit_note and on_fit else []
        fitted = on_fit and not fit_note
        remarks: list[str] = []
        traces = self._picked_traces(choice, fitted)
        traces += self._state_traces(choice)
        traces += self._pin_traces(choice, fitted)
        traces += self._branch_traces(choice, remarks)
        traces += self._preview_traces(choice, remarks)
        if choice.left_out:
            remarks.append(f"{len(choice.integrations)} of {len(choice.integrations) + choice.left_out} drawn")
        self._draw(choice, traces, f"{', '.join(notes)}: run to update" if notes else "", remarks)
        self._table.value = self._slopes(choice, fit_note)

    def _draw(self, choice: Choice, traces: list[Trace], note: str, remarks: list[str]) -> None:
        gain, unit = 1.0, "DN"
        if choice.electron:
            gain, unit = self._data.gain(self._pixel), "electron"
            if math.isnan(gain):
                gain, unit = 1.0, "DN"
                remarks.append("no gain reference for this pixel: values in DN")
        level = math.nan
        if not choice.differences and self._data.counts_to_saturation(
            choice.step, choice.integrations[0], self._pixel
        ):
            level = self._data.saturation(self._pixel) * gain
        if choice.in_sigma:
            remarks.append("σ: noise that jump expects" if choice.differences else "σ: read noise of one group")
        first = traces[0].ramp.start if choice.aligned else 0.0
        band = self._band(choice, gain, remarks) if choice.differences else None
        scaled = [
            t.scaled(
                self._gain_of(t, gain) if choice.electron else 1.0, t.ramp.start if choice.aligned else 0.0
            )
            for t in traces
        ]
        self.view.show(
            scaled,
            differences=choice.differences,
            zoom_used=choice.usable,
            note=note,
            unit=unit,
            band=band,
            level=level - first * gain,
            in_sigma=choice.in_sigma,
            remarks=remarks,
        )

    def _gain_of(self, trace: Trace, gain: float) -> float:
        """Gain of the pixel of a trace; pinned ones have their own."""
        for pin in self.pins.pinned:
            if trace.label == pin.letter:
                own = self._data.gain(pin.pixel)
                return gain if math.isnan(own) else own
        return gain

    def _trace(self, ramp: Ramp, k: int, pixel: Pixel, *, fitted: bool = False, **look: Any) -> Trace | None:
        """Ramp of a pixel in integration k; None if the frame does not have the pixel."""
        y = self._data.row(pixel, ramp.data.shape[2])
        if y is None:
            return None
        trace = Trace(pixel_ramp(ramp, k, pixel.x, y), **look)
        if not fitted:
            return trace
        _, rates = self._data.rates()
        fit = self._fit(rates, k, pixel)
        slope = math.nan if fit is None else fit.slope
        return replace(
            trace, segments=self._data.segments(k, pixel), slope=slope, noise=self._data.noise(pixel)
        )

    def _picked_traces(self, choice: Choice, fitted: bool) -> list[Trace]:
        ramp = self._data.ramp(choice.step)
        assert ramp is not None
        several = len(choice.integrations) > 1
        named = several and len(choice.integrations) <= _MOST_LABELS
        traces = []
        for place, k in enumerate(choice.integrations):
            color = SERIES[place % len(SERIES)] if several else MAIN
            label = f"int {k}" if named else ""
            traces.append(self._trace(ramp, k, self._pixel, fitted=fitted, color=color, label=label))
        return [t for t in traces if t is not None]

    def _state_traces(self, choice: Choice) -> list[Trace]:
        """Ramps of the same pixel after other steps, in the first integration that is drawn."""
        traces = []
        for place, step in enumerate(choice.others):
            ramp = self._data.ramp(step)
            if ramp is not None:
                color = SERIES[1 + place % (len(SERIES) - 1)]
                k = choice.integrations[0]
                traces.append(self._trace(ramp, k, self._pixel, color=color, label=step, picked=False))
        return [t for t in traces if t is not None]

    def _pin_traces(self, choice: Choice, fitted: bool) -> list[Trace]:
        ramp = self._data.ramp(choice.step)
        assert ramp is not None
        traces = []
        for pin in self.pins.pinned:
            look = {"color": pin.color, "marker": pin.marker, "label": pin.letter, "picked": False}
            traces.append(self._trace(ramp, choice.integrations[0], pin.pixel, fitted=fitted, **look))
        return [t for t in traces if t is not None]

    def _branch_traces(self, choice: Choice, remarks: list[str]) -> list[Trace]:
        name = choice.branch
        if name is None:
            return []
        ramp = self._data.ramp(choice.step, name)
        if ramp is None:
            remarks.append(f"branch {name}: no ramp after {choice.step} in memory; run that branch")
            return []
        k = choice.integrations[0]
        trace = self._trace(ramp, k, self._pixel, label=name, color=BRANCH, dashed=True, picked=False)
        if trace is None:
            return []
        _, rates = self._data.rates(name)
        fit = self._fit(rates, k, self._pixel)
        if fit is None or choice.step != self._data.steps[-1]:
            return [trace]
        segments, noise = self._data.segments(k, self._pixel, name), self._data.noise(self._pixel)
        return [replace(trace, segments=segments, slope=fit.slope, noise=noise)]

    def _preview_traces(self, choice: Choice, remarks: list[str]) -> list[Trace]:
        if self._preview is None:
            return []
        found = PreviewPixel.find(self._session, self._data, self._preview, self._pixel)
        if found is None:
            remarks.append("outside the window of the preview")
            return []
        k = choice.integrations[0]
        ramp = found.ramp(choice.step, k)
        if ramp is None:
            return []
        segments = found.segments(k, self._data) if choice.step == self._data.steps[-1] else ()
        noise = self._data.noise(self._pixel) if segments else math.nan
        look = Trace(ramp, segments, noise=noise, label="preview", color=PREVIEW)
        return [replace(look, dashed=True, picked=False)]

    def _band(self, choice: Choice, gain: float, remarks: list[str]) -> Band | None:
        """Limits of jump, per second, in DN or electron; those of the preview if there is one."""
        limits = None
        if self._preview is not None:
            found = PreviewPixel.find(self._session, self._data, self._preview, self._pixel)
            limits = None if found is None else found.limits()
        if limits is not None:
            remarks.append("limits of the preview")
        else:
            answer = self._data.limits(self._pixel)
            if isinstance(answer, str):
                remarks.append(answer)
                return None
            limits = answer
        electrons = self._data.gain(self._pixel)
        if math.isnan(electrons):
            return None
        remarks.append("below: difference less the median m of jump")
        if limits.absolute:
            remarks.append("few differences: without their sign, the largest taken out one by one")
        per_unit = electrons / gain * self._session.exposure.group_time
        return threshold_band(limits, choice.integrations[0], per_unit)

    def _fit(self, rates: Rates | GuiderSlopes | None, k: int, pixel: Pixel) -> Fit | None:
        """Slope of a pixel in integration k, 0 for the whole exposure."""
        if not isinstance(rates, Rates):
            return None
        y = self._data.row(pixel, rates.rate.dq.shape[0])
        return None if y is None else pixel_fit(rates, k, pixel.x, y)

    def _slopes(self, choice: Choice, warning: str) -> str:
        _, rates = self._data.rates()
        if rates is None:
            return "<span class='jwcal-muted'>No slope yet: run the pipeline.</span>"
        pixel = self._pixel
        dq = rates.rate.dq if isinstance(rates, Rates) else rates.dq
        y = self._data.row(pixel, dq.shape[0])
        if y is None:
            return f"<span class='jwcal-muted'>{REFERENCE_PIXEL}</span>"
        if isinstance(rates, GuiderSlopes):
            slices = range(1, len(rates.data) + 1)
            return slope_table([(f"slice {k}", guider_fit(rates, k, pixel.x, y)) for k in slices], warning)
        fits = [("whole exposure", self._fit(rates, 0, pixel), pixel)]
        fits += [(f"integration {k}", self._fit(rates, k, pixel), pixel) for k in choice.integrations]
        if choice.branch is not None:
            other = self._data.rates(choice.branch)[1]
            fits.append((f"branch {choice.branch}", self._fit(other, 0, pixel), pixel))
        if self._preview is not None:
            found = PreviewPixel.find(self._session, self._data, self._preview, pixel)
            fits.append(("preview", None if found is None else found.fit(0), pixel))
        for pin in self.pins.pinned:
            label = f"{pin.letter}: x {pin.pixel.x}, y {pin.pixel.y}"
            fits.append((label, self._fit(rates, 0, pin.pixel), pin.pixel))
        known = [(label, fit, of) for label, fit, of in fits if fit is not None]
        if choice.electron and not any(math.isnan(self._data.gain(of)) for _, _, of in known):
            return slope_table([(t, _times(f, self._data.gain(of))) for t, f, of in known], warning, "electron")
        return slope_table([(label, fit) for label, fit, _ in known], warning)


def _times(fit: Fit, gain: float) -> Fit:
    return replace(fit, slope=fit.slope * gain, error=fit.error * gain)
