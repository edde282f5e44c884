"""refpix in the IRS2 read-out against the official step: both detectors, bad reference pixels, all parameters.

The official correction works in single precision: its Fourier transforms carry errors of about 1e-7
of the values of a frame. Ours are made differently (real transforms, half of the operations), with
errors of that size, too. So values agree to 1e-7 of the largest signal that is transformed, not to the
last bits of those near 0.
"""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.steps.irs2 import normal_reads, normal_rows
from jwcal_interactive.steps.refpix import RefPixParams, refpix
from jwcal_interactive.steps.refpix_irs2 import FULL_SIZE, LINE, bad_reference_rows, replacements
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

SAMPLES = FULL_SIZE * LINE
NOISE = 8.0  # DN, of each read
TOLERANCE = 1e-7  # of the largest signal in a sequence


@pytest.fixture(scope="module")
def reference():
    """Weights that fall with frequency, not symmetric, and a table of bad reference pixels."""
    frequency = np.fft.fftfreq(SAMPLES)
    names = [f"{kind}_{k}" for kind in ("alpha", "beta") for k in range(4)]
    weights = np.empty(2 * SAMPLES, [(name, np.float32) for name in names])
    for n, name in enumerate(names):
        fall = 1 / (1 + (frequency / 10.0 ** (n / 4 - 4)) ** 2)
        weights[name][::2] = (0.3 + 0.1 * n) * fall
        weights[name][1::2] = 0.1 * fall * np.where(frequency > 0, 1.0, -0.7)
    bad = np.zeros(8, [("OUTPUT", np.uint16), ("ODD_EVEN", np.uint16), ("MASK", np.uint32)])
    bad["OUTPUT"], bad["ODD_EVEN"] = np.repeat([1, 2, 3, 4], 2), [1, 2] * 4
    bad["MASK"] = [1 << 31, 0b110, 5, 1, 0, 1 << 17, 3, 3]
    none = np.empty((0, 0), np.float32)
    return Reference(reftype="refpix", name="jwst_nirspec_refpix_0001.fits", data=none,
                     tables={"IRS2": weights, "DQ": bad})  # fmt: skip


@pytest.fixture(scope="module")
def interleaved(make_ramp):
    """Bias-subtracted frames with drifts of all outputs in time, and some reference pixels that stand out."""

    def make(seed, detector, nints=1, ngroups=2):
        fast, slow = (-2, -1) if detector == "NRS2" else (2, 1)
        ramp = make_ramp(
            seed, shape=(8, 8), instrument="NIRSPEC", detector=detector, readpatt="NRSIRS2RAPID",
            subarray="FULL", fastaxis=fast, slowaxis=slow, keywords=[("NRS_NORM", 16), ("NRS_REF", 4)],
        )  # fmt: skip
        rng = np.random.default_rng(seed)
        shape = (nints, ngroups, 3200, 2048)
        data = rng.normal(0, NOISE, shape).astype(np.float32)
        data += np.cumsum(rng.normal(0, 0.3, (nints, ngroups, 1, 2048)), axis=-1).astype(np.float32)
        rows = normal_rows(ramp.exposure)
        light = rng.exponential(30, (rows.sum(), 2048)) * (rng.random((rows.sum(), 2048)) < 0.1)
        data[:, :, rows] += (light * np.arange(1, ngroups + 1)[:, None, None]).astype(np.float32)
        references = np.flatnonzero(~rows)
        for y, kind in zip(rng.choice(references, 12, replace=False), range(12), strict=True):
            data[0, :, y] = data[0, :, y] * (4 if kind % 2 else 1) + (0 if kind % 2 else 40)
        data[rng.random(shape) < 1e-5] = 0
        pixeldq = np.zeros(shape[2:], np.uint32)
        border = np.zeros(rows.sum(), bool)
        border[:4] = border[-4:] = True
        pixeldq[:, :4] = pixeldq[:, -4:] = DQ.REFERENCE_PIXEL
        pixeldq[np.flatnonzero(rows)[border]] = DQ.REFERENCE_PIXEL
        pixeldq[rng.choice(references, 6, replace=False), 5] |= np.uint32(DQ.BAD_REF_PIXEL)
        pixeldq[rng.random(pixeldq.shape) < 0.01] |= np.uint32(DQ.DO_NOT_USE)
        groupdq = rng.integers(0, 256, shape, np.uint8)
        facts = {"xsize": 2048, "ysize": 2048, "nints": nints, "ngroups": ngroups}
        exposure = type(ramp.exposure)(**{**vars(ramp.exposure), **facts})
        return ramp.with_(exposure=exposure, data=data, pixeldq=pixeldq, groupdq=groupdq)

    return make


