"""Arrays of references as planes."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.dq import DQ
from jwcal_widgets.reference_planes import reference_names, reference_range, take_reference


@pytest.fixture
def references() -> dict[str, Reference | None]:
    rng = np.random.default_rng(2)
    flags = np.zeros((5, 6), np.uint32)
    flags[1, 2] = DQ.HOT | DQ.DO_NOT_USE
    cube = rng.random((4, 5, 6)).astype(np.float32)
    return {
        "gain": Reference(reftype="gain", name="g.fits", data=cube[0]),
        "dark": Reference(reftype="dark", name="d.fits", data=rng.random((2, 3, 5, 6)), dq=flags),
        "linearity": Reference(reftype="linearity", name="l.fits", data=cube, arrays={"INV_COEFFS": cube + 1}),
        "mask": Reference(reftype="mask", name="m.fits", data=flags),
        "area": None,
        "list": Reference(reftype="list", name="t.fits", data=np.zeros(7)),
    }


def test_images_and_stacks_are_offered(references):
    assert reference_names(references) == (
        "reference: gain",
        "reference: dark",
        "reference: linearity",
        "reference: linearity INV_COEFFS",
        "reference: mask",
    )


def test_every_layer_can_be_taken(references):
    dark = references["dark"].data
    assert reference_range(references, "reference: dark") == (2, 3)
    for k in (1, 2):
        for n in (1, 2, 3):
            plane = take_reference(references, "reference: dark", k, n)
            np.testing.assert_array_equal(plane.data, dark[k - 1, n - 1].astype(np.float32))
            assert plane.dq[1, 2] == DQ.HOT | DQ.DO_NOT_USE
    assert plane.unit == "DN"


def test_numbers_beyond_the_end_take_the_last(references):
    plane = take_reference(references, "reference: linearity", 9, 9)
    np.testing.assert_array_equal(plane.data, references["linearity"].data[3])
    assert "coefficient 3 of 4" in plane.title


def test_units_and_names(references):
    plane = take_reference(references, "reference: gain", 1, 1)
    assert (plane.unit, plane.title) == ("electron/DN", "gain (g.fits)")
    assert not plane.dq.any()
    assert take_reference(references, "reference: linearity INV_COEFFS", 1, 1).data[0, 0] >= 1


def test_flags_are_counted(references):
    plane = take_reference(references, "reference: mask", 1, 1)
    assert plane.data[1, 2] == 2
    assert plane.dq[1, 2] == DQ.HOT | DQ.DO_NOT_USE


def test_unknown_plane(references):
    with pytest.raises(KeyError, match="readnoise"):
        take_reference(references, "reference: readnoise", 1, 1)
