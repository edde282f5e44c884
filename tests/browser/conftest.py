"""A private Jupyter server (JupyterLab, Notebook 7 and Voila) and a headless Chromium that drives it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.bench import Bench

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": '{"fetchNews": "false"}',
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": '{"windowingMode": "none"}',
}


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: where it listens, and the folder that it shows."""

    url: str
    folder: Path

    def write_notebook(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells into the folder; returns its address."""
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(notebook, self.folder / name)
        return f"{self.url}/lab/tree/{name}?reset"  # forget the tabs of earlier tests

    def stop_kernels(self) -> None:
        """End all kernels: a full-frame session holds gigabytes."""
        with urllib.request.urlopen(f"{self.url}/api/kernels", timeout=10) as answer:
            kernels = json.load(answer)
        for kernel in kernels:
            request = urllib.request.Request(f"{self.url}/api/kernels/{kernel['id']}", method="DELETE")
            urllib.request.urlopen(request, timeout=20).close()


def find_browser() -> str:
    """Path of a Chromium; without one the test is skipped, or fails where CI is set."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    message = f"no Chromium found (looked for {', '.join(BROWSERS)} on PATH)"
    if os.environ.get("CI"):
        pytest.fail(f"{message}; CI must install it", pytrace=False)
    pytest.skip(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path, timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at start:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{url}/api/status", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not answer in {timeout} s:\n{log.read_text()[-3000:]}")


def start_lab(base: Path) -> tuple[Lab, subprocess.Popen[bytes]]:
    """Start JupyterLab with configuration, settings, workspaces and data of its own below `base`."""
    work = base / "work"
    work.mkdir()
    for name, text in SETTINGS.items():
        path = base / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folders = {
        "JUPYTER_CONFIG_DIR": base / "config",
        "JUPYTER_DATA_DIR": base / "data",
        "JUPYTER_RUNTIME_DIR": base / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": base / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": base / "workspaces",
    }
    port = _free_port()
    log = base / "lab.log"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += ["--ServerApp.disable_check_xsrf=True"]
    command += ["--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
    command += [f"--ServerApp.root_dir={work}"]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=work,
            env={**os.environ, **{k: str(v) for k, v in folders.items()}},
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    lab = Lab(f"http://127.0.0.1:{port}", work)
    try:
        _wait_for(lab.url, process, log)
    except RuntimeError:
        process.kill()
        raise
    return lab, process


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    find_browser()
    server, process = start_lab(tmp_path_factory.mktemp("lab"))
    yield server
    process.terminate()
    process.wait(20)


@pytest.fixture
def bench(page: Page, lab: Lab) -> Bench:
    return Bench(page, lab)


@pytest.fixture
def page_errors() -> list[str]:
    """Exceptions of scripts in the page, which fail the test at its end."""
    return []


@pytest.fixture
def page(lab: Lab, tmp_path: Path, page_errors: list[str]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=find_browser(),
            headless=True,
            args=list(CHROMIUM_FLAGS),
            viewport={"width": 1600, "height": 1000},
        )
        page = context.pages[0] if context.pages else context.new_page()
        page.on("pageerror", lambda error: page_errors.append(str(error)))
        yield page
        context.close()
    lab.stop_kernels()
    assert not page_errors, page_errors
