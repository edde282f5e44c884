"""When each integration and group of an exposure was read, and where the observatory was."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from astropy import constants, units
from astropy.coordinates import get_body_barycentric_posvel
from astropy.time import Time
from numpy.typing import NDArray

from jwcal_interactive.simulate.pointing import direction
from jwcal_interactive.simulate.spec import ExposureSpec

__all__ = ["Ephemeris", "Timeline"]

_DAY = 86400.0
_L2_DISTANCE = 1.5e6  # km from the Earth, away from the Sun
_LIGHT = constants.c.to_value(units.km / units.s)


@dataclass(frozen=True)
class Ephemeris:
    """Position and velocity of the observatory, taken to sit at the L2 point; km and km/s."""

    position: NDArray[np.float64]
    velocity: NDArray[np.float64]
    from_earth: NDArray[np.float64]
    from_sun: NDArray[np.float64]

    @classmethod
    def at(cls, mjd: float) -> Ephemeris:
        """Evaluate for a time (MJD, UTC)."""
        time = Time(mjd, format="mjd", scale="utc")
        earth, earth_speed = (
            vector.xyz for vector in get_body_barycentric_posvel("earth", time, ephemeris="builtin")
        )
        sun = get_body_barycentric_posvel("sun", time, ephemeris="builtin")[0].xyz
        earth, sun = earth.to_value(units.km), sun.to_value(units.km)
        outwards = (earth - sun) / np.linalg.norm(earth - sun)
        from_earth = _L2_DISTANCE * outwards
        stretch = 1 + _L2_DISTANCE / np.linalg.norm(earth - sun)
        return cls(
            position=earth + from_earth,
            velocity=earth_speed.to_value(units.km / units.s) * stretch,
            from_earth=from_earth,
            from_sun=earth + from_earth - sun,
        )


@dataclass(frozen=True)
class Timeline:
    """Times of an exposure; MJD in UTC unless said otherwise, durations in s.

    Each integration is one frame of reset and then its reads without a pause; EXPSTART is the start
    of the first reset, as in flight products.
    """

    spec: ExposureSpec

    @cached_property
    def start(self) -> float:
        """EXPSTART."""
        return float(Time(self.spec.date, scale="utc").mjd)

    @property
    def integration_time(self) -> float:
        """EFFINTTM: from the end of the reset to the end of the last read."""
        frames = self.spec.read_pattern.frames_in_integration(self.spec.ngroups)
        return self.spec.frame_time * frames

    @property
    def exposure_time(self) -> float:
        """EFFEXPTM: all integrations without the resets."""
        return round(self.integration_time * self.spec.nints, 3)

    @property
    def duration(self) -> float:
        """DURATION: with the resets between integrations, without the first one."""
        resets = self.spec.frame_time * (self.spec.nints - 1)
        return round(self.integration_time * self.spec.nints + resets, 3)

    @property
    def end(self) -> float:
        """EXPEND."""
        return float(self.integration_bounds[1][-1])

    @property
    def middle(self) -> float:
        """EXPMID."""
        return (self.start + self.end) / 2

    @property
    def integration_bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Start (end of the reset) and end of each integration."""
        step = self.spec.frame_time + self.integration_time
        numbers = np.arange(self.spec.nints, dtype=np.float64)
        begin = self.start + (self.spec.frame_time + step * numbers) / _DAY
        return begin, begin + self.integration_time / _DAY

    @property
    def group_ends(self) -> NDArray[np.float64]:
        """End of the last averaged frame of each group, shape (nints, ngroups)."""
        pattern = self.spec.read_pattern
        frames = np.arange(self.spec.ngroups) * pattern.frames_per_group + pattern.nframes
        begin = self.integration_bounds[0]
        return begin[:, None] + frames[None, :] * self.spec.frame_time / _DAY

    @cached_property
    def ephemeris(self) -> Ephemeris:
        """Where the observatory was in the middle of the exposure."""
        return Ephemeris.at(self.middle)

    @property
    def barycentric_delay(self) -> float:
        """Barycentric TDB minus UTC at the observatory, s, by the target's direction."""
        return self._delay(self.ephemeris.position)

    @property
    def heliocentric_delay(self) -> float:
        """The same at the centre of the Sun, s."""
        return self._delay(self.ephemeris.from_sun)

    def _delay(self, position: NDArray[np.float64]) -> float:
        """Light travel time from the observatory's wave front, and the step from UTC to TDB."""
        time = Time(self.middle, format="mjd", scale="utc")
        clocks = (time.tdb.mjd - time.utc.mjd) * _DAY
        return float(position @ direction(self.spec.ra, self.spec.dec) / _LIGHT + clocks)

    @property
    def radial_velocity(self) -> float:
        """Velocity of the observatory towards the target, m/s."""
        towards = direction(self.spec.ra, self.spec.dec)
        return float(self.ephemeris.velocity @ towards) * 1e3
