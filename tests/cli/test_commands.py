"""The command line on the small exposure."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_exposure
from astropy.io import fits

from jwcal_interactive.cli import main as main_module
from jwcal_interactive.errors import Cancelled
from jwcal_interactive.recipes import RECIPES
from jwcal_interactive.steps.catalogue import STEPS

Jwcal = Callable[..., Any]
STEM = "jw00042001001_02101_00001_nrcalong"

pytestmark = pytest.mark.usefixtures("tiny_context")


def sci(path: Path) -> np.ndarray:
    return np.asarray(fits.getdata(path, "SCI"))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Products go to the current folder."""
    (tmp_path / "current").mkdir()
    monkeypatch.chdir(tmp_path / "current")


class TestRun:
    @pytest.mark.parametrize("name", ["detector1", "calwebb_detector1"])
    @pytest.mark.parametrize("option", ["--output-dir", "--output_dir"])
    def test_pipeline(self, name: str, option: str, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
        done = jwcal("run", name, tiny_raw, option, tmp_path / "out")
        assert done.status == 0
        products = [tmp_path / "out" / f"{STEM}_{s}.fits" for s in ("rate", "rateints")]
        assert [str(p) for p in products] == done.out.splitlines()[-2:]
        for step in RECIPES["detector1"].steps:
            assert step in done.out
        assert all(p.exists() for p in products)

    def test_default_folder_is_the_current_one(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        assert jwcal("run", "detector1", tiny_raw, "--quiet").status == 0
        assert Path(f"{STEM}_rate.fits").exists()

    def test_quiet(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        done = jwcal("run", "detector1", tiny_raw, "--quiet")
        assert done.err == ""
        assert len(done.out.splitlines()) == 2

    def test_parameter(self, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
        for name, words in (
            ("plain", []),
            ("other", ["--steps.jump.rejection_threshold=1"]),
            ("spaced", ["--steps.jump.rejection_threshold", "1"]),
        ):
            assert jwcal("run", "detector1", tiny_raw, "--output-dir", tmp_path / name, *words).status == 0
        plain, other, spaced = (sci(tmp_path / n / f"{STEM}_rate.fits") for n in ("plain", "other", "spaced"))
        assert not np.array_equal(plain, other, equal_nan=True)
        np.testing.assert_array_equal(other, spaced)
        history = "\n".join(fits.getheader(tmp_path / "other" / f"{STEM}_rate.fits")["HISTORY"])
        assert "jump.rejection_threshold = 1.0 (user)" in history

    def test_override(self, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
        mine = tiny_exposure.write_reference(tmp_path, "gain", name="mine.fits")
        done = jwcal(
            "run", "detector1", tiny_raw, f"--steps.jump.override_gain={mine}", "--steps.ipc.override_ipc=N/A"
        )
        assert done.status == 0
        header = fits.getheader(f"{STEM}_rate.fits")
        assert header["R_GAIN"].startswith("crds://")  # that of the last step, as officially
        history = "\n".join(header["HISTORY"])
        assert "jump.gain: mine.fits" in history
        assert "ramp_fit.gain: mine.fits" not in history
        assert header["S_IPC"] == "SKIPPED"
        assert "mine.fits" in done.out

    def test_ramp_and_single_step(self, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        jwcal("run", "detector1", tiny_raw, "--output-dir", out, "--save_calibrated_ramp=true")
        ramp = out / f"{STEM}_ramp.fits"
        assert ramp.exists()
        alone = tmp_path / "alone"
        done = jwcal("run", "ramp_fit", ramp, "--output-dir", alone, "--suppress_one_group=true")
        assert done.status == 0
        np.testing.assert_array_equal(sci(alone / f"{STEM}_rate.fits"), sci(out / f"{STEM}_rate.fits"))

    def test_step_on_the_saved_result_of_another(self, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
        """Threshold after threshold from the same intermediate product, as one would tune it."""
        out = tmp_path / "out"
        switches = [
            "--steps.dark_current.save_results=true",
            "--steps.jump.save_results",
            "--save_results=true",
        ]
        assert jwcal("run", "detector1", tiny_raw, "--output-dir", out, *switches).status == 0
        before, default = out / f"{STEM}_dark_current.fits", fits.getdata(out / f"{STEM}_jump.fits", "GROUPDQ")
        counts = []
        for threshold in (1, 1e6):
            words = ["--output-dir", tmp_path / "alone", f"--rejection_threshold={threshold}", "--quiet"]
            done = jwcal("run", "jump", before, *words)
            assert done.out.strip() == str(tmp_path / "alone" / f"{STEM}_jump.fits")
            counts.append((fits.getdata(tmp_path / "alone" / f"{STEM}_jump.fits", "GROUPDQ") & 4).sum())
        assert counts[0] > (default & 4).sum() > counts[1]

    @pytest.mark.parametrize("name", ["jump", "detector1"])
    def test_steps_are_not_applied_twice(self, name: str, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
        jwcal("run", "detector1", tiny_raw, "--output-dir", tmp_path, "--save_calibrated_ramp")
        (tmp_path / f"{STEM}_rate.fits").unlink()
        done = jwcal("run", name, tmp_path / f"{STEM}_ramp.fits", "--output-dir", tmp_path)
        assert done.status == 2
        assert "would be applied twice" in done.err
        assert "S_JUMP = COMPLETE" in done.err
        assert not (tmp_path / f"{STEM}_rate.fits").exists()

    def test_step_that_is_off_by_default(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        turned_on = "--steps.persistence.skip=false"
        done = jwcal("run", "detector1", tiny_raw, turned_on)
        assert (done.status, "persistence_time is not set" in done.err) == (2, True)
        assert (
            jwcal("run", "detector1", tiny_raw, turned_on, "--steps.persistence.persistence_time=100").status
            == 0
        )
        assert fits.getheader(f"{STEM}_rate.fits")["S_PERSIS"] == "COMPLETE"

    def test_windows_for_the_next_exposure(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        import asdf

        words = [
            "skip=false",
            "persistence_time=1000",
            "persistence_array_file=v.asdf",
            "save_persistence=v.asdf",
        ]
        for _ in range(2):
            done = jwcal("run", "detector1", tiny_raw, *(f"--steps.persistence.{word}" for word in words))
            assert done.status == 0, done.err
            with asdf.open("v.asdf") as saved:
                assert saved["NRCALONG"]["pers_time"] == 1000
                assert (40, 40) in zip(saved["NRCALONG"]["rows"], saved["NRCALONG"]["cols"], strict=True)

    def test_persistence_of_earlier_exposures(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        """Those of the folder; pixel (40, 40) is saturated in the raw exposures."""
        start = tiny_exposure.METADATA["exposure.start_time"] + 60 / 86_400
        words = ["skip=false", f"earlier={tiny_raw.parent}", "persistence_time=600"]
        steps = [f"--steps.visit_persistence.{word}" for word in words]
        assert jwcal("run", "detector1", tiny_raw, *steps).status == 0
        header = fits.getheader(f"{STEM}_rate.fits")
        assert header["S_VISPER"] == "SKIPPED"  # it is the first one
        later = tiny_raw.with_name(tiny_raw.name.replace("_00001_", "_00002_"))
        later.write_bytes(tiny_raw.read_bytes())
        tiny_exposure.edit(later, {"EXPSTART": start})
        done = jwcal("run", "detector1", later, *steps, "--save_calibrated_ramp=true")
        assert done.status == 0, done.err
        product = later.name.replace("_uncal", "_ramp")
        header = fits.getheader(product)
        assert (header["S_VISPER"], header["VPNEXP"]) == ("COMPLETE", 1)
        flagged = fits.getdata(product, "GROUPDQ")[0, 0] & 32 != 0
        assert flagged[40, 40]
        assert header["VPNPIX"] == flagged.sum() < 100
        assert f"visit_persistence.earlier: {tiny_raw.name}" in "\n".join(header["HISTORY"])

    def test_visit_in_time_order(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        """The second file in the alphabet was taken first."""
        first = tiny_raw.with_name(tiny_raw.name.replace("_00001_", "_00002_"))
        first.write_bytes(tiny_raw.read_bytes())
        start = tiny_exposure.METADATA["exposure.start_time"]
        tiny_exposure.edit(tiny_raw, {"EXPSTART": start + 60 / 86_400})
        done = jwcal("run", "detector1", tiny_raw.parent, "--quiet", "--steps.visit_persistence.skip=false")
        assert done.status == 0, done.err
        rates = [Path(line) for line in done.out.split() if line.endswith("_rate.fits")]
        assert [rate.name.split("_")[2] for rate in rates] == ["00002", "00001"]
        assert [fits.getheader(rate)["S_VISPER"] for rate in rates] == ["SKIPPED", "COMPLETE"]

    def test_flags_of_ones_own(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        flags = np.zeros((64, 64), np.uint8)
        flags[30, 31] = 1
        fits.PrimaryHDU(flags).writeto("mine.fits")
        assert jwcal("run", "detector1", tiny_raw, "--steps.dq_init.user_supplied_dq=mine.fits").status == 0
        assert np.isnan(sci(Path(f"{STEM}_rate.fits"))[30, 31])
        history = "\n".join(fits.getheader(f"{STEM}_rate.fits")["HISTORY"])
        assert "dq_init.user_supplied_dq: mine.fits" in history
        fits.PrimaryHDU(flags[:, 1:]).writeto("other.fits")
        done = jwcal("run", "detector1", tiny_raw, "--steps.dq_init.user_supplied_dq=other.fits")
        assert "other.fits[PRIMARY] has shape (64, 63), the exposure (64, 64)" in done.err
        done = jwcal("run", "detector1", tiny_raw, "--steps.dq_init.user_supplied_dq=no.fits")
        assert (done.status, "no.fits" in done.err) == (2, True)

    def test_dark_as_subtracted(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        assert jwcal("run", "detector1", tiny_raw, "--steps.dark_current.dark_output=mydark").status == 0
        np.testing.assert_allclose(sci(Path("mydark.fits"))[:, 20, 20], 0.01 * np.arange(1, 6), rtol=1e-6)

    def test_reference_output_is_left_in_the_raw_file(
        self, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path
    ) -> None:
        """No step uses it; products are the same with it and without, also the ramp."""
        save = "--save_calibrated_ramp=true"
        assert jwcal("run", "detector1", tiny_raw, "--output-dir", tmp_path / "without", save).status == 0
        with fits.open(tiny_raw, mode="append") as hdus:
            shape = (*hdus["SCI"].shape[:-1], hdus["SCI"].shape[-1] // 4)
            hdus.append(fits.ImageHDU(np.full(shape, 6000, np.uint16), name="REFOUT"))
        assert jwcal("run", "detector1", tiny_raw, "--output-dir", tmp_path / "with", save).status == 0
        for kind in ("rate", "rateints", "ramp"):
            one, two = (tmp_path / name / f"{STEM}_{kind}.fits" for name in ("without", "with"))
            with fits.open(one) as ours, fits.open(two) as other:
                assert [h.name for h in ours] == [h.name for h in other]
                np.testing.assert_array_equal(ours["SCI"].data, other["SCI"].data)

    def test_override_of_another_step_does_not_reach_the_draft(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        """A draft of the rates has the gain and readnoise of its own step, as the record says."""
        mine = tiny_exposure.write_reference(tiny_raw.parent, "gain", name="mine.fits")
        on = "--steps.clean_flicker_noise.skip=false"
        for given in ("ramp_fit", "clean_flicker_noise"):
            assert jwcal("run", "detector1", tiny_raw, on, f"--steps.{given}.override_gain={mine}").status == 0
            history = "\n".join(fits.getheader(f"{STEM}_rate.fits")["HISTORY"])
            for step in ("ramp_fit", "clean_flicker_noise"):
                assert (f"{step}.gain: mine.fits" in history) == (step == given)

    def test_dark_exposure(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        tiny_exposure.edit(tiny_raw, {"EXP_TYPE": "NRC_DARK"})
        done = jwcal("run", "calwebb_dark", tiny_raw, "--quiet")
        assert done.out.strip() == str(Path.cwd() / f"{STEM}_dark.fits")
        header = fits.getheader(f"{STEM}_dark.fits")
        assert (header["S_LINEAR"], header["DATAMODL"]) == ("COMPLETE", "RampModel")
        assert "S_DARK" not in header

    def test_what_steps_found_is_in_the_table(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        done = jwcal(
            "run", "detector1", tiny_raw, "--steps.jump.rejection_threshold=1",
            "--steps.large_events.skip=false", "--steps.large_events.min_radius=1",
            "--steps.visit_persistence.skip=false", f"--steps.visit_persistence.earlier={tiny_raw.parent}",
        )  # fmt: skip
        assert done.status == 0
        header = fits.getheader(f"{STEM}_rate.fits")
        text = " ".join(done.out.replace("│", " ").split())
        assert header["NSNOWBAL"] + header["NSHOWERS"] > 0
        for key in ("NSNOWBAL", "NSHOWERS"):
            assert f"{key} = {header[key]} ({header.comments[key]})" in text
        assert re.search(r"PRIMECRS = [0-9.]+ \(Cosmic rays per 1000 pixels per s\)", text)
        assert "no exposure of this detector and visit is earlier" in text

    def test_skipped_fit_is_told(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        done = jwcal("run", "detector1", tiny_raw, "--steps.ramp_fit.skip=true", "--quiet")
        assert done.status == 0
        assert "the product is a ramp" in done.err

    def test_first_step_alone_on_the_raw_file(self, jwcal: Jwcal, tiny_raw: Path) -> None:
        done = jwcal("run", "dq_init", tiny_raw, "--quiet")
        assert done.out.strip() == str(Path.cwd() / f"{STEM}_dq_init.fits")

    def test_threads_do_not_matter(self, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
        for threads in (1, 3):
            jwcal("run", "detector1", tiny_raw, "--output-dir", tmp_path / str(threads), "--threads", threads)
        one, three = (sci(tmp_path / n / f"{STEM}_rate.fits") for n in "13")
        np.testing.assert_array_equal(one, three)

    def test_context_on_the_command_line(
        self, jwcal: Jwcal, tiny_raw: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CRDS_CONTEXT", "jwst_9999.pmap")
        assert jwcal("run", "detector1", tiny_raw, "--context", tiny_exposure.CONTEXT).status == 0
        header = fits.getheader(f"{STEM}_rate.fits")
        assert header["CRDS_CTX"] == tiny_exposure.CONTEXT

    @pytest.mark.parametrize("stop", [KeyboardInterrupt(), Cancelled()])
    def test_stopped(
        self, stop: BaseException, jwcal: Jwcal, tiny_raw: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from jwcal_interactive import runner

        def stopped(*_arguments: Any) -> Any:
            raise stop

        monkeypatch.setattr(runner.Runner, "run", stopped)
        done = jwcal("run", "detector1", tiny_raw, "--quiet")
        assert (done.status, done.err.strip()) == (130, "jwcal: stopped.")
        assert list(tiny_raw.parent.iterdir()) == [tiny_raw]

    def test_missing_arguments(self, jwcal: Jwcal) -> None:
        for words in (["run"], ["run", "detector1"]):
            done = jwcal(*words)
            assert done.status == 2
            assert "Usage: " in done.err
            assert "Missing argument" in done.err

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--threads", "0"], "--threads: 0"),
            (
                ["--memory-limit", "2"],
                "--memory-limit: '2' is not an amount of memory: it must be a",
            ),
            (["--memory-limit", "much"], "such as 800MB or 2GB"),
            (["--memory-limit"], "requires an argument"),
        ],
    )
    def test_bad_option(self, words: list[str], told: str, jwcal: Jwcal, tiny_raw: Path) -> None:
        done = jwcal("run", "detector1", tiny_raw, *words)
        assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
        assert told in done.err
        assert "--help" in done.err

    def test_unknown_command(self, jwcal: Jwcal) -> None:
        done = jwcal("nonsense")
        assert (done.status, done.err) == (2, "jwcal: No such command 'nonsense'. See jwcal --help.\n")


class TestLab:
    """What is refused before JupyterLab starts."""

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("no.fits", None, "no such file"),
            ("no.json", None, "no such session file"),
            ("bad.json", "{}", "not a session file"),
            ("bad.ipynb", "{}", "not a session file"),
            ("bad.fits", "text", "not a FITS file"),
        ],
    )
    def test_bad_file(self, name: str, content: str | None, told: str, jwcal: Jwcal, tmp_path: Path) -> None:
        if content is not None:
            (tmp_path / name).write_text(content)
        before = list(tmp_path.iterdir())
        done = jwcal("lab", tmp_path / name, "--no-browser")
        assert (done.status, done.out) == (2, "")
        assert told in done.err
        assert list(tmp_path.iterdir()) == before

    def test_session_without_its_exposure(self, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
        from jwcal_interactive import open_session

        file = open_session(tiny_raw).save(tmp_path / "s.json")
        tiny_raw.unlink()
        done = jwcal("lab", file, "--no-browser")
        assert done.status == 2
        assert "no such file" in done.err


class TestSystem:
    @pytest.mark.parametrize(
        ("error", "told"),
        [(MemoryError(), "memory"), (OSError(28, "No space left on device"), "No space left")],
    )
    def test_one_line(self, error: Exception, told: str, jwcal: Jwcal, monkeypatch: pytest.MonkeyPatch) -> None:
        from jwcal_interactive.cli import steps

        def broken() -> Any:
            raise error

        monkeypatch.setattr(steps, "_pipelines", broken)
        done = jwcal("steps")
        assert (done.status, len(done.err.splitlines())) == (2, 1)
        assert told in done.err


class TestHelp:
    @pytest.mark.parametrize("command", [(), ("run",), ("demo",), ("lab",), ("steps",)])
    def test_reads_well(self, command: tuple[str, ...], jwcal: Jwcal) -> None:
        done = jwcal(*command, "--help")
        assert done.status == 0
        assert done.out.startswith("Usage: ")
        assert max(map(len, done.out.splitlines())) <= 100
        if command:
            assert "Options:" in done.out

    def test_all_commands_are_listed(self, jwcal: Jwcal) -> None:
        done = jwcal("--help")
        for command in main_module._COMMANDS:
            assert re.search(rf"^  {command} ", done.out, re.M)

    def test_run_names_the_official_spelling(self, jwcal: Jwcal) -> None:
        text = jwcal("run", "--help").out
        for piece in ("--steps.STEP.PARAM=VALUE", "override_REFTYPE=FILE", "--save_calibrated_ramp", "demo"):
            assert piece in text

    def test_version(self, jwcal: Jwcal) -> None:
        from jwcal_interactive import __version__

        assert __version__ in jwcal("--version").out


class TestSteps:
    def test_all(self, jwcal: Jwcal) -> None:
        out = jwcal("steps").out
        for recipe in RECIPES.values():
            assert recipe.alias in out
            for step in recipe.steps:
                assert step in out

    @pytest.mark.parametrize("step", STEPS)
    def test_one(self, step: str, jwcal: Jwcal) -> None:
        done = jwcal("steps", step)
        assert done.status == 0
        for info in STEPS[step].params.infos():
            assert f"{info.name} = {'none' if info.default is None else info.default}" in done.out.replace(
                "''", ""
            )
            assert info.help.split(",")[0].split()[-1] in done.out
            assert info.unit in done.out

    @pytest.mark.parametrize("words", [(), ("jump",), ("clean_flicker_noise",)])
    def test_narrow_terminal(
        self, words: tuple[str, ...], jwcal: Jwcal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Eighty columns are enough, without descriptions in a column of a few words."""
        monkeypatch.setenv("COLUMNS", "80")
        lines = jwcal("steps", *words).out.splitlines()
        assert max(map(len, lines)) <= 80
        wrapped = [len(line.strip(" │")) for line in lines if line[-1:] != "┃"]
        assert max(wrapped) > 70
        assert "…" not in "".join(lines)

    def test_unknown(self, jwcal: Jwcal) -> None:
        done = jwcal("steps", "jmup")
        assert (done.status, done.out) == (2, "")
        assert "Did you mean jump" in done.err

    def test_terminal_without_unicode(self) -> None:
        import os
        import subprocess
        import sys

        command = [Path(sys.executable).with_name("jwcal"), "steps"]
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
        done = subprocess.run(command, capture_output=True, env=environment, timeout=60)
        assert done.returncode == 0, done.stderr
