"""Values of keywords."""

from __future__ import annotations

import pytest

from jwcal_interactive.arrays import Value, as_whole_number


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (3, 3), (3.0, 3), (0, 0), (-2.0, -2), (10**30, 10**30), (1e30, int(1e30)),
        (2.5, None), (True, None), (False, None), ("3", None), (None, None), (float("nan"), None),
        (float("inf"), None),
    ],
)  # fmt: skip
def test_as_whole_number(value: Value, whole: int | None) -> None:
    assert as_whole_number(value) == whole
    assert type(as_whole_number(value)) in (int, type(None))
