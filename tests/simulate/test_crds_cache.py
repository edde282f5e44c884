"""The demonstration CRDS cache: valid mappings, resolved offline, built whole by any number of processes."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from shrunken import shrunken
from stdatamodels.jwst import datamodels

from jwcal_interactive.dq import DQ
from jwcal_interactive.errors import ParameterError
from jwcal_interactive.simulate import DemoCache, build_demo_cache
from jwcal_interactive.simulate.detectors import DETECTORS, Detector
from jwcal_interactive.simulate.parameter_references import JUMP_PARAMETERS
from jwcal_interactive.simulate.pixels import full_pixel_maps

REFTYPES = ["mask", "saturation", "ipc", "superbias", "refpix", "linearity", "dark", "gain", "readnoise"]
NIRCAM = {
    "META.INSTRUMENT.NAME": "NIRCAM",
    "META.INSTRUMENT.DETECTOR": "NRCALONG",
    "META.SUBARRAY.NAME": "SUB640",
    "META.EXPOSURE.TYPE": "NRC_IMAGE",
    "META.OBSERVATION.DATE": "2024-03-15",
    "META.OBSERVATION.TIME": "08:30:00",
}
GUIDER = {
    "META.INSTRUMENT.NAME": "FGS",
    "META.INSTRUMENT.DETECTOR": "GUIDER2",
    "META.EXPOSURE.TYPE": "FGS_ACQ1",
    "META.OBSERVATION.DATE": "2022-04-27",
    "META.OBSERVATION.TIME": "00:30:49",
}
QUESTIONS = (
    (NIRCAM, [*REFTYPES, "pastasoss", "pars-jumpstep", "pars-rampfitstep"]),
    (NIRCAM | {"META.SUBARRAY.NAME": "FULL"}, ["dark", "superbias"]),
    (GUIDER, ["mask", "gain", "readnoise", "flat", "dflat", "pars-guidercdsstep"]),
)


@pytest.fixture(scope="module")
def bestrefs(demo_cache: DemoCache) -> list[dict[str, str]]:
    """What the crds client answers to `QUESTIONS`, in a process of its own."""
    code = (
        "import json, sys, crds\n"
        "ask = lambda header, reftypes: crds.getreferences(header, reftypes, observatory='jwst')\n"
        "print(json.dumps([ask(*question) for question in json.loads(sys.argv[1])]))"
    )
    unwanted = ("CRDS_SERVER_URL", "CRDS_MODE")
    environment = {k: v for k, v in os.environ.items() if k not in unwanted} | demo_cache.environment
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(QUESTIONS)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def mappings(cache: DemoCache) -> list[Path]:
    return sorted((cache.root / "mappings/jwst").iterdir())


@pytest.fixture(scope="module")
def small_cache(tmp_path_factory: pytest.TempPathFactory) -> DemoCache:
    """A cache for the small detector only; quick to build. Do not change it."""
    with pytest.MonkeyPatch.context() as patch:
        _only_small(patch, shrunken(DETECTORS["NRCALONG"]))
        return build_demo_cache(tmp_path_factory.mktemp("small"))


def _only_small(monkeypatch: pytest.MonkeyPatch, detector: Detector) -> None:
    from jwcal_interactive.simulate import crds_cache, mappings

    for module in (crds_cache, mappings):
        monkeypatch.setattr(module, "DETECTORS", {"NRCALONG": detector})


class TestMappings:
    def test_checksums(self, small_cache: DemoCache) -> None:
        """SHA-1 of the text without the checksum's line, as the crds client verifies it."""
        assert len(mappings(small_cache)) > 10
        for path in mappings(small_cache):
            lines = path.read_text().splitlines(keepends=True)
            (stated,) = (line for line in lines if "sha1sum" in line)
            rest = "".join(line for line in lines if "sha1sum" not in line)
            assert hashlib.sha1(rest.encode()).hexdigest() in stated, path.name

    def test_headers_name_their_file(self, small_cache: DemoCache) -> None:
        for path in mappings(small_cache):
            text = path.read_text()
            header = ast.literal_eval(text.split("header = ")[1].split("\n\n")[0])
            assert header["name"] == path.name

    def test_server_config_is_what_the_client_needs(self, small_cache: DemoCache) -> None:
        text = (small_cache.root / "config/jwst/server_config").read_text()
        config = ast.literal_eval(text)
        assert config["operational_context"] == small_cache.context
        assert {"observatory", "bad_files_list", "last_synced"} <= set(config)


