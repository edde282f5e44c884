"""The histogram: what it counts, and what its brush does."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_widgets.histogram import BINS, Histogram, counts_of


@pytest.fixture
def heard() -> list[tuple[str, float, float]]:
    return []


@pytest.fixture
def histogram(heard):
    made = Histogram(
        500,
        lambda low, high: heard.append(("limits", low, high)),
        lambda low, high: heard.append(("values", low, high)),
        lambda f: f,
        0,
    )
    yield made
    made.close()


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(1).normal(100, 10, 20_000).astype(np.float32)


def drag(histogram: Histogram, low: float, high: float) -> None:
    brush = histogram._brush
    brush.brushing = True
    brush.selected = np.array([low, high])
    brush.brushing = False


def test_all_but_outliers_are_counted(values):
    counts, edges = counts_of(np.append(values, np.float32(1e6)), (80.0, 120.0))
    assert counts.shape == (BINS,)
    assert values.size - 30 < counts.sum() <= values.size
    assert edges[-1] < 200, "one hot pixel does not squeeze the rest"


def test_limits_are_always_on_the_axis(values):
    _counts, edges = counts_of(values, (-500.0, 900.0))
    assert edges[0] < -500
    assert edges[-1] > 900


@pytest.mark.parametrize("same", [np.zeros(0, np.float32), np.full(9, 5.0, np.float32)])
def test_no_values_or_equal_ones(histogram, same):
    histogram.show(same, 9, (4.0, 6.0), "DN")
    assert histogram._x.min < 4.0 < 6.0 < histogram._x.max


def test_brush_is_put_over_the_limits_without_an_echo(histogram, values, heard):
    histogram.show(values, values.size, (90.0, 110.0), "DN")
    assert histogram._brush.selected.tolist() == [90.0, 110.0]
    assert heard == []
    assert histogram._x_axis.label == "value (DN)"


def test_dragging_sets_the_limits(histogram, values, heard):
    histogram.show(values, values.size, (90.0, 110.0), "DN")
    drag(histogram, 95.0, 130.0)
    assert heard == [("limits", 95.0, 130.0)]


def test_dragging_selects_pixels_when_it_ends(histogram, values, heard):
    histogram.purpose.value = "select pixels"
    histogram.show(values, values.size, (90.0, 110.0), "DN")
    drag(histogram, 120.0, 150.0)
    assert heard == [("values", 120.0, 150.0)]


def test_emptied_brush_changes_nothing(histogram, values, heard):
    histogram.show(values, values.size, (90.0, 110.0), "DN")
    histogram._brush.selected = None
    histogram._brush.selected = np.array([3.0, 3.0])
    assert heard == []


def test_counts_are_logarithmic_or_not(histogram, values):
    histogram.show(values, values.size, (90.0, 110.0), "DN")
    assert histogram._outline.y.max() == pytest.approx(np.log10(histogram._counts.max() + 1))
    assert histogram._y_axis.label == "log10 (pixels + 1)"
    histogram.log.value = False
    assert histogram._outline.y.max() == histogram._counts.max()
    assert histogram._y_axis.label == "pixels"


def test_sample_says_that_it_is_one(histogram, values):
    histogram.show(values, 4_194_304, (90.0, 110.0), "DN")
    assert "a sample of 20,000 of 4,194,304 pixels" in histogram._note.value
    histogram.show(values, 20_100, (90.0, 110.0), "DN")
    assert "sample" not in histogram._note.value
