from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Cancelled, InputError, ReferenceError, Skip
from jwcal_interactive.steps.irs2 import normal_rows
from jwcal_interactive.steps.refpix import RefPixParams, refpix
from jwcal_interactive.steps.refpix_irs2 import bad_reference_rows, replacements
from jwcal_interactive.tiles import Tiles

SAMPLES = 712 * 2048
NAMES = [f"{kind}_{k}" for kind in ("alpha", "beta") for k in range(4)]


@pytest.fixture
def frames(ramp_of):
    """Whole or other frames of a detector, from group values."""

    def make(data, detector="NRS1", **facts):
        fast, slow = (-2, -1) if detector == "NRS2" else (2, 1)
        return ramp_of(
            data, instrument="NIRSPEC", detector=detector, readpatt="NRSIRS2", ysize=2048, fastaxis=fast,
            slowaxis=slow, **facts,
        )  # fmt: skip

    return make


def reference(alpha=0.0, beta=0.0, dq=(), samples=SAMPLES):
    weights = np.zeros(2 * samples, [(name, np.float32) for name in NAMES])
    for name in NAMES:
        weights[name][::2] = alpha if name.startswith("alpha") else beta
    columns = [("OUTPUT", np.uint16), ("ODD_EVEN", np.uint16), ("MASK", np.uint32)]
    tables = {"IRS2": weights, "DQ": np.array(list(dq), columns)}
    return Reference(reftype="refpix", name="r.fits", data=np.empty((0, 0), np.float32), tables=tables)


def drift_in_time(detector):
    """A slow wave that all outputs show at the same moment, (3200, 2048), 0 at the edges of the frame."""
    reads = np.arange(640)
    time = reads + (reads + 12) // 20 + (reads + 8) // 20 + 712 * np.arange(2048)[:, None]
    wave = 20 * np.sin(time * 2 * np.pi * 40 / SAMPLES)
    wave[:4] = wave[-4:] = 0
    outputs = [wave[:, ::-1] if k % 2 == 0 else wave for k in range(5)]
    frame = np.concatenate(outputs, axis=1).T
    return frame[::-1, ::-1] if detector == "NRS2" else frame


def test_drift_of_all_outputs_is_removed(frames, bytes_of):
    sky = np.random.default_rng(5).uniform(0, 1000, (3200, 2048))
    drift = drift_in_time("NRS2")
    ramp = frames(np.array([[sky + drift, sky - drift]]), "NRS2")
    ref = reference(alpha=1)
    before = bytes_of(ramp)
    corrected = refpix(ramp, {"refpix": ref}, RefPixParams(), Tiles(threads=2))
    assert corrected.data.shape == (1, 2, 2048, 2048)
    assert corrected.groupdq.shape == corrected.data.shape
    assert corrected.pixeldq.shape == (2048, 2048)
    left = (corrected.data[0] - sky[normal_rows(ramp.exposure)])[..., 4:-4]
    assert np.abs(left).max() < 0.05
    assert bytes_of(ramp) == before
    alone = refpix(ramp, {"refpix": ref}, RefPixParams(), Tiles(threads=1))
    np.testing.assert_array_equal(alone.data, corrected.data)


def test_one_group_has_no_drift(frames):
    data = np.random.default_rng(6).normal(0, 10, (1, 1, 3200, 2048)).astype(np.float32)
    ramp = frames(data)
    out = refpix(ramp, {"refpix": reference(1, 1)}, RefPixParams(), Tiles())
    np.testing.assert_array_equal(out.data[0, 0], data[0, 0, normal_rows(ramp.exposure)])