class TestResolution:
    def test_nircam(self, demo_cache: DemoCache, bestrefs: list[dict[str, str]]) -> None:
        absent = {"refpix", "pastasoss", "pars-rampfitstep"}
        for reftype, answer in bestrefs[0].items():
            if reftype in absent:
                assert answer.startswith("NOT FOUND n/a"), reftype
            else:
                path = Path(answer)
                assert path.is_file(), reftype
                assert path.is_relative_to(demo_cache.root)
                assert reftype in path.name

    def test_superbias_and_dark_are_chosen_by_subarray(self, bestrefs: list[dict[str, str]]) -> None:
        small, full, _ = bestrefs
        for reftype in ("dark", "superbias"):
            assert fits.getval(small[reftype], "SUBARRAY") == "SUB640"
            assert fits.getval(full[reftype], "SUBARRAY") == "FULL"

    def test_guider(self, bestrefs: list[dict[str, str]]) -> None:
        *_, found = bestrefs
        for reftype in ("mask", "gain", "readnoise", "flat"):
            assert fits.getval(found[reftype], "DETECTOR") == "GUIDER2"
        assert found["dflat"].startswith("NOT FOUND n/a")


class TestReferences:
    def path(self, cache: DemoCache, reftype: str) -> Path:
        return cache.root / f"references/jwst/nircam/jwst_nircam_{reftype}_0001.fits"

    @pytest.mark.parametrize(
        ("reftype", "model"),
        [
            ("mask", datamodels.MaskModel),
            ("gain", datamodels.GainModel),
            ("readnoise", datamodels.ReadnoiseModel),
            ("saturation", datamodels.SaturationModel),
            ("linearity", datamodels.LinearityModel),
            ("ipc", datamodels.IPCModel),
            ("superbias", datamodels.SuperBiasModel),
            ("dark", datamodels.DarkModel),
        ],
    )
    def test_genuine(self, small_cache: DemoCache, reftype: str, model: type) -> None:
        path = self.path(small_cache, reftype)
        assert fits.getval(path, "REFTYPE") == reftype.upper()
        assert fits.getval(path, "FILENAME") == path.name
        with model(path, strict_validation=True) as reference:
            reference.validate()
            assert reference.meta.pedigree == "SIMULATION"

    def test_mask_has_its_own_bits(self, small_cache: DemoCache, small_detector: Detector) -> None:
        """In the file the bits are those of DQ_DEF; the model gives the standard ones."""
        maps = full_pixel_maps(small_detector)
        path = self.path(small_cache, "mask")
        with fits.open(path) as hdus:
            assert (np.asarray(hdus["DQ"].data)[maps.reference] & 1).all()
            assert hdus["DQ_DEF"].data["NAME"][0] == "REFERENCE_PIXEL"
        with datamodels.MaskModel(path) as model:
            flagged = (model.dq & np.uint32(DQ.REFERENCE_PIXEL)) != 0
        assert np.array_equal(flagged, maps.reference)

    def test_oddities_of_flight_references_occur(self, demo_cache: DemoCache) -> None:
        with datamodels.GainModel(self.path(demo_cache, "gain")) as gain:
            assert np.isnan(gain.data).any()
            assert (gain.data < 0).any()
            assert (gain.data == 0).any()
        with datamodels.SaturationModel(self.path(demo_cache, "saturation")) as saturation:
            assert np.isnan(saturation.data).any()
            assert (saturation.dq & np.uint32(DQ.NO_SAT_CHECK)).any()
        with datamodels.LinearityModel(self.path(demo_cache, "linearity")) as linearity:
            assert np.isnan(linearity.coeffs).any()
            assert (linearity.coeffs[1] == 0).any()
            assert (linearity.dq & np.uint32(DQ.NO_LIN_CORR)).any()
            assert linearity.inv_coeffs.shape[0] == 6
        with datamodels.SuperBiasModel(self.path(demo_cache, "superbias")) as superbias:
            assert (superbias.dq & np.uint32(DQ.UNRELIABLE_BIAS)).any()
            assert np.isnan(superbias.data).any()
        with datamodels.DarkModel(self.path(demo_cache, "dark")) as dark:
            assert (dark.meta.exposure.nframes, dark.meta.exposure.groupgap) == (1, 0)
            assert dark.meta.exposure.average_dark_current > 0

    def test_jump_parameters(self, small_cache: DemoCache) -> None:
        import asdf

        path = self.path(small_cache, "pars-jumpstep").with_suffix(".asdf")
        with asdf.open(path) as file:
            assert file["parameters"] == JUMP_PARAMETERS
            assert file["meta"]["reftype"] == "pars-jumpstep"


