"""The detector of NIRISS.

Numbers are typical of the flight hardware (JWST User Documentation, "NIRISS Detector Overview"; apertures
from the Science Instrument Aperture File), not a reproduction of one device.
"""

from __future__ import annotations

from jwcal_interactive.simulate.detectors.description import Aperture, Detector, Subarray
from jwcal_interactive.simulate.detectors.electronics import FOUR_OUTPUTS, ONE_OUTPUT

__all__ = ["NIRISS"]

_NIS = Detector(
    instrument="NIRISS",
    name="NIS",
    module="",
    channel="",
    sca_num=496,
    fastaxis=-2,
    slowaxis=-1,
    seed=496,
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
                "NIS_CEN",
                v2_ref=-291.141,
                v3_ref=-698.015,
                v3_ideal_y_angle=0.56126717,
                x_sci_ref=1024.5,
                y_sci_ref=1024.5,
                x_sci_scale=0.06532494,
                y_sci_scale=0.06581494,
            ),
            noise=FOUR_OUTPUTS,
            dark_frames=6,
        ),
        Subarray(
            name="SUBSTRIP256",
            xstart=1,
            ystart=1793,
            xsize=2048,
            ysize=256,
            noutputs=1,
            frame_time=5.494,
            aperture=Aperture(
                "NIS_SUBSTRIP256",
                v2_ref=-351.786079,
                v3_ref=-686.173172,
                v3_ideal_y_angle=0.56126717,
                x_sci_ref=1980.0,
                y_sci_ref=258.0,
                x_sci_scale=0.06525472,
                y_sci_scale=0.06577458,
            ),
            noise=ONE_OUTPUT,
            bias_offset=40.0,
            dark_frames=10,
        ),
        Subarray(
            name="SUB80",
            xstart=1045,
            ystart=1,
            xsize=80,
            ysize=80,
            noutputs=1,
            frame_time=0.07544,
            aperture=Aperture(
                "NIS_AMI1",
                v2_ref=-296.056739,
                v3_ref=-762.627999,
                v3_ideal_y_angle=0.56126717,
                x_sci_ref=46.0,
                y_sci_ref=41.0,
                x_sci_scale=0.06532556,
                y_sci_scale=0.06572261,
            ),
            noise=ONE_OUTPUT,
            bias_offset=15.0,
            dark_frames=30,
        ),
    ),
    gain=1.61,
    flat_scatter=0.01,
    read_noise=6.0,
    bias=11900.0,
    dark=0.02,
    full_well=100000.0,
    inverse_linearity=False,
)

NIRISS = (_NIS,)
