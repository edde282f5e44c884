"""``jwcal lab``: the page opens with the workbench already there."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


def _address(process: subprocess.Popen[str], seconds: float) -> str:
    """Address that the command prints on standard error."""
    lines: queue.Queue[str] = queue.Queue()
    assert process.stderr is not None
    stream = process.stderr

    def listen() -> None:
        with contextlib.suppress(ValueError):  # closed at the end
            for line in stream:
                lines.put(line)

    threading.Thread(target=listen, daemon=True).start()
    seen = ""
    while found := lines.get(timeout=seconds):
        seen += found
        if match := re.search(r"http://\S+", found):
            return match.group(0)
    raise AssertionError(f"no address in: {seen}")


def test_workbench_is_there_when_the_page_opens(page: Any, raw_sub640: Path, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("jwcal")), "lab", str(raw_sub640)]
    command += ["--context", "demo", "--folder", str(tmp_path), "--no-browser"]
    environment = {**os.environ, "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces")}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        page.goto(_address(process, seconds=120))
        page.wait_for_selector(".jwcal .bqplot image", timeout=60_000)
        page.locator(".jwcal button", has_text=re.compile(r"^\s*Run$")).wait_for(timeout=30_000)
    finally:
        process.terminate()  # SIGINT is ignored by what runs in the background
        process.wait(30)
        assert process.stderr is not None
        process.stderr.close()
    notebooks = [p.name for p in tmp_path.glob("*.ipynb")]
    assert notebooks == [f"{raw_sub640.stem}_workbench.ipynb"]
