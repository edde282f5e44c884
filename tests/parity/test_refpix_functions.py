"""refpix against the official function: orientations, subarrays, amplifiers, flags, all parameters."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.steps.refpix import RefPixParams, refpix
from jwcal_interactive.steps.superbias import SuperbiasParams, superbias
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

ORIENTATIONS = [(-1, 2), (1, -2), (2, 1), (-2, -1), (1, 2), (-2, 1)]


@pytest.fixture
def drifting(make_ramp, make_reference):
    """Ramps without bias, with drifts of rows and of columns, and border flags as in flight."""

    def make(seed, shape, bad=0.05, **facts):
        ramp = make_ramp(seed, shape=shape, zero_frame=True, **facts)
        bias = make_reference("superbias", np.full(shape, 12_000), nan=0, flags=False)
        ramp = superbias(ramp, {"superbias": bias}, SuperbiasParams(), Tiles())
        rng = np.random.default_rng(seed)
        data = ramp.data + rng.normal(0, 20, (*ramp.data.shape[:3], 1)).astype(np.float32)
        data += rng.normal(0, 20, (*ramp.data.shape[:2], 1, shape[1])).astype(np.float32)
        e = ramp.exposure
        y, x = np.ogrid[e.ystart : e.ystart + shape[0], e.xstart : e.xstart + shape[1]]
        border = (y <= 4) | (y > 2044) | (x <= 4) | (x > 2044)
        data = np.where(border, rng.normal(0, 8, data.shape), data).astype(np.float32)
        pixeldq = np.where(border, 1 << 31, 0).astype(np.uint32)
        pixeldq[rng.random(shape) < bad] |= np.uint32(1)
        pixeldq[rng.random(shape) < bad] |= np.uint32(1 << 17)
        return ramp.with_(data=data, pixeldq=pixeldq)

    return make


def official(model, p, sirs=None):
    from jwst.refpix.reference_pixels import REFPIX_OK, correct_model

    kernels = {
        "refpix_algorithm": p.refpix_algorithm, "sirs_kernel_model": sirs, "sigreject": p.sigreject,
        "gaussmooth": p.gaussmooth, "halfwidth": p.halfwidth,
    }  # fmt: skip
    status = correct_model(
        model, p.odd_even_columns, p.use_side_ref_pixels, p.side_smoothing_length, p.side_gain,
        p.odd_even_rows, kernels, p.siglimit,
    )  # fmt: skip
    assert status == REFPIX_OK
    return model


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("odd_even", [True, False])
@pytest.mark.parametrize(("xstart", "ystart"), [(1, 1), (2048 - 46, 2048 - 60), (1985, 1), (3, 1001)])
def test_subarray_of_one_amplifier(orientation, odd_even, xstart, ystart, drifting, ramp_model, same_ramp):
    fast, slow = orientation
    ramp = drifting(
        70, (61, 47), nints=2, ngroups=2, xstart=xstart, ystart=ystart, fastaxis=fast, slowaxis=slow,
        instrument="NIRISS", detector="NIS",
    )  # fmt: skip
    p = RefPixParams(odd_even_columns=odd_even, siglimit=2.0)
    same_ramp(refpix(ramp, {}, p, Tiles(band_rows=7)), official(ramp_model(ramp), p))


@pytest.mark.parametrize(
    ("shape", "orientation", "start"),
    [((64, 2048), (-1, 2), (1, 1)), ((64, 2048), (1, -2), (1, 1985)), ((32, 2048), (1, 2), (1, 901)),
     ((2048, 32), (2, 1), (1, 1)), ((2048, 48), (-2, -1), (2001, 1)), ((64, 700), (1, 2), (1, 1))],
)  # fmt: skip
def test_subarray_of_four_amplifiers(shape, orientation, start, drifting, ramp_model, same_ramp):
    fast, slow = orientation
    ramp = drifting(
        71, shape, nints=1, ngroups=2, noutputs=4, xstart=start[0], ystart=start[1], fastaxis=fast,
        slowaxis=slow,
    )  # fmt: skip
    p = RefPixParams()
    same_ramp(refpix(ramp, {}, p, Tiles()), official(ramp_model(ramp), p))


@pytest.mark.parametrize("name", ["SUB512", "SUB32"])
def test_edgeless_nirspec_subarray(name, drifting, ramp_model, same_ramp):
    ramp = drifting(
        72, (32, 64), instrument="NIRSPEC", detector="NRS1", subarray=name, xstart=1001, ystart=901,
        fastaxis=2, slowaxis=1,
    )  # fmt: skip
    p = RefPixParams()
    same_ramp(refpix(ramp, {}, p, Tiles()), official(ramp_model(ramp), p))


@pytest.mark.parametrize(
    ("orientation", "changes", "bad"),
    [
        ((-1, 2), {}, 0.02), ((1, -2), {"side_smoothing_length": 21, "side_gain": 0.5}, 0.3),
        ((2, 1), {"odd_even_columns": False}, 0.02), ((-2, -1), {"use_side_ref_pixels": False}, 0.02),
        ((-1, 2), {"siglimit": 1.5}, 0.999),
    ],
)  # fmt: skip
def test_full_frame(orientation, changes, bad, drifting, ramp_model, same_ramp):
    fast, slow = orientation
    ramp = drifting(
        73, (2048, 2048), bad=bad, ngroups=2, noutputs=4, subarray="FULL", fastaxis=fast, slowaxis=slow
    )
    p = RefPixParams(**changes)
    same_ramp(refpix(ramp, {}, p, Tiles()), official(ramp_model(ramp), p))


@pytest.mark.parametrize(("shape", "noutputs"), [((61, 47), 1), ((64, 2048), 4)])
def test_reference_pixels_without_any_scatter(shape, noutputs, drifting, ramp_model, same_ramp):
    """Equal values take a path of their own, in double precision."""
    ramp = drifting(74, shape, ngroups=3, noutputs=noutputs, fastaxis=1, slowaxis=2)
    data = ramp.data.copy()
    data[..., :4, ::2] = np.float32(0.1)
    data[..., 4:, :4:2] = np.float32(0.1)
    ramp = ramp.with_(data=data)
    p = RefPixParams()
    same_ramp(refpix(ramp, {}, p, Tiles()), official(ramp_model(ramp), p))


@pytest.fixture(scope="module")
def kernels():
    """Fourier coefficients of left and right kernels that differ between amplifiers."""
    rng = np.random.default_rng(75)
    fall = 1 / (1 + np.arange(1025) / 60)
    sides = [
        fall * (0.5 + rng.normal(0, 0.1, (4, 1)) + rng.normal(0, 0.02, (4, 1025, 2)) @ [1, 1j])
        for _ in range(2)
    ]
    return dict(zip(("gamma", "zeta"), sides, strict=True))


@pytest.mark.parametrize(
    ("orientation", "detector", "changes"),
    [
        ((-1, 2), "NRCALONG", {}),
        ((-2, -1), "NRS2", {"sigreject": 1.5, "gaussmooth": 2.5, "halfwidth": 7, "odd_even_columns": False}),
        ((1, -2), "NRCA1", {}),  # not in the reference: running medians
        ((1, -2), "NRCALONG", {"use_side_ref_pixels": False}),
    ],
)
def test_optimized_kernels(orientation, detector, changes, kernels, drifting, ramp_model, same_ramp):
    from stdatamodels.jwst.datamodels import SIRSKernelModel

    fast, slow = orientation
    ramp = drifting(
        76,
        (2048, 2048),
        ngroups=2,
        noutputs=4,
        subarray="FULL",
        fastaxis=fast,
        slowaxis=slow,
        detector=detector,
    )
    tree = {"nrcalong": kernels, "nrs2": {"gamma": kernels["zeta"], "zeta": kernels["gamma"]}}
    none = np.empty((0, 0), np.float32)
    ref = Reference(reftype="sirskernel", name="jwst_nircam_sirskernel_0001.asdf", data=none, tree=tree)
    p = RefPixParams(refpix_algorithm="sirs", **changes)
    theirs = official(ramp_model(ramp), p, SIRSKernelModel(tree))
    same_ramp(refpix(ramp, {"sirskernel": ref}, p, Tiles()), theirs)


@pytest.mark.parametrize(
    ("detector", "changes", "ngroups"),
    [("MIRIMAGE", {}, 3), ("MIRIFUSHORT", {"odd_even_rows": False, "siglimit": 1.5}, 2), ("MIRIMAGE", {}, 1)],
)
def test_miri(detector, changes, ngroups, make_ramp, ramp_model, same_ramp):
    rng = np.random.default_rng(77)
    ramp = make_ramp(
        77, shape=(1024, 1032), nints=2, ngroups=ngroups, noutputs=4, instrument="MIRI", detector=detector,
        fastaxis=1, slowaxis=2, subarray="FULL",
    )  # fmt: skip
    drift = rng.normal(0, 20, (2, ngroups, 2, 4)).astype(np.float32)
    ramp = ramp.with_(data=ramp.data / 3 + np.tile(drift, (512, 258)))
    p = RefPixParams(**changes)
    same_ramp(refpix(ramp, {}, p, Tiles()), official(ramp_model(ramp), p))
