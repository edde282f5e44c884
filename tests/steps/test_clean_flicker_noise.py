from __future__ import annotations

import threading

import numpy as np
import pytest

from jwcal_interactive.arrays import Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Cancelled, InputError, ParameterError, Skip
from jwcal_interactive.steps.clean_flicker_noise import CleanFlickerNoiseParams, clean_flicker_noise
from jwcal_interactive.tiles import Tiles


@pytest.fixture
def striped(ramp_of, reference_of):
    """Ramps on an even sky with stripes along the fast direction, and the references."""

    def make(nints=2, ngroups=4, shape=(32, 40), **facts):
        rng = np.random.default_rng(0)
        full = (nints, ngroups, *shape)
        along_x = abs(facts.get("slowaxis", 2)) == 2
        stripes = rng.normal(0, 3, (nints, ngroups, shape[0] if along_x else shape[1]))
        data = 1000 + 30 * np.arange(ngroups)[:, None, None] + rng.normal(0, 3, full)
        data += stripes[..., None] if along_x else stripes[..., None, :]
        ramp = ramp_of(data, **facts)
        refs = {
            "gain": reference_of("gain", np.full(shape, 2)),
            "readnoise": reference_of("readnoise", np.full(shape, 9)),
        }
        return ramp, refs

    return make


def run(ramp, refs, tiles=None, **values):
    return clean_flicker_noise(ramp, refs, CleanFlickerNoiseParams(**values), tiles or Tiles(threads=1))


def striping(ramp, axis):
    """Standard deviation of the means of lines of group differences, DN."""
    return np.diff(ramp.data, axis=1).mean(axis=axis).std()


@pytest.mark.parametrize(("slowaxis", "axis"), [(2, 3), (-2, 3), (1, 2), (-1, 2)])
def test_stripes_along_the_fast_direction_go(striped, slowaxis, axis):
    ramp, refs = striped(slowaxis=slowaxis, fastaxis=1 if abs(slowaxis) == 2 else 2)
    cleaned = run(ramp, refs)
    assert striping(cleaned, axis) < 0.35 * striping(ramp, axis)
    np.testing.assert_array_equal(cleaned.data[:, 0], ramp.data[:, 0])
    assert cleaned.groupdq is not ramp.groupdq
    np.testing.assert_array_equal(cleaned.groupdq, ramp.groupdq)


def test_miri_is_cleaned_along_columns(striped):
    ramp, refs = striped(slowaxis=1)  # stripes of columns
    of_miri = ramp.with_(exposure=striped(exp_type="MIR_IMAGE")[0].exposure)
    assert striping(run(of_miri, refs), 2) < 0.35 * striping(ramp, 2)


def test_inputs_and_results_of_threads(striped, bytes_of):
    ramp, refs = striped()
    before = bytes_of(ramp, *refs.values())
    one = run(ramp, refs, background_method="model")
    three = run(ramp, refs, Tiles(threads=3, band_rows=5), background_method="model")
    assert bytes_of(ramp, *refs.values()) == before
    assert bytes_of(one) == bytes_of(three)


def test_off_by_default():
    assert CleanFlickerNoiseParams().skip


def test_a_group_without_a_usable_pixel_stays_as_it_is(striped):
    ramp, refs = striped()
    groupdq = ramp.groupdq.copy()
    groupdq[1, 2] = DQ.DO_NOT_USE
    ramp = ramp.with_(groupdq=groupdq)
    cleaned = run(ramp, refs, save_background=True)
    np.testing.assert_array_equal(cleaned.data[1, 2], ramp.data[1, 2])
    assert not np.array_equal(cleaned.data[1, 3], ramp.data[1, 3])
    assert not cleaned.side_products[0].arrays["SCI"][1, 2].any()


def test_jumps_do_not_count(striped):
    ramp, refs = striped(nints=1)
    data, groupdq = ramp.data.copy(), ramp.groupdq.copy()
    data[0, 2:, 5] += 6  # a level that clipping does not find
    groupdq[0, 2, 5, :30] = DQ.JUMP_DET
    whole = run(ramp, refs, n_sigma=0.0)
    hit = run(ramp.with_(data=data, groupdq=groupdq), refs, n_sigma=0.0)
    kept = (hit.data[0, 2, 5] - hit.data[0, 1, 5]) - (whole.data[0, 2, 5] - whole.data[0, 1, 5])
    assert abs(np.median(kept)) < 2


