"""The public surface: what it is, that it is documented, and that importing it is light."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import jwcal_interactive
from jwcal_interactive import errors

HEAVY = (
    "ipywidgets", "bqplot", "IPython", "numba", "astropy.io", "asdf", "stdatamodels", "crds", "matplotlib",
    "papermill", "nbformat", "scipy.ndimage", "jwcal_widgets", "jwst",
)  # fmt: skip


def test_names() -> None:
    names = jwcal_interactive.__all__
    assert len(set(names)) == len(names)
    for name in names:
        assert hasattr(jwcal_interactive, name)


def test_every_error_is_public() -> None:
    for name in errors.__all__:
        value = getattr(errors, name)
        if isinstance(value, type) and issubclass(value, errors.JwcalError | errors.Cancelled):
            assert getattr(jwcal_interactive, name) is value


@pytest.mark.parametrize("name", [n for n in jwcal_interactive.__all__ if not n.startswith("__")])
def test_documented(name: str) -> None:
    value: Any = getattr(jwcal_interactive, name)
    assert inspect.getdoc(value)
    if inspect.isclass(value):
        for method, function in vars(value).items():
            if not method.startswith("_") and (inspect.isfunction(function) or isinstance(function, property)):
                assert inspect.getdoc(function), f"{name}.{method}"


def test_described_for_users() -> None:
    """What users call first is in the README, ARCHITECTURE or the package's docstring."""
    root = Path(jwcal_interactive.__file__).parents[1]
    text = "".join((root / f).read_text() for f in ("README.md", "ARCHITECTURE.md")) + str(
        jwcal_interactive.__doc__
    )
    for name in ("open_session", "calibrate"):
        assert name in text, name


def test_import_is_light() -> None:
    code = (
        "import sys, time; start = time.process_time(); import jwcal_interactive; "
        "print(time.process_time() - start); print('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    seconds, *modules = done.stdout.splitlines()
    loaded = [m for m in modules if any(m == h or m.startswith(f"{h}.") for h in HEAVY)]
    assert not loaded
    assert float(seconds) < 2.0  # 0.3 s on an idle machine
