"""Completeness and false alarms of jump, with the command `python -m tests.truth.jump_curves` as its table."""

from __future__ import annotations

import pytest

from tests.truth.jump_curves import Row, curves, lines

pytestmark = pytest.mark.truth


@pytest.fixture(scope="module")
def rows() -> dict[tuple[int, float], Row]:
    return {(row.ngroups, row.threshold): row for row in curves((4, 5, 10, 25, 100), (4.0, 5.0, 6.0), seed=2)}


def test_clear_hits_are_found(rows: dict[tuple[int, float], Row], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n" + "\n".join(lines(rows.values())))
    for row in rows.values():
        assert sum(row.hits[-2:]) > 500
        assert row.completeness(10.0) > 0.99
        assert row.completeness(20.0) > 0.998


def test_hits_as_large_as_the_threshold_are_found_half_of_the_time(rows: dict[tuple[int, float], Row]) -> None:
    """The median of long ramps is well known, so that noise alone decides."""
    for (ngroups, threshold), row in rows.items():
        if ngroups >= 25 and threshold < 6:
            below, above = (row.found[n] / row.hits[n] for n in (int(threshold) - 4, int(threshold) - 3))
            assert 0.2 < below < 0.5 < above < 0.8


def test_false_alarms(rows: dict[tuple[int, float], Row]) -> None:
    """As rare as normal noise lets them be in long ramps; more where the median comes from few differences."""
    assert rows[100, 4.0].false_rate == pytest.approx(rows[100, 4.0].gaussian_rate, rel=0.35)
    for ngroups, ceiling in ((4, 2.5e-3), (5, 3e-3), (10, 5e-4), (25, 2e-4)):
        assert rows[ngroups, 4.0].gaussian_rate < rows[ngroups, 4.0].false_rate < ceiling
    for ngroups in (4, 5, 10, 25, 100):
        assert rows[ngroups, 4.0].false_rate > rows[ngroups, 5.0].false_rate >= rows[ngroups, 6.0].false_rate
        assert rows[ngroups, 6.0].false_rate < 1e-4
