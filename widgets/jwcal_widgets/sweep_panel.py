"""Sweep a parameter of the chosen step over a range, on the window in view."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw
import numpy as np

from jwcal_interactive.errors import Cancelled, ParameterError
from jwcal_interactive.params import ParamInfo
from jwcal_interactive.session.sweep import Sweep, truth_beside
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.latest import Latest
from jwcal_widgets.param_control import as_text
from jwcal_widgets.results import INPUT
from jwcal_widgets.sweep_plots import SweepPlots

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_interactive.session.preview import Window

__all__ = ["SweepPanel"]

_VALUES = 9  # by default
_MOST = 60


class SweepPanel:
    """A parameter and its values, a button that runs and cancels, plots, and a choice among what came out.

    Parameters
    ----------
    session : Session
    window : callable
        Gives the window in view, or ``None`` where it is too large.
    on_choose : callable
        ``on_choose(step, values)`` is called with the value of a point that was clicked.
    guard : callable
        Wraps handlers, see `Messages.guarded`.
    width, height : int
        Of each plot, screen pixels.

    Attributes
    ----------
    widget : ipywidgets.VBox
    parameter : ipywidgets.Dropdown
    low, high, count : ipywidgets.Text
        First and last value, and how many.
    button : ipywidgets.Button
        Runs; while it runs, cancels.
    chosen : ipywidgets.Dropdown
        One of the values that were tried; `use` sets it.
    sweep : Sweep or None
        The last one that ran to its end for this parameter.
    """

    def __init__(
        self,
        session: Session,
        window: Callable[[], Window | None],
        on_choose: Callable[[str, Mapping[str, Any]], None],
        guard: Callable[..., Any],
        *,
        width: int = 430,
        height: int = 124,
    ) -> None:
        self.step = INPUT
        self.sweep: Sweep | None = None
        self._session, self._window, self._on_choose = session, window, on_choose
        self._guard = guard
        self._latest = Latest(guard, "jwcal-sweep")
        self._cancel = threading.Event()
        self._running = False
        self._filling = False
        field = {"width": "84px"}
        self.parameter = ipw.Dropdown(tooltip="Parameter to sweep", layout={"width": "230px"})
        self.low = ipw.Text(tooltip="First value", layout=field)
        self.high = ipw.Text(tooltip="Last value", layout=field)
        self.count = ipw.Text(value=str(_VALUES), tooltip="Number of values", layout={"width": "46px"})
        self.button = ipw.Button(icon="play", description="Run", layout={"width": "88px"})
        self._bar = ipw.IntProgress(
            layout={"width": "120px", "height": "12px", "visibility": "hidden"}, tooltip="Values that are done"
        )
        self._said = ipw.HTML()
        self._unit = ipw.HTML()
        self._range = ipw.HBox(
            [ipw.HTML("from"), self.low, ipw.HTML("to"), self.high, self._unit, ipw.HTML("in"), self.count],
            layout={"align_items": "center"},
        )
        self.chosen = ipw.Dropdown(tooltip="Value to use", layout={"width": "130px"})
        self.use = ipw.Button(
            description="use", icon="check", tooltip="Set the parameter to this value", layout={"width": "70px"}
        )
        self._choice = ipw.HBox(
            [ipw.HTML("click a point, or"), self.chosen, self.use],
            layout={"align_items": "center", "display": "none"},
        )
        self.plots = SweepPlots(width, height, guard(self._clicked))
        self._table = ipw.HTML()
        self._body = ipw.VBox(
            [
                ipw.HBox([self.parameter, self.button, self._bar], layout={"align_items": "center"}),
                self._range,
                self._said,
                self._choice,
                self.plots.widget,
                self._table,
            ],
            layout={"overflow": "visible"},
        )
        self._nothing = ipw.HTML()
        self.widget = ipw.VBox([self._nothing, self._body], layout={"overflow": "visible"})
        self.parameter.observe(guard(self._parameter_chosen), "value")
        self.button.on_click(guard(lambda _button: self._pressed()))
        self.use.on_click(guard(lambda _button: self._choose(self.chosen.index)))
        self.choose(INPUT)

    def choose(self, step: str) -> None:
        """Offer the parameters of a step."""
        if step == self.step and step != INPUT:
            return
        self.cancel()
        self.step = step
        infos = self._infos()
        self._nothing.value = "" if infos else "<div class='jwcal-help'>Choose a step with a parameter.</div>"
        self._body.layout.display = "flex" if infos else "none"
        self._filling = True
        self.parameter.options = list(infos)
        self._filling = False
        if infos:
            self.parameter.value = next(iter(infos))
            self._parameter_chosen({})

    def refresh(self) -> None:
        """Show the present value, after settings have changed."""
        if self.sweep is not None:
            self._draw(self.sweep)

    def cancel(self) -> None:
        """Stop the sweep that is running."""
        self._cancel.set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the sweep that is running."""
        self._latest.wait(timeout)

    def close(self) -> None:
        """Stop, and close all widgets."""
        self.cancel()
        self._latest.close()
        self._latest.wait(1.0)
        close_widgets(self.widget)

    # --- the values ----------------------------------------------------------------------------------------

    def _infos(self) -> dict[str, ParamInfo]:
        """Parameters that can be swept, those most often changed first."""
        if self.step == INPUT:
            return {}
        infos = self._session.definition(self.step).params.infos()
        fit = [i for i in infos if i.kind in {"int", "float", "bool", "choice"}]
        fit.sort(key=lambda i: (i.name == "skip", i.advanced, i.slider is None))
        return {info.name: info for info in fit}

    def _info(self) -> ParamInfo:
        return self._infos()[self.parameter.value]

    def _parameter_chosen(self, _change: dict[str, Any]) -> None:
        if self._filling or self.parameter.value is None:
            return
        info = self._info()
        numeric = info.kind in {"int", "float"}
        self._range.layout.display = "flex" if numeric else "none"
        self._unit.value = html.escape(info.unit)
        self.parameter.tooltip = info.help
        if numeric:
            low, high = self._default_range(info)
            self.low.value, self.high.value = f"{low:g}", f"{high:g}"
            whole = info.kind == "int" and high - low + 1 < _VALUES
            self.count.value = str(int(high - low) + 1 if whole else _VALUES)
        self._show(None)
        self._say("" if numeric else f"values: {', '.join(as_text(value) for value in self.values())}")

    def _default_range(self, info: ParamInfo) -> tuple[float, float]:
        if info.slider is not None:
            return info.slider
        present = getattr(self._session.params(self.step), info.name) or 0
        low, high = (present / 2, present * 2) if present > 0 else (0.0, 10.0)
        return (max(low, info.minimum) if info.minimum is not None else low), high

    def values(self) -> list[Any]:
        """Give the values to try.

        Raises
        ------
        ParameterError
            If the range is not one.
        """
        info = self._info()
        if info.kind in {"bool", "choice"}:
            values: list[Any] = [False, True] if info.kind == "bool" else list(info.choices)
            return [*values, None] if info.optional else values
        try:
            low, high, count = float(self.low.value), float(self.high.value), int(self.count.value)
        except ValueError:
            low, high, count = 0.0, 0.0, 0
        if not (np.isfinite((low, high)).all() and low < high and 2 <= count <= _MOST):
            raise ParameterError(
                f"sweep of {self.step}.{info.name}: from {self.low.value} to {self.high.value} in "
                f"{self.count.value} is not possible: give a lower and a higher number, and 2 to {_MOST} "
                "values."
            )
        numbers = np.linspace(low, high, count)
        if info.kind == "int":
            return [int(n) for n in np.unique(np.round(numbers))]
        return [float(f"{n:.6g}") for n in numbers]

    # --- running -------------------------------------------------------------------------------------------

    def _pressed(self) -> None:
        if self._running:
            self.cancel()
            self._say("cancelling…")
            return
        try:
            values = self.values()
        except ParameterError as error:
            self._say(str(error), wrong=True)
            return
        window = self._window()
        if window is None:
            self._say("Zoom in to at most 256 x 256 pixels: the sweep uses the window in view.", wrong=True)
            return
        self._cancel = cancel = threading.Event()
        step, name = self.step, self.parameter.value
        self._show(None)
        self._run_state(running=True, total=len(values))
        self._latest.request(lambda: self._work(step, name, values, window, cancel), self._done)

    def _work(
        self, step: str, name: str, values: list[Any], window: Window, cancel: threading.Event
    ) -> Sweep | Exception:
        truth = truth_beside(self._session.path)
        try:
            return self._session.sweep(step, name, values, window, truth, self._progress, cancel)
        except Exception as error:  # noqa: BLE001 - handed on to be shown
            return error

    def _progress(self, done: int, _total: int) -> None:
        self._bar.value = done

    def _done(self, found: Sweep | Exception) -> None:
        self._run_state(running=False)
        if isinstance(found, Cancelled):
            self._say("cancelled")
        elif isinstance(found, ParameterError):
            self._say(str(found), wrong=True)
        elif isinstance(found, Exception):
            self._say("")
            raise found
        elif (found.step, found.name) == (self.step, self.parameter.value):
            self._show(found)

    def _run_state(self, *, running: bool, total: int = 0) -> None:
        self._running = running
        self.button.description, self.button.icon = ("Cancel", "stop") if running else ("Run", "play")
        self._bar.layout.visibility = "visible" if running else "hidden"
        if running:
            self._bar.value, self._bar.max = 0, total
            self._say("")

    # --- what came of it -----------------------------------------------------------------------------------

    def _show(self, sweep: Sweep | None) -> None:
        self.sweep = sweep
        self._choice.layout.display = "none" if sweep is None else "flex"
        self.plots.widget.layout.display = "none" if sweep is None else "flex"
        self._table.value = ""
        if sweep is None:
            return
        window, seconds = sweep.window, sum(row.seconds for row in sweep.rows)
        about = [f"x {window.x0} to {window.x1 - 1}, y {window.y0} to {window.y1 - 1}", f"{seconds:.2f} s"]
        if sweep.has_truth:
            about.append("compared with what the simulator put in")
        self._say(" · ".join([*about, *sweep.notes]))
        self.chosen.options = [as_text(row.value) for row in sweep.rows]
        present = getattr(self._session.params(sweep.step), sweep.name)
        values = [row.value for row in sweep.rows]
        self.chosen.index = values.index(present) if present in values else 0
        self._table.value = (
            f"<details class='jwcal-help'><summary>numbers</summary>{sweep._repr_html_()}</details>"
        )
        self._draw(sweep)

    def _draw(self, sweep: Sweep) -> None:
        self.plots.show(sweep, getattr(self._session.params(sweep.step), sweep.name))

    def _clicked(self, row: int) -> None:
        if self.sweep is not None and row < len(self.sweep.rows):
            self.chosen.index = row
            self._choose(row)

    def _choose(self, row: int | None) -> None:
        if self.sweep is not None and row is not None:
            self._on_choose(self.sweep.step, {self.sweep.name: self.sweep.rows[row].value})

    def _say(self, text: str, *, wrong: bool = False) -> None:
        kind = "jwcal-error" if wrong else "jwcal-help"
        self._said.value = f"<div class='{kind}'>{html.escape(text)}</div>" if text else ""
