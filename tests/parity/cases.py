"""The exposures on which both pipelines are compared: every instrument, read-out and optional step."""

from __future__ import annotations

from jwcal_interactive.simulate import ExposureSpec
from tests.parity.lockstep import Case

CASES: tuple[Case, ...] = (
    Case("NIRCam", "FULL RAPID", ExposureSpec()),
    Case("NIRCam", "FULL BRIGHT2", ExposureSpec(readpatt="BRIGHT2", ngroups=6, observation="006", seed=6)),
    Case("NIRCam", "SUB640 RAPID", ExposureSpec(subarray="SUB640", ngroups=8, observation="001")),
    Case(
        "NIRCam", "SUB640 RAPID, 3 ints", ExposureSpec(subarray="SUB640", ngroups=8, nints=3, observation="002")
    ),
    Case(
        "NIRCam",
        "SUB640 BRIGHT2, 3 ints",
        ExposureSpec(subarray="SUB640", readpatt="BRIGHT2", ngroups=8, nints=3, observation="004", seed=4),
    ),
)
