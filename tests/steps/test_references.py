from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.errors import ReferenceError, Skip
from jwcal_interactive.steps.references import needed


def test_not_applicable_skips():
    with pytest.raises(Skip, match="no gain reference"):
        needed({"gain": None}, "gain", (4, 4))


@pytest.mark.parametrize("wrong", ["data", "DQ", "AVDRKCUR"])
def test_every_array_must_have_the_shape(wrong, reference_of):
    from dataclasses import replace

    small, full = np.zeros((3, 4)), np.zeros((4, 4))
    ref = reference_of("dark", small if wrong == "data" else full, arrays={"AVDRKCUR": full})
    if wrong != "data":
        odd = small.astype(np.float32)
        changes = {"dq": odd.astype(np.uint32)} if wrong == "DQ" else {"arrays": {"AVDRKCUR": odd}}
        ref = replace(ref, **changes)
    with pytest.raises(ReferenceError, match="has 4 x 3 pixels, the exposure has 4 x 4"):
        needed({"dark": ref}, "dark", (4, 4))
