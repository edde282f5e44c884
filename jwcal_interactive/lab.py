"""Starting JupyterLab on the workbench, with the exposure already open."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jwcal_interactive.errors import InputError, NotebookError, one_line
from jwcal_interactive.io.atomic import atomic_path, writable_folder
from jwcal_interactive.io.raw import read_exposure
from jwcal_interactive.session.saved import is_saved_session, read_session

__all__ = ["open_lab", "write_workbench_notebook"]

_START_SECONDS = 60
_CELL_SECONDS = 600
_TAG = "jwcal-workbench"  # of the cell that opens the workbench; other cells are the user's


def write_workbench_notebook(
    file: Path, folder: Path, *, context: str | None = None, run: bool = False
) -> Path:
    """Write a notebook with a cell that opens a file in the workbench.

    A notebook that is there already keeps its other cells.

    Parameters
    ----------
    file : Path
        Raw exposure, saved session, or exported notebook.
    folder : Path
        Where the notebook goes.
    context : str, optional
        Source of the references.
    run : bool
        Run the pipeline before the workbench is shown.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the file cannot be used.
    OutputError
        If the notebook cannot be written.
    """
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    read_exposure(read_session(file).exposure if is_saved_session(file) else file)
    chosen = "" if context is None else f", context={context!r}"
    lines = [
        "from jwcal_interactive import open_session",
        "from jwcal_widgets import Workbench",
        "",
        f"session = open_session({str(file.resolve())!r}{chosen})",
        *(["session.run()"] if run else []),
        "Workbench(session)",
    ]
    text = "If no workbench is shown, run the cell below (Shift+Enter). `session` is there for further cells."
    path = writable_folder(folder) / f"{file.stem}_workbench.ipynb"
    notebook = _read_notebook(path)
    if notebook is None:
        cell = new_code_cell(
            metadata={"tags": [_TAG], "jupyter": {"source_hidden": True}}  # the room is for the workbench
        )
        notebook = new_notebook(
            cells=[new_markdown_cell(text), cell],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
    for cell in _workbench_cells(notebook):
        cell.source = "\n".join(lines)
    with atomic_path(path) as temporary:
        nbformat.write(notebook, temporary)
    return path


def _read_notebook(path: Path) -> Any:
    """Read a notebook that was written before; ``None`` if there is none."""
    import nbformat

    if not path.exists():
        return None
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: is there already and cannot be read as a notebook ({one_line(error)}). Move it away."
        ) from None
    if not _workbench_cells(notebook):
        raise InputError(
            f"{path}: is there already and has no cell tagged {_TAG}. Move it away, or give another --folder."
        )
    return notebook


def _workbench_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if _TAG in cell.metadata.get("tags", [])]


def open_lab(
    file: Path,
    *,
    context: str | None = None,
    folder: Path | None = None,
    run: bool = False,
    browser: bool = True,
    port: int | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Start JupyterLab on the workbench and stay until it ends.

    The notebook's cells are run by the server before the page opens, so that the workbench is there at once.

    Parameters
    ----------
    file, context, run
        As for `write_workbench_notebook`.
    folder : Path, optional
        Where the notebook goes and JupyterLab starts; by default the folder of the file.
    browser : bool
        Open the page; else only its address is said.
    port : int, optional
        Port of JupyterLab; by default a free one.
    say : callable
        Told the address.

    Raises
    ------
    InputError, OutputError
        As `write_workbench_notebook`.
    NotebookError
        If JupyterLab does not start.
    """
    notebook = write_workbench_notebook(file, folder or file.resolve().parent, context=context, run=run)
    port, token = port or _free_port(), secrets.token_hex(16)
    root = notebook.resolve().parent
    command = [
        sys.executable,
        *("-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={root}"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container; JupyterLab refuses it otherwise
    server = _Server(f"http://localhost:{port}", token)
    with (
        _ended_by_sigterm(),
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
    ):
        try:
            server.wait(process)
            address = f"{server.address}{_wide_workspace(server)}/tree/{notebook.name}?token={token}"
            say("starting the workbench…")
            _run_cells(server, notebook)
            say(f"JupyterLab: {address}\nPress Ctrl+C here to stop it.")
            if browser:
                webbrowser.open(address)
            process.wait()
        except KeyboardInterrupt:
            say("stopping JupyterLab")
        finally:
            process.terminate()


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that JupyterLab is ended too."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


class _Server:
    """The REST interface of a Jupyter server on this machine."""

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self._token = token

    def call(self, path: str, body: Any = None, method: str | None = None) -> Any:
        request = urllib.request.Request(
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the server answers."""
        for _ in range(_START_SECONDS * 5):
            if process.poll() is not None:
                break
            try:
                self.call("/api/status")
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.2)
            else:
                return
        raise NotebookError(
            "JupyterLab did not start. Try `python -m jupyterlab` to see why, and open the notebook there."
        )


def _wide_workspace(server: _Server) -> str:
    """Make the JupyterLab workspace ``jwcal``, with both side bars folded away, and give its path."""
    folded = {"collapsed": True, "visible": True}
    layout = {"left": folded, "right": folded, "relativeSizes": [0, 1, 0]}
    server.call(
        "/lab/api/workspaces/jwcal",
        {"data": {"layout-restorer:data": layout}, "metadata": {"id": "jwcal"}},
        method="PUT",
    )
    return "/lab/workspaces/jwcal"


def _run_cells(server: _Server, notebook: Path) -> None:
    """Open the workbench in a kernel of the server, and keep the output in the file.

    JupyterLab finds the kernel by the notebook's path and shows the widgets that live in it.
    """
    import nbformat
    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_core.paths import jupyter_runtime_dir
    from nbformat.sign import NotebookNotary
    from nbformat.v4 import output_from_msg

    session = server.call(
        "/api/sessions",
        {
            "path": notebook.name,
            "name": notebook.name,
            "type": "notebook",
            "kernel": {"name": "python3"},
        },
    )
    connection = Path(jupyter_runtime_dir()) / f"kernel-{session['kernel']['id']}.json"
    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_START_SECONDS)
        document = nbformat.read(notebook, as_version=4)
        for count, cell in enumerate(_workbench_cells(document), start=1):
            outputs: list[Any] = []

            def keep(message: dict[str, Any], outputs: list[Any] = outputs) -> None:
                kinds = ("stream", "display_data", "execute_result", "error")
                if message["header"]["msg_type"] in kinds:
                    outputs.append(output_from_msg(message))

            client.execute_interactive(cell.source, timeout=_CELL_SECONDS, output_hook=keep)
            cell.outputs, cell.execution_count = outputs, count
        with atomic_path(notebook) as temporary:
            nbformat.write(document, temporary)
        NotebookNotary().sign(document)  # JupyterLab shows widgets of trusted notebooks only
    finally:
        client.stop_channels()
