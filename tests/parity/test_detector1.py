"""Every array after every step against the official pipeline, on the exposures of `cases`."""

from __future__ import annotations

import pytest

from tests.parity.cases import CASES
from tests.parity.lockstep import Case, run_case

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_step(case: Case) -> None:
    rows = list(run_case(case))
    unexplained = [problem for row in rows if not row.is_explained for problem in row.problems]
    assert not unexplained, "\n".join(unexplained)
    done = {row.step for row in rows if row.outcome == "done"}
    assert done >= set(case.steps), "a step that the case turns on did not run"
    assert rows[-1].values
