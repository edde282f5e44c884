"""Opening an exposure: its header, its pipeline, and what CRDS says of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.io.raw import RampFile, open_ramp
from jwcal_interactive.recipes import Recipe, choose_recipe
from jwcal_interactive.references.baseline import Baseline, find_baseline
from jwcal_interactive.references.book import ReferenceBook
from jwcal_interactive.references.client import open_context

__all__ = ["Opened", "open_exposure"]


@dataclass(frozen=True)
class Opened:
    """An exposure, by its header, with all that is needed to calibrate it."""

    path: Path
    source: RampFile
    exposure: Exposure
    recipe: Recipe
    book: ReferenceBook
    baseline: Baseline


def open_exposure(
    path: str | Path,
    *,
    pipeline: str | None = None,
    context: str | None = None,
    alone: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Opened:
    """Read the header of an exposure, choose its pipeline and look up its parameter references.

    Parameters
    ----------
    path, pipeline, context
        As for `open_session`.
    alone : bool
        Only one step will run: what the pipeline's parameter reference says of it does not count.
    progress : callable, optional
        Told what happens while the demo cache is built.

    Raises
    ------
    InputError
        If the file cannot be used.
    ParameterError
        For an unknown pipeline.
    ReferenceError
        If CRDS gives no answer.
    """
    source = open_ramp(path)
    exposure = source.exposure
    recipe = choose_recipe(exposure, pipeline)
    book = ReferenceBook(open_context(context, progress, exposure), exposure)
    baseline = find_baseline(recipe, book, with_pipeline=not alone)
    return Opened(Path(path), source, exposure, recipe, book, baseline)
