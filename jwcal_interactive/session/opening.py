"""Opening a session: from an exposure, or from one that was saved."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from jwcal_interactive.errors import InputError
from jwcal_interactive.opening import open_exposure
from jwcal_interactive.session.cache import default_limit
from jwcal_interactive.session.saved import is_saved_session, restore_session
from jwcal_interactive.session.session import Session
from jwcal_interactive.tiles import Tiles

__all__ = ["open_session"]


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
