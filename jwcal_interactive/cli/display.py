"""What the command line shows while it works, and the tables after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from jwcal_interactive.pipeline import Outcome
from jwcal_interactive.pipeline import Progress as StepProgress
from jwcal_interactive.planning import Plan

__all__ = ["Display", "outcome_table", "plan_table"]


class Display:
    """Progress on standard error, results on standard output.

    Parameters
    ----------
    quiet : bool
        Show no progress.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.out = Console(highlight=False, soft_wrap=True)
        self.quiet = quiet
        self._console = Console(stderr=True, highlight=False, quiet=quiet)

    def say(self, text: str) -> None:
        """One line of progress that stays."""
        self._console.print(text, soft_wrap=True)

    @contextmanager
    def bar(self, title: str, total: float | None = None) -> Iterator[_Bar]:
        """Show a progress bar (a spinner if ``total`` is unknown) while the block runs."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, disable=self.quiet) as progress:
            yield _Bar(progress, title, total)


class _Bar:
    """One line of a progress display."""

    def __init__(self, progress: Progress, title: str, total: float | None) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=total)

    def update(self, done: float | None = None, title: str | None = None) -> None:
        """Set how far it is (0 to the total) and what is going on."""
        self._progress.update(self._task, completed=done, description=title)

    def step(self, progress: StepProgress) -> None:
        """Show the progress of a pipeline."""
        done = (progress.index + progress.fraction) / progress.nsteps
        self.update(done, progress.message or f"{progress.step:<14}")


def outcome_table(outcomes: Iterable[Outcome], title: str) -> Table:
    """Table of steps with outcome, time and references."""
    table = Table(title=title, title_justify="left")
    table.add_column("step")
    table.add_column("outcome")
    table.add_column("time / s", justify="right")
    table.add_column("references or reason; what it found")
    total = 0.0
    for outcome in outcomes:
        total += outcome.seconds
        used = outcome.reason or ", ".join(r.name for r in outcome.references)
        found = [f"{key} = {_number(word.value)} ({word.comment})" for key, word in outcome.found.items()]
        detail = "\n".join(filter(None, (used, *found)))
        table.add_row(outcome.step, outcome.state, f"{outcome.seconds:.2f}", detail)
    table.add_section()
    table.add_row("all steps", "", f"{total:.2f}", "")
    return table


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def plan_table(plan: Plan) -> Table:
    """Table of the stages of a run: what goes in bands, and what each takes."""
    table = Table(title="plan", title_justify="left")
    table.add_column("steps")
    table.add_column("rows at a time", justify="right")
    table.add_column("memory / MB", justify="right")
    for stage in plan.stages:
        rows = f"{stage.at_once} x {stage.rows}" if stage.rows else "whole frame"
        table.add_row(", ".join(stage.steps), rows, f"{stage.nbytes / 1e6:.0f}")
    return table
