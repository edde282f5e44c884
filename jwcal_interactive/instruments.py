"""What is known of each instrument before any file is read: its detectors and guider exposure types."""

from __future__ import annotations

__all__ = ["DETECTORS", "GUIDER_EXP_TYPES"]

DETECTORS: dict[str, tuple[str, ...]] = {
    "FGS": ("GUIDER1", "GUIDER2"),
    "MIRI": ("MIRIMAGE", "MIRIFULONG", "MIRIFUSHORT"),
    "NIRCAM": (
        "NRCA1",
        "NRCA2",
        "NRCA3",
        "NRCA4",
        "NRCALONG",
        "NRCB1",
        "NRCB2",
        "NRCB3",
        "NRCB4",
        "NRCBLONG",
    ),
    "NIRISS": ("NIS",),
    "NIRSPEC": ("NRS1", "NRS2"),
}

# Exposure types that calwebb_guider takes; their raw files hold guider tables and a 2-D DQ.
GUIDER_EXP_TYPES = frozenset(
    {
        "FGS_ID-IMAGE",
        "FGS_ID-STACK",
        "FGS_ACQ1",
        "FGS_ACQ2",
        "FGS_TRACK",
        "FGS_FINEGUIDE",
    }
)
