"""The detectors of the Fine Guidance Sensor.

Numbers are typical of the flight hardware (apertures from the Science Instrument Aperture File), not a
reproduction of one device.
"""

from __future__ import annotations

from jwcal_interactive.simulate.detectors.description import Aperture, Detector, Subarray
from jwcal_interactive.simulate.detectors.electronics import FOUR_OUTPUTS

__all__ = ["FGS"]


def _guider(name: str, sca_num: int, fastaxis: int, slowaxis: int, aperture: Aperture) -> Detector:
    return Detector(
        instrument="FGS",
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
            ),
        ),
        gain=1.78,
        flat_scatter=0.01,
        read_noise=7.5,
        bias=10500.0,
        inverse_linearity=False,
    )


FGS = (
    _guider(
        "GUIDER1",
        sca_num=497,
        fastaxis=-2,
        slowaxis=-1,
        aperture=Aperture("FGS1_FULL", 206.407, -697.765, -1.24120427, 1024.5, 1024.5, 0.06839158, 0.06993081),
    ),
    _guider(
        "GUIDER2",
        sca_num=498,
        fastaxis=2,
        slowaxis=-1,
        aperture=Aperture("FGS2_FULL", 22.865, -699.28, 0.29148280, 1024.5, 1024.5, 0.06787747, 0.06976441),
    ),
)
