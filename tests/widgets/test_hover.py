"""Where the mouse is, from what the two transparent grids tell."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_widgets.hover import COARSE, FINE, HoverGrid

PLOT = (400, 240)


def cell(row: int, column: int) -> dict[str, dict[str, int]]:
    return {"data": {"rowNum": row, "columnNum": column}}


@pytest.fixture
def heard() -> list[tuple[str, float, float]]:
    return []


@pytest.fixture
def grid(heard) -> HoverGrid:
    return HoverGrid(
        PLOT, lambda x, y: heard.append(("move", x, y)), lambda x, y: heard.append(("click", x, y)), lambda f: f
    )


def on_screen(heard) -> list[tuple[str, int, int]]:
    return [(what, int(x * PLOT[0]), int(y * PLOT[1])) for what, x, y in heard]


def test_fine_cells_follow_and_tell_the_screen_pixel(grid, heard):
    grid._entered(None, cell(7, 3))
    np.testing.assert_allclose(grid._fine.row, 7 + np.arange(FINE + 1) / FINE)
    np.testing.assert_allclose(grid._fine.column, 3 + np.arange(FINE + 1) / FINE)
    grid._moved(None, cell(5, 2))
    assert on_screen(heard) == [
        ("move", 3 * COARSE + 4, 7 * COARSE + 4),
        ("move", 3 * COARSE + 2, 7 * COARSE + 5),
    ]


def test_click_on_a_fine_cell_is_exact(grid, heard):
    grid._entered(None, cell(0, 0))
    grid._clicked(None, cell(1, 6))
    assert on_screen(heard)[-1] == ("click", 6, 1)


def test_click_that_comes_before_the_fine_cells_waits_for_them(grid, heard):
    grid._clicked_early(None, cell(2, 2))
    assert "click" not in {what for what, *_ in heard}
    grid._moved(None, cell(7, 0))
    assert ("click", 2 * COARSE, 2 * COARSE + 7) in on_screen(heard)
    grid._moved(None, cell(7, 1))
    assert sum(what == "click" for what, *_ in heard) == 1


def test_click_is_not_lost_when_the_mouse_goes_on(grid, heard):
    grid._clicked_early(None, cell(2, 2))
    grid._entered(None, cell(2, 3))
    clicks = [place for what, *place in on_screen(heard) if what == "click"]
    assert clicks == [[2 * COARSE + 4, 2 * COARSE + 4]], "the middle of the cell that was clicked"


def test_there_are_few_thousand_cells(grid):
    assert sum(np.size(mark.color) for mark in grid.marks) < 5000
