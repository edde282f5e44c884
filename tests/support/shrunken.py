"""A small detector, for tests of the simulator."""

from __future__ import annotations

from dataclasses import replace

from jwcal_interactive.simulate.detectors import Detector


def shrunken(detector: Detector) -> Detector:
    """The same detector with 128 x 128 pixels; its small subarray has 64 x 48."""
    full, small = detector.subarrays[:2]
    return replace(
        detector,
        nx=128,
        ny=128,
        snowball_rate=0.0,
        subarrays=(
            replace(full, xsize=128, ysize=128, dark_frames=6),
            replace(small, xstart=33, ystart=41, xsize=64, ysize=48, dark_frames=6),
        ),
    )
