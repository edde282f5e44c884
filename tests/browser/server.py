"""A private Jupyter server (JupyterLab, Notebook 7 and Voila) and a headless Chromium."""

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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import BrowserContext, sync_playwright

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


class NoBrowserError(LookupError):
    """There is no Chromium on this machine."""


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
    """Path of a Chromium.

    Raises
    ------
    NoBrowserError
        If there is none on PATH.
    """
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    raise NoBrowserError(f"no Chromium found (looked for {', '.join(BROWSERS)} on PATH)")


@contextmanager
def open_browser(profile: Path, width: int = 1600, height: int = 1000) -> Iterator[BrowserContext]:
    """Start a headless Chromium with a profile folder of its own."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=find_browser(),
            headless=True,
            args=list(CHROMIUM_FLAGS),
            viewport={"width": width, "height": height},
        )
        try:
            yield context
        finally:
            context.close()


@contextmanager
def running_lab(base: Path) -> Iterator[Lab]:
    """Run a server with configuration, settings, workspaces and data of its own below `base`."""
    lab, process = _start(base)
    try:
        yield lab
    finally:
        process.terminate()
        process.wait(20)


def _start(base: Path) -> tuple[Lab, subprocess.Popen[bytes]]:
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path, timeout: float = 180.0) -> None:
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
