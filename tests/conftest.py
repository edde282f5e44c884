"""Fixtures that several parts of the test suite share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jwcal_interactive.demo import kept_exposure
from jwcal_interactive.simulate import ExposureSpec

# Simulated exposures by name; made once and kept in the user's cache folder.
SPECS = {
    "full-rapid": ExposureSpec(),
    "full-bright2": ExposureSpec(readpatt="BRIGHT2", ngroups=6, observation="006", seed=6),
    "sub640-rapid": ExposureSpec(subarray="SUB640", ngroups=8, observation="001"),
    "sub640-rapid-3": ExposureSpec(subarray="SUB640", ngroups=8, nints=3, observation="002"),
    "sub640-bright2": ExposureSpec(
        subarray="SUB640", readpatt="BRIGHT2", ngroups=8, observation="003", seed=3
    ),
    "sub640-bright2-3": ExposureSpec(
        subarray="SUB640", readpatt="BRIGHT2", ngroups=8, nints=3, observation="004", seed=4
    ),
}


@pytest.fixture(scope="session")
def simulated() -> Callable[[str], tuple[Path, Path]]:
    """Raw file and truth file of a simulated exposure, by the name of its specification."""
    return lambda name: kept_exposure(SPECS[name])


@pytest.fixture(scope="session")
def raw_sub640(simulated: Callable[[str], tuple[Path, Path]]) -> Path:
    return simulated("sub640-rapid-3")[0]


@pytest.fixture(scope="session")
def flight_acq1() -> Path:
    """The flight FGS ACQ1 exposure: from JWCAL_TEST_DATA, or from the installed jwst package."""
    name = "jw01019001001_gs-acq1_2022117003102_uncal.fits"
    if folder := os.environ.get("JWCAL_TEST_DATA"):
        found = sorted(Path(folder).rglob(name))
        assert found, f"JWCAL_TEST_DATA = {folder} does not hold {name}"
        return found[0]
    jwst = pytest.importorskip("jwst", reason="the flight exposure is in the jwst package (extra `test`)")
    return Path(jwst.__file__).parent / "lib/tests/data/add_wcs_default_acq1.fits"
