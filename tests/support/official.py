"""Running the official pipeline with the references of the embedded context, watching each step."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jwcal_interactive.instruments import GUIDER_EXP_TYPES
from jwcal_interactive.io.raw import read_exposure
from jwcal_interactive.references.client import DEMO, crds_environment, open_context


@contextlib.contextmanager
def demo_crds(path: Path) -> Iterator[None]:
    """Let the official pipeline take all references of an exposure from the embedded context."""
    exposure = read_exposure(path)
    context = open_context(DEMO, exposure=exposure)
    assert context.demo is not None
    if exposure.exp_type not in GUIDER_EXP_TYPES:
        context.demo.make_for(exposure.detector, exposure.subarray, exposure.readpatt, optional=True)
    with crds_environment(context):
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
        demo_crds(path),
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
        if step.parent is not None:  # not one that another step runs for itself
            watch(name, result)
        return result

    return watched
