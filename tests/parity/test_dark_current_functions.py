"""dark_current against the official functions: read patterns, extrapolation, average dark current."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.dark_current import DarkCurrentParams, dark_current
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity


def official(model, dark, average=None):
    from jwst.dark_current.dark_current_step import DarkCurrentStep, dark_output_data_2_ramp_model
    from stcal.dark_current.dark_sub import do_correction

    DarkCurrentStep(average_dark_current=average).set_average_dark_current(model, dark)
    out, _ = do_correction(model, dark)
    return dark_output_data_2_ramp_model(out, model)


@pytest.fixture
def make_dark(make_reference):
    def make(ramp, ngroups, nframes=1, groupgap=0, arrays=None, **keywords):
        rng = np.random.default_rng(ngroups)
        rate = rng.exponential(0.3, ramp.pixeldq.shape)
        data = rate * np.arange(ngroups)[:, None, None] + rng.normal(0, 2, (ngroups, *rate.shape))
        return make_reference("dark", data, 7, arrays=arrays, NFRAMES=nframes, GROUPGAP=groupgap, **keywords)

    return make


def same_average(ours, model):
    expected = model.average_dark_current
    ours = ours.average_dark_current
    np.testing.assert_array_equal(np.zeros_like(expected) if ours is None else ours, expected)


@pytest.mark.parametrize(
    ("science", "dark"),
    [
        ((5, 1, 0), (5, 1, 0)), ((5, 1, 0), (9, 1, 0)), ((3, 2, 0), (6, 1, 0)), ((4, 4, 1), (30, 1, 0)),
        ((3, 8, 12), (70, 1, 0)), ((1, 1, 0), (3, 1, 0)), ((3, 1, 2), (9, 1, 0)),
        ((6, 1, 0), (4, 1, 0)), ((4, 4, 1), (10, 1, 0)), ((3, 8, 2), (3, 8, 2)), ((5, 8, 2), (3, 8, 2)),
        ((3, 1, 2), (5, 1, 0)), ((5, 2, 3), (4, 1, 0)),
    ],
)  # fmt: skip
def test_read_patterns(science, dark, make_ramp, make_dark, ramp_model, reference_model, same_ramp):
    ngroups, nframes, groupgap = science
    ramp = make_ramp(50, nints=2, ngroups=ngroups, nframes=nframes, groupgap=groupgap, zero_frame=True)
    ref = make_dark(ramp, *dark, AVDRKCUR=0.01)
    model = official(ramp_model(ramp), reference_model(ref, ramp))
    ours = dark_current(ramp, {"dark": ref}, DarkCurrentParams(), Tiles(band_rows=5))
    assert model.meta.cal_step.dark_sub == "COMPLETE"
    same_ramp(ours, model)
    same_average(ours, model)


@pytest.mark.parametrize("dark", [(5, 2, 0), (9, 1, 1), (2, 2, 0)])
def test_coarser_dark_is_skipped(dark, make_ramp, make_dark, ramp_model, reference_model):
    ramp = make_ramp(51)
    ref = make_dark(ramp, *dark)
    model = official(ramp_model(ramp), reference_model(ref, ramp))
    assert model.meta.cal_step.dark_sub == "SKIPPED"
    with pytest.raises(Skip, match="coarser"):
        dark_current(ramp, {"dark": ref}, DarkCurrentParams(), Tiles())


@pytest.mark.parametrize("parameter", [None, 0.0, 0.05])
@pytest.mark.parametrize("array", [None, 0.0, 0.02])
@pytest.mark.parametrize("keyword", [None, 0.03])
def test_average_dark_current(parameter, array, keyword, make_ramp, make_dark, ramp_model, reference_model):
    ramp = make_ramp(52)
    arrays = {} if array is None else {"AVDRKCUR": np.full(ramp.pixeldq.shape, array)}
    keywords = {} if keyword is None else {"AVDRKCUR": keyword}
    ref = make_dark(ramp, 5, arrays=arrays, **keywords)
    model = official(ramp_model(ramp), reference_model(ref, ramp), parameter)
    ours = dark_current(ramp, {"dark": ref}, DarkCurrentParams(average_dark_current=parameter), Tiles())
    if parameter is None and array:
        # jwst compares the reference's array with one that the ramp does not have yet, and drops it.
        assert model.average_dark_current is None
        np.testing.assert_array_equal(ours.average_dark_current, np.float32(array))
    else:
        same_average(ours, model)


@pytest.fixture
def make_miri_dark(make_reference):
    def make(ramp, nints, ngroups, nframes=1, groupgap=0):
        rng = np.random.default_rng(ngroups)
        rate = rng.exponential(0.3, (nints, 1, *ramp.pixeldq.shape))
        data = rate * np.arange(ngroups)[:, None, None] + rng.normal(0, 2, (nints, ngroups, *rate.shape[2:]))
        return make_reference("dark", data, 7, NFRAMES=nframes, GROUPGAP=groupgap, AVDRKCUR=0.02)

    return make


MIRI = {"instrument": "MIRI", "detector": "MIRIMAGE", "exp_type": "MIR_IMAGE"}


@pytest.mark.parametrize(("nints", "known"), [(1, 1), (1, 3), (3, 1), (4, 2), (3, 3)])
@pytest.mark.parametrize(
    ("science", "dark"), [((5, 1, 0), (5, 1, 0)), ((5, 1, 0), (8, 1, 0)), ((6, 1, 0), (4, 1, 0)),
                          ((3, 4, 1), (16, 1, 0)), ((3, 4, 1), (9, 1, 0))],
)  # fmt: skip
def test_darks_of_each_integration(
    nints, known, science, dark, make_ramp, make_miri_dark, ramp_model, reference_model, same_ramp
):
    ngroups, nframes, groupgap = science
    ramp = make_ramp(53, nints=nints, ngroups=ngroups, nframes=nframes, groupgap=groupgap, **MIRI)
    ref = make_miri_dark(ramp, known, *dark)
    model = official(ramp_model(ramp), reference_model(ref, ramp))
    ours = dark_current(ramp, {"dark": ref}, DarkCurrentParams(), Tiles(band_rows=5))
    same_ramp(ours, model)
    same_average(ours, model)


@pytest.mark.parametrize(("start", "known", "equal"), [(1, 3, True), (3, 3, True), (4, 2, True), (2, 3, False)])
def test_darks_of_a_later_segment(
    start, known, equal, make_ramp, make_miri_dark, ramp_model, reference_model, same_ramp
):
    """jwst takes the last dark for all integrations of later segments, also where the right one is known."""
    ramp = make_ramp(54, nints=2, keywords=[("INTSTART", start), ("INTEND", start + 1)], **MIRI)
    ref = make_miri_dark(ramp, known, 5)
    model = ramp_model(ramp)
    model.meta.exposure.integration_start = start
    model = official(model, reference_model(ref, ramp))
    ours = dark_current(ramp, {"dark": ref}, DarkCurrentParams(), Tiles())
    if equal:
        same_ramp(ours, model)
    else:
        right = np.nan_to_num(ref.data)[[1, 2]]
        np.testing.assert_array_equal(ours.data, ramp.data - right)
        np.testing.assert_array_equal(model.data, ramp.data - right[-1])


@pytest.mark.parametrize("instrument", ["NIRCAM", "MIRI"])
@pytest.mark.parametrize("science", [(5, 1, 0), (3, 4, 1)])
def test_dark_output(
    instrument, science, make_ramp, make_dark, make_miri_dark, ramp_model, reference_model, tmp_path
):
    """The groups that were subtracted; the official product has the rest of the dark, too."""
    from jwst.dark_current.dark_current_step import save_dark_data_as_dark_model
    from stcal.dark_current.dark_sub import do_correction
    from stdatamodels.jwst import datamodels

    ngroups, nframes, groupgap = science
    facts = MIRI if instrument == "MIRI" else {}
    ramp = make_ramp(55, nints=2, ngroups=ngroups, nframes=nframes, groupgap=groupgap, **facts)
    ref = make_miri_dark(ramp, 2, 20) if facts else make_dark(ramp, 20)
    dark = reference_model(ref, ramp)
    _, data = do_correction(ramp_model(ramp), dark, str(tmp_path / "mine.fits"))
    save_dark_data_as_dark_model(data, dark, instrument)
    out = dark_current(ramp, {"dark": ref}, DarkCurrentParams(dark_output="other/mine"), Tiles())
    (product,) = out.side_products
    assert product.file == "mine.fits"
    with datamodels.open(tmp_path / "mine.fits") as model:
        assert type(model).__name__ == product.model
        np.testing.assert_array_equal(product.arrays["SCI"], model.data[..., :ngroups, :, :])
        np.testing.assert_array_equal(product.arrays["DQ"], model.dq)
