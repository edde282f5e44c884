"""The interleaved readout against the official layout; its noise, and the filters that remove it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from stdatamodels.jwst import datamodels

from jwcal_interactive.dq import DQ
from jwcal_interactive.simulate import ExposureSpec, simulate_exposure, write_level1b
from jwcal_interactive.simulate.detectors import DETECTORS
from jwcal_interactive.simulate.irs2 import (
    Interleaved,
    bad_pairs,
    correction_filters,
    residual_variance,
)
from jwcal_interactive.simulate.references import REFERENCE_KINDS, ReferenceCase

NAMES = ("NRS1", "NRS2")


def interleaved(name: str) -> Interleaved:
    detector = DETECTORS[name]
    return Interleaved(detector, detector.subarray("FULL", "NRSIRS2RAPID"))


def case(name: str) -> ReferenceCase:
    layout = interleaved(name)
    return ReferenceCase(layout.detector, layout.subarray)


@pytest.mark.parametrize("name", NAMES)
def test_layout_is_the_official_one(name: str) -> None:
    official = pytest.importorskip("jwst.saturation.x_irs2")
    layout = interleaved(name)
    science = np.random.default_rng(1).integers(0, 60_000, (2048, 2048), np.uint16)
    raw = layout.with_references(science, np.zeros((2048, 3200), np.uint16))
    assert raw.shape == layout.shape == (3200, 2048)
    mask = official.make_mask(raw)
    assert np.array_equal(official.from_irs2(raw, mask, name), science)
    in_order = mask[::-1] if name == "NRS2" else mask
    reference_output = np.zeros(3200, bool)
    reference_output[:640] = True
    if name == "NRS2":
        reference_output = reference_output[::-1]
    assert np.array_equal(layout.is_interleaved, ~in_order & ~reference_output)


@pytest.mark.parametrize("name", NAMES)
def test_table_lists_the_bad_pairs(name: str) -> None:
    """The official reading of OUTPUT, ODD_EVEN and MASK arrives at the columns that are noisy."""
    official = pytest.importorskip("jwst.refpix.irs2_subtract_reference")
    from jwcal_interactive.simulate.references.readouts import _bad_pair_rows

    listed = bad_pairs(DETECTORS[name])[1]
    dtype = np.dtype([("OUTPUT", np.uint16), ("ODD_EVEN", np.uint16), ("MASK", np.uint32)])
    rows = _bad_pair_rows(dtype, listed)
    flags = np.zeros(3200, bool)
    is_interleaved = ~official.make_irs2_mask(3200, 2048, 16, 4)
    official.clobber_ref(
        np.zeros((1, 1, 1, 3200)), rows["OUTPUT"], rows["ODD_EVEN"], rows["MASK"], flags, is_interleaved
    )
    assert sorted(np.flatnonzero(flags)) == sorted(c for pair in listed for c in pair.columns)
    assert is_interleaved[flags].all()


def test_marked_and_listed_pairs_differ() -> None:
    marked, listed = bad_pairs(DETECTORS["NRS1"])
    assert len(marked) == 12
    assert len(listed) == 8
    assert not set(marked) & set(listed)


class TestFilters:
    def test_series_are_of_real_numbers(self) -> None:
        """Negative frequencies have the conjugate factors."""
        for alpha, beta in correction_filters(*vars(case("NRS1")).values()):
            assert alpha.size == beta.size == 712 * 2048
            assert alpha[1:100] == pytest.approx(alpha[-1:-100:-1].conj(), rel=1e-6)
            assert beta[1:100] == pytest.approx(beta[-1:-100:-1].conj(), rel=1e-6)

    def test_slow_noise_is_removed_whole(self) -> None:
        filling = 712 / 256
        for alpha, beta in correction_filters(*vars(case("NRS1")).values()):
            assert abs(alpha[3] + beta[3] / filling - 1) < 0.01

    def test_fast_noise_is_left_to_the_reference_output(self) -> None:
        for alpha, beta in correction_filters(*vars(case("NRS1")).values()):
            middle = 712 * 1024
            assert abs(beta[middle - 100]) < 1e-6
            assert abs(alpha[middle - 100]) < 0.5

    def test_outputs_lag(self) -> None:
        """The factors turn with the frequency, more for each output."""
        angles = [np.angle(alpha[20_000]) for alpha, _ in correction_filters(*vars(case("NRS1")).values())]
        assert np.diff(angles) == pytest.approx(np.full(3, -2 * np.pi * 20_000 / (712 * 2048) * 0.5), rel=1e-3)

    def test_what_is_left(self) -> None:
        layout = interleaved("NRS1")
        left = residual_variance(layout.detector, layout.subarray)
        assert 0 < left < 0.25 * layout.subarray.noise.one_over_f**2


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    return interleaved("NRS1").noise(np.random.default_rng(1))


class TestNoise:
    def test_common_noise_is_in_all_outputs(self, frame: np.ndarray) -> None:
        """Slow parts of the reference output and of the four outputs go together."""
        lines = frame.reshape(2048, 5, 640).mean(axis=2)
        lines -= lines.mean(axis=0)
        correlation = np.corrcoef(lines.T)
        assert (correlation > 0.5).all()
        assert correlation[0, 1] < 0.999

    def test_bad_pairs_are_noisy(self, frame: np.ndarray) -> None:
        noise = frame.std(axis=0)
        bad = [c for pairs in bad_pairs(DETECTORS["NRS1"]) for pair in pairs for c in pair.columns]
        assert noise[bad].min() > 50
        assert np.delete(noise, bad).max() < 20

    def test_science_pixels_have_no_white_noise_here(self, frame: np.ndarray) -> None:
        references = np.nonzero(interleaved("NRS1").is_interleaved)[0]
        science = np.setdiff1d(np.arange(640, 3200), references)
        smooth = np.diff(frame[:, science[1:8]], axis=1).std()  # the first visit comes after 8 pixels
        assert smooth < 0.5 * np.diff(frame[:, references[:4]], axis=1).std()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = ExposureSpec(
        instrument="NIRSPEC",
        detector="NRS2",
        readpatt="NRSIRS2RAPID",
        filter="F290LP",
        grating="G395H",
        pupil="",
        exp_type="NRS_IFU",
        ngroups=1,
    )
    return write_level1b(simulate_exposure(spec), tmp_path_factory.mktemp("irs2"))


class TestExposure:
    def test_header(self, path: Path) -> None:
        header = fits.getheader(path)
        expected = {
            "NRS_NORM": 16, "NRS_REF": 4, "SUBSIZE1": 2048, "SUBSIZE2": 2048, "NOUTPUTS": 5,
            "TFRAME": 14.58889, "FASTAXIS": -2, "SLOWAXIS": -1, "ZEROFRAM": False,
        }  # fmt: skip
        assert {key: header[key] for key in expected} == expected
        with datamodels.open(path, strict_validation=True) as model:
            model.validate()

    def test_levels(self, path: Path) -> None:
        """The reference output is at the other end of the detector than in NRS1."""
        raw = fits.getdata(path)
        assert raw.shape == (1, 1, 3200, 2048)
        assert np.median(raw[..., -640:, :]) == pytest.approx(8500, abs=30)
        lines = interleaved("NRS2").is_interleaved
        assert np.median(raw[..., lines, :]) == pytest.approx(10_500, abs=30)


@pytest.mark.parametrize("name", NAMES)
def test_mask_and_superbias_have_the_size_of_the_raw_frame(name: str) -> None:
    layout = interleaved(name)
    with REFERENCE_KINDS["mask"].build(case(name)) as mask:
        flags = np.asarray(mask.dq)
    assert flags.shape == (3200, 2048)
    bad = ((flags & DQ.BAD_REF_PIXEL) != 0).any(axis=1)
    columns = [c for pair in bad_pairs(layout.detector)[0] for c in pair.columns]
    rows = columns if name == "NRS1" else [3199 - c for c in columns]
    assert sorted(np.flatnonzero(bad)) == sorted(rows)
    with REFERENCE_KINDS["superbias"].build(case(name)) as superbias:
        assert superbias.data.shape == (3200, 2048)
        assert np.nanmedian(superbias.data[layout.is_interleaved]) == pytest.approx(10_500, abs=5)
