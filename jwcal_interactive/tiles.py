"""The tile runner: bands of detector rows on a thread pool, with progress and cancellation."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from jwcal_interactive.errors import Cancelled

__all__ = ["Tiles"]


def _ignore(_fraction: float) -> None:
    """Progress sink for runs that nobody watches."""


@dataclass(frozen=True)
class Tiles:
    """How the pixel-wise work of a step is spread and watched.

    Parameters
    ----------
    threads : int
        Number of worker threads; the default is the number of processors this process may use.
    band_rows : int
        Detector rows per tile. 32 rows of a full frame fit the cache of one core.
    progress : callable
        Called with the fraction done (0 to 1) of the current pass; from any thread.
    cancel : threading.Event
        When it is set, the pass stops at the next tile and raises `Cancelled`.
    """

    threads: int = field(
        default_factory=lambda: (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        )
    )
    band_rows: int = 32
    progress: Callable[[float], None] = _ignore
    cancel: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise `Cancelled` if the user asked to stop; for long work outside `over_rows`."""
        if self.cancel.is_set():
            raise Cancelled

    def over_rows(self, nrows: int, work: Callable[[int, int], None]) -> None:
        """Call ``work(y0, y1)`` for bands that cover rows 0 to ``nrows``, in parallel.

        ``work`` must release the GIL (numba ``nogil`` or numpy) and write only to its own rows. The first
        exception stops the pass and is raised here.

        Raises
        ------
        Cancelled
            If `cancel` is set before the last band is done.
        """
        self.check()
        bands = [(y, min(y + self.band_rows, nrows)) for y in range(0, nrows, self.band_rows)]
        if not bands:
            return
        done = 0
        lock = threading.Lock()

        def run(band: tuple[int, int]) -> None:
            nonlocal done
            self.check()
            work(*band)
            with lock:
                done += 1
                self.progress(done / len(bands))

        if self.threads == 1 or len(bands) == 1:
            for band in bands:
                run(band)
            return
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="jwcal-tile")
        try:
            finished, _ = wait([pool.submit(run, band) for band in bands], return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(cancel_futures=True)  # also when Ctrl+C ends the wait: no band starts any more
        for future in finished:
            future.result()
