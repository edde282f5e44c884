"""Sky positions from the WCS keywords of an exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jwcal_interactive.arrays import Exposure, Value

__all__ = ["SkyFrame", "sky_frame"]

# What a spectrograph disperses has no place on the sky that two coordinates of the detector would tell.
_DISPERSED = ("GRISM", "WFSS", "SOSS", "LRS", "MRS", "MSASPEC", "FIXEDSLIT", "IFU", "BRIGHTOBJ", "TSGRISM")


@dataclass(frozen=True)
class SkyFrame:
    """A tangent projection without distortion.

    Attributes
    ----------
    reference : (float, float)
        RA and Dec of the reference pixel, deg.
    pixel : (float, float)
        The reference pixel, in the array, from 0.
    matrix : ((float, float), (float, float))
        From pixels to projected degrees east and north.
    """

    reference: tuple[float, float]
    pixel: tuple[float, float]
    matrix: tuple[tuple[float, float], tuple[float, float]]

    def position(self, x: float, y: float) -> tuple[float, float]:
        """RA and Dec of a pixel (from 0), deg: the gnomonic projection of Calabretta & Greisen (2002)."""
        offset = np.array([x, y]) - self.pixel
        xi, eta = np.radians(np.array(self.matrix) @ offset)
        ra0, dec0 = np.radians(self.reference)
        across = np.cos(dec0) - eta * np.sin(dec0)
        ra = ra0 + np.arctan2(xi, across)
        dec = np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, across))
        return float(np.degrees(ra) % 360.0), float(np.degrees(dec))

    @property
    def north(self) -> float:
        """Direction of north in the image, deg from +y towards -x."""
        east_north = np.linalg.solve(np.array(self.matrix), np.array([0.0, 1.0]))
        return float(np.degrees(np.arctan2(-east_north[0], east_north[1])))


def _number(value: Value) -> float | None:
    if isinstance(value, (bool, str)) or value is None:
        return None
    return float(value)


def sky_frame(exposure: Exposure) -> SkyFrame | None:
    """Read the WCS keywords of the file.

    Returns
    -------
    SkyFrame or None
        None without a complete tangent projection, and for dispersed light. Raw files have no distortion
        in their keywords, so that positions are approximate: off by some arcseconds at the edges.
    """
    if any(word in exposure.exp_type for word in _DISPERSED):
        return None
    if (exposure.keyword("CTYPE1"), exposure.keyword("CTYPE2")) != ("RA---TAN", "DEC--TAN"):
        return None
    names = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2")
    found = [_number(exposure.keyword(name)) for name in names]
    matrix = _matrix(exposure)
    if matrix is None or any(value is None or not np.isfinite(value) for value in found):
        return None
    ra, dec, x, y = (float(value) for value in found if value is not None)
    return SkyFrame((ra, dec), (x - 1.0, y - 1.0), matrix)


def _matrix(exposure: Exposure) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """CD matrix, or CDELT times PC; None if it is missing or singular."""
    cd = [_number(exposure.keyword(f"CD{i}_{j}")) for i in (1, 2) for j in (1, 2)]
    if all(value is None for value in cd):
        scale = [_number(exposure.keyword(f"CDELT{i}")) for i in (1, 2)]
        pc = [_number(exposure.keyword(f"PC{i}_{j}")) for i in (1, 2) for j in (1, 2)]
        if any(value is None for value in (*scale, *pc)):
            return None
        cd = [float(scale[n // 2] or 0.0) * float(value or 0.0) for n, value in enumerate(pc)]
    (a, b), (c, d) = ([float(value or 0.0) for value in row] for row in (cd[:2], cd[2:]))
    singular = not np.isfinite([a, b, c, d]).all() or a * d == b * c
    return None if singular else ((a, b), (c, d))
