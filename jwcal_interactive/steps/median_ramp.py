"""The median of the integrations of a time series, scaled to the flux of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.arrays import F32, Exposure, Ramp, Rates
from jwcal_interactive.errors import Skip
from jwcal_interactive.steps.flat_image import smooth_over
from jwcal_interactive.steps.readout import frame_time
from jwcal_interactive.tiles import Tiles

__all__ = ["MedianRamp", "median_ramp"]

_SPECTRA = ("NIS_SOSS", "NRS_BRIGHTOBJ", "NRC_TSGRISM")
_IMAGES = ("NRC_TSIMAGE",)


@dataclass(frozen=True)
class MedianRamp:
    """What an exposure would be, were it the same in all integrations but for a factor.

    Attributes
    ----------
    groups : float32 (ngroups, ny, nx)
        Median over integrations of the groups without sky, DN.
    flux : float (nints,)
        Flux of each integration, in units of the median of all.
    sky : float32 (nints, ny, nx) or None
        Count rate of the sky that does not follow the flux, DN/s.
    times : float64 (ngroups,)
        Exposure time of each group for the sky, s.
    """

    groups: F32
    flux: NDArray[np.floating]
    sky: F32 | None
    times: NDArray[np.float64]

    def of(self, integration: int, group: int) -> NDArray[np.floating]:
        """Model of one group, DN, (ny, nx)."""
        scaled: NDArray[np.floating] = self.flux[integration] * self.groups[group]
        if self.sky is None:
            return scaled
        return scaled + self.sky[integration] * float(self.times[group])  # type: ignore[no-any-return]


def median_ramp(ramp: Ramp, rates: Rates, flat: F32 | None, tiles: Tiles) -> MedianRamp:
    """Median of each group over integrations, and the flux of each integration.

    In time-series modes, where a source must be found and its flux summed, flux and sky come from the official
    package. Otherwise the flux is the median of the image.

    Parameters
    ----------
    ramp : Ramp
        Two integrations or more.
    rates : Rates
        Draft of the count rates.
    flat : float32 (ny, nx) or None
        Divides the draft.
    tiles : Tiles

    Raises
    ------
    Skip
        If there is no flux to scale to.
    InputError
        If the official package is needed and not installed.
    """
    exposure, nints = ramp.exposure, ramp.data.shape[0]
    draft = rates.rateints.data if flat is None else rates.rateints.data / flat
    sky = None
    if _is_time_series(exposure, nints):
        from jwcal_interactive.io.official_scene import time_series_flux

        flux, sky = time_series_flux(rates, draft)
        if sky is not None:
            sky = np.stack([_without_holes(plane, tiles) for plane in sky])
    else:
        typical = np.empty(nints, np.float32)
        for i, plane in enumerate(draft):
            tiles.check()
            typical[i] = np.nan if np.isnan(plane).all() else np.nanmedian(plane)
        with np.errstate(divide="ignore", invalid="ignore"):
            flux = typical / _middle(typical)
    known = np.isfinite(flux)
    if not known.any():
        raise Skip("no integration has a flux that the median of all could be scaled to")
    flux[~known] = np.median(flux[known])
    one_group = exposure.nframes + exposure.groupgap
    times = frame_time(exposure) * (
        exposure.nframes + one_group * np.arange(exposure.ngroups, dtype=np.float64)
    )
    return MedianRamp(_medians(ramp.data, sky, times, tiles), flux, sky, times)


def _without_holes(sky: F32, tiles: Tiles) -> F32:
    good = np.isfinite(sky)
    if not good.any():
        raise Skip("the sky of an integration is not known in any pixel")
    return smooth_over(sky, good, tiles)


def _middle(values: NDArray[np.floating]) -> np.floating:
    known = values[~np.isnan(values)]
    return np.median(known) if known.size else np.float32(np.nan)


def _is_time_series(exposure: Exposure, nints: int) -> bool:
    if exposure.exp_type in _SPECTRA + _IMAGES:
        return True
    return exposure.exp_type == "MIR_IMAGE" and exposure.keyword("TSOVISIT") is True and nints > 1


def _medians(data: F32, sky: F32 | None, times: NDArray[np.float64], tiles: Tiles) -> F32:
    """Median over integrations of each group and pixel, NaN left out."""
    nints, ngroups, ny, nx = data.shape
    out = np.empty((ngroups, ny, nx), np.float32)

    def work(y0: int, y1: int) -> None:
        for g in range(ngroups):
            tiles.check()
            values = data[:, g, y0:y1].copy()
            if sky is not None:
                values -= sky[:, y0:y1] * float(times[g])
            values.sort(axis=0)  # NaN last
            count = nints - np.isnan(values).sum(axis=0, keepdims=True)
            low = np.take_along_axis(values, np.maximum(count - 1, 0) // 2, axis=0)
            high = np.take_along_axis(values, np.minimum(count // 2, nints - 1), axis=0)
            out[g, y0:y1] = ((low + high) / np.float32(2))[0]

    tiles.over_rows(ny, work)
    return out
