"""What describes a detector and its subarrays: every number of the physical model, as data."""

from __future__ import annotations

from dataclasses import dataclass

from jwcal_interactive.errors import ParameterError

__all__ = ["Aperture", "Detector", "MidInfrared", "ReadoutNoise", "Subarray"]


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
        Offset of each amplifier, and of its odd against its even columns (mid-infrared: rows), new in
        every frame.
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
    """A readout region in one readout mode: geometry (science frame, 1-indexed), timing, electronics.

    Attributes
    ----------
    frame_time : float
        TFRAME, s.
    bias_offset : float
        DN, added to the full-frame bias.
    dark_frames : int
        Length of the dark reference, frames.
    readpatts : tuple of str
        READPATT values of this readout mode; empty: all of the instrument.
    nsamples : int
        Samples of a pixel in a frame (NSAMPLES).
    row_clocks : int
        Mid-infrared: pixel clocks from the start of a row to the start of the next.
    irs2 : bool
        Whether reference pixels are interleaved (NIRSpec improved reference sampling and subtraction).
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
    readpatts: tuple[str, ...] = ()
    nsamples: int = 1
    row_clocks: int = 0
    irs2: bool = False

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
class MidInfrared:
    """What is peculiar to the Si:As detectors of MIRI (JWST User Documentation, "MIRI Detector Performance").

    Attributes
    ----------
    reset_anomaly : tuple of float
        DN in the first frame, of the first and of later integrations; it falls to 0 as a parabola over
        ``reset_frames`` frames.
    first_frame : float
        DN added to the first frame of each integration.
    last_frame_loss : float
        Share of the signal that odd rows lose in the last frame, when their neighbours are reset.
    rscd : float
        Memory of the reset: share of the signal at the end of an integration that the next one lacks at
        first, with an e-folding time of ``rscd_frames`` frames.
    rscd_skip : tuple of int
        Groups that it, and the first frame's effect, spoil: in the first and in later integrations.
    dark_settling : tuple of float
        DN by which the dark of the first and of later integrations rises over its first
        ``settling_frames`` frames, beside its constant rate.
    emi : mapping of str to float, as pairs
        Amplitude of the electromagnetic interference, DN, by the name of its frequency.
    """

    reset_anomaly: tuple[float, float] = (60.0, 90.0)
    reset_frames: int = 6
    first_frame: float = -35.0
    last_frame_loss: float = 0.03
    rscd: float = -0.02
    rscd_frames: float = 0.6
    rscd_skip: tuple[int, int] = (1, 4)
    dark_settling: tuple[float, float] = (2.0, -1.0)
    settling_frames: int = 4
    emi: tuple[tuple[str, float], ...] = (("Hz390", 1.5), ("Hz10", 1.0))


@dataclass(frozen=True)
class Detector:
    """A detector: what it is called, how it is read, and its physics.

    Attributes
    ----------
    fastaxis, slowaxis : int
        Readout directions in the science frame (FASTAXIS, SLOWAXIS).
    reference_rows, reference_columns : int
        Width of the border of reference pixels below and above, left and right, pixels.
    gain : float
        e-/DN; ``gain_scatter`` is its relative pixel-to-pixel rms, likewise for the others.
    read_noise : float
        White noise of one read, DN.
    bias, bias_scatter : float
        Level and pixel-to-pixel rms of the bias, DN.
    ktc_noise : float
        Pixel-to-pixel rms of the level after each reset, DN.
    flat_scatter : float
        Pixel-to-pixel rms of the response to light.
    dark : float
        Dark current, e-/s; ``hot_dark`` that of the hot pixels.
    full_well : float
        Charge at which a pixel takes no more, e-.
    linearity : tuple of float
        b, c, d of the correction ``linear = x (1 + b x + c x^2 + d x^3)`` with x in DN.
    inverse_linearity : bool
        Whether the linearity reference has inverse coefficients.
    ipc_edge, ipc_corner : float
        Fraction of a pixel's signal seen by each edge and corner neighbour.
    cosmic_ray_rate : float
        Hits per pixel and second; ``snowball_rate`` those of the large, saturating events,
        ``shower_rate`` those of the large, diffuse ones.
    mid_infrared : MidInfrared, optional
        Makes it a Si:As detector of MIRI; otherwise it is a HAWAII-2RG.
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
    reference_rows: int = 4
    reference_columns: int = 4
    sample_time_us: float = 10.0
    gain: float = 1.82
    gain_scatter: float = 0.01
    read_noise: float = 5.2
    read_noise_scatter: float = 0.05
    bias: float = 11500.0
    bias_scatter: float = 180.0
    ktc_noise: float = 20.0
    flat_scatter: float = 0.0
    dark: float = 0.03
    dark_scatter: float = 0.15
    hot_dark: float = 20.0
    full_well: float = 83000.0
    full_well_scatter: float = 0.02
    linearity: tuple[float, float, float] = (6e-7, 1e-11, 1e-16)
    linearity_scatter: float = 0.03
    inverse_linearity: bool = True
    ipc_edge: float = 0.0055
    ipc_corner: float = 0.0005
    cosmic_ray_rate: float = 1.6e-5
    snowball_rate: float = 1.2e-8
    shower_rate: float = 0.0
    mid_infrared: MidInfrared | None = None

    @property
    def light_window(self) -> tuple[slice, slice]:
        """(rows, columns) inside the border of reference pixels."""
        return (
            slice(self.reference_rows, self.ny - self.reference_rows),
            slice(self.reference_columns, self.nx - self.reference_columns),
        )

    def subarray(self, name: str, readpatt: str) -> Subarray:
        """Look a subarray up in the readout mode of a read pattern.

        Raises
        ------
        ParameterError
            If the detector has no such subarray, or not with this pattern; the message lists what it has.
        """
        named = [s for s in self.subarrays if s.name == name]
        for subarray in named:
            if not subarray.readpatts or readpatt in subarray.readpatts:
                return subarray
        if named:
            allowed = ", ".join(p for s in named for p in s.readpatts)
            raise ParameterError(
                f"readpatt={readpatt!r}: not described for subarray {name} of {self.name}; allowed: {allowed}."
            )
        known = ", ".join(dict.fromkeys(s.name for s in self.subarrays))
        raise ParameterError(
            f"subarray={name!r}: not described for {self.name}; allowed: {known or 'none yet'}."
        )
