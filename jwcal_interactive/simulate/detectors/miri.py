"""The detectors of MIRI: the imager and the two of the medium-resolution spectrometer.

Numbers are typical of the flight hardware (JWST User Documentation, "MIRI Detector Overview" and "MIRI Detector
Readout Fast/Slow"; apertures from the Science Instrument Aperture File), not a reproduction of one device.
"""

from __future__ import annotations

from jwcal_interactive.simulate.detectors.description import (
    Aperture,
    Detector,
    MidInfrared,
    ReadoutNoise,
    Subarray,
)

__all__ = ["MIRI"]

_CLOCK = 1e-5  # s
_FULL_FRAME = ReadoutNoise(
    one_over_f=0.4,
    shared_fraction=0.5,
    amplifier_offset=2.0,
    odd_even_offset=0.8,
    row_drift=0.0,
)
# Subarrays are not corrected by reference pixels: what drifts there stays in the slopes.
_SUBARRAY = ReadoutNoise(
    one_over_f=0.4,
    shared_fraction=0.5,
    amplifier_offset=0.03,
    odd_even_offset=0.01,
    row_drift=0.0,
)


def _frame_time(rows: int, row_clocks: int) -> float:
    """TFRAME, s: the rows of the subarray at full length, the others skipped in 7 clocks each."""
    return round((rows * row_clocks + (1024 - rows) * 7) * _CLOCK, 5)


def _full(aperture: Aperture, readpatt: str, row_clocks: int, nsamples: int) -> Subarray:
    return Subarray(
        name="FULL",
        xstart=1,
        ystart=1,
        xsize=1032,
        ysize=1024,
        noutputs=4,
        frame_time=_frame_time(1024, row_clocks),
        aperture=aperture,
        noise=_FULL_FRAME,
        dark_frames=6,
        readpatts=(readpatt,),
        nsamples=nsamples,
        row_clocks=row_clocks,
    )


def _full_frames(aperture: Aperture) -> tuple[Subarray, Subarray]:
    return _full(aperture, "FASTR1", 271, 1), _full(aperture, "SLOWR1", 2333, 9)


def _part(corner: tuple[int, int], size: tuple[int, int], row_clocks: int, aperture: Aperture) -> Subarray:
    return Subarray(
        name=aperture.name.removeprefix("MIRIM_"),
        xstart=corner[0],
        ystart=corner[1],
        xsize=size[0],
        ysize=size[1],
        noutputs=4,
        frame_time=_frame_time(size[1], row_clocks),
        aperture=aperture,
        noise=_SUBARRAY,
        bias_offset=60.0,
        dark_frames=10,
        readpatts=("FASTR1",),
        row_clocks=row_clocks,
    )


_IMAGER = Aperture("MIRIM_FULL", -453.378490, -373.810549, 4.83544897, 693.5, 512.5, 0.11049812, 0.11133593)
_PARTS = (
    _part(
        (413, 51),
        (256, 256),
        96,
        Aperture("MIRIM_SUB256", -439.670145, -412.090499, 4.83544897, 128.5, 128.5, 0.11086, 0.11007152),
    ),
    _part(
        (1, 779),
        (72, 64),
        28,
        Aperture("MIRIM_SUB64", -378.788727, -346.931379, 4.83544897, 38.5, 32.5, 0.1098525, 0.11042994),
    ),
    _part(
        (1, 529),
        (72, 416),
        28,
        Aperture(
            "MIRIM_SLITLESSPRISM", -378.630313, -344.895045, 4.83544897, 38.5, 301.0, 0.10983718, 0.11037921
        ),
    ),
)


def _detector(name: str, sca_num: int, channel: str, subarrays: tuple[Subarray, ...]) -> Detector:
    return Detector(
        instrument="MIRI",
        name=name,
        module="",
        channel=channel,
        sca_num=sca_num,
        fastaxis=1,
        slowaxis=2,
        seed=sca_num,
        subarrays=subarrays,
        nx=1032,
        ny=1024,
        reference_rows=0,
        gain=4.0,
        flat_scatter=0.01,
        read_noise=4.5,
        bias=9000.0,
        bias_scatter=150.0,
        ktc_noise=5.0,
        dark=0.15,
        hot_dark=60.0,
        full_well=190000.0,
        inverse_linearity=False,
        ipc_edge=0.012,
        ipc_corner=0.0008,
        snowball_rate=0.0,
        shower_rate=2e-9,
        mid_infrared=MidInfrared(),
    )


MIRI = (
    _detector("MIRIMAGE", 493, "", (*_full_frames(_IMAGER), *_PARTS)),
    _detector(
        "MIRIFULONG",
        494,
        "34",
        _full_frames(Aperture("MIRIFU_CHANNEL3A", -504.0324, -319.0009, 0.0, 516.5, 512.5, 0.245, 0.245)),
    ),
    _detector(
        "MIRIFUSHORT",
        495,
        "12",
        _full_frames(Aperture("MIRIFU_CHANNEL1A", -503.378, -318.9992, 0.0, 516.5, 512.5, 0.196, 0.196)),
    ),
)
