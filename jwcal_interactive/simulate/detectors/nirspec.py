"""The detectors of NIRSpec, in the traditional readout and with interleaved reference pixels (IRS2).

Numbers are typical of the flight hardware (JWST User Documentation, "NIRSpec Detectors"; apertures from the
Science Instrument Aperture File), not a reproduction of one device.
"""

from __future__ import annotations

from jwcal_interactive.simulate.detectors.description import (
    Aperture,
    Detector,
    ReadoutNoise,
    Subarray,
)
from jwcal_interactive.simulate.detectors.electronics import FOUR_OUTPUTS, ONE_OUTPUT

__all__ = ["NIRSPEC"]

_TRADITIONAL = ("NRSRAPID", "NRS")
_IRS2 = ("NRSIRS2RAPID", "NRSIRS2")
# Interleaved reference pixels see the drift of the whole frame: it may be larger than elsewhere.
_INTERLEAVED = ReadoutNoise(
    one_over_f=5.0,
    shared_fraction=0.7,
    amplifier_offset=3.0,
    odd_even_offset=0.0,
    row_drift=0.0,
)


def _detector(name: str, sca_num: int, axes: tuple[int, int], aperture: Aperture) -> Detector:
    fastaxis, slowaxis = axes
    return Detector(
        instrument="NIRSPEC",
        name=name,
        module="",
        channel="",
        sca_num=sca_num,
        fastaxis=fastaxis,
        slowaxis=slowaxis,
        seed=sca_num,
        subarrays=(
            Subarray(
                name="FULL",
                xstart=1,
                ystart=1,
                xsize=2048,
                ysize=2048,
                noutputs=4,
                frame_time=10.73677,
                aperture=aperture,
                noise=FOUR_OUTPUTS,
                dark_frames=6,
                readpatts=_TRADITIONAL,
            ),
            Subarray(
                name="FULL",
                xstart=1,
                ystart=1,
                xsize=2048,
                ysize=2048,
                noutputs=5,
                frame_time=14.58889,
                aperture=aperture,
                noise=_INTERLEAVED,
                dark_frames=6,
                readpatts=_IRS2,
                irs2=True,
            ),
            Subarray(
                name="SUB512",
                xstart=897,
                ystart=1009,
                xsize=512,
                ysize=32,
                noutputs=1,
                frame_time=0.22606,
                aperture=aperture,
                noise=ONE_OUTPUT,
                bias_offset=25.0,
                dark_frames=30,
                readpatts=_TRADITIONAL,
            ),
        ),
        gain=1.05,
        flat_scatter=0.01,
        read_noise=5.5,
        bias=9800.0,
        dark=0.01,
        full_well=60000.0,
    )


NIRSPEC = (
    _detector(
        "NRS1",
        sca_num=491,
        axes=(2, 1),
        aperture=Aperture(
            "NRS1_FULL", 293.311116, -503.318962, 139.22822295, 1024.5, 1024.5, 0.10326890, 0.10538684
        ),
    ),
    _detector(
        "NRS2",
        sca_num=492,
        axes=(-2, -1),
        aperture=Aperture(
            "NRS2_FULL", 462.677405, -353.896260, 137.79594243, 1024.5, 1024.5, 0.10331909, 0.10542421
        ),
    ),
)
