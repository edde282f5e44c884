"""clean_flicker_noise against the official code, on random ramps with stripes, sources and bad pixels."""

from __future__ import annotations

import numpy as np
import pytest

from jwcal_interactive.arrays import Card, Exposure, Ramp, Reference
from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.clean_flicker_noise import clean_flicker_noise
from jwcal_interactive.tiles import Tiles

pytestmark = pytest.mark.parity

FACTS = {
    "filename": "random_uncal.fits", "instrument": "NIRCAM", "detector": "NRCA1", "exp_type": "NRC_IMAGE",
    "readpatt": "RAPID", "subarray": "SUB64P", "xstart": 1, "ystart": 1, "fastaxis": -1, "slowaxis": 2,
    "nframes": 1, "groupgap": 0, "group_time": 10.73677, "frame_time": 10.73677, "frame_divisor": 1,
    "noutputs": 4, "zero_frame": False, "gain_factor": None,
}  # fmt: skip
NIRSPEC = {
    "instrument": "NIRSPEC", "detector": "NRS1", "exp_type": "NRS_FIXEDSLIT", "fastaxis": 2, "slowaxis": 1,
    "subarray": "SUB2048",
}  # fmt: skip
NIRISS = {
    "instrument": "NIRISS", "detector": "NIS", "exp_type": "NIS_IMAGE", "fastaxis": -2, "slowaxis": -1,
    "subarray": "SUB64",
}  # fmt: skip
SAVED = ("save_mask", "save_background", "save_noise")
MIRI = {
    "instrument": "MIRI", "detector": "MIRIMAGE", "exp_type": "MIR_IMAGE", "fastaxis": 1, "slowaxis": 2,
    "subarray": "SUB64",
}  # fmt: skip


def striped(seed=0, nints=1, ngroups=4, shape=(64, 96), keywords=(), whole=False, spikes=1e4, **facts):
    """Ramps of sources on an inclined sky with stripes, jumps and bad pixels; gain, read noise and flat."""
    rng = np.random.default_rng(seed)
    exposure = Exposure(
        **(FACTS | {"nints": nints, "ngroups": ngroups, "ysize": shape[0], "xsize": shape[1]} | facts),
        primary=tuple(Card(name, value, "") for name, value in keywords),
    )  # fmt: skip
    y, x = np.mgrid[: shape[0], : shape[1]]
    rate = 2.0 + 0.5 * x / shape[1] + 0.3 * y / shape[0]
    for _ in range(8):
        place, width = rng.random(2) * shape, rng.uniform(1, 3)
        distance = ((y - place[0]) ** 2 + (x - place[1]) ** 2) / width**2
        rate = rate + rng.exponential(100) * np.exp(-distance / 2)
    flux = rng.normal(1, 0.02, nints)
    seconds = exposure.group_time
    signal = np.cumsum(
        rng.poisson(flux[:, None, None, None] * rate * seconds, (nints, ngroups, *shape)), axis=1
    )
    along_x = abs(exposure.slowaxis) == 2
    stripes = rng.normal(0, 6, (nints, ngroups, shape[0] if along_x else shape[1]))
    data = 1000.0 + signal + (stripes[..., None] if along_x else stripes[..., None, :])
    data += rng.normal(0, 5, data.shape)
    groupdq = np.zeros(data.shape, np.uint8)
    hits = rng.random(data.shape) < 0.01
    data += np.cumsum(hits * rng.exponential(500, data.shape), axis=1)
    groupdq[hits] = DQ.JUMP_DET
    if not whole:
        data[rng.random(data.shape) < 0.003] = np.nan
        data[rng.random(data.shape) < 0.002] += spikes
        groupdq[rng.random(data.shape) < 0.01] |= np.uint8(DQ.DO_NOT_USE)
    pixeldq = np.where(rng.random(shape) < 0.02, np.uint32(DQ.DO_NOT_USE), np.uint32(0))
    pixeldq[:4] |= np.uint32(DQ.REFERENCE_PIXEL)
    pixeldq[rng.random(shape) < 0.02] |= np.uint32(DQ.NON_SCIENCE)
    flat = rng.normal(1, 0.03, shape).astype(np.float32)
    if not whole:
        for bad in (np.nan, 0.0):
            flat[rng.random(shape) < 0.01] = bad
    flat_dq = np.where(rng.random(shape) < 0.01, np.uint32(DQ.NON_SCIENCE), np.uint32(0))
    ramp = Ramp(exposure=exposure, data=data.astype(np.float32), groupdq=groupdq, pixeldq=pixeldq)
    images = {"gain": np.full(shape, 1.8), "readnoise": np.full(shape, 9.0), "flat": flat}
    refs = {
        name: Reference(reftype=name, name=f"{name}.fits", data=np.asarray(image, np.float32))
        for name, image in images.items()
    }
    refs["flat"] = Reference(reftype="flat", name="flat.fits", data=flat, dq=flat_dq)
    return ramp, refs


