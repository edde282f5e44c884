from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.picture_frame import PictureFrameParams, picture_frame
from jwcal_interactive.tiles import Tiles

SHAPE = (120, 130)
FRAME = np.where((np.mgrid[:120, :130] < 40).any(axis=0), 2.0, 1.0)


@pytest.fixture
def framed(ramp_of, reference_of):
    """A ramp whose groups are the frame of the reference, scaled and shifted; and references."""

    def make(scales=(1, 2, 4), levels=(100, 110, 130), **facts):
        data = [[scale * FRAME + level for scale, level in zip(scales, levels, strict=True)]]
        data = np.array(data) + np.random.default_rng(0).normal(0, 0.01, (1, len(scales), *SHAPE))
        nirspec = {"instrument": "NIRSPEC", "detector": "NRS1", "exp_type": "NRS_IFU", "subarray": "FULL"}
        ramp = ramp_of(data, **(nirspec | facts))
        refs = {
            "pictureframe": reference_of("pictureframe", FRAME),
            "gain": reference_of("gain", np.full(SHAPE, 2)),
            "readnoise": reference_of("readnoise", np.full(SHAPE, 9)),
        }
        return ramp, refs

    return make


def run(ramp, refs, **values):
    p = PictureFrameParams(mask_science_regions=False, n_sigma=0.0, **values)
    return picture_frame(ramp, refs, p, Tiles())


def test_frame_and_level_go_and_the_first_group_stays(framed, bytes_of):
    ramp, refs = framed()
    before = bytes_of(ramp, *refs.values())
    corrected = run(ramp, refs)
    assert bytes_of(ramp, *refs.values()) == before
    np.testing.assert_array_equal(corrected.data[:, 0], ramp.data[:, 0])
    first = ramp.data[:, :1]
    np.testing.assert_allclose(corrected.data[:, 1:] - first, 0, atol=0.1)
    assert corrected.groupdq.base is ramp.groupdq.base


def test_side_products(framed):
    ramp, refs = framed()
    assert run(ramp, refs).side_products == ()
    corrected = run(ramp, refs, save_mask=True, save_correction=True)
    mask, correction = corrected.side_products
    assert (mask.suffix, correction.suffix) == ("pctfrm_mask", "pctfrm_correction")
    np.testing.assert_array_equal(correction.arrays["SCI"], corrected.data - ramp.data)
    assert mask.arrays["SCI"].shape == SHAPE


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"instrument": "NIRCAM"}, "NIRCAM"),
        ({"subarray": "SUB2048"}, "SUB2048"),
        ({"scales": (1,), "levels": (1,)}, "NGROUPS = 1"),
    ],
)
def test_skips_tell_why(framed, facts, reason):
    with pytest.raises(Skip, match=reason):
        run(*framed(**facts))


def test_without_reference(framed):
    ramp, refs = framed()
    with pytest.raises(Skip, match="pictureframe"):
        run(ramp, refs | {"pictureframe": None})


def test_level_reference(framed, reference_of):
    ramp, refs = framed()
    with pytest.raises(Skip, match="as bright"):
        run(ramp, refs | {"pictureframe": reference_of("pictureframe", np.ones(SHAPE))})


def test_without_background(framed):
    ramp, refs = framed()
    pixeldq = np.full(SHAPE, DQ.DO_NOT_USE, np.uint32)
    with pytest.raises(Skip, match="no background"):
        run(ramp.with_(pixeldq=pixeldq), refs)


def test_a_detector_without_spectra_is_corrected_nevertheless(framed, monkeypatch):
    from jwcal_interactive.io import official_scene

    def nothing(_rates):
        raise official_scene.NothingOnDetector("none")

    monkeypatch.setattr(official_scene, "nirspec_regions", nothing)
    ramp, refs = framed()
    corrected = picture_frame(ramp, refs, PictureFrameParams(n_sigma=0.0), Tiles())
    np.testing.assert_array_equal(corrected.data, run(ramp, refs).data)
    from jwcal_interactive.steps.clean_flicker_noise import CleanFlickerNoiseParams, clean_flicker_noise

    with pytest.raises(Skip, match="none"):
        clean_flicker_noise(ramp, refs, CleanFlickerNoiseParams(mask_science_regions=True), Tiles())
