"""Flags edited by hand: boxes and masks, what an edit does to a state, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from jwcal_interactive.arrays import GuiderSlopes, Ramp, Rates, Slopes, State
from jwcal_interactive.dq import DQ, GROUP_FLAGS
from jwcal_interactive.edits import FlagEdit, Layout, apply_edits, boxes_of, check_edit, mask_of
from jwcal_interactive.errors import ParameterError

NINTS, NGROUPS, NY, NX = 2, 3, 5, 7


def ramp() -> Ramp:
    return Ramp(
        exposure=None,  # type: ignore[arg-type]
        data=np.zeros((NINTS, NGROUPS, NY, NX), np.float32),
        groupdq=np.full((NINTS, NGROUPS, NY, NX), DQ.SATURATED, np.uint8),
        pixeldq=np.full((NY, NX), DQ.HOT, np.uint32),
    )


def slopes(*shape: int) -> Slopes:
    values = np.zeros(shape, np.float32)
    return Slopes(
        data=values, err=values, dq=np.full(shape, DQ.HOT, np.uint32), var_poisson=values, var_rnoise=values
    )


def rates() -> Rates:
    return Rates(exposure=None, rate=slopes(NY, NX), rateints=slopes(NINTS, NY, NX))  # type: ignore[arg-type]


def guider() -> GuiderSlopes:
    values = np.zeros((NINTS, NY, NX), np.float32)
    return GuiderSlopes(exposure=None, data=values, err=values, dq=np.zeros((NY, NX), np.uint32))  # type: ignore[arg-type]


def edit(**changes: Any) -> FlagEdit:
    return replace(FlagEdit("jump", "JUMP_DET", "set", ((1, 2, 4, 3),), None, (1, 3)), **changes)


masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24))


class TestBoxes:
    @given(masks)
    def test_they_cover_the_mask_and_nothing_else(self, mask: np.ndarray) -> None:
        boxes = boxes_of(mask)
        np.testing.assert_array_equal(mask_of(boxes, mask.shape), mask)
        assert sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes) == mask.sum()  # none overlaps another
        for x0, y0, x1, y1 in boxes:
            assert x0 < x1
            assert y0 < y1

    @given(masks, st.randoms(use_true_random=False))
    def test_in_any_order(self, mask: np.ndarray, random: Any) -> None:
        boxes = list(boxes_of(mask))
        random.shuffle(boxes)
        np.testing.assert_array_equal(mask_of(boxes, mask.shape), mask)

    @given(masks)
    def test_they_turn_with_the_mask(self, mask: np.ndarray) -> None:
        assert len(boxes_of(mask.T)) == len(boxes_of(mask))

    @given(st.lists(st.tuples(*[st.integers(0, 20)] * 4), max_size=5))
    def test_of_rectangles(self, corners: list[tuple[int, int, int, int]]) -> None:
        """At most as many boxes as runs of pixels."""
        mask = mask_of([(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners], (20, 20))
        runs = np.count_nonzero(np.diff(mask.astype(int), axis=1, prepend=0) == 1)
        assert len(boxes_of(mask)) <= runs

    def test_a_column_and_a_row_are_one_box_each(self) -> None:
        mask = np.zeros((2048, 2048), bool)
        mask[:, 100] = True
        assert boxes_of(mask) == ((100, 0, 101, 2048),)
        assert boxes_of(mask.T) == ((0, 100, 2048, 101),)
        assert boxes_of(~mask) == ((0, 0, 100, 2048), (101, 0, 2048, 2048))

    def test_empty(self) -> None:
        assert boxes_of(np.zeros((3, 4), bool)) == ()

    @pytest.mark.parametrize("mask", [np.zeros((2, 3)), np.zeros(3, bool), np.zeros((1, 2, 3), bool), [[1, 0]]])
    def test_refused(self, mask: Any) -> None:
        with pytest.raises(ParameterError, match=r"bool array \(ny, nx\)"):
            boxes_of(mask)


class TestApplied:
    def test_groups(self) -> None:
        before = ramp()
        after = apply_edits(before, [edit()])
        expected = before.groupdq.copy()
        expected[:, 1:3, 2, 1:4] |= np.uint8(DQ.JUMP_DET)
        np.testing.assert_array_equal(after.groupdq, expected)
        assert after.groupdq.dtype == np.uint8
        assert not (before.groupdq & DQ.JUMP_DET).any()
        assert np.shares_memory(after.data, before.data)
        assert np.shares_memory(after.pixeldq, before.pixeldq)

    def test_groups_of_some_integrations(self) -> None:
        after = apply_edits(ramp(), [edit(integrations=(1, 2))])
        assert np.argwhere(after.groupdq & DQ.JUMP_DET).tolist() == [
            [1, group, 2, x] for group in (1, 2) for x in (1, 2, 3)
        ]

    def test_pixels(self) -> None:
        before = ramp()
        after = apply_edits(before, [edit(flag="DEAD", groups=None)])
        assert np.argwhere(after.pixeldq & DQ.DEAD).tolist() == [[2, 1], [2, 2], [2, 3]]
        assert (after.pixeldq & DQ.HOT).all()
        assert after.pixeldq.dtype == np.uint32
        assert np.shares_memory(after.groupdq, before.groupdq)

    def test_clear(self) -> None:
        after = apply_edits(ramp(), [edit(flag="SATURATED", action="clear")])
        cleared = np.argwhere((after.groupdq & DQ.SATURATED) == 0)
        assert len(cleared) == NINTS * 2 * 3
        assert set(cleared[:, 1]) == {1, 2}

    def test_the_highest_bit(self) -> None:
        flags = [
            edit(flag="REFERENCE_PIXEL", groups=None),
            edit(flag="REFERENCE_PIXEL", groups=None, action="clear"),
        ]
        assert (apply_edits(ramp(), flags[:1]).pixeldq & DQ.REFERENCE_PIXEL).any()
        np.testing.assert_array_equal(apply_edits(ramp(), flags).pixeldq, ramp().pixeldq)

    def test_order_counts(self) -> None:
        on, off = edit(), edit(action="clear", boxes=((2, 2, 3, 3),))
        assert not apply_edits(ramp(), [on, off]).groupdq[0, 1, 2, 2] & DQ.JUMP_DET
        assert apply_edits(ramp(), [off, on]).groupdq[0, 1, 2, 2] & DQ.JUMP_DET

    def test_rates(self) -> None:
        after = apply_edits(rates(), [edit(flag="DO_NOT_USE", groups=None)])
        assert np.argwhere(after.rate.dq & 1).tolist() == [[2, 1], [2, 2], [2, 3]]
        assert (after.rateints.dq & 1).sum() == NINTS * 3
        one = apply_edits(rates(), [edit(flag="DO_NOT_USE", groups=None, integrations=(0, 1))])
        assert not (one.rate.dq & 1).any()
        assert (one.rateints.dq & 1).sum(axis=(1, 2)).tolist() == [3, 0]

    def test_guider_slopes(self) -> None:
        assert (apply_edits(guider(), [edit(flag="DO_NOT_USE", groups=None)]).dq & 1).sum() == 3

    @pytest.mark.parametrize("make", [ramp, rates, guider])
    def test_nothing_to_do(self, make: Any) -> None:
        state = make()
        assert apply_edits(state, []) is state

    @given(masks, st.sampled_from([f for f in DQ if f.name]))
    def test_like_a_mask(self, mask: np.ndarray, flag: DQ) -> None:
        """On pixels: exactly those of the mask change, and only in this bit."""
        if not mask.any():
            return
        state = ramp().with_(
            data=np.zeros((1, 1, *mask.shape), np.float32), pixeldq=np.full(mask.shape, 0b1010, np.uint32)
        )
        for action, expected in (("set", state.pixeldq | flag), ("clear", state.pixeldq & ~np.uint32(flag))):
            change = FlagEdit("jump", str(flag.name), action, boxes_of(mask))  # type: ignore[arg-type]
            np.testing.assert_array_equal(
                apply_edits(state, [change]).pixeldq, np.where(mask, expected, state.pixeldq)
            )

    @given(masks, st.tuples(*[st.integers(0, 24)] * 4))
    def test_cut(self, mask: np.ndarray, corners: tuple[int, int, int, int]) -> None:
        """What is left of an edit in a window is the edit in that window."""
        xs, ys = sorted(corners[:2]), sorted(corners[2:])
        window = (xs[0], ys[0], min(xs[1], mask.shape[1]), min(ys[1], mask.shape[0]))
        cut = edit(boxes=boxes_of(mask)).cut(window)
        inside = mask[window[1] : window[3], window[0] : window[2]]
        if cut is None:
            assert not inside.any()
        else:
            np.testing.assert_array_equal(mask_of(cut.boxes, inside.shape), inside)


class TestRefused:
    @pytest.mark.parametrize(
        ("make", "changes", "words"),
        [
            (ramp, {"flag": "JUMP_DETT"}, r"no flag 'JUMP_DETT'. Did you mean JUMP_DET\?"),
            (ramp, {"flag": "jump_det"}, "Did you mean JUMP_DET"),
            (ramp, {"flag": "", "groups": None}, "The flags: DO_NOT_USE"),
            (ramp, {"flag": "HOT"}, "HOT cannot be in GROUPDQ, which has eight bits: .*Leave groups out"),
            (rates, {}, r"groups = \(1, 3\) is not possible: the result of jump is rates"),
            (guider, {}, "guider slopes, which have no groups"),
            (guider, {"groups": None, "integrations": (0, 1)}, "Leave integrations out"),
            (ramp, {"groups": None, "integrations": (0, 1)}, r"PIXELDQ has one value.*groups = \(0, 3\)"),
            (ramp, {"groups": (0, 4)}, "last <= 3"),
            (ramp, {"groups": (-1, 2)}, "0 <= first"),
            (ramp, {"groups": (2, 2)}, "first < last"),
            (ramp, {"integrations": (1, 3)}, "last <= 2"),
            (rates, {"groups": None, "integrations": (2, 1)}, "first < last <= 2"),
            (ramp, {"boxes": ()}, "no pixel is chosen"),
            (ramp, {"boxes": ((0, 0, 8, 1),)}, r"box \(0, 0, 8, 1\) .*x1 <= 7 and 0 <= y0 < y1 <= 5"),
            (ramp, {"boxes": ((0, 0, 1, 6),)}, "y1 <= 5"),
            (ramp, {"boxes": ((0, 0, 1, 1), (-1, 0, 1, 1))}, r"box \(-1, 0, 1, 1\)"),
            (ramp, {"boxes": ((3, 0, 3, 1),)}, "x0 < x1"),
        ],
    )
    def test_what_does_not_fit(self, make: Any, changes: dict[str, Any], words: str) -> None:
        state: State = make()
        with pytest.raises(ParameterError, match=words) as caught:
            apply_edits(state, [edit(**changes)])
        assert "flag edit after jump" in str(caught.value)

    @pytest.mark.parametrize("flag", [f.name for f in GROUP_FLAGS])
    def test_flags_of_groups_are_allowed(self, flag: str) -> None:
        check_edit(edit(flag=flag), Layout.of(ramp()))


class TestWords:
    def test_in_words(self) -> None:
        assert edit().in_words() == "JUMP_DET set in groups 1:3, 3 pixels in x 1:4, y 2:3"
        whole = edit(action="clear", groups=None, integrations=(0, 1), boxes=((0, 0, 1, 1),))
        assert whole.in_words() == "JUMP_DET cleared in integrations 0:1, 1 pixel in x 0:1, y 0:1"
        many = edit(boxes=tuple((x, 0, x + 2, 1) for x in range(5)))
        assert many.in_words().startswith("JUMP_DET set in groups 1:3, 6 pixels in 5 boxes, SHA-256 ")

    def test_json(self) -> None:
        for one in (edit(), edit(groups=None), edit(integrations=(0, 1), action="clear")):
            assert FlagEdit.from_json(json.loads(json.dumps(one.as_json()))) == one

    def test_fingerprint(self) -> None:
        variants = [
            edit(),
            edit(groups=None),
            edit(action="clear"),
            edit(boxes=((1, 2, 4, 4),)),
            edit(after="ipc"),
        ]
        assert len({v.sha256 for v in variants}) == len(variants)
        assert edit().sha256 == edit().sha256
