"""The workbench: step panels, detector image and pixel ramps for JupyterLab, Notebook 7 and Voila."""

from __future__ import annotations
