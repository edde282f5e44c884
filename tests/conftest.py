"""Fixtures that several parts of the test suite share."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tiny_exposure

from jwcal_interactive.cli.main import main
from jwcal_interactive.demo import kept_exposure
from jwcal_interactive.simulate import ExposureSpec, Scene

# Simulated exposures by name; made once and kept in the user's cache folder.
SPECS = {
    "full-rapid": ExposureSpec(),
    "full-bright2": ExposureSpec(readpatt="BRIGHT2", ngroups=6, observation="006", seed=6),
    "sub640-rapid": ExposureSpec(subarray="SUB640", ngroups=8, observation="001"),
    "sub640-rapid-3": ExposureSpec(subarray="SUB640", ngroups=8, nints=3, observation="002"),
    "sub640-bright2": ExposureSpec(subarray="SUB640", readpatt="BRIGHT2", ngroups=8, observation="003", seed=3),
    "sub640-bright2-3": ExposureSpec(
        subarray="SUB640", readpatt="BRIGHT2", ngroups=8, nints=3, observation="004", seed=4
    ),
}
# The same under a bright sky, for statistics of slopes (tests/truth says why).
SPECS |= {f"bright-{name}": replace(spec, scene=Scene(background=100.0)) for name, spec in SPECS.items()}


# Folders in which all tests have one marker.
_MARKED = {"parity": "parity", "truth": "truth", "browser": "browser", "notebooks": "notebook"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even read the folders of slow tests where their marker is not wanted."""
    marker = _MARKED.get(collection_path.name)
    if marker is None or collection_path.parent != Path(__file__).parent:
        return None
    return True if f"not {marker}" in config.option.markexpr else None


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


@pytest.fixture(scope="session")
def tiny_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw file of the small exposure; do not change it."""
    return tiny_exposure.write_raw(tmp_path_factory.mktemp("raw") / tiny_exposure.RAW_NAME)


@pytest.fixture
def tiny_raw(tiny_template: Path, tmp_path: Path) -> Path:
    """Copy of the small raw exposure in a folder of its own."""
    folder = tmp_path / "input"
    folder.mkdir()
    return Path(shutil.copy(tiny_template, folder))


@pytest.fixture(scope="session")
def tiny_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CRDS cache with the references of the small exposure; do not change it."""
    return tiny_exposure.build_crds_cache(tmp_path_factory.mktemp("crds"))


@pytest.fixture
def tiny_context(tiny_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The CRDS cache of the small exposure in the environment, and a server that refuses."""
    return use_cache(tiny_cache, monkeypatch)


def use_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRDS_PATH", str(root))
    monkeypatch.setenv("CRDS_CONTEXT", tiny_exposure.CONTEXT)
    monkeypatch.setenv("CRDS_SERVER_URL", "http://127.0.0.1:9")
    return root


@dataclass(frozen=True)
class Finished:
    """What the command left: exit status and both streams."""

    status: int
    out: str
    err: str


@pytest.fixture
def jwcal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Run the ``jwcal`` command inside this process."""

    def run(*words: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["jwcal", *map(str, words)])
        capsys.readouterr()
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        else:
            status = 0
        streams = capsys.readouterr()
        return Finished(status, streams.out, streams.err)

    return run
