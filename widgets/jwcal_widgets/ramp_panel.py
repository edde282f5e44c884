"""The ramp of the picked pixel, of pinned ones, of a branch and a preview, with the table of their slopes."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.arrays import GuiderSlopes, Rates, State
from jwcal_interactive.dq import names
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.latest import Latest
from jwcal_widgets.pins import Pins
from jwcal_widgets.preview_data import PreviewPixel
from jwcal_widgets.ramp import Band, Fit, Trace, guider_fit, threshold_band
from jwcal_widgets.ramp_controls import Choice, RampControls
from jwcal_widgets.ramp_data import Pixel, RampData
from jwcal_widgets.ramp_traces import Scene, fit_of, traces_of
from jwcal_widgets.ramp_view import RampView
from jwcal_widgets.results import out_of_date, was_dropped

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_interactive.session.preview import Preview

__all__ = ["RampPanel", "slope_table"]

REFERENCE_PIXEL = "A reference pixel: it has no ramp from refpix on, and no slope."


def slope_table(fits: Sequence[tuple[str, Fit]], warning: str = "", unit: str = "DN", remark: str = "") -> str:
    """Tabulate slopes with their errors and flags, as HTML; a warning or a remark goes into the corner."""
    corner = f"<span class='jwcal-stale'>fit {warning}</span>" if warning else html.escape(remark)
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
        self._latest = Latest(guard, "jwcal-ramp")
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
        self._latest.close()
        self._preview = None
        close_widgets(self.widget)

    def update(self) -> None:
        """Draw what the controls say."""
        with self._data.one_look():
            self._update()

    def _update(self) -> None:
        choice, pixel = self.controls.choice, self._pixel
        hovering = "" if pixel == self._picked else " <span class='jwcal-muted'>under the cursor</span>"
        self._title.value = f"<b>x {pixel.x}, y {pixel.y}</b>{hovering}&nbsp;"
        ramp = self._data.ramp(choice.step)
        if ramp is None:
            self._compute_again(choice.step)
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
        scene = Scene(
            self._data, choice, pixel, self.pins.pinned, self._previewed(), fitted=on_fit and not fit_note
        )
        traces, remarks = traces_of(scene, ramp)
        if self._preview is not None and scene.preview is None:
            remarks.append("outside the window of the preview")
        self._draw(scene, traces, f"{', '.join(notes)}: run to update" if notes else "", remarks)
        self._table.value = self._slopes(choice, fit_note)

    def _compute_again(self, step: str) -> None:
        """Compute ramps that were dropped from memory, in a thread."""
        if not was_dropped(self._session, step):
            self.view.clear()
            return
        self.view.clear(f"Computing {step} again, which was dropped from memory…")

        def done(state: State | None) -> None:
            if state is not None:  # else the session is running, and will show its results
                self.update()

        self._latest.request(lambda: self._session.result(step), done)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until what was dropped is there again."""
        self._latest.wait(timeout)

    def _previewed(self) -> PreviewPixel | None:
        """Find the pixel in the live preview."""
        if self._preview is None:
            return None
        return PreviewPixel.find(self._session, self._data, self._preview, self._pixel)

    def _draw(self, scene: Scene, traces: Sequence[tuple[Trace, Pixel]], note: str, remarks: list[str]) -> None:
        choice, gain = scene.choice, 1.0
        electron = choice.electron
        if electron:
            gain = self._data.gain(scene.pixel)
            if math.isnan(gain):
                electron, gain = False, 1.0
                remarks.append("no gain reference for this pixel: values in DN")
        if choice.in_sigma:
            remarks.append("σ: noise that jump expects" if choice.differences else "σ: read noise of one group")
        starts = [trace.ramp.start if choice.aligned else 0.0 for trace, _ in traces]
        scaled = [
            trace.scaled(self._data.gain(pixel) if electron else 1.0, start)
            for (trace, pixel), start in zip(traces, starts, strict=True)
        ]
        level = math.nan
        if self._data.counts_to_saturation(choice.step, scene.first, scene.pixel):
            level = (self._data.saturation(scene.pixel) - starts[0]) * gain
        self.view.show(
            scaled,
            differences=choice.differences,
            zoom_used=choice.usable,
            note=note,
            unit="electron" if electron else "DN",
            band=self._band(scene, gain, remarks) if choice.differences else None,
            level=level,
            in_sigma=choice.in_sigma,
            remarks=remarks,
        )

    def _band(self, scene: Scene, gain: float, remarks: list[str]) -> Band | None:
        """Limits of jump, per second, in DN or electron; those of the preview if there is one."""
        limits = None if scene.preview is None else scene.preview.limits()
        if limits is not None:
            remarks.append("limits of the preview")
        else:
            answer = self._data.limits(self._pixel)
            if isinstance(answer, str):
                remarks.append(answer)
                return None
            if not self._data.counts_to_jump(scene.choice.step, scene.first, scene.pixel):
                remarks.append("no limits: these are not the values in which jump looks for jumps")
                return None
            limits = answer
        electrons = self._data.gain(self._pixel)
        if math.isnan(electrons):
            return None
        remarks.append("below: difference less the median m of jump")
        if limits.absolute:
            remarks.append("few differences: without their sign, the largest taken out one by one")
        per_unit = electrons / gain * self._session.exposure.group_time
        return threshold_band(limits, scene.first, per_unit)

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
        fits = [("whole exposure", fit_of(self._data, rates, 0, pixel), pixel)]
        fits += [(f"integration {k}", fit_of(self._data, rates, k, pixel), pixel) for k in choice.integrations]
        if choice.branch is not None:
            other = self._data.rates(choice.branch)[1]
            fits.append((f"branch {choice.branch}", fit_of(self._data, other, 0, pixel), pixel))
        if self._preview is not None:
            found = self._previewed()
            fits.append(("preview", None if found is None else found.fit(0), pixel))
        for pin in self.pins.pinned:
            label = f"{pin.letter}: x {pin.pixel.x}, y {pin.pixel.y}"
            fits.append((label, fit_of(self._data, rates, 0, pin.pixel), pin.pixel))
        known = [(label, fit, of) for label, fit, of in fits if fit is not None]
        later = self._data.rescaled_by
        remark = f"before {', '.join(later)}" if later else ""
        if choice.electron and not any(math.isnan(self._data.gain(of)) for _, _, of in known):
            rows = [(label, _times(fit, self._data.gain(of))) for label, fit, of in known]
            return slope_table(rows, warning, "electron", remark)
        return slope_table([(label, fit) for label, fit, _ in known], warning, remark=remark)


def _times(fit: Fit, gain: float) -> Fit:
    return replace(fit, slope=fit.slope * gain, error=fit.error * gain)
