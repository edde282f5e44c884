"""Opening: from a file on disk to a session or to a headless run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jwcal_interactive.arrays import Exposure
from jwcal_interactive.errors import InputError
from jwcal_interactive.io.raw import RampFile, open_ramp
from jwcal_interactive.recipes import Recipe, choose_recipe
from jwcal_interactive.references.baseline import Baseline, find_baseline
from jwcal_interactive.references.book import ReferenceBook
from jwcal_interactive.references.client import open_context
from jwcal_interactive.session.cache import default_limit
from jwcal_interactive.session.saved import is_saved_session, restore_session
from jwcal_interactive.session.session import Session
from jwcal_interactive.tiles import Tiles

__all__ = ["Opened", "open_exposure", "open_session"]


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


def open_session(
    path: str | Path,
    *,
    pipeline: str | None = None,
    context: str | None = None,
    exposure: str | Path | None = None,
    memory_limit: int | None = None,
    threads: int | None = None,
) -> Session:
    """Open a raw exposure, or a session saved before.

    Parameters
    ----------
    path : str or Path
        Level-1b FITS file (``_uncal.fits``), the file that `Session.save` wrote, or the notebook that
        `Session.export` wrote.
    pipeline : str, optional
        ``"detector1"``, ``"dark"`` or ``"guider"`` (or their ``calwebb_`` names); by default the one for the
        exposure.
    context : str, optional
        ``"demo"`` for the embedded references, or a CRDS context; by default the one in operation, for a saved
        session the one that it had.
    exposure : str or Path, optional
        With a saved session: where its exposure is now.
    memory_limit : int, optional
        Bytes that the results of steps, which a session keeps, may take; half of the machine's memory by
        default.
    threads : int, optional
        All processors by default.

    Returns
    -------
    Session

    Raises
    ------
    JwcalError
        With what is wrong and what to do.
    """
    if is_saved_session(path):
        reopen = partial(open_session, memory_limit=memory_limit, threads=threads)
        return restore_session(Path(path), reopen, context, None if exposure is None else Path(exposure))
    if exposure is not None:
        raise InputError(f"{path}: `exposure` goes with a saved session; this is an exposure itself.")
    opened = open_exposure(path, pipeline=pipeline, context=context)
    ramp = opened.source.cut()
    opened.source.close()
    return Session(
        Path(path).resolve(),
        ramp,
        opened.recipe,
        opened.book,
        opened.baseline,
        memory_limit=default_limit() if memory_limit is None else memory_limit,
        tiles=Tiles() if threads is None else Tiles(threads=threads),
    )
