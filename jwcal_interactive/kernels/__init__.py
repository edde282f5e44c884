"""Pixel-wise numba kernels, one module per step.

Rules for a kernel module:

- it imports numpy, scipy, numba, :mod:`.signatures` and the DQ bits only, and keeps its helpers to itself
  (numba's disk cache does not notice a change in a helper of another module);
- kernels are ``@njit(signature, nogil=True, cache=True)``, work on the band of detector rows
  ``y0 <= y < y1`` of whole arrays, and write only to arrays named ``out_*``;
- no ``fastmath`` and no ``parallel``: the first changes results, the second cannot be cancelled.

Importing this package chooses the folder for compiled code before numba is loaded.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs


def _choose_cache_folder() -> None:
    """Point numba's disk cache at the user's cache folder, or a temporary one if that is read-only."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    for base in (
        Path(platformdirs.user_cache_dir("jwcal_interactive")),
        Path(tempfile.gettempdir()),
    ):
        folder = base / "numba"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            os.environ["NUMBA_CACHE_DIR"] = str(folder)
            return


_choose_cache_folder()
