"""Every bad input of the command line: exit status 2, one message that helps, nothing left behind."""

from __future__ import annotations

import errno
import gzip
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_exposure
from astropy.io import fits

Jwcal = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("tiny_context")


def tree(folder: Path) -> set[str]:
    """Every file and folder below, hidden ones too."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


@pytest.fixture
def refused(jwcal: Jwcal, tmp_path: Path) -> Callable[..., str]:
    """Run ``jwcal run``, check how it ended, and give the message."""

    def check(file: object, *words: object, what: str = "detector1", status: int = 2) -> str:
        before = tree(tmp_path)
        done = jwcal("run", what, file, "--quiet", *words)
        assert done.status == status, done.err
        assert done.out == ""
        lines = done.err.splitlines()
        assert len(lines) == 1, done.err
        assert lines[0].startswith("jwcal: ")
        assert "Traceback" not in lines[0]
        left = {p for p in tree(tmp_path) - before if not (tmp_path / p).is_dir()}
        assert not left
        return lines[0]

    return check


Refused = Callable[..., str]


def mentions(message: str, *pieces: str) -> None:
    for piece in pieces:
        assert piece in message


# --- the file -----------------------------------------------------------------------------------------------


def test_the_small_exposure_is_good(jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
    """Else the refusals below would prove nothing."""
    done = jwcal("run", "detector1", tiny_raw, "--quiet", "--output-dir", tmp_path / "out")
    assert (done.status, done.err) == (0, "")
    stem = "jw00042001001_02101_00001_nrcalong"
    assert tree(tmp_path / "out") == {f"{stem}_rate.fits", f"{stem}_rateints.fits"}


def test_missing_file(refused: Refused, tmp_path: Path) -> None:
    mentions(refused(tmp_path / "no_uncal.fits"), "no_uncal.fits", "no such file", "Check the path")


def test_missing_folder_is_not_created(refused: Refused, tmp_path: Path) -> None:
    mentions(refused(tmp_path / "nowhere" / "no_uncal.fits"), "no such file")
    assert not (tmp_path / "nowhere").exists()


def test_folder_given_as_file(refused: Refused, tmp_path: Path) -> None:
    mentions(refused(tmp_path), "is a folder without exposures", "_uncal.fits", "_ramp.fits")


@pytest.mark.parametrize("content", [b"", b"not a FITS file\n", b"\x89PNG\r\n\x1a\n" * 100, b"SIMPLE"])
def test_not_fits(content: bytes, refused: Refused, tmp_path: Path) -> None:
    file = tmp_path / "x_uncal.fits"
    file.write_bytes(content)
    mentions(refused(file), "x_uncal.fits", "not a FITS file")


@pytest.mark.parametrize("head", [b"SIMPLE  =                    T", b"SIMPLE  = nonsense".ljust(80) * 36])
def test_only_the_beginning_is_fits(head: bytes, refused: Refused, tmp_path: Path) -> None:
    file = tmp_path / "x_uncal.fits"
    file.write_bytes(head)
    mentions(refused(file), "x_uncal.fits")


@pytest.mark.parametrize("kept", [100, 2880, 5000, 30_000, 60_000, -2880, -1])
def test_truncated(kept: int, refused: Refused, tiny_raw: Path) -> None:
    tiny_raw.write_bytes(tiny_raw.read_bytes()[:kept])
    mentions(refused(tiny_raw), tiny_raw.name)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.99])
def test_truncated_gzip(fraction: float, refused: Refused, tiny_raw: Path) -> None:
    packed = gzip.compress(tiny_raw.read_bytes())
    file = tiny_raw.with_name(tiny_raw.name + ".gz")
    file.write_bytes(packed[: int(len(packed) * fraction)])
    mentions(refused(file), file.name, "truncated")


def test_gzip_of_something_else(refused: Refused, tmp_path: Path) -> None:
    file = tmp_path / "x_uncal.fits.gz"
    file.write_bytes(gzip.compress(b"hello"))
    mentions(refused(file), "not a FITS file")


def test_gzip_under_a_plain_name_is_read(jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
    tiny_raw.write_bytes(gzip.compress(tiny_raw.read_bytes()))
    done = jwcal("run", "detector1", tiny_raw, "--quiet", "--output-dir", tmp_path / "out")
    assert (done.status, done.err) == (0, "")


def test_no_sci(refused: Refused, tiny_raw: Path) -> None:
    with fits.open(tiny_raw, mode="update") as hdus:
        hdus["SCI"].name = "DATA"
    mentions(refused(tiny_raw), "no SCI extension", "DATA", "(integration, group, y, x)")


def test_sci_is_a_table(refused: Refused, tiny_raw: Path) -> None:
    with fits.open(tiny_raw) as hdus:
        table = fits.BinTableHDU(np.zeros(3, dtype=[("a", "f4")]), name="SCI")
        fits.HDUList([hdus[0].copy(), table]).writeto(tiny_raw, overwrite=True)
    mentions(refused(tiny_raw), "SCI")


def test_sci_without_pixels(refused: Refused, tiny_raw: Path) -> None:
    with fits.open(tiny_raw) as hdus:
        hdus[1] = fits.ImageHDU(header=None, name="SCI")
        fits.HDUList([hdus[0].copy(), hdus[1]]).writeto(tiny_raw, overwrite=True)
    mentions(refused(tiny_raw), "SCI", "4 axes")


@pytest.mark.parametrize("suffix", ["rate", "rateints"])
def test_product_where_a_raw_exposure_is_needed(
    suffix: str, refused: Refused, jwcal: Jwcal, tiny_raw: Path, tmp_path: Path
) -> None:
    jwcal("run", "detector1", tiny_raw, "--quiet", "--output-dir", tmp_path / "out")
    file = next((tmp_path / "out").glob(f"*_{suffix}.fits"))
    mentions(refused(file), f"like a {suffix}", "_uncal.fits")


# --- keywords -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("INSTRUME", None), ("INSTRUME", "NIRCAMM"), ("INSTRUME", "WFC3"), ("INSTRUME", 5), ("INSTRUME", ""),
        ("DETECTOR", None), ("DETECTOR", "NRCA9"), ("DETECTOR", "NRS1"), ("DETECTOR", True),
        ("EXP_TYPE", None), ("EXP_TYPE", 3.5),
        ("NGROUPS", None), ("NGROUPS", 0), ("NGROUPS", -5), ("NGROUPS", 4.5), ("NGROUPS", "five"),
        ("NGROUPS", "NaN"),
        ("NGROUPS", True), ("NGROUPS", 6), ("NGROUPS", 10**30),
        ("NINTS", None), ("NINTS", 0), ("NINTS", "2"),
        ("NFRAMES", None), ("NFRAMES", 0), ("NFRAMES", -1), ("NFRAMES", 1.5),
        ("GROUPGAP", None), ("GROUPGAP", -1),
        ("TGROUP", None), ("TGROUP", 0.0), ("TGROUP", -0.27), ("TGROUP", "0.27"),
        ("TGROUP", False), ("TGROUP", "nan"),
        ("TFRAME", -1.0), ("FRMDIVSR", 0), ("FRMDIVSR", "x"), ("NOUTPUTS", 0),
    ],
)  # fmt: skip
def test_primary_keyword(keyword: str, value: Any, refused: Refused, tiny_raw: Path) -> None:
    tiny_exposure.edit(tiny_raw, {keyword: value})
    message = refused(tiny_raw)
    mentions(message, tiny_raw.name, keyword)
    if value is None:
        mentions(message, "is missing")


@pytest.mark.parametrize("keyword", ["SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2"])
@pytest.mark.parametrize("value", [None, 0, -4, 1.5, "1", 65, 4096])
def test_subarray_keyword(keyword: str, value: Any, refused: Refused, tiny_raw: Path) -> None:
    tiny_exposure.edit(tiny_raw, {keyword: value})
    mentions(refused(tiny_raw), keyword)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("FASTAXIS", None),
        ("FASTAXIS", 0),
        ("FASTAXIS", 3),
        ("FASTAXIS", 2),
        ("SLOWAXIS", 1),
        ("SLOWAXIS", None),
    ],
)
def test_readout_direction(keyword: str, value: Any, refused: Refused, tiny_raw: Path) -> None:
    tiny_exposure.edit(tiny_raw, {keyword: value})
    mentions(refused(tiny_raw), "SLOWAXIS" if keyword == "SLOWAXIS" or value == 2 else keyword)


@pytest.mark.parametrize("text", ["NaN", "Inf", "1.0E999", "???"])
def test_keyword_that_fits_does_not_know(text: str, refused: Refused, tiny_raw: Path) -> None:
    """Such cards cannot be written with astropy, but other software has."""
    content = tiny_raw.read_bytes()
    start = content.index(b"TGROUP  =")
    card = b"TGROUP  = " + text.encode().rjust(20)
    tiny_raw.write_bytes(content[:start] + card.ljust(80) + content[start + 80 :])
    mentions(refused(tiny_raw), "TGROUP")


@pytest.mark.parametrize("keyword", ["NINTS", "NGROUPS", "SUBSIZE1", "SUBSIZE2"])
def test_array_disagrees_with_header(keyword: str, refused: Refused, tiny_raw: Path) -> None:
    with fits.open(tiny_raw) as hdus:
        keywords = (("INTSTART", None), ("INTEND", None), (keyword, hdus[0].header.get(keyword, 64) + 1))
    tiny_exposure.edit(tiny_raw, {k: v for k, v in keywords if v is not None or keyword == "NINTS"})
    mentions(refused(tiny_raw), keyword, "shape", "(2, 5, 64, 64)")


def test_dq_of_another_shape(refused: Refused, tiny_raw: Path) -> None:
    with fits.open(tiny_raw, mode="append") as hdus:
        hdus.append(fits.ImageHDU(np.zeros((10, 10), np.uint32), name="PIXELDQ"))
    mentions(refused(tiny_raw), "PIXELDQ", "(10, 10)", "(64, 64)")


def test_pipeline_for_other_exposures(refused: Refused, tiny_raw: Path) -> None:
    mentions(refused(tiny_raw, what="guider"), "calwebb_guider", "NRC_IMAGE")
    tiny_exposure.edit(tiny_raw, {"EXP_TYPE": "FGS_TRACK"})
    mentions(refused(tiny_raw), "calwebb_detector1", "FGS_TRACK", "guider")


# --- references ---------------------------------------------------------------------------------------------


def override(step: str, reftype: str, file: object) -> str:
    return f"--steps.{step}.override_{reftype}={file}"


def test_override_is_missing(refused: Refused, tiny_raw: Path, tmp_path: Path) -> None:
    message = refused(tiny_raw, override("jump", "gain", tmp_path / "no_gain.fits"))
    mentions(message, "gain", "jump", "no_gain.fits", "no such file", "N/A")


@pytest.mark.parametrize("content", [b"", b"no FITS", b"SIMPLE  =                    T"])
def test_override_is_not_fits(content: bytes, refused: Refused, tiny_raw: Path, tmp_path: Path) -> None:
    file = tmp_path / "gain.fits"
    file.write_bytes(content)
    mentions(refused(tiny_raw, override("jump", "gain", file)), "gain reference", str(file), "FITS")


def test_override_is_truncated(refused: Refused, tiny_raw: Path, tmp_path: Path) -> None:
    file = tiny_exposure.write_reference(tmp_path, "gain")
    file.write_bytes(file.read_bytes()[:10_000])
    mentions(refused(tiny_raw, override("jump", "gain", file)), "gain reference", str(file))


def test_override_of_another_type(refused: Refused, tiny_raw: Path, tmp_path: Path) -> None:
    file = tiny_exposure.write_reference(tmp_path, "readnoise")
    mentions(refused(tiny_raw, override("jump", "gain", file)), "gain", "REFTYPE", "READNOISE")
    file = tiny_exposure.write_reference(tmp_path, "mask", REFTYPE=None)
    mentions(refused(tiny_raw, override("jump", "gain", file)), "no SCI extension", "another type")


@pytest.mark.parametrize(("keyword", "value"), [("DETECTOR", "NRCBLONG"), ("INSTRUME", "NIRISS")])
def test_override_of_another_detector(
    keyword: str, value: str, refused: Refused, tiny_raw: Path, tmp_path: Path
) -> None:
    file = tiny_exposure.write_reference(tmp_path, "gain", **{keyword: value})
    mentions(refused(tiny_raw, override("jump", "gain", file)), keyword, value, "same detector")


@pytest.mark.parametrize("keywords", [{"SUBSTRT1": 5}, {"SUBSTRT2": 65}, {"size": 32}, {"SUBSTRT1": None}])
def test_override_of_another_subarray(
    keywords: dict[str, Any], refused: Refused, tiny_raw: Path, tmp_path: Path
) -> None:
    file = tiny_exposure.write_reference(tmp_path, "gain", **keywords)
    mentions(refused(tiny_raw, override("jump", "gain", file)), "gain reference", "64")


def test_flags_of_another_shape_than_the_data(refused: Refused, tiny_raw: Path, tmp_path: Path) -> None:
    file = tiny_exposure.write_reference(tmp_path, "superbias")
    with fits.open(file, mode="update") as hdus:
        hdus["DQ"].data = np.zeros((60, 60), np.uint32)
    mentions(refused(tiny_raw, override("superbias", "superbias", file)), "superbias reference", "DQ", "60")


def test_reference_without_axes(refused: Refused, tiny_raw: Path, tmp_path: Path) -> None:
    file = tiny_exposure.write_reference(tmp_path, "gain")
    with fits.open(file) as hdus:
        hdus["SCI"].data = None
        hdus.writeto(file, overwrite=True)
    mentions(refused(tiny_raw, override("jump", "gain", file)), "gain reference", "SCI")


def test_linearity_without_coefficients(refused: Refused, tiny_raw: Path, tmp_path: Path) -> None:
    file = tiny_exposure.write_reference(tmp_path, "linearity")
    with fits.open(file, mode="update") as hdus:
        hdus["COEFFS"].data = np.ones((64, 64), np.float32)
    mentions(refused(tiny_raw, override("linearity", "linearity", file)), "linearity reference", "COEFFS")


def test_override_of_a_type_that_the_step_does_not_use(
    refused: Refused, tiny_raw: Path, tmp_path: Path
) -> None:
    message = refused(tiny_raw, override("jump", "flat", tmp_path / "x.fits"))
    mentions(message, "jump", "'flat'", "gain, readnoise")


@pytest.fixture
def hanging_server() -> Iterator[str]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for connection in kept:
            connection.close()


def test_no_cache_and_no_network(
    refused: Refused, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "nothing"))
    message = refused(tiny_raw, "--output-dir", tmp_path / "out")
    mentions(message, "CRDS", str(tmp_path / "nothing"), "http://127.0.0.1:9", "--context demo")


def test_no_context_is_named(
    refused: Refused, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "nothing"))
    monkeypatch.delenv("CRDS_CONTEXT")
    mentions(refused(tiny_raw), "CRDS_PATH", "--context demo")


def test_server_that_never_answers(
    refused: Refused, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hanging_server: str
) -> None:
    monkeypatch.setenv("CRDS_PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("CRDS_SERVER_URL", hanging_server)
    monkeypatch.setenv("CRDS_CLIENT_TIMEOUT_SECONDS", "1")
    mentions(refused(tiny_raw), "CRDS", hanging_server)


def test_network_has_a_time_limit(tiny_raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CRDS itself would wait for an hour."""
    from jwcal_interactive.references.client import crds_environment, open_context

    monkeypatch.delenv("CRDS_CLIENT_TIMEOUT_SECONDS", raising=False)
    with crds_environment(open_context()):
        from crds.core import config

        assert config.get_client_timeout_seconds() <= 60


