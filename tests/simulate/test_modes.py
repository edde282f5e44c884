"""Every mode of every instrument: a valid header, and a reference or N/A for all that the pipelines ask for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from jwcal_interactive.errors import ParameterError
from jwcal_interactive.simulate import (
    CosmicRayHits,
    ExposureSpec,
    SimulatedExposure,
    open_demo_cache,
    write_level1b,
)

_NONE = {"filter": "", "pupil": ""}
_NIRISS = {"instrument": "NIRISS", "detector": "NIS", "filter": "CLEAR", "readpatt": "NISRAPID"}
_NIRSPEC = {"instrument": "NIRSPEC", "filter": "F290LP", "grating": "G395H", "pupil": ""}
_MIRI = {"instrument": "MIRI", "detector": "MIRIMAGE", "filter": "F770W", "pupil": "", "readpatt": "FASTR1"}
_FGS = {"instrument": "FGS", "exp_type": "FGS_IMAGE", **_NONE}
_MRS: dict[str, Any] = {"exp_type": "MIR_MRS", "filter": "", "band": "SHORT"}

SPECS: dict[str, dict[str, Any]] = {
    "nircam full": {"readpatt": "MEDIUM8"},
    "nircam short": {"detector": "NRCB1", "filter": "F200W"},
    "nircam time series": {"subarray": "SUBGRISM256", "exp_type": "NRC_TSGRISM", "pupil": "GRISMR"},
    "nircam dark": {"exp_type": "NRC_DARK", "subarray": "SUB640"},
    "niriss full": {**_NIRISS, "pupil": "F200W", "exp_type": "NIS_IMAGE", "readpatt": "NIS"},
    "niriss soss": {**_NIRISS, "subarray": "SUBSTRIP256", "pupil": "GR700XD", "exp_type": "NIS_SOSS"},
    "niriss ami": {**_NIRISS, "subarray": "SUB80", "pupil": "NRM", "filter": "F480M", "exp_type": "NIS_AMI"},
    "fgs 1": {**_FGS, "detector": "GUIDER1", "readpatt": "FGSRAPID"},
    "fgs 2": {**_FGS, "detector": "GUIDER2", "readpatt": "FGS"},
    "nirspec 1": {**_NIRSPEC, "detector": "NRS1", "readpatt": "NRSRAPID", "exp_type": "NRS_IFU"},
    "nirspec 2": {**_NIRSPEC, "detector": "NRS2", "readpatt": "NRS", "exp_type": "NRS_FIXEDSLIT"},
    "nirspec part": {
        **_NIRSPEC, "detector": "NRS1", "readpatt": "NRSRAPID", "subarray": "SUB512",
        "exp_type": "NRS_BRIGHTOBJ",
    },
    "nirspec irs2": {**_NIRSPEC, "detector": "NRS1", "readpatt": "NRSIRS2RAPID", "exp_type": "NRS_IFU"},
    "nirspec irs2 averaged": {**_NIRSPEC, "detector": "NRS2", "readpatt": "NRSIRS2", "exp_type": "NRS_IFU"},
    "miri full": {**_MIRI, "exp_type": "MIR_IMAGE"},
    "miri slow": {**_MIRI, "exp_type": "MIR_IMAGE", "readpatt": "SLOWR1"},
    "miri sub64": {**_MIRI, "exp_type": "MIR_IMAGE", "subarray": "SUB64"},
    "miri sub256": {**_MIRI, "exp_type": "MIR_IMAGE", "subarray": "SUB256"},
    "miri lrs": {**_MIRI, "exp_type": "MIR_LRS-SLITLESS", "subarray": "SLITLESSPRISM", "filter": "P750L"},
    "miri dark": {**_MIRI, "exp_type": "MIR_DARKIMG", "filter": "OPAQUE"},
    "mrs short": {**_MIRI, **_MRS, "detector": "MIRIFUSHORT"},
    "mrs long": {**_MIRI, **_MRS, "detector": "MIRIFULONG", "readpatt": "SLOWR1"},
}  # fmt: skip


def spec(name: str, **changes: Any) -> ExposureSpec:
    return ExposureSpec(**{**SPECS[name], "ngroups": 2, "nints": 2, **changes})


def without_pixels(of: ExposureSpec) -> SimulatedExposure:
    """An exposure as far as its header goes."""
    none = np.zeros(0, np.int32)
    return SimulatedExposure(
        spec=of,
        raw=np.zeros((of.nints, of.ngroups, 2, 2), np.uint16),
        zeroframe=np.zeros((of.nints, 2, 2), np.uint16) if of.read_pattern.has_zeroframe else None,
        slope=np.zeros((2, 2), np.float32),
        hits=CosmicRayHits(none, none, none, none, none, none.astype(np.float32)),
    )


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, fits.Header]:
    """Primary header of each mode; writing checks every value against the schema of stdatamodels."""
    folder = tmp_path_factory.mktemp("modes")
    found = {}
    for number, name in enumerate(SPECS, start=1):
        path = write_level1b(without_pixels(spec(name, observation=f"{number:03d}")), folder)
        found[name] = fits.getheader(path)
    return found


@pytest.mark.parametrize("name", SPECS)
def test_header(name: str, headers: dict[str, fits.Header]) -> None:
    header, wanted = headers[name], spec(name)
    keywords = {
        "INSTRUME": wanted.instrument, "DETECTOR": wanted.detector, "EXP_TYPE": wanted.exp_type,
        "READPATT": wanted.readpatt, "SUBARRAY": wanted.subarray, "NGROUPS": 2, "NINTS": 2,
    }  # fmt: skip
    for keyword, value in (
        ("FILTER", wanted.filter), ("PUPIL", wanted.pupil), ("GRATING", wanted.grating), ("BAND", wanted.band),
    ):  # fmt: skip
        assert header.get(keyword, "") == value
    assert {key: header[key] for key in keywords} == keywords
    assert header["TGROUP"] == pytest.approx(header["TFRAME"] * (header["NFRAMES"] + header["GROUPGAP"]))
    assert ("NRS_NORM" in header) == ("IRS2" in wanted.readpatt)


def test_only_nircam_and_niriss_send_the_first_frame(headers: dict[str, fits.Header]) -> None:
    sent = {name for name, header in headers.items() if header["ZEROFRAM"]}
    assert sent == {"nircam full", "niriss full"}


def test_frame_divisor(tmp_path: Path) -> None:
    path = write_level1b(without_pixels(spec("nirspec irs2 averaged", frame_divisor=4)), tmp_path)
    header = fits.getheader(path)
    assert (header["NFRAMES"], header["FRMDIVSR"]) == (5, 4)


def test_channel_of_the_spectrometer(headers: dict[str, fits.Header]) -> None:
    assert (headers["mrs short"]["CHANNEL"], headers["mrs long"]["CHANNEL"]) == ("12", "34")
    assert "CHANNEL" not in headers["miri full"]


@pytest.fixture(scope="module")
def answers(
    headers: dict[str, fits.Header], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, str]]:
    """What the crds client says for each mode, for every type that the steps of its pipelines ask for."""
    from jwcal_interactive.references.parkeys import PARKEYS

    pipelines = pytest.importorskip("jwst.pipeline", reason="the steps of the official pipeline are needed")
    types = {
        reftype
        for cls in (pipelines.Detector1Pipeline, pipelines.DarkPipeline, pipelines.GuiderPipeline)
        for step in cls.step_defs.values()
        for reftype in (*step.reference_file_types, step.get_config_reftype())
    }
    asked = {
        name: {k: header[keyword] for k, keyword in PARKEYS.items() if keyword in header}
        for name, header in headers.items()
    }
    cache = open_demo_cache(tmp_path_factory.mktemp("empty"))
    code = (
        "import json, sys, crds\n"
        "asked, types = json.loads(sys.stdin.read())\n"
        "print(json.dumps({name: crds.getrecommendations(header, reftypes=types, observatory='jwst')\n"
        "                  for name, header in asked.items()}))"
    )
    unwanted = ("CRDS_SERVER_URL", "CRDS_MODE")
    environment = {k: v for k, v in os.environ.items() if k not in unwanted} | cache.environment
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps([asked, sorted(types)]),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parity
@pytest.mark.parametrize("name", SPECS)
def test_every_type_resolves(name: str, answers: dict[str, dict[str, str]]) -> None:
    for reftype, answer in answers[name].items():
        absent = answer.lower().startswith("not found n/a")
        assert absent or answer.startswith(f"jwst_{spec(name).instrument.lower()}_{reftype}_"), answer


def applicable(answer: dict[str, str]) -> set[str]:
    return {reftype for reftype, name in answer.items() if name.startswith("jwst_")}


@pytest.mark.parity
def test_types_that_have_files(answers: dict[str, dict[str, str]]) -> None:
    common = {"mask", "gain", "readnoise", "saturation", "linearity", "ipc", "dark"}
    assert applicable(answers["miri full"]) == common | {"reset", "rscd", "emicorr", "flat"}
    nirspec = common | {"superbias", "pictureframe", "sirskernel"}
    assert applicable(answers["nirspec 1"]) == nirspec
    assert applicable(answers["nirspec irs2"]) == nirspec | {"refpix"}
    assert applicable(answers["niriss soss"]) == common | {"superbias", "sirskernel", "flat"}
    assert applicable(answers["fgs 1"]) == common | {"superbias", "flat"}
    assert applicable(answers["nircam full"]) == common | {"superbias", "sirskernel", "flat", "pars-jumpstep"}


@pytest.mark.parity
def test_readouts_have_files_of_their_own(answers: dict[str, dict[str, str]]) -> None:
    for one, other, own in (
        ("nirspec 1", "nirspec irs2", {"mask", "readnoise", "superbias", "dark"}),
        ("miri full", "miri slow", {"mask", "readnoise", "dark", "reset"}),
        ("miri full", "miri sub64", {"dark", "reset"}),
        ("nirspec 1", "nirspec part", {"superbias", "dark"}),
    ):
        differing = {t for t, answer in answers[one].items() if answer != answers[other][t]} - {"refpix"}
        assert differing == own, (one, other)


@pytest.mark.parity
def test_what_is_made_for_an_exposure_is_what_crds_names(
    answers: dict[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files made ahead for an exposure are those that its header leads to, all and no other."""
    from jwcal_interactive.simulate import crds_cache

    made: list[str] = []
    monkeypatch.setattr(crds_cache, "write_reference", lambda kind, case, path: made.append(path.name))
    cache = open_demo_cache(tmp_path)
    for name, answer in answers.items():
        made.clear()
        wanted = spec(name)
        cache.make_for(wanted.detector, wanted.subarray, wanted.readpatt, optional=True)
        assert set(made) == {answer[t] for t in applicable(answer)} - {"jwst_nircam_pars-jumpstep_0001.asdf"}, (
            name
        )


def test_unknown_readout_of_a_subarray() -> None:
    with pytest.raises(ParameterError, match=r"readpatt='SLOWR1'.*SUB64 of MIRIMAGE; allowed: FASTR1"):
        replace(spec("miri sub64"), readpatt="SLOWR1")
    with pytest.raises(ParameterError, match=r"readpatt='RAPID'.*MIRI; allowed: FASTR1, SLOWR1"):
        replace(spec("miri sub64"), readpatt="RAPID")


@pytest.mark.parametrize("change", [{"snowball_rate": -1.0}, {"shower_rate": float("nan")}, {"emi": -0.1}])
def test_impossible_strengths(change: dict[str, float]) -> None:
    (name,) = change
    with pytest.raises(ParameterError, match=f"{name}=.*0 or a positive number"):
        replace(spec("miri full"), **change)
