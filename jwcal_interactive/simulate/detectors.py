"""Descriptions of detectors and their subarrays: every number of the physical model, as data.

Adding an instrument means adding rows here. Numbers are typical of the flight hardware (JWST User
Documentation, "NIRCam Detectors"; aperture values from the Science Instrument Aperture File), not
a reproduction of one device.
"""

from __future__ import annotations

from dataclasses import dataclass

from jwcal_interactive.errors import ParameterError

__all__ = ["DETECTORS", "Aperture", "Detector", "ReadoutNoise", "Subarray", "detector_named"]


@dataclass(frozen=True)
class Aperture:
    """Where a subarray points: its row in the Science Instrument Aperture File.

    ``v2_ref`` and ``v3_ref`` in arcsec, ``v3_ideal_y_angle`` in deg, reference pixel 1-indexed in
    the science frame, scales in arcsec per pixel.
    """

    name: str
    v2_ref: float
    v3_ref: float
    v3_ideal_y_angle: float
    x_sci_ref: float
    y_sci_ref: float
    x_sci_scale: float
    y_sci_scale: float
    vparity: int = -1


@dataclass(frozen=True)
class ReadoutNoise:
    """Noise that the readout electronics add to every frame; DN, rms of a single frame.

    Attributes
    ----------
    one_over_f : float
        Striping along the fast axis, with a power spectrum proportional to 1/f.
    shared_fraction : float
        Share of the 1/f variance that is common to all amplifiers.
    amplifier_offset, odd_even_offset : float
        Offset of each amplifier, and of its odd against its even columns, new in every frame.
    row_drift : float
        Slow drift along the rows, common to all amplifiers and to the side reference pixels.
    """

    one_over_f: float
    shared_fraction: float
    amplifier_offset: float
    odd_even_offset: float
    row_drift: float


