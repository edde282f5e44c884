"""The data-quality bits against those of stdatamodels."""

from __future__ import annotations

from stdatamodels.jwst.datamodels import dqflags

from jwcal_interactive.dq import DQ, GROUP_FLAGS, names


def test_pixel_flags() -> None:
    official = {name: value for name, value in dqflags.pixel.items() if value}
    ours = {flag.name: int(flag) for flag in DQ}
    assert {n: v for n, v in ours.items() if n in official} == {n: v for n, v in official.items() if n in ours}
    assert set(official) - set(ours) <= {"RESERVED_4", "UNRELIABLE_ERROR", "NON_LINEAR"}
    assert set(ours.values()) == {1 << bit for bit in range(32)}


def test_group_flags() -> None:
    official = {name: value for name, value in dqflags.group.items() if value}
    assert {flag.name: int(flag) for flag in GROUP_FLAGS} == official


def test_names() -> None:
    assert names(0) == ()
    assert names(1 | 4 | (1 << 31)) == ("DO_NOT_USE", "JUMP_DET", "REFERENCE_PIXEL")
    assert len(names(2**32 - 1)) == 32