def test_context_that_does_not_exist(refused: Refused, tiny_raw: Path) -> None:
    mentions(refused(tiny_raw, "--context", "jwst_9999.pmap"), "jwst_9999.pmap", "CRDS")
    mentions(refused(tiny_raw, "--context", "Demo"), "'Demo'", "demo")
    mentions(refused(tiny_raw, "--context", "../../etc/passwd"), "../../etc/passwd")


def test_reference_missing_from_the_cache(
    refused: Refused, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tiny_exposure.build_crds_cache(tmp_path / "crds")
    monkeypatch.setenv("CRDS_PATH", str(cache))
    next(cache.rglob("*gain_0001.fits")).unlink()
    mentions(refused(tiny_raw), "jwst_nircam_gain_0001.fits", "CRDS")


def test_mapping_that_is_damaged(
    refused: Refused, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tiny_exposure.build_crds_cache(tmp_path / "crds", context="jwst_0008.pmap")
    monkeypatch.setenv("CRDS_PATH", str(cache))
    imap = next(cache.rglob("*.imap"))
    imap.write_text(imap.read_text()[:200])
    mentions(refused(tiny_raw, "--context", "jwst_0008.pmap"), "CRDS", imap.name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"#ASDF 1.0.0\n%YAML 1.1\n---\n{a: [1\n...\n",
        b"#ASDF 1.0.0\n%YAML 1.1\n---\nmeta: {}\n...\n",
    ],
)
def test_unreadable_parameter_reference(
    content: bytes, refused: Refused, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tiny_exposure.build_crds_cache(tmp_path / "crds", pars={"pars-jumpstep": {"parameters": {}}})
    monkeypatch.setenv("CRDS_PATH", str(cache))
    file = next(cache.rglob("*pars-jumpstep*.asdf"))
    file.write_bytes(content)
    mentions(refused(tiny_raw), file.name, "parameter reference")


@pytest.mark.parametrize("parameters", ["text", [1, 2], None])
def test_parameter_reference_without_names(
    parameters: Any, refused: Refused, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tiny_exposure.build_crds_cache(
        tmp_path / "crds", pars={"pars-jumpstep": {"parameters": parameters}}
    )
    monkeypatch.setenv("CRDS_PATH", str(cache))
    mentions(refused(tiny_raw), "parameter reference", "pars-jumpstep")


# --- settings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "pieces"),
    [
        (["--steps.jmup.rejection_threshold=5"], ["'jmup'", "Did you mean jump"]),
        (["--steps.jump.rejection_treshold=5"], ["'rejection_treshold'", "Did you mean rejection_threshold"]),
        (
            ["--steps.jump.rejection_threshold=nan"],
            ["jump.rejection_threshold", "nan", "float >= 0", "sigma"],
        ),
        (["--steps.jump.rejection_threshold=inf"], ["inf", "float >= 0"]),
        (["--steps.jump.rejection_threshold=-1"], ["'-1'", "float >= 0"]),
        (["--steps.jump.rejection_threshold="], ["rejection_threshold", "float >= 0"]),
        (["--steps.jump.rejection_threshold=five"], ["'five'", "float >= 0"]),
        (["--steps.jump.minimum_groups=3.5"], ["'3.5'", "int >= 0"]),
        (["--steps.jump.flag_4_neighbors=perhaps"], ["'perhaps'", "bool"]),
        (["--steps.rscd.skip=false"], ["rscd", "not part of calwebb_detector1"]),
        (["--steps.guider_cds.skip=true"], ["guider_cds", "not part of calwebb_detector1"]),
        (["--steps.jump.rejection_threshold"], ["needs a value"]),
        (["--steps.jump=5"], ["--steps.jump", "--steps.STEP.PARAM=VALUE"]),
        (["--steps..=5"], ["no step"]),
        (["--steps.jump.=5"], ["no parameter ''"]),
        (["--steps.jump.override_=x"], ["type ''"]),
        (["--rejection_threshold=5"], ["--rejection_threshold", "--steps.STEP.PARAM=VALUE"]),
        (["--save_calibrated_ramp=maybe"], ["save_calibrated_ramp", "true or false"]),
        (["another_uncal.fits"], ["unexpected argument", "another_uncal.fits"]),
    ],
)
def test_settings(words: list[str], pieces: list[str], refused: Refused, tiny_raw: Path) -> None:
    mentions(refused(tiny_raw, *words), *pieces)


def test_unknown_pipeline_or_step(refused: Refused, tiny_raw: Path) -> None:
    mentions(refused(tiny_raw, what="detector2"), "'detector2'", "detector1", "jump")
    mentions(refused(tiny_raw, what="rscd"), "rscd", "calwebb_detector1")
    mentions(refused(tiny_raw, what="guider_cds"), "guider_cds", "calwebb_detector1")
    mentions(refused(tiny_raw, what="gain_scale"), "gain_scale", "detector1")


def test_settings_are_checked_before_the_file(refused: Refused, tiny_raw: Path) -> None:
    mentions(refused("nowhere.fits", "--steps.jump.rejection_threshold=nan"), "rejection_threshold")


# --- output -------------------------------------------------------------------------------------------------


def test_output_below_a_file(refused: Refused, tiny_raw: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    mentions(refused(tiny_raw, "--output-dir", tmp_path / "file"), str(tmp_path / "file"), "--output-dir")
    mentions(refused(tiny_raw, "--output-dir", tmp_path / "file" / "x"), str(tmp_path / "file" / "x"))


def test_output_folder_is_read_only(
    refused: Refused, tiny_raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The super-user may write everywhere, so the refusal is made up."""
    plain = Path.touch

    def touch(self: Path, *arguments: Any, **more: Any) -> None:
        if self.parent == tmp_path / "out":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        plain(self, *arguments, **more)

    monkeypatch.setattr(Path, "touch", touch)
    message = refused(tiny_raw, "--output-dir", tmp_path / "out")
    mentions(message, str(tmp_path / "out"), "Permission denied", "--output-dir")


def test_output_name_is_taken_by_a_folder(refused: Refused, tiny_raw: Path, tmp_path: Path) -> None:
    taken = tmp_path / "out" / tiny_raw.name.replace("_uncal", "_rate")
    taken.mkdir(parents=True)
    mentions(refused(tiny_raw, "--output-dir", tmp_path / "out"), str(taken))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files have no names here")
@pytest.mark.parametrize("product", ["rate", "rateints"])
@pytest.mark.parametrize("moment", ["header", "pixels", "rename"])
def test_disk_full(
    moment: str,
    product: str,
    refused: Refused,
    tiny_raw: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raising = f"_{product}."

    def failing(plain: Callable[..., Any], name_of: Callable[..., str]) -> Callable[..., Any]:
        def call(self: Any, *arguments: Any, **more: Any) -> Any:
            if raising in name_of(self):
                raise full
            return plain(self, *arguments, **more)

        return call

    if moment in ("header", "pixels"):
        writes: list[int] = []
        plain = os.pwrite

        def call(file: int, *arguments: Any) -> int:
            if raising in str(Path(f"/proc/self/fd/{file}").readlink()):
                writes.append(file)
                if moment == "header" or len(writes) > 9:  # after the headers of the extensions
                    raise full
            return plain(file, *arguments)

        monkeypatch.setattr(os, "pwrite", call)
    else:
        monkeypatch.setattr(Path, "replace", failing(Path.replace, str))
    message = refused(tiny_raw, "--output-dir", tmp_path / "out")
    mentions(message, f"_{product}.fits", "No space left on device", "--output-dir")


_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv[1:2] = []
from jwcal_interactive.cli.main import main
main()
"""


def test_file_size_limit_of_the_system(jwcal: Jwcal, tiny_raw: Path, tmp_path: Path) -> None:
    """A limit that the system itself sets, in a process of its own: 40 kB, the rate product has 100 kB."""
    jwcal("run", "detector1", tiny_raw, "--quiet", "--output-dir", tmp_path / "kernels")  # else compiled below
    out = tmp_path / "out"
    words = ["40000", "run", "detector1", str(tiny_raw), "--quiet", "--output-dir", str(out)]
    done = subprocess.run([sys.executable, "-c", _LIMITED, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    mentions(done.stderr, "_rate.fits", "cannot be written", "--output-dir")
    assert tree(out) == set()


# --- the real command ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "pieces"),
    [
        (["run", "detector1", "nowhere_uncal.fits"], ["nowhere_uncal.fits", "no such file"]),
        (["run", "detector1", "{raw}"], ["CRDS", "--context demo"]),
        (["run", "detector1", "{raw}", "--steps.jump.rejection_threshold=nan"], ["float >= 0"]),
        (["steps", "jmup"], ["Did you mean jump"]),
    ],
)
def test_process(words: list[str], pieces: list[str], tiny_raw: Path, tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("jwcal"), *(w.format(raw=tiny_raw) for w in words)]
    environment = {**os.environ, "CRDS_PATH": str(tmp_path / "nothing")}
    before = tree(tmp_path)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120)
    assert done.returncode == 2
    assert done.stdout == ""
    messages = [line for line in done.stderr.splitlines() if line.startswith("jwcal: ")]
    assert len(messages) == 1
    mentions(messages[0], *pieces)
    assert "Traceback" not in done.stderr
    assert "CRDS - " not in done.stderr
    assert tree(tmp_path) == before
