"""Product files beside those that the official pipeline writes for the same raw file and references."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_exposure
from astropy.io import fits

from jwcal_interactive import calibrate
from jwcal_interactive.references.client import DEMO, crds_environment, open_context

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

STEM = "jw00042001001_02101_00001_nrcalong"
# What only the layout of numbers or the moment decides; CAL_VER names the software, CAL_VCS its revision.
OWN_VALUES = {"DATE", "CAL_VER", "CAL_VCS", "CRDS_VER"}
# Of flat_field, which the official pipeline skips for lack of them.
FLAT_REFERENCES = {"R_FLAT", "R_DFLAT", "R_FFLAT", "R_SFLAT"}


@pytest.fixture(scope="module")
def pairs(
    tiny_template: Path, tiny_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, Path]]:
    """Our and the official file of each product."""
    from jwst.pipeline import Detector1Pipeline

    ours, official = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("official")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("CRDS_PATH", str(tiny_cache))
        patch.setenv("CRDS_CONTEXT", tiny_exposure.CONTEXT)
        patch.setenv("CRDS_SERVER_URL", "http://127.0.0.1:9")
        calibrate(tiny_template, output_dir=ours, save_calibrated_ramp=True)
        with crds_environment(open_context()):
            Detector1Pipeline.call(
                str(tiny_template), save_results=True, save_calibrated_ramp=True, output_dir=str(official)
            )
    return {k: (ours / f"{STEM}_{k}.fits", official / f"{STEM}_{k}.fits") for k in ("rate", "rateints", "ramp")}


@contextlib.contextmanager
def opened(pair: tuple[Path, Path]) -> Iterator[tuple[Any, Any]]:
    with fits.open(pair[0]) as ours, fits.open(pair[1]) as official:
        yield ours, official


def words(header: Any) -> set[str]:
    return set(header) - {"HISTORY", "COMMENT", ""}


@pytest.mark.parametrize("kind", ["rate", "rateints", "ramp"])
class TestDetector1:
    def test_extensions(self, kind: str, pairs: dict[str, tuple[Path, Path]]) -> None:
        """Only AVDRKCUR may lack: the official one is all zero where the dark reference gives none."""
        with opened(pairs[kind]) as (ours, official):
            names = [h.name for h in official]
            if "AVDRKCUR" in names:
                assert not official["AVDRKCUR"].data.any()
                names.remove("AVDRKCUR")
            assert [h.name for h in ours] == names

    def test_keywords(self, kind: str, pairs: dict[str, tuple[Path, Path]]) -> None:
        """The same keywords with the same values in every extension; BUNIT also in a ramp."""
        with opened(pairs[kind]) as (ours, official):
            for hdu in ours:
                if hdu.name == "ASDF":
                    continue
                mine, theirs = hdu.header, official[hdu.name].header
                extra = {"BUNIT"} if (kind, hdu.name) == ("ramp", "SCI") else set()
                assert words(mine) - extra == words(theirs) - extra, hdu.name
                different = {k for k in words(mine) & words(theirs) if mine[k] != theirs[k]}
                assert different <= OWN_VALUES, {k: (mine[k], theirs[k]) for k in different}

    def test_arrays(self, kind: str, pairs: dict[str, tuple[Path, Path]], same: Any) -> None:
        with opened(pairs[kind]) as (ours, official):
            for hdu in ours:
                if hdu.is_image and hdu.data is not None:
                    assert hdu.data.dtype == official[hdu.name].data.dtype
                    same(f"{kind} {hdu.name}", np.array(hdu.data), np.array(official[hdu.name].data), 2)
                elif hdu.name in ("GROUP", "INT_TIMES"):
                    assert hdu.data.tobytes() == official[hdu.name].data.tobytes()


def test_flight_guider_exposure(flight_acq1: Path, jwcal: Any, tmp_path: Path) -> None:
    """The promise of the command line: bit for bit the official result on flight pixels."""
    from jwst.pipeline import GuiderPipeline

    done = jwcal("run", "guider", flight_acq1, "--context", "demo", "--output-dir", tmp_path / "ours")
    assert done.status == 0, done.err
    (product,) = (tmp_path / "ours").iterdir()
    with crds_environment(open_context(DEMO)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        GuiderPipeline.call(str(flight_acq1), save_results=True, output_dir=str(tmp_path))
    (official_path,) = tmp_path.glob("*_cal.fits")
    assert product.name == official_path.name
    with fits.open(product) as ours, fits.open(official_path) as official:
        assert [h.name for h in ours] == [h.name for h in official]
        for name in ("SCI", "ERR", "DQ"):
            assert ours[name].data.dtype == official[name].data.dtype
            assert ours[name].data.tobytes() == official[name].data.tobytes(), name
        for hdu in ours:
            if hdu.name != "ASDF":
                missing = words(official[hdu.name].header) - words(hdu.header)
                assert missing <= FLAT_REFERENCES, hdu.name
        mine, theirs = ours[0].header, official[0].header
        different = {k for k in words(mine) & words(theirs) if mine[k] != theirs[k]}
        assert different <= OWN_VALUES, {k: (mine[k], theirs[k]) for k in different}


def test_the_environment_of_the_official_pipeline_is_untouched() -> None:
    before = dict(os.environ)
    with crds_environment(open_context(DEMO)):
        pass
    assert dict(os.environ) == before
