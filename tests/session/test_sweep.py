"""Sweeps: rows are what previews give, and truth tells right from wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jwcal_interactive import Cancelled, InputError, ParameterError, Ramp, Rates, Session, open_session
from jwcal_interactive.checks.fit_quality import fit_quality
from jwcal_interactive.session.preview import Window
from jwcal_interactive.session.sweep import Truth, truth_beside

WINDOW = Window(200, 300, 456, 556)


@pytest.fixture(scope="module")
def simulated_session(simulated: Callable[[str], tuple[Path, Path]]) -> tuple[Session, Path]:
    raw, truth = simulated("sub640-rapid")
    session = open_session(raw, context="demo")
    session.run(last="jump")
    return session, truth


@pytest.fixture
def session(tiny_raw: Path, tiny_context: Path) -> Session:
    return open_session(tiny_raw)


def test_rows_are_previews(session: Session) -> None:
    window = Window(4, 4, 40, 40)
    done: list[tuple[int, int]] = []
    sweep = session.sweep(
        "jump", "rejection_threshold", ["2", 4, 8.0], window, progress=lambda *p: done.append(p)
    )
    assert done == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert [row.value for row in sweep.rows] == [2.0, 4.0, 8.0]
    assert not session.settings.values
    for row in sweep.rows:
        made = session.preview(window, "jump", {"rejection_threshold": row.value})
        counters = made.counters(session)
        assert row.groups == {name: change.after for name, change in counters.groups.items()}
        assert counters.slope is not None
        assert counters.spread is not None
        assert (row.slope, row.spread) == (counters.slope.after, counters.spread.after)
        assert row.exact
        assert row.bias is None
    assert sweep.rows[0].groups["JUMP_DET"] > sweep.rows[2].groups.get("JUMP_DET", 0)
    assert sweep.unit == "sigma"
    assert "JUMP_DET" in repr(sweep)
    assert "rejection_threshold / sigma" in sweep._repr_html_()


def test_choices_and_switches(session: Session) -> None:
    sweep = session.sweep("ramp_fit", "algorithm", ["OLS_C", "LIKELY"], Window(4, 4, 20, 20))
    assert [row.value for row in sweep.rows] == ["OLS_C", "LIKELY"]
    assert sweep.rows[0].slope != sweep.rows[1].slope
    sweep = session.sweep("superbias", "skip", [False, True], Window(4, 4, 20, 20))
    assert [row.value for row in sweep.rows] == [False, True]


def test_chi_square_is_that_of_the_fits(session: Session) -> None:
    exposure = session.exposure
    window = Window(0, 4, exposure.xsize, 40)
    sweep = session.sweep("jump", "skip", [False, True], window)
    found, missed = (row.chi_square for row in sweep.rows)
    assert found is not None
    assert missed is not None
    assert missed > found, "a line is fitted across jumps"
    assert "reduced chi-square" in repr(sweep)
    session.run(last="ramp_fit")
    ramp, fitted = session.result("jump"), session.result("ramp_fit")
    assert isinstance(ramp, Ramp)
    assert isinstance(fitted, Rates)
    whole = fit_quality(ramp, fitted, session.load_references("ramp_fit"), slice(window.y0, window.y1))
    assert found == np.median(whole.chi_square)
    assert session.sweep("gain_scale", "skip", [True], window).rows[0].chi_square is None


def test_refused(session: Session) -> None:
    window = Window(0, 0, 8, 8)
    with pytest.raises(ParameterError, match="no values"):
        session.sweep("jump", "rejection_threshold", [], window)
    done: list[int] = []
    with pytest.raises(ParameterError, match="rejection_threshold = -1"):
        session.sweep("jump", "rejection_threshold", [3, -1], window, progress=lambda n, _: done.append(n))
    assert done == [], "all values are checked first"
    with pytest.raises(ParameterError, match="no parameter"):
        session.sweep("jump", "threshold", [3], window)
    with pytest.raises(InputError, match=r"no_truth\.fits"):
        session.sweep("jump", "rejection_threshold", [3], window, truth="no_truth.fits")


def test_cancel(session: Session) -> None:
    cancel = threading.Event()

    def progress(done: int, _total: int) -> None:
        if done == 1:
            cancel.set()

    with pytest.raises(Cancelled):
        session.sweep(
            "jump", "rejection_threshold", [3, 4, 5], Window(0, 0, 8, 8), progress=progress, cancel=cancel
        )


def test_against_the_truth(simulated_session: tuple[Session, Path]) -> None:
    session, truth = simulated_session
    assert truth_beside(session.path) == truth
    sweep = session.sweep("jump", "rejection_threshold", [2.5, 4.0, 30.0], WINDOW, truth)
    low, middle, high = sweep.rows
    assert low.false_jumps is not None
    assert middle.false_jumps is not None
    assert high.false_jumps is not None
    assert low.false_jumps > middle.false_jumps >= high.false_jumps
    assert low.missed_jumps is not None
    assert high.missed_jumps is not None
    assert middle.hits is not None
    assert middle.hits > 20
    assert middle.missed_jumps is not None
    assert middle.missed_jumps < 0.1 * middle.hits, "hits of 6 sigma are found with a threshold of 4"
    assert low.missed_jumps <= middle.missed_jumps < high.missed_jumps
    assert middle.bias is not None
    assert abs(middle.bias) < 0.2 * middle.error
    assert np.isfinite(middle.spread)


def test_hits_beside_the_window_count(simulated_session: tuple[Session, Path]) -> None:
    """The neighbours of a hit are flagged rightly, also where an edge of the window lies between."""
    session, path = simulated_session
    whole = Truth.read(path, WINDOW, session)
    hit = np.flatnonzero((whole.hits > 0).any(axis=(0, 1, 2)))
    x0 = int(hit[hit.size // 2]) + 1  # a hit is beside the part
    part = Truth.read(path, Window(WINDOW.x0 + x0, WINDOW.y0, WINDOW.x1, WINDOW.y1), session)
    assert np.array_equal(part.hits, whole.hits[..., x0:])
    assert np.array_equal(part.near, whole.near[..., x0:])
    assert whole.near.sum() > 3 * (whole.hits > 0).sum()


def test_truth_of_another_exposure(session: Session, simulated_session: tuple[Session, Path]) -> None:
    with pytest.raises(InputError, match="not the truth of"):
        session.sweep("jump", "rejection_threshold", [4], Window(0, 0, 8, 8), simulated_session[1])


def test_no_truth_beside(session: Session) -> None:
    assert truth_beside(session.path) is None