@pytest.fixture
def official(monkeypatch, ramp_model, tmp_path):
    """Run the official correction, with references from memory, and give its products."""
    from jwst.clean_flicker_noise import clean_flicker_noise as module
    from jwst.clean_flicker_noise.clean_flicker_noise_step import CleanFlickerNoiseStep
    from jwst.flatfield.flat_field import do_flat_field
    from jwst.ramp_fitting import RampFitStep
    from stdatamodels.jwst import datamodels

    def run(ramp, refs, **values):
        def place(model):
            model.meta.instrument.name = ramp.exposure.instrument
            subarray = model.meta.subarray
            subarray.xstart = subarray.ystart = 1
            subarray.ysize, subarray.xsize = ramp.data.shape[-2:]
            subarray.fastaxis, subarray.slowaxis = ramp.exposure.fastaxis, ramp.exposure.slowaxis
            return model

        class Fit:
            def run(self, model):
                step = RampFitStep()
                step.override_gain = place(datamodels.GainModel(data=refs["gain"].data.copy()))
                step.override_readnoise = place(datamodels.ReadnoiseModel(data=refs["readnoise"].data.copy()))
                return step.process(model)

        def flat_model():
            flat = refs["flat"]
            return place(datamodels.FlatModel(data=flat.data.copy(), dq=flat.dq.copy()))

        class Flat:
            def run(self, model):
                model = model.copy()
                do_flat_field(model, flat_model())
                return model

        class Unchanged:  # the median of images needs no coordinates
            def run(self, model):
                return model

        monkeypatch.setattr(module, "AssignWcsStep", Unchanged)
        flat_model().save(tmp_path / "flat.fits")
        monkeypatch.setattr(module, "RampFitStep", Fit)
        monkeypatch.setattr(module, "FlatFieldStep", Flat)
        model = place(ramp_model(ramp))
        facts = ramp.exposure
        model.meta.exposure.group_time, model.meta.exposure.frame_time = facts.group_time, facts.frame_time
        model.meta.instrument.pupil_position = facts.keyword("PWCPOS")
        step = CleanFlickerNoiseStep(**values)
        for name in SAVED:  # nothing is written; the products are kept below
            setattr(step, name, False)
        files = {"flat": str(tmp_path / "flat.fits"), "pastasoss": refs.get("pastasoss_file", "N/A")}
        monkeypatch.setattr(step, "get_reference_file", lambda _model, kind: files[kind])
        correct, kept = module.do_correction, []

        def keep(*given, **named):
            kept.extend(correct(*given, **(named | dict.fromkeys(SAVED, True))))
            return kept

        monkeypatch.setattr(module, "do_correction", keep)
        monkeypatch.setattr(module, "make_intermediate_model", lambda _model, data: data)
        with np.errstate(all="ignore"):
            step.process(model)
        monkeypatch.undo()
        return kept

    return run


def compare(official, ramp, refs, tolerance=0.0, **values):
    theirs, mask, background, noise, status = official(ramp, refs, **values)
    assert status == "COMPLETE"
    params = clean_flicker_noise.params(**values, save_mask=True, save_background=True, save_noise=True)
    ours = clean_flicker_noise(ramp, refs, params, Tiles(threads=2))
    products = {product.suffix: product.arrays["SCI"] for product in ours.side_products}
    np.testing.assert_array_equal(products["mask"].astype(bool), np.asarray(mask).astype(bool))
    assert 0.2 < products["mask"].mean() < 1
    assert np.nanstd(products["flicker_noise"]) > 0.5
    close = {"rtol": 2.5e-7, "atol": tolerance}
    np.testing.assert_allclose(ours.data, theirs.data, **close)
    np.testing.assert_allclose(products["flicker_bkg"], background, **close)
    # a difference of two groups: its rounding errors are theirs
    np.testing.assert_allclose(
        products["flicker_noise"], noise, atol=tolerance + 2 * np.spacing(np.float32(2e4))
    )
    return ours


