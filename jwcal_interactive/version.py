"""Version of this software as products and sessions record it."""

from __future__ import annotations

from importlib.metadata import version

__all__ = ["CAL_VER", "VERSION"]

VERSION = version("jwcal-interactive")
CAL_VER = f"jwcal_interactive {VERSION}"  # keyword CAL_VER of products