@pytest.fixture
def official(ramp_model, monkeypatch):
    """The official step, given the reference in memory."""

    def run(ramp, reference, p):
        from jwst.refpix import RefPixStep, refpix_step
        from stdatamodels.jwst.datamodels import IRS2Model

        model = ramp_model(ramp)
        model.meta.exposure.nrs_normal, model.meta.exposure.nrs_reference = 16, 4
        irs2 = IRS2Model()
        irs2.irs2_table = reference.tables["IRS2"].copy()
        if "DQ" in reference.tables:
            irs2.dq_table = reference.tables["DQ"].copy()
        monkeypatch.setattr(RefPixStep, "get_reference_file", lambda *_: "refpix.fits")
        monkeypatch.setattr(refpix_step.datamodels, "IRS2Model", lambda _name: irs2)
        step = RefPixStep()
        for name in RefPixParams.model_fields:
            setattr(step, name, getattr(p, name))
        return step.process(model)

    return run


@pytest.mark.parametrize(
    ("detector", "changes"),
    [
        ("NRS1", {}),
        ("NRS1", {"preserve_irs2_refpix": True, "ovr_corr_mitigation_ftr": 2.0}),
        ("NRS2", {"irs2_mean_subtraction": True}),
    ],
    ids=["default", "preserve", "mean"],
)
def test_correction(detector, changes, interleaved, reference, official):
    ramp = interleaved(80, detector)
    p = RefPixParams(**changes)
    theirs = official(ramp, reference, p)
    ours = refpix(ramp, {"refpix": reference}, p, Tiles())
    np.testing.assert_array_equal(ours.pixeldq, theirs.pixeldq)
    np.testing.assert_array_equal(ours.groupdq, theirs.groupdq)
    scale = np.abs(ramp.data - ramp.data.mean(axis=1, keepdims=True)).max()
    rounding = np.spacing(np.abs(theirs.data))
    distance = np.abs(ours.data - theirs.data.astype(np.float64))
    assert (distance <= TOLERANCE * scale + 2 * rounding).all()
    before = ramp.data if p.preserve_irs2_refpix else ramp.data[:, :, normal_rows(ramp.exposure)]
    assert np.abs(ours.data - before).max() > 5
    assert theirs.meta.cal_step.refpix == "COMPLETE"


@pytest.mark.parametrize("factor", [3.0, 1.5])
def test_bad_reference_pixels_of_several_integrations(factor, interleaved, ramp_model):
    from jwst.refpix.irs2_subtract_reference import flag_bad_refpix

    ramp = interleaved(81, "NRS2", nints=3, ngroups=1)
    model = ramp_model(ramp)
    model.meta.exposure.nrs_normal, model.meta.exposure.nrs_reference = 16, 4
    flag_bad_refpix(model, n_sigma=factor, flag_only=True)
    found = bad_reference_rows(ramp, factor, Tiles())
    flagged = (ramp.pixeldq & np.uint32(DQ.BAD_REF_PIXEL) != 0).any(axis=1)
    np.testing.assert_array_equal(found, (model.pixeldq & DQ.BAD_REF_PIXEL != 0).all(axis=1))
    assert found.sum() > flagged.sum() > 0


def test_replacement_of_bad_reference_pixels(interleaved, reference, ramp_model):
    """Rows that the official functions put in place of the bad ones, in both of their passes."""
    from jwst.refpix.irs2_subtract_reference import clobber_ref, flag_bad_refpix

    ramp = interleaved(82, "NRS2", ngroups=1)
    rng = np.random.default_rng(82)
    bad = ~normal_rows(ramp.exposure) & (rng.random(3200) < 0.4)
    pixeldq = ramp.pixeldq & ~np.uint32(DQ.BAD_REF_PIXEL)
    pixeldq[bad] |= np.uint32(DQ.BAD_REF_PIXEL)
    model = ramp_model(ramp.with_(pixeldq=pixeldq))
    model.meta.exposure.nrs_normal, model.meta.exposure.nrs_reference = 16, 4
    flag_bad_refpix(model, replace_only=True)
    turned = np.swapaxes(model.data, 2, 3)[:, :, ::-1, ::-1]
    table = reference.tables["DQ"]
    interleaved_reads = np.tile(~normal_reads(), 5)
    clobber_ref(turned, table["OUTPUT"], table["ODD_EVEN"], table["MASK"], bad[::-1].copy(), interleaved_reads)
    sources = replacements(bad, True, reference)
    values = ramp.data[0, 0, sources].mean(axis=1, dtype=np.float32)
    values[sources[:, 0] < 0] = 0
    np.testing.assert_array_equal(values, model.data[0, 0])
    assert (sources == -1).any()
    assert (sources[:, 0] != sources[:, 1]).any()