@pytest.mark.parametrize("facts", [{}, {"slowaxis": -2, "fastaxis": 1}, NIRISS, NIRSPEC, MIRI])
def test_orientations(official, facts):
    compare(official, *striped(1, nints=2, **facts))


@pytest.mark.parametrize(
    "values",
    [
        {"background_method": "model"},
        {"background_method": "model", "background_box_size": (20, 17)},
        {"background_method": None},
        {"n_sigma": 0.0},
        {"n_sigma": 3.5},
        {"fit_histogram": True},
        {"single_mask": False},
        {"apply_flat_field": True},
        {"apply_flat_field": True, "background_method": "model", "single_mask": False, "fit_histogram": True},
        {"background_method": "median_image"},
        {"background_method": "median_image", "apply_flat_field": True},
    ],
)
def test_parameters(official, values):
    compare(official, *striped(2, nints=3), **values)


def test_groups_of_a_mode(official):
    compare(official, *striped(3, nints=3, nframes=4, groupgap=1), background_method="median_image")


@pytest.mark.parametrize("exp_type", ["NRC_IMAGE", "NIS_IMAGE"])
@pytest.mark.parametrize(("seed", "whole"), [(4, True), (5, False)])
def test_automatic_parameters(official, exp_type, seed, whole):
    compare(official, *striped(seed, exp_type=exp_type, whole=whole), autoparam=True)


def test_science_regions_of_the_miri_imager(official):
    compare(official, *striped(6, **MIRI), mask_science_regions=True)


@pytest.mark.parametrize("planes", [0, 2])
def test_mask_of_the_user(official, tmp_path, planes):
    from stdatamodels.jwst import datamodels

    ramp, refs = striped(7, nints=2)
    shape = (planes, *ramp.pixeldq.shape) if planes else ramp.pixeldq.shape
    mask = (np.random.default_rng(0).random(shape) < 0.7).astype(np.float32)
    path = tmp_path / "user.fits"
    (datamodels.CubeModel if planes else datamodels.ImageModel)(data=mask).save(path)
    theirs, *_ = official(ramp, refs, user_mask=str(path))
    given = Reference(reftype="user_mask", name="user.fits", data=mask)
    params = clean_flicker_noise.params(user_mask=str(path))
    ours = clean_flicker_noise(ramp, refs | {"user_mask": given}, params, Tiles())
    np.testing.assert_allclose(ours.data, theirs.data, rtol=2.5e-7)


def pastasoss():
    """Tree of a reference with two orders across a subarray of 256 rows."""
    x = np.arange(4.0, 2044.0, 4)
    traces = [
        {"spectral_order": n, "pivot_x": 1500.0, "pivot_y": level,
         "trace": np.stack([x, level + bend * (x / 2048) ** 2], 1)}
        for n, level, bend in ((1, 60.0, 40.0), (2, 150.0, 220.0))
    ]  # fmt: skip
    models = [
        {"coefficients": [2.8, -2.0, 0.01, 0.05, 0.002, -0.001], "scale_extents": [[0.0, -0.2], [2047.0, 0.2]]},
        {"coefficients": [1.4, -0.8, 0.004, 0.02, 0.001, 0.0], "scale_extents": [[0.0, -0.2], [2047.0, 0.2]]},
    ]
    meta = {
        "pwcpos_bounds": [245.5, 246.0], "pwcpos_cmd": 245.76, "wavemap_wlmin": 0.5, "wavemap_wlmax": 5.5,
        "wavemap_nwl": 5001, "soss_xdim": 2048, "soss_ydim": 300, "subarray_ymin": 1792,
    }  # fmt: skip
    return {"meta": meta, "traces": traces, "wavecal_models": models}


@pytest.mark.parametrize("subarray", ["SUBSTRIP256", "SUBSTRIP96"])
@pytest.mark.parametrize("position", [245.76, 245.9])
def test_traces_of_soss(subarray, position):
    from types import SimpleNamespace

    from jwst.extract_1d.soss_extract import pastasoss as module

    from jwcal_interactive.steps.soss_traces import near_traces

    tree, rows = pastasoss(), int(subarray[8:])

    def named(node):
        if isinstance(node, dict):
            return SimpleNamespace(**{key: named(value) for key, value in node.items()})
        return [named(item) for item in node] if isinstance(node, list) else node

    ramp, _ = striped(
        0, shape=(rows, 2048), ngroups=2, keywords=(("PWCPOS", position),), **(NIRISS | {"subarray": subarray})
    )
    ours = near_traces(
        ramp.exposure,
        Reference(reftype="pastasoss", name="p.asdf", data=np.empty((0, 0)), tree=tree),
        (rows, 2048),
    )
    expected = np.zeros((rows, 2048), bool)
    y = np.arange(rows)[:, None]
    model = named(tree)
    grid = np.linspace(0.5, 5.5, 5001)
    for order in (1, 2):
        _, x_at, y_at, wavelength = module._get_soss_traces(model, position, order, subarray)
        x_at, y_at = (module._extrapolate_to_wavegrid(grid, wavelength, q) for q in (x_at, y_at))
        sort = np.argsort(x_at)
        middle = np.interp(np.arange(2048), x_at[sort], y_at[sort])
        expected |= (y >= np.floor(middle - 16)) & (y <= np.ceil(middle + 16))
    np.testing.assert_array_equal(ours, expected)
    assert 0.1 < ours.mean() < 0.9


