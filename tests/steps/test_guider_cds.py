from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.errors import InputError, ReferenceError, Skip
from jwcal_interactive.steps.guider_cds import GuiderCdsParams, guider_cds
from jwcal_interactive.tiles import Tiles


@pytest.fixture
def run(ramp_of, reference_of):
    """Gain 2 e-/DN, read noise 10 DN, groups of 0.5 s."""

    def make(data, exp_type="FGS_ACQ1", gain=2.0, shape=None, pixeldq=0, missing=None):
        ramp = ramp_of(data, pixeldq, instrument="FGS", exp_type=exp_type, group_time=0.5)
        shape = shape or ramp.data.shape[-2:]
        refs = {
            "gain": reference_of("gain", np.full(shape, gain)),
            "readnoise": reference_of("readnoise", np.full(shape, 10.0)),
        }
        if missing:
            refs[missing] = None
        return guider_cds(ramp, refs, GuiderCdsParams(), Tiles(threads=1))

    return make


def groups(*values):
    """Integrations of 2 x 3 pixels with these group values."""
    return np.tile(np.array(values, float)[:, :, None, None], (1, 1, 2, 3))


@pytest.mark.parametrize("exp_type", ["FGS_ACQ1", "FGS_ACQ2", "FGS_TRACK"])
def test_second_minus_first_group(run, exp_type):
    out = run(groups([10, 30, 99], [5, 4, 99]), exp_type)
    assert out.data.shape == out.err.shape == (2, 2, 3)
    assert (out.data[0] == 40).all()
    assert (out.data[1] == -2).all()
    np.testing.assert_allclose(out.err[0], np.sqrt(2 * 20**2 + 20 / (2 * 0.5)))
    # A negative signal has no Poisson noise.
    np.testing.assert_allclose(out.err[1], np.sqrt(2 * 20**2))


def test_fine_guide_averages_four_groups_at_each_end(run):
    out = run(groups([1, 2, 3, 6, 1000, 11, 12, 13, 16]), "FGS_FINEGUIDE")
    assert (out.data == 20).all()


@pytest.mark.parametrize("exp_type", ["FGS_ID-STACK", "FGS_ID-IMAGE"])
def test_identification_takes_the_smaller_difference(run, exp_type):
    data = groups([0, 20], [0, 30])
    data[0, 1, 0, 0] = 5000  # a cosmic ray
    out = run(data, exp_type)
    assert out.data.shape == (1, 2, 3)
    assert out.data[0, 0, 0] == 60
    assert out.data[0, 1, 1] == 40


def test_stack_that_does_not_lie_on_the_detector_takes_the_mean_of_its_references(run):
    out = run(groups([0, 20], [0, 20]), "FGS_ID-STACK", shape=(7, 7))
    np.testing.assert_allclose(out.err, np.sqrt(2 * 20**2 + 20 / (2 * 0.5)))
    with pytest.raises(ReferenceError, match="gain"):
        run(groups([0, 20], [0, 20]), "FGS_ID-IMAGE", shape=(7, 7))


def test_pixels_without_gain_have_no_error(run):
    assert np.isnan(run(groups([1, 1]), gain=0.0).err).all()
    assert np.isinf(run(groups([1, 2]), gain=0.0).err).all()


def test_dq_is_that_of_the_pixels(run):
    assert (run(groups([1, 2]), pixeldq=1024).dq == 1024).all()


@pytest.mark.parametrize("missing", ["gain", "readnoise"])
def test_no_reference(run, missing):
    with pytest.raises(Skip, match=missing):
        run(groups([1, 2]), missing=missing)


@pytest.mark.parametrize(
    ("data", "exp_type", "text"),
    [
        (groups([1, 2]), "FGS_IMAGE", "FGS_IMAGE is not a guider exposure"),
        (groups([1]), "FGS_ACQ1", "NGROUPS = 1"),
        (groups([1, 2]), "FGS_ID-STACK", "NINTS = 1"),
    ],
)
def test_exposures_that_cannot_be_used(run, data, exp_type, text):
    with pytest.raises(InputError, match=text):
        run(data, exp_type)


def test_inputs_do_not_change(ramp_of, reference_of, bytes_of):
    ramp = ramp_of(groups([9, 3]), instrument="FGS", exp_type="FGS_TRACK")
    refs = {name: reference_of(name, np.ones((2, 3))) for name in ("gain", "readnoise")}
    before = bytes_of(ramp, *refs.values())
    guider_cds(ramp, refs, GuiderCdsParams(), Tiles(threads=1))
    assert bytes_of(ramp, *refs.values()) == before
