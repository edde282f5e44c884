"""The ramp of the picked pixel with its selectors and the table of its slopes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates
from jwcal_interactive.dq import names
from jwcal_interactive.steps.ramp_fit import RampFitParams
from jwcal_interactive.steps.ramp_segments import ramp_segments
from jwcal_widgets.frame_rows import row_in_frame
from jwcal_widgets.ramp import Fit, guider_fit, pixel_fit, pixel_ramp
from jwcal_widgets.ramp_view import RampView, Trace
from jwcal_widgets.results import INPUT, out_of_date, steps_with_result

if TYPE_CHECKING:
    from jwcal_interactive import Session

__all__ = ["RampPanel", "slope_table"]

ALL = 0
MAX_TRACES = 20
RAMP, RATE = "ramp", "differences"
REFERENCE_PIXEL = "A reference pixel: it has no ramp from refpix on, and no slope."


def slope_table(fits: Sequence[tuple[str, Fit]], warning: str = "") -> str:
    """Tabulate slopes with their errors and flags, as HTML; a warning goes into the corner."""
    corner = f"<span class='jwcal-stale'>fit {warning}</span>" if warning else ""
    rows = "".join(
        f"<tr><td>{label}</td><td class='jwcal-number'>{fit.slope:.5g}</td>"
        f"<td class='jwcal-number'>± {fit.error:.2g}</td>"
        f"<td class='jwcal-flag-name'>{' '.join(names(fit.dq)) or '–'}</td></tr>"
        for label, fit in fits
    )
    return (
        f"<table class='jwcal-table'><tr><th>{corner}</th>"
        "<th>slope (DN/s)</th><th>error</th>"
        f"<th>flags</th></tr>{rows}</table>"
    )


class RampPanel:
    """Shows one pixel in one or all integrations.

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
        self._pixel = (0, 0)
        self._rows = session.exposure.ysize
        self._showing = False
        self.view = RampView(size)
        self.step = ipw.Dropdown(
            options=["input"],
            layout={"width": "150px"},
            tooltip="The ramp after this step; the fitted slope is drawn on what was fitted",
        )
        self.integration = ipw.Dropdown(options=[("all", ALL), ("1", 1)], value=1, layout={"width": "64px"})
        self.kind = ipw.ToggleButtons(
            options=[RAMP, RATE],
            style={"button_width": "auto"},
            tooltips=["Signal against time", "Signal differences per second against time"],
        )
        self.usable = ipw.Checkbox(description="usable groups only", indent=False, layout={"width": "150px"})
        self._table = ipw.HTML(layout={"margin": "0", "max_height": "84px"})
        selectors = ipw.HBox(
            [
                ipw.Label("ramp after"),
                self.step,
                ipw.Label("integration"),
                self.integration,
                self.kind,
            ],
            layout={"align_items": "center", "flex_flow": "row wrap"},
        )
        legend = ipw.HBox(
            [self.view.legend, self.usable],
            layout={"align_items": "center", "justify_content": "space-between"},
        )
        self._table.add_class("jwcal-scroll")
        self.widget = ipw.VBox([selectors, self.view.figure, legend, self._table])
        for control in (self.step, self.integration, self.kind, self.usable):
            control.observe(guard(self._chosen), "value")

    def show(self, x: int, y: int, rows: int) -> None:
        """Show a pixel of a frame that is so many rows high."""
        self._pixel, self._rows = (x, y), rows
        self.update()

    def refresh(self) -> None:
        """Look at the session again."""
        options = steps_with_result(self._session, Ramp)
        nints = self._session.exposure.nints
        self._showing = True
        try:
            if list(self.step.options) != options:
                was_last = self.step.value == self.step.options[-1]
                keep = options[-1] if was_last else self.step.value
                self.step.options = options
                self.step.value = keep if keep in options else options[-1]
            numbers = [("all", ALL)] if 1 < nints <= MAX_TRACES else []
            choices = numbers + [(str(k), k) for k in range(1, nints + 1)]
            if list(self.integration.options) != choices:
                self.integration.options = choices
                self.integration.value = 1
        finally:
            self._showing = False
        self.update()

    def update(self) -> None:
        """Draw what the controls say."""
        ramp = self._session.result(self.step.value)
        if not isinstance(ramp, Ramp):
            self.view.clear()
            return
        x = self._pixel[0]
        y = self._row(ramp.data.shape[2])
        if y is None:
            self.view.clear(REFERENCE_PIXEL)
            self._table.value = ""
            return
        rates_step, rates = self._rates()
        chosen = self.integration.value
        numbers = range(1, ramp.data.shape[0] + 1) if chosen == ALL else [chosen]
        ramp_note, fit_note = (out_of_date(self._session, step) for step in (self.step.value, rates_step))
        notes = [f"ramp {ramp_note}"] if ramp_note else []
        if isinstance(rates, Rates) and self.step.value == self.step.options[-1]:
            if fit_note:
                notes.append(f"fit {fit_note}")
                traces = [Trace(pixel_ramp(ramp, k, x, y)) for k in numbers]
            else:
                traces = self._fitted_traces(ramp, rates, numbers, x, y)
        else:
            traces = [Trace(pixel_ramp(ramp, k, x, y)) for k in numbers]
        self.view.show(
            traces,
            differences=self.kind.value == RATE,
            zoom_used=self.usable.value,
            note=f"{', '.join(notes)}: run to update" if notes else "",
        )
        self._table.value = self._slopes(rates, numbers, fit_note)

    def _row(self, rows: int) -> int | None:
        """Row of the pixel in a frame that is so many rows high; None if it is not there."""
        return row_in_frame(self._session.exposure, self._pixel[1], self._rows, rows)

    def _fitted_traces(self, ramp: Ramp, rates: Rates, numbers: Sequence[int], x: int, y: int) -> list[Trace]:
        """Add the lines of the fit, made again for this pixel: the rates are those of these settings."""
        references = self._session.load_references("ramp_fit")
        params = self._session.params("ramp_fit")
        assert isinstance(params, RampFitParams)
        return [
            Trace(
                pixel_ramp(ramp, k, x, y),
                ramp_segments(ramp, references, params, k - 1, y, x),
                pixel_fit(rates, k, x, y).slope,
            )
            for k in numbers
        ]

    def _rates(self) -> tuple[str, Rates | GuiderSlopes | None]:
        """Return the rates as fitted, before later steps rescale them, and the step that fitted them."""
        for step in self._session.steps:
            state = self._session.result(step)
            if isinstance(state, Rates | GuiderSlopes):
                return step, state
        return INPUT, None

    def _slopes(self, rates: Rates | GuiderSlopes | None, numbers: Sequence[int], warning: str) -> str:
        if rates is None:
            return "<span class='jwcal-muted'>No slope yet: run the pipeline.</span>"
        dq = rates.rate.dq if isinstance(rates, Rates) else rates.dq
        x, y = self._pixel[0], self._row(dq.shape[0])
        if y is None:
            return f"<span class='jwcal-muted'>{REFERENCE_PIXEL}</span>"
        if isinstance(rates, GuiderSlopes):
            slices = range(1, len(rates.data) + 1)
            return slope_table([(f"slice {k}", guider_fit(rates, k, x, y)) for k in slices], warning)
        fits = [("whole exposure", pixel_fit(rates, 0, x, y))]
        fits += [(f"integration {k}", pixel_fit(rates, k, x, y)) for k in numbers]
        return slope_table(fits, warning)

    def _chosen(self, _change: object) -> None:
        if not self._showing:
            self.update()
