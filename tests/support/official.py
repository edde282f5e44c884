"""Running the official pipeline with the references of the embedded context, watching each step."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jwcal_interactive.references.client import DEMO, crds_environment, open_context


@contextlib.contextmanager
def demo_crds() -> Iterator[None]:
    """Let the official pipeline take its references from the embedded context."""
    with crds_environment(open_context(DEMO)):
        yield


def run_official(
    pipeline: str,
    path: Path,
    watch: Callable[[str, Any], None],
    steps: Mapping[str, Mapping[str, Any]],
) -> Any:
    """Run an official pipeline; ``watch(step, model)`` sees the model (or models) after each step."""
    from jwst import pipeline as official

    cls = getattr(official, pipeline)
    with (
        demo_crds(),
        warnings.catch_warnings(),
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as scratch,  # some steps write into the working folder
    ):
        warnings.simplefilter("ignore")
        patch.chdir(scratch)
        for name, step in cls.step_defs.items():
            patch.setattr(step, "process", _watched(name, step.process, watch))
        return cls.call(str(path), steps={k: dict(v) for k, v in steps.items()}, save_results=False)


def _watched(name: str, process: Callable[..., Any], watch: Callable[[str, Any], None]) -> Callable[..., Any]:
    def watched(step: Any, *inputs: Any) -> Any:
        result = process(step, *inputs)
        watch(name, result)
        return result

    return watched