class TestBuilding:
    def test_second_time_changes_nothing(
        self, small_cache: DemoCache, small_detector: Detector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _only_small(monkeypatch, small_detector)
        before = {p: p.stat().st_mtime_ns for p in small_cache.root.rglob("*") if p.is_file()}
        announced: list[str] = []
        again = build_demo_cache(small_cache.root.parent, progress=announced.append)
        assert again == small_cache
        assert announced == []
        assert before == {p: p.stat().st_mtime_ns for p in again.root.rglob("*") if p.is_file()}

    def test_a_subarray_is_added_when_it_is_needed(
        self, small_detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _only_small(monkeypatch, small_detector)
        announced: list[str] = []
        cache = build_demo_cache(tmp_path, subarrays=["SUB640"], progress=announced.append)
        darks = cache.root / "references/jwst/nircam"
        assert [p.name for p in darks.glob("*dark*")] == ["jwst_nircam_dark_0002.fits"]
        assert "reference dark of NRCALONG SUB640" in announced
        announced.clear()
        build_demo_cache(tmp_path, subarrays=["FULL"], progress=announced.append)
        assert announced == [
            "reference superbias of NRCALONG FULL",
            "reference dark of NRCALONG FULL",
        ]
        assert len(list(darks.glob("*dark*"))) == 2

    def test_unknown_subarray(self, tmp_path: Path) -> None:
        with pytest.raises(ParameterError, match=r"SUB1.*FULL, SUB640"):
            build_demo_cache(tmp_path, subarrays=["SUB1"])
        assert list(tmp_path.iterdir()) == []

    def test_an_interrupted_build_leaves_no_half_file_and_is_completed(
        self, small_detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _only_small(monkeypatch, small_detector)
        with monkeypatch.context() as patch:
            patch.setattr(datamodels.LinearityModel, "save", _interrupted)
            with pytest.raises(KeyboardInterrupt):
                build_demo_cache(tmp_path)
        files = [p for p in tmp_path.rglob("*") if p.is_file()]
        assert not [p for p in files if "linearity" in p.name and p.suffix == ".fits"]
        assert not list(tmp_path.rglob(".saving-*"))
        cache = build_demo_cache(tmp_path)
        for path in (cache.root / "references").rglob("*.fits"):
            with fits.open(path) as hdus:
                hdus.verify("exception")

    def test_two_processes_at_once(self, small_cache: DemoCache, tmp_path: Path) -> None:
        """Both succeed; every file is whole and the same as that of a lonely build."""
        code = (
            "import sys; sys.path.insert(0, sys.argv[2])\n"
            "from pathlib import Path\n"
            "from shrunken import shrunken\n"
            "from jwcal_interactive.simulate import build_demo_cache, crds_cache, detectors, mappings\n"
            "small = shrunken(detectors.DETECTORS['NRCALONG'])\n"
            "crds_cache.DETECTORS = mappings.DETECTORS = {'NRCALONG': small}\n"
            "print(build_demo_cache(Path(sys.argv[1])).root)"
        )
        support = str(Path(__file__).parents[1] / "support")
        command = [sys.executable, "-W", "error", "-c", code, str(tmp_path), support]
        together = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
        outputs = [process.communicate(timeout=120)[0] for process in together]
        assert [process.returncode for process in together] == [0, 0]
        shared, alone = Path(outputs[0].decode().strip()), small_cache.root
        assert shared.name == alone.name
        names = sorted(p.relative_to(shared) for p in shared.rglob("*") if p.is_file())
        assert names == sorted(p.relative_to(alone) for p in alone.rglob("*") if p.is_file())
        assert len(names) > 20
        for name in names:
            if name.suffix == ".fits":
                assert _same_data(shared / name, alone / name), name
            elif name.suffix != ".asdf":
                assert (shared / name).read_bytes() == (alone / name).read_bytes(), name


def _interrupted(self: datamodels.LinearityModel, path: Path) -> None:
    path.write_bytes(b"half a file")
    raise KeyboardInterrupt


def _same_data(first: Path, second: Path) -> bool:
    """Compare everything but the time of writing."""
    return bool(fits.FITSDiff(first, second, ignore_keywords=["DATE"]).identical)
