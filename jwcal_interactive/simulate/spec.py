"""What exposure to simulate."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.simulate.cosmic_rays import ParticleRates
from jwcal_interactive.simulate.detectors import Detector, Subarray, detector_named
from jwcal_interactive.simulate.optics import OPTICS
from jwcal_interactive.simulate.readpatterns import ReadPattern, read_pattern
from jwcal_interactive.simulate.scene import Scene

__all__ = ["ExposureSpec"]

_USUAL = "usual"  # stands for the default of the instrument until that is known
_ELEMENTS = ("filter", "pupil", "grating", "band")


@dataclass(frozen=True)
class ExposureSpec:
    """An exposure as an observer plans it; every field has a default.

    Attributes
    ----------
    instrument, detector, subarray, readpatt, filter, pupil, grating, band, exp_type : str
        Official keyword values (INSTRUME, DETECTOR, SUBARRAY, READPATT, FILTER, PUPIL, GRATING, BAND,
        EXP_TYPE); those that are not given follow from the instrument and the detector (an image, or an IFU
        exposure). Empty for a filter, pupil, grating or band that the exposure does not have.
    ngroups, nints : int
        Groups per integration and integrations.
    frame_divisor : int, optional
        What the sum of the frames of a group is divided by on board (FRMDIVSR); their number, if not given.
    seed : int
        Seed of the sky, the noise and the cosmic rays. The detector has a seed of its own.
    date : str
        Start of the exposure, UTC, ISO 8601.
    program, observation, visit, visit_group, sequence, activity, exposure : str
        Parts of the official file name.
    ra, dec, roll : float
        Where the aperture's reference point looks, ICRS, and V3 position angle there; deg.
    scene : Scene
        The sky.
    cosmic_rays : bool
        Whether particles hit the detector.
    snowball_rate, shower_rate : float, optional
        Large saturating and large diffuse events per pixel and second, instead of the detector's rates.
    emi : float
        Strength of MIRI's electromagnetic interference, in units of the usual one.
    picture_frame : float
        Strength of the thermal glow along the edges that the pictureframe reference of NIRSpec describes.

    Raises
    ------
    ParameterError
        If a value is unknown, out of range, or not one of this instrument.
    """

    instrument: str = "NIRCAM"
    detector: str = _USUAL
    subarray: str = "FULL"
    readpatt: str = _USUAL
    filter: str = _USUAL
    pupil: str = _USUAL
    grating: str = _USUAL
    band: str = _USUAL
    exp_type: str = _USUAL
    ngroups: int = 10
    nints: int = 1
    frame_divisor: int | None = None
    seed: int = 1
    date: str = "2024-03-15T08:30:00.000"
    program: str = "99001"
    observation: str = "001"
    visit: str = "001"
    visit_group: str = "02"
    sequence: str = "1"
    activity: str = "01"
    exposure: str = "00001"
    ra: float = 53.1625
    dec: float = -27.7914
    roll: float = 40.0
    scene: Scene = field(default_factory=Scene)
    cosmic_rays: bool = True
    snowball_rate: float | None = None
    shower_rate: float | None = None
    emi: float = 1.0
    picture_frame: float = 0.0

    def __post_init__(self) -> None:
        self._complete()
        read_pattern(self.instrument, self.readpatt)
        self.detector_description.subarray(self.subarray, self.readpatt)
        counts = {"ngroups": self.ngroups, "nints": self.nints, "frame_divisor": self.divisor}
        for name, value in counts.items():
            if value < 1:
                raise ParameterError(f"{name}={value}: must be at least 1.")
        for name in ("snowball_rate", "shower_rate", "emi", "picture_frame"):
            number = getattr(self, name)
            if number is not None and not 0 <= number < float("inf"):
                raise ParameterError(f"{name}={number}: must be 0 or a positive number.")
        if not -90 <= self.dec <= 90:
            raise ParameterError(f"dec={self.dec}: must be between -90 and 90 deg.")
        try:
            dt.datetime.fromisoformat(self.date)
        except ValueError:
            raise ParameterError(
                f"date={self.date!r}: must be ISO 8601, such as 2024-03-15T08:30:00."
            ) from None
        for name, width in _NAME_PARTS.items():
            text = getattr(self, name)
            if len(text) != width or not text.isalnum():
                raise ParameterError(f"{name}={text!r}: must be {width} letters or digits.")

    def _complete(self) -> None:
        """Put in what follows from the instrument, and refuse what belongs to another."""
        optics = OPTICS.get(self.instrument)
        if optics is None:
            raise ParameterError(f"instrument={self.instrument!r}: must be one of {', '.join(OPTICS)}.")
        for name in ("detector", "readpatt", *_ELEMENTS, "exp_type"):
            if getattr(self, name) == _USUAL:
                object.__setattr__(self, name, optics.default(name, self.detector))
        for name in _ELEMENTS:
            value, allowed = getattr(self, name), optics.allowed.get(name, ())
            if value and value not in allowed:
                raise ParameterError(
                    f"{name}={value!r}: {self.instrument} has no such {name}; "
                    f"allowed: {', '.join(allowed) or 'none (leave it empty)'}."
                )
        if not self.exp_type.startswith(optics.exp_types):
            raise ParameterError(
                f"exp_type={self.exp_type!r}: those of {self.instrument} begin with {optics.exp_types}, "
                f"such as {optics.usual['exp_type']}."
            )

    @property
    def detector_description(self) -> Detector:
        """The detector's row of the table."""
        return detector_named(self.instrument, self.detector)

    @property
    def subarray_description(self) -> Subarray:
        """The subarray's row of the table."""
        return self.detector_description.subarray(self.subarray, self.readpatt)

    @property
    def read_pattern(self) -> ReadPattern:
        """The read pattern's row of the table."""
        return read_pattern(self.instrument, self.readpatt)

    @property
    def divisor(self) -> int:
        """FRMDIVSR."""
        return self.read_pattern.nframes if self.frame_divisor is None else self.frame_divisor

    @property
    def particle_rates(self) -> ParticleRates:
        """The detector's rates of particles, or those that were asked for."""
        detector = self.detector_description
        return ParticleRates(
            detector.cosmic_ray_rate,
            detector.snowball_rate if self.snowball_rate is None else self.snowball_rate,
            detector.shower_rate if self.shower_rate is None else self.shower_rate,
            detector.full_well,
        )

    @property
    def frame_time(self) -> float:
        """TFRAME, s."""
        return self.subarray_description.frame_time

    @property
    def group_time(self) -> float:
        """TGROUP: from the start of a group to the start of the next, s."""
        return self.frame_time * self.read_pattern.frames_per_group

    @property
    def rootname(self) -> str:
        """Official file name without suffix and extension."""
        return (
            f"jw{self.program}{self.observation}{self.visit}"
            f"_{self.visit_group}{self.sequence}{self.activity}"
            f"_{self.exposure}_{self.detector.lower()}"
        )


_NAME_PARTS = {
    "program": 5,
    "observation": 3,
    "visit": 3,
    "visit_group": 2,
    "sequence": 1,
    "activity": 2,
    "exposure": 5,
}
