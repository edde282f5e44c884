"""The decorator of kernels: compiled for one signature, kept on disk in the user's cache folder."""

from __future__ import annotations

import functools
import os
import tempfile
import threading
from pathlib import Path

import platformdirs

__all__ = ["cache_folder", "kernel", "processor"]

_decorating = threading.RLock()


@functools.cache
def _own_folder() -> Path | None:
    for base in (platformdirs.user_cache_dir("jwcal_interactive"), tempfile.gettempdir()):
        folder = Path(base) / "numba"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None


def cache_folder() -> Path | None:
    """Folder of the compiled code: NUMBA_CACHE_DIR if the user set it, else one in the user's cache folder.

    A temporary folder if that is read-only; ``None`` if that is, too.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    return Path(chosen) if chosen else _own_folder()


def processor() -> str:
    """Name and features of this processor, for which numba compiles."""
    from llvmlite import binding  # type: ignore[import-untyped]

    return f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"


def kernel(signature, **options):
    """Compile a function for a signature, without the GIL and with numba's disk cache.

    numba takes its folder for the cache from a setting of the process at the moment of decoration. It is
    set for that moment only, so that other users of numba in the process, and its children, keep theirs.
    """
    from numba import config, njit

    def compiled(function):
        folder = cache_folder()
        with _decorating:
            before = config.CACHE_DIR
            config.CACHE_DIR = before or str(folder or "")
            try:
                return njit(signature, nogil=True, cache=folder is not None, **options)(function)
            finally:
                config.CACHE_DIR = before

    return compiled