class TestSideProducts:
    def test_are_what_was_done(self, striped):
        ramp, refs = striped()
        cleaned = run(ramp, refs, save_mask=True, save_background=True, save_noise=True)
        products = {p.suffix: p for p in cleaned.side_products}
        assert list(products) == ["mask", "flicker_bkg", "flicker_noise"]
        assert products["mask"].arrays["SCI"].shape == ramp.pixeldq.shape
        np.testing.assert_array_equal(products["flicker_noise"].arrays["SCI"], cleaned.data - ramp.data)
        levels = products["flicker_bkg"].arrays["SCI"]
        assert not levels[:, 0].any()
        assert np.abs(levels[:, 1:] - 30).max() < 20
        assert products["flicker_bkg"].units == {"SCI": "DN"}

    def test_are_not_made_unasked(self, striped):
        assert run(*striped()).side_products == ()

    def test_mask_has_a_plane_per_integration_if_wanted(self, striped):
        ramp, refs = striped()
        cleaned = run(ramp, refs, save_mask=True, single_mask=False)
        assert cleaned.side_products[0].arrays["SCI"].shape == (2, 32, 40)
        assert cleaned.side_products[0].model == "CubeModel"


class TestUserMask:
    def given(self, mask):
        return {
            "user_mask": Reference(reftype="user_mask", name="mask.fits", data=np.asarray(mask, np.float32))
        }

    def test_is_used_as_it_is(self, striped):
        ramp, _ = striped()
        mask = np.zeros(ramp.pixeldq.shape)
        mask[:16] = 1
        cleaned = run(ramp, self.given(mask), save_mask=True)  # needs no other reference
        np.testing.assert_array_equal(cleaned.side_products[0].arrays["SCI"], mask)
        differences = np.diff(cleaned.data, axis=1) - np.diff(ramp.data, axis=1)
        assert differences[:, :, :16].any()
        assert np.abs(differences[:, :, 16:]).max() < 1e-3

    def test_of_another_shape_is_refused(self, striped):
        ramp, _ = striped()
        for shape in ((32, 41), (3, 32, 40)):
            with pytest.raises(InputError, match=r"user_mask.*\(2, 32, 40\)"):
                run(ramp, self.given(np.ones(shape)))


class TestSkips:
    @pytest.mark.parametrize(
        ("facts", "values", "reason"),
        [
            ({"ngroups": 1}, {}, "NGROUPS = 1"),
            ({"exp_type": "MIR_MRS"}, {}, "MIR_MRS"),
            ({}, {"fit_method": "fft"}, "NRS_MSASPEC"),
            ({"nints": 1}, {"background_method": "median_image"}, "two integrations"),
            ({"exp_type": "NIS_SOSS"}, {"mask_science_regions": True}, "pastasoss"),
        ],
    )
    def test_tell_why(self, striped, facts, values, reason):
        ramp, refs = striped(**facts)
        with pytest.raises(Skip, match=reason):
            run(ramp, refs, **values)

    def test_without_gain(self, striped):
        ramp, refs = striped()
        with pytest.raises(Skip, match="gain"):
            run(ramp, refs | {"gain": None})


def test_flat_is_asked_for_only_if_used(striped):
    needed = clean_flicker_noise.references_for
    exposure, miri = striped()[0].exposure, striped(exp_type="MIR_IMAGE")[0].exposure
    always = ("readnoise", "gain")
    assert needed(exposure, CleanFlickerNoiseParams()) == always
    assert needed(exposure, CleanFlickerNoiseParams(apply_flat_field=True)) == (*always, "flat")
    assert needed(exposure, CleanFlickerNoiseParams(autoparam=True)) == (*always, "flat")
    assert needed(miri, CleanFlickerNoiseParams(mask_science_regions=True)) == (*always, "flat")
    soss = striped(exp_type="NIS_SOSS")[0].exposure
    assert needed(soss, CleanFlickerNoiseParams(mask_science_regions=True)) == (*always, "pastasoss")
    assert needed(soss, CleanFlickerNoiseParams()) == always


def test_without_a_flat_it_goes_on(striped):
    ramp, refs = striped()
    with_none = run(ramp, refs | {"flat": None}, apply_flat_field=True)
    np.testing.assert_array_equal(with_none.data, run(ramp, refs).data)


def test_boxes_must_have_a_size(striped):
    with pytest.raises(ParameterError, match="background_box_size"):
        run(*striped(), background_box_size=(0, 5))


def test_all_nan_is_no_error(striped):
    ramp, refs = striped()
    lost = ramp.with_(data=np.full_like(ramp.data, np.nan))
    assert np.isnan(run(lost, refs).data).all()


def test_cancel(striped):
    cancel = threading.Event()
    cancel.set()
    ramp, refs = striped()
    with pytest.raises(Cancelled):
        run(ramp, refs, Tiles(cancel=cancel))


def test_nirspec_without_the_official_package(striped, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "jwst.clean_flicker_noise.clean_flicker_noise", None)
    ramp, refs = striped(instrument="NIRSPEC", detector="NRS1", exp_type="NRS_FIXEDSLIT")
    with pytest.raises(InputError, match=r"NRS_FIXEDSLIT.*pip install 'jwcal-interactive\[official\]'"):
        run(ramp, refs, mask_science_regions=True)
