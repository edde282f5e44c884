"""Colours of lines and symbols in plots: as readable on the light theme as on the dark one.

Their luminance is in the middle, so that they stand out from white by 4.5 : 1 and from the black of the dark
theme by 4 : 1. Colour never tells things apart by itself: shapes, line styles and labels do, too.
"""

from __future__ import annotations

__all__ = ["AVERAGE", "BRANCH", "FIT", "LEVEL", "LIMIT", "MAIN", "PINS", "PREVIEW", "SECOND", "SERIES"]

MAIN, SECOND = "#3774d2", "#c8500c"
FIT, AVERAGE = "#ce4b1d", "#8165c7"
LIMIT, LEVEL = "#ae6400", "#dc372d"
BRANCH, PREVIEW = "#00856e", "#c044a8"
PINS = ("#c8500c", "#00856e", "#c044a8", "#877600", "#6a6ccc", "#d04456")
SERIES = (MAIN, "#2b8279", "#925bcf", "#a7607b", "#647f33", "#59789d")
