"""Products: opened by stdatamodels without a warning, with all metadata of the raw file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_exposure
from astropy.io import fits
from stdatamodels.jwst import datamodels

from jwcal_interactive import Rates, Session, calibrate, open_session
from jwcal_interactive.arrays import Card
from jwcal_interactive.io.products import product_path, products_of
from jwcal_interactive.io.raw import read_ramp
from jwcal_interactive.version import CAL_VER

STEM = "jw00042001001_02101_00001_nrcalong"
MODELS = {"rate": "ImageModel", "rateints": "CubeModel", "ramp": "RampModel"}


@pytest.fixture(scope="module")
def session(tiny_template: Path, tiny_cache: Path) -> Iterator[Session]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRDS_PATH", str(tiny_cache))
        patch.setenv("CRDS_CONTEXT", tiny_exposure.CONTEXT)
        patch.setenv("CRDS_SERVER_URL", "http://127.0.0.1:9")
        session = open_session(tiny_template)
        session.set("jump", rejection_threshold=5.5)
        session.run()
        yield session


@pytest.fixture(scope="module")
def products(
    session: Session, tiny_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("products")
    done = calibrate(
        tiny_template,
        output_dir=folder,
        params={"jump": {"rejection_threshold": 5.5}},
        save_calibrated_ramp=True,
    )
    return {p.stem.rpartition("_")[2]: p for p in done.products}


def test_files(products: dict[str, Path]) -> None:
    assert {k: p.name for k, p in products.items()} == {k: f"{STEM}_{k}.fits" for k in MODELS}


@pytest.mark.parametrize("kind", MODELS)
def test_opened_by_stdatamodels(kind: str, products: dict[str, Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with datamodels.open(products[kind]) as model:
            assert type(model).__name__ == MODELS[kind]
            model.validate()


@pytest.mark.parametrize("kind", MODELS)
def test_file_is_standard(kind: str, products: dict[str, Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(products[kind]) as hdus:
            hdus.verify("exception")
            for hdu in hdus:
                assert hdu.header.get("EXTVER", 1) == 1


def test_arrays(products: dict[str, Path], session: Session) -> None:
    state = session.result("gain_scale")
    with datamodels.open(products["rate"]) as rate, datamodels.open(products["rateints"]) as ints:
        for model, slopes in ((rate, state.rate), (ints, state.rateints)):
            for name, array in (
                ("data", slopes.data), ("err", slopes.err), ("dq", slopes.dq),
                ("var_poisson", slopes.var_poisson), ("var_rnoise", slopes.var_rnoise),
            ):  # fmt: skip
                np.testing.assert_array_equal(getattr(model, name), array)
        assert rate.data.shape == (64, 64)
        assert ints.data.shape == (2, 64, 64)
        assert len(ints.int_times) == 2
    assert np.isfinite(state.rate.data).any()


@pytest.mark.parametrize("kind", MODELS)
def test_every_keyword_of_the_raw_file_is_kept(
    kind: str, products: dict[str, Path], tiny_template: Path
) -> None:
    changed = {"DATE", "FILENAME", "DATAMODL"}
    layout = {"NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "NAXIS4", "BITPIX", "BZERO", "BSCALE", "BUNIT"}
    with fits.open(tiny_template) as raw, fits.open(products[kind]) as product:
        for hdu in ("PRIMARY", "SCI"):
            old, new = raw[hdu].header, product[hdu].header
            for keyword in set(old) - changed - layout - {"COMMENT", "HISTORY", ""}:
                assert new[keyword] == old[keyword], keyword
                assert new.comments[keyword] == old.comments[keyword], keyword
            assert list(new.get("COMMENT", [])) == list(old.get("COMMENT", []))
        assert product[0].header["FILENAME"] == products[kind].name
        assert product[0].header["DATAMODL"] == MODELS[kind]


def flat(model: Any) -> dict[str, Any]:
    return {k: v for k, v in model.to_flat_dict(include_arrays=False).items() if k.startswith("meta.")}


@pytest.mark.parametrize("kind", MODELS)
def test_every_metadata_of_the_raw_file_is_kept(
    kind: str, products: dict[str, Path], tiny_template: Path
) -> None:
    with datamodels.open(tiny_template) as raw, datamodels.open(products[kind]) as product:
        before, after = flat(raw), flat(product)
    assert "meta.only_in_asdf.number" in before
    changed = {"meta.date", "meta.filename", "meta.model_type"}
    assert {k: v for k, v in before.items() if k not in changed} == {
        k: after.get(k) for k in before if k not in changed
    }
    new = {k.split(".")[1] for k in set(after) - set(before)}
    assert new <= {
        "cal_step", "ref_file", "bunit_data", "bunit_err", "calibration_software_version",
        "calibration_software_revision", "cosmic_rays", "exposure",
    }  # fmt: skip


def test_how_it_was_made(products: dict[str, Path]) -> None:
    with datamodels.open(products["rate"]) as model:
        meta = model.meta
        assert meta.calibration_software_version == CAL_VER
        assert meta.ref_file.crds.context_used == tiny_exposure.CONTEXT
        assert meta.ref_file.gain.name == "crds://jwst_nircam_gain_0001.fits"
        assert meta.cal_step.jump == "COMPLETE"
        assert meta.cal_step.persistence == "SKIPPED"
        assert meta.cal_step.gain_scale == "SKIPPED"
        assert (meta.bunit_data, meta.bunit_err) == ("DN/s", "DN/s")
    text = "\n".join(fits.getheader(products["rate"])["HISTORY"])
    assert "jump.rejection_threshold = 5.5 (user)" in text
    assert "gain: jwst_nircam_gain_0001.fits " in text


def test_the_same_but_for_the_date(session: Session, tmp_path: Path) -> None:
    one, two = session.write(tmp_path / "a"), session.write(tmp_path / "b")
    for first, second in zip(one, two, strict=True):
        with fits.open(first) as a, fits.open(second) as b:
            assert fits.FITSDiff(a, b, ignore_keywords=["DATE"], ignore_hdus=["ASDF"]).identical


@pytest.mark.parametrize(
    ("params", "suffix", "model", "extension"),
    [
        ({"save_opt": True}, "fitopt", "RampFitOutputModel", "SIGSLOPE"),
        ({"save_opt": True, "algorithm": "LIKELY", "opt_name": "mine"}, "likely_chisq", "ImageModel", "SCI"),
    ],
)
def test_optional_products_of_the_fit(
    tiny_template: Path, tiny_context: Path, tmp_path: Path, params: dict[str, Any], suffix: str, model: str,
    extension: str,
) -> None:  # fmt: skip
    done = calibrate(tiny_template, output_dir=tmp_path, params={"ramp_fit": params})
    path = tmp_path / f"{params.get('opt_name', STEM)}_{suffix}.fits"
    assert path in done.products
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with datamodels.open(path) as product:
            assert type(product).__name__ == model
            product.validate()
    with fits.open(path) as hdus:
        assert np.isfinite(hdus[extension].data).any()


@pytest.mark.parametrize(
    ("exp_type", "opmode", "model"),
    [
        ("MIR_MRS", None, "IFUImageModel"),
        ("NRS_IFU", None, "IFUImageModel"),
        ("NRS_LAMP", "IFU", "IFUImageModel"),
        ("NRS_AUTOWAVE", "IFU", "IFUImageModel"),
        ("NRS_LAMP", "IMAGE", "ImageModel"),
        ("NRS_MSASPEC", "MSASPEC", "ImageModel"),
    ],
)
def test_rates_of_integral_field_units(session: Session, exp_type: str, opmode: str | None, model: str) -> None:
    """They have a data model of their own; their integrations do not."""
    state = session.result("gain_scale")
    assert isinstance(state, Rates)
    exposure = replace(state.exposure, exp_type=exp_type, primary=(Card("OPMODE", opmode, ""),))
    rate, rateints = products_of(state.with_(exposure=exposure))
    assert (rate.content.model, rateints.content.model) == (model, "CubeModel")


def test_existing_products_are_replaced(session: Session, tmp_path: Path) -> None:
    (tmp_path / f"{STEM}_rate.fits").write_text("older")
    session.write(tmp_path)
    assert fits.getdata(tmp_path / f"{STEM}_rate.fits").shape == (64, 64)
    assert len(list(tmp_path.iterdir())) == 2


def test_ramp_round_trip(products: dict[str, Path], session: Session) -> None:
    again, before = read_ramp(products["ramp"]), session.result("jump")
    for name in ("data", "groupdq", "pixeldq"):
        np.testing.assert_array_equal(getattr(again, name), getattr(before, name))
    assert again.exposure.ngroups == 5
    assert again.exposure.meta["only_in_asdf"] == {"names": ["a", "b"], "number": 2.5}


def test_continue_from_the_ramp(products: dict[str, Path], session: Session, tmp_path: Path) -> None:
    """Fitting the ramp product gives what the whole pipeline gave, and keeps its record."""
    done = calibrate(products["ramp"], "ramp_fit", output_dir=tmp_path)
    assert [p.name for p in done.products] == [f"{STEM}_rate.fits", f"{STEM}_rateints.fits"]
    with fits.open(done.products[0]) as ours, fits.open(products["rate"]) as whole:
        for name in ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE"):
            np.testing.assert_array_equal(ours[name].data, whole[name].data)
        assert ours[0].header["S_JUMP"] == "COMPLETE"
        assert ours[0].header["R_DARK"] == whole[0].header["R_DARK"]
        assert ours[0].header["S_RAMP"] == "COMPLETE"


@pytest.mark.parametrize(("step", "keyword"), [("jump", "crds://"), ("gain_scale", "mine.fits")])
def test_keyword_of_an_override(
    step: str, keyword: str, tiny_template: Path, tiny_context: Path, tmp_path: Path
) -> None:
    """R_* names the reference of the last step that uses the type, as officially; HISTORY names all."""
    mine = tiny_exposure.write_reference(tmp_path, "gain", name="mine.fits")
    overrides = {step: {"gain": str(mine)}, "dark_current": {"dark": "N/A"}}
    done = calibrate(tiny_template, output_dir=tmp_path, overrides=overrides)
    header = fits.getheader(done.products[0])
    assert header["R_GAIN"].startswith(keyword)
    assert f"{step}.gain: mine.fits" in "\n".join(header["HISTORY"])
    assert header["R_DARK"] == "N/A"
    assert header["S_DARK"] == "SKIPPED"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jw1_nrca1_uncal.fits", "jw1_nrca1_rate.fits"),
        ("jw1_nrca1_uncal.fits.gz", "jw1_nrca1_rate.fits"),
        ("jw1_nrca1_ramp.fits", "jw1_nrca1_rate.fits"),
        ("jw1_nrca1_jump.fits", "jw1_nrca1_rate.fits"),
        ("jw1_nrca1_dark_current.fits", "jw1_nrca1_rate.fits"),
        ("jw1_nrca1.fits", "jw1_nrca1_rate.fits"),
        ("uncal.fits", "uncal_rate.fits"),
        ("my.data_uncal.fits", "my.data_rate.fits"),
        ("/some/where/x_uncal.fits", "x_rate.fits"),
    ],
)
def test_names(name: str, expected: str, tmp_path: Path) -> None:
    assert product_path(name, "rate", tmp_path) == tmp_path / expected