class Mended:
    """numpy for the official Fourier fits: in double precision, and with kernels that leave an image in place.

    The kernels of the official convolutions are one element off the origin.
    """

    float32, complex64 = np.float64, np.complex128

    def __getattr__(self, name):
        return getattr(np, name)

    class fft:  # noqa: N801
        rfft, irfft, rfft2, irfft2, rfftfreq = (
            np.fft.rfft,
            np.fft.irfft,
            np.fft.rfft2,
            np.fft.irfft2,
            np.fft.rfftfreq,
        )

        @staticmethod
        def ifftshift(kernel):
            return np.roll(np.fft.ifftshift(kernel), (-1,) * kernel.ndim, tuple(range(kernel.ndim)))


@pytest.fixture
def mended(monkeypatch):
    from jwst.clean_flicker_noise import nsclean

    monkeypatch.setattr(nsclean, "np", Mended())


@pytest.mark.parametrize(
    "facts", [{}, {"detector": "NRS2", "fastaxis": -2, "slowaxis": -1}, {"subarray": "ALLSLITS"}]
)
def test_fourier_series_of_subarrays(official, mended, facts):
    # Spikes are rounded to float32 here, not there.
    ramp, refs = striped(8, shape=(256, 96), spikes=200, **(NIRSPEC | facts))
    compare(official, ramp, refs, tolerance=2e-4, fit_method="fft")


def test_fourier_series_of_full_frames(mended):
    """Of one image: the whole step would take a minute."""
    from jwst.clean_flicker_noise.clean_flicker_noise import fft_clean_full_frame

    from jwcal_interactive.kernels.clean_flicker_noise_fft import fit_full_frame

    rng = np.random.default_rng(9)
    image = rng.normal(0, 3, (2048, 2048)).astype(np.float32)
    image += np.cumsum(rng.normal(0, 0.1, (2048, 2048)), axis=0, dtype=np.float32)
    use = rng.random(image.shape) < 0.5
    use[900:1100] = False
    use[:, :950] = use[:, 1200:] = False  # the official code takes a millisecond for each of the others
    theirs = fft_clean_full_frame(image.copy(), use, "NRS2")
    model = fit_full_frame(image.T[::-1], use.T[::-1], lambda: None)
    ours = image - model[::-1].T
    assert np.ptp(model) > 5
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


@pytest.mark.parametrize("along_x", [True, False])
def test_medians_by_channel(along_x):
    from jwst.clean_flicker_noise.clean_flicker_noise import median_clean

    from jwcal_interactive.kernels.clean_flicker_noise import subtract_line_medians

    rng = np.random.default_rng(10)
    shape = (30, 2048) if along_x else (2048, 30)
    image = rng.normal(0, 3, shape).astype(np.float32)
    use = rng.random(shape) < 0.5
    use[:, :9] = use[3] = False
    theirs = median_clean(image, use, 2 if along_x else 1, fit_by_channel=True)
    ours = image.copy()
    subtract_line_medians(ours, use, along_x, 4, np.empty(image.size, np.float32), lambda: None)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("facts", "values"),
    [
        ({"exp_type": "MIR_LRS-FIXEDSLIT", "instrument": "MIRI", "subarray": "SUB64"}, {}),
        ({}, {"fit_method": "fft"}),
        ({}, {"background_method": "median_image"}),
    ],
)
def test_where_it_does_not_apply(official, facts, values):
    ramp, refs = striped(11, **facts)
    assert official(ramp, refs, **values)[-1] == "FAILED"
    with pytest.raises(Skip):
        clean_flicker_noise(ramp, refs, clean_flicker_noise.params(**values), Tiles())
