from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jwcal_interactive.arrays import Card, Reference
from jwcal_interactive.errors import InputError
from jwcal_interactive.steps.soss_traces import near_traces

SHAPE = (256, 300)


def reference():
    x = np.arange(0.0, 300.0, 5)
    tree = {
        "meta": {"pwcpos_bounds": [245.5, 246.0], "pwcpos_cmd": 245.76,
                 "wavemap_wlmin": 0.5, "wavemap_wlmax": 5.5, "wavemap_nwl": 1001},
        "traces": [{"pivot_x": 150.0, "pivot_y": 100.0, "trace": np.stack([x, np.full_like(x, 100.0)], 1)}],
        "wavecal_models": [{"coefficients": [2.8, -2.0, 0.0], "scale_extents": [[0.0, -0.2], [299.0, 0.2]]}],
    }  # fmt: skip
    return Reference(reftype="pastasoss", name="p.asdf", data=np.empty((0, 0)), tree=tree)


@pytest.fixture
def exposure(ramp_of):
    def make(position, subarray="SUBSTRIP256"):
        plain = ramp_of(np.zeros((1, 1, 2, 2)), subarray=subarray).exposure
        return replace(plain, primary=() if position is None else (Card("PWCPOS", position, ""),))

    return make


def test_straight_trace(exposure):
    near = near_traces(exposure(245.76), reference(), SHAPE)
    rows = np.flatnonzero(near.all(axis=1))
    assert (rows.min(), rows.max()) == (84, 116)
    assert near.sum() == rows.size * SHAPE[1]


def test_trace_turns_with_the_pupil_wheel(exposure):
    near = near_traces(exposure(245.96), reference(), SHAPE)
    middle = [np.flatnonzero(column).mean() for column in near.T]
    slope = (middle[290] - middle[10]) / 280
    assert slope == pytest.approx(np.tan(np.radians(0.2)), abs=0.002)


def test_subarray_of_96_rows_begins_higher(exposure):
    near = near_traces(exposure(245.76, "SUBSTRIP96"), reference(), (96, 300))
    assert np.flatnonzero(near[:, 0]).min() == 74


@pytest.mark.parametrize("position", [None, 240.0])
def test_pupil_wheel_elsewhere(exposure, position):
    with pytest.raises(InputError, match=r"PWCPOS.*245\.5"):
        near_traces(exposure(position), reference(), SHAPE)
