"""The tile runner."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwcal_interactive.errors import Cancelled
from jwcal_interactive.tiles import Tiles


@given(nrows=st.integers(0, 200), band_rows=st.integers(1, 70), threads=st.integers(1, 5))
def test_every_row_once_whatever_the_threads(nrows: int, band_rows: int, threads: int) -> None:
    times = np.zeros(nrows, int)

    def work(y0: int, y1: int) -> None:
        assert 0 < y1 - y0 <= band_rows
        times[y0:y1] += 1

    Tiles(threads=threads, band_rows=band_rows).over_rows(nrows, work)
    assert (times == 1).all()


@pytest.mark.parametrize("threads", [1, 4])
def test_progress_rises_to_one(threads: int) -> None:
    seen: list[float] = []
    Tiles(threads=threads, band_rows=3, progress=seen.append).over_rows(100, lambda _a, _b: None)
    assert seen == sorted(seen)
    assert seen[0] > 0
    assert seen[-1] == 1
    assert len(seen) == 34


@pytest.mark.parametrize("threads", [1, 3])
def test_first_exception_stops_the_pass(threads: int) -> None:
    done: list[int] = []

    def work(y0: int, _y1: int) -> None:
        if y0 == 4:
            raise ValueError("band 4")
        time.sleep(0.002)
        done.append(y0)

    with pytest.raises(ValueError, match="band 4"):
        Tiles(threads=threads, band_rows=1).over_rows(500, work)
    assert len(done) < 100
    assert threading.active_count() < 20


@pytest.mark.parametrize("threads", [1, 3])
def test_cancel(threads: int) -> None:
    tiles = Tiles(threads=threads, band_rows=1)
    done: list[int] = []

    def work(y0: int, _y1: int) -> None:
        done.append(y0)
        if y0 == 10:
            tiles.cancel.set()
        time.sleep(0.001)

    with pytest.raises(Cancelled):
        tiles.over_rows(1000, work)
    assert len(done) < 50
    with pytest.raises(Cancelled):
        tiles.check()
    with pytest.raises(Cancelled):
        tiles.over_rows(1, work)


def test_cancel_in_the_last_band_is_too_late() -> None:
    tiles = Tiles(threads=1, band_rows=1)

    def work(y0: int, _y1: int) -> None:
        if y0 == 9:
            tiles.cancel.set()

    tiles.over_rows(10, work)


def test_interrupt_starts_no_further_band(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C arrives in the thread that waits."""
    from jwcal_interactive import tiles as module

    done: list[int] = []

    def work(y0: int, _y1: int) -> None:
        time.sleep(0.01)
        done.append(y0)

    def interrupted(*_arguments: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Tiles(threads=2, band_rows=1).over_rows(500, work)
    assert len(done) < 100


def test_failing_progress_is_not_swallowed() -> None:
    def broken(_fraction: float) -> None:
        raise RuntimeError("display")

    with pytest.raises(RuntimeError, match="display"):
        Tiles(threads=2, band_rows=1, progress=broken).over_rows(5, lambda _a, _b: None)


def test_threads_of_this_machine() -> None:
    assert Tiles().threads >= 1
