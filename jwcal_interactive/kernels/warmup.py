"""Compiling kernels once, ahead of the work, so that the wait is seen and explained."""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
from collections.abc import Callable, Iterable
from pathlib import Path

import jwcal_interactive.kernels as package
from jwcal_interactive.kernels.compiling import cache_folder, processor

__all__ = ["is_warm", "kernel_modules", "warm_up"]

_NOT_KERNELS = {"compiling", "signatures", "warmup"}


def kernel_modules() -> tuple[str, ...]:
    """Names of all modules with kernels."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name not in _NOT_KERNELS))


def _stamps(modules: Iterable[str]) -> list[Path | None]:
    """Files that mark the kernels of this very source as compiled, by this numba, for this processor.

    ``None`` without a folder for compiled code.
    """
    from importlib.metadata import version

    folder = cache_folder()
    if folder is None:
        return [None for _ in modules]
    source_folder = Path(next(iter(package.__path__)))
    common = f"{version('numba')} {processor()} {source_folder}".encode()
    for shared in ("compiling", "signatures"):
        common += (source_folder / f"{shared}.py").read_bytes()
    digests = {m: hashlib.sha256(common + (source_folder / f"{m}.py").read_bytes()) for m in modules}
    return [folder / f"compiled-{m}-{digest.hexdigest()[:16]}" for m, digest in digests.items()]


def is_warm(modules: Iterable[str]) -> bool:
    """Whether the kernels of modules were compiled before and only need loading."""
    return all(stamp is not None and stamp.exists() for stamp in _stamps(modules))


def warm_up(report: Callable[[int, int, str], None], modules: Iterable[str]) -> None:
    """Import modules with kernels, which compiles these or loads them from disk.

    Several processes may do so at once: numba moves what it has compiled into place, and all of them compile
    the same.

    Parameters
    ----------
    report : callable
        Called with (number done, number of modules, name of the next module).
    modules : iterable of str
        Names, as `kernel_modules` gives them.
    """
    modules = tuple(modules)
    for done, (name, stamp) in enumerate(zip(modules, _stamps(modules), strict=True)):
        report(done, len(modules), name)
        importlib.import_module(f"{package.__name__}.{name}")
        if stamp is not None and stamp.parent.is_dir() and os.access(stamp.parent, os.W_OK):
            stamp.touch()
    report(len(modules), len(modules), "")
