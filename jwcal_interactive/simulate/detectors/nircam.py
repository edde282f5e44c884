"""The detectors of NIRCam.

Numbers are typical of the flight hardware (JWST User Documentation, "NIRCam Detectors"; apertures from the
Science Instrument Aperture File), not a reproduction of one device.
"""

from __future__ import annotations

from jwcal_interactive.simulate.detectors.description import Aperture, Detector, Subarray
from jwcal_interactive.simulate.detectors.electronics import FOUR_OUTPUTS, ONE_OUTPUT

__all__ = ["NIRCAM"]

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
            noise=FOUR_OUTPUTS,
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
            noise=ONE_OUTPUT,
            bias_offset=35.0,
            dark_frames=60,
        ),
        Subarray(
            name="SUBGRISM256",
            xstart=1,
            ystart=1,
            xsize=2048,
            ysize=256,
            noutputs=4,
            frame_time=1.34669,
            aperture=Aperture(
                "NRCA5_GRISM256_F322W2",
                v2_ref=50.646750,
                v3_ref=-556.575593,
                v3_ideal_y_angle=0.24336066,
                x_sci_ref=1581.0,
                y_sci_ref=35.0,
                x_sci_scale=0.06382378,
                y_sci_scale=0.06439018,
            ),
            noise=FOUR_OUTPUTS,
            bias_offset=-20.0,
            dark_frames=10,
        ),
    ),
)

_NRCB1 = Detector(
    instrument="NIRCAM",
    name="NRCB1",
    module="B",
    channel="SHORT",
    sca_num=486,
    fastaxis=1,
    slowaxis=-2,
    seed=486,
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
                "NRCB1_FULL",
                v2_ref=-122.427986,
                v3_ref=-457.706754,
                v3_ideal_y_angle=0.34481904,
                x_sci_ref=1024.5,
                y_sci_ref=1024.5,
                x_sci_scale=0.03069878,
                y_sci_scale=0.03079350,
            ),
            noise=FOUR_OUTPUTS,
            dark_frames=6,
        ),
    ),
    gain=2.05,
    flat_scatter=0.01,
    read_noise=6.1,
    dark=0.002,
    full_well=105000.0,
)

NIRCAM = (_NRCALONG, _NRCB1)
