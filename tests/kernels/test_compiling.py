"""Compiling kernels: where their code is kept, and what else in the process notices."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jwcal_interactive.kernels as package
from jwcal_interactive.kernels import compiling, warmup

SOURCES = sorted(Path(package.__path__[0]).glob("*.py"))


def run(code: str, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


CODE = """
import os
from numba import config, njit
from jwcal_interactive.kernels import ipc
from jwcal_interactive.kernels.compiling import cache_folder
print(cache_folder())
print(ipc.convolve.stats.cache_path)
print(repr(config.CACHE_DIR), os.environ.get("NUMBA_CACHE_DIR"))
"""


def test_the_settings_of_the_process_stay() -> None:
    folder, path, settings = run(CODE).splitlines()
    assert Path(path).is_relative_to(folder)
    assert settings == "'' None"


def test_the_folder_that_the_user_set_is_used(tmp_path: Path) -> None:
    folder, path, settings = run(CODE, NUMBA_CACHE_DIR=str(tmp_path)).splitlines()
    assert folder == str(tmp_path)
    assert Path(path).is_relative_to(tmp_path)
    assert settings == f"{str(tmp_path)!r} {tmp_path}"


def test_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import types

    monkeypatch.setattr(compiling, "cache_folder", lambda: None)
    monkeypatch.setattr(warmup, "cache_folder", lambda: None)

    @compiling.kernel(types.float64(types.float64))
    def doubled(x):
        return 2 * x

    assert doubled(1.5) == 3.0
    assert doubled.stats.cache_path is None
    assert not warmup.is_warm(["ipc"])


def test_stamp_is_for_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    before = warmup._stamps(["jump"])
    assert warmup._stamps(["jump"]) == before
    monkeypatch.setattr(warmup, "processor", lambda: "another")
    assert warmup._stamps(["jump"]) != before


def test_only_the_kernels_that_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmup, "cache_folder", lambda: tmp_path)
    assert not warmup.is_warm(["ipc"])
    seen: list[str] = []
    warmup.warm_up(lambda _done, _total, name: seen.append(name), ["ipc"])
    assert seen == ["ipc", ""]
    assert warmup.is_warm(["ipc"])
    assert not warmup.is_warm(["ipc", "linearity"])
    assert warmup.is_warm([])


def test_processor_is_that_of_numba() -> None:
    from numba.core.registry import cpu_target

    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    assert compiling.processor().startswith(f"{name} ")
    assert set(features.split(",")) <= set(compiling.processor().removeprefix(f"{name} ").split(","))


def test_kernels_hold_no_gil() -> None:
    from jwcal_interactive.kernels.ipc import convolve

    assert convolve.targetoptions["nogil"]


def test_every_type_is_used() -> None:
    names = {
        n.id
        for node in ast.parse((SOURCES[0].parent / "signatures.py").read_text()).body
        if isinstance(node, ast.Assign)
        for n in ast.walk(node)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    text = "".join(p.read_text() for p in SOURCES if p.name != "signatures.py")
    public = {n for n in names if not n.startswith("_")}
    assert len(public) > 20
    assert {n for n in public if not re.search(rf"\b{n}\b", text)} == set()
