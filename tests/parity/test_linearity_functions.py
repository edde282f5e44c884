"""linearity against the official function, group by group and frame by frame."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.steps.linearity import LinearityParams, linearity
from jwcal_interactive.steps.superbias import SuperbiasParams, superbias
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


def polynomials(shape, seed, ncoeffs=5):
    rng = np.random.default_rng(seed)
    scales = [5.0, 0.02, 1e-7, 1e-12, 1e-17, 1e-22][:ncoeffs]
    coefficients = np.stack([rng.normal(0, s, shape) for s in scales])
    coefficients[1] += 1
    coefficients[1][rng.random(shape) < 0.03] = 0
    return coefficients


@pytest.fixture
def case(make_ramp, make_reference):
    """A ramp after superbias with saturated groups, and a linearity reference."""

    def make(seed, inverse=False, ncoeffs=5, **facts):
        ramp = make_ramp(seed, zero_frame=True, **facts)
        shape = ramp.pixeldq.shape
        bias = make_reference("superbias", np.full(shape, 12_000), nan=0)
        ramp = superbias(ramp, {"superbias": bias}, SuperbiasParams(), Tiles())
        rng = np.random.default_rng(seed)
        groupdq = ramp.groupdq | np.where(ramp.data > 40_000, 2, 0).astype(np.uint8)
        groupdq[rng.random(groupdq.shape) < 0.03] |= np.uint8(2)
        groupdq[:, :, rng.random(shape) < 0.02] |= np.uint8(2)
        ref = make_reference("linearity", polynomials(shape, seed, ncoeffs), seed, nan=0.005)
        back = polynomials(shape, seed + 1)
        back[:, rng.random(shape) < 0.02] = np.nan
        arrays = {"INV_COEFFS": np.asarray(back, np.float32)} if inverse else {}
        ref = Reference(reftype="linearity", name=ref.name, data=ref.data, dq=ref.dq, arrays=arrays)
        return ramp.with_(groupdq=groupdq), ref

    return make


@pytest.mark.parametrize(("nints", "ngroups", "ncoeffs"), [(1, 1, 2), (2, 4, 5), (1, 3, 6)])
def test_group_by_group(nints, ngroups, ncoeffs, case, ramp_model, reference_model, same_ramp):
    from jwst.linearity.linearity import do_correction

    ramp, ref = case(20 + ngroups, nints=nints, ngroups=ngroups, ncoeffs=ncoeffs)
    ours = linearity(ramp, {"linearity": ref}, LinearityParams(), Tiles(band_rows=5))
    same_ramp(ours, do_correction(ramp_model(ramp), reference_model(ref, ramp)))


@pytest.mark.parametrize(("nints", "ngroups", "nframes"), [(1, 2, 2), (2, 5, 4), (1, 4, 8), (1, 3, 1)])
def test_frame_by_frame(nints, ngroups, nframes, case, ramp_model, reference_model, same_ramp):
    from jwst.linearity.linearity import do_correction

    ramp, ref = case(30 + nframes, inverse=True, nints=nints, ngroups=ngroups, nframes=nframes)
    ours = linearity(ramp, {"linearity": ref}, LinearityParams(), Tiles(band_rows=5))
    same_ramp(ours, do_correction(ramp_model(ramp), reference_model(ref, ramp)))


def test_with_dropped_frames_only_the_frame_numbers_differ(case):
    """jwst leaves GROUPGAP out of the frame numbers; with the true ones its algorithm agrees."""
    from stcal.linearity.linearity import linearity_correction
    from stdatamodels.jwst.datamodels import dqflags

    ramp, ref = case(40, inverse=True, ngroups=5, nframes=2, groupgap=8)
    ours = linearity(ramp, {"linearity": ref}, LinearityParams(), Tiles())
    data, pixeldq, zeroframe = linearity_correction(
        ramp.data.copy(), ramp.groupdq, ramp.pixeldq, ref.data.copy(), ref.dq, dqflags.pixel,
        zframe=ramp.zeroframe.copy(), ilin_coeffs=ref.arrays["INV_COEFFS"].copy(),
        read_pattern=[[1 + 10 * g, 2 + 10 * g] for g in range(5)],
    )  # fmt: skip
    np.testing.assert_array_equal(ours.data, data)
    np.testing.assert_array_equal(ours.pixeldq, pixeldq)
    np.testing.assert_array_equal(ours.zeroframe, zeroframe)
