"""Compiling all kernels once, ahead of the work, so that the wait is seen and explained."""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
from collections.abc import Callable
from pathlib import Path

import jwcal_interactive.kernels as package
from jwcal_interactive.kernels.compiling import cache_folder, processor

__all__ = ["is_warm", "warm_up"]

_NOT_KERNELS = {"compiling", "signatures", "warmup"}


def _modules() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name not in _NOT_KERNELS)


def _stamp() -> Path | None:
    """File that marks the kernels of this very source as compiled, by this numba, for this processor.

    ``None`` without a folder for compiled code.
    """
    from importlib.metadata import version

    folder = cache_folder()
    if folder is None:
        return None
    source = hashlib.sha256(f"{version('numba')} {processor()}".encode())
    for source_folder in package.__path__:
        for file in sorted(Path(source_folder).glob("*.py")):
            source.update(str(file).encode())
            source.update(file.read_bytes())
    return folder / f"compiled-{source.hexdigest()[:16]}"


def is_warm() -> bool:
    """Whether all kernels were compiled before and only need loading."""
    stamp = _stamp()
    return stamp is not None and stamp.exists()


def warm_up(report: Callable[[int, int, str], None]) -> None:
    """Import every kernel module, which compiles its kernels or loads them from disk.

    Parameters
    ----------
    report : callable
        Called with (number done, number of modules, name of the next module).
    """
    modules = _modules()
    for done, name in enumerate(modules):
        report(done, len(modules), name)
        importlib.import_module(f"{package.__name__}.{name}")
    report(len(modules), len(modules), "")
    stamp = _stamp()
    if stamp is not None and stamp.parent.is_dir() and os.access(stamp.parent, os.W_OK):
        stamp.touch()
