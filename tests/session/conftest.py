"""What the tests of sessions share."""

from __future__ import annotations

from typing import Any

import pytest

from jwcal_interactive.pipeline import run_step
from jwcal_interactive.session import running


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the steps that are computed, in order."""
    names: list[str] = []

    def counted(name: str, *arguments: Any) -> Any:
        names.append(name)
        return run_step(name, *arguments)

    monkeypatch.setattr(running, "run_step", counted)
    return names
