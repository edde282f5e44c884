"""Pictures beside each other, as a report wants them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from jwcal_interactive.arrays import State
from jwcal_widgets.closing import close_widgets
from jwcal_widgets.previews.chart import Chart
from jwcal_widgets.previews.picture import Picture
from jwcal_widgets.previews.report import Map, Plot, Report
from jwcal_widgets.results import INPUT

if TYPE_CHECKING:
    from jwcal_interactive import Session
    from jwcal_widgets.previews import Pixel

__all__ = ["Board", "Look", "Reporter"]

MAP_SIZE = (146, 146)  # screen pixels


@dataclass(frozen=True, eq=False)
class Look:
    """What a report is made from.

    Attributes
    ----------
    session : Session
    step : str
    before, after : State
        What the step got and gave.
    pixel : Pixel
        The picked one.
    """

    session: Session
    step: str
    before: State
    after: State
    pixel: Pixel

    @property
    def params(self) -> Any:
        """Parameters of the step as they are set."""
        return self.session.params(self.step)


@dataclass(frozen=True)
class Reporter:
    """The preview of a step.

    Attributes
    ----------
    question : str
        What the user can judge by it.
    report : callable
        Makes the report from a `Look`, in a thread; ``None`` if there is nothing to show.
    uses_pixel : bool
        Whether it shows the picked pixel.
    """

    question: str
    report: Callable[[Look], Report | None]
    uses_pixel: bool = False


class Board:
    """Shows the reports of a step; pictures are made when the first report needs them.

    Parameters
    ----------
    step : str
    reporter : Reporter
    pick, guard : callable
        See `preview_for`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    question : str
        What the user can judge by it.
    maps : list of Picture
        Made so far.
    words : ipywidgets.HTML
    """

    def __init__(
        self,
        step: str,
        reporter: Reporter,
        pick: Callable[[int, int, int], None],
        guard: Callable[..., Any],
    ) -> None:
        self._step, self._reporter = step, reporter
        self._pick, self._guard = pick, guard
        self.question = reporter.question
        self.maps: list[Picture] = []
        self._captions: list[ipw.HTML] = []
        self._cells: list[ipw.VBox] = []
        self._charts: dict[tuple[bool, bool], list[Chart]] = {}
        self._shown: list[Chart] = []
        self.words = ipw.HTML(layout={"margin": "0"})
        self._pictures = ipw.HBox(layout={"flex_flow": "row wrap", "overflow": "visible"})
        self.widget = ipw.VBox([self._pictures, self.words], layout={"overflow": "visible"})
        self._made_from: tuple[Any, ...] = ()
        self._report: Report | None = None

    @property
    def charts(self) -> list[Chart]:
        """Plots on show, in order."""
        return list(self._shown)

    def gather(self, session: Session, pixel: Pixel) -> Report | None:
        """Compute what is shown, in a thread; the last report is kept while it holds.

        Returns
        -------
        Report or None
            ``None`` if there is nothing to show: the step has not run, or did nothing.
        """
        steps = (INPUT, *session.steps)
        before, after = (session.result(steps[steps.index(self._step) + n]) for n in (-1, 0))
        if before is None or after is None or before is after:
            return None
        look = Look(session, self._step, before, after, pixel)
        made_from = (
            # Results are not kept alive by what was drawn from them.
            weakref.ref(before),
            weakref.ref(after),
            look.params,
            session.settings.overrides,
            pixel if self._reporter.uses_pixel else None,
        )
        if made_from != self._made_from:
            self._report = self._reporter.report(look)
            self._made_from = made_from
        return self._report

    def show(self, found: Report) -> None:
        """Draw what `gather` found; soon done."""
        cells: list[ipw.Widget] = []
        self._shown = []
        maps = 0
        for figure in found.figures:
            if isinstance(figure, Map):
                cells.append(self._show_map(maps, figure))
                maps += 1
            else:
                cells.append(self._show_plot(figure))
        if self._pictures.children != tuple(cells):
            self._pictures.children = cells
        self.words.value = found.words

    def close(self) -> None:
        """Close the pictures, also those that are not below ``widget`` now."""
        for picture in self.maps:
            picture.close()
        charts = [chart.widget for charts in self._charts.values() for chart in charts]
        close_widgets(*self._cells, *charts)
        self._report, self._made_from = None, ()

    def _show_map(self, place: int, figure: Map) -> ipw.Widget:
        if place == len(self.maps):
            picture = Picture(MAP_SIZE, self._pick, self._guard)
            caption = ipw.HTML(layout={"margin": "0 0 4px 4px", "width": f"{MAP_SIZE[0] + 54}px"})
            self.maps.append(picture)
            self._captions.append(caption)
            self._cells.append(ipw.VBox([picture.widget, caption], layout={"overflow": "visible"}))
        self.maps[place].show(figure.colors, figure.shape, figure.outlines)
        self._captions[place].value = f"<div style='line-height:1.3;font-size:12px'>{figure.caption}</div>"
        return self._cells[place]

    def _show_plot(self, figure: Plot) -> ipw.Widget:
        kind = (figure.log_x, figure.log_y)
        charts = self._charts.setdefault(kind, [])
        place = sum(chart in self._shown for chart in charts)
        if place == len(charts):
            charts.append(Chart(log_x=kind[0], log_y=kind[1]))
        charts[place].show(figure)
        self._shown.append(charts[place])
        return charts[place].widget