@dataclass(frozen=True)
class Subarray:
    """A readout region: geometry (science frame, 1-indexed), timing, and its electronics.

    ``frame_time`` (TFRAME) in s; ``bias_offset`` in DN, added to the full-frame bias.
    """

    name: str
    xstart: int
    ystart: int
    xsize: int
    ysize: int
    noutputs: int
    frame_time: float
    aperture: Aperture
    noise: ReadoutNoise
    bias_offset: float = 0.0
    dark_frames: int = 20

    @property
    def window(self) -> tuple[slice, slice]:
        """(rows, columns) of the subarray in a full science frame."""
        return (
            slice(self.ystart - 1, self.ystart - 1 + self.ysize),
            slice(self.xstart - 1, self.xstart - 1 + self.xsize),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(ysize, xsize)."""
        return self.ysize, self.xsize


@dataclass(frozen=True)
class Detector:
    """A detector: what it is called, how it is read, and its physics.

    Attributes
    ----------
    fastaxis, slowaxis : int
        Readout directions in the science frame (FASTAXIS, SLOWAXIS).
    border : int
        Width of the frame of reference pixels, pixels.
    gain : float
        e-/DN; ``gain_scatter`` is its relative pixel-to-pixel rms, likewise for the others.
    read_noise : float
        White noise of one read, DN.
    bias, bias_scatter : float
        Level and pixel-to-pixel rms of the bias, DN.
    ktc_noise : float
        Pixel-to-pixel rms of the level after each reset, DN.
    dark : float
        Dark current, e-/s; ``hot_dark`` that of the hot pixels.
    full_well : float
        Charge at which a pixel takes no more, e-.
    linearity : tuple of float
        b, c, d of the correction ``linear = x (1 + b x + c x^2 + d x^3)`` with x in DN.
    ipc_edge, ipc_corner : float
        Fraction of a pixel's signal seen by each edge and corner neighbour.
    cosmic_ray_rate : float
        Hits per pixel and second; ``snowball_rate`` those of the large, saturating events.
    seed : int
        Seed of the pixel maps.
    """

    instrument: str
    name: str
    module: str
    channel: str
    sca_num: int
    fastaxis: int
    slowaxis: int
    seed: int
    subarrays: tuple[Subarray, ...]
    nx: int = 2048
    ny: int = 2048
    border: int = 4
    sample_time_us: float = 10.0
    gain: float = 1.82
    gain_scatter: float = 0.01
    read_noise: float = 5.2
    read_noise_scatter: float = 0.05
    bias: float = 11500.0
    bias_scatter: float = 180.0
    ktc_noise: float = 20.0
    dark: float = 0.03
    dark_scatter: float = 0.15
    hot_dark: float = 20.0
    full_well: float = 83000.0
    full_well_scatter: float = 0.02
    linearity: tuple[float, float, float] = (6e-7, 1e-11, 1e-16)
    linearity_scatter: float = 0.03
    ipc_edge: float = 0.0055
    ipc_corner: float = 0.0005
    cosmic_ray_rate: float = 1.6e-5
    snowball_rate: float = 1.2e-8

    def subarray(self, name: str) -> Subarray:
        """Look a subarray up.

        Raises
        ------
        ParameterError
            If the detector has no such subarray; the message lists those it has.
        """
        for subarray in self.subarrays:
            if subarray.name == name:
                return subarray
        raise ParameterError(
            f"subarray={name!r}: not described for {self.name}; "
            f"allowed: {', '.join(s.name for s in self.subarrays) or 'none yet'}."
        )


_FOUR_OUTPUTS = ReadoutNoise(
    one_over_f=1.0,
    shared_fraction=0.6,
    amplifier_offset=3.0,
    odd_even_offset=0.8,
    row_drift=2.0,
)
# A subarray away from the edges has no reference pixels: what drifts there stays in the slopes.
# So the drift of a single output over the shorter frame is small, or no calibration could be exact.
_ONE_OUTPUT = ReadoutNoise(
    one_over_f=1.0,
    shared_fraction=1.0,
    amplifier_offset=0.03,
    odd_even_offset=0.01,
    row_drift=0.0,
)

_NRCALONG = Detector(
    instrument="NIRCAM",
    name="NRCALONG",
    module="A",
    channel="LONG",
    sca_num=485,
    fastaxis=-1,
    slowaxis=2,
    seed=485,
    subarrays=(
        Subarray(
            name="FULL",
            xstart=1,
            ystart=1,
            xsize=2048,
            ysize=2048,
            noutputs=4,
            frame_time=10.73677,
            aperture=Aperture(
                "NRCA5_FULL",
                v2_ref=85.877630,
                v3_ref=-493.586939,
                v3_ideal_y_angle=-0.07436148,
                x_sci_ref=1024.5,
                y_sci_ref=1024.5,
                x_sci_scale=0.06275556,
                y_sci_scale=0.06306145,
            ),
            noise=_FOUR_OUTPUTS,
        ),
        Subarray(
            name="SUB640",
            xstart=705,
            ystart=705,
            xsize=640,
            ysize=640,
            noutputs=1,
            frame_time=4.18584,
            aperture=Aperture(
                "NRCA5_SUB640",
                v2_ref=85.877630,
                v3_ref=-493.586939,
                v3_ideal_y_angle=-0.07436148,
                x_sci_ref=320.5,
                y_sci_ref=320.5,
                x_sci_scale=0.06275556,
                y_sci_scale=0.06306145,
            ),
            noise=_ONE_OUTPUT,
            bias_offset=35.0,
            dark_frames=60,
        ),
    ),
)

# The guiders are described for their reference files only: flight exposures of them exist.
_GUIDERS = tuple(
    Detector(
        instrument="FGS",
        name=name,
        module="",
        channel="",
        sca_num=sca_num,
        fastaxis=fastaxis,
        slowaxis=slowaxis,
        seed=sca_num,
        subarrays=(),
        gain=1.78,
        read_noise=7.5,
        bias=10500.0,
    )
    for name, sca_num, fastaxis, slowaxis in (("GUIDER1", 497, -2, -1), ("GUIDER2", 498, 2, -1))
)

DETECTORS: dict[str, Detector] = {d.name: d for d in (_NRCALONG, *_GUIDERS)}


def detector_named(instrument: str, name: str) -> Detector:
    """Look a detector up.

    Raises
    ------
    ParameterError
        If it is not described; the message lists those of the instrument.
    """
    known = [d.name for d in DETECTORS.values() if d.instrument == instrument and d.subarrays]
    if name not in known:
        raise ParameterError(
            f"detector={name!r}: not described for {instrument}; allowed: {', '.join(known) or 'none yet'}."
        )
    return DETECTORS[name]