class TestBadReferencePixels:
    def test_flagged_rows_and_those_that_stand_out(self, frames):
        data = np.random.default_rng(7).normal(0, 5, (2, 2, 3200, 40))
        data[1, :, 650] += 20  # the pixel that is read at 650 and 651
        pixeldq = np.zeros((3200, 40), np.uint32)
        pixeldq[[688, 2000], 3] = DQ.BAD_REF_PIXEL  # 2000 holds normal pixels
        bad = np.flatnonzero(bad_reference_rows(frames(data, pixeldq=pixeldq), 5.0, Tiles()))
        assert bad.tolist() == [650, 651, 688]

    def test_values_that_are_not_finite_do_not_count(self, frames):
        data = np.random.default_rng(8).normal(0, 5, (1, 1, 3200, 8))
        data[0, 0, 650] = np.nan
        assert not bad_reference_rows(frames(data), 50.0, Tiles()).any()
        data[0, 0, :, 0] = np.nan
        assert not bad_reference_rows(frames(data), 3.0, Tiles()).any()

    def test_neighbouring_runs_stand_in(self):
        bad = np.zeros(3200, bool)
        bad[[648, 668, 728, 748, 768, 770, 788]] = True
        sources = replacements(bad, False, reference(samples=1))
        assert sources[728].tolist() == [708, 708]  # 748 is bad, too
        assert sources[648].tolist() == [
            650,
            650,
        ]  # the first run of the output: no other but 668, which is bad
        assert sources[768].tolist() == [-1, -1]
        assert sources[770].tolist() == [750, 790]
        assert sources[900].tolist() == [900, 900]

    @pytest.mark.parametrize(("backwards", "place"), [(False, lambda r: r), (True, lambda r: 3199 - r)])
    def test_table_counts_in_read_direction(self, backwards, place):
        good = np.zeros(3200, bool)
        sources = replacements(good, backwards, reference(dq=[(1, 1, 2), (2, 1, 2), (2, 2, 4)], samples=1))
        changed = np.flatnonzero(sources[:, 0] != np.arange(3200))
        # Amplifier 1: first pixel of run 1. Amplifier 2, from the other end: second of run 1, first of run 2.
        reads = [668, 669, 1310, 1311, 1328, 1329]
        assert changed.tolist() == sorted(place(r) for r in reads)
        assert sorted(sources[place(668)].tolist()) == sorted([place(648), place(688)])

    @pytest.mark.parametrize("row", [(0, 1, 1), (5, 1, 1), (1, 3, 1)])
    def test_table_that_makes_no_sense(self, row):
        with pytest.raises(ReferenceError, match=r"r\.fits: table DQ has OUTPUT.*1 to 4"):
            replacements(np.zeros(3200, bool), False, reference(dq=[row], samples=1))


class TestRefused:
    def run(self, ramp, ref):
        return refpix(ramp, {"refpix": ref}, RefPixParams(), Tiles())

    def test_without_reference(self, frames):
        with pytest.raises(Skip, match="no refpix reference"):
            self.run(frames(np.zeros((1, 1, 3200, 2))), None)

    def test_when_cancelled(self, frames):
        tiles = Tiles()
        tiles.cancel.set()
        with pytest.raises(Cancelled):
            refpix(frames(np.zeros((1, 1, 3200, 2))), {"refpix": reference(samples=1)}, RefPixParams(), tiles)

    def test_part_of_a_frame(self, frames):
        with pytest.raises(InputError, match=r"2 x 3200 pixels.*needs all 2048 x 3200"):
            self.run(frames(np.zeros((1, 1, 3200, 2))), reference(samples=1))

    def test_zero_frame(self, frames):
        ramp = frames(np.zeros((1, 1, 3200, 2)), zeroframe=np.ones((1, 3200, 2)))
        with pytest.raises(InputError, match="ZEROFRAM"):
            self.run(ramp, reference(samples=1))

    @pytest.mark.parametrize("tables", [{"IRS2": 0}, {"DQ": 0}, {"IRS2": 1}])
    def test_other_tables(self, tables, frames):
        made = {"IRS2": np.zeros(4, [("alpha_0", np.float32)])} if tables.get("IRS2") else {}
        made = made or {name: np.zeros(0, [("A", np.float32)]) for name in tables}
        ref = Reference(reftype="refpix", name="r.fits", data=np.empty((0, 0), np.float32), tables=made)
        with pytest.raises(ReferenceError, match=r"r\.fits: must have a table IRS2 of 2916352 rows"):
            self.run(frames(np.zeros((1, 1, 3200, 2048))), ref)

    def test_table_without_a_column(self, frames):
        ref = Reference(
            reftype="refpix", name="r.fits", data=np.empty((0, 0), np.float32),
            tables={"IRS2": np.zeros(2 * SAMPLES, [("alpha_0", np.float32)])},
        )  # fmt: skip
        with pytest.raises(ReferenceError, match="table IRS2 has no column alpha_1"):
            self.run(frames(np.zeros((1, 1, 3200, 2048))), ref)
