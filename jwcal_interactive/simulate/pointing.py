"""Where an aperture looks on the sky: attitude, WCS keywords, footprint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jwcal_interactive.simulate.detectors import Aperture

__all__ = ["Pointing", "direction"]

Vector = NDArray[np.float64]


def direction(longitude: float, latitude: float) -> Vector:
    """Return the unit vector towards a longitude and latitude, deg."""
    lon, lat = np.radians([longitude, latitude])
    return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _tangent_axes(longitude: float, latitude: float) -> tuple[Vector, Vector]:
    """East and north unit vectors at a point of the sphere."""
    lon, lat = np.radians([longitude, latitude])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    return east, north


@dataclass(frozen=True)
class Pointing:
    """An aperture's reference point at (ra, dec), with V3 at position angle ``roll`` there; deg."""

    aperture: Aperture
    ra: float
    dec: float
    roll: float

    @property
    def aperture_pa(self) -> float:
        """Position angle of the aperture's ideal y axis (PA_APER), deg."""
        return (self.roll + self.aperture.v3_ideal_y_angle) % 360

    def boresight(self) -> tuple[float, float, float]:
        """RA and Dec of the telescope axis V1, and position angle of V3 there; deg.

        The telescope frame is found from two known directions: the reference point, and the
        direction of growing V3 at that point, both in telescope and in sky coordinates.
        """
        v2, v3 = self.aperture.v2_ref / 3600, self.aperture.v3_ref / 3600
        telescope = self._triad(direction(v2, v3), _tangent_axes(v2, v3)[1])
        east, north = _tangent_axes(self.ra, self.dec)
        angle = np.radians(self.roll)
        towards_v3 = north * np.cos(angle) + east * np.sin(angle)
        sky = self._triad(direction(self.ra, self.dec), towards_v3)
        attitude = sky @ telescope.T

        v1_axis, v3_axis = attitude[:, 0], attitude[:, 2]
        ra_v1 = float(np.degrees(np.arctan2(v1_axis[1], v1_axis[0]))) % 360
        dec_v1 = float(np.degrees(np.arcsin(v1_axis[2])))
        east, north = _tangent_axes(ra_v1, dec_v1)
        pa_v3 = float(np.degrees(np.arctan2(v3_axis @ east, v3_axis @ north))) % 360
        return ra_v1, dec_v1, pa_v3

    @staticmethod
    def _triad(first: Vector, second: Vector) -> NDArray[np.float64]:
        return np.column_stack([first, second, np.cross(first, second)])

    def rotation(self) -> tuple[float, float, float, float]:
        """PC1_1, PC1_2, PC2_1, PC2_2 of the tangent projection."""
        angle = np.radians(self.aperture_pa)
        cos, sin, parity = float(np.cos(angle)), float(np.sin(angle)), self.aperture.vparity
        return parity * cos, sin, -parity * sin, cos

    def sky(self, x: float, y: float) -> tuple[float, float]:
        """RA and Dec of a pixel (1-indexed, science frame) by the undistorted projection; deg."""
        pc11, pc12, pc21, pc22 = self.rotation()
        dx = (x - self.aperture.x_sci_ref) * self.aperture.x_sci_scale / 3600
        dy = (y - self.aperture.y_sci_ref) * self.aperture.y_sci_scale / 3600
        xi, eta = np.radians([pc11 * dx + pc12 * dy, pc21 * dx + pc22 * dy])
        east, north = _tangent_axes(self.ra, self.dec)
        point = direction(self.ra, self.dec) + xi * east + eta * north
        point /= np.linalg.norm(point)
        ra = float(np.degrees(np.arctan2(point[1], point[0]))) % 360
        return ra, float(np.degrees(np.arcsin(point[2])))

    def footprint(self, xsize: int, ysize: int) -> str:
        """S_REGION of an image of the given size, from its four corners."""
        corners = ((0.5, 0.5), (0.5, ysize + 0.5), (xsize + 0.5, ysize + 0.5), (xsize + 0.5, 0.5))
        points = (f"{ra:.9f} {dec:.9f}" for ra, dec in (self.sky(x, y) for x, y in corners))
        return "POLYGON ICRS  " + " ".join(points)
