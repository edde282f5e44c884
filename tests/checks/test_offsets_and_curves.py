"""Offsets of amplifiers, polynomials of pixels, stripes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from step_inputs import CASES, make

from jwcal_interactive.arrays import Ramp
from jwcal_interactive.checks.nonlinearity import corrected_signal
from jwcal_interactive.checks.reference_offsets import Part, reference_offsets
from jwcal_interactive.checks.stripes import stripe_power, subtracted
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import InputError
from jwcal_interactive.steps.irs2 import normal_rows
from jwcal_interactive.steps.linearity import linearity
from jwcal_interactive.tiles import Tiles


def exposure_of(**facts):
    case = next(case for case in CASES if case.name == "superbias")
    return replace(make(case).state.exposure, **facts)


def ramp_of(exposure, data, reference):
    pixeldq = np.where(reference, np.uint32(DQ.REFERENCE_PIXEL), np.uint32(0))
    return Ramp(exposure=exposure, data=data, groupdq=np.zeros(data.shape, np.uint8), pixeldq=pixeldq)


def test_offsets_by_amplifier_and_column():
    exposure = exposure_of(subarray="FULL", noutputs=4, fastaxis=-1, slowaxis=2, xsize=2048, ysize=8, ngroups=3)
    level = np.arange(4).repeat(512) * 10 + np.tile([1.0, 2.0], 1024)  # along the fast axis
    data = np.zeros((1, 3, 8, 2048), np.float32)
    data += level[::-1] * np.array([1, 2, 3])[:, None, None]
    reference = np.zeros((8, 2048), bool)
    reference[:4] = True
    data[..., 4:, :] = 1e6
    ramp = ramp_of(exposure, data, reference)
    bad = ramp.pixeldq.copy()
    bad[0] |= np.uint32(DQ.DO_NOT_USE)
    data = data.copy()
    data[..., 0, :] = -1e6
    found = reference_offsets(ramp.with_(data=data, pixeldq=bad))
    assert set(found) == {Part(n, odd) for n in (1, 2, 3, 4) for odd in (True, False)}
    np.testing.assert_allclose(found[Part(1, True)], [1, 2, 3])
    np.testing.assert_allclose(found[Part(3, False)], [22, 44, 66])


def test_offsets_of_miri_rows():
    exposure = exposure_of(
        instrument="MIRI", detector="MIRIMAGE", subarray="FULL", fastaxis=1, slowaxis=2, xsize=1032, ysize=6,
        ngroups=1,
    )  # fmt: skip
    data = np.zeros((1, 1, 6, 1032), np.float32)
    data += np.arange(1032) % 4 + 100 * (np.arange(6) % 2)[:, None]
    reference = np.zeros((6, 1032), bool)
    reference[:, :4] = reference[:, -4:] = True
    found = reference_offsets(ramp_of(exposure, data, reference))
    assert found[Part(2, True)].tolist() == [1]
    assert found[Part(4, False)].tolist() == [103]


def test_interleaved_reference_pixels_do_not_count():
    exposure = exposure_of(
        instrument="NIRSPEC", detector="NRS1", readpatt="NRSIRS2RAPID", subarray="FULL", fastaxis=2,
        slowaxis=1, xsize=2048, ysize=2048, ngroups=1,
    )  # fmt: skip
    reference = np.zeros((3200, 2048), bool)
    normal = normal_rows(exposure)
    reference[~normal] = True
    reference[:, :4] = True
    data = np.full((1, 1, 3200, 2048), 7.0, np.float32)
    data[..., ~normal, :] = 1e5
    found = reference_offsets(ramp_of(exposure, data, reference))
    assert {part.amplifier for part in found} == {1, 2, 3, 4}
    assert {float(value[0]) for value in found.values()} == {7.0}


def test_without_reference_pixels_there_are_no_offsets():
    data = np.zeros((1, 2, 5, 6), np.float32)
    assert reference_offsets(ramp_of(exposure_of(xsize=6, ysize=5), data, np.zeros((5, 6), bool))) == {}


def test_polynomial_is_that_of_the_step():
    case = next(case for case in CASES if case.name == "linearity")
    problem = make(case, seed=2, frame=(12, 13))
    reference = problem.references["linearity"]
    corrected = linearity(problem.state, problem.references, problem.params, Tiles(threads=1))
    checked = 0
    for y in range(12):
        for x in range(13):
            usable = ((problem.state.groupdq[0, :, y, x] & np.uint8(DQ.SATURATED)) == 0) & np.isfinite(
                problem.state.data[0, :, y, x]
            )
            measured = problem.state.data[0, usable, y, x].astype(float)
            curve = corrected_signal(reference, y, x, measured)
            expected = corrected.data[0, usable, y, x]
            if curve is None:
                assert corrected.pixeldq[y, x] & DQ.NO_LIN_CORR
                np.testing.assert_array_equal(expected, measured.astype(np.float32))
            else:
                np.testing.assert_allclose(curve, expected, rtol=1e-4)
                checked += 1
    assert checked > 50


def test_power_of_stripes_that_were_taken_away():
    rng = np.random.default_rng(8)
    exposure = exposure_of(xsize=128, ysize=300, nints=1, ngroups=6)
    clean = rng.normal(0, 5, (1, 6, 300, 128)).astype(np.float32)
    stripes = rng.normal(0, 10, (1, 6, 300, 1)).astype(np.float32)
    none = np.zeros((300, 128), bool)
    before, after = ramp_of(exposure, clean + stripes, none), ramp_of(exposure, clean, none)
    found = stripe_power(before, after)
    assert found.box == (0, 22, 128, 278)
    assert found.before.between.power.sum() > 20 * found.after.between.power.sum()
    np.testing.assert_allclose(found.before.within.power[3:], found.after.within.power[3:], rtol=0.3)
    np.testing.assert_allclose(
        subtracted(before, after), np.broadcast_to(stripes[0, -1], (300, 128)), atol=1e-3
    )
    with pytest.raises(InputError, match="four groups"):
        stripe_power(*(replace(r, data=r.data[:, :2], groupdq=r.groupdq[:, :2]) for r in (before, after)))
