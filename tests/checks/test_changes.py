"""What a step changed, on small ramps that are changed on purpose."""

from __future__ import annotations

import numpy as np
import pytest
from step_inputs import CASES, make

from jwcal_interactive.checks.changes import added_by_group, change_flags, change_values, flagged_pixels
from jwcal_interactive.checks.sampling import describe_rows, sample_rows
from jwcal_interactive.dq import DQ


@pytest.fixture
def ramp():
    case = next(case for case in CASES if case.name == "superbias")
    state = make(case, frame=(31, 40)).state
    return state.with_(pixeldq=np.zeros((31, 40), np.uint32), groupdq=np.zeros(state.data.shape, np.uint8))


@pytest.mark.parametrize("most", [10**9, 3000])
def test_values_are_those_of_good_pixels(ramp, most):
    rng = np.random.default_rng(1)
    data = np.zeros_like(ramp.data)
    change = rng.normal(0, 1, data.shape).astype(np.float32) - 5 * np.arange(data.shape[1])[:, None, None]
    pixeldq = ramp.pixeldq.copy()
    pixeldq[:, :4] = DQ.REFERENCE_PIXEL
    after = ramp.with_(data=(data + change).astype(np.float32), pixeldq=pixeldq)
    before = ramp.with_(data=data, pixeldq=pixeldq)
    found = change_values(before, after, most=most)
    expected = np.percentile(change[0][:, found.rows, 4:].reshape(data.shape[1], -1), (16, 50, 84), axis=1)
    np.testing.assert_allclose([found.low, found.median, found.high], expected, rtol=1e-6)
    assert (found.rows == slice(0, 31, 1)) == (most > 10**6)


def test_nothing_to_tell_of_a_step_that_leaves_values_alone(ramp):
    assert change_values(ramp, ramp.with_(groupdq=ramp.groupdq | np.uint8(1))) is None
    assert change_flags(ramp.pixeldq, ramp.with_().pixeldq) == {}
    assert added_by_group(ramp.groupdq, ramp.groupdq) == {}


def test_flags_before_and_after(ramp):
    groupdq = ramp.groupdq.copy()
    groupdq[:, 1, 2, 3] = DQ.JUMP_DET
    before = ramp.with_(groupdq=groupdq)
    later = groupdq.copy()
    later[:, 1, 2, 3] = 0
    later[0, 2:, 5:7, 8] |= np.uint8(DQ.SATURATED | DQ.DO_NOT_USE)
    pixeldq = ramp.pixeldq.copy()
    pixeldq[0, :3] = DQ.HOT
    after = ramp.with_(groupdq=later, pixeldq=pixeldq)
    ngroups = groupdq.shape[1]
    nints = groupdq.shape[0]
    assert change_flags(before.groupdq, later) == {
        DQ.DO_NOT_USE: (0, 2 * (ngroups - 2), 2 * (ngroups - 2)),
        DQ.SATURATED: (0, 2 * (ngroups - 2), 2 * (ngroups - 2)),
        DQ.JUMP_DET: (nints, 0, 0),
    }
    assert change_flags(before.pixeldq, pixeldq) == {DQ.HOT: (0, 3, 3)}
    by_group = added_by_group(before.groupdq, later)
    assert set(by_group) == {DQ.DO_NOT_USE, DQ.SATURATED}
    assert by_group[DQ.SATURATED].tolist() == [0, 0] + [2] * (ngroups - 2)
    assert np.argwhere(flagged_pixels(before, after)).tolist() == [[0, 0], [0, 1], [0, 2], [5, 8], [6, 8]]


def test_sampled_rows_hold_both_parities():
    rows = sample_rows((2048, 2048), 10, 4_000_000)
    assert rows.step % 2 == 1
    chosen = np.arange(2048)[rows]
    assert chosen.size * 2048 * 10 <= 4_000_000
    assert set(chosen % 2) == {0, 1}
    assert describe_rows(rows) == f"every {rows.step}th row"
    assert describe_rows(sample_rows((64, 64), 1, 10**6)) == ""
    assert np.arange(3)[sample_rows((3, 5000), 100, 10)].size == 1
