from __future__ import annotations

import io

import numpy as np
from PIL import Image

from jwcal_interactive.dq import DQ
from jwcal_widgets.dq_overlay import FLAG_COLORS, color_of, count_flags, encode_overlay, overlay


def test_every_flag_has_a_color_and_those_of_groups_differ():
    assert set(FLAG_COLORS) == set(DQ)
    main = [DQ.DO_NOT_USE, DQ.SATURATED, DQ.JUMP_DET, DQ.CHARGELOSS, DQ.REFERENCE_PIXEL, DQ.DEAD]
    assert len({color_of(flag) for flag in main}) == len(main)


def test_counts_name_only_flags_that_occur():
    dq = np.zeros((4, 5), np.uint32)
    dq[0, 0] = DQ.JUMP_DET
    dq[1] = DQ.JUMP_DET | DQ.REFERENCE_PIXEL
    assert count_flags(dq) == {DQ.JUMP_DET: 6, DQ.REFERENCE_PIXEL: 5}
    assert count_flags(np.zeros((2, 2), np.uint32)) == {}


def test_overlay_is_transparent_except_for_the_chosen_flags():
    dq = np.zeros((3, 3), np.uint32)
    dq[0, 0] = DQ.SATURATED
    dq[2, 2] = DQ.SATURATED | DQ.JUMP_DET
    dq[1, 1] = DQ.HOT
    flags = (DQ.SATURATED, DQ.JUMP_DET)
    painted = overlay(dq, flags)
    assert painted.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 2]]

    rgba = np.asarray(Image.open(io.BytesIO(encode_overlay(painted, flags))).convert("RGBA"))
    assert rgba.shape == (3, 3, 4)
    assert bytes(rgba[2, 0, :3]).hex() == color_of(DQ.SATURATED)[1:]  # row 0 is at the bottom
    assert bytes(rgba[0, 2, :3]).hex() == color_of(DQ.JUMP_DET)[1:]
    assert rgba[2, 0, 3] > 150
    assert rgba[1, 1, 3] == 0
