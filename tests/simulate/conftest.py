"""A small detector for fast tests, and the embedded CRDS cache for the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from shrunken import shrunken

from jwcal_interactive.references.client import demo_cache_root
from jwcal_interactive.simulate import DemoCache, build_demo_cache
from jwcal_interactive.simulate.detectors import DETECTORS, Detector


@pytest.fixture
def small_detector(monkeypatch: pytest.MonkeyPatch) -> Detector:
    """Put the shrunken NRCALONG in the table of detectors, for one test."""
    detector = shrunken(DETECTORS["NRCALONG"])
    monkeypatch.setitem(DETECTORS, "NRCALONG", detector)
    return detector


@pytest.fixture(scope="session")
def demo_cache() -> DemoCache:
    return build_demo_cache(demo_cache_root())


@pytest.fixture(scope="session")
def flight_headers() -> list[Path]:
    """Level-1b files of flight NIRCam exposures that come with the jwst package (headers only)."""
    jwst = pytest.importorskip("jwst", reason="flight headers are in the jwst package (extra `test`)")
    folder = Path(jwst.__file__).parent / "associations/tests/data/exposures"
    return sorted(folder.glob("*_nrca?_uncal.fits"))
