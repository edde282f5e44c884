"""Simulated raw exposures, and a demonstration CRDS context that calibrates them offline.

>>> from jwcal_interactive.simulate import ExposureSpec, simulate_exposure, write_level1b
>>> exposure = simulate_exposure(ExposureSpec(subarray="SUB640", ngroups=8))
>>> path = write_level1b(exposure, "folder")  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jwcal_interactive.simulate.crds_cache import DemoCache, build_demo_cache, open_demo_cache
    from jwcal_interactive.simulate.exposure import (
        CosmicRayHits,
        ExtendedEvent,
        SimulatedExposure,
        simulate_exposure,
    )
    from jwcal_interactive.simulate.level1b import write_level1b
    from jwcal_interactive.simulate.scene import Scene
    from jwcal_interactive.simulate.source import remove_superseded, source_hash
    from jwcal_interactive.simulate.spec import ExposureSpec
    from jwcal_interactive.simulate.truth import read_events, read_truth, write_truth

__all__ = [
    "CosmicRayHits",
    "DemoCache",
    "ExposureSpec",
    "ExtendedEvent",
    "Scene",
    "SimulatedExposure",
    "build_demo_cache",
    "open_demo_cache",
    "read_events",
    "read_truth",
    "remove_superseded",
    "simulate_exposure",
    "source_hash",
    "write_level1b",
    "write_truth",
]

# Loaded when asked for: finding the references of the demonstration must not wait for the simulator.
_WHERE = {
    "crds_cache": ("DemoCache", "build_demo_cache", "open_demo_cache"),
    "exposure": ("CosmicRayHits", "ExtendedEvent", "SimulatedExposure", "simulate_exposure"),
    "level1b": ("write_level1b",),
    "scene": ("Scene",),
    "source": ("remove_superseded", "source_hash"),
    "spec": ("ExposureSpec",),
    "truth": ("read_events", "read_truth", "write_truth"),
}


def __getattr__(name: str) -> Any:
    for module, names in _WHERE.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
