"""What only the official package knows of the scene on the detector: NIRSpec slits, fluxes of time series.

The official steps take their references from CRDS as they are wont to (CRDS_PATH, CRDS_CONTEXT), and an MSA
metadata file from the current folder.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Rates
from jwcal_interactive.errors import InputError, Skip
from jwcal_interactive.io.atomic import Together
from jwcal_interactive.io.products import products_of, write_product

__all__ = ["NothingOnDetector", "nirspec_regions", "time_series_flux"]


class NothingOnDetector(Skip):
    """No spectrum falls on this detector."""


def nirspec_regions(rates: Rates) -> NDArray[np.bool_]:
    """Pixels of NIRSpec slits and slices, of the fixed slits, and behind failed-open shutters.

    Parameters
    ----------
    rates : Rates
        Draft of the count rates.

    Returns
    -------
    bool (ny, nx)

    Raises
    ------
    InputError
        If the official package is not installed.
    NothingOnDetector
        If there are none.
    Skip
        If it cannot find the regions, with its reason.
    """
    scene = _official("clean_flicker_noise.clean_flicker_noise", rates)
    util = _official("assign_wcs.util", rates)
    shutters = rates.exposure.exp_type in ("NRS_IFU", "NRS_MSASPEC")
    model = _model(rates, "rate")
    model.data = np.ones_like(model.data)  # a pixel without a value is no science region
    try:
        model = scene.post_process_rate(model, assign_wcs=True, msaflagopen=shutters)
    except util.NoDataOnDetectorError as error:
        raise NothingOnDetector(f"no slit or slice falls on this detector: {error}") from error
    except util.MSAFileError as error:
        raise Skip(f"the slits cannot be found on the detector: {error}") from error
    background: NDArray[np.bool_] = scene.create_mask(model, mask_science_regions=True, n_sigma=0)
    return ~background


def time_series_flux(rates: Rates, draft: F32) -> tuple[NDArray[np.floating], F32 | None]:
    """Flux of each integration of a time series, and the sky of each.

    Parameters
    ----------
    rates : Rates
        Draft of the count rates.
    draft : float32 (nints, ny, nx)
        Those to measure, DN/s; divided by the flat, if there is one.

    Returns
    -------
    flux : float (nints,)
        In units of its median.
    sky : float32 (nints, ny, nx) or None
        DN/s, NIRISS SOSS only.

    Raises
    ------
    InputError
        If the official package is not installed.
    Skip
        If it finds no flux, with its reason.
    """
    scene = _official("clean_flicker_noise.clean_flicker_noise", rates)
    series = _official("clean_flicker_noise.tso_median_image", rates)
    model = _model(rates, "rateints")
    model.data = draft
    try:
        if rates.exposure.exp_type == "NIS_SOSS":
            return _soss_flux(series, model)
        model = scene.post_process_rate(model, assign_wcs=True)
        # The scaled median of ones is the scale.
        ones = series.datamodels.RampModel(np.ones((len(draft), 1, 1, 1), np.float32))
        ones.update(model)
        return series.make_median_image(ones, model)[:, 0, 0, 0], None
    except ValueError as error:
        raise Skip(f"the flux of the integrations cannot be measured: {error}") from error


def _soss_flux(series: Any, model: Any) -> tuple[NDArray[np.floating], F32]:
    without_sky = series.BackgroundStep().run(model)
    spectra = series._soss_box_extract(without_sky)
    flux = series.WhiteLightStep().run(spectra)["whitelight_flux"].value
    return flux / np.nanmedian(flux), np.asarray(model.data - without_sky.data, np.float32)


def _official(module: str, rates: Rates) -> Any:
    """Import a module of the official package."""
    import importlib

    try:
        return importlib.import_module(f"jwst.{module}")
    except ImportError as error:
        raise InputError(
            f"{rates.exposure.filename}: for EXP_TYPE {rates.exposure.exp_type} this needs the official "
            f"package, which cannot be imported ({error}). Install it: pip install "
            "'jwcal-interactive[official]', or set mask_science_regions=False and background_method=median."
        ) from error


def _model(rates: Rates, suffix: str) -> Any:
    """Official data model of a product, with all metadata of the exposure."""
    from stdatamodels.jwst import datamodels

    product = next(p for p in products_of(rates) if p.content.suffix == suffix)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"draft_{suffix}.fits"
        with Together() as files:
            write_product(product, rates, path, {}, (), files)
        with datamodels.open(path) as model:
            return model.copy()
