"""Parameters before the user changes any: code defaults and parameter references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny_exposure

from jwcal_interactive import open_session
from jwcal_interactive.io.reference_files import read_parameters

JUMP = {"class": "jwst.jump.jump_step.JumpStep", "name": "jump"}
WHOLE = {"class": "jwst.pipeline.Detector1Pipeline", "name": "detector1"}


@pytest.fixture
def opened(tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_context: Path) -> Any:
    def make(pars: dict[str, Any]) -> Any:
        cache = tiny_exposure.build_crds_cache(tmp_path / "crds", pars=pars)
        monkeypatch.setenv("CRDS_PATH", str(cache))
        return open_session(tiny_raw)

    return make


# The same content in every form that the official reader takes.
FORMS = {
    "steps as a list": {
        **WHOLE, "parameters": {"save_calibrated_ramp": True},
        "steps": [
            {**JUMP, "parameters": {"rejection_threshold": 9.0}},
            {"class": "x", "name": "ipc", "parameters": {"skip": True}},
        ],
    },
    "steps inside the parameters": {
        "parameters": {**WHOLE, "steps": {"jump": {**JUMP, "rejection_threshold": 9.0}, "ipc": {"skip": True}}},
    },
    "numbers and switches as text": {
        **WHOLE, "parameters": {},
        "steps": [
            {**JUMP, "parameters": {"rejection_threshold": "9.0"}},
            {"class": "x", "name": "ipc", "parameters": {"skip": "True"}},
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_file_of_a_pipeline(form: str, opened: Any) -> None:
    session = opened({"pars-detector1pipeline": FORMS[form]})
    assert session.params("jump").rejection_threshold == 9.0
    assert session.params("ipc").skip is True
    assert session.source("jump", "rejection_threshold") == "crds"
    assert session.source("jump", "flag_4_neighbors") == "default"
    assert session.notes == ()
    session.run()
    assert session.status("ipc").state == "skipped"


@pytest.mark.parametrize("form", list(FORMS)[:2])
def test_the_official_reader_agrees(form: str, tmp_path: Path) -> None:
    config_parser = pytest.importorskip("stpipe.config_parser", reason="stpipe is in the extra `test`")
    path = tiny_exposure.write_parameters(tmp_path / "p.asdf", FORMS[form])
    official = config_parser.load_config_file(str(path))
    ours = read_parameters(path)
    assert {n: s["skip"] for n, s in official["steps"].items() if "skip" in s} == {"ipc": True}
    assert official["steps"]["jump"]["rejection_threshold"] == ours.steps["jump"]["rejection_threshold"] == 9.0


def test_order_of_the_layers(opened: Any) -> None:
    """The step's file, then the pipeline's, then the user, as the official runner does."""
    session = opened(
        {
            "pars-jumpstep": {**JUMP, "parameters": {"rejection_threshold": 8.0, "minimum_groups": 4}},
            "pars-detector1pipeline": FORMS["steps as a list"],
        }
    )
    assert session.params("jump").rejection_threshold == 9.0
    assert session.params("jump").minimum_groups == 4
    session.set("jump", rejection_threshold=2)
    assert session.params("jump").rejection_threshold == 2.0
    session.reset("jump")
    assert session.params("jump").rejection_threshold == 9.0


def test_step_alone_ignores_the_file_of_the_pipeline(opened: Any, tiny_raw: Path, tmp_path: Path) -> None:
    from jwcal_interactive import calibrate

    opened(
        {
            "pars-jumpstep": {**JUMP, "parameters": {"minimum_groups": 3}},
            "pars-detector1pipeline": {
                **WHOLE, "parameters": {}, "steps": [{**JUMP, "parameters": {"skip": True}}],
            },
        }
    )  # fmt: skip
    assert calibrate(tiny_raw, "jump", output_dir=tmp_path).outcomes[0].state == "done"
    whole = calibrate(tiny_raw, "detector1", output_dir=tmp_path)
    assert {o.step: o.state for o in whole.outcomes}["jump"] == "skipped"


def test_what_the_runner_configures_is_no_parameter(opened: Any) -> None:
    runner = {
        "pre_hooks": [],
        "output_use_model": True,
        "save_results": False,
        "suffix": "x",
        "maximum_cores": "none",
    }
    session = opened({"pars-jumpstep": {**JUMP, "parameters": {**runner, "override_gain": None}}})
    assert session.params("jump").changed() == {}
    assert session.notes == ()


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"rejection_threshold": -1}, "rejection_threshold"),
        ({"rejection_threshold": "many"}, "rejection_threshold"),
        ({"of_the_future": True}, "of_the_future"),
    ],
)
def test_what_cannot_be_done_is_told(parameters: dict[str, Any], told: str, opened: Any) -> None:
    session = opened({"pars-jumpstep": {**JUMP, "parameters": {"minimum_groups": 4, **parameters}}})
    assert len(session.notes) == 1
    assert told in session.notes[0]
    assert "jwst_nircam_pars-jumpstep_0001.asdf" in session.notes[0]
    assert session.params("jump").minimum_groups == 4
    assert session.params("jump").rejection_threshold == 4.0


def test_whole_run_with_what_cannot_be_done(opened: Any, tmp_path: Path) -> None:
    """The note stays, and the rest of the file acts."""
    session = opened(
        {"pars-jumpstep": {**JUMP, "parameters": {"of_the_future": True, "rejection_threshold": 6.5}}}
    )
    session.run()
    session.write(tmp_path / "out")
    assert [note for note in session.notes if "of_the_future" in note] == list(session.notes)
    assert len(session.notes) == 1
    assert session.is_finished
    assert session.status("jump").state == "done"
    run = next(e for e in session.history if e.step == "jump")
    assert run.choices["rejection_threshold"].value == 6.5


def test_notes_reach_the_user(opened: Any, jwcal: Any, tiny_raw: Path, tmp_path: Path) -> None:
    opened({"pars-jumpstep": {**JUMP, "parameters": {"nonsense": 1}}})
    done = jwcal("run", "detector1", tiny_raw, "--output-dir", tmp_path / "out")
    assert done.status == 0
    assert "note: " in done.err
    assert "nonsense" in done.err
